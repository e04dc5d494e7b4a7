// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"fmt"
	"strings"

	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/test/oracle"
)

// versions are all of all objects, oldest first, by uid.
func (r *run) versions() map[types.UID][]oracle.Version {
	all := map[types.UID][]oracle.Version{}
	for _, c := range r.api.Changes(schema.GroupResource{Group: cdbv1.GroupVersion.Group, Resource: "importjobstops"}) {
		o := &cdbv1.ImportJobStop{}
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(c.Object.Object, o); err != nil {
			panic(err)
		}
		all[o.UID] = append(all[o.UID], oracle.Version{ImportJobStop: o, Seen: c.Time, Deleted: c.Type == watch.Deleted})
	}
	return all
}

// history is what the oracle is asked about.
func (r *run) history() *oracle.History {
	h := &oracle.History{Versions: r.versions(), ByHand: r.byHand, Kills: r.kills, Lost: r.lost, Secrets: r.secrets, SecretSince: r.secretSince, Imports: r.cloud.Imports(), AccountOf: accountOf, Writes: r.writes}
	for _, c := range r.cloud.CallLog() {
		if accountOf(c.SecretID) != "" {
			h.CallLog = append(h.CallLog, c)
		}
	}
	for _, c := range r.api.Changes(schema.GroupResource{Group: eventsv1.GroupName, Resource: "events"}) {
		event := eventsv1.Event{}
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(c.Object.Object, &event); err == nil {
			h.Events = append(h.Events, event)
		}
	}
	for _, p := range r.processes {
		h.Logs = append(h.Logs, p.printed())
	}
	return h
}

// accountOf is the account of the operator that a SecretId belongs to; empty: that of a stranger.
func accountOf(secretID string) string {
	switch {
	case strings.HasPrefix(secretID, account):
		return account
	case strings.HasPrefix(secretID, ownAccount):
		return secretID
	}
	return ""
}

// inWords is a version of an object in one line.
func inWords(o oracle.Version) string {
	if o.Deleted {
		return o.Name + " is deleted"
	}
	text := fmt.Sprintf("%s v%s g%d of %s: %d attempts", o.Name, o.ResourceVersion, o.Generation, o.Spec.AsyncRequestID, o.Status.Attempts)
	if o.Spec.Suspend {
		text += ", suspended"
	}
	if ready := meta.FindStatusCondition(o.Status.Conditions, cdbv1.ConditionReady); ready != nil {
		text += fmt.Sprintf(", Ready %s %s", ready.Status, ready.Reason)
	}
	if last := o.Status.LastAttempt; last != nil {
		text += fmt.Sprintf(", attempt at %s", last.StartTime.Format("04:05.000"))
		if last.EndTime == nil {
			text += " open"
		}
		text += " " + last.ErrorCode
	}
	if o.Status.RequestID != "" {
		text += ", RequestId " + o.Status.RequestID
	}
	return text
}
