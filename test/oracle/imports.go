// SPDX-License-Identifier: Apache-2.0

package oracle

import (
	"slices"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/cdbsim"
)

// imports: an import that is looked for is found before its stop is recorded, it matches, and it is not replaced by another, unless spec names
// that one.
func (h *History) imports(v *Findings, versions []Version) {
	var frozen *cdbv1.ImportJobStopStatus // that of the version before, if it was found and the operator wrote it
	for _, o := range versions {
		status := &o.Status
		if status.Target == nil || status.Target.Import == (cdbv1.ImportFilter{}) || h.IsByHand(o) {
			frozen = nil
			continue
		}
		id := status.Target.AsyncRequestID
		if frozen != nil && sameFilter(*frozen.Target, *status.Target) && !slices.Contains([]string{frozen.Import.AsyncRequestID, o.Spec.AsyncRequestID}, id) {
			v.fault("%s: %s was frozen, and became %q", o.Name, frozen.Import.AsyncRequestID, id)
		}
		frozen = nil
		if status.Import != nil {
			frozen = status
		}
		if status.LastAttempt == nil {
			continue
		}
		if o.Spec.AsyncRequestID == "" && o.Labels["kustomize.toolkit.fluxcd.io/name"] != "" {
			v.fault("%s: a stop was recorded, although Flux could create the object again and spec names no import", o.Name)
		}
		if !slices.ContainsFunc(h.Imports, func(i cdbsim.Import) bool { return i.ID == id && isOf(i, status.Target.Import) }) {
			v.fault("%s: a stop of %q was recorded, which does not match %+v", o.Name, id, status.Target.Import)
		}
	}
}

// sameFilter: the same was asked for, whatever was found.
func sameFilter(a, b cdbv1.Target) bool {
	a.AsyncRequestID, b.AsyncRequestID = "", ""
	return a == b
}

// isOf: the import, as it really is, matches a filter.
func isOf(is cdbsim.Import, filter cdbv1.ImportFilter) bool {
	return is.InstanceID == filter.InstanceID && (filter.DatabaseName == "" || is.DatabaseName == filter.DatabaseName) &&
		(filter.FileName == "" || is.FileName == filter.FileName)
}

// isPin: the id of the import that was found was written into spec, which is no change of target.
func isPin(was, o Version) bool {
	pinned := o.Spec.Target()
	pinned.AsyncRequestID = was.Spec.AsyncRequestID
	return was.Spec.AsyncRequestID == "" && pinned == was.Spec.Target() && was.Status.Target != nil && o.Spec.AsyncRequestID == was.Status.Target.AsyncRequestID
}
