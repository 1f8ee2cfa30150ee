// Package analysts reads the market for one symbol: it computes typed evidence
// from bars, quotes, option chains, metrics, events, news and the portfolio; lets
// a chart, an options, a research and a risk analyst form a view of it; and has a
// panel combine the views to select, neutral or reject, with concrete contracts
// as candidates. Rules do that alone. A model may take the analysts' and the
// panel's places ([Mind]): what it says beyond the evidence is thrown away.
//
// Nothing in a result is a number without evidence. What could not be computed
// is listed with the reason; a part of the market data that fails or hangs never
// fails the rest.
//
// # Time
//
// An [Analysis] is about one instant. Evidence on price (trend, momentum,
// volatility, levels) comes only from daily bars that were complete then, over a
// window fixed by the request, so that it is the same whoever serves the bars,
// and unchanged when later bars are cut off. Quotes, chains, metrics, events and
// positions are the source's latest, so they are used only when the instant is
// the clock's now.
package analysts

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"regexp"
	"slices"
	"time"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

// A FieldError says which argument was refused and what is allowed.
type FieldError = invalid.FieldError

// Deps is what analysts work with.
type Deps struct {
	Market   market.Source    // required
	Broker   broker.Reader    // nil: no portfolio evidence
	Clock    market.Clock     // nil: the system clock
	Calendar *market.Calendar // nil: market.NYSE()
	// Rate is the risk-free interest rate, continuous, per year: 0.04 is 4 %.
	Rate        float64
	Environment broker.Environment
	Notice      string // repeated in every analysis, such as "simulated data"
	// Timeout bounds each request to Market and Broker; 0 means 10 seconds.
	// The caller's deadline holds as well, less a little to compute in.
	Timeout time.Duration
	Logger  *slog.Logger // nil: discarded
	// Mind judges the evidence in words of its own. Nil: the rules alone do.
	Mind *Mind
	// News tells what is written about a symbol. Nil: no news.
	News market.NewsSource
	// Knowledge finds passages of a library. Nil: none.
	Knowledge func(ctx context.Context, query string, limit int) ([]Passage, error)
	// Record says how earlier analyses turned out. Nil: not known.
	Record func(ctx context.Context, symbol market.Symbol) (*Scorecard, error)
}

// An Analyst analyses symbols. It is safe for concurrent use.
type Analyst struct {
	deps Deps
}

// New returns an Analyst.
func New(d Deps) (*Analyst, error) {
	switch {
	case d.Market == nil:
		return nil, invalid.Missing("Market", "a source of market data")
	case math.IsNaN(d.Rate) || d.Rate < -0.5 || d.Rate > 1:
		return nil, invalid.Field("Rate", d.Rate, "a continuous rate per year from -0.5 to 1: 0.04 is 4 %")
	case d.Mind != nil && d.Mind.Model == nil:
		return nil, invalid.Missing("Mind.Model", "a model, or no Mind for rules alone")
	case d.Timeout < 0:
		return nil, invalid.Field("Timeout", d.Timeout, "a duration above 0, or 0 for 10 seconds")
	}
	if d.Clock == nil {
		d.Clock = market.SystemClock()
	}
	if d.Calendar == nil {
		d.Calendar = market.NYSE()
	}
	if d.Timeout == 0 {
		d.Timeout = 10 * time.Second
	}
	if d.Environment == "" && d.Broker != nil {
		d.Environment = d.Broker.Environment()
	}
	if d.Logger == nil {
		d.Logger = slog.New(slog.DiscardHandler)
	}
	return &Analyst{deps: d}, nil
}

// A Request says what to analyse.
type Request struct {
	Symbol market.Symbol
	// At is the instant to look from; zero means now, and so does a later
	// instant of the same day, such as the close of a session that is still
	// open. An instant more than PastTolerance before now is in the past: see
	// the package comment.
	At time.Time
	// Account narrows the portfolio's evidence; empty means all accounts that
	// are not closed.
	Account broker.AccountID
	// LookbackYears is how many years of daily bars before At are read; 0
	// means 3, and 20 is the most.
	LookbackYears int
	// Benchmark is the symbol whose trend stands for the market; empty means SPY.
	Benchmark market.Symbol
	// Rules choose candidates; nil means the defaults.
	Rules *Rules
	// Strategies are those that candidates are looked for, in this order; nil means
	// CashSecuredPut and CoveredCall.
	Strategies []Strategy
}

// PastTolerance is how far At may lie before the clock's now and still be
// served by quotes of now.
const PastTolerance = 5 * time.Minute

// normalized returns the request with its defaults filled in, or a *FieldError.
func (r Request) normalized(now time.Time) (Request, error) {
	symbol, err := Underlying("symbol", r.Symbol)
	if err != nil {
		return r, err
	}
	r.Symbol = symbol
	if r.Benchmark == "" {
		r.Benchmark = "SPY"
	} else if r.Benchmark, err = Underlying("benchmark", r.Benchmark); err != nil {
		return r, err
	}
	switch {
	case r.At.IsZero(), r.At.After(now) && market.DateOf(r.At.In(now.Location())) == market.DateOf(now):
		r.At = now
	case r.At.After(now):
		return r, invalid.Field("at", r.At.Format(time.RFC3339), "a time that is not after "+now.Format(time.RFC3339))
	case r.At.Year() < 1900:
		return r, invalid.Field("at", r.At.Format(time.RFC3339), "a time from 1900 on")
	}
	if r.LookbackYears == 0 {
		r.LookbackYears = 3
	}
	if r.LookbackYears < 1 || r.LookbackYears > 20 {
		return r, invalid.Field("lookback_years", r.LookbackYears, "a whole number from 1 to 20")
	}
	if len(r.Strategies) == 0 {
		r.Strategies = []Strategy{CashSecuredPut, CoveredCall}
	}
	for i, s := range r.Strategies {
		if !slices.Contains(Strategies(), s) {
			return r, invalid.Field(fmt.Sprintf("strategies[%d]", i), string(s), "one of "+describeStrategies(Strategies()))
		}
	}
	rules, err := r.Rules.normalized()
	r.Rules = &rules
	return r, err
}

