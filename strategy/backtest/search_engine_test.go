package backtest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/strategy/backtest"
)

func TestTheGridOfFastquantIsFoundByASearch(t *testing.T) {
	bars := jollibee(t, "fastquant_JFC_2018_DCV.csv")
	r := backtest.Request{Strategy: "smac", Rules: "fastquant", Ranges: []string{"fast_period=15..27:3", "slow_period=40..52:3"}, Metric: "equity_final"}
	_, err := r.Prepare("JFC")
	require.NoError(t, err)
	space, of, opts, err := r.Search(&backtest.Market{Bars: []backtest.BarFeed{{Symbol: "JFC", Bars: bars}}})
	require.NoError(t, err)
	objective, err := of.Objective(time.Time{}, time.Time{})
	require.NoError(t, err)
	result, err := backtest.Search(t.Context(), space, objective, opts)
	require.NoError(t, err)
	want := map[string]float64{}
	for _, row := range rowsOf(t, "reference", "fastquant", "fq_jfc2018_smac_grid.csv") {
		want[fmt.Sprintf("fast_period=%s slow_period=%s", row["fast_period"], row["slow_period"])] = float(t, row["final_value"])
	}
	require.Len(t, result.Trials, len(want))
	// In three of them the recorded runs traded a bar before the averages cross: see
	// TestTheGridOfFastquantIsReproduced.
	early := []string{"fast_period=18 slow_period=52", "fast_period=24 slow_period=40", "fast_period=24 slow_period=52"}
	for _, trial := range result.Trials {
		if name := trial.Params.String(); !slices.Contains(early, name) {
			assert.InDelta(t, want[name], float64(trial.Value), 1e-6, name)
		}
	}
	ranked := result.Ranked()
	assert.Equal(t, "fast_period=15 slow_period=40", ranked[0].Params.String())
	assert.Equal(t, "fast_period=21 slow_period=40", ranked[1].Params.String())
	assert.Equal(t, "fast_period=15 slow_period=46", ranked[2].Params.String())
	a, err := result.Assess(t.Context())
	require.NoError(t, err)
	assert.NotEmpty(t, a.Warnings, "25 settings on 243 bars and two trades prove nothing")
}

// searchOver is a search of two averages over bars.
func searchOver(t testing.TB, bars []market.Bar, r backtest.Request) (backtest.Space, backtest.StrategySearch, backtest.SearchOptions) {
	t.Helper()
	r.Strategy, r.Rules = "ma-cross", "default"
	_, err := r.Prepare("WAVE")
	require.NoError(t, err)
	space, of, opts, err := r.Search(&backtest.Market{Bars: []backtest.BarFeed{{Symbol: "WAVE", Bars: bars}}})
	require.NoError(t, err)
	return space, of, opts
}

func TestSearchesOfStrategiesAreTheSameForAnyNumberOfWorkers(t *testing.T) {
	bars := waves(400)
	for _, r := range []backtest.Request{
		{Ranges: []string{"fast=2..8:2", "slow=10..30:10"}},
		{Ranges: []string{"fast=2..20", "slow=21..60"}, Method: backtest.TPE, Trials: 30, Seed: 5},
		{Ranges: []string{"fast=2..20", "slow=21..60"}, Method: backtest.Random, Trials: 30, Seed: 5, Pruner: "halving"},
		{Ranges: []string{"fast=2..20", "slow=21..60"}, Method: backtest.Random, Trials: 60, Seed: 5, Pruner: "median"},
	} {
		first := ""
		for _, workers := range []int{1, 3} {
			r.Workers = workers
			space, of, opts := searchOver(t, bars, r)
			objective, err := of.Objective(time.Time{}, time.Time{})
			require.NoError(t, err)
			result, err := backtest.Search(t.Context(), space, objective, opts)
			require.NoError(t, err)
			data, err := json.Marshal(result.Summary())
			require.NoError(t, err)
			if first == "" {
				first = string(data)
			}
			assert.Equal(t, first, string(data), "%v %s", r.Ranges, r.Pruner)
			pruned := 0
			for _, trial := range result.Trials {
				assert.Empty(t, trial.Error)
				if trial.Pruned {
					pruned++
				}
			}
			assert.Equal(t, r.Pruner != "", pruned > 0, "%s: %d pruned", r.Pruner, pruned)
		}
	}
}

