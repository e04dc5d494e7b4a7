// SPDX-License-Identifier: Apache-2.0

package credentials

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
)

// printOf is the fingerprint of what put writes for an id.
func printOf(id string) Fingerprint {
	return FingerprintOf(importjob.Credentials{SecretID: id, SecretKey: "key"})
}

func TestCredentialsThatReplaceOthersInASecretAreTold(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		ids  []string // that the Secret has, one after the other; "": it is away
		want []string
	}{
		"the same":         {[]string{"a", "a"}, nil},
		"another":          {[]string{"a", "b"}, []string{"a>b"}},
		"three times":      {[]string{"a", "b", "c", "d"}, []string{"a>b", "b>c", "c>d"}},
		"back and forth":   {[]string{"a", "b", "a"}, []string{"a>b", "b>a"}},
		"away for a while": {[]string{"a", "", "b"}, []string{"a>b"}},
	} {
		synctest.Test(t, func(t *testing.T) {
			b, names := begin(t), map[Fingerprint]string{}
			var got []string
			b.replaced = func(previous, next Fingerprint) { got = append(got, names[previous]+">"+names[next]) }
			for _, id := range test.ids {
				names[printOf(id)] = id
				b.put(creds, id, "")
				_, _, _ = b.Get(t.Context(), creds)
				time.Sleep(2 * keep)
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("%s: %q, want %q", name, got, test.want)
			}
		})
	}
}

// Two Secrets with the same content are no lineage, and a Secret that nobody reads is forgotten.
func TestALineageIsThatOfOneSecretAndIsForgotten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := begin(t)
		b.replaced = func(previous, next Fingerprint) { t.Errorf("%x replaces %x", next[:4], previous[:4]) }
		for i := range 100 {
			b.put(name("shop", fmt.Sprint(i)), fmt.Sprint(i), "")
			_, _, _ = b.Get(t.Context(), name("shop", fmt.Sprint(i)))
		}
		time.Sleep(forgetLineage + sweepInterval)
		b.put(creds, "1", "")
		_, _, _ = b.Get(t.Context(), creds)
		if n := len(b.lineages); n != 1 {
			t.Errorf("%d lineages are kept, want that of the Secret that was read", n)
		}
	})
}

func TestAnIdleLineageIsForgottenAfterTenMinutes(t *testing.T) {
	t.Parallel()
	s := Store{lineages: map[types.NamespacedName]lineage{}}
	begin := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	s.setCurrent(name("shop", "idle"), printOf("1"), begin)
	for _, test := range []struct {
		after time.Duration
		want  int
	}{
		{time.Minute, 2}, {10 * time.Minute, 2}, {11*time.Minute - 1, 2}, {11 * time.Minute, 1}, // it is looked for once a minute
	} {
		s.setCurrent(creds, printOf("2"), begin.Add(test.after))
		if n := len(s.lineages); n != test.want {
			t.Errorf("after %s, %d lineages are kept, want %d", test.after, n, test.want)
		}
	}
}
