// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"math/rand/v2"
	"net/http"
	"time"
)

// networkDeeds happen between a replica and the API server.
var networkDeeds = []deed{
	{"requests go wrong", 6, func(r *run, random *rand.Rand) (string, error) {
		f := fault{
			effect: []effect{drop, refuse, lose, deny, repeat, late, slow}[random.IntN(7)],
			on:     []string{"any", "attempt", "result", "status", "live read", "Secret", "event", "list", "lease"}[random.IntN(9)],
			code:   []int{http.StatusNotFound, http.StatusConflict, http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway}[random.IntN(5)],
			times:  1 + random.IntN(5),
		}
		if f.effect == late || f.effect == slow {
			f.delay = time.Duration(random.Int64N(int64(12 * time.Second)))
		}
		replica := r.any(random)
		replica.now().api.play(f)
		return f.String() + " of " + replica.name, nil
	}},
	{"an outage", 3, func(r *run, random *rand.Rand) (string, error) {
		f := fault{
			effect: outage, on: []string{"any", "attempt", "result", "Secret", "lease"}[random.IntN(5)], times: 1,
			code:  []int{0, http.StatusNotFound, http.StatusServiceUnavailable}[random.IntN(3)],
			delay: time.Duration(random.Int64N(int64(12 * time.Second))),
		}
		replica := r.any(random)
		replica.now().api.play(f)
		return f.String() + " of " + replica.name, nil
	}},
	{"watch cut", 2, func(r *run, _ *rand.Rand) (string, error) { r.api.CutWatches(); return "", nil }},
	{"watch compacted", 2, func(r *run, _ *rand.Rand) (string, error) { r.api.Compact(); return "", nil }},
	{"watch slow", 3, func(r *run, random *rand.Rand) (string, error) {
		lag := time.Duration(random.Int64N(int64(15 * time.Second)))
		r.api.SetLag(lag)
		return lag.String(), nil
	}},
	{"watch prompt", 2, func(r *run, _ *rand.Rand) (string, error) { r.api.SetLag(0); return "", nil }},
}
