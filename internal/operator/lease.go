// SPDX-License-Identifier: Apache-2.0

package operator

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/client-go/tools/record"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/leaderelection"
	"sigs.k8s.io/controller-runtime/pkg/recorder"

	"github.com/tencentcloud-cdb/importjobstop-operator/controllers"
)

// leaseName is the name of the Lease for leader election.
const leaseName = "importjobstop.cdb.tencentcloud.com"

// renewDeadline is controller-runtime's default. A request for the Lease may take half of it.
const renewDeadline = 10 * time.Second

// lease is a lock that releases the Lease only while this process holds it. client-go's lock also empties the Lease of another holder: when a
// leader was stopped, as with its machine, and goes on after another one took over. A third process then leads beside the second one, for
// ten seconds, until the second one notices.
type lease struct {
	resourcelock.Interface
	events    *lateEvents
	renewedAt atomic.Pointer[time.Time] // when the latest request began that took or renewed the Lease
}

var errNotHeld = errors.New("another process holds the Lease")

// newLease returns the lock for the manager that is made next. Tell it that manager.
func (o Options) newLease(config *rest.Config) (*lease, error) {
	late := &lateEvents{}
	lock, err := leaderelection.NewResourceLock(config, late, leaderelection.Options{
		LeaderElection: true, LeaderElectionID: leaseName, LeaderElectionNamespace: o.LeaseNamespace, RenewDeadline: renewDeadline,
	})
	return &lease{Interface: lock, events: late}, err
}

// tell lets the events of leader election go through the manager.
func (l *lease) tell(mgr ctrl.Manager) {
	l.events.EventRecorder = mgr.GetEventRecorderFor(l.Identity()) //nolint:staticcheck // leader election has only these
}

// Update writes the Lease. A record without a holder releases it. If it changes after the Get, the write conflicts.
func (l *lease) Update(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	if record.HolderIdentity == "" {
		current, _, err := l.Get(ctx)
		if err != nil {
			return err
		}
		if current.HolderIdentity != l.Identity() {
			return errNotHeld
		}
	}
	begun := time.Now()
	err := l.Interface.Update(ctx, record)
	l.renewed(record, begun, err)
	return err
}

// Create takes a Lease that nobody has had yet.
func (l *lease) Create(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	begun := time.Now()
	err := l.Interface.Create(ctx, record)
	l.renewed(record, begun, err)
	return err
}

func (l *lease) renewed(record resourcelock.LeaderElectionRecord, begun time.Time, err error) {
	if err == nil && record.HolderIdentity == l.Identity() {
		l.renewedAt.Store(&begun)
	}
}

// holds returns true while nobody else can have taken the Lease. client-go notices up to twelve seconds late that it has lost it, when the
// process was stopped meanwhile.
func (l *lease) holds() bool {
	at := l.renewedAt.Load()
	return at != nil && controllers.AgeOf(*at, time.Now()) < renewDeadline
}

// lateEvents is the recorder of a manager that is made after the lock.
type lateEvents struct{ record.EventRecorder }

// GetEventRecorderFor implements recorder.Provider.
func (e *lateEvents) GetEventRecorderFor(string) record.EventRecorder { return e }

// GetEventRecorder implements recorder.Provider. Leader election does not use it.
func (*lateEvents) GetEventRecorder(string) recorder.EventRecorder { return nil }
