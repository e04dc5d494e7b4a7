// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	"encoding/json"
	"maps"
	"os"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"sigs.k8s.io/yaml"
)

// One status that the schema allows and the types do not read would keep the operator from listing every object.
func TestAListIsReadWhateverTheTimesOfAStatusAre(t *testing.T) {
	t.Parallel()
	scheme := runtime.NewScheme()
	if err := AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	decoder := serializer.NewCodecFactory(scheme).UniversalDeserializer()
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"2026-01-01T00:00:00Z": at, "2026-01-01T00:00:00.000000Z": at, "2026-01-01t00:00:00z": at, "2026-01-01T00:00:00.5Z": at.Add(time.Second / 2),
		"2026-01-01T01:00:00+01:00": at, "2026-01-01T00:00:00+99:99": {}, "2026-01-01T00:00:00x5Z": {}, "2026-01-01 00:00:00Z": {},
		"0000-01-01T00:00:00Z": time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC), "9999-12-31T23:59:60Z": {},
	} {
		quoted, _ := json.Marshal(text)
		list := `{"apiVersion":"cdb.tencentcloud.com/v1alpha1","kind":"ImportJobStopList","items":[{"metadata":{"name":"a"},"spec":{},"status":{
			"observedGeneration":9007199254740993,"startTime":T,"completionTime":T,"waitingSince":T,"nextAttemptTime":T,"lastAttempt":{"startTime":T,"endTime":T},
			"import":{"createTime":T,"observedTime":T},"candidates":[{"observedTime":T}],
			"conditions":[{"type":"Ready","status":"True","reason":"A","message":"","lastTransitionTime":T}]}}]}`
		var body []byte
		for _, c := range []byte(list) {
			if c == 'T' && len(body) > 0 && (body[len(body)-1] == ':') {
				body = append(body, quoted...)
			} else {
				body = append(body, c)
			}
		}
		object, _, err := decoder.Decode(body, nil, nil)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		status := object.(*ImportJobStopList).Items[0].Status
		if !status.LastAttempt.StartTime.Time.Equal(want) || !timeOf(status.NextAttemptTime).Equal(want) {
			t.Errorf("%s: the attempt began at %s, the next is at %s, want %s", text, status.LastAttempt.StartTime, status.NextAttemptTime, want)
		}
		if found := status.Import; found.CreateTime != text || found.ObservedTime != nil && !found.ObservedTime.Truncate(time.Second).Equal(want.Truncate(time.Second)) {
			t.Errorf("%s: the import was created at %s and observed at %s", text, found.CreateTime, found.ObservedTime)
		}
		whole := metav1.NewTime(want.Truncate(time.Second))
		if status.StartTime != nil && !status.StartTime.Truncate(time.Second).Equal(whole.Time) || status.ObservedGeneration != 9007199254740993 {
			t.Errorf("%s: startTime %s, generation %d", text, status.StartTime, status.ObservedGeneration)
		}
	}
}

// Every time of the schema is one that is mended.
func TestEveryTimeOfAStatusIsMended(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile("../../config/crd/bases/cdb.tencentcloud.com_importjobstops.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var crd any
	if err := yaml.Unmarshal(content, &crd); err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	var walk func(name string, schema any)
	walk = func(name string, schema any) {
		switch part := schema.(type) {
		case map[string]any:
			if part["format"] == "date-time" {
				found[name] = true
			}
			for name, inner := range part {
				walk(name, inner)
			}
		case []any:
			for _, inner := range part {
				walk(name, inner)
			}
		}
	}
	walk("", crd)
	if !maps.Equal(found, times) {
		t.Errorf("the schema has the times %v, and mended are %v", found, times)
	}
}

func timeOf(t *metav1.MicroTime) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.Time
}
