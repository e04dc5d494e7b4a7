// SPDX-License-Identifier: Apache-2.0

package tencentcloud

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
)

const domain = "tencentcloudapi.com"

// Endpoints chooses the host that a call is sent to. The zero value chooses the common endpoint of the target's site, and
// for a finance region its own, over HTTPS.
// Source: https://www.tencentcloud.com/document/product/236/15832 (access domains).
type Endpoints struct {
	// Regional sends the calls for a region to its own endpoint, where the cloud counts a quota of its own. Both sites share these endpoints.
	Regional bool
	// Override is the endpoint for all calls, such as a simulator or a private gateway. Only its scheme and host are used. It is nil
	// if there is none.
	Override *url.URL
}

// ParseOverride parses an endpoint such as https://gateway.example:8443. It returns nil for an empty string, and an error for
// anything but a scheme (http or https) and a host.
func ParseOverride(s string) (*url.URL, error) {
	if s == "" {
		return nil, nil
	}
	u, err := url.Parse(s)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" ||
		u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.Trim(u.Path, "/") != "" {
		return nil, fmt.Errorf("%q is not an endpoint: give scheme and host only, as in https://gateway.example:8443", s)
	}
	return u, nil
}

// scheme returns the scheme of the endpoint in upper case, as the SDK expects it.
func (e Endpoints) scheme() string {
	if e.Override != nil {
		return strings.ToUpper(e.Override.Scheme)
	}
	return "HTTPS"
}

// host returns the host of the endpoint for the target. Finance regions (-fsi) are isolated and can only be reached through their own
// endpoint. Of the international site, only the common endpoint has "intl" in its name.
func (e Endpoints) host(t importjob.Target) string {
	if e.Override != nil {
		return e.Override.Host
	}
	if e.Regional || strings.HasSuffix(t.Region, "-fsi") {
		return "cdb." + t.Region + "." + domain
	}
	if t.Site == importjob.International {
		return "cdb.intl." + domain
	}
	return "cdb." + domain
}
