package strategy

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
)

// Plan tells what the strategy will ask of an account: the approval for options,
// whether it can go short, and its first order by the chain of now.
func (o *optionStrategy) Plan() Plan {
	p := Plan{Options: o.approval, Margin: o.margin, First: o.first}
	single := broker.Order{Tag: "plan", Type: broker.Limit, Legs: []broker.Leg{NewLeg(broker.BuyToOpen, "SPY   300118C00500000", 1)}}
	limit := Amount(-1)
	if single.Limit = &limit; o.p.Pricing == PriceAtMarket {
		single.Type, single.Limit = broker.Market, nil
	}
	p.Tickets = []broker.Ticket{broker.NewTicket(single)}
	if o.shares {
		shares := MarketOrder(broker.BuyToOpen, o.p.Symbol, 1)
		shares.Tag = "plan-shares"
		p.Tickets = append(p.Tickets, broker.NewTicket(shares))
	}
	return p
}

// first is what would be opened now.
func (o *optionStrategy) first(ctx context.Context, in FirstInput) (broker.Ticket, error) {
	source, now := in.Source, in.Now
	data := &sourceData{ctx: ctx, source: source, at: now}
	dates, err := o.expirations(ctx, source, now)
	if err != nil || len(dates) == 0 {
		return broker.Ticket{}, err
	}
	if data.chain, err = source.Chain(ctx, market.ChainRequest{Underlying: o.p.Symbol, Expirations: dates}); err != nil {
		return broker.Ticket{}, err
	}
	if data.quotes, err = source.Quotes(ctx, []market.Symbol{o.p.Symbol}); err != nil {
		return broker.Ticket{}, err
	}
	s := &Session{opts: SessionOptions{Data: data, Calendar: market.NYSE()}, now: now}
	s.book.init()
	p := *o.p
	v := look(s, &p, map[market.Symbol]market.Float{})
	h := &holding{basis: math.NaN()}
	picks, why := o.open(v, h, market.Date{})
	if why != "" {
		return broker.Ticket{}, nil
	}
	units := max(1, p.Contracts)
	if in.Balances != nil && in.Balances.NetLiquidatingValue != nil {
		s.book.equity = in.Balances.NetLiquidatingValue.InexactFloat64()
		if o.size == nil {
			units = v.units(picks)
		} else {
			units = o.size(v, h, picks)
		}
	}
	if units == 0 {
		return broker.Ticket{}, nil
	}
	order := broker.Order{}
	for _, pick := range picks {
		action := broker.BuyToOpen
		if pick.ratio < 0 {
			action = broker.SellToOpen
		}
		order.Legs = append(order.Legs, NewLeg(action, pick.symbol, float64(abs(pick.ratio)*units)))
	}
	if order, why = v.order(&task{Kind: taskOpen}, order.Legs); why != "" {
		return broker.Ticket{}, nil
	}
	return broker.NewTicket(order), nil
}

// expirations are the dates that the plan may choose from.
func (o *optionStrategy) expirations(ctx context.Context, source market.Source, now time.Time) ([]market.Date, error) {
	listed, err := source.Expirations(ctx, o.p.Symbol)
	if err != nil {
		return nil, err
	}
	today := market.DateOf(now.In(market.NYSE().Location()))
	var dates []market.Date
	for _, e := range listed {
		if days := today.DaysUntil(e.Date); days >= o.p.MinDTE && days <= max(o.p.MaxDTE, o.farthest) {
			dates = append(dates, e.Date)
		}
	}
	return slices.Compact(dates), nil
}

// sourceData is a moment of a market source as a session sees it.
type sourceData struct {
	ctx    context.Context
	source market.Source
	at     time.Time
	chain  []market.OptionQuote
	quotes []market.Quote
}

// Quote returns the underlying's.
func (d *sourceData) Quote(symbol market.Symbol) (market.Quote, bool) {
	for _, q := range d.quotes {
		if q.Symbol == symbol {
			return q, true
		}
	}
	return market.Quote{}, false
}

// Chain returns the one that was read.
func (d *sourceData) Chain(market.Symbol) ([]market.OptionQuote, time.Time) { return d.chain, d.at }

// Bars returns those that have ended, none when they cannot be read.
func (d *sourceData) Bars(symbol market.Symbol, n int) []market.Bar {
	bars, err := d.source.Bars(d.ctx, market.BarsRequest{Symbol: symbol, Interval: market.Day, To: d.at, Limit: n + 1})
	if err != nil {
		return nil
	}
	bars = market.NYSE().Complete(bars, market.Day, d.at)
	return bars[max(0, len(bars)-n):]
}

// Events returns what is announced, nothing when it cannot be read.
func (d *sourceData) Events(symbol market.Symbol, from, to market.Date) []market.Event {
	events, err := d.source.Events(d.ctx, symbol, from, to)
	if err != nil {
		return nil
	}
	return events
}

// Rate is not known.
func (d *sourceData) Rate(float64) float64 { return math.NaN() }
