package backtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/internal/nearest"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/strategy"
)

// A Request is a run or a search as people and programs ask for it: the command
// line, the tool and the HTTP interface take the same.
type Request struct {
	Strategy string          // a name of strategy.All or [ReferenceStrategies]
	Params   json.RawMessage // over its defaults
	Rules    string          // see [RulesNamed]; empty: default
	Cash     float64         // 0: 100,000
	// Commission is what the rules charge: a part of the value traded, 0.001 is 0.1 %;
	// for zipline dollars a share. A strategy that keeps a part back for commissions
	// takes it over, unless its parameters say otherwise.
	Commission float64
	Seed       uint64
	From, To   time.Time
	// Ranges make it a search: see [ParseDimension].
	Ranges []string
	Method Method
	Trials int
	Metric string // what is searched for; empty: sharpe_ratio
	// Pruner is empty, median or halving.
	Pruner  string
	Workers int
	// Walk makes it a walk forward, as "train:test" in bars, "train:test:anchored".
	Walk string
	// Points bounds the curve of each run; 0: no limit.
	Points int
}

// Definitions are all strategies that a request can name.
func Definitions() []strategy.Definition {
	return append(strategy.All(), ReferenceStrategies()...)
}

// Definition returns the strategy that a request names. The error is a
// *[FieldError] with the nearest name.
func (r *Request) Definition() (strategy.Definition, error) {
	var names []string
	for _, d := range Definitions() {
		if d.Name == r.Strategy {
			return d, nil
		}
		names = append(names, d.Name)
	}
	allowed := "one of " + strings.Join(names, ", ")
	if near := nearest.Of(r.Strategy, names); near != "" {
		allowed = "a strategy; did you mean " + near + "?"
	}
	return strategy.Definition{}, invalid.Field("strategy", r.Strategy, allowed)
}

// Prepare checks the request as far as it can be without data, and returns what the
// strategy needs. Where its parameters leave the symbol open, symbol is taken, when
// it is not empty. The error is a *[FieldError].
func (r *Request) Prepare(symbol market.Symbol) (strategy.Needs, error) {
	d, err := r.Definition()
	if err != nil {
		return strategy.Needs{}, err
	}
	if symbol != "" {
		given := map[string]any{}
		if len(r.Params) > 0 {
			if err := json.Unmarshal(r.Params, &given); err != nil {
				return strategy.Needs{}, invalid.Field("params", string(r.Params), "a JSON object")
			}
		}
		known := slices.ContainsFunc(d.Params, func(p strategy.Param) bool { return p.Name == "symbol" })
		if _, set := given["symbol"]; !set && known {
			if r.Params, err = (Params{"symbol": string(symbol)}).JSON(r.Params); err != nil {
				return strategy.Needs{}, err
			}
		}
	}
	if _, err := RulesNamed(r.Rules, r.Commission); err != nil {
		return strategy.Needs{}, err
	}
	if base, options, err := readRules(r.Rules); err == nil && base == "backtesting.py" && options.set("hedging") && d.Name != "sma-crossing" {
		// That one closes before it opens: whether both sides could be held does not matter.
		return strategy.Needs{}, invalid.Fieldf("rules", r.Rules, "no hedging with %s: an account holds one position in a symbol, not one on each side", d.Name)
	}
	if err := r.keepBack(d); err != nil {
		return strategy.Needs{}, err
	}
	if _, err := r.space(d); err != nil {
		return strategy.Needs{}, err
	}
	if _, err := r.pruner(); err != nil {
		return strategy.Needs{}, err
	}
	if r.Metric != "" {
		if _, err := MetricDefinitionOf(r.Metric); err != nil {
			return strategy.Needs{}, err
		}
	}
	if r.Cash < 0 {
		return strategy.Needs{}, invalid.Field("cash", r.Cash, "a positive amount")
	}
	if len(r.Ranges) == 0 && r.Walk != "" {
		return strategy.Needs{}, invalid.Field("walk", r.Walk, "ranges to search in beside it")
	}
	made, err := d.New(r.Params)
	if err != nil {
		return strategy.Needs{}, err
	}
	return made.Needs(), nil
}

// keepBack lets a strategy that counts its sizes with a commission know the one
// that is charged: an order for all of the cash could not be paid otherwise.
func (r *Request) keepBack(d strategy.Definition) error {
	base, _, _ := strings.Cut(r.Rules, "+")
	if r.Commission == 0 || base == "zipline" || !slices.ContainsFunc(d.Params, func(p strategy.Param) bool { return p.Name == "commission" }) {
		return nil
	}
	given := map[string]json.RawMessage{}
	if len(r.Params) > 0 {
		if err := json.Unmarshal(r.Params, &given); err != nil {
			return invalid.Field("params", string(r.Params), "a JSON object")
		}
	}
	if _, set := given["commission"]; set {
		return nil
	}
	var err error
	r.Params, err = (Params{"commission": r.Commission}).JSON(r.Params)
	return err
}

