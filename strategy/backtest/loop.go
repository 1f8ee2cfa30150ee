package backtest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/ttai-go/ttai/broker/paper"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/strategy"
)

var errEndless = errors.New("backtest: a strategy answers each event with another: 20,000 at one instant")

// run goes from instant to instant until the data end.
func (e *engine) run() error {
	e.clockwork.begin(&e.opts)
	if e.opts.Observer != nil {
		e.tell(&Item{Time: time.Unix(0, e.clock).In(e.location), Account: -1, Begin: e.settings()})
	}
	for n := 0; ; n++ {
		if n&255 == 0 { // also after each glide
			if err := context.Cause(e.ctx); err != nil {
				return err
			}
			if e.opts.Progress != nil {
				e.progress(false)
			}
		}
		at := e.next()
		if at == math.MaxInt64 {
			return e.finish()
		}
		if !e.begun {
			e.begun, e.begin = true, at
			if err := e.start(at); err != nil {
				return err
			}
		}
		if e.glides() {
			if err := e.glide(); err != nil {
				return err
			}
			n |= 255 // look at the context with the next instant
			if at = e.next(); at == math.MaxInt64 {
				continue
			}
		}
		if err := e.timers(at); err != nil {
			return err
		}
		if err := e.instant(at); err != nil {
			return err
		}
		if e.failed != nil {
			return e.failed
		}
	}
}

// next is the next instant at which something is known.
func (e *engine) next() int64 {
	at := int64(math.MaxInt64)
	for _, f := range e.feeds {
		at = min(at, f.end)
	}
	for _, q := range e.quotes {
		at = min(at, q.at)
	}
	for _, c := range e.chains {
		at = min(at, c.at)
	}
	return at
}

// start begins the strategies, just before the first instant.
func (e *engine) start(at int64) error {
	first := at
	for _, f := range e.feeds {
		if f.end != math.MaxInt64 {
			first = min(first, f.start)
		}
	}
	begin := time.Unix(0, max(e.clock, first-1)).In(e.location)
	e.now = begin.UnixNano()
	for _, d := range e.desks {
		if err := d.session.Start(e.ctx, begin, nil); err != nil {
			return fmt.Errorf("backtest: %s: %w", d.id, err)
		}
	}
	return e.deliver()
}

// present is the time that strategies are told.
func (e *engine) present() time.Time {
	if e.shownAt != e.now || e.shown.IsZero() {
		e.shownAt, e.shown = e.now, time.Unix(0, e.now).In(e.location)
	}
	return e.shown
}

// timers fires those that are due before an instant, each at its own time.
func (e *engine) timers(before int64) error {
	for {
		at, ok := int64(math.MaxInt64), false
		for _, d := range e.desks {
			if next, set := d.session.NextTimer(); set {
				at, ok = min(at, next.UnixNano()), true
			}
		}
		if !ok || at >= before {
			return nil
		}
		if err := e.advance(at); err != nil {
			return err
		}
		e.now = max(e.now, at)
		if err := e.deliver(); err != nil {
			return err
		}
		if err := e.fire(e.now); err != nil {
			return err
		}
	}
}

func (e *engine) fire(to int64) error {
	for _, d := range e.desks {
		if next, set := d.session.NextTimer(); set && next.UnixNano() <= to {
			if err := d.session.Fire(time.Unix(0, to).In(e.location)); err != nil {
				return err
			}
		}
	}
	return e.deliver()
}

// deliver tells the strategies what happened.
func (e *engine) deliver() error {
	for _, d := range e.desks {
		if len(d.queue) > d.told {
			if err := d.deliver(); err != nil {
				return err
			}
		}
	}
	return nil
}

// quiet tells that nothing can happen at the exchange up to an instant: then it
// need not see the bars.
func (e *engine) quiet(at int64) bool {
	if e.working > 0 || e.busy || len(e.adjusting) > 0 && e.adjusting[0] <= at {
		return false
	}
	for _, d := range e.desks {
		if d.ledger.options > 0 {
			return false
		}
	}
	return true
}

