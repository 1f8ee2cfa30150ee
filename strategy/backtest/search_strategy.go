package backtest

import (
	"context"
	"errors"
	"math"
	"slices"
	"time"

	"github.com/ttai-go/ttai/strategy"
)

// A StrategySearch makes an [Objective] that runs a strategy with the parameters of
// each trial and measures it.
type StrategySearch struct {
	// Definition makes the strategy.
	Definition strategy.Definition
	// Options are those of each run. Its one account is given the trial's strategy; its
	// Params are what the trial's are set over. Observer and Progress are not told.
	Options Options
	// Metric is what is searched for, a name of [MetricDefinitions]; default
	// sharpe_ratio.
	Metric string
	// Rate is the annual risk-free rate that the metric uses.
	Rate float64
	// Stages is after how many equal parts of the time a trial reports, for pruners.
	// Below 2 it reports nothing.
	Stages int
	// Keep keeps these metrics with each trial.
	Keep []string
	// Accept, when set, tells whether a setting makes sense at all, such as fast below
	// slow; what does not is a failed trial that costs nothing.
	Accept func(Params) bool
}

var errNotAccepted = errors.New("the setting is not accepted")

// Objective makes the objective for a span of time; zero times: that of the
// options. The error is a *[FieldError].
func (s StrategySearch) Objective(from, to time.Time) (Objective, error) {
	if s.Metric == "" {
		s.Metric = "sharpe_ratio"
	}
	wanted, err := s.wanted()
	if err != nil {
		return nil, err
	}
	base := s.Options
	if !from.IsZero() {
		base.From = from
	}
	if !to.IsZero() {
		base.To = to
	}
	base.Progress = nil
	base.Version = version(base.Version) // once for all runs
	var free workspaces
	return func(ctx context.Context, t *Attempt) (Outcome, error) {
		if s.Accept != nil && !s.Accept(t.Params) {
			return Outcome{}, errNotAccepted
		}
		opts := base
		opts.Accounts = append([]Account(nil), base.Accounts...)
		if len(opts.Accounts) == 0 {
			opts.Accounts = []Account{{}}
		}
		account := &opts.Accounts[0]
		params, err := t.Params.JSON(account.Params)
		if err != nil {
			return Outcome{}, err
		}
		made, err := s.Definition.New(params)
		if err != nil {
			return Outcome{}, err
		}
		account.Strategy, account.Params, account.Name = made, params, s.Definition.Name
		opts.Observer = nil
		if s.Stages >= 2 && t.report != nil {
			opts.Observer = s.staged(t, &opts)
		}
		opts.workspace = free.take()
		result, err := Run(ctx, opts)
		if result != nil {
			defer free.give(opts.workspace, result.Record)
		}
		if err != nil {
			return Outcome{}, err
		}
		if err := ctx.Err(); err != nil {
			return Outcome{}, err
		}
		return s.outcome(result, wanted, opts.workspace)
	}, nil
}

// wanted are the metrics that are computed of each run: that which is searched for,
// then those that are kept. The error is a *[FieldError].
func (s StrategySearch) wanted() ([]definition, error) {
	var out []definition
	all := definitions()
	for _, name := range append([]string{s.Metric}, s.Keep...) {
		asked, err := MetricDefinitionOf(name)
		if err != nil {
			return nil, err
		}
		for _, d := range all {
			if d.Name == asked.Name {
				out = append(out, d)
			}
		}
	}
	return out, nil
}

// outcome measures a run: the first metric is its value, the others are kept.
func (s StrategySearch) outcome(result *Result, wanted []definition, where *workspace) (Outcome, error) {
	series, trades := result.seriesIn(where), result.Trades()
	if len(series.Times) == 0 {
		return Outcome{}, errors.New("backtest: the run has no points: there is no data in its span")
	}
	if !slices.ContainsFunc(wanted, func(d definition) bool { return d.Name == "lean.estimated_capacity" }) {
		result.capacities = nil // each is looked up in the bars after every fill
	}
	o := result.measure(&MeasureOptions{Rate: s.Rate}, -1, &series)
	sample, err := newSampleIn(where, series, trades, &o)
	if err != nil {
		return Outcome{}, err
	}
	out := Outcome{Value: wanted[0].of(sample), Returns: without(sample.btReturns()), PerYear: sample.perYear, Trades: len(sample.trades)}
	for _, d := range wanted[1:] {
		out.Metrics = append(out.Metrics, Metric{d.Name, finite(d.of(sample))})
	}
	return out, nil
}

// staged reports the metric of the points so far after each part of the time.
func (s StrategySearch) staged(t *Attempt, opts *Options) Observer {
	begin, end := opts.span()
	return &stages{search: s, attempt: t, begin: begin, length: end.Sub(begin), next: 1, series: Series{Start: opts.Accounts[0].Cash.InexactFloat64()}}
}

type stages struct {
	search  StrategySearch
	attempt *Attempt
	begin   time.Time
	length  time.Duration
	next    int
	series  Series
	trades  []Trade
}

// Observe keeps points and trades and reports when a stage has ended.
func (s *stages) Observe(item *Item) error {
	switch {
	case item.Trade != nil:
		s.trades = append(s.trades, *item.Trade)
	case item.Point != nil && !math.IsNaN(item.Point.Value):
		p := item.Point
		s.series.Times = append(s.series.Times, p.Time)
		s.series.Equity = append(s.series.Equity, p.Value)
		s.series.Exposure = append(s.series.Exposure, p.Exposure)
		s.series.Benchmark = append(s.series.Benchmark, p.Price)
		for s.next < s.search.Stages && p.Time.Sub(s.begin) >= time.Duration(float64(s.length)*float64(s.next)/float64(s.search.Stages)) {
			value, err := MeasureOne(s.search.Metric, s.series, s.trades, &MeasureOptions{Rate: s.search.Rate, Activity: unknownActivity()})
			if err != nil {
				return err
			}
			s.next++
			if err := s.attempt.Report(s.next-1, value); err != nil {
				return err
			}
		}
	}
	return nil
}

// span is the time that a run replays, as far as its feeds tell without reading
// them.
func (o *Options) span() (begin, end time.Time) {
	widen := func(from, to time.Time) {
		if begin.IsZero() || from.Before(begin) {
			begin = from
		}
		if to.After(end) {
			end = to
		}
	}
	for i := range o.Market.Bars {
		if bars := o.Market.Bars[i].Bars; len(bars) > 0 {
			widen(bars[0].Time, bars[len(bars)-1].Time)
		}
	}
	for i := range o.Market.Quotes {
		if quotes := o.Market.Quotes[i].Quotes; len(quotes) > 0 {
			widen(quotes[0].Time, quotes[len(quotes)-1].Time)
		}
	}
	if begin.IsZero() || o.From.After(begin) {
		begin = o.From
	}
	if !o.To.IsZero() && (end.IsZero() || o.To.Before(end)) {
		end = o.To
	}
	return begin, end
}
