package strategy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/ttai-go/ttai/market"
)

// mostBars is how many bars of a symbol are kept for a strategy that asks for
// less history.
const mostBars = 1000

// liveData is what a live run knows.
type liveData struct {
	opts    *RunOptions
	session *Session
	needs   Needs

	quotes map[market.Symbol]market.Quote
	bars   map[market.Symbol][]market.Bar
	chains map[market.Symbol]liveChain
	events map[market.Symbol][]market.Event
	asked  map[market.Symbol]bool // symbols that the strategy asked quotes of
}

type liveChain struct {
	quotes []market.OptionQuote
	index  map[market.Symbol]int
	at     time.Time
}

// A newBar is a bar that has ended.
type newBar struct {
	symbol market.Symbol
	bar    market.Bar
	end    time.Time
}

func newLiveData(opts *RunOptions) *liveData {
	return &liveData{
		opts: opts, quotes: map[market.Symbol]market.Quote{}, bars: map[market.Symbol][]market.Bar{},
		chains: map[market.Symbol]liveChain{}, events: map[market.Symbol][]market.Event{}, asked: map[market.Symbol]bool{},
	}
}

// begin reads what is to be known before the strategy begins.
func (d *liveData) begin(ctx context.Context, needs Needs, now time.Time) error {
	d.needs = needs
	symbols := slices.Concat(needs.Symbols, needs.Chains)
	slices.Sort(symbols)
	symbols = slices.Compact(symbols)
	if len(symbols) > 0 {
		quotes, err := d.opts.Source.Quotes(ctx, symbols)
		if err != nil && len(quotes) == 0 {
			return fmt.Errorf("strategy: reading quotes: %w", err)
		}
		for _, q := range quotes {
			d.put(q)
		}
	}
	if needs.Interval != "" {
		for _, s := range needs.Symbols {
			bars, err := d.opts.Source.Bars(ctx, market.BarsRequest{Symbol: s, Interval: needs.Interval, To: now, Limit: needs.History + 1})
			if err != nil && !errors.Is(err, market.ErrNoData) {
				return fmt.Errorf("strategy: reading bars of %s: %w", s, err)
			}
			bars = d.opts.Calendar.Complete(bars, needs.Interval, now)
			d.bars[s] = slices.Clone(bars[max(0, len(bars)-needs.History-1):])
		}
	}
	today := market.DateOf(now.In(d.opts.Calendar.Location()))
	for _, s := range symbols {
		events, err := d.opts.Source.Events(ctx, s, today.AddDays(-400), today.AddDays(400))
		if err != nil {
			d.opts.Logger.Info("strategy: earnings and dividends are not known", "symbol", s, "error", err)
			continue
		}
		d.events[s] = events
	}
	for _, u := range needs.Chains {
		if _, err := d.readChain(ctx, needs, u, now); err != nil {
			d.opts.Logger.Warn("strategy: reading the option chain", "symbol", u, "error", err)
		}
	}
	return nil
}

func (d *liveData) put(q market.Quote) { d.quotes[q.Symbol] = q }

