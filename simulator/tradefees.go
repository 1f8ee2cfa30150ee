package simulator

import (
	"context"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
)

func feePart(name string, d decimal.Decimal) wireFeePart {
	value, effect := magnitude(d)
	return wireFeePart{name, value, effect}
}

// The lines of each part of a breakdown that are always there, in the order in
// which they stand.
var feeLines = map[broker.FeePart][]string{
	broker.RegulatoryPart: {"exchange", "nfa", "orf", "sec", "taf"},
	broker.ClearingPart:   {"clearing"},
	broker.CommissionPart: {"brokerage"},
	broker.ExchangePart:   {"proprietary"},
}

// feesOf writes what an order costs, line by line.
func (t *trade) feesOf(ctx context.Context, p *broker.Preview) *wireFees {
	f := broker.Fees{}
	if p.Fees != nil {
		f = *p.Fees
	}
	items := t.itemize(ctx, p)
	part := func(kind broker.FeePart, sum decimal.Decimal) []wireFeePart {
		lines := map[string]decimal.Decimal{}
		names, left := append([]string(nil), feeLines[kind]...), sum
		for _, item := range items {
			if item.Part != kind {
				continue
			}
			if _, known := lines[item.Name]; !known && !contains(names, item.Name) {
				names = append(names, item.Name)
			}
			lines[item.Name] = lines[item.Name].Add(item.Amount)
			left = left.Sub(item.Amount)
		}
		if !left.IsZero() { // counted at another price: one line for all
			lines = map[string]decimal.Decimal{feeLines[kind][0]: sum}
		}
		var out []wireFeePart
		for _, name := range names {
			out = append(out, feePart(name, lines[name]))
		}
		return out
	}
	w := &wireFees{}
	w.Regulatory, w.RegulatoryEffect = magnitude(f.Regulatory)
	w.RegulatoryBreakdown = part(broker.RegulatoryPart, f.Regulatory)
	w.Clearing, w.ClearingEffect = magnitude(f.Clearing)
	w.ClearingBreakdown = part(broker.ClearingPart, f.Clearing)
	w.Commission, w.CommissionEffect = magnitude(f.Commission)
	w.CommissionBreakdown = part(broker.CommissionPart, f.Commission)
	w.Proprietary, w.ProprietaryEffect = magnitude(f.Exchange)
	w.ProprietaryBreakdown = part(broker.ExchangePart, f.Exchange)
	w.Total, w.TotalEffect = magnitude(f.Total())
	w.Rebates, w.RebatesEffect = magnitude(decimal.Zero)
	w.RebatesBreakdown = []wireFeePart{feePart("rebate", decimal.Zero)}
	return w
}

func contains(list []string, text string) bool {
	for _, one := range list {
		if one == text {
			return true
		}
	}
	return false
}

// itemize lists the lines of an order's fees, at the price of the order or else at
// what its legs can be traded for.
func (t *trade) itemize(ctx context.Context, p *broker.Preview) []broker.FeeItem {
	var items []broker.FeeItem
	now := t.exchange.Now()
	day := market.DateOf(now.In(t.sim.calendar.Location()))
	for i := range p.Ticket.Orders[:min(1, len(p.Ticket.Orders))] {
		o := &p.Ticket.Orders[i]
		var symbols []market.Symbol
		for _, leg := range o.Legs {
			symbols = append(symbols, leg.Symbol)
		}
		quotes := t.sim.quotesFor(ctx, now, symbols)
		for _, leg := range o.Legs {
			price := legPrice(o, leg, quotes[leg.Symbol])
			if !price.Valid {
				return nil
			}
			quantity := leg.Quantity
			if o.Notional != nil && price.Decimal.IsPositive() {
				quantity = o.Notional.DivRound(price.Decimal, 9)
			}
			multiplier := decimal.NewFromInt(1)
			if i, ok := t.sim.instrument(ctx, leg.Symbol); ok && i.Multiplier > 0 {
				multiplier = decimal.NewFromFloat(i.Multiplier)
			}
			lines, err := t.sim.fees.Itemize(day, broker.FeeEvent{Symbol: leg.Symbol, Action: leg.Action, Quantity: quantity, Price: price.Decimal, Multiplier: multiplier})
			if err != nil {
				return nil
			}
			items = append(items, lines...)
		}
	}
	return items
}

// legPrice is what a leg is expected to trade at.
func legPrice(o *broker.Order, leg broker.Leg, q market.Quote) decimal.NullDecimal {
	switch {
	case len(o.Legs) == 1 && o.Limit != nil:
		return decimal.NewNullDecimal(o.Limit.Abs())
	case len(o.Legs) == 1 && o.Stop != nil:
		return decimal.NewNullDecimal(*o.Stop)
	case leg.Action.Sign() > 0:
		return number(q.Ask)
	}
	return number(q.Bid)
}