// Options are those of a run of the request in a market. The error is a
// *[FieldError].
func (r *Request) Options(m *Market) (Options, error) {
	d, err := r.Definition()
	if err != nil {
		return Options{}, err
	}
	made, err := d.New(r.Params)
	if err != nil {
		return Options{}, err
	}
	rules, err := RulesNamed(r.Rules, r.Commission)
	if err != nil {
		return Options{}, err
	}
	cash := r.Cash
	if cash == 0 {
		cash = 100_000
	}
	o := Options{
		Market: m, Rules: rules, From: r.From, To: r.To, Seed: r.Seed, Greeks: len(m.Chains) > 0,
		Accounts: []Account{{Strategy: made, Name: d.Name, Params: r.Params, Cash: decimal.NewFromFloat(cash)}},
	}
	o.Curve.Most = r.Points
	return o, nil
}

// IsSearch tells whether the request is a search.
func (r *Request) IsSearch() bool { return len(r.Ranges) > 0 }

func (r *Request) space(d strategy.Definition) (Space, error) {
	var out Space
	for _, text := range r.Ranges {
		dimension, err := ParseDimension(text, d.Params)
		if err != nil {
			return nil, err
		}
		out = append(out, dimension)
	}
	return out, nil
}

// stagesOf is how many parts of the time a trial reports with a pruner.
const stagesOf = 9

func (r *Request) pruner() (Pruner, error) {
	switch r.Pruner {
	case "":
		return nil, nil
	case "median":
		return MedianPruner{}, nil
	case "halving":
		return Halving{}, nil
	}
	return nil, invalid.Field("pruner", r.Pruner, "median or halving, or nothing")
}

// Search returns what a search of the request takes. The error is a *[FieldError].
func (r *Request) Search(m *Market) (Space, StrategySearch, SearchOptions, error) {
	fail := func(err error) (Space, StrategySearch, SearchOptions, error) {
		return nil, StrategySearch{}, SearchOptions{}, err
	}
	d, err := r.Definition()
	if err != nil {
		return fail(err)
	}
	space, err := r.space(d)
	if err != nil {
		return fail(err)
	}
	options, err := r.Options(m)
	if err != nil {
		return fail(err)
	}
	options.Greeks = false
	search := StrategySearch{Definition: d, Options: options, Metric: r.Metric, Keep: []string{"return_pct", "max_drawdown_pct", "sharpe_ratio", "trades"}}
	o := SearchOptions{Method: r.Method, Trials: r.Trials, Seed: r.Seed, Workers: r.Workers}
	if o.Pruner, err = r.pruner(); err != nil {
		return fail(err)
	}
	if o.Pruner != nil {
		search.Stages = stagesOf
	}
	if metric, err := MetricDefinitionOf(r.Metric); err == nil && metric.Better < 0 {
		o.Minimize = true
	}
	return space, search, o, nil
}

// WalkWindows are the windows of the request's walk forward over the bars of the
// market's first feed. The error is a *[FieldError].
func (r *Request) WalkWindows(m *Market) ([]Window, error) {
	const allowed = "train:test in bars, such as 500:100, or 500:100:anchored"
	parts := strings.Split(r.Walk, ":")
	if len(parts) < 2 || len(parts) > 3 || len(parts) == 3 && parts[2] != "anchored" {
		return nil, invalid.Field("walk", r.Walk, allowed)
	}
	train, err := strconv.Atoi(parts[0])
	if err != nil {
		return nil, invalid.Field("walk", r.Walk, allowed)
	}
	test, err := strconv.Atoi(parts[1])
	if err != nil {
		return nil, invalid.Field("walk", r.Walk, allowed)
	}
	if len(m.Bars) == 0 {
		return nil, invalid.Field("walk", r.Walk, "bars to divide: the market has none")
	}
	var times []time.Time
	for _, b := range m.Bars[0].Bars {
		if (r.From.IsZero() || !b.Time.Before(r.From)) && (r.To.IsZero() || b.Time.Before(r.To)) {
			times = append(times, b.Time)
		}
	}
	return Windows(times, WindowOptions{Train: train, Test: test, Anchored: len(parts) == 3})
}

// WalkForward runs the request's walk forward.
func (r *Request) WalkForward(ctx context.Context, m *Market, progress func(Progress)) (*WalkResult, error) {
	windows, err := r.WalkWindows(m)
	if err != nil {
		return nil, err
	}
	space, search, opts, err := r.Search(m)
	if err != nil {
		return nil, err
	}
	opts.Progress = progress
	var failed error
	result, err := WalkForward(ctx, windows, space, func(from, to time.Time) Objective {
		objective, err := search.Objective(from, to)
		if err != nil {
			failed = err
			return func(context.Context, *Attempt) (Outcome, error) { return Outcome{}, err }
		}
		return objective
	}, opts)
	return result, errors.Join(failed, err)
}

