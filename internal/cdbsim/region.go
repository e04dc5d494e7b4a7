// SPDX-License-Identifier: Apache-2.0

package cdbsim

import (
	"net"
	"strings"
)

// domain of the vendor's hosts. Any other host is a gateway or a test's, and serves every region.
const domain = "tencentcloudapi.com"

// vendorRegions are those of the vendor's SDKs and documents.
func vendorRegions() map[string]bool {
	known := map[string]bool{}
	for _, region := range []string{
		"ap-bangkok", "ap-beijing", "ap-beijing-fsi", "ap-chengdu", "ap-chongqing", "ap-guangzhou", "ap-guangzhou-open", "ap-hongkong",
		"ap-jakarta", "ap-mumbai", "ap-nanjing", "ap-seoul", "ap-shanghai", "ap-shanghai-fsi", "ap-shenzhen-fsi", "ap-singapore", "ap-tokyo",
		"eu-frankfurt", "eu-moscow", "na-ashburn", "na-siliconvalley", "na-toronto", "sa-saopaulo",
	} {
		known[region] = true
	}
	return known
}

// misdirected returns the code that refuses a region which is not known, or not served by the host that was called.
func (s *Server) misdirected(host, region string, international bool) string {
	if !s.regions[region] {
		return "UnsupportedRegion"
	}
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	name, vendors := strings.CutSuffix(strings.ToLower(host), "."+domain)
	switch {
	case !vendors, name == "cdb."+region:
		return ""
	case strings.HasSuffix(region, "-fsi"):
		return "UnsupportedRegion"
	case name == "cdb", name == "cdb.internal", name == "cdb.intl" && international:
		return ""
	case name == "cdb.intl": // the international site does not know the accounts of the China site
		return "AuthFailure.SecretIdNotFound"
	default:
		return "UnsupportedRegion"
	}
}