func TestWalkForwardOfAStrategyTradesOnlyInItsTests(t *testing.T) {
	bars := waves(500)
	r := backtest.Request{Strategy: "ma-cross", Ranges: []string{"fast=2..6:2", "slow=10..20:10"}, Walk: "200:100"}
	_, err := r.Prepare("WAVE")
	require.NoError(t, err)
	var last backtest.Progress
	walk, err := r.WalkForward(t.Context(), &backtest.Market{Bars: []backtest.BarFeed{{Symbol: "WAVE", Bars: bars}}}, func(p backtest.Progress) { last = p })
	require.NoError(t, err)
	require.Len(t, walk.Steps, 3)
	for i, step := range walk.Steps {
		assert.Empty(t, step.Error)
		assert.True(t, step.TestFrom.Equal(bars[200+100*i].Time))
		assert.Equal(t, 100, len(step.Outcome.Returns), "a return for each day of the test")
	}
	assert.Equal(t, 300, len(walk.Returns))
	assert.InDelta(t, 1, last.Done, 1e-9)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	stopped, err := r.WalkForward(ctx, &backtest.Market{Bars: []backtest.BarFeed{{Symbol: "WAVE", Bars: bars}}}, nil)
	require.NoError(t, err)
	assert.NotEmpty(t, stopped.Stopped)
}

func TestRequestsAreCheckedBeforeAnythingIsRead(t *testing.T) {
	for field, r := range map[string]backtest.Request{
		"strategy":   {Strategy: "ma-cros"},
		"rules":      {Strategy: "ma-cross", Rules: "backtesting.py+hedging"},
		"commission": {Strategy: "ma-cross", Rules: "tastytrade", Commission: 0.1},
		"range":      {Strategy: "ma-cross", Ranges: []string{"speed=1..2"}},
		"pruner":     {Strategy: "ma-cross", Pruner: "axe"},
		"metric":     {Strategy: "ma-cross", Metric: "luck"},
		"walk":       {Strategy: "ma-cross", Walk: "10:5"},
		"fast":       {Strategy: "ma-cross", Params: json.RawMessage(`{"fast":-1}`)},
		"cash":       {Strategy: "ma-cross", Cash: -1},
	} {
		_, err := r.Prepare("SPY")
		var refused *backtest.FieldError
		if assert.ErrorAs(t, err, &refused, field) {
			assert.Contains(t, refused.Field, field)
		}
	}
	for _, name := range []string{"", "default", "tastytrade", "backtesting.py", "backtesting.py+trade_on_close+exclusive", "backtrader+coc", "fastquant", "zipline+no_costs", "lean", "oracle",
		"backtesting.py+spread=0.001+margin=0.1+fixed=5", "backtrader+slip=0.0005+slip_not_at_open+slip_out", "backtrader+margin=1000", "zipline+min_cost=0.5+volume_limit=0.1+impact=0.2"} {
		_, err := backtest.RulesNamed(name, 0)
		assert.NoError(t, err, name)
	}
}

func TestOptionsOfRulesAreRefusedByName(t *testing.T) {
	for _, name := range []string{
		"backtrader+slip", "backtrader+slip=", "backtrader+slip=2", "backtrader+slip=-1", "backtrader+slip=NaN", "backtrader+slip=0.1+slip=0.2", "backtrader+coc=1",
		"fastquant+coc", "lean+margin=1", "zipline+volume_limit=0",
	} {
		_, err := backtest.RulesNamed(name, 0)
		var refused *backtest.FieldError
		require.ErrorAs(t, err, &refused, name)
		assert.Equal(t, "rules", refused.Field, name)
	}
}

