// SPDX-License-Identifier: Apache-2.0

package security

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/cdbsim"
	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

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
	f := newFixture(t, "canary")
	// Each way of escaping changes them in another place.
	owner := cdbsim.Account{SecretID: "AKIDcanary0123456789", SecretKey: `bird+key/"<0123>&\'456789'==`, Token: `bird+token/"<0123>&\'456789'==`}
	known := newCanaries(owner)
	f.OwnCloud(known.watch)
	f.Cloud.SetAccount(owner)
	f.Create(f.Secret("creds", owner))
	objects := stopWithEachFault(f)
	metrics, err := harness.FreeAddress()
	harness.Must(t, err)
	profiles, err := harness.FreeAddress()
	harness.Must(t, err)
	f.Start("--zap-log-level=10", "--zap-stacktrace-level=info", "--metrics-bind-address="+metrics, "--pprof-bind-address="+profiles)
	for i, o := range objects {
		objects[i] = f.Until(o.Name, "answered", isAnswered)
		closedVocabulary(t, objects[i])
	}
	_, body := scrape(t, metrics, metricsReader(t))
	report(t, known, slices.Concat(fromCluster(f), []field{{"metrics", body}}, fromProfiles(t, profiles), []field{{"log at the highest verbosity, and crash output", crash(f)}}))

	if found := known.in(env.MustKubectl(t, "get", "secret", "creds", "-n", f.Namespace, "-o", "yaml")); len(found) != 3 {
		t.Errorf("the search finds only %q in the Secret itself", found)
	}
	if signed := known.count("signature"); signed < len(objects) {
		t.Errorf("only %d signatures were searched for", signed)
	}
}

// stopWithEachFault creates an object for each way in which an answer can go wrong.
func stopWithEachFault(f *harness.Fixture) (objects []*cdbv1.ImportJobStop) {
	eachFault(func(name string, fault cdbsim.Fault) {
		o := f.Object(strings.ToLower(strings.ReplaceAll("with-"+name, ".", "-")))
		if fault.Kind == cdbsim.QuotingSuccess {
			o.Spec.WaitFor = cdbv1.WaitForStopped // so that it asks how the import is, and gets a quotation
		}
		f.SetImport(o.Name, cdbsim.Import{})
		fault.AsyncRequestID, fault.Location = o.Spec.AsyncRequestID, f.CloudURL
		if fault.Kind != "" || fault.Code != "" {
			f.Cloud.Play(fault)
		}
		objects = append(objects, o)
		f.Create(o)
	})
	return objects
}

// fromCluster is what the API server has of the operator.
func fromCluster(f *harness.Fixture) []field {
	return []field{
		{"status and spec of the objects", env.MustKubectl(f, "get", "ijs", "-n", f.Namespace, "-o", "json", "--show-managed-fields")},
		{"describe", env.MustKubectl(f, "describe", "ijs", "-n", f.Namespace)},
		{"printer columns", env.MustKubectl(f, "get", "ijs", "-n", f.Namespace, "-o", "wide")},
		{"events", env.MustKubectl(f, "get", "events.events.k8s.io", "-n", f.Namespace, "-o", "json")},
		{"lease and whatever else is there", env.MustKubectl(f, "get", "leases,configmaps", "-A", "-o", "json")},
	}
}

// fromProfiles is what Go tells of the operator.
func fromProfiles(t *testing.T, address string) (places []field) {
	t.Helper()
	for _, profile := range []string{
		"", "cmdline", "allocs", "heap", "goroutine?debug=2", "goroutine", "threadcreate", "block", "mutex", "profile?seconds=1", "trace?seconds=1", "symbol",
	} {
		places = append(places, field{"/debug/pprof/" + profile, profileOf(t, address, profile)})
	}
	return places
}

// crash ends the operator as a crash does, which prints all goroutines.
func crash(f *harness.Fixture) (log string) {
	f.Helper()
	f.Operator.Signal(syscall.SIGQUIT)
	<-f.Operator.Ended()
	log = f.Operator.Log()
	if !strings.Contains(log, "\ngoroutine 1 ") || !strings.Contains(log, `"level":"debug"`) {
		f.Fatal("the log has no debug lines or no crash output")
	}
	return log
}

// eachFault calls add with each way in which an answer can go wrong or quote what was sent.
func eachFault(add func(name string, fault cdbsim.Fault)) {
	for _, kind := range kinds {
		add("fault-"+string(kind)+"x", cdbsim.Fault{Kind: kind})
	}
	for _, code := range codes {
		fault := cdbsim.Fault{Code: code}
		if strings.HasPrefix(code, "RequestLimitExceeded") {
			fault.Times = 2 // for ever, it would slow down all of the account
		}
		add(code, fault)
	}
	for _, kind := range []cdbsim.Kind{cdbsim.Quoting, cdbsim.QuotingSuccess} {
		for _, part := range parts {
			for _, form := range forms {
				add(fmt.Sprint(kind, "-", part, "-", form), cdbsim.Fault{Kind: kind, Part: part, Form: form})
			}
		}
	}
}

// isAnswered: the object has an answer of the cloud, and the status of its import where it asks for that.
func isAnswered(o *cdbv1.ImportJobStop) bool {
	if o.Spec.WaitFor == cdbv1.WaitForStopped {
		return o.Status.ImportStatus != ""
	}
	return o.Status.RequestID != "" || meta.FindStatusCondition(o.Status.Conditions, cdbv1.ConditionAccepted) != nil
}

// closedVocabulary: what the cloud says of the import is one of the vendor's words, or UNKNOWN.
func closedVocabulary(t *testing.T, o *cdbv1.ImportJobStop) {
	t.Helper()
	words := []string{"", "UNDEFINED", "INITIAL", "RUNNING", "PAUSED", "KILLED", "REMOVED", "FAILED", "SUCCESS", "UNKNOWN"}
	if !slices.Contains(words, o.Status.ImportStatus) {
		t.Errorf("%s: importStatus is %q", o.Name, o.Status.ImportStatus)
	}
}

// profileOf reads one of Go's profiles and unpacks it.
func profileOf(t *testing.T, address, name string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+"/debug/pprof/"+name, nil)
	harness.Must(t, err)
	response, err := http.DefaultClient.Do(request)
	harness.Must(t, err)
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	harness.Must(t, err)
	if unpacked, err := gzip.NewReader(bytes.NewReader(body)); err == nil {
		body, err = io.ReadAll(unpacked)
		harness.Must(t, err)
	}
	return string(body)
}
