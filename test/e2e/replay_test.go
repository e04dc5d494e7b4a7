// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"k8s.io/client-go/rest"

	"github.com/tencentcloud-cdb/importjobstop-operator/test/fakeapi"
	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
	"github.com/tencentcloud-cdb/importjobstop-operator/test/simulation"
)

// replay repeats what was said to one API server to another one, which has other versions and uids.
type replay struct {
	*conversation
	known  map[string]string // resourceVersions and uids here, by those of the record
	latest map[string]string // resourceVersions by path
}

// What the operators and their users say to the API server in memory during a few schedules of faults is repeated to the real one.
func TestACampaignIsReplayed(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			var campaign []simulation.Exchange
			synctest.Test(t, func(*testing.T) { campaign = simulation.Record(seed, 2) })
			replayed(t, campaign)
		})
	}
}

func replayed(t *testing.T, campaign []simulation.Exchange) {
	transport, err := rest.TransportFor(env.Config)
	harness.Must(t, err)
	owner, err := env.NewTenant(t.Context(), "replay-")
	harness.Must(t, err)
	genuine := &conversation{TB: t, transport: transport, host: strings.TrimSuffix(env.Config.Host, "/"), namespace: owner.Namespace}
	fake := &conversation{TB: t, transport: fakeapi.New(), host: "http://api.invalid", namespace: owner.Namespace}
	harness.In(t, owner).Eventually("serving the CRD", func() (bool, error) {
		response := genuine.send("GET", genuine.path(stops, "importjobstops"), nil)
		_ = response.Body.Close()
		return response.StatusCode == http.StatusOK, nil
	})
	for _, c := range []*conversation{genuine, fake} {
		r := &replay{conversation: c, known: map[string]string{}, latest: map[string]string{}}
		for _, e := range campaign {
			r.repeat(e)
		}
	}
	if diff := cmp.Diff(genuine.record, fake.record); diff != "" {
		t.Errorf("- the real server, + the one in memory:\n%s", diff)
	}
	t.Logf("%d answers are alike", len(fake.record))
}

// repeat sends the request as it must be here, and records what must be alike of the answer.
func (r *replay) repeat(e simulation.Exchange) {
	if !json.Valid(e.Response) {
		r.Fatalf("%s %s: %s", e.Method, e.Path, e.Response)
	}
	path := r.here(e.Path)
	var body object
	if len(e.Body) > 0 {
		harness.Must(r, json.Unmarshal(e.Body, &body))
		r.translate(body)
	}
	response := r.send(e.Method, path, body)
	defer func() { _ = response.Body.Close() }()
	answered, was := object{}, object{}
	harness.Must(r, json.NewDecoder(response.Body).Decode(&answered))
	harness.Must(r, json.Unmarshal(e.Response, &was))
	said := fmt.Sprintf("%d %s %s: %d", len(r.record), e.Method, path, response.StatusCode)
	name := strings.TrimSuffix(path, "/status")
	switch items, isList := answered["items"].([]any); {
	case answered["kind"] == "Status":
		said += fmt.Sprintf(" %v", answered["reason"])
	case isList:
		said += fmt.Sprintf(" of %d", len(items))
	default:
		if e.Method == http.MethodPost {
			name += "/" + fmt.Sprint(metaOf(answered)["name"])
		}
		moved := r.version(answered) != r.latest[name]
		status, err := json.Marshal(answered["status"])
		harness.Must(r, err)
		said += fmt.Sprintf(" generation %v, moved %t, status %s", metaOf(answered)["generation"], moved, status)
		r.latest[name] = r.version(answered)
		r.learn(was, answered)
	}
	r.record = append(r.record, said)
}

// here is the path in the namespace of the replay.
func (r *replay) here(path string) string {
	for _, namespace := range simulation.Namespaces {
		path = strings.Replace(path, "/namespaces/"+namespace+"/", "/namespaces/"+r.namespace+"/", 1)
	}
	if before, ok := strings.CutSuffix(path, "/v1alpha1/importjobstops"); ok { // of all namespaces
		path = before + "/v1alpha1/namespaces/" + r.namespace + "/importjobstops"
	}
	return path
}

// learn remembers what stands for the version and the uid of the record.
func (r *replay) learn(was, answered object) {
	for _, field := range []string{"resourceVersion", "uid"} {
		from, _ := metaOf(was)[field].(string)
		to, _ := metaOf(answered)[field].(string)
		r.known[from] = to
	}
}

// translate puts the versions, uids and the namespace of the replay into a body, however deep they are.
func (r *replay) translate(part any) {
	switch part := part.(type) {
	case []any:
		for _, p := range part {
			r.translate(p)
		}
	case object:
		for field, value := range part {
			text, _ := value.(string)
			switch here, known := r.known[text]; {
			case (field == "resourceVersion" || field == "uid") && known:
				part[field] = here
			case field == "namespace" && text != "":
				part[field] = r.namespace
			default:
				r.translate(value)
			}
		}
	}
}
