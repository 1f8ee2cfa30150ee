package simulator

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

// An overlay is a market of which some quotes are set by hand. Bars, metrics and
// the quotes of the past stay what they were.
type overlay struct {
	market.Source
	clock market.Clock

	mu      sync.RWMutex
	quotes  map[market.Symbol]setQuote
	version int // counts the changes
}

type setQuote struct {
	quote market.Quote
	since time.Time
}

// SetQuote replaces what the market says about a symbol from now on: every known
// field of q, the others stay the market's. Halted counts as known. Options on
// the symbol keep their quotes unless they are set too. The quote's Time is now
// when it is zero.
func (s *Simulator) SetQuote(q market.Quote) error {
	symbol, err := market.ParseSymbol(string(q.Symbol))
	if err != nil {
		return err
	}
	q.Symbol = symbol
	for _, field := range []struct {
		name  string
		value float64
	}{{"Bid", q.Bid}, {"Ask", q.Ask}, {"Last", q.Last}, {"BidSize", q.BidSize}, {"AskSize", q.AskSize}} {
		if field.value < 0 || field.value > 1e12 {
			return invalid.Field(field.name, field.value, "0 or more, or NaN to leave it as it is")
		}
	}
	if q.Bid > q.Ask {
		return invalid.Field("Ask", q.Ask, "the bid or more")
	}
	o := s.market
	now := o.clock.Now()
	if q.Time.IsZero() {
		q.Time = now
	}
	o.mu.Lock()
	if o.quotes == nil {
		o.quotes = map[market.Symbol]setQuote{}
	}
	o.quotes[symbol] = setQuote{q, now}
	o.version++
	o.mu.Unlock()
	s.changed()
	return nil
}

// ClearQuotes gives symbols back to the market, all that were set when none is
// named.
func (s *Simulator) ClearQuotes(symbols ...market.Symbol) {
	o := s.market
	o.mu.Lock()
	if len(symbols) == 0 {
		clear(o.quotes)
	}
	for _, symbol := range symbols {
		delete(o.quotes, symbol)
	}
	o.version++
	o.mu.Unlock()
	s.changed()
}

// changes tells how often quotes were set.
func (o *overlay) changes() int {
	o.mu.RLock()
	defer o.mu.RUnlock()
	return o.version
}

func (o *overlay) set(symbol market.Symbol) (setQuote, bool) {
	o.mu.RLock()
	defer o.mu.RUnlock()
	q, ok := o.quotes[symbol]
	return q, ok
}

func (o *overlay) any() bool {
	o.mu.RLock()
	defer o.mu.RUnlock()
	return len(o.quotes) > 0
}

// over writes the known fields of a quote over another.
func over(q *market.Quote, with market.Quote) {
	for _, field := range []struct {
		to   *float64
		from float64
	}{{&q.Bid, with.Bid}, {&q.Ask, with.Ask}, {&q.Last, with.Last}, {&q.BidSize, with.BidSize}, {&q.AskSize, with.AskSize},
		{&q.Open, with.Open}, {&q.High, with.High}, {&q.Low, with.Low}, {&q.PrevClose, with.PrevClose}, {&q.Volume, with.Volume}} {
		if field.from == field.from { // not NaN
			*field.to = field.from
		}
	}
	q.Halted = with.Halted
	if with.Time.After(q.Time) {
		q.Time = with.Time
	}
}

// Quotes are the market's with those set by hand in their place; a symbol that
// the market does not know has a quote when one was set.
func (o *overlay) Quotes(ctx context.Context, symbols []market.Symbol) ([]market.Quote, error) {
	list, err := o.Source.Quotes(ctx, symbols)
	if !o.any() {
		return list, err
	}
	return o.lay(list, symbols, time.Time{}, err)
}

// lay puts the quotes that were set by hand over a list; with a time, only those
// that had been set then.
func (o *overlay) lay(list []market.Quote, symbols []market.Symbol, at time.Time, err error) ([]market.Quote, error) {
	list = slices.Clone(list)
	have := map[market.Symbol]int{}
	for i := range list {
		have[list[i].Symbol] = i
	}
	var missing *market.MissingError
	partial := errors.As(err, &missing)
	var absent []market.Symbol
	for _, symbol := range symbols {
		set, ok := o.set(symbol)
		ok = ok && (at.IsZero() || !set.since.After(at))
		i, known := have[symbol]
		switch {
		case known && ok:
			over(&list[i], set.quote)
		case ok && (err == nil || partial):
			q := market.NewQuote(symbol)
			over(&q, set.quote)
			have[symbol] = len(list)
			list = append(list, q)
		case !known && partial && slices.Contains(missing.Symbols, symbol):
			absent = append(absent, symbol)
		}
	}
	order := map[market.Symbol]int{}
	for i, symbol := range symbols {
		order[symbol] = i
	}
	slices.SortStableFunc(list, func(a, b market.Quote) int { return order[a.Symbol] - order[b.Symbol] })
	if partial {
		if len(absent) == 0 {
			return list, nil
		}
		return list, &market.MissingError{Symbols: absent, Err: missing.Err}
	}
	return list, err
}

// Chain is the market's with the quotes set by hand in their place.
func (o *overlay) Chain(ctx context.Context, req market.ChainRequest) ([]market.OptionQuote, error) {
	list, err := o.Source.Chain(ctx, req)
	if !o.any() {
		return list, err
	}
	list = slices.Clone(list)
	for i := range list {
		set, ok := o.set(list[i].Symbol)
		if !ok {
			continue
		}
		q := market.NewQuote(list[i].Symbol)
		c := &list[i]
		q.Time, q.Bid, q.Ask, q.BidSize, q.AskSize, q.Last, q.Volume = c.Time, c.Bid, c.Ask, c.BidSize, c.AskSize, c.Last, c.Volume
		over(&q, set.quote)
		c.Time, c.Bid, c.Ask, c.BidSize, c.AskSize, c.Last, c.Volume = q.Time, q.Bid, q.Ask, q.BidSize, q.AskSize, q.Last, q.Volume
	}
	return list, err
}

// quotesOn returns the quotes of a time: those set by hand since then, for the
// rest the market's memory, and now's when it has none.
func (s *Simulator) quotesOn(ctx context.Context, t time.Time, symbols []market.Symbol) ([]market.Quote, error) {
	past, ok := s.base.(pastMarket)
	if !ok || !t.Before(s.clock.Now()) {
		return s.market.Quotes(ctx, symbols)
	}
	list, err := quotesAt(past, t)(ctx, symbols)
	if err != nil || !s.market.any() {
		return list, err
	}
	return s.market.lay(list, symbols, t, nil)
}
