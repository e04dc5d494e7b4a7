// SPDX-License-Identifier: Apache-2.0

package lifecycle

import (
	"fmt"
	"strings"
	"time"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
)

// SecretWait says why an object goes on only when its Secret changes. The zero value means that it does not wait for its Secret.
type SecretWait struct {
	Missing        bool // the Secret was missing or unusable
	Rejected       bool // the cloud refused the credentials: the object follows the result of whichever object tries them again
	RetryRequested bool // while it waits, a person has asked for the Secret to be read at once
}

// SecretWaitOf returns how the object waits for its Secret.
func SecretWaitOf(object *cdbv1.ImportJobStop) SecretWait {
	if targetChanged(object) || object.Generation != object.Status.ObservedGeneration {
		return SecretWait{}
	}
	missing, rejected := ReadyReason(object) == cdbv1.ReasonCredentialsNotFound, ReadyReason(object) == cdbv1.ReasonCredentialsRejected
	if object.Spec.Suspend {
		waits := ReadyReason(object) == cdbv1.ReasonSuspended && object.Status.WaitingSince != nil && !accepted(object)
		missing, rejected = waits && object.Status.NextAttemptTime == nil, waits && object.Status.NextAttemptTime != nil
	}
	if !missing && !rejected {
		return SecretWait{}
	}
	return SecretWait{Missing: missing, Rejected: rejected, RetryRequested: isRetryRequested(object)}
}

func waitsForSecret(object *cdbv1.ImportJobStop) bool { return SecretWaitOf(object) != SecretWait{} }

// Waits says whether the object waits for its Secret or for its turn.
func Waits(object *cdbv1.ImportJobStop) bool {
	return waitsForSecret(object) || ReadyReason(object) == cdbv1.ReasonWaitingForQuota
}

// stallAfter is how long an object waits for a missing Secret before it asks for help. Helm and Flux give up after five minutes.
const stallAfter = 2 * time.Minute

// WaitForCredentials writes what is wrong with the Secret; an empty text keeps the message. After two minutes the object is stalled. It still
// goes on when the Secret comes.
func WaitForCredentials(now time.Time, text string) Change {
	return func(object *cdbv1.ImportJobStop) {
		begin(object, now)
		if object.Spec.Suspend {
			noteRetry(object)
			tell(object, now, progressing, cdbv1.ReasonCredentialsNotFound, 0, "the status of the import cannot be read: "+text)
			return
		}
		ready := readyOf(&object.Status)
		message := prefixAccepted(object, text)
		if text == "" {
			message = strings.TrimSuffix(ready.Message, remedy(ready.Reason))
		} else {
			noteRetry(object)
		}
		object.Status.NextAttemptTime = nil
		p, since := progressing, object.Status.WaitingSince
		if ready.Reason == cdbv1.ReasonCredentialsNotFound && since != nil && now.Sub(since.Time) >= stallAfter {
			p = stalled
		}
		setPhase(object, p, cdbv1.ReasonCredentialsNotFound, message, now)
	}
}

// FollowRefusal postpones the next try of refused credentials, because another object has just tried the same Secret.
func FollowRefusal(now, next time.Time) Change {
	return func(object *cdbv1.ImportJobStop) {
		object.Status.NextAttemptTime = microTime(next)
		observe(now)(object)
	}
}

// IsSettled says whether the object has ended for its spec as it is now.
func IsSettled(object *cdbv1.ImportJobStop) bool { return isSettled(object) }

// worthTelling is how long a wait in a queue must be to be written into status.
const worthTelling = 5 * time.Second

