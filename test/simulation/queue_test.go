// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/cdbsim"
)

const (
	few   = "few"   // a namespace with few objects of the account that shop uses, too
	fresh = "fresh" // a namespace with an account of its own, which is mostly idle
	early = "early" // a namespace whose objects come before their Secret
	held  = "held"  // a namespace whose objects are suspended at first
)

// sharing are the namespaces that use the same account. Each other one has an account of its own.
var sharing = []string{namespace, few}

// TestQueues plays random crowds of three namespaces, with edits, retries, deletions, renewed tokens and restarts, and asks the oracle about
// order, fairness, promptness and what the status says. -schedules and -seed are those of TestSchedules.
func TestQueues(t *testing.T) {
	t.Parallel()
	var next atomic.Uint64
	var failed atomic.Bool
	for worker := range runtime.GOMAXPROCS(0) {
		t.Run(fmt.Sprint("worker ", worker), func(t *testing.T) {
			t.Parallel()
			for i := next.Add(1) - 1; i < uint64(*schedules+39)/40 && !failed.Load(); i = next.Add(1) - 1 {
				seed := *firstSeed + i
				wrong, story := playQueuesIn(t, seed)
				if len(wrong) > 0 && !failed.Swap(true) {
					found := foundBy(seed)
					again := replays(func() bool {
						replay, _ := playQueuesIn(t, seed)
						return len(replay) > 0
					})
					t.Errorf("%s, and again in %d of 4 replays:\n  %s\n%s", found, again, strings.Join(wrong, "\n  "), story)
				}
			}
		})
	}
}

// playQueuesIn plays a crowd.
func playQueuesIn(t *testing.T, seed uint64) (wrong []string, story string) {
	inBubble(t, seed, func() { wrong, story = playQueues(seed) })
	return wrong, story
}

// playQueues returns what is wrong, and the story of it.
func playQueues(seed uint64) (wrong []string, story string) {
	r, err := newRun(seed, 1, nil)
	if err == nil {
		err = r.openQueues()
	}
	if err != nil {
		return []string{err.Error()}, ""
	}
	r.slowest = 40 * time.Millisecond // what the operator writes keeps it from something else
	for _, replica := range r.replicas {
		go replica.live()
	}
	random := rand.New(rand.NewPCG(seed, 5))
	time.Sleep(3 * time.Second)
	counts := map[string]int{}
	crowd := func(namespace string, n int) {
		for range n {
			if err := r.queued(namespace, counts[namespace]); err != nil {
				wrong = append(wrong, err.Error())
			}
			counts[namespace]++
		}
	}
	crowd(namespace, 80+random.IntN(100))
	crowd(few, 10+random.IntN(30))
	for range 12 {
		time.Sleep(time.Duration(random.Int64N(int64(1500 * time.Millisecond))))
		what, err := r.disturb(random, crowd)
		r.say("» %s", what)
		if err != nil {
			wrong = append(wrong, what+": "+err.Error())
		}
	}
	lost := r.resume()
	wrong = append(append(wrong, lost...), r.end()...)
	history := r.history()
	history.Undisturbed = true
	findings := history.Check()
	wrong = append(wrong, findings.Wrong...)
	return wrong, r.tell(wrong)
}

// openQueues has the Secrets of all namespaces but the one that gets its Secret late.
func (r *run) openQueues() error {
	if err := r.renewBoth(); err != nil {
		return err
	}
	if err := r.give(held); err != nil {
		return err
	}
	return r.give(fresh)
}

// give lets a namespace use an account of its own.
func (r *run) give(namespace string) error {
	a := cdbsim.Account{SecretID: ownAccount + namespace, SecretKey: "simulatedkeyof" + namespace + "0123456789"}
	r.cloud.SetAccount(a)
	if r.secretSince[namespace].IsZero() {
		r.secretSince[namespace] = time.Now()
	}
	return r.putSecret(namespace, namespace, a)
}

// renewBoth renews the token of the account. Both namespaces have a copy, and the old token goes on to be accepted until both are renewed.
func (r *run) renewBoth() error {
	r.mu.Lock()
	n := len(r.secrets)
	a := cdbsim.Account{
		SecretID: fmt.Sprintf("%s%016d", account, n), SecretKey: fmt.Sprintf("simulatedkey%020d%020d", n, r.random.Uint64()),
		Token: fmt.Sprintf("simulatedtoken%020d%020d", n, r.random.Uint64()),
	}
	r.secrets, r.secretID = append(r.secrets, a.SecretKey, a.Token), a.SecretID
	r.mu.Unlock()
	r.cloud.SetAccount(a)
	r.cloud.SetIdentity(a.SecretID, cdbsim.Identity{SubAccount: account})
	for _, name := range sharing {
		if err := r.putSecret(name, "creds", a); err != nil {
			return err
		}
		time.Sleep(300 * time.Millisecond)
	}
	return nil
}

// queued creates an object of a namespace, and the import that it stops.
func (r *run) queued(namespace string, number int) error {
	o := object(fmt.Sprintf("o-%d", number+map[string]int{few: 1000, fresh: 2000, early: 3000, held: 4000}[namespace]))
	o.Namespace = namespace
	if !slices.Contains(sharing, namespace) {
		o.Spec.CredentialsSecretRef.Name = namespace
	}
	o.Spec.Suspend = namespace == held
	r.setImport(cdbsim.Import{ID: importID(o.Name), Status: "RUNNING"})
	return r.create(o)
}

// disturb does one of the things that must cost nobody a turn.
func (r *run) disturb(random *rand.Rand, crowd func(string, int)) (what string, err error) {
	switch random.IntN(11) {
	case 0:
		crowd(namespace, 1)
		crowd(few, 1)
		time.Sleep(3 * time.Second) // the process reads the old token in both Secrets, or 20 calls a second are not promised
		return "tokens are renewed", r.renewBoth()
	case 1:
		process := r.replicas[0].now()
		r.replicas[0].crash(process, "kill -9")
		<-process.ended
		return "kill -9", nil
	case 2, 3:
		crowd(fresh, 1)
		return "an object of the idle account", nil
	case 4:
		crowd(namespace, random.IntN(40))
		return "more objects", nil
	case 5:
		crowd(few, random.IntN(5))
		return "a few more objects", nil
	case 6:
		crowd(namespace, 80)
		crowd(fresh, 1)
		return "a burst, and an object of the idle account", nil
	case 7:
		crowd(early, 60)
		crowd(fresh, 1)
		time.Sleep(5 * time.Second)
		return "a burst before its Secret, and an object of the idle account", r.give(early)
	case 8:
		crowd(held, 60)
		crowd(fresh, 1)
		return "a burst that is suspended, and an object of the idle account", nil
	case 9:
		return r.change(random, func(o *cdbv1.ImportJobStop) error { return r.client.Delete(context.Background(), o) })
	}
	return r.change(random, func(o *cdbv1.ImportJobStop) error {
		o.Annotations = map[string]string{cdbv1.RetryRequestedAtAnnotation: fmt.Sprint(random.Uint32())}
		o.Spec.Suspend = random.IntN(4) == 0
		return r.client.Update(context.Background(), o)
	})
}

// change does something to one of the objects. Somebody may be faster.
func (r *run) change(random *rand.Rand, do func(*cdbv1.ImportJobStop) error) (string, error) {
	o, ok, err := r.pick(random)
	if !ok {
		return "", err
	}
	err = do(o)
	if err != nil {
		return o.Name + ": " + err.Error(), nil
	}
	return o.Name, client.IgnoreNotFound(err)
}
