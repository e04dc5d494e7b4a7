// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"golang.org/x/sync/errgroup"
)

// seed puts finished objects 0..n into etcd, as copies of one that the API server has stored: through the API it takes ten minutes for 100,000.
func (t *tenant) seed(ctx context.Context, account string, n int) error {
	if err := t.create(ctx, account, 0, 1, finish); err != nil {
		return err
	}
	first := t.object(account, 0)
	if err := t.Client.Get(ctx, keyOf(first), first); err != nil {
		return err
	}
	key := func(name string) string {
		return "/registry/cdb.tencentcloud.com/importjobstops/" + t.namespace + "/" + name
	}
	var stored struct {
		Kvs []struct{ Value []byte }
	}
	if err := t.etcd(ctx, "range", map[string][]byte{"key": []byte(key(first.Name))}, &stored); err != nil {
		return err
	}
	if len(stored.Kvs) != 1 {
		return errors.New("etcd does not have the object that was just created")
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(50)
	for i := 1; i < n; i++ {
		group.Go(func() error {
			name := t.object(account, i).Name
			uid := fmt.Sprintf("%s%012x", first.UID[:24], i)
			copied := strings.NewReplacer(string(first.UID), uid, `"`+first.Name+`"`, `"`+name+`"`).Replace(string(stored.Kvs[0].Value))
			return t.etcd(ctx, "put", map[string][]byte{"key": []byte(key(name)), "value": []byte(copied)}, &struct{}{})
		})
	}
	return group.Wait()
}

// etcd asks etcd's gateway, which wants keys and values in base64, as JSON makes of bytes.
func (t *tenant) etcd(ctx context.Context, action string, input, output any) error {
	body, err := json.Marshal(input)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, t.EtcdURL()+"/v3/kv/"+action, bytes.NewReader(body))
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

var etcdClient = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 50}}
