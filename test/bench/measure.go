// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"k8s.io/client-go/kubernetes"

	"github.com/tencentcloud-cdb/importjobstop-operator/internal/cdbsim"
)

// proc is what a process has used so far; zero where there is no /proc.
type proc struct {
	rss int // MiB
	cpu time.Duration
}

func measure(pid int) (p proc) {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	for row := range strings.Lines(string(status)) {
		if fields := strings.Fields(row); len(fields) > 1 && fields[0] == "VmRSS:" {
			kib, _ := strconv.Atoi(fields[1])
			p.rss = kib / 1024
		}
	}
	stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if _, after, ok := strings.Cut(string(stat), ") "); ok {
		fields := strings.Fields(after)
		user, _ := strconv.Atoi(fields[11])
		system, _ := strconv.Atoi(fields[12])
		p.cpu = time.Duration(user+system) * 10 * time.Millisecond
	}
	return p
}

// writes are what the API server has seen so far, from its own metrics.
type writes struct{ status, events int }

var requests = regexp.MustCompile(`^apiserver_request_total\{.*resource="(importjobstops|events)".*subresource="([a-z]*)".*verb="(PUT|POST|PATCH)".*\} ([0-9.e+]+)`)

func (b *bench) writes(ctx context.Context) (w writes, err error) {
	clients, err := kubernetes.NewForConfig(b.Config)
	if err != nil {
		return w, err
	}
	text, err := clients.RESTClient().Get().AbsPath("/metrics").DoRaw(ctx)
	if err != nil {
		return w, err
	}
	lines := bufio.NewScanner(strings.NewReader(string(text)))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		m := requests.FindStringSubmatch(lines.Text())
		if m == nil {
			continue
		}
		n, _ := strconv.ParseFloat(m[4], 64)
		switch {
		case m[1] == "importjobstops" && m[2] == "status":
			w.status += int(n)
		case m[1] == "events":
			w.events += int(n)
		}
	}
	return w, lines.Err()
}

// writesDuring are what the API server sees while something is done.
func (b *bench) writesDuring(ctx context.Context, do func() error) (w writes, err error) {
	before, err := b.writes(ctx)
	if err != nil {
		return w, err
	}
	if err := do(); err != nil {
		return w, err
	}
	after, err := b.writes(ctx)
	return writes{after.status - before.status, after.events - before.events}, err
}

// per object, of n.
func (w writes) per(n float64) (status, events float64) {
	return float64(w.status) / n, float64(w.events) / n
}

// load is what the cloud saw of some calls.
type load struct {
	accepted, refused, repeated, worst int
	first, last                        time.Time
}

func (l load) requests() int { return l.accepted + l.refused }

func (l load) rate() float64 { return float64(l.accepted) / l.last.Sub(l.first).Seconds() }

// loadOf looks at the stops among the calls; worst is the most that arrived in any second.
func loadOf(requests []cdbsim.Call) (l load) {
	var arrivals []time.Time
	done := map[string]bool{}
	for _, c := range requests {
		if c.Action != "StopDBImportJob" {
			continue
		}
		arrivals = append(arrivals, c.Time)
		switch {
		case strings.HasPrefix(c.Code, "RequestLimitExceeded"):
			l.refused++
		case done[c.AsyncRequestID]:
			l.repeated++
		case c.Code == "":
			l.accepted++
			done[c.AsyncRequestID] = true
			l.last = c.Time
		}
	}
	slices.SortFunc(arrivals, time.Time.Compare)
	from := 0
	for i, at := range arrivals {
		for at.Sub(arrivals[from]) >= time.Second {
			from++
		}
		l.worst = max(l.worst, i-from+1)
	}
	if len(arrivals) > 0 {
		l.first = arrivals[0]
	}
	return l
}

func percentile(d []time.Duration, p int) time.Duration {
	if len(d) == 0 {
		return 0
	}
	d = slices.Sorted(slices.Values(d))
	return d[(len(d)-1)*p/100].Round(time.Millisecond)
}
