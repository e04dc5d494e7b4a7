// SPDX-License-Identifier: Apache-2.0

package metrics

import "strings"

const (
	// other counts every region and error code that is not in the vendor's lists, and every budget that is not among the busiest.
	other = "other"
	// otherReason counts every reason that is not in the closed set of Ready. It is spelled as reasons are.
	otherReason = "Other"
	// noReason counts the objects that have no Ready condition yet.
	noReason = "None"
	// clientError is the code of a call that has no readable answer, and the parent of its sub-codes.
	clientError = "ClientError"
	success     = "OK"
)

// Labels are the values that labels may have. Users and the cloud can invent values; what is not listed here is counted as other.
type Labels struct {
	// Regions of the vendor, as in ap-guangzhou.
	Regions []string
	// Codes are the vendor's error codes. A sub-code that is not listed is counted as its closest listed parent.
	Codes []string
	// Reasons of the Ready condition.
	Reasons []string
}

// known is a closed set of label values.
type known map[string]bool

func newKnown(values ...string) known {
	k := make(known, len(values))
	for _, v := range values {
		k[v] = true
	}
	return k
}

// value returns v if it is known, else fallback.
func (k known) value(v, fallback string) string {
	if k[v] {
		return v
	}
	return fallback
}

// code returns the code or its closest known parent, else other.
func (k known) code(code string) string {
	for !k[code] {
		dot := strings.LastIndexByte(code, '.')
		if dot < 0 {
			return other
		}
		code = code[:dot]
	}
	return code
}
