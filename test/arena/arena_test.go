// SPDX-License-Identifier: Apache-2.0

package arena

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/cryptotest"
	"testing/synctest"
	"time"
)

var (
	docs  = filepath.Join("..", "..", "docs")
	write = flag.Bool("write", false, "play everything, and write tables and pictures into docs (about a minute)")
	seeds = flag.Uint64("seeds", this.seeds, "how often this operator plays each scenario")
)

// played runs a scenario in virtual time. Tests here are not parallel: the seed of crypto/rand is that of the process.
func played(t *testing.T, s scenario, r rival, seed uint64) (seen []arrival) {
	t.Helper()
	cryptotest.SetGlobalRandom(t, seed) // for jitter that a pacer draws itself
	synctest.Test(t, func(*testing.T) {
		seen = s.play(r, seed)
		time.Sleep(2 * time.Minute) // until no pacer has a timer left
	})
	return seen
}

// repeated is the result of a scenario with several seeds. The first of them is for the picture.
func repeated(t *testing.T, s scenario, r rival, times uint64) (result, game) {
	t.Helper()
	var all []figures
	var first game
	for seed := range times {
		seen := played(t, s, r, seed)
		if seed == 0 {
			first = game{r.name, seen}
		}
		all = append(all, s.measure(seen))
	}
	return result{r.name, summarize(all)}, first
}

// rivals are those who play a scenario.
func (s scenario) rivals() []rival {
	if s.oursOnly {
		return rivals[:1]
	}
	return rivals
}

// goal is what this operator must reach in a scenario. Zero values of recovery mean that there is nothing to recover from.
type goal struct {
	used, refused, fairness float64
	worst                   int
	median, slowest         time.Duration
}

var goals = map[string]goal{
	"alone":   {used: 0.97, fairness: 1, worst: 20},
	"jitter":  {used: 0.86, fairness: 1, worst: 20},
	"service": {used: 0.81, fairness: 1, worst: 20},
	"program": {used: 0.85, refused: 0.05, fairness: 1, worst: 20, median: 10 * time.Second, slowest: 13 * time.Second},
	"cut":     {used: 0.85, refused: 0.06, fairness: 1, worst: 20, median: 10 * time.Second, slowest: 13 * time.Second},
	"two":     {used: 0.92, refused: 0.03, fairness: 0.95, worst: 40, median: 10 * time.Second, slowest: 13 * time.Second},
	"three":   {used: 0.94, refused: 0.03, fairness: 0.93, worst: 60, median: 10 * time.Second, slowest: 13 * time.Second},
	"five":    {used: 0.95, refused: 0.05, fairness: 0.91, worst: 100, median: 10 * time.Second, slowest: 14 * time.Second},
}

// TestGoals holds this operator to what it reaches, and the page to what this operator does.
func TestGoals(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(docs, "benchmarks.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			is, _ := repeated(t, s, this, *seeds)
			want := goals[s.name]
			t.Log(s.row(is))
			if is.used < want.used || is.refused > want.refused || is.fairness < want.fairness-1e-9 || is.worst > want.worst || is.median > want.median || is.slowest > want.slowest {
				t.Errorf("%s: missed %+v", s.title, want)
			}
			if *seeds == this.seeds && !strings.Contains(string(page), s.row(is)) && !*write {
				t.Errorf("the page does not have this row of %s; make arena writes it", s.title)
			}
		})
	}
}

// TestTheSameSeedGivesTheSamePicture holds every rival to what makes the tables worth anything.
func TestTheSameSeedGivesTheSamePicture(t *testing.T) {
	for _, s := range scenarios {
		for _, r := range s.rivals() {
			if r.seeds == 1 && !*write {
				continue // it needs long
			}
			var pictures [2][]byte
			for i := range pictures {
				picture, err := s.picture([]game{{r.name, played(t, s, r, 1)}})
				if err != nil {
					t.Fatal(err)
				}
				pictures[i] = picture
			}
			if !bytes.Equal(pictures[0], pictures[1]) {
				t.Errorf("%s, %s: the pictures differ", s.name, r.name)
			}
		}
	}
}

// TestArena plays everything, writes it down, and wants nobody to be better in one column without being worse in another.
func TestArena(t *testing.T) {
	if !*write {
		t.Skip("make arena plays everything and writes it into docs")
	}
	var sections []string
	for _, s := range scenarios {
		var results []result
		var games []game
		for _, r := range s.rivals() {
			is, first := repeated(t, s, r, r.seeds)
			results, games = append(results, is), append(games, first)
			t.Logf("%s: %s", s.title, s.row(is))
			if is.beats(results[0].summary) {
				t.Errorf("%s: %s is better and in nothing worse: say why in the page", s.title, r.name)
			}
		}
		picture, err := s.picture(games)
		if err != nil {
			t.Fatal(err)
		}
		replace(t, filepath.Join("pictures", s.pictureName()), picture)
		sections = append(sections, s.section(results))
	}
	page, err := os.ReadFile(filepath.Join(docs, "benchmarks.md"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := insert(string(page), arenaMarks, sections)
	if err != nil {
		t.Fatal(err)
	}
	replace(t, "benchmarks.md", []byte(text))
}

func replace(t *testing.T, name string, content []byte) {
	t.Helper()
	path := filepath.Join(docs, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestServer looks at the strictness of the server itself: no second has more accepted calls than the limit, wherever it begins.
func TestServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer()
		for range 1000 {
			s.admit(0)
			time.Sleep(7 * time.Millisecond)
		}
		var accepted []arrival
		for _, a := range s.arrivals {
			if !a.refused {
				accepted = append(accepted, a)
			}
		}
		if worst := worstSecond(accepted); worst != vendorLimit || len(accepted) < 139 {
			t.Errorf("%d accepted, %d in the worst second", len(accepted), worst)
		}
	})
}
