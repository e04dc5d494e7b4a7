// SPDX-License-Identifier: Apache-2.0

package harness

import (
	"net"
	"testing"
)

// A free address stays free, although other programs connect and listen meanwhile: no two are alike, and none is one that the system gives away.
func TestAFreeAddressStaysFree(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 300 {
		address, err := FreeAddress()
		if err != nil {
			t.Fatal(err)
		}
		other, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		taken := other.Addr().String()
		_ = other.Close()
		if seen[address] || seen[taken] {
			t.Fatalf("%s or %s is taken by two", address, taken)
		}
		seen[address] = true
	}
	for address := range seen {
		l, err := net.Listen("tcp", address)
		if err != nil {
			t.Error(err)
			continue
		}
		_ = l.Close()
	}
}
