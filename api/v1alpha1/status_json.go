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

// times are the names of the fields of a status that are times, wherever they are in it. A createTime is a text.
var times = map[string]bool{
	"startTime": true, "endTime": true, "completionTime": true, "waitingSince": true, "nextAttemptTime": true,
	"observedTime": true, "lastTransitionTime": true,
}

// mendTimes rewrites every time of a status so that the Go type of its field can read it.
func mendTimes(status any) {
	switch part := status.(type) {
	case map[string]any:
		for name, value := range part {
			if text, ok := value.(string); ok && times[name] {
				part[name] = readable(text)
			} else {
				mendTimes(value)
			}
		}
	case []any:
		for _, value := range part {
			mendTimes(value)
		}
	}
}

// readable returns the time in RFC 3339 with microseconds, or nil if the text is no time.
func readable(text string) any {
	t, err := time.Parse(time.RFC3339Nano, strings.ToUpper(text))
	if err != nil {
		return nil
	}
	return t.UTC().Format(metav1.RFC3339Micro)
}
