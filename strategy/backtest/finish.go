package backtest

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/broker/paper"
	"github.com/ttai-go/ttai/strategy"
)

// finish is the end of the data.
func (e *engine) finish() error {
	if !e.begun {
		return nil
	}
	if e.rules.Finish != KeepOpen {
		if err := e.closeOut(); err != nil {
			return err
		}
	}
	e.lastly = true
	for _, d := range e.desks {
		if d.ruined {
			continue
		}
		d.event = strategy.Event{Kind: strategy.EndEvent, Time: e.present()}
		if err := d.give(); err != nil {
			return err
		}
		d.over = true
	}
	for _, d := range e.desks {
		d.curve.close(e, d)
	}
	e.progress(true)
	return e.failed
}

// closeOut lets what was ordered at the last bars fill, and closes the rest, at
// the price that the rules say.
func (e *engine) closeOut() error {
	if err := e.sync(); err != nil {
		return err
	}
	e.lastly, e.closingOut = false, true
	defer func() { e.closingOut = false }()
	for _, d := range e.desks {
		if d.ruined {
			continue
		}
		if err := d.unprotect(context.WithoutCancel(e.ctx)); err != nil {
			return fmt.Errorf("backtest: closing at the end: %w", err)
		}
		if err := d.closeAll(context.WithoutCancel(e.ctx)); err != nil {
			return fmt.Errorf("backtest: closing at the end: %w", err)
		}
	}
	if err := e.quoteLast(); err != nil {
		return err
	}
	e.quoteHeld()
	if err := e.deliver(); err != nil {
		return err
	}
	e.points()
	return e.failed
}

// quoteLast shows the exchange the price at which the end of the data closes.
func (e *engine) quoteLast() error {
	for _, f := range e.feeds {
		if f.symbol.feed != f || f.done == 0 {
			continue
		}
		price := f.bars[f.done-1].Close
		switch e.rules.Finish {
		case CloseAtLastOpen:
			price = f.bars[f.done-1].Open
		case CloseAtPreviousClose:
			if f.done > 1 {
				price = f.bars[f.done-2].Close
			}
		}
		if err := e.x.Quote(paper.Quote{Symbol: f.symbol.name, Bid: price, Ask: price, BidSize: unknown, AskSize: unknown}); err != nil {
			return fmt.Errorf("backtest: closing at the end: %w", err)
		}
	}
	return nil
}

// closedAt is when and in which bar what is closed at the end of the data counts
// as closed.
func (e *engine) closedAt(in *instrument) (time.Time, int64) {
	f := in.feed
	if f == nil || f.done == 0 {
		return e.present(), in.bar()
	}
	switch {
	case e.rules.Finish == CloseAtLastOpen:
		return time.Unix(0, f.last).In(e.location), f.count - 1
	case e.rules.Finish == CloseAtPreviousClose && f.done > 1:
		_, end, err := f.spans.of(&f.bars[f.done-2])
		if err != nil {
			return e.present(), f.count - 2
		}
		return time.Unix(0, end).In(e.location), f.count - 2
	}
	return e.present(), f.count - 1
}

// ruin closes everything of an account that is worth nothing any more.
func (e *engine) ruin(d *desk) {
	for _, h := range append([]*holding(nil), d.ledger.open...) {
		price := decimal.Zero
		if h.in.mark > 0 {
			price = decimal.NewFromFloat(h.in.mark)
		}
		quantity := h.quantity.Decimal()
		if h.in.future {
			d.ledger.pay(decimal.NewFromFloat(h.units*h.in.mark - h.basis))
		} else {
			d.ledger.pay(quantity.Mul(price).Mul(decimal.NewFromFloat(h.in.multi)))
		}
		d.move(&change{in: h.in, quantity: h.quantity.Neg(), price: price, time: e.present(), bar: h.in.bar(), how: broker.Trade})
	}
	d.ledger.pay(d.ledger.cash.Neg().Decimal())
	d.ruined = true
	if err := e.sync(); err != nil {
		e.fail(err)
		return
	}
	working, err := d.view.Orders(e.ctx, d.id, broker.OrdersQuery{Working: true})
	if err != nil {
		return
	}
	for i := range working {
		_, _ = d.view.Cancel(e.ctx, d.id, working[i].ID) // it may have ended with another
	}
	d.note(strategy.Note{Time: e.present(), Text: "the account is worth nothing any more: everything was closed"})
}

func (e *engine) settings() *Settings {
	s := &Settings{Rules: e.rules.describe(), Seed: e.opts.Seed, From: e.opts.From, To: e.opts.To, Version: version(e.opts.Version)}
	for i := range e.opts.Accounts {
		a := &e.opts.Accounts[i]
		s.Strategies = append(s.Strategies, StrategySettings{Account: e.desks[i].id, Name: a.Name, Params: a.Params, Cash: a.Cash})
	}
	for _, f := range e.feeds {
		s.Data = append(s.Data, f.name+" "+string(f.interval))
	}
	for _, q := range e.quotes {
		name := q.feed.Name
		if name == "" {
			name = string(q.feed.Symbol)
		}
		s.Data = append(s.Data, name+" quotes")
	}
	for _, c := range e.chains {
		s.Data = append(s.Data, c.store.name+" options")
	}
	return s
}

