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
		{cdbv1.ReasonSuspended, 40, 60},
		{cdbv1.ReasonCredentialsNotFound, 40, 160},
		{cdbv1.ReasonWaitingForQuota, 40, 260},
		{cdbv1.ReasonStopping, 40, 360},
		{cdbv1.ReasonRetryScheduled, 300, 360},
		{cdbv1.ReasonWaitingForStop, 40, 460},
	}
	done = []state{
		{cdbv1.ReasonStopAccepted, 740, 60}, {cdbv1.ReasonImportStopped, 740, 102}, {cdbv1.ReasonAlreadyStopped, 740, 144},
	}
	needsYou = []state{
		{cdbv1.ReasonImportNotFound, 740, 252},
		{cdbv1.ReasonImportAmbiguous, 940, 252},
		{cdbv1.ReasonImportMismatch, 740, 294},
		{cdbv1.ReasonImportNotPinned, 940, 294},
		{cdbv1.ReasonInvalidRequest, 740, 336},
		{cdbv1.ReasonImportError, 940, 336},
		{cdbv1.ReasonCredentialsRejected, 740, 378},
		{cdbv1.ReasonDeadlineExceeded, 940, 378},
		{cdbv1.ReasonImportAlreadyFinished, 740, 420},
		{cdbv1.ReasonInternalError, 940, 420},
	}
)

// states are the reasons of Ready, with what moves an object from one to another.
func states() string {
	var c canvas
	c.group(20, 20, 490, 500, white, amber, "Unknown: in progress")
	c.group(720, 20, 430, 176, white, green, "True: done, for good")
	c.group(720, 212, 430, 308, white, red, "False: a person must act")
	for _, part := range []struct {
		states       []state
		fill, border string
	}{{unknown, paleAmber, amber}, {done, paleGreen, green}, {needsYou, paleRed, red}} {
		for _, s := range part.states {
			c.box(s.x, s.y, wide, high, part.fill, part.border, s.reason)
		}
	}
	moves(&c)
	c.text(740, 482, 13, "start", ink, "CredentialsNotFound comes here after two minutes.")
	c.text(740, 502, 13, "start", ink, "It and CredentialsRejected end by themselves.")
	return c.svg(1170, 540, "The reasons of Ready, and what moves an object from one to another")
}

// moves draws the arrows and what they mean.
func moves(c *canvas) {
	for _, m := range []struct {
		y    int
		text string
	}{
		{94, "suspend: false"}, {194, "the Secret is there"}, {294, "a credit of the quota"}, {394, "accepted, and waitFor: Stopped"},
	} {
		c.arrow(135, m.y, 135, m.y+66, ink, false)
		c.text(145, m.y+37, 13, "start", ink, m.text)
	}
	c.arrow(230, 370, 300, 370, ink, false)
	c.arrow(300, 384, 230, 384, ink, false)
	c.text(300, 350, 13, "start", ink, "a failure that may pass,")
	c.text(300, 412, 13, "start", ink, "and the next attempt is due")
	c.arrow(510, 110, 720, 110, green, false)
	c.text(615, 82, 13, "middle", ink, "the cloud accepted the stop,")
	c.text(615, 100, 13, "middle", ink, "or the import is over")
	c.arrow(510, 310, 720, 310, red, false)
	c.text(615, 282, 13, "middle", ink, "refused for good, nothing")
	c.text(615, 300, 13, "middle", ink, "to stop, or the deadline")
	c.arrow(720, 400, 510, 400, amber, false)
	c.text(615, 424, 13, "middle", ink, "an edit, a requested retry,")
	c.text(615, 442, 13, "middle", ink, "or the right Secret")
}
