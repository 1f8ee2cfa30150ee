package backtest_test

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/strategy"
	"github.com/ttai-go/ttai/strategy/backtest"
)

func plane() backtest.Space {
	return backtest.Space{{Name: "x", Min: -5, Max: 5}, {Name: "y", Min: -5, Max: 5}}
}

// bowl is best at x = 1, y = -2.
func bowl(_ context.Context, t *backtest.Attempt) (backtest.Outcome, error) {
	x, y := t.Params["x"].(float64), t.Params["y"].(float64)
	return backtest.Outcome{Value: -(x-1)*(x-1) - (y+2)*(y+2)}, nil
}

func TestAGridTriesEverySettingOnce(t *testing.T) {
	space := backtest.Space{
		{Name: "fast", Min: 5, Max: 20, Step: 5, Integer: true}, {Name: "lots", Min: 1, Max: 8, Step: 2, Log: true, Integer: true},
		{Name: "kind", Choices: []any{"put", "call"}}, {Name: "stop", Min: 0.1, Max: 0.3, Step: 0.1},
	}
	size, ok := space.Size()
	require.True(t, ok)
	require.Equal(t, 4.0*4*2*3, size)
	seen := map[string]bool{}
	result, err := backtest.Search(t.Context(), space, func(_ context.Context, a *backtest.Attempt) (backtest.Outcome, error) {
		return backtest.Outcome{Value: float64(a.Number)}, nil
	}, backtest.SearchOptions{})
	require.NoError(t, err)
	require.Len(t, result.Trials, 96)
	for i, trial := range result.Trials {
		assert.Equal(t, i, trial.Number)
		seen[trial.Params.String()] = true
	}
	assert.Len(t, seen, 96)
	assert.Equal(t, "fast=5 kind=put lots=1 stop=0.1", result.Trials[0].Params.String())
	assert.Equal(t, "fast=5 kind=put lots=1 stop=0.2", result.Trials[1].Params.String(), "the last changes fastest")
	assert.Equal(t, "fast=20 kind=call lots=8 stop=0.3", result.Trials[95].Params.String())
	assert.Equal(t, 95, result.Best().Number)
}

func TestTheSameSeedFindsTheSameForAnyNumberOfWorkers(t *testing.T) {
	for _, method := range []backtest.Method{backtest.Random, backtest.TPE} {
		for _, pruner := range []backtest.Pruner{nil, backtest.MedianPruner{}, backtest.Halving{}} {
			first := ""
			for _, workers := range []int{1, 2, 5, 40} {
				var order []int
				result, err := backtest.Search(t.Context(), plane(), func(ctx context.Context, a *backtest.Attempt) (backtest.Outcome, error) {
					out, _ := bowl(ctx, a)
					for stage := 1; stage <= 9; stage++ {
						if err := a.Report(stage, out.Value-float64(10-stage)); err != nil {
							return backtest.Outcome{}, err
						}
					}
					return out, nil
				}, backtest.SearchOptions{Method: method, Trials: 60, Seed: 7, Workers: workers, Pruner: pruner, Observe: func(t backtest.Trial) { order = append(order, t.Number) }})
				require.NoError(t, err)
				require.Len(t, result.Trials, 60)
				for i, n := range order {
					require.Equal(t, i, n, "trials are told in their order")
				}
				require.Len(t, order, 60)
				trials, err := json.Marshal(result.Trials)
				require.NoError(t, err)
				if first == "" {
					first = string(trials)
				}
				require.Equal(t, first, string(trials), "%s, %T, %d workers", method, pruner, workers)
			}
		}
	}
}

func TestTPEFindsWhatRandomMisses(t *testing.T) {
	better := 0
	for seed := range uint64(10) {
		best := map[backtest.Method]float64{}
		for _, method := range []backtest.Method{backtest.Random, backtest.TPE} {
			result, err := backtest.Search(t.Context(), plane(), bowl, backtest.SearchOptions{Method: method, Trials: 80, Seed: seed})
			require.NoError(t, err)
			best[method] = float64(result.Best().Value)
		}
		if best[backtest.TPE] > best[backtest.Random] {
			better++
		}
	}
	assert.GreaterOrEqual(t, better, 8, "of 10 searches")
}

