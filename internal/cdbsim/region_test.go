// SPDX-License-Identifier: Apache-2.0

package cdbsim

import "testing"

func TestRegionAndHost(t *testing.T) {
	t.Parallel()
	const finance, unsupported = "ap-shanghai-fsi", "UnsupportedRegion"
	regional := func(region string) string { return "cdb." + region + ".tencentcloudapi.com" }
	for _, test := range []struct {
		host, region  string
		international bool
		want          string
	}{
		{common, region, false, ""},
		{common, region, true, ""},
		{"CDB.TencentCloudAPI.com:443", region, false, ""},
		{"cdb.internal.tencentcloudapi.com", region, false, ""},
		{common, finance, false, unsupported},
		{"cdb.internal.tencentcloudapi.com", finance, false, unsupported},
		{"cdb.intl.tencentcloudapi.com", finance, true, unsupported},
		{regional("ap-shenzhen-fsi"), finance, false, unsupported},
		{regional(region), finance, false, unsupported},
		{regional(finance), finance, false, ""},
		{regional(finance), region, false, unsupported},
		{regional(region), region, false, ""},
		{regional(region), region, true, ""},
		{regional(region), "ap-shanghai", false, unsupported},
		{"cdb.intl.tencentcloudapi.com", "ap-singapore", true, ""},
		{"cdb.intl.tencentcloudapi.com", "ap-singapore", false, "AuthFailure.SecretIdNotFound"},
		{"cvm.tencentcloudapi.com", region, false, unsupported},
		{"127.0.0.1:8085", finance, false, ""},
		{"[::1]:8085", region, false, ""},
		{"gateway.example", finance, false, ""},
		{"nottencentcloudapi.com", finance, false, ""},
		{common, "ap-nowhere", false, unsupported},
		{regional("ap-nowhere"), "ap-nowhere", false, unsupported},
		{"127.0.0.1:8085", "ap-nowhere", false, unsupported},
		{"127.0.0.1:8085", "ap-of-an-import", false, ""},
	} {
		t.Run(test.host+" "+test.region, func(t *testing.T) {
			t.Parallel()
			c := newCaller(t, Import{}).as("AKIDtwo", Identity{International: test.international})
			if test.region != "ap-nowhere" {
				c.cloud.SetImport(Import{Region: test.region, ID: task, Status: "RUNNING"})
			}
			c.host, c.region = test.host, test.region
			c.want(describe, start, test.want)
			c.want(stop, start, test.want)
		})
	}
}
