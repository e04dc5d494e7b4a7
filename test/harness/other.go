// SPDX-License-Identifier: Apache-2.0

package harness

import (
	"context"
	"time"

	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/tencentcloud"
)

// StopAs returns a function that calls StopDBImportJob as another program does, with the credentials of a Secret.
func (t *Tenant) StopAs(secret string) (func(ctx context.Context, importID string) (requestID string, err error), error) {
	endpoint, err := tencentcloud.ParseOverride(t.CloudURL)
	if err != nil {
		return nil, err
	}
	a, cloud := t.AccountOf(secret), tencentcloud.NewClient(tencentcloud.Endpoints{Override: endpoint})
	return func(ctx context.Context, importID string) (string, error) {
		target := importjob.Target{Region: Region, AsyncRequestID: importID, Site: importjob.China}
		return cloud.Stop(ctx, importjob.Credentials{SecretID: a.SecretID, SecretKey: a.SecretKey}, target)
	}, nil
}

// OtherProgram calls ten times a second with the credentials of a Secret, for the import "other-program", and retries nothing.
func (t *Tenant) OtherProgram(ctx context.Context, secret string, d time.Duration) error {
	stop, err := t.StopAs(secret)
	if err != nil {
		return err
	}
	for begin := time.Now(); time.Since(begin) < d; {
		go func() { _, _ = stop(ctx, t.ImportID("other-program")) }()
		if err := Pause(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}
