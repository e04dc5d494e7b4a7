// SPDX-License-Identifier: Apache-2.0

package credentials

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

func TestAPollIsDueAtItsTime(t *testing.T) {
	t.Parallel()
	p, start := New(nil, poll, nil).polls, time.Now()
	if secret, wait := p.next(start); secret != (types.NamespacedName{}) || wait != maxInterval {
		t.Errorf("without a Secret: %s, %s", secret, wait)
	}
	p.add(creds, name("shop", "a"), start, start.Add(poll))
	p.add(creds, name("shop", "b"), start, start.Add(2*poll)) // no delay for the first
	p.add(name("mall", "creds"), name("mall", "a"), start, start.Add(3*poll))
	for after, want := range map[time.Duration]time.Duration{0: poll, poll - 1: 1, poll: 0, poll + 1: 0} {
		secret, wait := p.next(start.Add(after))
		if wait != want || wait == 0 && secret != creds {
			t.Errorf("after %s: %s in %s, want a wait of %s", after, secret, wait, want)
		}
	}
}

func TestTheIntervalIsAQuarterOfTheWait(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ interval, waited, want time.Duration }{
		{poll, 0, poll},
		{poll, 4 * poll, poll},
		{poll, 40 * time.Second, 10 * time.Second},
		{poll, 2 * time.Minute, maxInterval},
		{poll, time.Hour, maxInterval},
		{time.Minute, time.Hour, time.Minute},
	} {
		p, start := New(nil, test.interval, nil).polls, time.Now()
		p.add(creds, name("shop", "a"), start, start)
		now := start.Add(test.waited)
		p.polled(creds, now, test.interval)
		if got := p.queue.At(creds).Sub(now); got != test.want {
			t.Errorf("after %s the interval is %s, want %s", test.waited, got, test.want)
		}
	}
}
