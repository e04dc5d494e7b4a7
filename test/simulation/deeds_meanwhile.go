// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"math/rand/v2"
	"time"
)

// meanwhileDeeds are deeds of people in the middle of what a replica does with an object. Half of the time its cache sees them late.
var meanwhileDeeds = []deed{
	{"meanwhile", 6, func(r *run, random *rand.Rand) (string, error) {
		deed, seed, replica := promptDeeds[random.IntN(len(promptDeeds))], random.Uint64(), r.any(random)
		f := fault{effect: meanwhile, on: []string{"attempt", "result", "stop", "describe", "live read", "Secret"}[random.IntN(6)], times: 1}
		lag := time.Duration(random.Int64N(int64(20*time.Second))) - 10*time.Second
		f.do = func(object string) {
			if lag > 0 {
				r.api.SetLag(lag)
			}
			defer r.focus(object)()
			what, err := deed.do(r, rand.New(rand.NewPCG(seed, 0)))
			if err != nil {
				what = err.Error()
			}
			r.say("» meanwhile, at %s: %s %s", f.on, deed.name, what)
		}
		replica.now().linkOf(f.on).play(f)
		return deed.name + " at " + f.on + " of " + replica.name, nil
	}},
}