// RuleNames are the names that [RulesNamed] knows, with the options of each.
func RuleNames() []string {
	return []string{
		"default", "tastytrade",
		"backtesting.py[+trade_on_close][+exclusive][+hedging][+keep_open][+spread=N][+margin=N][+fixed=N]",
		"backtrader[+coc][+slip=N][+slip_fixed=N][+slip_not_at_open][+slip_out][+margin=N]",
		"fastquant", "zipline[+no_costs][+no_slippage][+min_cost=N][+volume_limit=N][+impact=N]", "lean[+ib_fees]", "oracle",
	}
}

// RulesNamed returns fill rules by name: default (this project's own), tastytrade
// (the same with its fees by date), backtesting.py, backtrader, fastquant, zipline,
// lean or oracle. Options follow with a plus sign, as in
// "backtesting.py+trade_on_close" or "backtrader+slip=0.0005": see [RuleNames], and
// for what they mean [BacktestingPyOptions], [BacktraderOptions] and
// [ZiplineOptions]. Commission is a part of the value traded, with backtrader's
// margin dollars a contract, and for zipline dollars a share; rules with fees of
// their own (tastytrade, oracle) refuse it. The error is a *[FieldError].
func RulesNamed(name string, commission float64) (Rules, error) {
	base, options, err := readRules(name)
	if err != nil {
		return Rules{}, err
	}
	contract := base == "backtrader" && options.set("margin")
	if !(commission >= 0 && (commission < 1 || contract && commission < math.MaxFloat64)) {
		return Rules{}, invalid.Field("commission", commission, "a part of the value traded, 0 to below 1")
	}
	var rules Rules
	charges := true
	var on, number = options.on, options.number
	switch base {
	case "", "default":
		if commission > 0 {
			rules.Fees = valueFees{decimal.NewFromFloat(commission), decimal.Zero}
		}
	case "tastytrade":
		rules, charges = Tastytrade(), false
	case "backtesting.py":
		on("hedging") // see Request.Prepare
		rules = BacktestingPy(BacktestingPyOptions{
			Commission: commission, TradeOnClose: on("trade_on_close"), ExclusiveOrders: on("exclusive"), KeepOpen: on("keep_open"),
			Spread: number("spread", 1), Margin: number("margin", 1), Fixed: number("fixed", math.MaxFloat64),
		})
	case "backtrader":
		rules = Backtrader(BacktraderOptions{
			Commission: commission, CheatOnClose: on("coc"), SlipPercent: number("slip", 1), SlipFixed: number("slip_fixed", math.MaxFloat64),
			SlipNotAtOpen: on("slip_not_at_open"), SlipOut: on("slip_out"), Margin: number("margin", math.MaxFloat64),
		})
	case "fastquant":
		rules = Fastquant(FastquantOptions{Commission: commission})
	case "zipline":
		rules = Zipline(ZiplineOptions{
			PerShare: commission, NoCosts: on("no_costs"), NoSlippage: on("no_slippage"),
			MinCost: number("min_cost", math.MaxFloat64), VolumeLimit: number("volume_limit", 1), Impact: number("impact", math.MaxFloat64),
		})
	case "lean":
		o := LEANOptions{}
		switch ib := on("ib_fees"); {
		case ib && commission > 0:
			return Rules{}, invalid.Fieldf("commission", commission, "0: the option ib_fees of the rules lean has fees of its own")
		case ib:
			o.Fees = LEANBrokerFees()
		case commission > 0:
			o.Fees = valueFees{decimal.NewFromFloat(commission), decimal.Zero}
		}
		rules = LEAN(o)
	case "oracle":
		rules, charges = OptionOracle(), false
	default:
		return Rules{}, invalid.Field("rules", name, strings.Join(RuleNames(), ", "))
	}
	if err := options.err(); err != nil {
		return Rules{}, err
	}
	if !charges && commission > 0 {
		return Rules{}, invalid.Fieldf("commission", commission, "0: the rules %s have fees of their own", base)
	}
	return rules, nil
}

// A BarsSource is the part of market.Source that [FromSource] reads.
type BarsSource interface {
	Bars(ctx context.Context, req market.BarsRequest) ([]market.Bar, error)
	Events(ctx context.Context, symbol market.Symbol, from, to market.Date) ([]market.Event, error)
}

// A ChainHistory knows option chains of the past.
type ChainHistory interface {
	ChainAt(req market.ChainRequest, t time.Time) ([]market.OptionQuote, error)
}

