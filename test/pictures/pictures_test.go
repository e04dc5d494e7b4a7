// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
)

func TestPicturesAreUpToDate(t *testing.T) {
	t.Parallel()
	for name, draw := range pictures {
		shown, err := os.ReadFile(filepath.Join("..", "..", folder, name))
		if err != nil {
			t.Fatal(err)
		}
		if string(shown) != draw() {
			t.Errorf("%s/%s is not what the program draws; run: go run ./test/pictures", folder, name)
		}
	}
}

func TestPicturesAreWellFormed(t *testing.T) {
	t.Parallel()
	for name, draw := range pictures {
		decoder := xml.NewDecoder(strings.NewReader(draw()))
		for {
			if _, err := decoder.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
	}
}

// Each reason of Ready is in the picture, once.
func TestStatesAreTheReasonsOfReady(t *testing.T) {
	t.Parallel()
	var drawn []string
	for _, s := range slices.Concat(unknown, done, needsYou) {
		drawn = append(drawn, s.reason)
	}
	want := cdbv1.ReadyReasons()
	slices.Sort(drawn)
	slices.Sort(want)
	if !slices.Equal(drawn, want) {
		t.Errorf("drawn are %q, the reasons are %q", drawn, want)
	}
}