func TestTPEInAFiniteSpaceTriesNothingTwiceAndEnds(t *testing.T) {
	space := backtest.Space{{Name: "n", Min: 1, Max: 6, Integer: true}, {Name: "kind", Choices: []any{"a", "b"}}}
	result, err := backtest.Search(t.Context(), space, func(_ context.Context, a *backtest.Attempt) (backtest.Outcome, error) {
		return backtest.Outcome{Value: float64(a.Params["n"].(int64))}, nil
	}, backtest.SearchOptions{Method: backtest.TPE, Trials: 50, Startup: 4, Batch: 3})
	require.NoError(t, err)
	seen := map[string]bool{}
	for _, trial := range result.Trials {
		assert.False(t, seen[trial.Params.String()], trial.Params)
		seen[trial.Params.String()] = true
	}
	assert.Len(t, result.Trials, 12)
	assert.Equal(t, int64(6), result.Best().Params["n"])
}

func TestHalvingKeepsTheBestThirdOfEachBatch(t *testing.T) {
	space := backtest.Space{{Name: "n", Min: 0, Max: 26, Integer: true}}
	var finished atomic.Int64
	result, err := backtest.Search(t.Context(), space, func(_ context.Context, a *backtest.Attempt) (backtest.Outcome, error) {
		v := float64(a.Params["n"].(int64))
		for stage := 1; stage <= 9; stage++ {
			if err := a.Report(stage, v); err != nil {
				return backtest.Outcome{}, err
			}
		}
		finished.Add(1)
		return backtest.Outcome{Value: v}, nil
	}, backtest.SearchOptions{Pruner: backtest.Halving{}, Workers: 2})
	require.NoError(t, err)
	ended := map[int]int{}
	for _, trial := range result.Trials {
		ended[trial.Stage]++
		assert.Equal(t, trial.Number < 26, trial.Pruned)
	}
	// 27 begin; 9 are left after stage 1, 3 after stage 3, 1 after stage 9.
	assert.Equal(t, map[int]int{1: 18, 3: 6, 9: 3}, ended)
	assert.Equal(t, int64(1), finished.Load())
}

func TestMedianPrunerEndsWhatIsBelowTheMedianOfEarlierBatches(t *testing.T) {
	space := backtest.Space{{Name: "n", Min: 0, Max: 39, Integer: true}}
	order := func(_ context.Context, a *backtest.Attempt) (backtest.Outcome, error) {
		v := float64(a.Number % 10)
		if err := a.Report(1, v); err != nil {
			return backtest.Outcome{}, err
		}
		return backtest.Outcome{Value: v}, nil
	}
	result, err := backtest.Search(t.Context(), space, order, backtest.SearchOptions{Pruner: backtest.MedianPruner{}, Batch: 10})
	require.NoError(t, err)
	for _, trial := range result.Trials {
		// The first batch has nothing to be compared with; the median of 0..9 is 4.5.
		assert.Equal(t, trial.Number >= 10 && trial.Number%10 < 5, trial.Pruned, "trial %d", trial.Number)
	}
	smallest, err := backtest.Search(t.Context(), space, order, backtest.SearchOptions{Pruner: backtest.MedianPruner{}, Batch: 10, Minimize: true})
	require.NoError(t, err)
	assert.True(t, smallest.Trials[19].Pruned)
	assert.False(t, smallest.Trials[10].Pruned)
	assert.Equal(t, 0, smallest.Best().Number)
}

func TestACancelledSearchKeepsWhatItHas(t *testing.T) {
	for _, pruner := range []backtest.Pruner{nil, backtest.Halving{}} {
		ctx, cancel := context.WithCancel(t.Context())
		var began atomic.Int64
		result, err := backtest.Search(ctx, plane(), func(ctx context.Context, a *backtest.Attempt) (backtest.Outcome, error) {
			if began.Add(1) > 20 {
				cancel()
				<-ctx.Done()
				return backtest.Outcome{}, ctx.Err()
			}
			return bowl(ctx, a)
		}, backtest.SearchOptions{Method: backtest.Random, Trials: 100, Workers: 2, Pruner: pruner})
		cancel()
		require.NoError(t, err)
		assert.Equal(t, "cancelled", result.Stopped)
		assert.GreaterOrEqual(t, len(result.Trials), 19)
		assert.LessOrEqual(t, len(result.Trials), 20)
		assert.NotNil(t, result.Best())
	}
}

