// SPDX-License-Identifier: Apache-2.0

package quota

import (
	"crypto/rand"
	"encoding/binary"
	"time"
)

// jitter is a random time shorter than limit. It is no secret: of the standard library's sources, crypto/rand is the one that a test can
// seed, by testing/cryptotest.
func jitter(limit time.Duration) time.Duration {
	var random [8]byte
	_, _ = rand.Read(random[:])                                                 // never fails
	return time.Duration(binary.LittleEndian.Uint64(random[:]) % uint64(limit)) //nolint:gosec // limit is positive
}
