// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// UnmarshalJSON reads each status that the API server accepts. The schema's date-time allows more than the types of the fields read
// (as a MicroTime without six decimals), and one object that cannot be read would keep a client from listing all others.
// A time that cannot be read is zero.
func (s *ImportJobStopStatus) UnmarshalJSON(data []byte) error {
	type plain ImportJobStopStatus
	var read plain
	if err := json.Unmarshal(data, &read); err != nil {
		var content map[string]any
		decoder := json.NewDecoder(bytes.NewReader(data))
		decoder.UseNumber() // a generation does not fit into a float
		if err := decoder.Decode(&content); err != nil {
			return err
		}
		mendTimes(content)
		mended, err := json.Marshal(content)
		if err != nil {
			return err
		}
		read = plain{}
		if err := json.Unmarshal(mended, &read); err != nil {
			return err
		}
	}
	*s = ImportJobStopStatus(read)
	return nil
}

// mendTimes gives every time of a status the form that its field reads.
func mendTimes(status map[string]any) {
	mend(status, time.RFC3339, "startTime", "completionTime", "waitingSince")
	mend(status, metav1.RFC3339Micro, "nextAttemptTime")
	if attempt, ok := status["lastAttempt"].(map[string]any); ok {
		mend(attempt, metav1.RFC3339Micro, "startTime", "endTime")
	}
	conditions, _ := status["conditions"].([]any)
	for _, item := range conditions {
		if condition, ok := item.(map[string]any); ok {
			mend(condition, time.RFC3339, "lastTransitionTime")
		}
	}
}

func mend(object map[string]any, layout string, names ...string) {
	for _, name := range names {
		if text, ok := object[name].(string); ok {
			object[name] = timeIn(text, layout)
		}
	}
}

// timeIn returns the time in a layout, or nil if it cannot be read.
func timeIn(text, layout string) any {
	t, err := time.Parse(time.RFC3339Nano, strings.ToUpper(text))
	if err != nil {
		return nil
	}
	return t.UTC().Format(layout)
}