func TestAFailedTrialIsNoFailedSearch(t *testing.T) {
	space := backtest.Space{{Name: "n", Min: 0, Max: 3, Integer: true}}
	result, err := backtest.Search(t.Context(), space, func(_ context.Context, a *backtest.Attempt) (backtest.Outcome, error) {
		switch a.Number {
		case 0:
			return backtest.Outcome{}, errors.New("no data")
		case 1:
			panic("a defect")
		case 2:
			return backtest.Outcome{Value: math.NaN()}, nil
		}
		return backtest.Outcome{Value: 1}, nil
	}, backtest.SearchOptions{})
	require.NoError(t, err)
	assert.Equal(t, "no data", result.Trials[0].Error)
	assert.Contains(t, result.Trials[1].Error, "a defect in the strategy")
	assert.Equal(t, 3, result.Best().Number)
	assert.Len(t, result.Ranked(), 1)
}

func TestProgressOfASearchTellsTheTimeThatIsLeft(t *testing.T) {
	clock := steppingClock{step: time.Second}
	var seen []backtest.Progress
	_, err := backtest.Search(t.Context(), backtest.Space{{Name: "n", Min: 1, Max: 4, Integer: true}}, func(context.Context, *backtest.Attempt) (backtest.Outcome, error) {
		return backtest.Outcome{Value: 1}, nil
	}, backtest.SearchOptions{Workers: 1, Clock: &clock, Progress: func(p backtest.Progress) { seen = append(seen, p) }})
	require.NoError(t, err)
	require.Len(t, seen, 4)
	assert.Equal(t, 0.25, seen[0].Done)
	assert.Equal(t, time.Second, seen[0].Elapsed)
	assert.Equal(t, 3*time.Second, seen[0].Left)
	assert.Zero(t, seen[3].Left)
}

func TestRangesAsPeopleWriteThem(t *testing.T) {
	params := []strategy.Param{{Name: "fast", Type: "integer", Min: 1, Max: 100}, {Name: "stop", Type: "number", Min: 0, Max: 1}, {Name: "kind", Type: "string"}}
	for text, want := range map[string]backtest.Dimension{
		"fast=5..50:5":    {Name: "fast", Min: 5, Max: 50, Step: 5, Integer: true},
		"fast=5..50":      {Name: "fast", Min: 5, Max: 50, Integer: true},
		"fast=1..8:x2":    {Name: "fast", Min: 1, Max: 8, Step: 2, Log: true, Integer: true},
		"stop=0.01..0.10": {Name: "stop", Min: 0.01, Max: 0.1},
		"kind=put,call":   {Name: "kind", Choices: []any{"put", "call"}},
		"fast=5,10":       {Name: "fast", Choices: []any{int64(5), int64(10)}},
	} {
		got, err := backtest.ParseDimension(text, params)
		require.NoError(t, err, text)
		assert.Equal(t, want, got, text)
	}
	for text, says := range map[string]string{
		"fast":          "name=from..to",
		"fast=5..":      "name=from..to",
		"fast=50..5":    "smaller",
		"fast=5..500":   "1 to 100",
		"fast=1.5..3":   "whole number",
		"slow=1..2":     "fast, stop, kind",
		"fast=5..50:-1": "name=from..to",
		"fast=0..8:x2":  "1 to 100",
	} {
		_, err := backtest.ParseDimension(text, params)
		var field *backtest.FieldError
		require.ErrorAs(t, err, &field, text)
		assert.ErrorContains(t, err, says, text)
	}
}

func TestSearchRefusesWhatItCannotDo(t *testing.T) {
	nothing := func(context.Context, *backtest.Attempt) (backtest.Outcome, error) { return backtest.Outcome{}, nil }
	steps := backtest.Space{{Name: "n", Min: 0, Max: 9, Step: 1}}
	for _, test := range []struct {
		space backtest.Space
		opts  backtest.SearchOptions
		says  string
	}{
		{nil, backtest.SearchOptions{}, "space"},
		{plane(), backtest.SearchOptions{}, "random or tpe"},
		{steps, backtest.SearchOptions{Trials: 5}, "at least 10"},
		{steps, backtest.SearchOptions{Method: "genetic"}, "grid, random or tpe"},
		{backtest.Space{steps[0], steps[0]}, backtest.SearchOptions{}, "once"},
		{backtest.Space{{Name: "n", Min: math.NaN(), Max: 1}}, backtest.SearchOptions{}, "range"},
		{backtest.Space{{Name: "n", Min: 0, Max: 1, Log: true}}, backtest.SearchOptions{}, "positive"},
		{steps, backtest.SearchOptions{Pruner: backtest.Halving{Factor: 1}}, "factor"},
		{steps, backtest.SearchOptions{Batch: -1}, "Batch"},
	} {
		_, err := backtest.Search(t.Context(), test.space, nothing, test.opts)
		var field *backtest.FieldError
		require.ErrorAs(t, err, &field, test.says)
		assert.ErrorContains(t, err, test.says)
	}
	_, err := backtest.Search(t.Context(), steps, nil, backtest.SearchOptions{})
	assert.ErrorContains(t, err, "objective")
}

