// SPDX-License-Identifier: Apache-2.0

package lifecycle

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/importjob"
)

// generator makes values that a schema allows, the interesting ones more often.
type generator struct {
	*rand.Rand
	near time.Time // most times are about then
}

func (g *generator) chance(p float64) bool { return g.Float64() < p }

func pick[T any](r *rand.Rand, values ...T) T { return values[r.IntN(len(values))] }

// value returns a value of the schema. The name is that of the field: it only shifts how often what is drawn.
func (g *generator) value(name string, s *schema) any {
	switch {
	case len(s.Enum) > 0:
		var v any
		_ = json.Unmarshal(pick(g.Rand, s.Enum...).Raw, &v)
		return v
	case s.Type == "object":
		return g.object(s)
	case s.Type == "array":
		return g.array(name, s)
	case s.Type == "boolean":
		return g.chance(0.3)
	case s.Type == "integer":
		return g.integer(s)
	case s.Format == "date-time":
		return g.time(s)
	case s.Type == "string":
		return g.text(name, s)
	}
	panic("the generator does not know how to make a " + s.Type)
}

func (g *generator) object(s *schema) map[string]any {
	names := make([]string, 0, len(s.Properties))
	for name := range s.Properties {
		names = append(names, name)
	}
	slices.Sort(names)
	fields, likely := map[string]any{}, pick(g.Rand, 0.2, 0.5, 0.8, 0.95)
	for _, name := range names {
		if slices.Contains(s.Required, name) || g.chance(likely) {
			property := s.Properties[name]
			fields[name] = g.value(name, &property)
		}
	}
	return fields
}

// array draws each key once, as a list of type map wants it, but for an old copy now and then.
func (g *generator) array(name string, s *schema) []any {
	items, seen := []any{}, map[any]bool{}
	for range g.IntN(6) {
		item := g.value(name+"[]", s.Items.Schema)
		if fields, ok := item.(map[string]any); ok && len(s.XListMapKeys) > 0 {
			key := fields[s.XListMapKeys[0]]
			if seen[key] && !g.chance(0.02) {
				continue
			}
			seen[key] = true
		}
		items = append(items, item)
	}
	return items
}

func (g *generator) integer(s *schema) int64 {
	low, high := int64(math.MinInt64), int64(math.MaxInt64)
	if s.Format == "int32" {
		low, high = math.MinInt32, math.MaxInt32
	}
	if s.Minimum != nil {
		low = int64(*s.Minimum)
	}
	values := []int64{0, 1, 1, 2, 3, 5, 60, 600, 3600, -1, low, low + 1, high, high - 1}
	for {
		if v := pick(g.Rand, values...); v >= low && v <= high {
			return v
		}
	}
}

// time is near or far, in microseconds: the format allows more, but some of Go's types read nothing else. A pattern, if the
// schema has one, narrows it down.
func (g *generator) time(s *schema) string {
	const day, century = 24 * time.Hour, 100 * 365 * 24 * time.Hour
	off := pick(g.Rand, 0, time.Microsecond, time.Second, 3*time.Second, 59*time.Second, 2*time.Minute, 10*time.Minute, time.Hour, day, 30*day, century)
	if g.chance(0.5) {
		off = -off
	}
	text, usual := g.near.Add(off).UTC().Format(metav1.RFC3339Micro), g.near.UTC().Format(metav1.RFC3339Micro)
	if g.chance(0.03) {
		text = pick(g.Rand, "0001-01-01T00:00:00.000000Z", "9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.000000-12:00",
			"0000-01-01T00:00:00.000000+12:00", "2026-06-30T12:00:00.000000+05:30")
	}
	if s.Pattern != "" && !regexp.MustCompile(s.Pattern).MatchString(text) {
		return usual
	}
	return text
}

