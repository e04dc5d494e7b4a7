// SPDX-License-Identifier: Apache-2.0

package tencentcloud

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
)

// quotable has credentials that look different in each form.
var quotable = importjob.Credentials{
	SecretID:  "AKIDz8krbsJ5yKBZQpn74WFkmLPx3",
	SecretKey: `Gu5t9xGAR"P&w<M>Bs'6/l+V\vc~%Zd=`,
	Token:     `tok3n/aJ+Qe&x1="<Yf'Hq\0Wz>%7EmN-u_Kr8'</&>\sP4dTgB2==`,
}

// quotedForms returns the forms of each credential by name. It shares no code with formsOf on purpose.
func quotedForms(c importjob.Credentials) map[string]string {
	forms := map[string]string{}
	for i, secret := range secretsOf(c) {
		quoted := fmt.Sprintf("%q", secret)
		plain := strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(secret)
		unicode := strings.NewReplacer("&", `\u0026`, "<", `\u003c`, ">", `\u003e`).Replace(plain)
		upper := strings.NewReplacer("u003c", "u003C", "u003e", "u003E").Replace(unicode)
		for name, form := range map[string]string{
			"raw": secret, "%q": quoted[1 : len(quoted)-1], "query": url.QueryEscape(secret), "path": url.PathEscape(secret),
			"lower query": lowerHex(url.QueryEscape(secret)), "lower path": lowerHex(url.PathEscape(secret)),
			"html": html.EscapeString(secret), "xml": strings.NewReplacer("&#34;", "&quot;", "&#39;", "&apos;").Replace(html.EscapeString(secret)),
			"json": plain, `\u0026`: unicode, `\u003C`: upper, `\/`: strings.ReplaceAll(plain, "/", `\/`),
			`\u0026 \/`: strings.ReplaceAll(unicode, "/", `\/`), `\u003C \/`: strings.ReplaceAll(upper, "/", `\/`),
			"base64":     base64.StdEncoding.EncodeToString([]byte(secret)),
			"base64 URL": base64.URLEncoding.EncodeToString([]byte(secret)), "raw base64": base64.RawStdEncoding.EncodeToString([]byte(secret)),
		} {
			forms[fmt.Sprintf("%s of %d", name, i)] = form
		}
		for at := range 3 {
			for name, alphabet := range map[string]*base64.Encoding{"std": base64.RawStdEncoding, "URL": base64.RawURLEncoding} {
				forms[fmt.Sprintf("%s base64 at %d of %d", name, at, i)] = sharedBase64(alphabet, secret, at)
			}
		}
	}
	return forms
}

// sharedBase64 returns what the Base64 of two texts has in common if the texts share only the secret.
func sharedBase64(alphabet *base64.Encoding, secret string, at int) string {
	one := alphabet.EncodeToString([]byte(strings.Repeat("\x00", at) + secret + "\x00\x00"))
	other := alphabet.EncodeToString([]byte(strings.Repeat("\xff", at) + secret + "\xff\xff"))
	shared := func(r int) bool { return one[r] == other[r] }
	from, to := 0, len(one)
	for !shared(from) {
		from++
	}
	for !shared(to - 1) {
		to--
	}
	return one[from:to]
}

func lowerHex(s string) string {
	parts := strings.Split(s, "%")
	for i := 1; i < len(parts); i++ {
		parts[i] = strings.ToLower(parts[i][:2]) + parts[i][2:]
	}
	return strings.Join(parts, "%")
}

// leaks are the forms of every eight bytes in a row of the credentials. None may be visible.
var leaks = sync.OnceValue(func() (forms []string) {
	for _, secret := range secretsOf(quotable) {
		for i := range len(secret) - 7 {
			part := secret[i : i+8]
			for _, form := range quotedForms(importjob.Credentials{SecretID: part, SecretKey: part, Token: part}) {
				if len(form) >= 8 {
					forms = append(forms, form)
				}
			}
		}
	}
	slices.Sort(forms)
	return slices.Compact(forms)
})

// leakOf returns a form of a part of a credential that the text has, or nothing.
func leakOf(text string) string {
	for _, form := range leaks() {
		if strings.Contains(text, form) {
			return form
		}
	}
	return ""
}

// answering is a transport that answers every request alike.
type answering struct {
	code         int
	reason, text string // of the status line and of a header
	body         []byte
}

func (a answering) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: a.code, Status: fmt.Sprintf("%d %s", a.code, a.reason), Request: r, Body: io.NopCloser(bytes.NewReader(a.body)),
		Header: http.Header{"Location": {"http://127.0.0.1:1/" + a.text}, "X-Tc-Requestid": {a.text}, "X-Tc-Token": {a.text}, "Content-Type": {a.text}},
	}, nil
}