// luck gives each trial returns without skill, and trial 7 some when there is any.
func luck(skill float64, n int) backtest.Objective {
	return func(_ context.Context, a *backtest.Attempt) (backtest.Outcome, error) {
		extra := 0.0
		if a.Number == 7 {
			extra = skill
		}
		returns := normals(uint64(a.Number), n, extra)
		for i := range returns {
			returns[i] *= 0.01
		}
		sample := backtest.SampleSharpe(returns)
		return backtest.Outcome{Value: sample.Sharpe, Returns: returns, Trades: 100}, nil
	}
}

func TestASearchWiderThanTheDataIsWarnedOf(t *testing.T) {
	space := backtest.Space{{Name: "n", Min: 0, Max: 199, Integer: true}}
	result, err := backtest.Search(t.Context(), space, luck(0, 150), backtest.SearchOptions{})
	require.NoError(t, err)
	a, err := result.Assess(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 200, a.Trials)
	assert.InDelta(t, 200, float64(a.Effective), 40)
	assert.Greater(t, float64(a.Probabilistic), 0.95, "by itself it looks sure")
	assert.Less(t, float64(a.Deflated), 0.95, "after 200 trials it does not")
	assert.Greater(t, float64(a.MinYears), float64(a.Years)*0.7)
	assert.InDelta(t, 0.5, float64(a.Overfitting), 0.35)
	text := ""
	for _, w := range a.Warnings {
		text += w + "\n"
	}
	assert.Regexp(t, `After 200 trials|no evidence of skill`, text)
	assert.Contains(t, text, "More settings were tried (200) than there are observations (150)")
}

func TestASearchThatFindsSkillIsNotWarnedOf(t *testing.T) {
	space := backtest.Space{{Name: "n", Choices: []any{"a", "b", "c", "d", "e", "f", "g", "h"}}}
	result, err := backtest.Search(t.Context(), space, luck(0.25, 1500), backtest.SearchOptions{})
	require.NoError(t, err)
	a, err := result.Assess(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 7, result.Best().Number)
	assert.Greater(t, float64(a.Deflated), 0.99)
	assert.Less(t, float64(a.Overfitting), 0.05)
	assert.Empty(t, a.Warnings)
	assert.Less(t, float64(a.SharpeLow), float64(a.Sharpe))
}

func TestTheEndOfARangeAndFewTradesAreWarnedOf(t *testing.T) {
	result, err := backtest.Search(t.Context(), backtest.Space{{Name: "n", Min: 1, Max: 5, Integer: true}}, func(_ context.Context, a *backtest.Attempt) (backtest.Outcome, error) {
		return backtest.Outcome{Value: float64(a.Number), Trades: 4}, nil
	}, backtest.SearchOptions{})
	require.NoError(t, err)
	a, err := result.Assess(t.Context())
	require.NoError(t, err)
	require.Len(t, a.Warnings, 2)
	assert.Contains(t, a.Warnings[0], "end of its range")
	assert.Contains(t, a.Warnings[1], "(4)")
}

func TestWindowsOfAWalkForward(t *testing.T) {
	times := days(10)
	windows, err := backtest.Windows(times, backtest.WindowOptions{Train: 4, Test: 2, Gap: 1})
	require.NoError(t, err)
	require.Len(t, windows, 3)
	assert.Equal(t, backtest.Window{TrainFrom: times[0], TrainTo: times[4], TestFrom: times[5], TestTo: times[7]}, windows[0])
	assert.Equal(t, backtest.Window{TrainFrom: times[2], TrainTo: times[6], TestFrom: times[7], TestTo: times[9]}, windows[1])
	assert.Equal(t, times[9], windows[2].TestFrom, "half a test is kept")
	assert.True(t, windows[2].TestTo.After(times[9]))
	anchored, err := backtest.Windows(times, backtest.WindowOptions{Train: 4, Test: 3, Anchored: true})
	require.NoError(t, err)
	for _, w := range anchored {
		assert.Equal(t, times[0], w.TrainFrom)
		assert.False(t, w.TestFrom.Before(w.TrainTo))
	}
	_, err = backtest.Windows(times, backtest.WindowOptions{Train: 10, Test: 2})
	assert.ErrorContains(t, err, "Train")
	_, err = backtest.Windows(times, backtest.WindowOptions{Train: 2})
	assert.ErrorContains(t, err, "Test")
}

