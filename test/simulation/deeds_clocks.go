// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"context"
	"math/rand/v2"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
)

// clockDeeds step clocks.
var clockDeeds = []deed{
	{"the API server's clock steps", 1, func(r *run, random *rand.Rand) (string, error) {
		ahead := time.Duration(random.Int64N(int64(48*time.Hour))) - 24*time.Hour
		r.api.SetSkew(ahead)
		return ahead.String(), nil
	}},
	{"a status is about another time", 1, func(r *run, random *rand.Rand) (string, error) { return r.shiftTimes(random) }},
}

// shiftTimes writes a status as an operator would have written it whose clock was wrong.
func (r *run) shiftTimes(random *rand.Rand) (string, error) {
	o, ok, err := r.pick(random)
	if !ok {
		return "", err
	}
	ahead := time.Duration(random.Int64N(int64(20*time.Hour))) - 10*time.Hour
	for _, t := range []*metav1.Time{o.Status.StartTime, o.Status.CompletionTime, o.Status.WaitingSince} {
		if t != nil {
			t.Time = t.Add(ahead)
		}
	}
	if next := o.Status.NextAttemptTime; next != nil {
		next.Time = next.Add(ahead)
	}
	err = r.client.Status().Update(context.Background(), o)
	if apierrors.IsConflict(err) {
		return "", nil
	}
	if err == nil {
		r.wroteByHand(o)
	}
	return o.Name + " " + ahead.String(), err
}

// wroteByHand lets the oracle know that the operator did not write this status.
func (r *run) wroteByHand(o *cdbv1.ImportJobStop) {
	r.mu.Lock()
	r.byHand[o.UID] = append(r.byHand[o.UID], o.Status)
	r.mu.Unlock()
	r.killed("a status of " + o.Name + " was written by hand")
}
