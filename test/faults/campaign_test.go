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
	t.Parallel()
	first := *seed
	if first == 0 {
		first = uint64(time.Now().UnixNano()) % 1_000_000
	}
	for i := range uint64(*schedules) {
		t.Run(fmt.Sprint("seed-", first+i), func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			f.Account("creds")
			play(f, rand.New(rand.NewPCG(first+i, 0)))
			f.report("random schedules")
		})
	}
}

// play does some of everything at random, then heals what it broke, and waits for all to end well.
func play(f *fixture, random *rand.Rand) {
	f.Start()
	objects := 4 + random.IntN(12)
	for i := range objects {
		f.StopImport(fmt.Sprint("o-", i), func(o *cdbv1.ImportJobStop) {
			if random.IntN(4) == 0 {
				o.Spec.WaitFor = cdbv1.WaitForStopped
			}
		})
		if random.IntN(3) == 0 {
			disturb(f, random, random.IntN(i+1))
		}
	}
	for range 4 + random.IntN(5) {
		disturb(f, random, random.IntN(objects))
		pause(f.Context(), time.Duration(random.IntN(400))*time.Millisecond)
	}
	f.proxy.heal()
	f.Cloud.Heal()
	f.Account("creds")
	for i := range objects {
		f.Update(fmt.Sprint("o-", i), func(o *cdbv1.ImportJobStop) { o.Spec.Suspend = false })
	}
	f.settle(objects, isDone)
}

// disturb does one thing that can go wrong, to the object of a number where it is about one.
func disturb(f *fixture, random *rand.Rand, number int) {
	name := fmt.Sprint("o-", number)
	chance := 0.2 + 0.6*random.Float64()
	deeds := []struct {
		what string
		do   func()
	}{
		{"kill -9", func() { f.Operator.Kill(); f.mark(); f.Start() }},
		{"SIGTERM", func() { _ = f.Operator.Terminate(); f.Start() }},
		{"writes refused", func() {
			codes := []int{http.StatusConflict, http.StatusTooManyRequests, http.StatusInternalServerError}
			f.proxy.refuse(codes[random.IntN(len(codes))], 5, isStatus)
		}},
		{"writes lost", func() { f.proxy.add(loseAnswer, 3, isStatus) }},
		{"requests dropped", func() { f.proxy.play(&rule{what: drop, times: 5, chance: chance, match: isAny}) }},
		{"requests slow", func() { f.proxy.play(&rule{what: slow, times: 5, chance: chance, match: isAny}) }},
		{"delivered twice", func() { f.proxy.play(&rule{what: twice, times: 3, chance: chance, match: isStatus}) }},
		{"watch cut", func() { f.proxy.cutWatches() }},
		{"watch silent", func() { f.proxy.hush(); pause(f.Context(), 300*time.Millisecond); f.proxy.speak() }},
		{"cloud fault", func() {
			kinds := []cdbsim.Kind{cdbsim.HTTPError, cdbsim.HTML, cdbsim.Null, cdbsim.Truncated, cdbsim.Reset, cdbsim.AnswerLost, cdbsim.Slow}
			f.Cloud.Play(cdbsim.Fault{Kind: kinds[random.IntN(len(kinds))], Times: 1 + random.IntN(3)})
		}},
		{"cloud code", func() {
			codes := []string{"InternalError.TaskFrameError", "RequestLimitExceeded", "ResourceUnavailable", "AuthFailure.SignatureExpire", "Never.HeardOf"}
			f.Cloud.Play(cdbsim.Fault{Code: codes[random.IntN(len(codes))], Times: 1 + random.IntN(3)})
		}},
		{"suspended", func() { f.Update(name, func(o *cdbv1.ImportJobStop) { o.Spec.Suspend = !o.Spec.Suspend }) }},
		{"label", func() {
			f.Update(name, func(o *cdbv1.ImportJobStop) { o.Labels = map[string]string{"some": fmt.Sprint(random.Uint32())} })
		}},
		{"another import", func() {
			id := fmt.Sprint("other-", random.Uint32()) // of the same object, or of another one
			f.SetImport(id, cdbsim.Import{})
			if f.tryUpdate(name, func(o *cdbv1.ImportJobStop) { o.Spec.AsyncRequestID = f.ImportID(id) }) {
				f.inject("edit refused", 1) // this object is the record of what was done
				f.StopImport(id)
			}
		}},
		{"created again", func() { f.delete(f.Object(name)); f.Create(f.Object(name)) }},
		{"Secret deleted", func() {
			f.delete(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "creds"}})
			pause(f.Context(), 200*time.Millisecond)
			f.Account("creds")
		}},
	}
	deed := deeds[random.IntN(len(deeds))]
	f.inject(deed.what, 1)
	deed.do()
}
