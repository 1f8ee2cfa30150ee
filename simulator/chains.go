package simulator

import (
	"context"
	"errors"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/simulator/synthetic"
)

// A ReplayOptions says what [NewReplay] replays. Clock is required.
type ReplayOptions struct {
	// Clock is the time of the replay.
	Clock market.Clock
	// Seed makes what the files do not say. 0: synthetic.DefaultSeed.
	Seed uint64
	// Bars are the histories of symbols: daily bars, or intraday bars of whole
	// minutes.
	Bars map[market.Symbol]*market.BarFile
	// Chains are recorded option chains. The options of an underlying that is in
	// one of them are those of the files alone: each with its newest quote at or
	// before the time, of the newest day that has any, and none before the first.
	// The underlyings themselves should be in Bars, or their prices are made.
	Chains []*market.ChainFile
	// Calendar tells when bars are complete. Nil: market.NYSE.
	Calendar *market.Calendar
	// Scenarios are extraordinary days of what is made.
	Scenarios []synthetic.Scenario
}

// A Replay is a market of recorded bars and chains in a synthetic one. Give it to
// a simulator as Options.Market, with the same clock. It is safe for concurrent
// use.
type Replay struct {
	*synthetic.Market
	clock       market.Clock
	underlyings map[market.Symbol]bool          // of the recorded chains
	roots       map[market.Symbol]market.Symbol // of every recorded contract

	mu    sync.Mutex // held while the files are asked, as of a time
	asOf  *market.ManualClock
	files *market.FileSource // nil without chains
}

// NewReplay returns a market that replays files. It does not copy them: they must
// not change afterwards.
func NewReplay(opts ReplayOptions) (*Replay, error) {
	if opts.Clock == nil {
		return nil, invalid.Missing("Clock", "the time of the replay")
	}
	if opts.Seed == 0 {
		opts.Seed = synthetic.DefaultSeed
	}
	made, err := synthetic.New(opts.Seed, &synthetic.Options{Clock: opts.Clock, Replay: opts.Bars, Scenarios: opts.Scenarios})
	if err != nil {
		return nil, err
	}
	r := &Replay{Market: made, clock: opts.Clock, underlyings: map[market.Symbol]bool{}, roots: map[market.Symbol]market.Symbol{}}
	if len(opts.Chains) == 0 {
		return r, nil
	}
	r.asOf = market.NewManualClock(opts.Clock.Now())
	if r.files, err = market.NewFileSource(market.FileSourceOptions{Chains: opts.Chains, Clock: r.asOf, Calendar: opts.Calendar}); err != nil {
		return nil, err
	}
	for _, file := range opts.Chains {
		for i := range file.Quotes {
			q := &file.Quotes[i]
			r.underlyings[q.Underlying] = true
			r.roots[q.Symbol] = q.Underlying
		}
	}
	return r, nil
}

// ask asks the files as of a time.
func (r *Replay) ask(t time.Time, question func(*market.FileSource) error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asOf.Set(t)
	return question(r.files)
}

// Expirations lists those of the recorded chain, or of the made one.
func (r *Replay) Expirations(ctx context.Context, underlying market.Symbol) (list []market.Expiration, err error) {
	if !r.underlyings[underlying] {
		return r.Market.Expirations(ctx, underlying)
	}
	asked := r.ask(r.clock.Now(), func(f *market.FileSource) error {
		list, err = f.Expirations(ctx, underlying)
		return err
	})
	return list, asked
}

// Chain is the recorded chain as of now, or the made one.
func (r *Replay) Chain(ctx context.Context, req market.ChainRequest) ([]market.OptionQuote, error) {
	if !r.underlyings[req.Underlying] {
		return r.Market.Chain(ctx, req)
	}
	return r.recorded(ctx, req, r.clock.Now())
}

// ChainAt is Chain as of another time.
func (r *Replay) ChainAt(req market.ChainRequest, t time.Time) ([]market.OptionQuote, error) {
	if !r.underlyings[req.Underlying] {
		return r.Market.ChainAt(req, t)
	}
	return r.recorded(context.Background(), req, t)
}