// WaitForQuota writes since when the object has been in the queue of its budget, and when its turn is expected. It writes a new estimate
// when that turn is overdue. It writes nothing while the wait is short and the status is about this spec. An accepted object never says so.
func WaitForQuota(now, since time.Time, turn time.Duration) Change {
	return func(object *cdbv1.ImportJobStop) {
		if object.Spec.Suspend { // the preview comes when it is its turn
			if waitsForSecret(object) {
				object.Status.WaitingSince, object.Status.NextAttemptTime = nil, microTime(now)
			}
			return
		}
		if accepted(object) && !targetChanged(object) {
			waitToAsk(now)(object)
			return
		}
		if saysItWaits(object) && now.Before(overdueAt(object)) {
			return
		}
		if !isWorthTelling(object, now.Sub(since), turn) {
			return
		}
		begin(object, since)
		noteRetry(object)
		object.Status.NextAttemptTime = microTime(now.Add(turn))
		setPhase(object, progressing, cdbv1.ReasonWaitingForQuota,
			fmt.Sprintf("in the queue for the cloud's quota since %s", since.UTC().Format(time.RFC3339)), now)
		object.Status.WaitingSince = secondTime(since)
	}
}

// TellAt returns when a write of WaitForQuota is due that only tells that the object waits. Such a write may come later, after all work that
// can go on. Zero means that no such write is due: what WaitForQuota writes, if anything, must come at once.
func TellAt(object *cdbv1.ImportJobStop, now, since time.Time, turn time.Duration) time.Time {
	switch {
	case object.Spec.Suspend, speaksOfAnotherSpec(object), accepted(object) && !targetChanged(object):
		return time.Time{}
	case saysItWaits(object):
		return overdueAt(object)
	case object.Spec.ActiveDeadlineSeconds != nil:
		return since.Add(-worthTelling) // before objects without a deadline: a deadline counts from status.startTime
	case isWorthTelling(object, now.Sub(since), turn):
		return now
	}
	return since.Add(worthTelling)
}

// TellOfSecretAt returns when a write of WaitForCredentials is due that only tells that the object waits. Such a write may come later, after all
// work that can go on. Zero means that the write must come at once: the status already tells of a wait, or is about an earlier spec.
func TellOfSecretAt(object *cdbv1.ImportJobStop, now time.Time) time.Time {
	switch {
	case Waits(object), speaksOfAnotherSpec(object):
		return time.Time{}
	case object.Spec.ActiveDeadlineSeconds != nil:
		return now.Add(-worthTelling) // before objects without a deadline: a deadline counts from status.startTime
	}
	return now
}

// saysItWaits: the status says that the object is in the queue, for its spec as it is now.
func saysItWaits(object *cdbv1.ImportJobStop) bool {
	isCurrent := !targetChanged(object) && object.Status.ObservedGeneration == object.Generation
	return isCurrent && ReadyReason(object) == cdbv1.ReasonWaitingForQuota
}

// overdueAt is when the turn that the status expects is so late that it needs another estimate: by 5 s, or an eighth of the wait.
func overdueAt(object *cdbv1.ImportJobStop) time.Time {
	next, since := object.Status.NextAttemptTime, object.Status.WaitingSince
	if next == nil || since == nil {
		return time.Time{}
	}
	return next.Add(max(worthTelling, next.Sub(since.Time)/8))
}

// isWorthTelling: the wait in the queue is long, or status would mislead without it.
func isWorthTelling(object *cdbv1.ImportJobStop, waited, turn time.Duration) bool {
	if speaksOfAnotherSpec(object) || saysItWaits(object) {
		return true
	}
	if waitsForSecret(object) {
		return true // it has the Secret now, and must not wait for it again
	}
	if object.Spec.ActiveDeadlineSeconds != nil {
		return true // the deadline counts from status.startTime
	}
	return waited >= worthTelling || waited+turn > worthTelling
}

// speaksOfAnotherSpec: the status is about what the spec was before.
func speaksOfAnotherSpec(object *cdbv1.ImportJobStop) bool {
	return object.Status.Target != nil && (targetChanged(object) || object.Generation != object.Status.ObservedGeneration)
}

// waitToAsk is WaitForQuota for an accepted object, which is in the queue only to ask how the import is.
func waitToAsk(now time.Time) Change {
	return func(object *cdbv1.ImportJobStop) {
		if ReadyReason(object) == cdbv1.ReasonWaitingForStop {
			observe(now)(object)
			return
		}
		begin(object, now)
		object.Status.NextAttemptTime = nil
		setPhase(object, progressing, cdbv1.ReasonWaitingForStop, prefixAccepted(object, "the import is still ending"), now)
	}
}