// instant lets happen what the present instant brings.
func (e *engine) instant(at int64) error {
	e.due = e.due[:0]
	for _, f := range e.feeds {
		if f.end == at {
			e.due = append(e.due, f)
		}
	}
	e.closing = false
	for _, q := range e.quotes {
		e.closing = e.closing || q.at == at && q.closing
	}
	for _, c := range e.chains {
		e.closing = e.closing || c.at == at && c.closing
	}
	e.now = at
	if e.closing {
		e.now = at - 1
	}
	if err := e.takeBars(at); err != nil {
		return err
	}
	if len(e.quotes)+len(e.chains) > 0 {
		if err := e.takeQuotes(at); err != nil {
			return err
		}
	}
	e.lastly = e.next() == math.MaxInt64
	if err := e.deliver(); err != nil {
		return err
	}
	if e.rules.PointFirst {
		e.points()
	}
	if err := e.fire(e.now); err != nil {
		return err
	}
	if e.lastly && e.rules.Finish == CloseAtPreviousClose {
		if err := e.sync(); err != nil {
			return err
		}
		if err := e.quoteLast(); err != nil {
			return err
		}
	}
	if err := e.tellBars(); err != nil {
		return err
	}
	if len(e.quotes)+len(e.chains) > 0 {
		if err := e.tellQuotes(at); err != nil {
			return err
		}
	}
	if !e.rules.PointFirst {
		e.points()
	}
	if e.closing {
		e.closing, e.now = false, at
		if !e.quiet(at) {
			if err := e.advance(at); err != nil {
				return err
			}
			return e.deliver()
		}
	}
	return nil
}

// takeBars takes the bars that end now, and shows them to the exchange when
// something can come of it.
func (e *engine) takeBars(at int64) error {
	if len(e.due) == 0 {
		return nil
	}
	quiet := e.quiet(at) && !e.closing
	if !quiet && e.unsynced {
		if err := e.syncTo(at - 1); err != nil {
			return err
		}
	}
	for _, f := range e.due {
		b := f.take()
		f.symbol.mark, f.symbol.markAt = b.Close, at
		e.bars++
	}
	if quiet {
		e.unsynced = true
	} else if err := e.show(e.due, e.closing); err != nil {
		return err
	}
	for _, f := range e.due {
		if err := f.look(); err != nil {
			return err
		}
	}
	for len(e.adjusting) > 0 && e.adjusting[0] <= at {
		e.adjusting = e.adjusting[1:]
	}
	return nil
}

// show pushes the latest bars of feeds to the exchange: bars of one span together,
// later starts first seen last.
func (e *engine) show(feeds []*feed, closing bool) error {
	if len(feeds) > 1 {
		slices.SortStableFunc(feeds, func(a, b *feed) int {
			switch {
			case a.last < b.last:
				return -1
			case a.last > b.last:
				return 1
			}
			return a.number - b.number
		})
	}
	for i := 0; i < len(feeds); {
		e.room = e.room[:0]
		start := feeds[i].last
		for ; i < len(feeds) && feeds[i].last == start; i++ {
			f := feeds[i]
			f.pushed = f.count
			if f.symbol.feed != f {
				continue // the first bars of a symbol are those that it trades by
			}
			b := f.bars[f.done-1]
			b.High, b.Low = max(b.High, b.Open, b.Close), min(b.Low, b.Open, b.Close)
			e.room = append(e.room, paper.Bar{Symbol: f.symbol.name, Interval: f.interval, Bar: b})
		}
		if len(e.room) == 0 {
			continue
		}
		push := e.x.Bars
		if closing || i < len(feeds) {
			push = e.x.ClosingBars
		}
		if err := push(e.room); err != nil {
			return fmt.Errorf("backtest: %w", err)
		}
	}
	// Bars that are shown late bring the exchange to their end, and no further; further
	// bars of a symbol, by which it does not trade, do not bring it there.
	e.clock = max(e.clock, min(e.now, feeds[0].lastEnd, e.x.Now().UnixNano()))
	return nil
}

