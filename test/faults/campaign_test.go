// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/cdbsim"
)

// TestCampaign plays random schedules. What a schedule does is decided by its seed alone: -schedules=1 -seed=N plays one again.
func TestCampaign(t *testing.T) {
	first := *seed
	if first == 0 {
		first = uint64(time.Now().UnixNano()) % 1_000_000
	}
	for i := range uint64(*schedules) {
		t.Run(fmt.Sprint("seed-", first+i), func(t *testing.T) {
			t.Parallel()
			w := newFixture(t)
			w.Account("creds")
			play(w, rand.New(rand.NewPCG(first+i, 0)))
			w.report("random schedules")
		})
	}
}

// play does some of everything at random, then heals what it broke, and waits for all to end well.
func play(w *fixture, random *rand.Rand) {
	w.Start()
	objects := 4 + random.IntN(12)
	for i := range objects {
		w.Stop(fmt.Sprint("o-", i), func(o *cdbv1.ImportJobStop) {
			if random.IntN(4) == 0 {
				o.Spec.WaitFor = cdbv1.WaitForStopped
			}
		})
		if random.IntN(3) == 0 {
			disturb(w, random, random.IntN(i+1))
		}
	}
	for range 4 + random.IntN(5) {
		disturb(w, random, random.IntN(objects))
		pause(w.Context(), time.Duration(random.IntN(400))*time.Millisecond)
	}
	w.proxy.heal()
	w.Cloud.Heal()
	w.Account("creds")
	for i := range objects {
		w.Update(fmt.Sprint("o-", i), func(o *cdbv1.ImportJobStop) { o.Spec.Suspend = false })
	}
	w.settle(objects, isDone)
}

// disturb does one thing that can go wrong, to the object of a number where it is about one.
func disturb(w *fixture, random *rand.Rand, number int) {
	name := fmt.Sprint("o-", number)
	chance := 0.2 + 0.6*random.Float64()
	deeds := []struct {
		what string
		do   func()
	}{
		{"kill -9", func() { w.Operator.Kill(); w.mark(); w.Start() }},
		{"SIGTERM", func() { _ = w.Operator.Terminate(); w.Start() }},
		{"writes refused", func() {
			codes := []int{http.StatusConflict, http.StatusTooManyRequests, http.StatusInternalServerError}
			w.proxy.refuse(codes[random.IntN(len(codes))], 5, isStatus)
		}},
		{"writes lost", func() { w.proxy.add(loseAnswer, 3, isStatus) }},
		{"requests dropped", func() { w.proxy.play(&rule{what: drop, times: 5, chance: chance, match: isAny}) }},
		{"requests slow", func() { w.proxy.play(&rule{what: slow, times: 5, chance: chance, match: isAny}) }},
		{"delivered twice", func() { w.proxy.play(&rule{what: twice, times: 3, chance: chance, match: isStatus}) }},
		{"watch cut", func() { w.proxy.cutWatches() }},
		{"watch silent", func() { w.proxy.hush(); pause(w.Context(), 300*time.Millisecond); w.proxy.speak() }},
		{"cloud fault", func() {
			kinds := []cdbsim.Kind{cdbsim.HTTPError, cdbsim.HTML, cdbsim.Null, cdbsim.Truncated, cdbsim.Reset, cdbsim.AnswerLost, cdbsim.Slow}
			w.Cloud.Play(cdbsim.Fault{Kind: kinds[random.IntN(len(kinds))], Times: 1 + random.IntN(3)})
		}},
		{"cloud code", func() {
			codes := []string{"InternalError.TaskFrameError", "RequestLimitExceeded", "ResourceUnavailable", "AuthFailure.SignatureExpire", "Never.HeardOf"}
			w.Cloud.Play(cdbsim.Fault{Code: codes[random.IntN(len(codes))], Times: 1 + random.IntN(3)})
		}},
		{"suspended", func() { w.Update(name, func(o *cdbv1.ImportJobStop) { o.Spec.Suspend = !o.Spec.Suspend }) }},
		{"label", func() {
			w.Update(name, func(o *cdbv1.ImportJobStop) { o.Labels = map[string]string{"some": fmt.Sprint(random.Uint32())} })
		}},
		{"another import", func() {
			id := fmt.Sprint("other-", random.Uint32()) // of the same object, or of another one
			w.SetImport(id, cdbsim.Import{})
			if w.tryUpdate(name, func(o *cdbv1.ImportJobStop) { o.Spec.AsyncRequestID = w.ImportID(id) }) {
				w.inject("edit refused", 1) // this object is the record of what was done
				w.Stop(id)
			}
		}},
		{"created again", func() { w.delete(w.Object(name)); w.Create(w.Object(name)) }},
		{"Secret deleted", func() {
			w.delete(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "creds"}})
			pause(w.Context(), 200*time.Millisecond)
			w.Account("creds")
		}},
	}
	deed := deeds[random.IntN(len(deeds))]
	w.inject(deed.what, 1)
	deed.do()
}