// vocabulary is what fields of these names usually say.
var vocabulary = map[string][]string{
	"type": {
		cdbv1.ConditionReady, cdbv1.ConditionReady, cdbv1.ConditionReady, cdbv1.ConditionAccepted, cdbv1.ConditionReconciling,
		cdbv1.ConditionStalled, "example.com/Foreign", "Healthy",
	},
	"reason": append(cdbv1.ReadyReasons(), cdbv1.ReasonThrottled, cdbv1.ReasonCloudError, cdbv1.ReasonOutcomeUnknown,
		cdbv1.ReasonFinished, cdbv1.ReasonProgressing, "Unheard", "a", "A_:,9"),
	"importStatus": {
		"", string(importjob.StatusUnknown), string(importjob.StatusRunning), string(importjob.StatusKilled),
		string(importjob.StatusPaused), string(importjob.StatusSuccess), string(importjob.StatusFailed), "GONE", "运行中",
	},
	"requestId":          {"6EF60BEC-0242-43AF-BB20-270359FB54A7", "", "r"},
	"errorCode":          {"", "InternalError.ImportError", "AuthFailure.SignatureFailure", "RequestLimitExceeded"},
	"lastHandledRetryAt": {"", "now", "then"},
	"region":             {"ap-guangzhou", "ap-guangzhou", "ap-shanghai-fsi"},
	"asyncRequestId":     {"a-b", "a-b", "c-d"},
	"name":               {"creds", "creds", "other"},
	"instanceId":         {"cdb-1"},
	"databaseName":       {"shop", "shop", "other"},
	"fileName":           {"shop.sql", "other.sql"},
	"state":              {"Initializing", "Running", "Successful", "Failed", "Unknown", ""},
}

var matchesRule = regexp.MustCompile(`^self\.matches\('(.*)'\)$`)

func (g *generator) text(name string, s *schema) string {
	pattern, longest := s.Pattern, int64(32768)
	for _, rule := range s.XValidations {
		if m := matchesRule.FindStringSubmatch(rule.Rule); m != nil {
			pattern = m[1]
		}
	}
	if s.MaxLength != nil {
		longest = *s.MaxLength
	}
	if words := vocabulary[name]; words != nil && g.chance(0.9) {
		return pick(g.Rand, words...)
	}
	if pattern != "" {
		parsed, err := syntax.Parse(pattern, syntax.Perl)
		if err != nil {
			panic(err)
		}
		var b strings.Builder
		g.matching(&b, parsed)
		return b.String()[:min(b.Len(), int(longest))]
	}
	if !g.chance(0.05) {
		return pick(g.Rand, "", "words", "x", "多字节 text", "line\nbreak\x1b[2J\u2028", "%s%d\"<&>")
	}
	unit := pick(g.Rand, "x", "字", "é", "𝄞", "\u0000")
	return strings.Repeat(unit, int(longest)/pick(g.Rand, 1, 1, 8)) // the API server counts characters
}

// matching writes a text that matches a regular expression.
func (g *generator) matching(b *strings.Builder, re *syntax.Regexp) {
	times := 0
	switch re.Op {
	case syntax.OpLiteral:
		b.WriteString(string(re.Rune))
	case syntax.OpCharClass:
		at := g.IntN(len(re.Rune)/2) * 2
		b.WriteRune(re.Rune[at] + rune(g.IntN(int(re.Rune[at+1]-re.Rune[at])+1)))
	case syntax.OpAnyCharNotNL:
		b.WriteRune(rune('a' + g.IntN(26)))
	case syntax.OpStar:
		times = g.IntN(4)
	case syntax.OpPlus:
		times = 1 + g.IntN(4)
	case syntax.OpQuest:
		times = g.IntN(2)
	case syntax.OpConcat, syntax.OpCapture:
		for _, sub := range re.Sub {
			g.matching(b, sub)
		}
	case syntax.OpAlternate:
		g.matching(b, pick(g.Rand, re.Sub...))
	case syntax.OpBeginText, syntax.OpEndText, syntax.OpEmptyMatch:
	default:
		panic("the generator does not know " + re.String())
	}
	for range times {
		g.matching(b, re.Sub[0])
	}
}