// sync brings the exchange to the present.
func (e *engine) sync() error { return e.syncTo(e.now) }

func (e *engine) syncTo(to int64) error {
	if e.unsynced {
		e.unsynced = false
		var late []*feed
		for _, f := range e.feeds {
			if f.pushed < f.count {
				late = append(late, f)
			}
		}
		// By their ends; those that end together are shown together.
		slices.SortStableFunc(late, func(a, b *feed) int {
			if x, y := a.lastEnd, b.lastEnd; x != y {
				if x < y {
					return -1
				}
				return 1
			}
			return 0
		})
		for i := 0; i < len(late); {
			j := i
			for j < len(late) && late[j].lastEnd == late[i].lastEnd {
				j++
			}
			if err := e.show(late[i:j:j], e.closing && j == len(late)); err != nil {
				return err
			}
			i = j
		}
	}
	return e.advance(to)
}

// advance moves the exchange's time.
func (e *engine) advance(to int64) error {
	if to <= e.clock {
		return nil
	}
	if e.unsynced && !e.quiet(to) {
		return e.syncTo(to)
	}
	if e.unsynced {
		return nil
	}
	e.clock = to
	if now := e.x.Now(); now.UnixNano() >= to {
		return nil
	}
	return e.x.Advance(time.Unix(0, to))
}

// takeQuotes takes the quotes and chains of the instant, and shows the exchange
// those that matter to it.
func (e *engine) takeQuotes(at int64) error {
	if !e.quiet(at) {
		if err := e.sync(); err != nil {
			return err
		}
	}
	for _, q := range e.quotes {
		for i := q.done; q.at == at; i++ {
			e.scanned++
			latest := &q.feed.Quotes[i]
			q.in.quote = *latest
			q.in.quote.Symbol = q.in.name
			if mid := latest.Mid(); mid >= 0 {
				q.in.mark, q.in.markAt = mid, at
			} else if latest.Last > 0 {
				q.in.mark, q.in.markAt = latest.Last, at
			}
			if e.working > 0 {
				if err := e.x.Quote(paper.Quote{Symbol: q.in.name, Time: e.present(), Bid: latest.Bid, Ask: latest.Ask, BidSize: latest.BidSize, AskSize: latest.AskSize}); err != nil {
					return err
				}
			}
			q.done++
			q.look()
		}
	}
	for _, c := range e.chains {
		if c.at != at {
			continue
		}
		c.done++
		c.moment = e.present()
		k := c.now()
		e.scanned += int64(c.store.first[k+1] - c.store.first[k])
		if spot := c.store.spots[k]; !c.byFeed && spot > 0 {
			c.under.mark, c.under.markAt = spot, at
			c.under.quote = market.NewQuote(c.under.name)
			c.under.quote.Time, c.under.quote.Bid, c.under.quote.Ask, c.under.quote.Last = c.moment, spot, spot, spot
		}
		c.look()
		if err := e.value(c, k); err != nil {
			return err
		}
	}
	if e.working > 0 || e.anyOptions() {
		e.quoteHeld()
		return e.quoteWorking()
	}
	return e.failed
}

func (e *engine) anyOptions() bool {
	for _, d := range e.desks {
		if d.ledger.options > 0 {
			return true
		}
	}
	return false
}

// tellBars hands the bars that have just ended to those who want them.
func (e *engine) tellBars() error {
	for _, f := range e.due {
		for _, d := range f.readers {
			if err := d.giveBar(f, &f.bars[f.done-1]); err != nil {
				return err
			}
		}
	}
	return nil
}

