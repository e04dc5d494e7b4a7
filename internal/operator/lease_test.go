// SPDX-License-Identifier: Apache-2.0

package operator

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// stored is a Lease in memory, as one process sees it.
type stored struct {
	resourcelock.Interface
	identity string
	record   resourcelock.LeaderElectionRecord
	takes    time.Duration // each write
}

func (s *stored) Identity() string { return s.identity }

func (s *stored) Get(context.Context) (*resourcelock.LeaderElectionRecord, []byte, error) {
	return &s.record, nil, nil
}

func (s *stored) Update(_ context.Context, record resourcelock.LeaderElectionRecord) error {
	time.Sleep(s.takes)
	s.record = record
	return nil
}

func (s *stored) Create(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	return s.Update(ctx, record)
}

// A leader that was stopped until another one took over must leave that one's Lease alone.
func TestOnlyTheHolderReleasesTheLease(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		holder, update, want string
		err                  error
	}{
		"its own":                {"a", "", "", nil},
		"that of another":        {"b", "", "b", errNotHeld},
		"renewed":                {"a", "a", "a", nil},
		"taken over when it ran": {"b", "a", "a", nil}, // client-go has looked at the time
	} {
		s := &stored{identity: "a", record: resourcelock.LeaderElectionRecord{HolderIdentity: test.holder}}
		err := (&lease{Interface: s}).Update(t.Context(), resourcelock.LeaderElectionRecord{HolderIdentity: test.update})
		if !errors.Is(err, test.err) || s.record.HolderIdentity != test.want {
			t.Errorf("%s: %v, held by %q, want %v and %q", name, err, s.record.HolderIdentity, test.err, test.want)
		}
	}
}

// A process that was stopped longer than its lease must not act as the leader, although client-go has not noticed yet.
func TestALeaseIsHeldForAsLongAsNobodyElseCanTakeIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := &lease{Interface: &stored{identity: "a", takes: 3 * time.Second}}
		want := func(when string, holds bool) {
			t.Helper()
			if l.holds() != holds {
				t.Errorf("%s: it is held: %t", when, !holds)
			}
		}
		want("at first", false)
		_ = l.Create(t.Context(), resourcelock.LeaderElectionRecord{HolderIdentity: "a"})
		want("taken", true)
		time.Sleep(renewDeadline - 4*time.Second)
		want("a second before the end", true)
		_ = l.Update(t.Context(), resourcelock.LeaderElectionRecord{HolderIdentity: "a"})
		want("renewed", true)
		time.Sleep(renewDeadline - 3*time.Second)
		want("not renewed for long, since the request began", false)
	})
}
