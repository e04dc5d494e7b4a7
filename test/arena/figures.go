// SPDX-License-Identifier: Apache-2.0

package arena

import (
	"slices"
	"time"
)

// figures are the results of one scenario. Shares are between 0 and 1.
type figures struct {
	used      float64       // of what the quota left to the clients
	refused   float64       // of the clients' calls
	worst     int           // calls of the clients within any second, from the start on
	fairness  float64       // Jain's index over the clients; 1: all got the same
	recovery  time.Duration // until the client that stays has its full rate; negative: never
	displaced float64       // of the other program's calls, that were refused
}

// fullRate is how many calls the server lets in within a second from a client that has recovered: 95 % of the limit.
const fullRate = vendorLimit * 95 / 100

// measure looks at what the server saw of a scenario.
func (s scenario) measure(seen []arrival) (f figures) {
	accepted, refused := make([]float64, s.clients), 0
	var others, turnedAway int
	for _, a := range seen {
		switch {
		case a.at < s.from || a.at >= s.to:
		case a.client == outside && a.refused:
			turnedAway++
		case a.client == outside:
			others++
		case a.refused:
			refused++
		default:
			accepted[a.client]++
		}
	}
	sum, squares := 0.0, 0.0
	for _, n := range accepted {
		sum += n
		squares += n * n
	}
	f.used = sum / (s.perSecond*(s.to-s.from).Seconds() - float64(others))
	f.refused = share(float64(refused), sum)
	f.fairness = sum * sum / (float64(s.clients) * squares)
	f.displaced = share(float64(turnedAway), float64(others))
	f.worst = worstSecond(seen)
	if s.recovery > 0 {
		f.recovery = s.recovered(seen)
	}
	return f
}

// share of a part, beside the others.
func share(part, others float64) float64 {
	if part == 0 {
		return 0
	}
	return part / (part + others)
}

// worstSecond is the most calls of the clients that arrived within any second, refused ones too.
func worstSecond(seen []arrival) (worst int) {
	var second []time.Duration
	for _, a := range seen {
		if a.client == outside {
			continue
		}
		for len(second) > 0 && a.at-second[0] >= time.Second {
			second = second[1:]
		}
		second = append(second, a.at)
		worst = max(worst, len(second))
	}
	return worst
}

// recovered is how long after the end of the trouble the first second begins in which the first client has its full rate.
func (s scenario) recovered(seen []arrival) time.Duration {
	var second []time.Duration
	for _, a := range seen {
		if a.client != 0 || a.refused || a.at < s.to {
			continue
		}
		second = append(second, a.at)
		if len(second) < fullRate {
			continue
		}
		first := second[len(second)-fullRate]
		if a.at-first < time.Second {
			return first - s.to
		}
	}
	return -1
}

// summary is the result of a scenario with several seeds.
type summary struct {
	figures               // means, but for worst
	median  time.Duration // to recover
	slowest time.Duration
	lost    int // of the seeds, without recovery
}

func summarize(all []figures) (s summary) {
	n := float64(len(all))
	var recoveries []time.Duration
	for _, f := range all {
		s.used += f.used / n
		s.refused += f.refused / n
		s.fairness += f.fairness / n
		s.displaced += f.displaced / n
		s.worst = max(s.worst, f.worst)
		if f.recovery < 0 {
			s.lost++
			f.recovery = patience
		}
		recoveries = append(recoveries, f.recovery)
	}
	slices.Sort(recoveries)
	s.median, s.slowest = recoveries[len(recoveries)/2], recoveries[len(recoveries)-1]
	return s
}

// beats says whether one is better than another in one column at least, and worse in none. What a reader cannot see in the tables does
// not count.
func (s summary) beats(other summary) bool {
	better, worse := false, false
	compare := func(difference, visible float64) {
		better, worse = better || difference >= visible, worse || difference <= -visible
	}
	compare(s.used-other.used, 0.001)
	compare(other.refused-s.refused, 0.001)
	compare(float64(other.worst-s.worst), 1)
	compare(s.fairness-other.fairness, 0.001)
	compare(other.displaced-s.displaced, 0.001)
	compare((other.median - s.median).Seconds(), 0.1)
	compare((other.slowest - s.slowest).Seconds(), 0.1)
	return better && !worse
}
