package backtest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

// A Method says how a search chooses what to try.
type Method string

// The methods.
const (
	// Grid tries every setting of the space, in its order.
	Grid Method = "grid"
	// Random draws settings evenly from the space (Bergstra and Bengio 2012).
	Random Method = "random"
	// TPE draws at random first and then where good settings are denser than others:
	// tree-structured Parzen estimators, one dimension at a time (Bergstra, Bardenet,
	// Bengio and Kégl 2011).
	TPE Method = "tpe"
)

// ErrPruned ends a trial that is not worth to be finished.
var ErrPruned = errors.New("the trial was ended: others did better by then")

// An Objective tries a setting and says how good it is. It is called by several
// goroutines. It should report how good the setting looks on the way, and return
// [ErrPruned] when it is told to stop. Any other error but that of ctx makes the
// trial a failed one.
type Objective func(ctx context.Context, t *Attempt) (Outcome, error)

// An Attempt is one setting to be tried.
type Attempt struct {
	Number int // from 0
	Params Params
	// Seed is the trial's own, made of the search's and its number.
	Seed uint64

	report func(stage int, value float64) error
}

// Report says how good the setting looks after a stage: 1, 2, … the same part of
// the work in each trial. It returns [ErrPruned] when the trial is to end. With a
// pruner that compares trials of a batch it waits for the others.
func (a *Attempt) Report(stage int, value float64) error {
	if a.report == nil {
		return nil
	}
	return a.report(stage, value)
}

// An Outcome is how good a setting is.
type Outcome struct {
	// Value is what is searched for: more is better, unless the search minimises.
	// NaN cannot be compared and is the worst.
	Value float64
	// Returns are those of periods, the same ones in each trial; with them a search
	// can say how much of the best is chance.
	Returns []float64
	// PerYear is how many of those periods are in a year; 0: 252.
	PerYear float64
	// Metrics and Trades are kept with the trial, if any.
	Metrics Metrics
	Trades  int
}

// SearchOptions set a search. The zero value is a grid on all processors.
type SearchOptions struct {
	Method Method // default Grid
	// Trials is how many settings are tried; for Grid at most so many are allowed.
	// Default 100, for Grid 10,000.
	Trials int
	// Seed makes what is random. The same seed gives the same search, however many
	// workers there are.
	Seed    uint64
	Workers int // 0: one for each processor
	// Minimize looks for the smallest value.
	Minimize bool
	// Pruner ends trials early; nil: none.
	Pruner Pruner
	// Batch is how many trials are chosen at a time, from what the earlier batches
	// found, and compared by a pruner. Default 8 for TPE, 27 with a pruner.
	Batch int
	// Startup is how many trials TPE draws at random first; default 10.
	Startup int
	// Observe is told of each trial, in the order of their numbers. Progress tells how
	// far the search is. Both are called by one goroutine at a time.
	Observe  func(Trial)
	Progress func(Progress)
	Clock    market.Clock // for Progress; nil: the system's
}

// A Trial is a setting that was tried.
type Trial struct {
	Number  int          `json:"number"`
	Params  Params       `json:"params"`
	Value   market.Float `json:"value"` // null when it failed or was pruned
	Pruned  bool         `json:"pruned,omitempty"`
	Stage   int          `json:"stage,omitempty"` // the last that was reported
	Error   string       `json:"error,omitempty"`
	Metrics Metrics      `json:"metrics,omitempty"`
	Trades  int          `json:"trades,omitempty"`

	// Returns are those of periods; PerYear of them are in a year.
	Returns []float64 `json:"-"`
	PerYear float64   `json:"-"`

	reports   []float64 // by stage, from 1; NaN where nothing was said
	cancelled bool
}

// Finished tells whether the trial has a value.
func (t *Trial) Finished() bool { return !t.Pruned && t.Error == "" && !math.IsNaN(float64(t.Value)) }

// A SearchResult is what a search found.
type SearchResult struct {
	Method   Method
	Seed     uint64
	Space    Space
	Minimize bool
	// Trials in the order of their numbers.
	Trials []Trial
	// Stopped says why the search ended before its trials did; empty when it did not.
	Stopped string
}

