// SPDX-License-Identifier: Apache-2.0

package security

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
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
		for form, text := range formsOf(value) {
			c.values[text] = what + " " + form
		}
	}
	return c
}

// formsOf a value: as it is, and escaped in each way in which something on the way could write it.
// Of each, the first two thirds have to be absent: an end that was cut off makes no secret of the rest.
func formsOf(value string) map[string]string {
	forms := map[string]string{
		"raw": value, "as Go writes it": strings.Trim(strconv.Quote(value), `"`), "for a query": url.QueryEscape(value), "for a path": url.PathEscape(value),
		"in HTML": html.EscapeString(value),
	}
	for form, text := range forms {
		forms[form] = text[:len(text)*2/3]
	}
	for shift := range 3 { // base64 looks different by what is before the value
		n := shift + len(value)*2/3
		before := strings.Repeat("-", shift)
		for form, encoding := range map[string]*base64.Encoding{"in base64": base64.RawStdEncoding, "in base64 for URLs": base64.RawURLEncoding} {
			text := encoding.EncodeToString([]byte(before + value))
			forms[fmt.Sprint(form, ", shifted by ", shift)] = text[(shift*8+5)/6 : n*8/6] // only what is made of the value alone
		}
	}
	return forms
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

// in tells which canaries are in a text, each with what is around it there.
func (c *canaries) in(text string) (found []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	seen := map[string]bool{}
	for value, what := range c.values {
		if i := strings.Index(text, value); i >= 0 && !seen[what] {
			seen[what] = true
			found = append(found, fmt.Sprintf("%s, in …%s…", what, text[max(i-60, 0):min(i+len(value)+20, len(text))]))
		}
	}
	slices.Sort(found)
	return found
}

// plain is a text and all strings of the JSON in its lines as they were before JSON escaped them.
func plain(text string) string {
	output := strings.Builder{}
	output.WriteString(text)
	var collect func(any)
	collect = func(value any) {
		switch v := value.(type) {
		case string:
			output.WriteString("\n" + v)
		case []any:
			for _, item := range v {
				collect(item)
			}
		case map[string]any:
			for key, item := range v {
				output.WriteString("\n" + key)
				collect(item)
			}
		}
	}
	var whole any
	if json.Unmarshal([]byte(text), &whole) == nil {
		collect(whole)
		return output.String()
	}
	for row := range strings.Lines(text) {
		var one any
		if json.Unmarshal([]byte(row), &one) == nil {
			collect(one)
		}
	}
	return output.String()
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
	parts = []cdbsim.Part{
		cdbsim.PartCode, cdbsim.PartMessage, cdbsim.PartRequestID, cdbsim.PartStatus, cdbsim.PartInfo, cdbsim.PartExtra, cdbsim.PartHeader, cdbsim.PartReason,
	}
	forms = []cdbsim.Form{cdbsim.FormRaw, cdbsim.FormGo, cdbsim.FormURL, cdbsim.FormHTML, cdbsim.FormBase64}
)

// Nothing of the credentials is in any place where the operator writes, under every fault of the cloud.
func TestNothingOfASecretLeaks(t *testing.T) {
	t.Parallel()
	namespace := newNamespace(t, "canary")
	// Each way of escaping changes them in another place.
	owner := cdbsim.Account{SecretID: "AKIDcanary0123456789", SecretKey: `bird+key/"<0123>&\'456789'==`, Token: `bird+token/"<0123>&\'456789'==`}
	known := newCanaries(owner)
	cloud := cdbsim.New()
	cloud.SetAccount(owner)
	elsewhere := httptest.NewServer(known.watch(cloud))
	t.Cleanup(func() { elsewhere.CloseClientConnections(); elsewhere.Close() })
	create(t, credsOf(namespace, owner))
	var objects []*cdbv1.ImportJobStop
	add := func(name string, fault cdbsim.Fault) {
		o := stop(namespace, strings.ToLower(strings.ReplaceAll("with-"+name, ".", "-")))
		if fault.Kind == cdbsim.QuotingSuccess {
			o.Spec.WaitFor = cdbv1.WaitForStopped // so that it asks how the import is, and gets a quotation
		}
		cloud.SetImport(cdbsim.Import{Region: region, ID: o.Spec.AsyncRequestID, Status: "RUNNING"})
		fault.AsyncRequestID, fault.Location = o.Spec.AsyncRequestID, elsewhere.URL
		if fault.Kind != "" || fault.Code != "" {
			cloud.Play(fault)
		}
		objects = append(objects, o)
		create(t, o)
	}
	eachFault(add)
	metrics, err := harness.FreeAddress()
	must(t, err)
	profiles, err := harness.FreeAddress()
	must(t, err)
	operator := run(t, "--namespaces="+namespace, "--endpoint="+elsewhere.URL, "--zap-log-level=10", "--zap-stacktrace-level=info",
		"--metrics-bind-address="+metrics, "--pprof-bind-address="+profiles)
	untilAnswered(t, objects)
	places := []field{
		{"status and spec of the objects", kubectl(t, "get", "ijs", "-n", namespace, "-o", "json", "--show-managed-fields")},
		{"describe", kubectl(t, "describe", "ijs", "-n", namespace)},
		{"printer columns", kubectl(t, "get", "ijs", "-n", namespace, "-o", "wide")},
		{"events", kubectl(t, "get", "events.events.k8s.io", "-n", namespace, "-o", "json")},
		{"lease and whatever else is there", kubectl(t, "get", "leases,configmaps", "-A", "-o", "json")},
	}
	_, body := scrape(t, metrics, metricsReader(t))
	places = append(places, field{"metrics", body})
	for _, profile := range []string{
		"", "cmdline", "allocs", "heap", "goroutine?debug=2", "goroutine", "threadcreate", "block", "mutex", "profile?seconds=1", "trace?seconds=1", "symbol",
	} {
		places = append(places, field{"/debug/pprof/" + profile, profileOf(t, profiles, profile)})
	}
	operator.Signal(syscall.SIGQUIT) // as a crash, which prints all goroutines
	<-operator.Ended()
	if !strings.Contains(operator.Log(), "\ngoroutine 1 ") || !strings.Contains(operator.Log(), `"level":"debug"`) {
		t.Error("the log has no debug lines or no crash output")
	}
	places = append(places, field{"log at the highest verbosity, and crash output", operator.Log()})
	report(t, known, places)

	if found := known.in(kubectl(t, "get", "secret", "creds", "-n", namespace, "-o", "yaml")); len(found) != 3 {
		t.Errorf("the search finds only %q in the Secret itself", found)
	}
	if n := known.count("signature"); n < len(objects) {
		t.Errorf("only %d signatures were searched for", n)
	}
	for _, o := range objects {
		closedVocabulary(t, o)
	}
}

// eachFault calls add with each way in which an answer can go wrong or quote what was sent.
func eachFault(add func(name string, fault cdbsim.Fault)) {
	for _, kind := range kinds {
		add("fault-"+string(kind)+"x", cdbsim.Fault{Kind: kind})
	}
	for _, code := range codes {
		add(code, cdbsim.Fault{Code: code})
	}
	for _, kind := range []cdbsim.Kind{cdbsim.Quoting, cdbsim.QuotingSuccess} {
		for _, part := range parts {
			for _, form := range forms {
				add(fmt.Sprint(kind, "-", part, "-", form), cdbsim.Fault{Kind: kind, Part: part, Form: form})
			}
		}
	}
}

// untilAnswered waits until each object has an answer of the cloud, and the status of its import where it asks for that.
func untilAnswered(t *testing.T, objects []*cdbv1.ImportJobStop) {
	t.Helper()
	for _, o := range objects {
		until(t, o.Name+" answered", func() bool {
			must(t, env.Client.Get(t.Context(), keyOf(o), o))
			if o.Spec.WaitFor == cdbv1.WaitForStopped {
				return o.Status.ImportStatus != ""
			}
			return o.Status.RequestID != "" || meta.FindStatusCondition(o.Status.Conditions, cdbv1.ConditionAccepted) != nil
		})
	}
}

// closedVocabulary: what the cloud says of the import is one of the vendor's words, or UNKNOWN.
func closedVocabulary(t *testing.T, o *cdbv1.ImportJobStop) {
	t.Helper()
	words := []string{"", "UNDEFINED", "INITIAL", "RUNNING", "PAUSED", "KILLED", "REMOVED", "FAILED", "SUCCESS", "UNKNOWN"}
	if !slices.Contains(words, o.Status.ImportStatus) {
		t.Errorf("%s: importStatus is %q", o.Name, o.Status.ImportStatus)
	}
}

// The search finds each form of each credential, in whatever it is embedded, also when its end is cut off; and nothing else.
func TestTheSearchForLeaksFindsThem(t *testing.T) {
	t.Parallel()
	a := cdbsim.Account{SecretID: "AKIDcanary0123456789", SecretKey: `bird+key/"<0123>&\'456789'==`, Token: `bird+token/"<0123>&\'456789'==`}
	known := newCanaries(a)
	for what, value := range map[string]string{"SecretId": a.SecretID, "SecretKey": a.SecretKey, "token": a.Token} {
		for i, text := range []string{
			value, value[:len(value)*3/4], fmt.Sprintf("%q", "x "+value), url.QueryEscape(value), url.PathEscape("x " + value), html.EscapeString(value),
			base64.StdEncoding.EncodeToString([]byte(value)), base64.URLEncoding.EncodeToString([]byte("x" + value + "y")), base64.StdEncoding.EncodeToString([]byte("xx" + value + "yy")),
		} {
			log, err := json.Marshal(map[string]any{"msg": "it said " + text})
			must(t, err)
			if found := known.in(plain("not JSON\n" + string(log) + "\n")); len(found) == 0 || !strings.HasPrefix(found[0], what) {
				t.Errorf("the %s in form %d is not found, but %q", what, i, found)
			}
		}
	}
	if found := known.in(plain(`{"a":"AKID bird+key [redacted] canary"}`)); len(found) > 0 {
		t.Errorf("found %q", found)
	}
}

type field struct{ name, text string }

// report searches the places and prints what was read.
func report(t *testing.T, known *canaries, places []field) {
	t.Helper()
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	total := 0
	_, _ = fmt.Fprintln(w, "place searched\tbytes read\tfound")
	for _, p := range places {
		found := known.in(plain(p.text))
		for _, f := range found {
			t.Errorf("%s: leaked %s", p.name, f)
		}
		if p.text == "" {
			t.Errorf("%s: nothing was read", p.name)
		}
		total += len(p.text)
		_, _ = fmt.Fprintf(w, "%s\t%d\t%d\n", p.name, len(p.text), len(found))
	}
	_, _ = fmt.Fprintf(w, "in all, for %d signatures, a SecretId, a SecretKey and a token, plain, in base64 and escaped for Go, URLs and HTML\t%d\t\n", known.count("signature"), total)
	_ = w.Flush()
}

func kubectl(t *testing.T, args ...string) string {
	t.Helper()
	output, err := env.Kubectl(t.Context(), nil, args...)
	if err != nil {
		t.Fatal(output)
	}
	return output
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
