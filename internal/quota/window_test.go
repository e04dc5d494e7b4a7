// SPDX-License-Identifier: Apache-2.0

package quota

import (
	"testing"
	"time"
)

// clock is a window with a time of its own.
type clock struct {
	window
	now time.Time
}

func newClock(limit int) *clock { return &clock{newWindow(limit), time.Unix(1000, 0)} }

// full is a second with a full window of answers.
func (c *clock) full(times int) {
	for range times {
		c.now = c.now.Add(period)
		for range c.size {
			c.answered(c.now)
		}
	}
}

func (c *clock) refuse(times int) {
	for range times {
		c.now = c.now.Add(time.Millisecond)
		c.refused(c.now, c.now)
	}
}

func (c *clock) want(t *testing.T, size int, paused bool) {
	t.Helper()
	if c.size != size || c.now.Before(c.pausedUntil) != paused {
		t.Errorf("the window is %d, paused until %s at %s; want %d, %t", c.size, c.pausedUntil, c.now, size, paused)
	}
}

func TestTheFirstRefusalHalvesTheWindowOnceForAllCallsThatWereOutAndPauses(t *testing.T) {
	t.Parallel()
	c := newClock(20)
	sent := c.now
	c.refuse(1)
	for range 19 {
		c.refused(sent, c.now)
	}
	c.want(t, 10, true)
	c.now = c.now.Add(2 * period)
	c.want(t, 10, false)
}

func TestEachFullWindowWithoutARefusalOpensItByOne(t *testing.T) {
	t.Parallel()
	c := newClock(20)
	c.refuse(1)
	for size := 11; size < 20; size++ {
		c.full(1)
		if c.size != size {
			t.Errorf("the window is %d, want %d", c.size, size)
		}
	}
}

func TestTheWindowStaysBelowTheSizeThatWasRefusedThenTriesItInGrowingSteps(t *testing.T) {
	t.Parallel()
	c := newClock(20)
	c.refuse(1)
	c.full(2)
	c.refuse(1)
	c.want(t, 9, false)
	c.full(2)
	c.want(t, 11, false)
	c.full(6)
	c.want(t, 11, false)
	for _, size := range []int{12, 15, 20} {
		c.full(1)
		c.want(t, size, false)
	}
}

func TestASingleRefusalTakesItBackByTheLastStepAndAThirdOfWhatIsAboveTwo(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ size, step, want int }{{12, 27, 3}, {18, 9, 13}, {12, 3, 9}, {7, 3, 6}, {2, 1, 1}, {1, 1, 1}} {
		c := &clock{window{size: test.size, limit: 20, ceiling: 11, step: test.step}, time.Unix(1000, 0)}
		c.refuse(1)
		c.want(t, test.want, false)
	}
}

// Who is alone with a program that does not adapt finds out soon that it has left; those that try in turns need not each try as often.
func TestAWindowThatIsRefusedForItsOwnTriesTriesSooner(t *testing.T) {
	t.Parallel()
	c := &clock{window{size: 8, limit: 20, ceiling: 8, step: 3}, time.Unix(1000, 0)}
	others, own := hold, shortHold // as long as it is held after the refusal
	for i, want := range []time.Duration{-others, others, own, own, own, own, -own, -own, -others, -others, -others, others, own} {
		c.now = c.now.Add(time.Minute)
		c.size, c.ceiling, c.refusals = 8, 8, 0
		if want < 0 { // another program has tried
			c.ceiling = 9
		}
		c.refuse(1)
		if held := c.heldUntil.Sub(c.now); held < want.Abs() || held > want.Abs()+maxJitter {
			t.Errorf("after refusal %d it is held for %s, want %s", i, held, want.Abs())
		}
	}
}

// Where no size was refused before, the refusal is not for a try of the window.
func TestARefusalWithoutARefusedSizeIsNotForAnOwnTry(t *testing.T) {
	t.Parallel()
	c := newClock(20)
	for i := range 2 * ownTries {
		c.now = c.now.Add(time.Minute)
		c.ceiling = 0
		c.refuse(1)
		if held := c.heldUntil.Sub(c.now); held < 8*time.Second || held > 8500*time.Millisecond {
			t.Errorf("after refusal %d it is held for %s, want 8 to 8.5 s", i, held)
		}
	}
}

func TestMoreThanAQuarterOfAWindowRefusedHalvesItAndPausesAgain(t *testing.T) {
	t.Parallel()
	c := &clock{window{size: 12, limit: 20, ceiling: 13, step: 1}, time.Unix(1000, 0)}
	c.refuse(2)
	c.want(t, 7, false)
	c.refuse(1)
	c.want(t, 3, true)
}

func TestAWindowAtTheLimitWithoutARefusalForgets(t *testing.T) {
	t.Parallel()
	c := newClock(20)
	c.refuse(1)
	c.full(30)
	c.refuse(1)
	c.want(t, 10, true)
}

func TestAWindowIsNeverEmpty(t *testing.T) {
	t.Parallel()
	c := newClock(1)
	c.refuse(10)
	c.want(t, 1, true)
}
