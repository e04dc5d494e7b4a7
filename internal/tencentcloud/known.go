// SPDX-License-Identifier: Apache-2.0

package tencentcloud

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
)

// Regions returns the public regions of TencentDB for MySQL that were known at the time of writing, sorted. The vendor opens more
// from time to time. Finance regions end in -fsi.
// Sources: https://www.tencentcloud.com/document/product/236/15832 (access domains), .../236/8458 (regions and zones),
// and the regions package of the vendor's SDK.
func Regions() []string {
	return []string{
		"ap-bangkok", "ap-beijing", "ap-beijing-fsi", "ap-chengdu", "ap-chongqing", "ap-guangzhou", "ap-hongkong", "ap-jakarta",
		"ap-mumbai", "ap-nanjing", "ap-seoul", "ap-shanghai", "ap-shanghai-fsi", "ap-shenzhen-fsi", "ap-singapore", "ap-taipei", "ap-tokyo",
		"eu-frankfurt", "eu-moscow", "na-ashburn", "na-siliconvalley", "na-toronto", "sa-saopaulo",
	}
}

// KnownCodes returns, sorted, the error codes that the vendor lists and those of calls without a readable answer, which begin with
// ClientError. A call can fail with another code, because the vendor does not list all codes.
func KnownCodes() []string {
	codes := slices.AppendSeq([]string{codeNetwork, codeTimeout, codeCanceled, codePanic, codeTooLong, codeUnreadable}, maps.Keys(classes))
	for status := range 600 {
		if http.StatusText(status) != "" && status != http.StatusOK {
			codes = append(codes, fmt.Sprintf("%s%d", codeHTTPStatus, status))
		}
	}
	slices.Sort(codes)
	return codes
}
