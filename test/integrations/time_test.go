// SPDX-License-Identifier: Apache-2.0

package integrations

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

// forThreeMinutes makes an object as old as that, and its wait as long. The operator takes no wait for older than its object, whose
// creation the API server lets nobody change: so it is written into etcd.
func forThreeMinutes(ctx context.Context, e *harness.Environment, o *cdbv1.ImportJobStop) error {
	key := []byte("/registry/cdb.tencentcloud.com/importjobstops/" + o.Namespace + "/" + o.Name)
	var stored struct {
		Kvs []struct{ Value []byte }
	}
	if err := etcd(ctx, e, "range", map[string]any{"key": key}, &stored); err != nil {
		return err
	}
	if len(stored.Kvs) != 1 {
		return errors.New("etcd does not have the object")
	}
	content := map[string]any{}
	if err := json.Unmarshal(stored.Kvs[0].Value, &content); err != nil {
		return err
	}
	then := time.Now().Add(-3 * time.Minute).UTC().Format(time.RFC3339)
	if err := errors.Join(
		unstructured.SetNestedField(content, then, "metadata", "creationTimestamp"),
		unstructured.SetNestedField(content, then, "status", "waitingSince"),
	); err != nil {
		return err
	}
	value, err := json.Marshal(content)
	if err != nil {
		return err
	}
	return etcd(ctx, e, "put", map[string]any{"key": key, "value": value}, &struct{}{})
}

// etcd asks etcd's gateway, which wants keys and values in base64, as JSON makes of bytes.
func etcd(ctx context.Context, e *harness.Environment, action string, input, output any) error {
	body, err := json.Marshal(input)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, e.EtcdURL()+"/v3/kv/"+action, bytes.NewReader(body))
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("etcd: HTTP %s", response.Status)
	}
	return json.NewDecoder(response.Body).Decode(output)
}
