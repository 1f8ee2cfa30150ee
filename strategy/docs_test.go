package strategy_test

import (
	"flag"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/strategy"
)

var update = flag.Bool("update", false, "write the catalogue in docs/strategies.md anew")

// The catalogue in the documentation is what Lookup finds:
//
//	go test ./strategy -run Documentation -update
func TestDocumentationListsTheBuiltInStrategies(t *testing.T) {
	const path, begin, end = "../docs/strategies.md", "<!-- catalogue:begin -->\n", "<!-- catalogue:end -->"
	page, err := os.ReadFile(path)
	require.NoError(t, err)
	head, rest, ok := strings.Cut(string(page), begin)
	require.True(t, ok)
	_, tail, ok := strings.Cut(rest, end)
	require.True(t, ok)
	want := head + begin + catalogue() + end + tail
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(want), 0o644))
	}
	got, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, want, string(got), "run: go test ./strategy -run Documentation -update")
}

func catalogue() string {
	var b strings.Builder
	for _, d := range strategy.All() {
		fmt.Fprintf(&b, "### %s\n\n%s: %s\n\n", d.Name, d.Title, d.Meaning)
		b.WriteString("| parameter | default | allowed | meaning |\n|---|---|---|---|\n")
		for _, p := range d.Params {
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", p.Name, code(fmt.Sprint(p.Default)), allowed(p), p.Meaning)
		}
		b.WriteString("\n")
	}
	return b.String()
}

func code(s string) string {
	if s == "" {
		return ""
	}
	return "`" + s + "`"
}

func allowed(p strategy.Param) string {
	if p.Choices != nil {
		return strings.Join(p.Choices, ", ")
	}
	show := func(x float64) string {
		if p.Type == "duration" {
			return (time.Duration(x * float64(time.Second))).String()
		}
		return strconv.FormatFloat(x, 'f', -1, 64)
	}
	switch low, high := !math.IsNaN(p.Min), !math.IsNaN(p.Max); {
	case low && high:
		return p.Type + ", " + show(p.Min) + " to " + show(p.Max)
	case low:
		return p.Type + ", from " + show(p.Min)
	case high:
		return p.Type + ", to " + show(p.Max)
	}
	return p.Type
}

func TestDefinitionsAreComplete(t *testing.T) {
	seen := map[string]bool{}
	for _, d := range strategy.All() {
		assert.False(t, seen[d.Name], d.Name)
		seen[d.Name] = true
		assert.Regexp(t, `^[a-z][a-z0-9-]*$`, d.Name)
		assert.NotEmpty(t, d.Title)
		assert.Regexp(t, `\.$`, d.Meaning)
		for _, p := range d.Params {
			assert.NotEmpty(t, p.Meaning, "%s %s", d.Name, p.Name)
			assert.Contains(t, []string{"integer", "number", "boolean", "string", "duration"}, p.Type)
		}
	}
	for _, name := range []string{
		"smac", "emac", "rsi", "macd", "bbands", "buynhold", "sentiment", "custom", "ternary", "ma-cross", "breakout", "mean-reversion", "pairs",
	} {
		assert.True(t, seen[name], name)
	}
}
