// SPDX-License-Identifier: Apache-2.0

package security

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"text/tabwriter"

	"k8s.io/apimachinery/pkg/api/meta"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/cdbsim"
	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

var signatures = regexp.MustCompile("Signature=([0-9a-f]{64})")

// canaries are what must be found nowhere: the credentials, in the forms in which they could be written, and the signatures.
type canaries struct {
	mu     sync.Mutex
	values map[string]string // what it is, by value
}

func newCanaries(a cdbsim.Account) *canaries {
	c := &canaries{values: map[string]string{}}
	for what, value := range map[string]string{"SecretId": a.SecretID, "SecretKey": a.SecretKey, "token": a.Token} {
		c.values[value] = what
		c.values[url.QueryEscape(value)] = what
		c.values[base64.StdEncoding.EncodeToString([]byte(value))] = what
	}
	return c
}

// watch notes the signature of each request before the cloud sees it.
func (c *canaries) watch(cloud http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if m := signatures.FindStringSubmatch(r.Header.Get("Authorization")); m != nil {
			c.mu.Lock()
			c.values[m[1]] = "signature"
			c.mu.Unlock()
		}
		cloud.ServeHTTP(w, r)
	})
}

// in tells which canaries are in a text.
func (c *canaries) in(text string) (found []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for value, what := range c.values {
		if strings.Contains(text, value) {
			found = append(found, what)
		}
	}
	return found
}

func (c *canaries) count(what string) (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, w := range c.values {
		if w == what {
			n++
		}
	}
	return n
}

// What the cloud can do wrong, each with an object of its own.
var (
	kinds = []cdbsim.Kind{
		"", cdbsim.HTTPError, cdbsim.HTML, cdbsim.Empty, cdbsim.Null, cdbsim.NoID, cdbsim.Truncated, cdbsim.Huge, cdbsim.Reset, cdbsim.Hang,
		cdbsim.Trickle, cdbsim.Redirect, cdbsim.AnswerLost, cdbsim.AnswerHeld, cdbsim.Slow, cdbsim.Quoting,
	}
	codes = []string{
		"InternalError.TaskFrameError", "InvalidParameter", "InvalidParameter.InvalidAsyncRequestId", "CdbError.ImportError", "RequestLimitExceeded",
		"AuthFailure.SignatureFailure", "AuthFailure.UnauthorizedOperation", "UnsupportedRegion", "Never.HeardOf",
	}
)