// Best returns the best trial, the first of equals; nil when none was finished.
func (r *SearchResult) Best() *Trial {
	var best *Trial
	for i := range r.Trials {
		t := &r.Trials[i]
		if t.Finished() && (best == nil || r.better(float64(t.Value), float64(best.Value))) {
			best = t
		}
	}
	return best
}

// Ranked returns the finished trials, the best first, equals by number.
func (r *SearchResult) Ranked() []Trial {
	out := slices.DeleteFunc(slices.Clone(r.Trials), func(t Trial) bool { return !t.Finished() })
	slices.SortStableFunc(out, func(a, b Trial) int {
		switch {
		case r.better(float64(a.Value), float64(b.Value)):
			return -1
		case r.better(float64(b.Value), float64(a.Value)):
			return 1
		}
		return 0
	})
	return out
}

func (r *SearchResult) better(a, b float64) bool {
	if r.Minimize {
		return a < b
	}
	return a > b
}

func (o *SearchOptions) complete(space Space) error {
	if err := space.Validate(); err != nil {
		return err
	}
	if o.Method == "" {
		o.Method = Grid
	}
	switch o.Method {
	case Grid:
		if o.Trials == 0 {
			o.Trials = 10_000
		}
		size, ok := space.Size()
		if !ok {
			return invalid.Field("Method", o.Method, "random or tpe for a range without steps, or a step for each range")
		}
		if size > float64(o.Trials) {
			return invalid.Fieldf("Trials", o.Trials, "at least %.0f for this grid, or a coarser one", size)
		}
		o.Trials = int(size)
	case Random, TPE:
		if o.Trials == 0 {
			o.Trials = 100
		}
	default:
		return invalid.Field("Method", o.Method, "grid, random or tpe")
	}
	if o.Trials < 1 || o.Trials > 1_000_000 {
		return invalid.Field("Trials", o.Trials, "1 to 1,000,000")
	}
	if o.Startup == 0 {
		o.Startup = 10
	}
	if o.Startup < 1 {
		return invalid.Field("Startup", o.Startup, "a positive number")
	}
	if o.Batch < 0 {
		return invalid.Field("Batch", o.Batch, "a positive number, or 0 for the default")
	}
	if o.Batch == 0 {
		switch {
		case o.Pruner != nil:
			o.Batch = 27
		case o.Method == TPE:
			o.Batch = 8
		default:
			o.Batch = o.Trials
		}
	}
	if o.Pruner != nil {
		if err := o.Pruner.validate(); err != nil {
			return err
		}
	}
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	if o.Clock == nil {
		o.Clock = market.SystemClock()
	}
	return nil
}

// Search tries settings of a space on several goroutines and keeps how good they
// were. The result does not depend on how many workers there are: settings are
// chosen, and trials compared, in batches of a fixed size.
//
// When ctx ends, the result has the trials that were finished, Stopped says why,
// and the error is nil, as nothing is wrong with them. Otherwise the error is a
// *[FieldError].
func Search(ctx context.Context, space Space, objective Objective, opts SearchOptions) (*SearchResult, error) {
	if objective == nil {
		return nil, invalid.Missing("objective", "a function that tries a setting")
	}
	if err := opts.complete(space); err != nil {
		return nil, err
	}
	s := &searcher{
		space: space, objective: objective, opts: opts, began: opts.Clock.Now(), slots: make(chan struct{}, opts.Workers),
		result: &SearchResult{Method: opts.Method, Seed: opts.Seed, Space: slices.Clone(space), Minimize: opts.Minimize},
	}
	for len(s.result.Trials) < opts.Trials && ctx.Err() == nil {
		n := min(opts.Batch, opts.Trials-len(s.result.Trials))
		if opts.Method == TPE && len(s.result.Trials) < opts.Startup {
			n = min(n, opts.Startup-len(s.result.Trials))
		}
		settings := s.choose(n)
		if len(settings) == 0 {
			break // every setting of a finite space was tried
		}
		s.try(ctx, settings)
	}
	if err := ctx.Err(); err != nil {
		s.result.Stopped = "cancelled"
		if errors.Is(err, context.DeadlineExceeded) {
			s.result.Stopped = "out of time"
		}
	}
	return s.result, nil
}

