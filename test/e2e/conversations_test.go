// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/client-go/rest"

	"github.com/tencentcloud-cdb/importjobstop-operator/test/fakeapi"
	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

// object is JSON.
type object = map[string]any

// conversation is what a client and an API server say to each other. The record has what both servers must answer alike.
type conversation struct {
	testing.TB
	transport http.RoundTripper
	host      string
	namespace string
	last      object // the latest object that was answered
	record    []string
}

const stops, secrets, leases = "apis/cdb.tencentcloud.com/v1alpha1", "api/v1", "apis/coordination.k8s.io/v1"

// The simulation runs against an API server in memory. Where the operator can tell it from the real one, the simulation proves nothing.
func TestConversations(t *testing.T) {
	t.Parallel()
	transport, err := rest.TransportFor(env.Config)
	harness.Must(t, err)
	owner, err := env.NewTenant(t.Context(), "conversations")
	harness.Must(t, err)
	genuine := &conversation{TB: t, transport: transport, host: strings.TrimSuffix(env.Config.Host, "/"), namespace: owner.Namespace}
	fake := &conversation{TB: t, transport: fakeapi.New(), host: "http://api.invalid", namespace: owner.Namespace}
	harness.In(t, owner).Eventually("serving the CRD", func() (bool, error) { // it is established a moment before
		response := genuine.send("GET", genuine.path(stops, "importjobstops"), nil)
		_ = response.Body.Close()
		return response.StatusCode == http.StatusOK, nil
	})
	for _, c := range []*conversation{genuine, fake} {
		aboutObjects(c)
		aboutFinalObjects(c)
		aboutOthers(c)
	}
	if diff := cmp.Diff(genuine.record, fake.record); diff != "" {
		t.Errorf("- the real server, + the one in memory:\n%s", diff)
	}
	t.Logf("%d answers and watch events are alike", len(fake.record))
}

func aboutObjects(c *conversation) {
	path := c.path(stops, "importjobstops", "a")
	c.exchange("get what is missing", "GET", path, nil)
	c.exchange("delete what is missing", "DELETE", path, nil)
	list := c.exchange("an empty list", "GET", c.path(stops, "importjobstops"), nil)
	from := c.version(list)
	a := c.exchange("create, with a status", "POST", c.path(stops, "importjobstops"), c.stop("a", func(o object) { o["status"] = object{"attempts": 7} }))
	c.exchange("create again", "POST", c.path(stops, "importjobstops"), c.stop("a", nil))
	c.exchange("create with a resourceVersion", "POST", c.path(stops, "importjobstops"), c.stop("b", func(o object) { metaOf(o)["resourceVersion"] = "1" }))
	c.exchange("update without a resourceVersion", "PUT", path, c.edited(a, func(o object) { delete(metaOf(o), "resourceVersion") }))
	c.exchange("update of another uid", "PUT", path, c.edited(a, func(o object) { metaOf(o)["uid"] = "00000000-0000-0000-0000-000000000000" }))
	c.exchange("update of another name", "PUT", path, c.edited(a, func(o object) { metaOf(o)["name"] = "z" }))
	a = c.exchange("an annotation", "PUT", path, c.edited(a, func(o object) { metaOf(o)["annotations"] = object{"a": "b"} }))
	c.exchange("no-op update", "PUT", path, a)
	b := c.exchange("update of the spec", "PUT", path, c.edited(a, func(o object) { specOf(o)["suspend"] = true }))
	c.exchange("update with an old resourceVersion", "PUT", path, a)
	b = c.exchange("a label", "PUT", path, c.edited(b, func(o object) { metaOf(o)["labels"] = object{"a": "b"} }))
	b = c.exchange("a status by an update", "PUT", path, c.edited(b, func(o object) { o["status"] = object{"attempts": 9} }))
	d := c.exchange("status update", "PUT", path+"/status", c.edited(b, func(o object) {
		o["status"] = object{"observedGeneration": 2, "attempts": 1}
		specOf(o)["suspend"] = false
	}))
	c.exchange("no-op status update", "PUT", path+"/status", d)
	c.exchange("status update with an old resourceVersion", "PUT", path+"/status", b)
	c.exchange("status update of what is missing", "PUT", c.path(stops, "importjobstops", "z/status"), c.stop("z", nil))
	c.exchange("status without observedGeneration", "PUT", path+"/status", c.edited(d, func(o object) { o["status"] = object{} }))
	c.exchange("get", "GET", path, nil)
	c.exchange("list", "GET", c.path(stops, "importjobstops"), nil)
	c.exchange("delete another uid", "DELETE", path, precondition("uid", "00000000-0000-0000-0000-000000000000"))
	c.exchange("delete another version", "DELETE", path, precondition("resourceVersion", "1"))
	c.exchange("delete", "DELETE", path, precondition("uid", metaOf(d)["uid"]))
	c.exchange("delete again", "DELETE", path, nil)
	c.watch("from before it was there", "resourceVersion="+from, 7)
	c.exchange("create once more", "POST", c.path(stops, "importjobstops"), c.stop("a", nil))
	c.watch("initial events", "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true", 2)
}

