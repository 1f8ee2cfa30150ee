package backtest

import (
	"time"

	"github.com/ttai-go/ttai/market"
)

// noticeDays is how long before its day an event is taken to have been announced,
// unless Market.Announced knows better.
const noticeDays = 14

// deskData is what one strategy may know: nothing that is later than the present.
type deskData struct {
	e *engine
	d *desk
}

// Quote returns the latest quote: of the symbol's own quotes, of its chain, or of a
// chain's underlying the price that came with it.
func (v *deskData) Quote(symbol market.Symbol) (market.Quote, bool) {
	in := v.e.instrumentOf(symbol)
	if in.chain != nil && !in.quoted {
		return v.e.chainQuote(in)
	}
	return in.quote, !in.quote.Time.IsZero()
}

func (v *deskData) Chain(underlying market.Symbol) ([]market.OptionQuote, time.Time) {
	c := v.e.chainOf(underlying)
	if c == nil || c.now() < 0 {
		return nil, time.Time{}
	}
	return c.snapshot(), c.moment
}

func (v *deskData) Bars(symbol market.Symbol, n int) []market.Bar {
	for _, f := range v.d.feeds {
		if f.symbol.name == symbol {
			return f.ended(n)
		}
	}
	if in := v.e.instruments[symbol]; in != nil && in.feed != nil {
		return in.feed.ended(n)
	}
	return nil
}

// Column is that of strategy.Columns.
func (v *deskData) Column(symbol market.Symbol, name string) float64 {
	f := (*feed)(nil)
	for _, g := range v.d.feeds {
		if g.symbol.name == symbol {
			f = g
		}
	}
	if f == nil || f.done == 0 {
		return unknown
	}
	column := v.e.opts.Market.Bars[f.number].Columns[name]
	if f.done > len(column) {
		return unknown
	}
	return column[f.done-1]
}

func (v *deskData) Events(symbol market.Symbol, from, to market.Date) []market.Event {
	today := market.DateOf(time.Unix(0, v.e.now).In(v.e.location))
	var out []market.Event
	for _, ev := range v.e.opts.Market.Events {
		if ev.Symbol != symbol || ev.Date.Before(from) || ev.Date.After(to) {
			continue
		}
		known := ev.Date.AddDays(-noticeDays)
		if announced := v.e.opts.Market.Announced; announced != nil {
			known = announced(ev)
		}
		if known.After(today) {
			continue
		}
		if ev.Kind == market.Earnings && !v.e.reported(ev, today) {
			ev.Value = unknown
		}
		out = append(out, ev)
	}
	return out
}

// reported tells whether the value of earnings is known. On their day it is from the
// morning on when they came before the open, and otherwise after the close.
func (e *engine) reported(ev market.Event, today market.Date) bool {
	switch {
	case ev.Date != today:
		return ev.Date.Before(today)
	case ev.Timing == "before open":
		return true
	}
	session, open := market.NYSE().Session(today)
	return open && e.now > session.Close.UnixNano()
}

func (v *deskData) Rate(years float64) float64 { return v.e.rate(years) }

func (e *engine) rate(years float64) float64 {
	if e.opts.Market.Rate == nil {
		return 0
	}
	return e.opts.Market.Rate(market.DateOf(time.Unix(0, e.now).In(e.location)), years)
}

// chainQuote is the quote of an option in the latest snapshot.
func (e *engine) chainQuote(in *instrument) (market.Quote, bool) {
	c := in.chain
	k := c.now()
	if k < 0 {
		return market.Quote{}, false
	}
	row, ok := c.store.find(k, in.inChain)
	if !ok {
		return in.quote, !in.quote.Time.IsZero()
	}
	var o market.OptionQuote
	c.store.write(&o, row, c.moment)
	q := market.NewQuote(in.name)
	q.Time, q.Bid, q.Ask, q.BidSize, q.AskSize, q.Last, q.Volume = c.moment, o.Bid, o.Ask, o.BidSize, o.AskSize, o.Last, o.Volume
	in.quote = q
	return q, true
}