// Sizes are counted with the commission that is charged, or an order for all of the
// cash could not be paid: fastquant's run of smac with 0.75 % ends at 102,646.845.
func TestStrategiesKnowTheCommissionOfTheRules(t *testing.T) {
	r := backtest.Request{Strategy: "smac", Params: json.RawMessage(`{"fast_period":15,"slow_period":40}`), Rules: "fastquant", Commission: 0.0075}
	_, err := r.Prepare("JFC")
	require.NoError(t, err)
	opts, err := r.Options(&backtest.Market{Bars: []backtest.BarFeed{{Symbol: "JFC", Bars: jollibee(t, "fastquant_JFC_2018_DCV.csv")}}})
	require.NoError(t, err)
	result, err := backtest.Run(t.Context(), opts)
	require.NoError(t, err)
	assert.InDelta(t, 102646.845, last(&result.Record.Accounts[0].Curve).Value, 1e-6)
	said := backtest.Request{Strategy: "smac", Params: json.RawMessage(`{"commission":0.5}`), Rules: "fastquant", Commission: 0.0075}
	_, err = said.Prepare("JFC")
	require.NoError(t, err)
	assert.Contains(t, string(said.Params), "0.5", "what is said counts")
}

// BenchmarkGridScaling tells how many times faster a grid is with two workers than
// with one, over a few years of days and over many minutes, and beside it how many
// times faster two goroutines of plain arithmetic are at the same time on the same
// machine than one: more than that ceiling cannot be had. All four are measured in
// turn and the best of each counts.
func BenchmarkGridScaling(b *testing.B) {
	if runtime.GOMAXPROCS(0) < 2 {
		b.Skip("one processor")
	}
	b.Run("days", func(b *testing.B) {
		scaling(b, backtest.BarFeed{Interval: market.Day, Bars: waves(1500)}, "fast=2..20:2", "slow=25..100:15")
	})
	b.Run("minutes", func(b *testing.B) {
		scaling(b, backtest.BarFeed{Interval: market.Minute, Bars: minutes(60_000)}, "fast=50..200:50", "slow=300..1200:300")
	})
}

func scaling(b *testing.B, feed backtest.BarFeed, ranges ...string) {
	feed.Symbol = "WAVE"
	best := map[string]time.Duration{}
	measure := func(name string, work func()) {
		began := time.Now()
		work()
		if took := time.Since(began); best[name] == 0 || took < best[name] {
			best[name] = took
		}
	}
	settings := 0
	search := func(workers int) {
		r := backtest.Request{
			Strategy: "ma-cross", Params: json.RawMessage(`{"interval":"` + string(feed.Interval) + `"}`), Rules: "default", Ranges: ranges, Workers: workers,
		}
		_, err := r.Prepare(feed.Symbol)
		require.NoError(b, err)
		space, of, opts, err := r.Search(&backtest.Market{Bars: []backtest.BarFeed{feed}})
		require.NoError(b, err)
		objective, err := of.Objective(time.Time{}, time.Time{})
		require.NoError(b, err)
		measure(fmt.Sprint("grid ", workers), func() {
			result, err := backtest.Search(b.Context(), space, objective, opts)
			require.NoError(b, err)
			require.NotNil(b, result.Best())
			settings = len(result.Trials)
		})
	}
	arithmetic := func(workers int) {
		measure(fmt.Sprint("arithmetic ", workers), func() {
			var all sync.WaitGroup
			for range workers {
				all.Go(func() {
					x := 1.0
					for range 20_000_000 / workers {
						x = x*0.999 + 1
					}
					if !(x > 0) {
						b.Error("not a number")
					}
				})
			}
			all.Wait()
		})
	}
	for b.Loop() {
		search(1)
		arithmetic(1)
		search(2)
		arithmetic(2)
	}
	times := best["grid 1"].Seconds() / best["grid 2"].Seconds()
	ceiling := best["arithmetic 1"].Seconds() / best["arithmetic 2"].Seconds()
	b.ReportMetric(times, "times")
	b.ReportMetric(ceiling, "ceiling-times")
	b.ReportMetric(times/ceiling, "of-ceiling")
	b.ReportMetric(float64(settings)*float64(len(feed.Bars))/best["grid 1"].Seconds()/1e6, "Mbars/s/worker")
}
