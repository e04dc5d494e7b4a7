// SPDX-License-Identifier: Apache-2.0

package metrics

import "sync"

const (
	maxValues = 100
	other     = "other"
)

// labels keeps what users and the cloud can invent from growing without end: after the first hundred, every new value is "other".
type labels struct {
	mu   sync.Mutex
	seen map[string]bool
}

func (l *labels) bound(value string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.seen == nil {
		l.seen = map[string]bool{}
	}
	if !l.seen[value] && len(l.seen) >= maxValues {
		return other
	}
	l.seen[value] = true
	return value
}