// Nothing of the credentials is in any place where the operator writes, under every fault of the cloud.
func TestNothingOfASecretLeaks(t *testing.T) {
	t.Parallel()
	namespace := newNamespace(t, "canary")
	owner := cdbsim.Account{SecretID: "AKIDcanary0123456789", SecretKey: "canary+key/0123456789==", Token: "canary+token/0123456789=="}
	known := newCanaries(owner)
	cloud := cdbsim.New()
	cloud.SetAccount(owner)
	elsewhere := httptest.NewServer(known.watch(cloud))
	t.Cleanup(func() { elsewhere.CloseClientConnections(); elsewhere.Close() })
	create(t, credsOf(namespace, owner))
	var objects []*cdbv1.ImportJobStop
	add := func(name string, fault cdbsim.Fault) {
		o := stop(namespace, strings.ToLower(strings.ReplaceAll("with-"+name, ".", "-")))
		cloud.SetImport(cdbsim.Import{Region: region, ID: o.Spec.AsyncRequestID, Status: "RUNNING"})
		fault.AsyncRequestID, fault.Location = o.Spec.AsyncRequestID, elsewhere.URL
		if fault.Kind != "" || fault.Code != "" {
			cloud.Play(fault)
		}
		objects = append(objects, o)
		create(t, o)
	}
	for _, kind := range kinds {
		add("fault-"+string(kind)+"x", cdbsim.Fault{Kind: kind})
	}
	for _, code := range codes {
		add(code, cdbsim.Fault{Code: code})
	}
	metrics, err := harness.FreeAddress()
	must(t, err)
	profiles, err := harness.FreeAddress()
	must(t, err)
	operator := run(t, "--namespaces="+namespace, "--endpoint="+elsewhere.URL, "--zap-log-level=10", "--zap-stacktrace-level=info",
		"--metrics-bind-address="+metrics, "--pprof-bind-address="+profiles)
	for _, o := range objects {
		until(t, o.Name+" answered", func() bool {
			must(t, env.Client.Get(t.Context(), keyOf(o), o))
			return o.Status.RequestID != "" || meta.FindStatusCondition(o.Status.Conditions, cdbv1.ConditionAccepted) != nil
		})
	}
	places := []place{
		{"status and spec of the objects", kubectl(t, "get", "ijs", "-n", namespace, "-o", "yaml", "--show-managed-fields")},
		{"describe", kubectl(t, "describe", "ijs", "-n", namespace)},
		{"events", kubectl(t, "get", "events.events.k8s.io", "-n", namespace, "-o", "yaml")},
		{"lease and whatever else is there", kubectl(t, "get", "leases,configmaps", "-A", "-o", "yaml")},
	}
	_, body := scrape(t, metrics, metricsReader(t))
	places = append(places, place{"metrics", body})
	for _, profile := range []string{
		"", "cmdline", "allocs", "heap", "goroutine?debug=2", "goroutine", "threadcreate", "block", "mutex", "profile?seconds=1", "trace?seconds=1", "symbol",
	} {
		places = append(places, place{"/debug/pprof/" + profile, profileOf(t, profiles, profile)})
	}
	operator.Signal(syscall.SIGQUIT) // as a crash, which prints all goroutines
	<-operator.Ended()
	if !strings.Contains(operator.Log(), "\ngoroutine 1 ") || !strings.Contains(operator.Log(), `"level":"debug"`) {
		t.Error("the log has no debug lines or no crash output")
	}
	places = append(places, place{"log at the highest verbosity, and crash output", operator.Log()})
	report(t, known, places)

	if found := known.in(kubectl(t, "get", "secret", "creds", "-n", namespace, "-o", "yaml")); len(found) != 3 {
		t.Errorf("the search finds only %q in the Secret itself", found)
	}
	if n := known.count("signature"); n < len(objects) {
		t.Errorf("only %d signatures were searched for", n)
	}
}

type place struct{ name, text string }

// report searches the places and prints what was read.
func report(t *testing.T, known *canaries, places []place) {
	t.Helper()
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	total := 0
	_, _ = fmt.Fprintln(w, "place searched\tbytes read\tfound")
	for _, p := range places {
		found := known.in(p.text)
		if len(found) > 0 {
			t.Errorf("%s: %q leaked", p.name, found)
		}
		if p.text == "" {
			t.Errorf("%s: nothing was read", p.name)
		}
		total += len(p.text)
		_, _ = fmt.Fprintf(w, "%s\t%d\t%d\n", p.name, len(p.text), len(found))
	}
	_, _ = fmt.Fprintf(w, "in all, for %d signatures, a SecretId, a SecretKey and a token, plain, in base64 and escaped\t%d\t\n", known.count("signature"), total)
	_ = w.Flush()
}

func kubectl(t *testing.T, args ...string) string {
	t.Helper()
	out, err := env.Kubectl(t.Context(), nil, args...)
	if err != nil {
		t.Fatal(out)
	}
	return out
}

// profileOf reads one of Go's profiles and unpacks it.
func profileOf(t *testing.T, address, name string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+"/debug/pprof/"+name, nil)
	must(t, err)
	response, err := http.DefaultClient.Do(request)
	must(t, err)
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	must(t, err)
	if unpacked, err := gzip.NewReader(bytes.NewReader(body)); err == nil {
		body, err = io.ReadAll(unpacked)
		must(t, err)
	}
	return string(body)
}
