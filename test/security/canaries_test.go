// SPDX-License-Identifier: Apache-2.0

package security

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"

	"github.com/tencentcloud-cdb/importjobstop-operator/internal/cdbsim"
	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
	"github.com/tencentcloud-cdb/importjobstop-operator/test/oracle"
)

var signatures = regexp.MustCompile("Signature=([0-9a-f]{64})")

// canaries are what must be found nowhere: the credentials, in the forms in which they could be written, and the signatures.
type canaries struct {
	mu     sync.Mutex
	values map[string]string // what it is, by value
}

// newCanaries has the first two thirds of each: an end that was cut off makes no secret of the rest.
func newCanaries(a cdbsim.Account) *canaries {
	c := &canaries{values: map[string]string{}}
	for what, value := range map[string]string{"SecretId": a.SecretID, "SecretKey": a.SecretKey, "token": a.Token} {
		for _, form := range oracle.Forms(value[:len(value)*2/3]) {
			c.values[form] = what
		}
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
	var output strings.Builder
	add := func(s string) { output.WriteString(s + "\n" + undumped(s) + "\n") }
	add(text)
	oracle.EachText([]byte(text), add)
	for row := range strings.Lines(text) {
		oracle.EachText([]byte(row), add)
	}
	return output.String()
}

// dumped is a row of a hexadecimal dump, as client-go logs a body that is not JSON.
var dumped = regexp.MustCompile(`(?m)^[0-9a-f]{8}  ((?:[0-9a-f]{2} +){1,16})`)

// undumped are the bytes of the hexadecimal dumps in a text.
func undumped(text string) string {
	var output []byte
	for _, row := range dumped.FindAllStringSubmatch(text, -1) {
		bytes, _ := hex.DecodeString(strings.ReplaceAll(row[1], " ", ""))
		output = append(output, bytes...)
	}
	return string(output)
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

// The search finds each form of each credential, in whatever it is embedded, also when its end is cut off; and nothing else.
func TestTheSearchForLeaksFindsThem(t *testing.T) {
	t.Parallel()
	a := cdbsim.Account{SecretID: "AKIDcanary0123456789", SecretKey: `bird+key/"<0123>&\'456789'==`, Token: `bird+token/"<0123>&\'456789'==`}
	known := newCanaries(a)
	for what, value := range map[string]string{"SecretId": a.SecretID, "SecretKey": a.SecretKey, "token": a.Token} {
		for i, text := range []string{
			value, value[:len(value)*3/4], fmt.Sprintf("%q", "x "+value), url.QueryEscape(value), url.PathEscape("x " + value), html.EscapeString(value),
			base64.StdEncoding.EncodeToString([]byte(value)), base64.URLEncoding.EncodeToString([]byte("x" + value + "y")), base64.StdEncoding.EncodeToString([]byte("xx" + value + "yy")),
			"a body\n" + hex.Dump([]byte("x: "+value)),
		} {
			log, err := json.Marshal(map[string]any{"msg": "it said " + text})
			harness.Must(t, err)
			if found := known.in(plain("not JSON\n" + string(log) + "\n")); len(found) == 0 || !strings.HasPrefix(found[0], what) {
				t.Errorf("the %s in form %d is not found, but %q", what, i, found)
			}
		}
	}
	if found := known.in(plain(`{"a":"AKID bird+key [redacted] canary"}`)); len(found) > 0 {
		t.Errorf("found %q", found)
	}
}