func (r *Replay) recorded(ctx context.Context, req market.ChainRequest, t time.Time) (list []market.OptionQuote, err error) {
	asked := r.ask(t, func(f *market.FileSource) error {
		list, err = f.Chain(ctx, req)
		return err
	})
	return slices.Clone(list), asked
}

// Quotes are those of the recorded chains for their contracts, and the market's
// for the rest.
func (r *Replay) Quotes(ctx context.Context, symbols []market.Symbol) ([]market.Quote, error) {
	var others, unknown []market.Symbol
	found := map[market.Symbol]market.Quote{}
	for _, symbol := range symbols {
		if r.of(symbol) == "" {
			others = append(others, symbol)
			continue
		}
		q, err := r.QuoteAt(symbol, r.clock.Now())
		if err != nil {
			unknown = append(unknown, symbol)
			continue
		}
		found[symbol] = q
	}
	if len(others) > 0 {
		list, err := r.Market.Quotes(ctx, others)
		missing := (*market.MissingError)(nil)
		if errors.As(err, &missing) {
			unknown = append(unknown, missing.Symbols...)
		} else if err != nil {
			return nil, err
		}
		for _, q := range list {
			found[q.Symbol] = q
		}
	}
	out := make([]market.Quote, 0, len(found))
	for _, symbol := range symbols {
		if q, ok := found[symbol]; ok {
			out = append(out, q)
		}
	}
	if len(unknown) > 0 {
		return out, &market.MissingError{Symbols: unknown, Err: market.ErrNoData}
	}
	return out, nil
}

// QuoteAt is the quote of a time.
func (r *Replay) QuoteAt(symbol market.Symbol, t time.Time) (market.Quote, error) {
	underlying := r.of(symbol)
	if underlying == "" {
		return r.Market.QuoteAt(symbol, t)
	}
	c, _ := symbol.Contract()
	list, err := r.recorded(context.Background(), market.ChainRequest{Underlying: underlying, Expirations: []market.Date{c.Expiration},
		MinStrike: c.Strike, MaxStrike: c.Strike}, t)
	if err != nil {
		return market.Quote{}, err
	}
	for i := range list {
		if list[i].Symbol == symbol {
			return optionTicker(&list[i]).quote, nil
		}
	}
	return market.Quote{}, market.ErrNoData
}

// of is the underlying of a contract whose chain is recorded, "" for anything else.
func (r *Replay) of(symbol market.Symbol) market.Symbol {
	if underlying, ok := r.roots[symbol]; ok {
		return underlying
	}
	if c, ok := symbol.Contract(); ok && r.underlyings[c.Underlying()] {
		return c.Underlying() // not in the files: it does not exist
	}
	return ""
}

// Instruments describes the recorded contracts by what their symbols say.
func (r *Replay) Instruments(ctx context.Context, symbols []market.Symbol) ([]market.Instrument, error) {
	var others, unknown []market.Symbol
	found := map[market.Symbol]market.Instrument{}
	for _, symbol := range symbols {
		switch underlying := r.of(symbol); {
		case underlying == "":
			others = append(others, symbol)
		case r.roots[symbol] == "":
			unknown = append(unknown, symbol)
		default:
			found[symbol] = market.Instrument{Symbol: symbol, Kind: market.KindOption, Active: true, Multiplier: 100, Underlying: underlying,
				Ticks: []market.Tick{{Below: math.Inf(1), Increment: 0.01}}}
		}
	}
	if len(others) > 0 {
		list, err := r.Market.Instruments(ctx, others)
		missing := (*market.MissingError)(nil)
		if errors.As(err, &missing) {
			unknown = append(unknown, missing.Symbols...)
		} else if err != nil {
			return nil, err
		}
		for _, i := range list {
			if r.underlyings[i.Symbol] {
				i.Optionable = true
			}
			found[i.Symbol] = i
		}
	}
	out := make([]market.Instrument, 0, len(found))
	for _, symbol := range symbols {
		if i, ok := found[symbol]; ok {
			out = append(out, i)
		}
	}
	if len(unknown) > 0 {
		return out, &market.MissingError{Symbols: unknown, Err: market.ErrUnknownSymbol}
	}
	return out, nil
}
