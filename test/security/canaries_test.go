// SPDX-License-Identifier: Apache-2.0

package security

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"

	"github.com/tencentcloud-cdb/importjobstop-operator/internal/cdbsim"
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
