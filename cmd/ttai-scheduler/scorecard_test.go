package main

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/cmd/internal/app"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/simulator"
	"github.com/ttai-go/ttai/simulator/synthetic"
	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/workflow/schedule"
)

// A keptAnalysis is what an analysis says of its candidates, read by hand from the
// document in the store.
type keptAnalysis struct {
	Symbol  string
	At      time.Time
	Verdict struct{ Decision string }

	Candidates []struct {
		Strategy    string
		Strike      float64
		Expiration  string
		CreditMid   float64 `json:"credit_mid,string"`
		Capital     float64 `json:"capital_required,string"`
		Return      float64 `json:"return_on_capital"`
		Probability float64 `json:"probability_of_profit"`
		Vetoes      []any
	}
}

// An analysis is made and kept, its candidate expires months later, and the scorecard
// says what came of it: as counted here by hand from the stored documents and the
// closes of the made market, which the scheduler sees through the wire only.
func TestAnalysesAreScoredWhenTheirCandidatesHaveExpired(t *testing.T) {
	t.Parallel()
	loc := market.NYSE().Location()
	start := time.Date(2026, 1, 14, 11, 0, 0, 0, loc)
	// In a calm year nearly all of them would win.
	crash := []synthetic.Scenario{{Kind: synthetic.Crash, Date: market.Date{Year: 2026, Month: 2, Day: 17}}}
	sim, err := simulator.New(&simulator.Options{Seed: 1, Scenarios: crash, Start: start, Stopped: true, Credentials: app.DemoCredentials})
	require.NoError(t, err)
	defer func() { assert.NoError(t, sim.Close()) }()
	server, err := sim.Start("127.0.0.1:0")
	require.NoError(t, err)
	h := newHome(t, `{"jobs": {"schedules": [
		{"name": "one-look", "trigger": "open", "missed": "skip", "workflow": "analyze", "data": {"symbols": ["SPY"]}},
		{"name": "look", "trigger": "open", "missed": "skip", "workflow": "analyze", "data": {"symbols": ["SPY", "AAPL", "KO", "TLT", "F", "GLD"]}}]}}`)
	once := func(job string) string {
		t.Helper()
		code, out, errs := h.run("--once", job, "--url", server.URL())
		require.Zero(t, code, errs)
		return out
	}
	until := func(at time.Time) {
		t.Helper()
		require.NoError(t, sim.Step(at.Sub(sim.Clock().Now())))
	}

	once("look")
	assert.Contains(t, once(schedule.Scorecard), "No analysis that is kept has an outcome yet")
	until(time.Date(2026, 1, 28, 15, 0, 0, 0, loc))
	once("look")
	until(time.Date(2026, 1, 28, 15, 30, 0, 0, loc))
	once("one-look") // on the same day: only the last one counts
	end := time.Date(2026, 4, 8, 12, 0, 0, 0, loc)
	until(end)
	said := once(schedule.Scorecard)

	// The count of its own.
	truth, err := synthetic.New(1, &synthetic.Options{Scenarios: crash, Clock: market.NewManualClock(end)})
	require.NoError(t, err)
	closeOf := func(symbol, date string) float64 {
		bars, err := truth.Bars(t.Context(), market.BarsRequest{Symbol: market.Symbol(symbol), Interval: market.Day, From: start.AddDate(0, 0, -1), To: end})
		require.NoError(t, err)
		i := slices.IndexFunc(bars, func(b market.Bar) bool { return b.Time.In(loc).Format(time.DateOnly) == date })
		require.GreaterOrEqual(t, i, 0, "%s on %s", symbol, date)
		return bars[i].Close
	}
	last := map[string]keptAnalysis{}
	r := h.records(t)
	for kept, err := range r.Analyses.All(t.Context(), storage.RecordQuery{Order: "time", Kind: storage.NumberField}) {
		require.NoError(t, err)
		var a keptAnalysis
		require.NoError(t, json.Unmarshal(kept.Value.Document, &a))
		last[a.Symbol+a.At.In(loc).Format(time.DateOnly)] = a
	}
	require.Len(t, last, 12)
	var profits, count, selected, hits, sure, surer, over float64
	for _, a := range last {
		i := 0
		for i < len(a.Candidates) && len(a.Candidates[i].Vetoes) > 0 {
			i++
		}
		if i == len(a.Candidates) {
			continue
		}
		c := a.Candidates[i]
		at := closeOf(a.Symbol, c.Expiration)
		profit := c.CreditMid - 100*max(c.Strike-at, 0)
		if c.Strategy == "covered_call" {
			profit = c.CreditMid + 100*min(at, c.Strike) - c.Capital
		}
		won := 0.0
		if profit > 0 {
			won = 1
		}
		if a.Verdict.Decision == "select" {
			selected, hits = selected+1, hits+won
		}
		count, profits = count+1, profits+profit
		sure, surer = sure+1, surer+c.Probability-won
		over += profit/c.Capital - c.Return
	}
	require.Greater(t, count, 5.0)
	require.Greater(t, selected, 0.0)
	require.Less(t, math.Abs(hits/selected-0.5), 0.5, "some won and some lost, or the count shows little")

	assert.Contains(t, said, fmt.Sprintf("%.0f analyses have an outcome: hit rate %.1f%%, profit of one unit each %.2f before fees", count, 100*hits/selected, profits))
	card, err := app.RecordOf(h.tenant(t))(t.Context(), "SPY")
	require.NoError(t, err)
	require.NotNil(t, card)
	assert.InDelta(t, count, card.Analyses, 0)
	assert.InDelta(t, hits/selected, card.HitRate, 1e-12)
	assert.InDelta(t, surer/sure, card.Calibration, 1e-9)
	assert.InDelta(t, over/count, card.Realised, 1e-6)
	assert.Equal(t, decimal.NewFromFloat(profits).StringFixed(2), strings.Fields(strings.SplitAfter(said, "one unit each ")[1])[0])

	// What came of them is evidence of the next analysis.
	once("one-look")
	next := false
	for kept, err := range r.Analyses.All(t.Context(), storage.RecordQuery{}) {
		require.NoError(t, err)
		next = next || !kept.Value.Time.Before(end) && strings.Contains(string(kept.Value.Document), `"record.hit_rate"`)
	}
	assert.True(t, next)
}