// watched are the symbols whose quotes are read: those that the strategy needs,
// holds, or has asked for.
func (d *liveData) watched() []market.Symbol {
	out := slices.Clone(d.needs.Symbols)
	for s := range d.asked {
		out = append(out, s)
	}
	for _, p := range d.session.book.list {
		if p.Quantity != 0 {
			out = append(out, p.Symbol)
			out = append(out, underlyingOf(p.Symbol))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Quote returns the latest quote; that of a chain when it is the newer one.
func (d *liveData) Quote(symbol market.Symbol) (market.Quote, bool) {
	q, ok := d.quotes[symbol]
	if c, found := symbol.Contract(); found {
		chain := d.chains[c.Underlying()]
		if i, there := chain.index[symbol]; there && (!ok || chain.at.After(q.Time)) {
			o := chain.quotes[i]
			q = market.NewQuote(symbol)
			q.Time, q.Bid, q.Ask, q.BidSize, q.AskSize, q.Last, q.Volume = o.Time, o.Bid, o.Ask, o.BidSize, o.AskSize, o.Last, o.Volume
			return q, true
		}
	}
	if !ok {
		d.asked[symbol] = true // the next time it will be known
	}
	return q, ok
}

func (d *liveData) Chain(underlying market.Symbol) ([]market.OptionQuote, time.Time) {
	c := d.chains[underlying]
	return c.quotes, c.at
}

func (d *liveData) Bars(symbol market.Symbol, n int) []market.Bar {
	bars := d.bars[symbol]
	return bars[max(0, len(bars)-max(n, 0)):]
}

func (d *liveData) Events(symbol market.Symbol, from, to market.Date) []market.Event {
	var out []market.Event
	for _, e := range d.events[symbol] {
		if !e.Date.Before(from) && !to.Before(e.Date) {
			out = append(out, e)
		}
	}
	return out
}

func (d *liveData) Rate(years float64) float64 {
	if d.opts.Rate == nil {
		return 0
	}
	return d.opts.Rate(years)
}

func (d *liveData) Column(symbol market.Symbol, name string) float64 {
	if d.opts.Columns == nil {
		return math.NaN()
	}
	return d.opts.Columns(symbol, name, d.session.now)
}

// newBars reads the bars that have ended and are not known yet, ascending by
// their end, of one end in the order of the needs. Complete tells that each
// symbol has the bar that ended at end, or one that ended later.
func (d *liveData) newBars(ctx context.Context, needs Needs, now, end time.Time) (fresh []newBar, complete bool, err error) {
	complete = true
	for _, s := range needs.Symbols {
		req := market.BarsRequest{Symbol: s, Interval: needs.Interval, To: now}
		last := time.Time{}
		if known := d.bars[s]; len(known) > 0 {
			last = known[len(known)-1].Time
			req.From = last.Add(time.Nanosecond)
		} else {
			req.Limit = needs.History + 1
		}
		bars, failed := d.opts.Source.Bars(ctx, req)
		if failed != nil {
			complete = false
			if !errors.Is(failed, market.ErrNoData) {
				err = failed
			}
			continue
		}
		newest := time.Time{}
		if known := d.bars[s]; len(known) > 0 {
			newest = d.opts.Calendar.BarEnd(last, needs.Interval)
		}
		for _, b := range d.opts.Calendar.Complete(bars, needs.Interval, now) {
			if !b.Time.After(last) {
				continue
			}
			newest = d.opts.Calendar.BarEnd(b.Time, needs.Interval)
			fresh = append(fresh, newBar{s, b, newest})
		}
		if newest.Before(end) {
			complete = false
		}
	}
	slices.SortStableFunc(fresh, func(a, b newBar) int {
		return cmp.Compare(a.end.UnixNano(), b.end.UnixNano())
	})
	return fresh, complete, err
}

// append adds a bar that is delivered next.
func (d *liveData) append(b newBar) {
	most := max(mostBars, d.needs.History)
	bars := append(d.bars[b.symbol], b.bar)
	if len(bars) > 2*most {
		bars = slices.Clone(bars[len(bars)-most:])
	}
	d.bars[b.symbol] = bars
}

// readChain reads the part of an option chain that the strategy needs.
func (d *liveData) readChain(ctx context.Context, needs Needs, u market.Symbol, now time.Time) ([]market.OptionQuote, error) {
	req := market.ChainRequest{Underlying: u}
	if needs.ChainDays > 0 {
		expirations, err := d.opts.Source.Expirations(ctx, u)
		if err != nil {
			return nil, err
		}
		today := market.DateOf(now.In(d.opts.Calendar.Location()))
		first, last := today.AddDays(needs.ChainFrom), today.AddDays(needs.ChainDays)
		for _, e := range expirations {
			if !last.Before(e.Date) && !e.Date.Before(first) && (len(req.Expirations) == 0 || req.Expirations[len(req.Expirations)-1] != e.Date) {
				req.Expirations = append(req.Expirations, e.Date)
			}
		}
		if len(req.Expirations) == 0 {
			return nil, market.ErrNoData
		}
	}
	if needs.ChainRange > 0 {
		if q, ok := d.quotes[u]; ok && q.Mid() > 0 {
			req.MinStrike, req.MaxStrike = q.Mid()*(1-needs.ChainRange), q.Mid()*(1+needs.ChainRange)
		}
	}
	quotes, err := d.opts.Source.Chain(ctx, req)
	if err != nil && len(quotes) == 0 {
		return nil, err
	}
	c := liveChain{quotes: quotes, index: make(map[market.Symbol]int, len(quotes)), at: now}
	for i := range quotes {
		c.index[quotes[i].Symbol] = i
	}
	d.chains[u] = c
	return quotes, nil
}

// A barClock tells when bars end.
type barClock struct {
	cal      *market.Calendar
	interval market.Interval
	step0    time.Duration
	end      time.Time // the end that is waited for
	next     time.Time // when bars are asked for next; zero: never
}

func newBarClock(cal *market.Calendar, interval market.Interval, now time.Time) barClock {
	c := barClock{cal: cal, interval: interval}
	if interval == "" {
		return c
	}
	if interval.Intraday() {
		// Longer bars are counted from the hour or from the opening: half hours find
		// the ends of both.
		c.step0 = interval.Duration()
		for c.step0 > 30*time.Minute || c.step0 > time.Minute && (30*time.Minute)%c.step0 != 0 {
			c.step0 = divisor(c.step0)
		}
	}
	c.step(now)
	return c
}

// divisor is the largest part of half an hour that d is made of.
func divisor(d time.Duration) time.Duration {
	a, b := d, 30*time.Minute
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// step goes on to the first end after a time.
func (c *barClock) step(now time.Time) {
	session, open := c.cal.Session(market.DateOf(now.In(c.cal.Location())))
	if !open || !now.Before(session.Close) {
		session = c.cal.Next(now)
		for !session.Close.After(now) && !session.Close.IsZero() {
			session = c.cal.Next(session.Close)
		}
	}
	if session.Close.IsZero() {
		c.next, c.end = time.Time{}, time.Time{}
		return
	}
	c.end = session.Close
	if c.step0 > 0 {
		k := int64(1)
		if now.After(session.Open) {
			k = int64(now.Sub(session.Open)/c.step0) + 1
		}
		if end := session.Open.Add(time.Duration(k) * c.step0); end.Before(c.end) {
			c.end = end
		}
	}
	c.next = c.end
}
