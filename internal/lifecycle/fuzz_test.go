// SPDX-License-Identifier: Apache-2.0

package lifecycle

import (
	"encoding/json"
	"strings"
	"testing"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
)

// Conditions take any message that a cloud can send: the API server refuses a status with one that is too long.
func FuzzMessagesFitIntoConditions(f *testing.F) {
	f.Add("Some.Code", "something", "r-1")
	f.Add(strings.Repeat("x", 128), strings.Repeat("y", 512), strings.Repeat("z", 128))
	f.Fuzz(func(t *testing.T, code, message, requestID string) {
		if len(code) > 128 || len(message) > 512 || len(requestID) > 128 {
			t.Skip("the port promises less")
		}
		for _, class := range []importjob.Class{importjob.Throttled, importjob.Transient, importjob.Rejected, importjob.Terminal, importjob.NotFound, importjob.Ambiguous, "new"} {
			object := after(attempt, stopAnswered(class, func(f *importjob.Error) { f.Code, f.Message, f.RequestID = code, message, requestID }))
			for _, c := range object.Status.Conditions {
				if len(c.Message) > 32768 || c.Reason == "" {
					t.Errorf("%s: %d bytes of message, reason %q", c.Type, len(c.Message), c.Reason)
				}
			}
		}
	})
}

// What status remembers of the annotation is read back from JSON. If it then differed, the request would be handled for ever.
func FuzzARequestedRetryIsHandledOnce(f *testing.F) {
	f.Add("2026-01-02T12:00:00Z")
	f.Add("a" + strings.Repeat("é", 40))
	f.Add("\x1b[2J\n\x00")
	f.Fuzz(func(t *testing.T, mark string) {
		object := after(attempt, stopAnswered(importjob.Terminal))
		object.Annotations = map[string]string{cdbv1.RetryRequestedAtAnnotation: mark}
		readBack(t, object)
		if object.Annotations[cdbv1.RetryRequestedAtAnnotation] != "" && !isRetryRequested(object) {
			t.Error("the request is not seen")
		}
		startOver(noon)(object)
		readBack(t, object)
		if isRetryRequested(object) {
			t.Errorf("handled as %q, it asks for yet another try", object.Status.LastHandledRetryAt)
		}
	})
}

// readBack makes the object what the API server makes of it.
func readBack(t *testing.T, object *cdbv1.ImportJobStop) {
	t.Helper()
	text, err := json.Marshal(object)
	if err == nil {
		*object = cdbv1.ImportJobStop{}
		err = json.Unmarshal(text, object)
	}
	if err != nil {
		t.Fatal(err)
	}
}