// aboutFinalObjects asks for changes of the target while it can, and once it cannot.
func aboutFinalObjects(c *conversation) {
	path := c.path(stops, "importjobstops", "f")
	retarget := func(o object) { specOf(o)["asyncRequestId"] = "other-1" }
	f := c.exchange("create", "POST", c.path(stops, "importjobstops"), c.stop("f", nil))
	f = c.exchange("no-op update of what was just created", "PUT", path, f)
	f = c.exchange("no-op update after it", "PUT", path, f)
	f = c.exchange("another target", "PUT", path, c.edited(f, retarget))
	f = c.exchange("an attempt that is open", "PUT", path+"/status", c.edited(f, func(o object) {
		o["status"] = object{"observedGeneration": 1, "lastAttempt": object{"startTime": "2026-01-02T03:04:05.000000Z"}}
	}))
	c.exchange("another target while it is open", "PUT", path, c.edited(f, func(o object) { specOf(o)["asyncRequestId"] = "other-2" }))
	c.exchange("the site that is the default", "PUT", path, c.edited(f, func(o object) { specOf(o)["site"] = "China" }))
	f = c.exchange("get", "GET", path, nil)
	f = c.exchange("an attempt that ended", "PUT", path+"/status", c.edited(f, func(o object) {
		o["status"] = object{"observedGeneration": 1, "lastAttempt": object{"startTime": "2026-01-02T03:04:05.000000Z", "endTime": "2026-01-02T03:04:06.000000Z"}}
	}))
	unknown := c.exchange("an attempt after one of unknown outcome", "PUT", path+"/status", c.edited(f, func(o object) {
		o["status"] = object{"observedGeneration": 1, "lastAttempt": object{
			"startTime": "2026-01-02T03:04:05.000000Z", "endTime": "2026-01-02T03:04:06.000000Z", "followsUnknown": true,
		}}
	}))
	c.exchange("another target while an outcome is unknown", "PUT", path, c.edited(unknown, func(o object) { specOf(o)["asyncRequestId"] = "other-4" }))
	f = c.exchange("its end", "PUT", path+"/status", c.edited(unknown, func(o object) {
		o["status"].(object)["completionTime"] = "2026-01-02T03:04:07Z"
	}))
	f = c.exchange("by its instance, after its end", "PUT", path, c.edited(f, func(o object) {
		delete(specOf(o), "asyncRequestId")
		specOf(o)["import"] = object{"instanceId": "cdb-one"}
	}))
	f = c.exchange("another target after its end", "PUT", path, c.edited(f, func(o object) { specOf(o)["asyncRequestId"] = "other-3" }))
	f = c.exchange("accepted", "PUT", path+"/status", c.edited(f, func(o object) { o["status"] = object{"observedGeneration": 1, "requestId": "r-1"} }))
	c.exchange("another region once accepted", "PUT", path, c.edited(f, func(o object) { specOf(o)["region"] = "ap-beijing" }))
	c.exchange("another waitFor once accepted", "PUT", path, c.edited(f, func(o object) { specOf(o)["waitFor"] = "Stopped" }))
}

// aboutOthers asks for what else the operator uses.
func aboutOthers(c *conversation) {
	secret := object{"metadata": object{"name": "s"}, "data": object{"a": "Yg=="}}
	c.exchange("Secret", "POST", c.path(secrets, "secrets"), secret)
	c.exchange("get the Secret", "GET", c.path(secrets, "secrets", "s"), nil)
	c.exchange("get a Secret that is missing", "GET", c.path(secrets, "secrets", "none"), nil)
	c.exchange("update the Secret without a resourceVersion", "PUT", c.path(secrets, "secrets", "s"), object{"metadata": object{"name": "s"}, "data": object{"a": "Yw=="}})
	c.exchange("delete the Secret", "DELETE", c.path(secrets, "secrets", "s"), nil)
	lease := c.exchange("Lease", "POST", c.path(leases, "leases"), object{"metadata": object{"name": "l"}, "spec": object{"holderIdentity": "a"}})
	c.exchange("update the Lease", "PUT", c.path(leases, "leases", "l"), c.edited(lease, func(o object) { specOf(o)["holderIdentity"] = "b" }))
	c.exchange("update the old Lease", "PUT", c.path(leases, "leases", "l"), c.edited(lease, func(o object) { specOf(o)["holderIdentity"] = "c" }))
}