// checkCalls calls both actions. Each must return a result or an error that fits into a status and shows nothing of the credentials.
func checkCalls(t *testing.T, client *Client) {
	t.Helper()
	requestID, err := client.Stop(t.Context(), quotable, job)
	status, unknown := client.Describe(t.Context(), quotable, job)
	if (err == nil) != (requestID != "") || (unknown == nil) != (status != "") {
		t.Errorf("accepted as %q with %v, described as %q with %v", requestID, err, status, unknown)
	}
	if len(requestID) > maxID || !utf8.ValidString(requestID) || leakOf(requestID) != "" || leakOf(string(status)) != "" || len(status) > 9 {
		t.Errorf("the RequestId is %q, the status %q", requestID, status)
	}
	checkFits(t, err)
	checkFits(t, unknown)
}

// checkFits accepts nil, and errors that fit into a status and show nothing of the credentials.
func checkFits(t *testing.T, err error) {
	t.Helper()
	var cloudError *importjob.Error
	switch {
	case err == nil:
	case !errors.As(err, &cloudError) || cloudError.Code == "":
		t.Errorf("the error is %#v", err)
	case len(cloudError.Code) > 128 || len(cloudError.Message) > maxMessage || len(cloudError.RequestID) > 128 || !utf8.ValidString(cloudError.Error()):
		t.Errorf("it does not fit into a status: %q", cloudError.Error())
	case leakOf(cloudError.Code) != "", leakOf(cloudError.Message) != "", leakOf(cloudError.RequestID) != "":
		t.Errorf("it shows a credential: %q", cloudError.Error())
	}
}

// Whatever the answer is, a call returns an id, a status or an error, and nothing of the credentials.
func FuzzAnswers(f *testing.F) {
	for _, body := range []string{
		`{"Response":{"RequestId":"6EF60BEC-0242-43AF-BB20-270359FB54A7"}}`, `{"Response":{"RequestId":"r","Status":"KILLED","Info":""}}`,
		`{"Response":{"Error":{"Code":"InvalidParameter.InvalidAsyncRequestId","Message":"AKIDz8krbsJ5yKBZQpn74WFkmLPx3"},"RequestId":"r"}}`,
		`{"Response":{"Error":{"Code":"RequestLimitExceeded"}}}`, `{"Response":{"Error":{}}}`, `{"Response":{"RequestId":7}}`, `{"Response":[]}`,
		`{"Response":null}`, `{"Response":{}}`, `null`, `[]`, `{}`, ``, `<html>`, `{"Response":{"RequestId":"r"}`, "\xff\xfe", `{"code":4000,"message":"old"}`,
		`{"Response":{"RequestId":" \u0007"}}`, `{"Response":{"RequestId":"r"},"response":{"RequestId":""}}`, `{"Response":{"RequestId":"r"},"code":5}`,
		`{"Response":{"Error":{"Code":"ClientError.Timeout"},"RequestId":"r"}}`, `{"Response":{"RequestId":"r","Status":{"a":[]},"Info":5}}`,
	} {
		f.Add(200, []byte(body))
		f.Add(503, []byte(body))
	}
	f.Fuzz(func(t *testing.T, code int, body []byte) {
		checkCalls(t, &Client{transport: answering{200 + max(code, 0)%400, "", "application/json", body}})
	})
}

// fields has the parts of an answer that can quote a credential. The last two are not in the body.
var fields = []string{"Code", "Message", "RequestId", "Status", "Info", "header", "reason"}

// quoting returns a transport whose answer has the text in one field, or in all of them if there is no such field.
func quoting(field int, success bool, text string) answering {
	part := func(i int) string {
		if i == field || field < 0 || field >= len(fields) {
			return text
		}
		return "InternalError"
	}
	response := map[string]any{"RequestId": part(2), "Status": part(3), "Info": part(4)}
	if !success {
		response["Error"] = map[string]string{"Code": part(0), "Message": part(1)}
	}
	body, _ := json.Marshal(map[string]any{"Response": response})
	a := answering{200, part(6), part(5), body}
	if !success && (field == 6 || field == 5) {
		a.code = 503
	}
	return a
}

// Whichever field of an answer quotes a credential, in whichever form, it does not reach the caller. The seeds are all of these.
func FuzzQuoting(f *testing.F) {
	forms := quotedForms(quotable)
	for _, form := range forms {
		for field := range len(fields) + 1 {
			f.Add(field, true, "", form, "")
			f.Add(field, false, "it is ", form, " and more")
		}
		f.Add(1, false, "a"+strings.Repeat("\x00", maxMessage+margin-20), form, strings.Repeat("z", 5000))
		f.Add(2, true, "a"+strings.Repeat("\x00", maxID+margin-9), form, strings.Repeat("z", 5000))
	}
	f.Fuzz(func(t *testing.T, field int, success bool, before, form, after string) {
		checkCalls(t, &Client{transport: quoting(field, success, before+form+after)})
	})
}
