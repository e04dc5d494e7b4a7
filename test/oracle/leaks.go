// SPDX-License-Identifier: Apache-2.0

package oracle

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// leaks: nothing of a key, a token or a signature is in any version of any object, in an event or in a log.
func (h *History) leaks(v *Findings) {
	s := &search{needles: needlesOf(h.Secrets), seen: map[string]bool{}}
	for _, versions := range h.Versions {
		for _, o := range versions {
			s.inJSON(v, o.Name+" at "+o.ResourceVersion, o.ImportJobStop)
		}
	}
	for i := range h.Events {
		s.inJSON(v, "the event "+h.Events[i].Name, &h.Events[i])
	}
	for i, log := range h.Logs {
		where := fmt.Sprintf("the log of process %d", i+1)
		for row := range strings.Lines(log) {
			s.in(v, where, row)
			EachText([]byte(row), func(text string) { s.in(v, where, text) })
		}
	}
}

// search looks for needles. What was looked at once is not looked at again: most versions of an object differ in little.
type search struct {
	needles []string
	seen    map[string]bool
}

var signature = regexp.MustCompile("[0-9A-Fa-f]{64}")

func (s *search) in(v *Findings, where, text string) {
	if s.seen[text] {
		return
	}
	s.seen[text] = true
	for _, needle := range s.needles {
		if at := strings.Index(text, needle); at >= 0 {
			v.fault("%s has a part of a key or token: %.200s", where, text[max(0, at-60):])
			return
		}
	}
	if at := signature.FindStringIndex(text); at != nil {
		v.fault("%s has a signature: %.200s", where, text[max(0, at[0]-60):])
	}
}

// inJSON looks at an object as it is stored, and at each of its texts as it was before it was stored.
func (s *search) inJSON(v *Findings, where string, object any) {
	text, err := json.Marshal(object)
	if err != nil {
		v.fault("%s cannot be read: %v", where, err)
		return
	}
	EachText(text, func(text string) { s.in(v, where, text) })
}

// needlesOf are the beginnings and the ends of secrets, in all forms: a text that was cut has one of them.
func needlesOf(secrets []string) (needles []string) {
	const shortest, longest = 16, 24 // what is shorter can be somewhere by chance
	known := map[string]bool{}
	for _, secret := range secrets {
		secret = strings.TrimSpace(secret)
		n := min(len(secret)/2, longest)
		if n < shortest {
			continue
		}
		for _, part := range []string{secret[:n], secret[len(secret)-n:]} {
			for _, form := range Forms(part) {
				if !known[form] {
					known[form] = true
					needles = append(needles, form)
				}
			}
		}
	}
	return needles
}
