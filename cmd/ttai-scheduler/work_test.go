package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/cmd/internal/app"
	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/workflow/report"
	"github.com/ttai-go/ttai/workflow/schedule"
)

// records opens the home's typed records.
func (h *home) records(t *testing.T) *storage.Repositories {
	t.Helper()
	r, err := storage.Open(h.tenant(t))
	require.NoError(t, err)
	return r
}

// tenant opens what the home's store has of its user.
func (h *home) tenant(t *testing.T) storage.Tenant {
	t.Helper()
	sources, err := h.io(nil, nil).Environment.Sources()
	require.NoError(t, err)
	store, err := app.StoreFlags{}.OpenStore("", sources, h.io(nil, nil))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	tenant, err := store.For(storage.Local)
	require.NoError(t, err)
	return tenant
}

func TestEveryDefaultJobWorksOnTheSimulator(t *testing.T) {
	t.Parallel()
	h := newHome(t, "")
	for name, says := range map[string]string{
		schedule.MorningBriefing: "Morning briefing for 2026-09-16",
		schedule.CloseSummary:    "Profit and loss of 2026-09-16",
		schedule.HourlyScreeners: "5 symbols were analysed",
		schedule.DailyPnL:        "Profit and loss of 2026-09-16",
		schedule.Scorecard:       "No analysis that is kept has an outcome yet",
		schedule.WeeklySummary:   "Week",
		schedule.PortfolioSync:   "open positions in 2 accounts",
		schedule.TokenRefresh:    "good for",
	} {
		code, out, errs := h.run("--once", name)
		assert.Zero(t, code, errs)
		assert.Contains(t, out, says, name)
		assert.Contains(t, out, "no number is real", name)
		assert.NotContains(t, out, `\:`, "a person reads it, and no renderer")
	}
	// Reports lie in the store in three forms, the close's own does not.
	var keys []string
	objects, err := h.tenant(t).Objects(report.Bucket)
	require.NoError(t, err)
	for o, err := range objects.List(t.Context(), "", "") {
		require.NoError(t, err)
		keys = append(keys, o.Key)
	}
	assert.Len(t, keys, 3*(1+2+2), "a briefing, and two reports of each of two accounts")
	for _, kind := range []string{"briefing", "daily", "weekly"} {
		for _, ext := range []string{"md", "html", "json"} {
			assert.Regexp(t, `2026/09/\d\d/`+kind+`[^ ]*\.`+ext, strings.Join(keys, " "))
		}
	}
	r := h.records(t)
	found, _, err := r.ScreenerResults.List(t.Context(), storage.RecordQuery{})
	require.NoError(t, err)
	require.Len(t, found, 1)
	assert.Len(t, found[0].Value.Symbols, 5)
}

func TestPositionsAreKeptAsTheyAreAndClosedWhenTheyAreGone(t *testing.T) {
	t.Parallel()
	h := newHome(t, only)
	code, _, errs := h.run("--once", "sync")
	require.Zero(t, code, errs)
	r := h.records(t)
	list := func(status string) map[string]storage.Position {
		all := map[string]storage.Position{}
		for p, err := range r.Positions.All(t.Context(), storage.RecordQuery{Where: []storage.Field{storage.Text("status", status)}}) {
			require.NoError(t, err)
			all[p.Value.Symbol] = p.Value
		}
		return all
	}
	open := list("open")
	require.NotEmpty(t, open)
	short := 0
	for _, p := range open {
		assert.Equal(t, -p.Quantity.Sign(), p.Cost.Sign(), "paid is negative, received positive: %s", p.Symbol)
		if p.Quantity.IsNegative() {
			short++
		}
	}
	assert.NotZero(t, short)
	_, err := r.Positions.Put(t.Context(), storage.Position{ID: open["AAPL"].Account + "/GONE", User: user, Account: open["AAPL"].Account, Symbol: "GONE", Quantity: decimal.NewFromInt(1), Cost: decimal.NewFromInt(-5), Opened: open["AAPL"].Opened})
	require.NoError(t, err)
	code, out, errs := h.run("--once", "sync")
	require.Zero(t, code, errs)
	assert.Contains(t, out, "1 were closed since")
	assert.Contains(t, list("closed"), "GONE")
	assert.Len(t, list("open"), len(open))
}