func TestWalkForwardTestsOnWhatTheSearchHasNotSeen(t *testing.T) {
	times := days(40)
	windows, err := backtest.Windows(times, backtest.WindowOptions{Train: 10, Test: 5})
	require.NoError(t, err)
	var mu sync.Mutex
	spans := map[time.Time]int{}
	// A setting is as good as it is near to the month's day at which its span begins.
	objective := func(from, to time.Time) backtest.Objective {
		return func(_ context.Context, a *backtest.Attempt) (backtest.Outcome, error) {
			mu.Lock()
			spans[from]++
			mu.Unlock()
			n := float64(a.Params["n"].(int64))
			v := -math.Abs(n - float64(from.YearDay()))
			return backtest.Outcome{Value: v, Returns: []float64{v / 1000, 0.002}}, nil
		}
	}
	walk, err := backtest.WalkForward(t.Context(), windows, backtest.Space{{Name: "n", Min: 1, Max: 40, Integer: true}}, objective, backtest.SearchOptions{})
	require.NoError(t, err)
	require.Len(t, walk.Steps, 6)
	for i, step := range walk.Steps {
		assert.Equal(t, int64(step.TrainFrom.YearDay()), step.Params["n"], "the best of the learning span")
		assert.Zero(t, step.InSample)
		assert.Equal(t, -10.0, float64(step.OutOfSample), "ten days later it is off by ten")
		assert.GreaterOrEqual(t, spans[windows[i].TrainFrom], 40)
	}
	assert.Len(t, walk.Returns, 12, "two of each test, one after the other")
	assert.InDelta(t, math.Pow(0.99*1.002, 6)-1, float64(walk.Return), 1e-12)
	assert.Zero(t, walk.Positive)
}

func TestCrossValidationOfASearchChoosesByWhatItLearns(t *testing.T) {
	// Trial 0 earns in the first half, trial 1 in the second, trial 2 a little always.
	returns := [3][]float64{}
	for i := range 120 {
		noise := 0.0001 * float64(i%3-1)
		first, second := -0.01, 0.01
		if i < 60 {
			first, second = second, first
		}
		for k, v := range []float64{first, second, 0.001} {
			returns[k] = append(returns[k], v+noise)
		}
	}
	result, err := backtest.Search(t.Context(), backtest.Space{{Name: "n", Min: 0, Max: 2, Integer: true}}, func(_ context.Context, a *backtest.Attempt) (backtest.Outcome, error) {
		return backtest.Outcome{Value: 1, Returns: returns[a.Number]}, nil
	}, backtest.SearchOptions{})
	require.NoError(t, err)
	v, err := result.CrossValidate(&backtest.ValidationOptions{Folds: 6, Horizon: 2, Embargo: 3})
	require.NoError(t, err)
	require.Len(t, v.Splits, 6)
	for _, s := range v.Splits {
		assert.Equal(t, 2, s.Trial, "what earns always is best in any part")
	}
	// 120 - 20 tested; in the middle 2 before (their horizon reaches in), 3 + 2 after.
	assert.Equal(t, 93, v.Splits[2].Learnt)
	assert.Equal(t, 1.0, float64(v.Positive))
	pairs, err := result.CrossValidate(&backtest.ValidationOptions{Folds: 6, Tested: 2})
	require.NoError(t, err)
	assert.Len(t, pairs.Splits, 15)
}

// steppingClock moves on whenever it is read.
type steppingClock struct {
	now  time.Time
	step time.Duration
}

func (c *steppingClock) Now() time.Time {
	c.now = c.now.Add(c.step)
	return c.now
}

func (c *steppingClock) NewTimer(d time.Duration) market.Timer {
	return market.SystemClock().NewTimer(d)
}
