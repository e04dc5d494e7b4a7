// SPDX-License-Identifier: Apache-2.0

package cdbsim

import (
	"encoding/base64"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"strings"
)

// Part is a place of an answer that can quote.
type Part string

// The parts. Code and Message are of an error; a success has none.
const (
	PartCode      Part = "Code"
	PartMessage   Part = "Message"
	PartRequestID Part = "RequestId"
	PartStatus    Part = "Status"
	PartInfo      Part = "Info"
	PartRecords   Part = "Records" // every text of the records of a listing
	PartExtra     Part = "Extra"   // fields that the API does not have
	PartHeader    Part = "Header"  // of the HTTP response
	PartReason    Part = "Reason"  // of the HTTP status line; needs HTTP/1.1
)

// Form is how a quotation is written.
type Form string

// The forms.
const (
	FormRaw    Form = "raw"
	FormGo     Form = "go"   // as %q
	FormURL    Form = "url"  // for a query and for a path
	FormHTML   Form = "html" // with entities
	FormBase64 Form = "base64"
)

// quoting says whether the answer quotes what the caller sent. A nil fault does not.
func (f *Fault) quoting() bool {
	return f != nil && (f.Kind == Quoting || f.Kind == QuotingSuccess)
}

// quotes says whether a part does.
func (f *Fault) quotes(p Part) bool { return f.Part == "" || f.Part == p }

// quotation is all that the cloud knows of the caller's credentials, in one form or in all.
// The key and the token come first: a reader that cuts a long text still gets them.
func quotation(r *http.Request, account Account, only Form) string {
	var secrets []string
	for _, s := range []string{account.SecretKey, r.Header.Get("X-TC-Token"), secretID(r), r.Header.Get("Authorization")} {
		if s != "" {
			secrets = append(secrets, s)
		}
	}
	whole := strings.Join(secrets, " ")
	var b64 []string
	for _, s := range append(secrets, whole) {
		b64 = append(b64, base64.StdEncoding.EncodeToString([]byte(s)))
	}
	var output []string
	for _, form := range []struct {
		name Form
		text string
	}{
		{FormRaw, whole},
		{FormGo, fmt.Sprintf("%q", whole)},
		{FormURL, url.QueryEscape(whole) + " " + url.PathEscape(whole)},
		{FormHTML, html.EscapeString(whole)},
		{FormBase64, strings.Join(b64, " ")},
	} {
		if only == "" || only == form.name {
			output = append(output, form.text)
		}
	}
	return strings.Join(output, " ")
}

// quoteIn puts a quotation into the fields of an answer.
func (f *Fault) quoteIn(response map[string]any, quotation string) {
	for part, field := range map[Part]string{PartRequestID: "RequestId", PartStatus: "Status", PartInfo: "Info"} {
		if f.quotes(part) {
			response[field] = quotation
		}
	}
	if f.quotes(PartExtra) {
		response["Sent"] = quotation
		response["Context"] = map[string]any{"Caller": []string{quotation}}
	}
	if f.quotes(PartRecords) {
		quoteInRecords(response["Items"], quotation)
	}
	failure, failed := response["Error"].(map[string]string)
	if failed && f.quotes(PartMessage) {
		failure["Message"] = quotation
	}
	if failed && f.quotes(PartCode) && f.Kind == Quoting {
		failure["Code"] += "." + quotation
	}
}

// quoteInRecords puts a quotation into each text of the records of a listing.
func quoteInRecords(items any, quotation string) {
	records, _ := items.([]map[string]any)
	for _, record := range records {
		for _, field := range []string{"FileName", "DbName", "CreateTime", "Message", "AsyncRequestId"} {
			record[field] = quotation
		}
	}
}

// playQuoting answers with text, and quotes in the headers and in the reason.
func (f *Fault) playQuoting(w http.ResponseWriter, text []byte, quotation string) {
	quotation = strings.NewReplacer("\r", " ", "\n", " ").Replace(quotation)
	if f.quotes(PartHeader) {
		for _, name := range []string{"X-TC-RequestId", "X-TC-Trace", "Server"} {
			w.Header().Set(name, quotation)
		}
	}
	if f.quotes(PartReason) && f.answerWithReason(w, text, quotation) {
		return
	}
	_, _ = w.Write(text)
}

// answerWithReason writes the status line itself, as net/http lets nobody choose the reason, and closes the connection.
// An error that quotes nowhere else is a 503: clients show the reason of no other.
func (f *Fault) answerWithReason(w http.ResponseWriter, text []byte, reason string) bool {
	conn, output, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return false
	}
	defer func() { _ = conn.Close() }()
	status := http.StatusOK
	if f.Kind == Quoting && f.Part == PartReason {
		status = http.StatusServiceUnavailable
	}
	w.Header().Set("Connection", "close")
	w.Header().Set("Content-Length", fmt.Sprint(len(text)))
	_, _ = fmt.Fprintf(output, "HTTP/1.1 %d %s\r\n", status, reason)
	_ = w.Header().Write(output)
	_, _ = fmt.Fprintf(output, "\r\n%s", text)
	_ = output.Flush()
	return true
}