// Underlying is the normal form of what names a share, fund, index, future or coin; a
// *FieldError on field for everything else. No source is asked for a symbol that cannot be one.
func Underlying(field string, text market.Symbol) (market.Symbol, error) {
	symbol, err := market.ParseSymbol(string(text))
	if err != nil {
		if wrong, ok := errors.AsType[*FieldError](err); ok {
			return "", &FieldError{Field: field, Value: wrong.Value, Allowed: wrong.Allowed}
		}
		return "", err
	}
	if kind := symbol.Kind(); kind == market.KindOption || kind == market.KindFutureOption {
		return "", invalid.Field(field, string(symbol), "an underlying: analyse "+underlyingOf(symbol)+" instead of an option on it")
	}
	if !underlyingForm.MatchString(string(symbol)) {
		return "", invalid.Field(field, string(text), "one symbol such as SPY, BRK/B, /ESZ6 or BTC/USD, without spaces")
	}
	return symbol, nil
}

// underlyingForm is letters and digits, with single separators between them.
var underlyingForm = regexp.MustCompile(`^[/^$]?[A-Z0-9]+([./:$^-][A-Z0-9]+)*$`)

func underlyingOf(symbol market.Symbol) string {
	if c, ok := symbol.Contract(); ok {
		return c.Root
	}
	return "the underlying"
}

// Analyze gathers the evidence on a symbol and judges it. It fails when the
// request is not allowed (*FieldError), when the symbol is unknown
// (market.ErrUnknownSymbol), when there are neither complete daily bars nor
// option quotes (market.ErrNoData, or why the bars could not be had), or when
// ctx is cancelled. Everything else that fails is evidence marked absent.
func (a *Analyst) Analyze(ctx context.Context, req Request) (*Analysis, error) {
	req, err := req.normalized(a.deps.Clock.Now().In(a.deps.Calendar.Location()))
	if err != nil {
		return nil, err
	}
	in, err := a.gather(ctx, &req, true)
	if err != nil {
		return nil, err
	}
	analysis, err := a.judge(ctx, &req, in)
	if err != nil {
		return nil, err
	}
	a.deps.Logger.LogAttrs(ctx, slog.LevelDebug, "analysed", slog.String("symbol", string(req.Symbol)),
		slog.String("decision", string(analysis.Verdict.Decision)), slog.Float64("score", analysis.Verdict.Score))
	return analysis, nil
}

// conclude makes an analysis of what the sources answered. It is a pure
// function of its arguments and the analyst's settings.
func (a *Analyst) conclude(req *Request, in *inputs) (*Analysis, *findings) {
	cal := a.deps.Calendar
	series := market.NewSeries(req.Symbol, market.Day, in.bars)
	f := &findings{
		book: newBook(), in: in, rules: *req.Rules, strategies: req.Strategies, cal: cal, series: series, today: market.DateOf(in.at),
	}
	if n := len(in.bars); n > 0 {
		f.end = cal.BarEnd(in.bars[n-1].Time, market.Day).In(cal.Location())
	}
	f.addPrice()
	f.addLevels(cal)
	f.addData()
	f.addQuote()
	f.addMarket(req.Benchmark, a.deps.Rate)
	f.addEvents()
	f.addFundamentals()
	f.addOptions(a.deps.Rate)
	f.addPortfolio()
	f.addRisk()
	f.addTexts()

	views := []View{f.chartView(), f.optionsView(), f.researchView(), f.riskView()}
	candidates := f.chooseCandidates()
	analysis := &Analysis{
		Symbol: req.Symbol, Description: bounded(in.instrument.value.Description, 200), At: in.at, Environment: a.deps.Environment, Notice: a.deps.Notice,
		Model: NoModel, Disclaimer: NotAdvice,
		Verdict: f.decide(views, candidates), Views: views, Candidates: candidates, Evidence: f.list(), Chart: f.chart(),
	}
	if len(candidates) > 0 {
		analysis.CandidateMethod = candidateMethod
	}
	analysis.Summary = f.summary(analysis)
	return analysis, f
}

// judge concludes, and lets the model judge if there is one.
func (a *Analyst) judge(ctx context.Context, req *Request, in *inputs) (*Analysis, error) {
	analysis, f := a.conclude(req, in)
	if a.deps.Mind == nil {
		return analysis, nil
	}
	return analysis, a.think(ctx, f, analysis)
}

// chart collects what a drawing needs.
func (f *findings) chart() *Chart {
	c := &Chart{Series: f.series, Lines: f.lines, RSI: f.rsi}
	for _, side := range [][]namedLevel{f.supports, f.resists} {
		for _, l := range side {
			c.Levels = append(c.Levels, ChartLevel{EvidenceID: l.id, Name: l.name, Price: l.price})
		}
	}
	return c
}
