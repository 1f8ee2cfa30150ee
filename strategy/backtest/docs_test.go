package backtest_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/strategy/backtest"
)

// TestDocumentationListsEveryMetric holds the table of docs/backtesting.md to the
// definitions. UPDATE_DOCS=1 writes it.
func TestDocumentationListsEveryMetric(t *testing.T) {
	const begin, end = "<!-- metrics: begin -->\n", "<!-- metrics: end -->"
	var b strings.Builder
	b.WriteString("| name | title | unit | definition |\n|---|---|---|---|\n")
	for _, d := range backtest.MetricDefinitions() {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", d.Name, strings.ReplaceAll(d.Title, "|", "\\|"), d.Unit, strings.ReplaceAll(d.Meaning, "|", "\\|"))
	}
	path := "../../docs/backtesting.md"
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	before, rest, ok := strings.Cut(string(text), begin)
	require.True(t, ok, "%s has no %q", path, begin)
	table, after, ok := strings.Cut(rest, end)
	require.True(t, ok, "%s has no %q", path, end)
	if os.Getenv("UPDATE_DOCS") != "" {
		require.NoError(t, os.WriteFile(path, []byte(before+begin+b.String()+end+after), 0o644))
		return
	}
	assert.Equal(t, b.String(), table, "UPDATE_DOCS=1 go test -run Documentation ./strategy/backtest writes it")
}
