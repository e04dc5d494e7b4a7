// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"time"
)

// A screen shows what a terminal does, however the bytes are cut.
func TestScreen(t *testing.T) {
	t.Parallel()
	const printed = "a ⠋\r\x1b[K\x1b[32mgreen\x1b[0m & <b>\r\n12345678901\r\nend"
	for size := 1; size < 8; size++ {
		s := newScreen(10)
		for remaining := []byte(printed); len(remaining) > 0; {
			n := min(size, len(remaining))
			s.write(remaining[:n], time.Second)
			remaining = remaining[n:]
		}
		if got, want := s.text(), "green & \n<b>\n1234567890\n1\nend\n"; got != want {
			t.Errorf("by %d: %q, want %q", size, got, want)
		}
		picture := s.svg()
		if !strings.Contains(picture, `<tspan fill="#7ee787">green</tspan> &amp; </text>`) {
			t.Errorf("by %d: %s", size, picture)
		}
		decoder := xml.NewDecoder(strings.NewReader(picture))
		for {
			if _, err := decoder.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
		}
	}
}
