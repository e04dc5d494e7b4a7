// SPDX-License-Identifier: Apache-2.0

package fakeapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/client-go/rest"
)

// request is what the path of a request names.
type request struct {
	kind                         *kind
	namespace, name, subresource string
}

// parse reads a path such as /apis/GROUP/VERSION/namespaces/NAMESPACE/RESOURCE/NAME/status.
func parse(path string) (r request, ok bool) {
	for api, resources := range kinds {
		after, found := strings.CutPrefix(strings.Trim(path, "/"), api+"/")
		if !found {
			continue
		}
		parts := strings.Split(after, "/")
		if parts[0] == "namespaces" && len(parts) > 2 {
			r.namespace, parts = parts[1], parts[2:]
		}
		parts = append(parts, "", "")
		r.kind, r.name, r.subresource = resources[parts[0]], parts[1], parts[2]
		return r, r.kind != nil
	}
	return request{}, false
}

// RoundTrip serves a request, in the goroutine of the caller.
func (s *Server) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	var body []byte
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body)
		_ = r.Body.Close()
	}
	asked, ok := parse(r.URL.Path)
	if !ok {
		return respond(r, http.StatusNotFound, []byte("404 page not found\n")), nil
	}
	if r.Method == http.MethodGet && asked.name == "" && r.URL.Query().Get("watch") != "" {
		return s.watch(r, asked)
	}
	code, result, err := s.serve(r, asked, body)
	if err != nil {
		return failure(r, err), nil
	}
	text, err := json.Marshal(result)
	return respond(r, code, text), err
}

func (s *Server) serve(r *http.Request, asked request, body []byte) (code int, result any, err error) {
	n := name{asked.kind, asked.namespace, asked.name}
	switch r.Method {
	case http.MethodGet:
		if asked.name == "" {
			return http.StatusOK, s.listOf(asked), nil
		}
		result, err = s.get(n)
	case http.MethodDelete:
		options := &metav1.DeleteOptions{}
		if len(body) > 0 {
			if err := json.Unmarshal(body, options); err != nil {
				return 0, nil, apierrors.NewBadRequest(err.Error())
			}
		}
		var gone *unstructured.Unstructured
		if gone, err = s.remove(n, options); err == nil {
			result = &metav1.Status{
				TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: metav1.StatusSuccess,
				Details: &metav1.StatusDetails{Name: asked.name, Group: asked.kind.Group, Kind: asked.kind.plural, UID: gone.GetUID()},
			}
		}
	case http.MethodPost, http.MethodPut:
		object := &unstructured.Unstructured{}
		if err := utiljson.Unmarshal(body, &object.Object); err != nil {
			return 0, nil, apierrors.NewBadRequest(err.Error())
		}
		if r.Method == http.MethodPost {
			result, err = s.create(asked.kind, asked.namespace, object)
			return http.StatusCreated, result, err
		}
		result, err = s.update(n, object, asked.subresource == "status")
	default:
		err = apierrors.NewMethodNotSupported(asked.kind.resource(), r.Method)
	}
	return http.StatusOK, result, err
}

func (s *Server) listOf(asked request) map[string]any {
	items, revision := s.list(asked.kind, asked.namespace)
	all := make([]any, 0, len(items))
	for _, o := range items {
		all = append(all, o.Object)
	}
	return map[string]any{
		"kind": asked.kind.Kind + "List", "apiVersion": asked.kind.GroupVersion().String(),
		"metadata": map[string]any{"resourceVersion": strconv.FormatInt(revision, 10)}, "items": all,
	}
}

// failure is a Status, as every refusal of the API server.
func failure(r *http.Request, err error) *http.Response {
	status := apierrors.NewInternalError(err).Status()
	if known := apierrors.APIStatus(nil); errors.As(err, &known) {
		status = known.Status()
	}
	status.Kind, status.APIVersion = "Status", "v1"
	text, _ := json.Marshal(status)
	return respond(r, int(status.Code), text)
}

func respond(r *http.Request, code int, text []byte) *http.Response {
	return &http.Response{
		StatusCode: code, Status: strconv.Itoa(code) + " " + http.StatusText(code), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(bytes.NewReader(text)), ContentLength: int64(len(text)), Request: r,
	}
}

// ContentConfig is what a client of the server needs in its rest.Config: the server speaks JSON.
func ContentConfig() rest.ContentConfig { return rest.ContentConfig{ContentType: "application/json"} }
