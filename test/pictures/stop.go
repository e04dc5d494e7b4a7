// SPDX-License-Identifier: Apache-2.0

package main

import "strings"

// message goes from one actor to another; to itself, it is what an actor does. A | ends a line of its text. opens and closes are the ends of the
// crash window.
type message struct {
	from, to      int
	text          string
	opens, closes bool
}

var actors = []string{"you", "API server", "operator", "Tencent Cloud"}

const (
	you = iota
	server
	operator
	cloud
)

var messages = []message{
	{from: you, to: server, text: "create an|ImportJobStop"},
	{from: server, to: operator, text: "watch event"},
	{from: operator, to: server, text: "get the Secret|that it names"},
	{from: operator, to: cloud, text: "list the imports,|twice (spec.import)"},
	{from: operator, to: server, text: "write what was found|(status.import)"},
	{from: operator, to: operator, text: "wait for a credit of the quota"},
	{from: operator, to: server, text: "write the attempt|(status.lastAttempt)"},
	{from: operator, to: cloud, text: "StopDBImportJob", opens: true},
	{from: cloud, to: operator, text: "RequestId"},
	{from: operator, to: server, text: "write the result|(status.requestId)", closes: true},
	{from: operator, to: server, text: "event StopAccepted"},
	{from: server, to: you, text: "Ready is True"},
}

// stop is the life of a stop that succeeds, with its crash window.
func stop() string {
	const left, apart, top, step = 66, 155, 74, 52
	var c canvas
	column := func(actor int) int { return left + apart*actor }
	bottom := top + step*len(messages)
	opened := 0
	for i, m := range messages {
		y := top + step*i + 24
		if m.opens {
			opened = y
		}
		if m.closes {
			c.add(`<rect x="%d" y="%d" width="%d" height="%d" fill="%s" stroke="%s" stroke-dasharray="5 4"/>`,
				column(operator)-14, opened, 28, y-opened, paleRed, red)
			for i, row := range []string{"crash window:", "if the process", "dies here, the", "outcome of the", "call is unknown"} {
				c.text(column(operator)+22, y-24+16*i, 13, "start", red, row)
			}
		}
	}
	for i, name := range actors {
		c.add(`<line x1="%d" y1="%d" x2="%d" y2="%d" stroke="%s" stroke-dasharray="2 4"/>`, column(i), top-20, column(i), bottom, soft)
		c.box(column(i)-62, 14, 124, 36, pale, soft, name)
	}
	for i, m := range messages {
		y, from, to := top+step*i+24, column(m.from), column(m.to)
		if m.from == m.to {
			c.box(from-115, y-16, 230, 26, paleBlue, blue, m.text)
			continue
		}
		c.arrow(from, y, to, y, ink, false)
		rows := strings.Split(m.text, "|")
		for i, row := range rows {
			c.text((from+to)/2, y-7-15*(len(rows)-1-i), 13, "middle", ink, row)
		}
	}
	return c.svg(left*2+apart*(len(actors)-1), bottom+16, "The life of a stop, with its crash window")
}
