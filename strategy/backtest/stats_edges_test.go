package backtest_test

import (
	"context"
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/strategy/backtest"
)

// The sum of equal numbers is rounded, so that they seem to differ from their mean.
func TestEqualReturnsDoNotVary(t *testing.T) {
	for _, value := range []float64{0.1, 0.001, -1e-7, 3e5} {
		for _, n := range []int{3, 10, 1000, 100_000} {
			x := make([]float64, n)
			for i := range x {
				x[i] = value
			}
			assert.True(t, math.IsNaN(backtest.Sharpe(x, 0)), "%d times %v: %v", n, value, backtest.Sharpe(x, 0))
			assert.True(t, math.IsNaN(backtest.Skewness(x)) && math.IsNaN(backtest.Kurtosis(x)), "%d times %v", n, value)
		}
	}
	assert.InEpsilon(t, (0.1+1e-9/3)/(1e-9/math.Sqrt(3)), backtest.Sharpe([]float64{0.1, 0.1, 0.1 + 1e-9}, 0), 1e-6, "what varies a little does")
}

// An account that only earns its interest has no ratio: it is not the best trial of
// every half of time.
func TestEqualReturnsAreNoTrialOfTheirOwn(t *testing.T) {
	interest := make([]float64, 320)
	for i := range interest {
		interest[i] = 0.0001
	}
	rows := [][]float64{interest}
	for i := range 9 {
		rows = append(rows, normals(uint64(i+1), 320, 3)) // ratios about 3 in both halves
	}
	over, err := backtest.ProbabilityOfOverfitting(t.Context(), rows, 8)
	require.NoError(t, err)
	without, err := backtest.ProbabilityOfOverfitting(t.Context(), rows[1:], 8)
	require.NoError(t, err)
	assert.Equal(t, without.Slope, over.Slope, "the same trials are chosen")
	assert.Equal(t, without.Loss, over.Loss)
	trials, err := backtest.EffectiveTrials([][]float64{interest, interest, rows[1]})
	require.NoError(t, err)
	assert.InDelta(t, 2, trials, 1e-9, "what does not vary is one trial together")
}

// By hand: two trials, four parts of two returns. The first trial's ratios are those
// of (0.03, 0.01) and (0.01, -0.01) in turn, the second's the other way round.
func TestOverfittingOfTwoTrialsByHand(t *testing.T) {
	good, bad := []float64{0.03, 0.01}, []float64{0.01, -0.01}
	join := func(parts ...[]float64) (out []float64) {
		for _, p := range parts {
			out = append(out, p...)
		}
		return out
	}
	over, err := backtest.ProbabilityOfOverfitting(t.Context(), [][]float64{join(good, bad, good, bad), join(bad, good, bad, good)}, 4)
	require.NoError(t, err)
	// Of the six halves two are alike for one of the trials (parts 1 and 3, 2 and 4):
	// there the best is the worse one in the other half, rank 1 of 2, omega 1/3. In
	// the other four both trials are equal in both halves: rank 1.5, omega 1/2, logit 0.
	require.Equal(t, 6, over.Splits)
	assert.InDeltaSlice(t, []float64{math.Log(0.5), math.Log(0.5), 0, 0, 0, 0}, over.Logits, 1e-12)
	assert.Equal(t, 1.0, over.Probability, "at or below the median each time")
	assert.Equal(t, 0.0, over.Loss, "(0.01, -0.01) twice has a mean of 0")
}

// There is no best of chance below that of a single trial.
func TestExpectedMaxSharpeGrowsFromOneTrialOn(t *testing.T) {
	before := 0.0
	for trials := 1.0; trials < 4; trials += 0.05 {
		got := backtest.ExpectedMaxSharpe(trials, 1)
		assert.GreaterOrEqual(t, got, before, "%v trials", trials)
		before = got
	}
	s := backtest.SharpeSample{Sharpe: 0.1, N: 250, Kurtosis: 3}
	assert.LessOrEqual(t, s.Deflated(1.2, 0.05), s.Probabilistic(0))
}

// Of the sixteen ways to sign 0.1, 0.2, 0.3 and 0.6, two have a sum of 0, up to
// rounding, and seven more: what was tested has none, so that p is 9/16.
func TestTiesCountAlsoWhereRoundingPartsThem(t *testing.T) {
	for _, x := range [][]float64{{0.1, 0.2, 0.3, -0.6}, {-0.1, -0.2, -0.3, 0.6}} {
		p, err := backtest.SignTest(t.Context(), x, &backtest.PermutationOptions{Permutations: 40_000, Seed: 3})
		require.NoError(t, err)
		assert.InDelta(t, 9.0/16, p.PValue, 0.01)
	}
}

