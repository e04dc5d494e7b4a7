// SPDX-License-Identifier: Apache-2.0

package cdbsim

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// What an import says over time, after a stop that was accepted.
func TestEndsAfterAnAcceptedStop(t *testing.T) {
	t.Parallel()
	const s = time.Second
	for name, test := range map[string]struct {
		i    Import
		want []string // after 0, 1, 2, … seconds
	}{
		"at once":                    {Import{}, []string{"KILLED"}},
		"that had not begun":         {Import{Status: "INITIAL"}, []string{"KILLED"}},
		"that waits for its window":  {Import{Status: "UNDEFINED"}, []string{"KILLED"}},
		"late":                       {Import{EndsAfter: 2 * s}, []string{"PAUSED", "PAUSED", "KILLED"}},
		"that runs on":               {Import{RunsOn: s}, []string{"RUNNING", "KILLED"}},
		"that runs on and ends late": {Import{RunsOn: s, EndsAfter: s}, []string{"RUNNING", "PAUSED", "KILLED", "KILLED"}},
		"failed":                     {Import{EndsAs: "FAILED"}, []string{"FAILED"}},
		"too late":                   {Import{RunsOn: s, EndsAs: "SUCCESS"}, []string{"RUNNING", "SUCCESS"}},
		"removed":                    {Import{EndsAfter: s, EndsAs: "REMOVED"}, []string{"PAUSED", "REMOVED"}},
		"undefined":                  {Import{EndsAs: "UNDEFINED"}, []string{"UNDEFINED"}},
		"null":                       {Import{EndsAs: StatusNull}, []string{StatusNull}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCaller(t, test.i)
			c.want(stop, start, "")
			for n, want := range test.want {
				at := start.Add(time.Duration(n) * s)
				if status, code := c.call(describe, at); status != want || code != "" {
					t.Errorf("after %d s: %q %q, want %q", n, status, code, want)
				}
				c.want(stop, at, "CdbError.ImportError")
			}
		})
	}
}

func TestStopOfAnImportThatIsOver(t *testing.T) {
	t.Parallel()
	for _, status := range []string{"SUCCESS", "FAILED", "KILLED", "REMOVED", "PAUSED", StatusNull} {
		for late, want := range map[string]string{
			"": "CdbError.ImportError", "InternalError.TaskFrameError": "InternalError.TaskFrameError",
			"InternalError.ImportError": "InternalError.ImportError", "InvalidParameter": "InvalidParameter",
			"OperationDenied.WrongStatus": "OperationDenied.WrongStatus",
		} {
			t.Run(status+" "+late, func(t *testing.T) {
				t.Parallel()
				c := newCaller(t, Import{Status: status, LateCode: late})
				c.want(stop, start, want)
				if got, _ := c.call(describe, start); got != status {
					t.Errorf("it is %s then", got)
				}
				if message := c.cloud.messageOf(want, Call{Action: stop}); strings.Contains(message, "simulator") {
					t.Errorf("%s has no message of the vendor's", want)
				}
			})
		}
	}
}

func TestNullIsAnsweredAsJSONNull(t *testing.T) {
	t.Parallel()
	c := newCaller(t, Import{Status: StatusNull})
	r, _ := c.request(describe, time.Now())
	w := httptest.NewRecorder()
	c.cloud.ServeHTTP(w, r)
	if !strings.Contains(w.Body.String(), `"Status":null`) {
		t.Errorf("answered %s", w.Body)
	}
}
