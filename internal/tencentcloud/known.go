// SPDX-License-Identifier: Apache-2.0

package tencentcloud

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
)

// Regions returns the known public regions of TencentDB for MySQL, sorted. The ones that end in -fsi are Finance regions.
// The sources are https://www.tencentcloud.com/document/product/236/15832 (access domains), .../236/8458 (regions and zones)
// and the regions package of the vendor's SDK. The vendor can open others at any time.
func Regions() []string {
	return []string{
		"ap-bangkok", "ap-beijing", "ap-beijing-fsi", "ap-chengdu", "ap-chongqing", "ap-guangzhou", "ap-hongkong", "ap-jakarta",
		"ap-mumbai", "ap-nanjing", "ap-seoul", "ap-shanghai", "ap-shanghai-fsi", "ap-shenzhen-fsi", "ap-singapore", "ap-taipei", "ap-tokyo",
		"eu-frankfurt", "eu-moscow", "na-ashburn", "na-siliconvalley", "na-toronto", "sa-saopaulo",
	}
}

// KnownCodes returns the codes that the vendor lists and those of calls without a readable answer, sorted.
// The cloud can answer others at any time.
func KnownCodes() []string {
	codes := slices.AppendSeq([]string{codeNetwork, codeTimeout, codeCanceled, codePanic, codeTooLong, codeUnreadable}, maps.Keys(classes))
	for status := http.StatusContinue; status < 600; status++ {
		if http.StatusText(status) != "" && status != http.StatusOK {
			codes = append(codes, fmt.Sprintf("%s%d", codeHTTPStatus, status))
		}
	}
	slices.Sort(codes)
	return codes
}