// tellQuotes hands quotes and chains to those who want them.
func (e *engine) tellQuotes(at int64) error {
	for _, q := range e.quotes {
		if q.in.quote.Time.UnixNano() != at {
			continue
		}
		for _, d := range q.readers {
			if !slices.Contains(d.needs.Symbols, q.in.name) && d.ledger.of(q.in) == nil {
				continue
			}
			d.event = strategy.Event{Kind: strategy.QuoteEvent, Time: e.present(), Symbol: q.in.name, Quote: q.in.quote}
			if err := d.give(); err != nil {
				return err
			}
		}
	}
	for _, c := range e.chains {
		if k := c.now(); k < 0 || c.store.times[k] != at {
			continue
		}
		if !c.byFeed {
			for _, d := range e.desks {
				if d.needs.Quotes && slices.Contains(d.needs.Symbols, c.under.name) {
					d.event = strategy.Event{Kind: strategy.QuoteEvent, Time: e.present(), Symbol: c.under.name, Quote: c.under.quote}
					if err := d.give(); err != nil {
						return err
					}
				}
			}
		}
		for _, d := range c.readers {
			d.event = strategy.Event{Kind: strategy.ChainEvent, Time: e.present(), Symbol: c.store.underlying, Chain: c.snapshot()}
			if err := d.give(); err != nil {
				return err
			}
		}
	}
	return nil
}

// quoteLeg shows the exchange the present quote of an instrument that has no bars.
func (e *engine) quoteLeg(symbol market.Symbol) error {
	in := e.instrumentOf(symbol)
	if in.chain != nil && (in.chain.under.feed == nil || e.closing) {
		if err := e.quote(in.chain.under); err != nil {
			return err
		}
	}
	if in.feed != nil && !e.closing {
		return nil
	}
	return e.quote(in)
}

// quote shows the exchange an instrument's present quote, or that there is none.
func (e *engine) quote(in *instrument) error {
	q := paper.Quote{Symbol: in.name, Bid: unknown, Ask: unknown, BidSize: unknown, AskSize: unknown}
	switch {
	case in.chain != nil && !in.quoted:
		k := in.chain.now()
		if k < 0 {
			return nil
		}
		if row, ok := in.chain.store.find(k, in.inChain); ok {
			latest, _ := e.chainQuote(in)
			_ = row
			q.Bid, q.Ask, q.BidSize, q.AskSize = latest.Bid, latest.Ask, latest.BidSize, latest.AskSize
		}
	case in.feed != nil: // at the close, at its price
		if !(in.mark > 0) {
			return nil
		}
		q.Bid, q.Ask = in.mark, in.mark
	case !in.quote.Time.IsZero():
		q.Bid, q.Ask, q.BidSize, q.AskSize = in.quote.Bid, in.quote.Ask, in.quote.BidSize, in.quote.AskSize
	default:
		return nil
	}
	if err := e.x.Quote(q); err != nil {
		return fmt.Errorf("backtest: %w", err)
	}
	return nil
}

// quoteHeld shows the exchange the quotes of the options that are held, and of
// what they are on.
func (e *engine) quoteHeld() {
	for _, d := range e.desks {
		for _, h := range d.ledger.open {
			if h.in.feed == nil || e.closing {
				e.fail(e.quote(h.in))
			}
			if h.in.chain != nil && (h.in.chain.under.feed == nil || e.closing) {
				e.fail(e.quote(h.in.chain.under))
			}
		}
	}
}

// quoteWorking shows the exchange the quotes of what working orders are for.
func (e *engine) quoteWorking() error {
	for _, d := range e.desks {
		if d.seen.Len() == 0 {
			continue
		}
		working := d.session.Working()
		for i := range working {
			for j := range working[i].Order.Legs {
				in := e.instrumentOf(working[i].Order.Legs[j].Symbol)
				if in.feed == nil && d.ledger.of(in) == nil {
					if err := e.quote(in); err != nil {
						return err
					}
				}
			}
		}
	}
	return e.failed
}

func (e *engine) fail(err error) {
	if err != nil && e.failed == nil {
		e.failed = err
	}
}

// tell hands an item to the observer.
func (e *engine) tell(item *Item) {
	if e.opts.Observer == nil || e.failed != nil {
		return
	}
	if err := e.opts.Observer.Observe(item); err != nil {
		e.failed = fmt.Errorf("backtest: the observer: %w", err)
	}
}
