package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAlertsAreAddedListedTestedAndRemoved(t *testing.T) {
	k := newKeeper(t)
	alerts := func(args ...string) (code int, out, errs string) {
		out, errs, code = k.run(t, append([]string{"alerts"}, args...)...)
		return code, out, errs
	}
	code, out, _ := alerts("list")
	require.Zero(t, code)
	assert.Contains(t, out, "There are no alerts")

	var ids []string
	for _, args := range [][]string{
		{"add", "price", "spy", "above", "700", "--name", "round"},
		{"add", "price", "SPY", "cross", "650", "--repeat", "--hysteresis", "1.5", "--expires", "72h"},
		{"add", "move", "AAPL", "3", "--from", "close"},
		{"add", "trailing", "NVDA", "5", "--side", "high"},
		{"add", "trailing", "NVDA", "5", "--amount"},
		{"add", "news", "AAPL,MSFT", "--keywords", "recall, merger"},
		{"add", "--rule", `{"kind":"short_strike","percent":1}`},
	} {
		code, out, errs := alerts(append(args, "--json")...)
		require.Zero(t, code, "%v: %s", args, errs)
		var added struct {
			ID     string
			Active bool
			Rule   struct{ Kind string }
		}
		require.NoError(t, json.Unmarshal([]byte(out), &added))
		assert.True(t, added.Active)
		ids = append(ids, added.ID)
	}
	code, out, _ = alerts("list")
	require.Zero(t, code)
	for i, want := range []string{"round: SPY above 700", "SPY cross 650", "AAPL moves", "NVDA falls 5 % from its highest", "NVDA falls 5 from its highest", "news about AAPL, MSFT with recall, merger", "short strike"} {
		assert.Contains(t, out, want)
		assert.Contains(t, out, ids[i])
	}

	code, out, errs := alerts("test", ids[0])
	require.Zero(t, code, errs)
	assert.Contains(t, out, "Test: round: SPY above 700")
	code, out, errs = alerts("test", "price", "SPY", "below", "600", "--dry-run")
	require.Zero(t, code, errs)
	assert.NotContains(t, out, "Handed over")

	code, _, _ = alerts("remove", ids[0], ids[1])
	require.Zero(t, code)
	code, out, _ = alerts("list", "--json")
	require.Zero(t, code)
	assert.Equal(t, len(ids)-2, strings.Count(out, `"active":true`))
	code, _, errs = alerts("remove", ids[0])
	assert.Equal(t, 2, code)
	assert.Contains(t, errs, "ttai alerts list")
	code, _, _ = alerts("remove", ids[2], "--user", "somebody")
	assert.Equal(t, 2, code, "another user's alert")
	code, out, _ = alerts("list", "--fired", "5", "--json")
	require.Zero(t, code)
	assert.Equal(t, "[]\n", out)

	for _, bad := range [][]string{
		{"add"}, {"add", "price", "SPY"}, {"add", "price", "SPY", "over", "1"}, {"add", "price", "SPY", "above", "much"}, {"add", "dte", "3"},
		{"add", "--rule", "{"}, {"add", "price", "SPY", "above", "1", "--rule", "{}"}, {"add", "price", "SPY", "above", "1", "--expires", "later"},
		{"test", "nothing"}, {"list", "--fired", "-1"},
	} {
		code, _, errs := alerts(bad...)
		assert.Equal(t, 2, code, "%v: %s", bad, errs)
	}
}
