// SPDX-License-Identifier: Apache-2.0

package tencentcloud

import (
	"net/url"
	"testing"

	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
)

func TestEndpoints(t *testing.T) {
	t.Parallel()
	override := &url.URL{Scheme: "http", Host: "127.0.0.1:8080"}
	singapore := importjob.Target{Region: "ap-singapore", Site: importjob.International}
	for _, test := range []struct {
		endpoints Endpoints
		target    importjob.Target
		want      string
	}{
		{Endpoints{}, job, "cdb.tencentcloudapi.com"},
		{Endpoints{}, importjob.Target{Region: "ap-guangzhou"}, "cdb.tencentcloudapi.com"},
		{Endpoints{Regional: true}, job, "cdb.ap-guangzhou.tencentcloudapi.com"},
		{Endpoints{}, singapore, "cdb.intl.tencentcloudapi.com"},
		{Endpoints{Regional: true}, singapore, "cdb.ap-singapore.tencentcloudapi.com"},
		{Endpoints{}, importjob.Target{Region: "ap-shanghai-fsi"}, "cdb.ap-shanghai-fsi.tencentcloudapi.com"},
		{Endpoints{}, importjob.Target{Region: "ap-shenzhen-fsi", Site: importjob.International}, "cdb.ap-shenzhen-fsi.tencentcloudapi.com"},
		{Endpoints{Override: override}, job, "127.0.0.1:8080"},
		{Endpoints{Override: override, Regional: true}, importjob.Target{Region: "ap-shanghai-fsi"}, "127.0.0.1:8080"},
	} {
		if got := NewClient(test.endpoints).Host(test.target); got != test.want {
			t.Errorf("%+v: the host of %+v is %s, want %s", test.endpoints, test.target, got, test.want)
		}
	}
}

func TestScheme(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		endpoints Endpoints
		want      string
	}{
		{Endpoints{}, "HTTPS"},
		{Endpoints{Override: &url.URL{Scheme: "https", Host: "x"}}, "HTTPS"},
		{Endpoints{Override: &url.URL{Scheme: "http", Host: "x"}}, "HTTP"},
	} {
		if got := test.endpoints.scheme(); got != test.want {
			t.Errorf("%+v: the scheme is %s, want %s", test.endpoints, got, test.want)
		}
	}
}

func TestParseOverride(t *testing.T) {
	t.Parallel()
	for _, endpoint := range []string{"https://gateway.example:8443", "http://127.0.0.1:8080", "https://gateway.example/"} {
		if u, err := ParseOverride(endpoint); err != nil || u == nil || u.String() != endpoint {
			t.Errorf("%q is parsed as %v, %v", endpoint, u, err)
		}
	}
	if u, err := ParseOverride(""); err != nil || u != nil {
		t.Errorf("the empty string is parsed as %v, %v", u, err)
	}
	for _, wrong := range []string{
		"gateway", "ftp://x", "//x", "https://", "https://u:p@x", "https://x/path", "https://x?q", "https://x#f", "https://x:port", "https:x",
	} {
		if u, err := ParseOverride(wrong); err == nil {
			t.Errorf("%q is parsed as %v", wrong, u)
		}
	}
}