// A searcher is a search that is under way.
type searcher struct {
	space     Space
	objective Objective
	opts      SearchOptions
	result    *SearchResult
	began     time.Time
	slots     chan struct{} // one for each worker

	mu   sync.Mutex
	told int // trials of the present batch that Observe has seen
	done int // trials of all batches
}

// choose returns the settings of the next batch.
func (s *searcher) choose(n int) []Params {
	first := len(s.result.Trials)
	out := make([]Params, 0, n)
	switch s.opts.Method {
	case Grid:
		for i := range n {
			out = append(out, s.space.at(first+i))
		}
	case Random:
		for i := range n {
			out = append(out, s.space.draw(generator(s.opts.Seed, first+i)))
		}
	case TPE:
		out = s.estimate(first, n)
	}
	return out
}

// try runs a batch and adds its trials to the result.
func (s *searcher) try(ctx context.Context, settings []Params) {
	first := len(s.result.Trials)
	trials := make([]Trial, len(settings))
	ended := make([]bool, len(settings))
	var rung *rung
	if s.opts.Pruner != nil {
		rung = newRung(s.opts.Pruner, s.result.Trials, len(settings), s.opts.Minimize)
	}
	s.told = 0
	var all sync.WaitGroup
	// Trials begin in their order. With a pruner that waits for all of a batch, all
	// must be able to begin: who waits gives its slot back.
	begun := 0
	for i, params := range settings {
		taken := false
		select {
		case s.slots <- struct{}{}:
			taken = true
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			if taken {
				<-s.slots // for those who wait
			}
			break
		}
		begun++
		all.Go(func() {
			defer func() { <-s.slots }()
			t := s.run(ctx, i, Attempt{Number: first + i, Params: params, Seed: mix(s.opts.Seed, uint64(first+i))}, rung)
			if rung != nil {
				rung.leave(i)
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			trials[i], ended[i] = t, true
			s.done++
			s.tell(trials, ended)
		})
	}
	if begun < len(settings) && rung != nil {
		rung.shrink(begun)
	}
	all.Wait()
	for i := range begun {
		if !trials[i].cancelled {
			s.result.Trials = append(s.result.Trials, trials[i])
		}
	}
}

// tell passes on what is complete, in order.
func (s *searcher) tell(trials []Trial, ended []bool) {
	for s.told < len(trials) && ended[s.told] {
		if s.opts.Observe != nil && !trials[s.told].cancelled {
			s.opts.Observe(trials[s.told])
		}
		s.told++
	}
	if s.opts.Progress != nil {
		p := Progress{Done: float64(s.done) / float64(s.opts.Trials), Elapsed: s.opts.Clock.Now().Sub(s.began)}
		p.Left = time.Duration(float64(p.Elapsed) * (1/p.Done - 1))
		p.Value = math.NaN()
		s.opts.Progress(p)
	}
}

// run tries one setting.
func (s *searcher) run(ctx context.Context, i int, a Attempt, rung *rung) (t Trial) {
	t = Trial{Number: a.Number, Params: a.Params, Value: market.Float(math.NaN())}
	a.report = func(stage int, value float64) error {
		if stage < 1 || stage > 10_000 {
			return invalid.Field("stage", stage, "1 to 10,000")
		}
		for len(t.reports) < stage {
			t.reports = append(t.reports, math.NaN())
		}
		t.reports[stage-1], t.Stage = value, stage
		if rung == nil {
			return nil
		}
		return rung.judge(ctx, i, stage, value, func() { <-s.slots }, func() { s.slots <- struct{}{} })
	}
	defer func() {
		if v := recover(); v != nil {
			t.Error = (&panicError{value: v}).Error()
		}
	}()
	out, err := s.objective(ctx, &a)
	switch {
	case errors.Is(err, ErrPruned):
		t.Pruned = true
	case ctx.Err() != nil:
		t.cancelled = true
	case err != nil:
		t.Error = err.Error()
	default:
		t.Value, t.Returns, t.PerYear, t.Metrics, t.Trades = finite(out.Value), out.Returns, out.PerYear, out.Metrics, out.Trades
		if t.PerYear == 0 {
			t.PerYear = 252
		}
	}
	return t
}

// String names the search: "tpe, 100 trials, seed 7".
func (r *SearchResult) String() string {
	return fmt.Sprintf("%s, %d trials, seed %d", r.Method, len(r.Trials), r.Seed)
}
