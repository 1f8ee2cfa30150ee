package backtest

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

// A Window is a span to learn from and the one after it to be tested on. Ends are
// exclusive.
type Window struct {
	TrainFrom time.Time `json:"train_from"`
	TrainTo   time.Time `json:"train_to"`
	TestFrom  time.Time `json:"test_from"`
	TestTo    time.Time `json:"test_to"`
}

// WindowOptions divide time for a walk forward, counted in bars.
type WindowOptions struct {
	Train int // bars to learn from; required
	Test  int // bars to test on; required
	Step  int // bars from one window to the next; default Test, so that tests do not overlap
	// Gap leaves out so many bars between learning and test.
	Gap int
	// Anchored learns from the beginning each time, at least Train bars.
	Anchored bool
}

// Windows divides the times of bars. A last test that is shorter is kept when it has
// at least half of its bars. The error is a *[FieldError].
func Windows(times []time.Time, o WindowOptions) ([]Window, error) {
	n := len(times)
	if o.Step == 0 {
		o.Step = o.Test
	}
	switch {
	case o.Train < 1:
		return nil, invalid.Field("Train", o.Train, "a positive number of bars")
	case o.Test < 1:
		return nil, invalid.Field("Test", o.Test, "a positive number of bars")
	case o.Step < 1:
		return nil, invalid.Field("Step", o.Step, "a positive number of bars")
	case o.Gap < 0:
		return nil, invalid.Field("Gap", o.Gap, "no negative number of bars")
	case o.Train+o.Gap+(o.Test+1)/2 > n:
		return nil, invalid.Fieldf("Train", o.Train, "fewer bars: there are %d, and the test needs %d", n, o.Gap+o.Test)
	}
	end := func(i int) time.Time {
		if i < n {
			return times[i]
		}
		if n > 1 { // a bar later
			return times[n-1].Add(max(times[n-1].Sub(times[n-2]), time.Nanosecond))
		}
		return times[n-1].Add(24 * time.Hour)
	}
	var out []Window
	for at := o.Train; ; at += o.Step {
		from := at + o.Gap
		to := min(from+o.Test, n)
		if to-from < (o.Test+1)/2 {
			return out, nil
		}
		first := at - o.Train
		if o.Anchored {
			first = 0
		}
		out = append(out, Window{times[first], end(at), times[from], end(to)})
	}
}

// A WalkStep is one window of a walk forward.
type WalkStep struct {
	Window
	// Params are the best of the learning span, InSample how good they were there and
	// OutOfSample in the test. Both are null when there was none.
	Params      Params       `json:"params,omitempty"`
	InSample    market.Float `json:"in_sample"`
	OutOfSample market.Float `json:"out_of_sample"`
	Error       string       `json:"error,omitempty"`

	Search  *SearchResult `json:"-"`
	Outcome Outcome       `json:"-"`
}

// A WalkResult is a walk forward.
type WalkResult struct {
	Steps []WalkStep `json:"steps"`
	// Returns are those of all tests, one after the other, and PerYear how many are in
	// a year.
	Returns []float64 `json:"-"`
	PerYear float64   `json:"-"`
	// Sharpe is their annual ratio, and Return what they compound to.
	Sharpe market.Float `json:"sharpe"`
	Return market.Float `json:"return"`
	// Efficiency is the mean value in the tests over the mean value in learning: 1 when
	// nothing was lost, 0 or less when all was. It says so of values that do not grow
	// with the length of time, such as ratios and annual returns, and is null when the
	// value in learning is not positive, or is one of which less is better.
	Efficiency market.Float `json:"efficiency"`
	// Positive is the share of tests with a positive return.
	Positive market.Float `json:"positive"`
	Stopped  string       `json:"stopped,omitempty"`
}

// WalkForward searches in each window's learning span and tries the best setting in
// its test, whose data the search has not seen (Pardo 2008, "The Evaluation and
// Optimization of Trading Strategies"). Objective makes what tries settings in a
// span; searches are those of opts, with a seed for each window.
//
// When ctx ends, the windows that were finished are returned. Otherwise the error
// is a *[FieldError].
func WalkForward(ctx context.Context, windows []Window, space Space, objective func(from, to time.Time) Objective, opts SearchOptions) (*WalkResult, error) {
	if len(windows) == 0 {
		return nil, invalid.Missing("windows", "at least one window: see Windows")
	}
	if objective == nil {
		return nil, invalid.Missing("objective", "a function that makes objectives")
	}
	out := &WalkResult{}
	told := opts.Progress
	for i, w := range windows {
		o := opts
		o.Seed = mix(opts.Seed, uint64(i))
		if told != nil {
			o.Progress = func(p Progress) {
				// Each window is an equal part of the whole.
				whole := (float64(i) + p.Done) / float64(len(windows))
				told(Progress{Done: whole, Now: w.TestFrom, Elapsed: p.Elapsed, Left: time.Duration(float64(p.Left) + float64(p.Elapsed+p.Left)*float64(len(windows)-i-1)), Value: math.NaN()})
			}
		}
		step := WalkStep{Window: w, InSample: market.Float(math.NaN()), OutOfSample: market.Float(math.NaN())}
		found, err := Search(ctx, space, objective(w.TrainFrom, w.TrainTo), o)
		if err != nil {
			return nil, err
		}
		if found.Stopped != "" {
			out.Stopped = found.Stopped
			break
		}
		step.Search = found
		if best := found.Best(); best != nil {
			step.Params, step.InSample = best.Params, best.Value
			test, err := objective(w.TestFrom, w.TestTo)(ctx, &Attempt{Number: best.Number, Params: best.Params, Seed: mix(opts.Seed, uint64(best.Number))})
			if ctx.Err() != nil {
				out.Stopped = "cancelled"
				break
			}
			if err != nil {
				step.Error = err.Error()
			} else {
				step.Outcome, step.OutOfSample = test, finite(test.Value)
				out.Returns = append(out.Returns, test.Returns...)
				out.PerYear = test.PerYear
			}
		} else {
			step.Error = fmt.Sprintf("none of %d trials was finished", len(found.Trials))
		}
		out.Steps = append(out.Steps, step)
	}
	out.count(opts.Minimize)
	return out, nil
}

