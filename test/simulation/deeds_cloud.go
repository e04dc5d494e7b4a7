// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/tencentcloud-cdb/importjobstop-operator/internal/cdbsim"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/tencentcloud"
)

// cloudDeeds happen at the cloud, or on the way to it.
var cloudDeeds = []deed{
	{"the cloud goes wrong", 4, func(r *run, random *rand.Rand) (string, error) {
		kinds := []cdbsim.Kind{
			cdbsim.HTTPError, cdbsim.HTML, cdbsim.Empty, cdbsim.Null, cdbsim.NoID, cdbsim.Truncated, cdbsim.Reset, cdbsim.Hang,
			cdbsim.Trickle, cdbsim.AnswerLost, cdbsim.AnswerHeld, cdbsim.Slow, cdbsim.Quoting, cdbsim.QuotingSuccess,
		}
		f := cdbsim.Fault{Kind: kinds[random.IntN(len(kinds))], Times: 1 + random.IntN(3)}
		r.cloud.Play(f)
		return string(f.Kind), nil
	}},
	{"the cloud refuses", 4, func(r *run, random *rand.Rand) (string, error) {
		codes := []string{
			"InternalError.TaskFrameError", "RequestLimitExceeded", "RequestLimitExceeded.UinLimitExceeded", "ResourceUnavailable", "Never.HeardOf",
			"AuthFailure.SignatureExpire", "AuthFailure.SignatureFailure", "CdbError.ImportError", "InternalError",
		}
		f := cdbsim.Fault{Code: codes[random.IntN(len(codes))], Times: 1 + random.IntN(4)}
		r.cloud.Play(f)
		return f.Code, nil
	}},
	{"an import ends", 2, func(r *run, random *rand.Rand) (string, error) {
		status := []string{"SUCCESS", "FAILED", "KILLED", "REMOVED"}[random.IntN(4)]
		o, ok, err := r.pick(random)
		if !ok || o.Spec.AsyncRequestID == "" {
			return "", err
		}
		if r.isOnInstance(o.Spec.AsyncRequestID) {
			r.putOn(o.Spec.AsyncRequestID, status, 0, 0)
		} else {
			r.setImport(cdbsim.Import{ID: o.Spec.AsyncRequestID, Status: status})
		}
		return o.Spec.AsyncRequestID + " " + status, nil
	}},
	{"calls go wrong", 3, func(r *run, random *rand.Rand) (string, error) {
		f := fault{
			effect: []effect{drop, lose, late, slow}[random.IntN(4)], on: []string{"stop", "describe", "cloud"}[random.IntN(3)],
			delay: time.Duration(random.Int64N(int64(20 * time.Second))), times: 1 + random.IntN(4),
		}
		replica := r.any(random)
		replica.now().cloud.play(f)
		return f.String() + " of " + replica.name, nil
	}},
	{"a stranger shares the quota", 2, func(r *run, random *rand.Rand) (string, error) {
		const id = "AKIDstranger0123456789abcdefghijklmn"
		r.cloud.SetAccount(cdbsim.Account{SecretID: id, SecretKey: "strangerskey0123456789"})
		r.cloud.SetIdentity(id, cdbsim.Identity{SubAccount: account})
		stranger := tencentcloud.NewClient(tencentcloud.Endpoints{}).WithTransport(wire{r.cloud})
		creds := importjob.Credentials{SecretID: id, SecretKey: "strangerskey0123456789"}
		count := 20 + random.IntN(60)
		go func() {
			for range count {
				_, _ = stranger.Stop(context.Background(), creds, importjob.Target{Region: region, AsyncRequestID: "none"})
			}
		}()
		return "", nil
	}},
}