// record puts together what happened. err is why the run ended, if not by the end
// of its data.
func (e *engine) record(err error) *Record {
	for _, c := range e.chains {
		if c.room != nil {
			c.store.rooms.Put(c.room)
			c.room, c.present, c.written = nil, nil, -1
		}
	}
	r := &Record{Settings: *e.settings(), Bars: e.bars, Quotes: e.scanned, Digest: e.named()}
	if err != nil {
		r.Stopped = err.Error()
	}
	if e.begun {
		r.Begin, r.End = time.Unix(0, e.begin).In(e.location), e.present()
	}
	for _, d := range e.desks {
		d.curve.close(e, d)
		a := AccountRecord{
			Account: d.id, Curve: d.curve.columns, Fills: d.fills.All(), Trades: d.trades.All(), Orders: d.orders.All(), Transactions: d.transactions,
			Notes: d.notes, Greeks: d.greeks, Warmup: d.warmup(), Fees: d.ledger.fees.Decimal(), Realized: d.ledger.realized.Decimal(), Cash: d.ledger.cash.Decimal(),
		}
		for _, h := range d.ledger.open {
			a.Trades = append(a.Trades, h.still(e.present())...)
		}
		if value, ok := d.ledger.exact(); ok {
			a.Value = &value
		}
		if e.begun {
			a.Positions, _ = d.view.Positions(context.WithoutCancel(e.ctx), d.id)
			a.State = d.state()
		}
		if d.ruined {
			a.Positions = nil
		}
		r.Accounts = append(r.Accounts, a)
	}
	return r
}

// warmup is how many bars of its first symbol pass before the strategy can decide.
func (d *desk) warmup() int {
	n := max(d.needs.History, 1)
	if len(d.feeds) > 0 {
		n = max(n-d.feeds[0].warm, 1)
	}
	return n
}

// still are the round trips of what is open, at its mark.
func (h *holding) still(at time.Time) []Trade {
	var out []Trade
	for i := range h.lots {
		o := &h.lots[i]
		t := Trade{
			Symbol: h.in.name, Quantity: o.quantity.Decimal(), Multiplier: h.in.unit, EntryTime: o.time, ExitTime: at,
			EntryBar: o.bar, ExitBar: h.in.bar(), EntryPrice: o.price, ExitPrice: o.price, Fees: o.fees.Decimal(), Open: true, Tag: o.tag,
		}
		if h.in.mark >= 0 {
			t.ExitPrice = decimal.NewFromFloat(h.in.mark)
		}
		t.Profit = t.Quantity.Mul(t.ExitPrice.Sub(o.price)).Mul(t.Multiplier).Add(t.Fees)
		out = append(out, t)
	}
	return out
}

// exact is the value in decimals; false when a price is not known.
func (l *ledger) exact() (decimal.Decimal, bool) {
	sum := l.cash.Decimal()
	for _, h := range l.open {
		if math.IsNaN(h.in.mark) {
			return decimal.Zero, false
		}
		price := decimal.NewFromFloat(h.in.mark)
		multiplier := decimal.NewFromFloat(h.in.multi)
		sum = sum.Add(h.quantity.Decimal().Mul(price).Mul(multiplier))
		if h.in.future {
			for i := range h.lots {
				sum = sum.Sub(h.lots[i].quantity.Decimal().Mul(h.lots[i].price).Mul(multiplier))
			}
		}
	}
	return sum, true
}

// named is the digest of what was replayed.
func (e *engine) named() string {
	h := newDigest()
	for _, f := range e.feeds {
		h.add(f.digest.sum())
		columns := e.opts.Market.Bars[f.number].Columns
		for _, name := range slices.Sorted(maps.Keys(columns)) {
			h.text(name)
			for _, x := range columns[name][:min(f.done, len(columns[name]))] {
				h.add(math.Float64bits(x))
			}
		}
	}
	for _, q := range e.quotes {
		h.text(string(q.feed.Symbol))
		for i := range q.feed.Quotes[:q.done] {
			n := &q.feed.Quotes[i]
			h.add(uint64(n.Time.UnixNano()))
			h.add(math.Float64bits(n.Bid))
			h.add(math.Float64bits(n.Ask))
			h.add(math.Float64bits(n.Last))
		}
	}
	for _, c := range e.chains {
		h.text(string(c.store.underlying))
		h.add(c.store.digest)
		h.add(uint64(c.done))
	}
	for _, ev := range e.opts.Market.Events {
		h.text(string(ev.Symbol) + string(ev.Kind) + ev.Date.String())
		h.add(math.Float64bits(ev.Value))
	}
	return h.String()
}
