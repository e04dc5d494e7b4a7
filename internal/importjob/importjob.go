// SPDX-License-Identifier: Apache-2.0

// Package importjob is the vocabulary of stopping an import, and the port to the cloud that does it.
package importjob

import (
	"context"
	"fmt"
	"log/slog"
)

// Site is the Tencent Cloud site of an account.
type Site string

// The sites.
const (
	China         Site = "China"
	International Site = "International"
)

// Target is one asynchronous import task in one region of one site. Its AsyncRequestID is empty while the import is yet to be found: then only
// List takes it.
type Target struct {
	Region, AsyncRequestID string
	Site                   Site
}

// Action is a call of the cloud API, by the vendor's name.
type Action string

// The actions that the operator uses.
const (
	ActionStop     Action = "StopDBImportJob"
	ActionDescribe Action = "DescribeAsyncRequestInfo"
	ActionList     Action = "DescribeDBImportRecords"
)

// Status is the state of a task, as DescribeAsyncRequestInfo reports it. The set is closed; the zero value means that there was no answer.
type Status string

// The statuses that the vendor documents: https://www.tencentcloud.com/document/product/236/20410 and the model of its SDK.
const (
	StatusUndefined Status = "UNDEFINED" // created, not started: it may wait for a maintenance window
	StatusInitial   Status = "INITIAL"
	StatusRunning   Status = "RUNNING"
	StatusSuccess   Status = "SUCCESS"
	StatusFailed    Status = "FAILED"
	StatusKilled    Status = "KILLED"
	StatusRemoved   Status = "REMOVED"
	StatusPaused    Status = "PAUSED" // being stopped
	// StatusUnknown stands for null and for every status that the vendor does not document.
	StatusUnknown Status = "UNKNOWN"
)

// Cloud is the port: one method call is at most one request.
// Every error is an *Error.
type Cloud interface {
	// Host is the access host that calls for the target enter the cloud by; the quota is counted there.
	Host(Target) string
	// Stop asks the cloud to end the import and returns the RequestId of the accepted call, never empty.
	Stop(context.Context, Credentials, Target) (requestID string, err error)
	// Describe asks how the import is. The Status is StatusUnknown when the cloud gave none that the vendor documents; it is empty with an error.
	Describe(context.Context, Credentials, Target) (Status, error)
	// List reads one page of at most PageSize imports of an instance, from an offset on. Of the target it uses region and site.
	List(ctx context.Context, creds Credentials, t Target, instanceID string, offset int) (Page, error)
}

// PageSize is how many records a page has, unless it is the last one. The vendor allows 1 to 100: product document 15856.
const PageSize = 100

// Page is a part of the listing of the imports of an instance. The order of its records is not documented, and can change between pages.
// It has min(PageSize, Total-offset) records, and none from the end of the listing on: a page that contradicts its Total is an error.
type Page struct {
	Total   int // imports of the instance, on all pages
	Records []Record
}

// Record is an import as DescribeDBImportRecords lists it. Texts are redacted, at most 256 bytes of printable UTF-8.
//
// A name is verbatim, or begins with a blank: then it was redacted, cut or made printable, and equals no name that somebody can ask for.
type Record struct {
	AsyncRequestID string // empty when the cloud gave none, or one that cannot be an id
	State          RecordState
	Percent        int    // of the progress, from 0 to 100
	FileName       string // may be empty
	DatabaseName   string // may be empty
	CreateTime     string // as the cloud tells it; its zone is not documented
}

// RecordState is the state of a listed import. The set is closed.
type RecordState string

// The states that the vendor documents: product document 15856.
const (
	RecordInitializing RecordState = "Initializing" // 0
	RecordRunning      RecordState = "Running"      // 1
	RecordSuccessful   RecordState = "Successful"   // 2
	RecordFailed       RecordState = "Failed"       // 3
	// RecordUnknown stands for every state that the vendor does not document.
	RecordUnknown RecordState = "Unknown"
)

// Credentials of a Tencent Cloud account. However it is printed, encoded or logged, it shows nothing.
type Credentials struct {
	SecretID, SecretKey string
	Token               string // empty: long-lived credentials
}

const redacted = "[redacted]"

// String shows nothing of the credentials.
func (Credentials) String() string { return redacted }

// Format shows nothing of the credentials, whatever the verb.
func (Credentials) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// MarshalText shows nothing of the credentials.
func (Credentials) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue shows nothing of the credentials.
func (Credentials) LogValue() slog.Value { return slog.StringValue(redacted) }

// Class says what to do about an error.
type Class string

// The classes. An unknown error code is Transient.
const (
	Throttled Class = "Throttled" // the quota is used up: slow the whole budget down
	Transient Class = "Transient" // may pass: try again with backoff
	Rejected  Class = "Rejected"  // the credentials or their permissions were refused
	Terminal  Class = "Terminal"  // will never succeed unless somebody changes something
	NotFound  Class = "NotFound"  // no such task or instance: terminal, unless an earlier call may have ended it
	Ambiguous Class = "Ambiguous" // the import may already be over: ask
)

// Error is why a call did not succeed.
type Error struct {
	Class Class
	// Code is the vendor's error code verbatim, or one that begins with ClientError when there was no readable answer.
	Code string
	// Message is in English, at most 512 bytes of printable UTF-8.
	Message string
	// RequestID that the cloud gave to the call; empty when there was no readable answer.
	RequestID string
	// OutcomeUnknown: the request may have been carried out all the same.
	OutcomeUnknown bool
}

// Error gives the code, the message and the RequestId.
func (e *Error) Error() string {
	if e.RequestID == "" {
		return e.Code + ": " + e.Message
	}
	return fmt.Sprintf("%s: %s (RequestId %s)", e.Code, e.Message, e.RequestID)
}
