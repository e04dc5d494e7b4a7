// SPDX-License-Identifier: Apache-2.0

package harness

import (
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
)

// Ports below those that systems give to whoever asks for any port, as each connection does: nobody takes one by chance between the moment
// it was found free and the moment its process listens on it.
const lowestPort, highestPort = 10_000, 32_000

var given sync.Map // ports of this process

// FreeAddress is an address of this machine that nobody listens on, another one at each call.
func FreeAddress() (address string, err error) {
	for range 1000 {
		port := lowestPort + rand.IntN(highestPort-lowestPort)
		address = fmt.Sprint("127.0.0.1:", port)
		var l net.Listener
		if l, err = net.Listen("tcp", address); err != nil {
			continue
		}
		_ = l.Close()
		if _, known := given.LoadOrStore(port, true); !known {
			return address, nil
		}
		err = fmt.Errorf("%s was given to another", address)
	}
	return "", err
}