// Learning is judged by what it earned: where that is a loss, or the value is one of
// which less is better, the quotient says nothing.
func TestWalkForwardEfficiencyNeedsAGain(t *testing.T) {
	times := make([]time.Time, 60)
	for i := range times {
		times[i] = time.Date(2020, 1, 1+i, 0, 0, 0, 0, time.UTC)
	}
	windows, err := backtest.Windows(times, backtest.WindowOptions{Train: 30, Test: 10})
	require.NoError(t, err)
	space := backtest.Space{{Name: "x", Min: 1, Max: 3, Integer: true}}
	walk := func(train, test float64, minimize bool) float64 {
		r, err := backtest.WalkForward(t.Context(), windows, space, func(from, to time.Time) backtest.Objective {
			return func(context.Context, *backtest.Attempt) (backtest.Outcome, error) {
				if to.Sub(from) > 20*24*time.Hour {
					return backtest.Outcome{Value: train}, nil
				}
				return backtest.Outcome{Value: test}, nil
			}
		}, backtest.SearchOptions{Minimize: minimize})
		require.NoError(t, err)
		require.Len(t, r.Steps, 3)
		return float64(r.Efficiency)
	}
	assert.Equal(t, 0.25, walk(2, 0.5, false))
	assert.Equal(t, -0.5, walk(2, -1, false))
	assert.True(t, math.IsNaN(walk(-1, -2, false)), "twice the loss is not twice as good")
	assert.True(t, math.IsNaN(walk(0.2, 0.4, true)), "twice the drawdown neither")
}

// A metric may be named by its title, as everywhere else.
func TestASearchTakesMetricsByTheirTitles(t *testing.T) {
	bars := waves(300)
	best := map[string]string{}
	for _, metric := range []string{"return_pct", "Return [%]", "RETURN_PCT"} {
		space, of, opts := searchOver(t, bars, backtest.Request{Ranges: []string{"fast=2..6:2", "slow=10..20:10"}, Metric: metric})
		of.Keep = []string{"# Trades"}
		objective, err := of.Objective(time.Time{}, time.Time{})
		require.NoError(t, err)
		result, err := backtest.Search(t.Context(), space, objective, opts)
		require.NoError(t, err)
		require.NotNil(t, result.Best(), metric)
		text, err := json.Marshal(result.Best())
		require.NoError(t, err)
		best[string(text)] = metric
		require.Len(t, result.Best().Metrics, 1)
	}
	assert.Len(t, best, 1)
}

// A trial does not depend on the one that had its memory before: each is what a run
// of its own is.
func TestTrialsOfASearchAreRunsOfTheirOwn(t *testing.T) {
	bars := waves(700)
	space, of, opts := searchOver(t, bars, backtest.Request{Ranges: []string{"fast=2..8:3", "slow=10..40:15"}, Workers: 2, Metric: "calmar_ratio"})
	of.Keep = []string{"max_drawdown_pct", "beta", "sharpe_simple", "backtrader.vwr", "trades", "lean.estimated_capacity", "lean.portfolio_turnover"}
	for _, span := range [][2]int{{0, 699}, {50, 300}, {20, 699}} { // a shorter one in between
		from, to := bars[span[0]].Time, bars[span[1]].Time
		objective, err := of.Objective(from, to)
		require.NoError(t, err)
		result, err := backtest.Search(t.Context(), space, objective, opts)
		require.NoError(t, err)
		for _, trial := range result.Trials {
			require.Empty(t, trial.Error)
			params, err := trial.Params.JSON(of.Options.Accounts[0].Params)
			require.NoError(t, err)
			alone := of.Options
			alone.From, alone.To = from, to
			made, err := of.Definition.New(params)
			require.NoError(t, err)
			alone.Accounts = []backtest.Account{alone.Accounts[0]}
			alone.Accounts[0].Strategy = made
			r, err := backtest.Run(t.Context(), alone)
			require.NoError(t, err)
			want, err := r.Metrics(nil)
			require.NoError(t, err)
			same := func(name string, got float64) {
				if x := want.Value(name); x != got && !(math.IsNaN(x) && math.IsNaN(got)) {
					t.Errorf("%s of %s: %v, alone %v", name, trial.Params, got, x)
				}
			}
			same("calmar_ratio", float64(trial.Value))
			for _, m := range trial.Metrics {
				same(m.Name, float64(m.Value))
			}
		}
	}
}
