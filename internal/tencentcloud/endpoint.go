// SPDX-License-Identifier: Apache-2.0

package tencentcloud

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
)

const domain = "tencentcloudapi.com"

// Endpoints chooses where a call enters the cloud. The zero value is the vendor's common endpoints over HTTPS.
type Endpoints struct {
	// Regional sends each region's calls to its own endpoint, which has its own quota. It is the same for both sites.
	Regional bool
	// Override is the one endpoint of all calls, for a simulator or a private gateway.
	Override *url.URL
}

// ParseOverride reads an endpoint such as https://gateway.example:8443. Empty is no override.
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

// scheme of the endpoint, in the SDK's upper case.
func (e Endpoints) scheme() string {
	if e.Override != nil {
		return strings.ToUpper(e.Override.Scheme)
	}
	return "HTTPS"
}

// host of the endpoint for a target. Finance regions are isolated and always have their own.
// Only the common endpoint of the international site has "intl" in its name.
func (e Endpoints) host(t importjob.Target) string {
	switch {
	case e.Override != nil:
		return e.Override.Host
	case e.Regional, strings.HasSuffix(t.Region, "-fsi"):
		return "cdb." + t.Region + "." + domain
	case t.Site == importjob.International:
		return "cdb.intl." + domain
	default:
		return "cdb." + domain
	}
}
