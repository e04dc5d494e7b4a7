// SPDX-License-Identifier: Apache-2.0

package credentials

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

const retry = 10 * time.Minute

// A hundred objects use a Secret that the cloud refuses. Every ten minutes one of them tries, and the others wait for its result.
func TestOneObjectTriesARejectedSecretAndTheOthersFollow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := begin(t)
		b.put(creds, "id", "")
		_, f, _ := b.Get(t.Context(), creds)
		scope := Scope{Secret: creds, Region: "ap-guangzhou", Action: "Stop"}
		b.Report(scope, f, true, time.Now(), retry)
		for i := range 100 {
			b.Subscribe(creds, name("shop", fmt.Sprint(i)), Subscription{Seen: f})
		}
		for round := range 5 {
			time.Sleep(retry)
			if tries := b.triesOf(t, scope, f); tries != 1 {
				t.Errorf("round %d: %d objects try, want one", round, tries)
			}
			b.Report(scope, f, true, time.Now(), retry)
		}
		if n := b.wokenOf100(); n != 0 {
			t.Errorf("%d objects were woken although nothing changed", n)
		}
		b.Report(scope, f, false, time.Now().Add(settleRefusal), retry)
		if n := b.wokenOf100(); n != 100 {
			t.Errorf("%d objects were woken by the end of the refusal", n)
		}
	})
}

// triesOf returns how many of a hundred objects may use the credentials now. The others must look again within retry.
func (b *bench) triesOf(t *testing.T, scope Scope, f Fingerprint) (tries int) {
	t.Helper()
	for i := range 100 {
		next, refused := b.Refused(scope, f, name("shop", fmt.Sprint(i)), time.Now(), retry)
		if !refused {
			tries++
		} else if until := time.Until(next); until <= 0 || until > retry {
			t.Errorf("the next try is in %s", until)
		}
	}
	return tries
}

func (b *bench) wokenOf100() (woken int) {
	for i := range 100 {
		if b.wokenBy(name("shop", fmt.Sprint(i))) {
			woken++
		}
	}
	return woken
}

func TestARefusalIsLimitedToItsScopeAndContent(t *testing.T) {
	t.Parallel()
	s, now := New(nil, poll, nil), time.Now()
	scope, f := Scope{Secret: creds, Region: "ap-guangzhou", Action: "Stop"}, Fingerprint{1}
	s.Report(scope, f, true, now, retry)
	for name, test := range map[string]struct {
		scope Scope
		f     Fingerprint
		want  bool
	}{
		"the same":       {scope, f, true},
		"another region": {Scope{Secret: creds, Region: "ap-beijing", Action: "Stop"}, f, false},
		"another action": {Scope{Secret: creds, Region: "ap-guangzhou", Action: "Describe"}, f, false},
		"other content":  {scope, Fingerprint{2}, false},
	} {
		if _, refused := s.Refused(test.scope, test.f, types.NamespacedName{Name: "a"}, now, retry); refused != test.want {
			t.Errorf("%s: refused is %t", name, refused)
		}
	}
}

func TestARefusalFromTheFutureDelaysNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := begin(t)
		scope := Scope{Secret: creds}
		b.Report(scope, Fingerprint{1}, true, time.Now().Add(24*time.Hour), retry)
		if _, refused := b.Refused(scope, Fingerprint{1}, name("shop", "0"), time.Now(), retry); refused {
			t.Error("a refusal by a clock that was ahead counts for a day")
		}
		if _, refused := b.Refused(scope, Fingerprint{1}, name("shop", "1"), time.Now(), retry); !refused {
			t.Error("two objects try at the same time")
		}
	})
}

// A success can be about another import, so it ends only a refusal that is a minute old.
func TestASuccessEndsARefusalOfAMinute(t *testing.T) {
	t.Parallel()
	s, start := New(nil, poll, nil), time.Now()
	scope, f := Scope{Secret: creds}, Fingerprint{1}
	s.Report(scope, f, false, start, retry) // no refusal to end
	s.Report(scope, f, true, start, retry)
	for _, test := range []struct {
		age  time.Duration
		want bool
	}{{0, true}, {settleRefusal - 1, true}, {settleRefusal, false}} {
		at := start.Add(test.age)
		s.Report(scope, f, false, at, retry)
		if _, refused := s.Refused(scope, f, name("shop", "a"), at, retry); refused != test.want {
			t.Errorf("after a success %s later it is refused: %t", test.age, refused)
		}
	}
}

// Refusals that no object tries again are forgotten, by a search at most once a minute: one user's many regions slow down nobody.
func TestRefusalsAreForgotten(t *testing.T) {
	t.Parallel()
	s, start := New(nil, poll, nil), time.Now()
	refuse := func(region string, after time.Duration) {
		s.Report(Scope{Region: region}, Fingerprint{1}, true, start.Add(after), retry)
	}
	due := retry + forgetRefusal
	for _, step := range []struct {
		region string
		after  time.Duration
		want   int // refusals in memory
	}{
		{"first", 0, 1},
		{"second", due - sweepInterval, 2},
		{"third", due, 3}, // searched, and it is not too old yet
		{"fourth", due + 1, 4},
		{"fourth", due + sweepInterval - 1, 4},
		{"fourth", due + sweepInterval, 3},
		{"fifth", due + 2*sweepInterval, 4},
		{"sixth", 2 * due, 4}, // without the second and the third
	} {
		refuse(step.region, step.after)
		if got := len(s.refusals); got != step.want {
			t.Errorf("%d refusals after %s, want %d", got, step.after, step.want)
		}
	}
	refuse("seventh", -due) // the clock was set back
	refuse("seventh", retry)
	if got := len(s.refusals); got != 5 {
		t.Errorf("%d refusals after the clock was set back, want 5", got)
	}
}