func (c *conversation) path(api, resource string, name ...string) string {
	return "/" + strings.Join(append([]string{api, "namespaces", c.namespace, resource}, name...), "/")
}

func (c *conversation) stop(name string, edit func(object)) object {
	o := object{
		"apiVersion": "cdb.tencentcloud.com/v1alpha1", "kind": "ImportJobStop", "metadata": object{"name": name, "namespace": c.namespace},
		"spec": object{"region": "ap-guangzhou", "asyncRequestId": "a-1", "credentialsSecretRef": object{"name": "creds"}},
	}
	if edit != nil {
		edit(o)
	}
	return o
}

func metaOf(o object) object { m, _ := o["metadata"].(object); return m }
func specOf(o object) object { s, _ := o["spec"].(object); return s }

func precondition(field string, value any) object {
	return object{"preconditions": object{field: value}}
}

// edited is a copy with a change.
func (c *conversation) edited(o object, edit func(object)) object {
	text, err := json.Marshal(o)
	harness.Must(c, err)
	next := object{}
	harness.Must(c, json.Unmarshal(text, &next))
	edit(next)
	return next
}

func (c *conversation) version(o object) string {
	version, _ := metaOf(o)["resourceVersion"].(string)
	return version
}

func (c *conversation) send(method, path string, body object) *http.Response {
	text, err := json.Marshal(body)
	harness.Must(c, err)
	if body == nil {
		text = nil
	}
	r, err := http.NewRequestWithContext(c.Context(), method, c.host+path, bytes.NewReader(text))
	harness.Must(c, err)
	r.Header.Set("Content-Type", "application/json")
	response, err := c.transport.RoundTrip(r)
	harness.Must(c, err)
	return response
}

// exchange records what must be alike of the answer: the code, the reason and what it is about, or the generation, the status, and whether the
// object is another version than the one before.
func (c *conversation) exchange(what, method, path string, body object) object {
	response := c.send(method, path, body)
	defer func() { _ = response.Body.Close() }()
	answered := object{}
	text, _ := io.ReadAll(response.Body)
	if err := json.Unmarshal(text, &answered); err != nil {
		c.Fatalf("%s %s: %v: %s", method, path, err, text)
	}
	details, _ := answered["details"].(object)
	said := fmt.Sprintf("%s: %d %v", what, response.StatusCode, answered["kind"])
	switch {
	case answered["kind"] == "Status":
		said += fmt.Sprintf(" %v %v %v", answered["reason"], details["kind"], details["name"])
		answered = c.last // to go on with
	case answered["items"] != nil:
		items, _ := answered["items"].([]any)
		said += fmt.Sprintf(" of %d", len(items))
	default:
		status, _ := json.Marshal(answered["status"])
		moved := c.version(answered) != c.version(c.last)
		said += fmt.Sprintf(" generation %v, moved %t, status %s", metaOf(answered)["generation"], moved, status)
		c.last = answered
	}
	c.record = append(c.record, said)
	return answered
}

// watch records so many events.
func (c *conversation) watch(what, query string, events int) {
	response := c.send("GET", c.path(stops, "importjobstops")+"?watch=true&timeoutSeconds=30&"+query, nil)
	defer func() { _ = response.Body.Close() }()
	stream := json.NewDecoder(response.Body)
	timeout := time.AfterFunc(20*time.Second, func() { _ = response.Body.Close() })
	defer timeout.Stop()
	for range events {
		event := struct {
			Type   string
			Object object
		}{}
		if err := stream.Decode(&event); err != nil {
			c.record = append(c.record, what+": "+err.Error())
			return
		}
		status, _ := json.Marshal(event.Object["status"])
		c.record = append(c.record, fmt.Sprintf("%s: %s %v generation %v annotations %v status %s", what, event.Type, metaOf(event.Object)["name"],
			metaOf(event.Object)["generation"], metaOf(event.Object)["annotations"], status))
	}
}
