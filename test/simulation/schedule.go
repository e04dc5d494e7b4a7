// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/test/oracle"
)

// deed is something that happens in a run. It returns what it did, in words.
type deed struct {
	name   string
	weight int // how often it is drawn, against the others
	do     func(*run, *rand.Rand) (string, error)
}

// deeds are all that can happen. A new kind is a file with a list like these, and its name here.
var deeds = slices.Concat(objectDeeds, processDeeds, networkDeeds, cloudDeeds, peopleDeeds, meanwhileDeeds, clockDeeds, importDeeds)

// schedule is what happens in a run. A step draws from its own seed, so that a schedule without it does the rest alike.
type schedule struct {
	seed     uint64
	replicas int
	steps    []step
}

type step struct {
	deed  deed
	pause time.Duration // before it
	seed  uint64
}

// plan draws the schedule of a seed.
func plan(seed uint64, replicas int) schedule {
	random := rand.New(rand.NewPCG(seed, 0))
	s := schedule{seed: seed, replicas: replicas}
	total := 0
	for _, d := range deeds {
		total += d.weight
	}
	for range 8 + random.IntN(24) {
		n := random.IntN(total)
		i := slices.IndexFunc(deeds, func(d deed) bool { n -= d.weight; return n < 0 })
		pause := time.Duration(random.Int64N(int64(400 * time.Millisecond)))
		if random.IntN(8) == 0 {
			pause *= 100 // a retry, a lease or a poll of a Secret comes between
		}
		s.steps = append(s.steps, step{deeds[i], pause, random.Uint64()})
	}
	return s
}

func (s schedule) String() string {
	names := make([]string, 0, len(s.steps))
	for _, step := range s.steps {
		names = append(names, step.deed.name)
	}
	return fmt.Sprintf("%d replicas: %s", s.replicas, strings.Join(names, ", "))
}

// playback is what came of a run.
type playback struct {
	oracle.Findings
	story string
	deeds map[string]int
}

// play runs the schedule, in a bubble of testing/synctest: it does all, heals what it broke, waits for every object to end, and asks the
// oracle. Record is that of newRun.
func (s schedule) play(record func(http.RoundTripper) http.RoundTripper) (p playback) {
	r, err := newRun(s.seed, s.replicas, record)
	if err == nil {
		err = r.secret()
	}
	if err != nil {
		p.Wrong = append(p.Wrong, err.Error())
		return p
	}
	for _, replica := range r.replicas {
		go replica.live()
	}
	time.Sleep(100 * time.Millisecond)
	for _, step := range s.steps {
		time.Sleep(step.pause)
		what, err := step.deed.do(r, rand.New(rand.NewPCG(step.seed, 0)))
		if err != nil {
			p.Wrong = append(p.Wrong, step.deed.name+": "+err.Error())
		}
		r.say("» %s %s", step.deed.name, what)
		r.done[step.deed.name]++
	}
	lost := r.settle()
	lost = append(lost, r.end()...)
	p.Findings = r.history().Check()
	p.Wrong = append(p.Wrong, lost...)
	p.deeds, p.story = r.done, r.tell(p.Wrong)
	return p
}

// patience is how long an object may take to its end once everything is healed: longer than every backoff and every poll.
const patience = 30 * time.Minute

// settle heals what was broken, and returns what has not ended then.
func (r *run) settle() (lost []string) {
	for _, replica := range r.replicas {
		process := replica.now()
		process.api.heal()
		process.cloud.heal()
	}
	r.cloud.Heal()
	r.api.SetLag(0)
	r.api.SetSkew(0)
	r.say("» everything is healed")
	if err := r.secret(); err != nil {
		return []string{err.Error()}
	}
	return r.resume()
}

// resume lets go on what is suspended, and waits until each object has ended. It returns what has not.
func (r *run) resume() (lost []string) {
	for waited, pause := time.Duration(0), 20*time.Second; waited < patience; pause += pause / 4 {
		if err := r.resumeAll(); err != nil { // again: the last deed can come in the middle of a request
			return []string{err.Error()}
		}
		time.Sleep(pause)
		waited += pause
		if lost = r.unfinished(); len(lost) == 0 {
			return nil
		}
	}
	return lost
}

// resumeAll lets go on what is suspended.
func (r *run) resumeAll() error {
	objects, err := r.objects()
	for i := range objects {
		if !objects[i].Spec.Suspend {
			continue
		}
		if err := r.update(client.ObjectKeyFromObject(&objects[i]), func(o *cdbv1.ImportJobStop) { o.Spec.Suspend = false }); err != nil {
			return err
		}
	}
	return err
}

// unfinished are the objects that have not ended for their newest spec.
func (r *run) unfinished() (lost []string) {
	objects, err := r.objects()
	if err != nil {
		return []string{err.Error()}
	}
	for i := range objects {
		o := &objects[i]
		ready := meta.FindStatusCondition(o.Status.Conditions, cdbv1.ConditionReady)
		if mark := o.Annotations[cdbv1.RetryRequestedAtAnnotation]; mark != o.Status.LastHandledRetryAt && mark != "" {
			lost = append(lost, fmt.Sprintf("lost: the retry that was requested: %s", inWords(oracle.Version{ImportJobStop: o})))
			continue
		}
		if ready == nil || ready.ObservedGeneration != o.Generation || o.Status.CompletionTime == nil || !slices.Contains(r.ends(o), ready.Reason) {
			lost = append(lost, fmt.Sprintf("lost: %s", inWords(oracle.Version{ImportJobStop: o})))
		}
	}
	return lost
}

// ends are the reasons with which an object may end.
func (r *run) ends(o *cdbv1.ImportJobStop) []string {
	reasons := []string{cdbv1.ReasonStopAccepted, cdbv1.ReasonAlreadyStopped, cdbv1.ReasonImportStopped, cdbv1.ReasonImportAlreadyFinished}
	if o.Spec.ActiveDeadlineSeconds != nil {
		reasons = append(reasons, cdbv1.ReasonDeadlineExceeded)
	}
	if o.Spec.Import != nil {
		reasons = append(reasons, cdbv1.ReasonImportNotFound, cdbv1.ReasonImportAmbiguous, cdbv1.ReasonImportMismatch, cdbv1.ReasonImportNotPinned)
	}
	if !r.imports[o.Spec.AsyncRequestID] {
		reasons = append(reasons, cdbv1.ReasonImportNotFound, cdbv1.ReasonImportError)
	}
	return reasons
}

// end stops every replica, as SIGTERM does, and leaves nothing behind.
func (r *run) end() (wrong []string) {
	r.mu.Lock()
	r.ending = true
	r.mu.Unlock()
	for _, replica := range r.replicas {
		replica.now().stop()
		select {
		case <-replica.ended:
		case <-time.After(time.Minute):
			wrong = append(wrong, replica.name+" did not end within a minute")
		}
	}
	time.Sleep(time.Minute)
	return wrong
}
