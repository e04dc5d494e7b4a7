// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/cdbsim"
)

// importDeeds are about objects that say what they know of an import, and about what the cloud lists.
var importDeeds = []deed{
	{"an object by its instance", 4, func(r *run, random *rand.Rand) (string, error) {
		o := object(fmt.Sprintf("i-%d", random.IntN(6)))
		if r.isThere(o.Name) {
			return o.Name + " is there", nil
		}
		filter := cdbv1.ImportFilter{InstanceID: instanceOf(random)}
		r.importOn(random, filter.InstanceID)
		if random.IntN(2) == 0 {
			filter.DatabaseName = database(random)
		}
		o.Spec.Import, o.Spec.Suspend = &filter, random.IntN(4) == 0
		if random.IntN(8) == 0 {
			o.Labels = map[string]string{"kustomize.toolkit.fluxcd.io/name": "shop"}
		}
		if id := r.anyOn(random, filter.InstanceID); random.IntN(3) > 0 || id == "" {
			o.Spec.AsyncRequestID = ""
		} else {
			o.Spec.AsyncRequestID = id
		}
		return fmt.Sprintf("%s %q %+v", o.Name, o.Spec.AsyncRequestID, filter), r.create(o)
	}},
	{"an import begins on an instance", 3, func(r *run, random *rand.Rand) (string, error) {
		return r.importOn(random, instanceOf(random)), nil
	}},
	{"an import on an instance ends", 3, func(r *run, random *rand.Rand) (string, error) {
		id := r.anyOn(random, instanceOf(random))
		if id == "" {
			return "", nil
		}
		r.putOn(id, []string{"SUCCESS", "FAILED", "KILLED"}[random.IntN(3)], 0, time.Duration(random.Int64N(int64(20*time.Second))))
		return id, nil
	}},
	{"the list goes wrong", 2, func(r *run, random *rand.Rand) (string, error) {
		f := cdbsim.Fault{Action: "DescribeDBImportRecords", Times: 1 + random.IntN(8)}
		switch kinds := []cdbsim.Kind{cdbsim.Moved, cdbsim.Changed, cdbsim.Hang, cdbsim.Reset, cdbsim.Truncated}; random.IntN(3) {
		case 0:
			f.Code = []string{"InternalError", "RequestLimitExceeded", "UnauthorizedOperation"}[random.IntN(3)]
		default:
			f.Kind = kinds[random.IntN(len(kinds))]
		}
		r.cloud.Play(f)
		return string(f.Kind) + f.Code, nil
	}},
	{"what was found is pinned", 2, func(r *run, random *rand.Rand) (string, error) {
		o, ok, err := r.pick(random)
		if !ok || o.Status.Import == nil || o.Spec.AsyncRequestID != "" {
			return "", err
		}
		o.Spec.AsyncRequestID, o.Spec.Suspend = o.Status.Import.AsyncRequestID, false
		err = r.client.Update(context.Background(), o)
		if apierrors.IsInvalid(err) || apierrors.IsConflict(err) {
			err = nil // somebody was faster
		}
		return o.Name, err
	}},
}

func instanceOf(random *rand.Rand) string { return fmt.Sprintf("cdb-inst%d", random.IntN(4)) }

func database(random *rand.Rand) string { return []string{"shop", "books", ""}[random.IntN(3)] }

// importOn begins an import on an instance. Its record can come late.
func (r *run) importOn(random *rand.Rand, instance string) string {
	r.mu.Lock()
	id := fmt.Sprintf("run-%d", len(r.onInstance))
	r.onInstance[id] = cdbv1.ImportFilter{InstanceID: instance, DatabaseName: database(random), FileName: "dump.sql"}
	r.mu.Unlock()
	listedAfter := time.Duration(0)
	if random.IntN(4) == 0 {
		listedAfter = time.Duration(random.Int64N(int64(8 * time.Second)))
	}
	r.putOn(id, "RUNNING", listedAfter, 0)
	return id + " on " + instance
}

// putOn puts an import on an instance into a state.
func (r *run) putOn(id, status string, listedAfter, recordLag time.Duration) {
	r.mu.Lock()
	is := r.onInstance[id]
	r.imports[id] = true
	r.mu.Unlock()
	r.cloud.SetImport(cdbsim.Import{
		Region: region, ID: id, Status: status, InstanceID: is.InstanceID, DatabaseName: is.DatabaseName, FileName: is.FileName,
		Percent: 37, ListedAfter: listedAfter, RecordLag: recordLag,
	})
}

func (r *run) isOnInstance(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, is := r.onInstance[id]
	return is
}

// anyOn is one of the imports on an instance; empty when there is none.
func (r *run) anyOn(random *rand.Rand, instance string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var ids []string
	for n := range len(r.onInstance) {
		if id := fmt.Sprintf("run-%d", n); r.onInstance[id].InstanceID == instance {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return ""
	}
	return ids[random.IntN(len(ids))]
}
