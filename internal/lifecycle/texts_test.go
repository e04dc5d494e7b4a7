// SPDX-License-Identifier: Apache-2.0

package lifecycle

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
)

// texts are what a cloud or a person may write: short, long, in any script, with control characters, broken.
func texts(longest int) (all []string) {
	parts := []string{"a", "Z", "0", ".", " ", "é", "中", "\U0001F600", "\x1b[2J", "\n", "\x00", "\xff", "\u202e", "%s", `"`}
	random := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		var text strings.Builder
		for n := random.IntN(longest); text.Len() < n; {
			text.WriteString(parts[random.IntN(len(parts))])
		}
		all = append(all, text.String()[:min(text.Len(), longest)])
	}
	return append(all, strings.Repeat("x", longest), strings.Repeat("é", longest/2))
}

// Conditions take any message that a cloud can send: the API server refuses a status with one that is too long.
// The port promises codes and ids of at most 128 bytes and messages of at most 512.
func TestMessagesFitIntoConditions(t *testing.T) {
	t.Parallel()
	codes, messages := texts(128), texts(512)
	for i, code := range codes {
		for _, class := range []importjob.Class{importjob.Throttled, importjob.Transient, importjob.Rejected, importjob.Terminal, importjob.NotFound, importjob.Ambiguous, "new"} {
			object := after(attempt, stopAnswered(class, func(f *importjob.Error) { f.Code, f.Message, f.RequestID = code, messages[i], code }))
			for _, c := range object.Status.Conditions {
				if len(c.Message) > 32768 || c.Reason == "" {
					t.Errorf("%q %q: %s: %d bytes of message, reason %q", code, messages[i], c.Type, len(c.Message), c.Reason)
				}
			}
		}
	}
}

// What status remembers of the annotation is read back from JSON. If it then differed, the request would be handled for ever.
func TestARetryRequestedInAnyTextIsHandledOnce(t *testing.T) {
	t.Parallel()
	for _, mark := range texts(300) {
		object := after(attempt, stopAnswered(importjob.Terminal))
		object.Annotations = map[string]string{cdbv1.RetryRequestedAtAnnotation: mark}
		readBack(t, object)
		if object.Annotations[cdbv1.RetryRequestedAtAnnotation] != "" && !isRetryRequested(object) {
			t.Errorf("%q: the request is not seen", mark)
		}
		startOver(noon)(object)
		readBack(t, object)
		if isRetryRequested(object) {
			t.Errorf("handled as %q, %q asks for yet another try", object.Status.LastHandledRetryAt, mark)
		}
	}
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