// count sums the steps up.
func (w *WalkResult) count(minimize bool) {
	if w.PerYear == 0 {
		w.PerYear = 252
	}
	w.Sharpe = finite(Sharpe(w.Returns, 0) * math.Sqrt(w.PerYear))
	worth := 1.0
	for _, r := range w.Returns {
		worth *= 1 + r
	}
	w.Return = market.Float(worth - 1)
	var in, after []float64
	positive, tests := 0, 0
	for _, s := range w.Steps {
		if !math.IsNaN(float64(s.InSample)) && !math.IsNaN(float64(s.OutOfSample)) {
			in, after = append(in, float64(s.InSample)), append(after, float64(s.OutOfSample))
		}
		if s.Outcome.Returns == nil {
			continue
		}
		tests++
		worth := 1.0
		for _, r := range s.Outcome.Returns {
			worth *= 1 + r
		}
		if worth > 1 {
			positive++
		}
	}
	w.Efficiency = market.Float(math.NaN())
	if before := mean(in); before > 0 && !minimize {
		w.Efficiency = finite(mean(after) / before)
	}
	w.Positive = finite(float64(positive) / float64(tests))
}

// ValidationOptions set a cross-validation of a search. The zero value works.
type ValidationOptions struct {
	Folds int // default 6
	// Tested is how many folds are tested at a time; default 1. With 2 of 6 there are
	// 15 splits.
	Tested int
	// Horizon is for how many periods an observation lasts, such as how long trades are
	// open: what overlaps the test is not learnt from. Embargo leaves out so many
	// periods after it in addition.
	Horizon, Embargo int
}

// A ValidationResult is how the best setting of what was learnt from did in what was
// tested, for each split.
type ValidationResult struct {
	Splits []ValidationSplit `json:"splits"`
	// InSample and OutOfSample are mean Sharpe ratios a year.
	InSample    market.Float `json:"in_sample"`
	OutOfSample market.Float `json:"out_of_sample"`
	// Positive is the share of splits with a positive ratio in the test.
	Positive market.Float `json:"positive"`
}

// A ValidationSplit is one of them.
type ValidationSplit struct {
	Tested      []int        `json:"tested"` // folds
	Learnt      int          `json:"learnt"` // periods
	Trial       int          `json:"trial"`
	Params      Params       `json:"params"`
	InSample    market.Float `json:"in_sample"`
	OutOfSample market.Float `json:"out_of_sample"`
}

// CrossValidate chooses the best trial of a search by a part of time, by its Sharpe
// ratio, and looks at it in the rest, with purging and embargo: see
// [CrossValidation]. Trials need returns of the same periods. The error is a
// *[FieldError].
func (r *SearchResult) CrossValidate(opts *ValidationOptions) (*ValidationResult, error) {
	o := ValidationOptions{}
	if opts != nil {
		o = *opts
	}
	if o.Folds == 0 {
		o.Folds = 6
	}
	if o.Tested == 0 {
		o.Tested = 1
	}
	if o.Horizon < 0 || o.Embargo < 0 {
		return nil, invalid.Field("Horizon", o.Horizon, "no negative number of periods")
	}
	var trials []*Trial
	for i := range r.Trials {
		if t := &r.Trials[i]; t.Finished() && len(t.Returns) > 0 && (len(trials) == 0 || len(trials[0].Returns) == len(t.Returns)) {
			trials = append(trials, t)
		}
	}
	if len(trials) < 2 {
		return nil, invalid.Field("trials", len(trials), "at least two finished trials with returns of the same periods")
	}
	n := len(trials[0].Returns)
	cv := CrossValidation{Begin: make([]time.Time, n), End: make([]time.Time, n), Folds: o.Folds, Embargo: time.Duration(o.Embargo) * time.Hour}
	for i := range n {
		// Periods are counted as hours of an imagined clock.
		cv.Begin[i] = time.Unix(int64(i)*3600, 0)
		cv.End[i] = cv.Begin[i].Add(time.Duration(o.Horizon)*time.Hour + time.Minute)
	}
	splits, err := cv.Combinatorial(o.Tested)
	if err != nil {
		return nil, err
	}
	annual := math.Sqrt(trials[0].PerYear)
	ratio := func(t *Trial, at []int) float64 {
		x := make([]float64, len(at))
		for k, i := range at {
			x[k] = t.Returns[i]
		}
		return Sharpe(x, 0) * annual
	}
	out := &ValidationResult{}
	var in, after []float64
	for _, s := range splits {
		var best *Trial
		highest := math.Inf(-1)
		for _, t := range trials {
			if v := ratio(t, s.Train); v > highest {
				best, highest = t, v
			}
		}
		if best == nil {
			continue
		}
		tested := ratio(best, s.Test)
		if math.IsNaN(tested) {
			tested = 0 // it did not trade
		}
		out.Splits = append(out.Splits, ValidationSplit{s.Groups, len(s.Train), best.Number, best.Params, finite(highest), finite(tested)})
		in, after = append(in, highest), append(after, tested)
	}
	out.InSample, out.OutOfSample = finite(mean(in)), finite(mean(after))
	out.Positive = finite(count(after, func(v float64) bool { return v > 0 }) / float64(len(after)))
	return out, nil
}
