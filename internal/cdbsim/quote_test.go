// SPDX-License-Identifier: Apache-2.0

package cdbsim

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// send makes one call over HTTP, and returns the answer and what each part of it says.
func (c *caller) send(action string) (fields map[string]any, parts map[Part]string) {
	c.Helper()
	server := httptest.NewServer(c.cloud)
	c.Cleanup(server.Close)
	r, body := c.request(action, time.Now())
	sent, err := http.NewRequestWithContext(c.Context(), r.Method, server.URL, strings.NewReader(string(body)))
	if err != nil {
		c.Fatal(err)
	}
	sent.Header, sent.Host = r.Header, c.host
	response, err := server.Client().Do(sent)
	if err != nil {
		c.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	var full struct{ Response map[string]any }
	text, _ := io.ReadAll(response.Body)
	if err := json.Unmarshal(text, &full); err != nil {
		c.Fatalf("%v in %s", err, text)
	}
	fields = full.Response
	failure, _ := fields["Error"].(map[string]any)
	return fields, map[Part]string{
		PartCode: fmt.Sprint(failure["Code"]), PartMessage: fmt.Sprint(failure["Message"]), PartRequestID: fmt.Sprint(fields["RequestId"]),
		PartStatus: fmt.Sprint(fields["Status"]), PartInfo: fmt.Sprint(fields["Info"]), PartExtra: fmt.Sprint(fields["Sent"], fields["Context"]),
		PartHeader: fmt.Sprint(response.Header), PartReason: response.Status,
	}
}

// secrets of a caller, in each form.
func (c *caller) secrets() map[Form][]string {
	signature := "Signature="
	output := map[Form][]string{FormRaw: {c.account.SecretKey, c.account.Token, c.account.SecretID, signature}}
	for _, s := range []string{c.account.SecretKey, c.account.Token} {
		output[FormGo] = append(output[FormGo], strings.Trim(fmt.Sprintf("%q", s), `"`))
		output[FormURL] = append(output[FormURL], url.QueryEscape(s), url.PathEscape(s))
		output[FormHTML] = append(output[FormHTML], html.EscapeString(s))
		output[FormBase64] = append(output[FormBase64], base64.StdEncoding.EncodeToString([]byte(s)))
	}
	return output
}

var (
	everyPart  = []Part{PartCode, PartMessage, PartRequestID, PartStatus, PartInfo, PartExtra, PartHeader, PartReason}
	successful = slices.DeleteFunc(slices.Clone(everyPart), func(p Part) bool { return p == PartCode || p == PartMessage })
)

func TestQuotingInEveryPartAndForm(t *testing.T) {
	t.Parallel()
	for kind, quoting := range map[Kind][]Part{Quoting: everyPart, QuotingSuccess: successful} {
		for _, action := range []string{stop, describe} {
			t.Run(string(kind)+" "+action, func(t *testing.T) {
				t.Parallel()
				c := newCaller(t, Import{})
				c.cloud.Play(Fault{Kind: kind})
				_, parts := c.send(action)
				for _, part := range quoting {
					for form, secrets := range c.secrets() {
						for _, secret := range secrets {
							if !strings.Contains(parts[part], secret) {
								t.Errorf("%s does not quote %s as %s: %s", part, secret, form, parts[part])
							}
						}
					}
				}
			})
		}
	}
}

func TestQuotingInOnePart(t *testing.T) {
	t.Parallel()
	for kind, quoting := range map[Kind][]Part{Quoting: everyPart, QuotingSuccess: successful} {
		for _, one := range quoting {
			t.Run(string(kind)+" "+string(one), func(t *testing.T) {
				t.Parallel()
				c := newCaller(t, Import{})
				c.cloud.Play(Fault{Kind: kind, Part: one})
				response, parts := c.send(describe)
				for _, part := range everyPart {
					if got := strings.Contains(parts[part], c.account.SecretKey); got != (part == one) {
						t.Errorf("%s quotes: %v, in %s", part, got, parts[part])
					}
				}
				if _, failed := response["Error"]; failed != (kind == Quoting) {
					t.Errorf("answered %v", response)
				}
				if seen := parts[PartReason][:3]; (seen == "503") != (kind == Quoting && one == PartReason) {
					t.Errorf("HTTP %s", seen)
				}
			})
		}
	}
}

func TestQuotingInOneForm(t *testing.T) {
	t.Parallel()
	for form := range (&caller{}).secrets() {
		t.Run(string(form), func(t *testing.T) {
			t.Parallel()
			c := newCaller(t, Import{})
			c.cloud.Play(Fault{Kind: Quoting, Form: form})
			_, parts := c.send(stop)
			for _, secret := range c.secrets()[form] {
				if !strings.Contains(parts[PartMessage], secret) {
					t.Errorf("does not quote %s: %s", secret, parts[PartMessage])
				}
			}
			raw := strings.Contains(parts[PartMessage], c.account.SecretKey)
			if raw != (form == FormRaw || form == FormGo) { // %q changes neither < nor &
				t.Errorf("the key is quoted raw: %v, in %s", raw, parts[PartMessage])
			}
		})
	}
}

// An action is done if its success quotes, and not if its error does; the log tells.
func TestWhatQuotingDoes(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		fault        Fault
		status       string
		logged, code string
		now          string
	}{
		{Fault{Kind: QuotingSuccess}, "RUNNING", "", "<nil>", "KILLED"},
		{Fault{Kind: QuotingSuccess}, "SUCCESS", "CdbError.ImportError", "CdbError.ImportError", "SUCCESS"},
		{Fault{Kind: Quoting}, "RUNNING", "fault", "InternalError.key", "RUNNING"},
		{Fault{Kind: Quoting, Code: "FailedOperation"}, "RUNNING", "FailedOperation", "FailedOperation.key", "RUNNING"},
	} {
		t.Run(string(test.fault.Kind)+" "+test.fault.Code+" "+test.status, func(t *testing.T) {
			t.Parallel()
			c := newCaller(t, Import{Status: test.status})
			test.fault.Times = 1
			c.cloud.Play(test.fault)
			_, parts := c.send(stop)
			call := c.cloud.CallLog()[0]
			if call.Code != test.logged || call.Fault != string(test.fault.Kind) {
				t.Errorf("logged %+v", call)
			}
			if !strings.HasPrefix(parts[PartCode], test.code) {
				t.Errorf("answered the code %s, want %s", parts[PartCode], test.code)
			}
			if status, _ := c.call(describe, time.Now()); status != test.now {
				t.Errorf("the import is %s, want %s", status, test.now)
			}
		})
	}
}

// Where net/http does not give its connection away, as over HTTP/2, all but the reason quotes.
func TestQuotingWithoutAConnection(t *testing.T) {
	t.Parallel()
	c := newCaller(t, Import{})
	c.cloud.Play(Fault{Kind: QuotingSuccess})
	r, _ := c.request(stop, time.Now())
	w := httptest.NewRecorder()
	c.cloud.ServeHTTP(w, r)
	if w.Code != http.StatusOK || !json.Valid(w.Body.Bytes()) || !strings.Contains(fmt.Sprint(w.Header()), c.account.SecretKey) {
		t.Errorf("answered %d %v %s", w.Code, w.Header(), w.Body)
	}
}
