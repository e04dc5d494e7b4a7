// SPDX-License-Identifier: Apache-2.0

// Package arena plays ways to pace calls against each other, on one strict simulator of the cloud's quota: no Kubernetes, and virtual time,
// so that minutes take milliseconds and a seed gives the same calls each time.
//
// The server lets in 20 calls within any sliding second, and counts a call when it arrives. Each client has 200 jobs at any time and calls
// for each until it is accepted; a pacer decides when. A scenario has one to five clients that pace alike, and some trouble. `make arena`
// plays all of them and writes tables and pictures into docs/benchmarks.md; `go test` holds this operator to its goals.
//
// This is a module of its own: the rivals are its dependencies and never the operator's.
package arena