func TestScreenersOfTheSettingsAndOfTheStoreRun(t *testing.T) {
	t.Parallel()
	h := newHome(t, `{"jobs": {
		"screeners": [
			{"name": "funds", "symbols": ["spy", "QQQ"], "request": {"top": 1}},
			{"name": "listed", "watchlist": "mine"},
			{"name": "early", "symbols": ["IWM"], "trigger": "30m after open"}],
		"schedules": [{"name": "apple", "workflow": "analyze", "trigger": "open", "data": {"symbols": ["AAPL"]}},
		              {"name": "nobody", "workflow": "analyze", "trigger": "open"}]}}`)
	code, _, errs := h.run("--once", "token-refresh") // makes the store
	require.Zero(t, code, errs)
	r := h.records(t)
	_, err := r.Watchlists.Put(t.Context(), storage.Watchlist{ID: "w1", User: user, Name: "mine", Symbols: []string{"KO"}})
	require.NoError(t, err)
	_, err = r.Screeners.Put(t.Context(), storage.Screener{ID: "s1", User: user, Name: "kept", Criteria: json.RawMessage(`{"symbols": ["AAPL"]}`)})
	require.NoError(t, err)

	code, out, errs := h.run("--once", schedule.HourlyScreeners)
	require.Zero(t, code, errs)
	for _, says := range []string{"## funds", "2 symbols were analysed", "## listed", "**KO**", "## kept", "**AAPL**"} {
		assert.Contains(t, out, says)
	}
	assert.NotContains(t, out, "early", "which has a time of its own")
	assert.NotContains(t, out, "2. **", "one is kept of each")
	code, out, errs = h.run("--once", "screener.early")
	require.Zero(t, code, errs)
	assert.Contains(t, out, "**IWM**")

	code, out, errs = h.run("--once", "apple")
	require.Zero(t, code, errs)
	assert.Contains(t, out, "**AAPL**: ")
	analyses, _, err := r.Analyses.List(t.Context(), storage.RecordQuery{Where: []storage.Field{storage.Text("symbol", "AAPL")}})
	require.NoError(t, err)
	assert.Len(t, analyses, 1)
	code, _, errs = h.run("--once", "nobody")
	assert.Equal(t, 1, code)
	assert.Contains(t, errs, "1 to 20 symbols")

	unknown := newHome(t, `{"jobs": {"screeners": [{"name": "funds", "symbols": ["spy", "zzzzz", "Spy"]}]}}`)
	code, out, errs = unknown.run("--once", schedule.HourlyScreeners)
	require.Zero(t, code, errs)
	for _, says := range []string{"1 symbols were analysed", "ZZZZZ was not analysed: ", "unknown symbol", "1 were named more than once"} {
		assert.Contains(t, out, says)
	}
	for _, wrong := range []string{"NOPE NO", "../../x", ""} {
		bad := newHome(t, `{"jobs": {"screeners": [{"name": "a", "symbols": ["SPY", "`+wrong+`"]}]}}`)
		code, _, errs = bad.run("--list")
		assert.Equal(t, 2, code)
		assert.Contains(t, errs, "jobs.screeners, a, symbols[1]")
	}

	bad := newHome(t, `{"jobs": {"screeners": [{"name": "a", "request": {"tpo": 3}}]}}`)
	code, _, errs = bad.run("--list")
	assert.Equal(t, 2, code)
	assert.Contains(t, errs, "tpo")
}

func TestADryRunOfAJobKeepsNothing(t *testing.T) {
	t.Parallel()
	h := newHome(t, "")
	code, out, errs := h.run("--once", schedule.MorningBriefing, "--now", "2026-09-17T08:45:00-04:00")
	require.Zero(t, code, errs)
	assert.Contains(t, out, "Morning briefing for 2026-09-17")
	assert.NoDirExists(t, filepath.Join(h.dir, "data"))
}

func TestReportsFollowTheirSettings(t *testing.T) {
	t.Parallel()
	h := newHome(t, `{"jobs": {"reports": [{"kind": "morning-briefing", "symbols": ["dia"]}, {"kind": "daily-pnl", "accounts": ["nothing"]}]}}`)
	code, out, errs := h.run("--once", schedule.MorningBriefing)
	require.Zero(t, code, errs)
	assert.NotContains(t, out, "| IWM |", "the named symbols take the place of the index funds")
	code, _, errs = h.run("--once", schedule.DailyPnL)
	assert.Equal(t, 1, code)
	assert.Contains(t, errs, "none of the 2 accounts")
}
