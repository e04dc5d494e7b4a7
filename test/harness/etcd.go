// SPDX-License-Identifier: Apache-2.0

package harness

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
)

// Stored returns an object as etcd has it.
func (t *Tenant) Stored(ctx context.Context, name string) ([]byte, error) {
	var found struct {
		Kvs []struct{ Value []byte }
	}
	if err := t.etcd(ctx, "range", map[string][]byte{"key": t.etcdKey(name)}, &found); err != nil {
		return nil, err
	}
	if len(found.Kvs) != 1 {
		return nil, fmt.Errorf("etcd has %d objects %s", len(found.Kvs), name)
	}
	return found.Kvs[0].Value, nil
}

// Store writes an object into etcd: faster than the API server does, and also what it lets nobody write.
func (t *Tenant) Store(ctx context.Context, name string, content []byte) error {
	return t.etcd(ctx, "put", map[string][]byte{"key": t.etcdKey(name), "value": content}, &struct{}{})
}

func (t *Tenant) etcdKey(name string) []byte {
	return []byte("/registry/cdb.tencentcloud.com/importjobstops/" + t.Namespace + "/" + name)
}

var etcdClient = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 50}}

// etcd asks etcd's gateway, which wants keys and values in base64, as JSON makes of bytes.
func (t *Tenant) etcd(ctx context.Context, action string, input, output any) error {
	body, err := json.Marshal(input)
	if err != nil {
		return err
	}
	url := t.plane.ControlPlane.Etcd.URL.String() + "/v3/kv/" + action
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	response, err := etcdClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("etcd: HTTP %s", response.Status)
	}
	return json.NewDecoder(response.Body).Decode(output)
}