// ErrNoChains: the strategy trades options and there are no recorded chains.
var ErrNoChains = errors.New("option chains of the past are needed, and this source has none: replay recorded ones with ttai backtest --chain")

// SourceOptions say what is taken from a source.
type SourceOptions struct {
	From, To time.Time
	// Chains knows chains of the past; nil: strategies that need some are refused
	// with [ErrNoChains].
	Chains ChainHistory
	// Strikes and Days bound the chains: the strikes nearest to the money of each
	// expiration, and how far these lie ahead. Default 40 and 70.
	Strikes, Days int
	// At are the times of day in New York of the chains' snapshots; default 10:00,
	// 12:45 and 15:45.
	At       []time.Duration
	Calendar *market.Calendar // nil: market.NYSE
}

// FromSource takes from a source what a strategy needs, with its history before
// From. Dividends, splits and earnings are added when the source knows them.
func FromSource(ctx context.Context, source BarsSource, needs strategy.Needs, opts SourceOptions) (*Market, error) {
	if opts.Calendar == nil {
		opts.Calendar = market.NYSE()
	}
	m := &Market{}
	interval := needs.Interval
	if interval == "" {
		interval = market.Day
	}
	symbols := slices.Clone(needs.Symbols)
	for _, s := range needs.Chains {
		if !slices.Contains(symbols, s) {
			symbols = append(symbols, s)
		}
	}
	for _, symbol := range symbols {
		from := opts.From
		if !from.IsZero() && needs.History > 0 {
			from = from.AddDate(0, 0, -7-needs.History*8/5) // sessions are fewer than days
		}
		bars, err := source.Bars(ctx, market.BarsRequest{Symbol: symbol, Interval: interval, From: from, To: opts.To})
		if err != nil {
			return nil, fmt.Errorf("bars of %s: %w", symbol, err)
		}
		if len(bars) == 0 {
			return nil, fmt.Errorf("bars of %s: %w", symbol, market.ErrNoData)
		}
		m.Bars = append(m.Bars, BarFeed{Symbol: symbol, Interval: interval, Bars: bars, Name: fmt.Sprintf("%s %s, %d bars", symbol, interval, len(bars))})
		first, last := market.DateOf(bars[0].Time), market.DateOf(bars[len(bars)-1].Time)
		events, err := source.Events(ctx, symbol, first, last)
		if err != nil && !errors.Is(err, market.ErrUnsupported) && !errors.Is(err, market.ErrNoData) {
			return nil, fmt.Errorf("events of %s: %w", symbol, err)
		}
		m.Events = append(m.Events, events...)
	}
	for _, symbol := range needs.Chains {
		if opts.Chains == nil {
			return nil, ErrNoChains
		}
		store, err := opts.chain(ctx, symbol, m)
		if err != nil {
			return nil, err
		}
		m.Chains = append(m.Chains, store)
	}
	return m, nil
}

// chain takes the snapshots of one underlying on the days of its bars.
func (o SourceOptions) chain(ctx context.Context, symbol market.Symbol, m *Market) (*ChainStore, error) {
	if o.Strikes == 0 {
		o.Strikes = 40
	}
	if o.Days == 0 {
		o.Days = 70
	}
	if len(o.At) == 0 {
		o.At = []time.Duration{10 * time.Hour, 12*time.Hour + 45*time.Minute, 15*time.Hour + 45*time.Minute}
	}
	var bars []market.Bar
	for _, f := range m.Bars {
		if f.Symbol == symbol {
			bars = f.Bars
		}
	}
	var quotes []market.OptionQuote
	last := market.Date{}
	for _, b := range bars {
		if b.Time.Before(o.From) {
			continue
		}
		date := market.DateOf(b.Time.In(o.Calendar.Location()))
		session, open := o.Calendar.Session(date)
		if date == last || !open {
			continue
		}
		last = date
		var dates []market.Date
		for k := range o.Days + 1 {
			dates = append(dates, date.AddDays(k))
		}
		for _, at := range o.At {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			t := date.In(o.Calendar.Location()).Add(at)
			if t.Before(session.Open) || !t.Before(session.Close) {
				continue
			}
			snapshot, err := o.Chains.ChainAt(market.ChainRequest{Underlying: symbol, Expirations: dates, Strikes: o.Strikes}, t)
			if err != nil {
				return nil, fmt.Errorf("chain of %s at %s: %w", symbol, t.Format(time.DateTime), err)
			}
			quotes = append(quotes, snapshot...)
		}
	}
	if len(quotes) == 0 {
		return nil, fmt.Errorf("chains of %s: %w", symbol, market.ErrNoData)
	}
	return NewChainStore(quotes)
}
