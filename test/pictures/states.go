// SPDX-License-Identifier: Apache-2.0

package main

import cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"

// state is a reason of Ready in the picture.
type state struct {
	reason string
	x, y   int
}

// The size of a state.
const wide, high = 190, 34

// The reasons by the status of Ready.
var (
	unknown = []state{
		{cdbv1.ReasonSuspended, 30, 50},
		{cdbv1.ReasonCredentialsNotFound, 30, 150},
		{cdbv1.ReasonWaitingForQuota, 30, 250},
		{cdbv1.ReasonStopping, 30, 350},
		{cdbv1.ReasonRetryScheduled, 285, 350},
		{cdbv1.ReasonWaitingForStop, 30, 450},
	}
	done = []state{
		{cdbv1.ReasonStopAccepted, 22, 680}, {cdbv1.ReasonImportStopped, 22, 722}, {cdbv1.ReasonAlreadyStopped, 22, 764},
	}
	needsYou = []state{
		{cdbv1.ReasonImportNotFound, 268, 680},
		{cdbv1.ReasonImportAmbiguous, 268, 722},
		{cdbv1.ReasonImportMismatch, 268, 764},
		{cdbv1.ReasonImportNotPinned, 268, 806},
		{cdbv1.ReasonInvalidRequest, 268, 848},
		{cdbv1.ReasonImportError, 268, 890},
		{cdbv1.ReasonCredentialsRejected, 268, 932},
		{cdbv1.ReasonDeadlineExceeded, 268, 974},
		{cdbv1.ReasonImportAlreadyFinished, 268, 1016},
		{cdbv1.ReasonInternalError, 268, 1058},
	}
)

// states are the reasons of Ready, with what moves an object from one to another.
func states() string {
	var c canvas
	c.group(10, 10, 490, 500, white, amber, "Unknown: in progress")
	c.group(10, 640, 215, 172, white, green, "True: done, for good")
	c.group(245, 640, 255, 466, white, red, "False: a person must act")
	for _, part := range []struct {
		states       []state
		fill, border string
	}{{unknown, paleAmber, amber}, {done, paleGreen, green}, {needsYou, paleRed, red}} {
		for _, s := range part.states {
			c.box(s.x, s.y, wide, high, part.fill, part.border, s.reason)
		}
	}
	moves(&c)
	for i, row := range []string{"CredentialsNotFound becomes", "False after two minutes.", "When the Secret is right,", "it and CredentialsRejected", "go on by themselves."} {
		c.text(14, 850+18*i, 13, "start", ink, row)
	}
	return c.svg(510, 1116, "The reasons of Ready, and what moves an object from one to another")
}

// moves draws the arrows and what they mean.
func moves(c *canvas) {
	for _, m := range []struct {
		y    int
		text string
	}{
		{84, "suspend: false"}, {184, "the Secret is there"}, {284, "a credit of the quota"}, {384, "accepted, and waitFor: Stopped"},
	} {
		c.arrow(125, m.y, 125, m.y+66, ink, false)
		c.text(135, m.y+37, 13, "start", ink, m.text)
	}
	c.arrow(220, 360, 285, 360, ink, false)
	c.arrow(285, 374, 220, 374, ink, false)
	c.text(285, 340, 13, "start", ink, "a failure that may pass,")
	c.text(285, 402, 13, "start", ink, "and the next attempt is due")
	c.arrow(30, 510, 30, 640, green, false)
	c.text(40, 570, 13, "start", green, "the cloud accepted the stop,")
	c.text(40, 588, 13, "start", green, "or the import is over")
	c.arrow(270, 510, 270, 640, red, false)
	c.text(284, 534, 13, "start", red, "refused for good, nothing")
	c.text(284, 552, 13, "start", red, "to stop, or the deadline")
	c.arrow(258, 640, 258, 510, amber, false)
	c.text(284, 602, 13, "start", amber, "an edit, a requested retry,")
	c.text(284, 620, 13, "start", amber, "or the right Secret")
}
