package strategy

import (
	"context"
	"fmt"
	"math"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
)

// sampleTicket returns a ticket of one order, tagged so that it can be looked at.
func sampleTicket(o broker.Order) broker.Ticket {
	o.Tag = "plan"
	return broker.NewTicket(o)
}

// Plan tells that it trades at the market, and the stops it may place.
func (t *signalTrader) Plan() Plan {
	symbol := t.p.Symbol
	p := Plan{Tickets: []broker.Ticket{sampleTicket(MarketOrder(broker.BuyToOpen, symbol, 1))}, Margin: t.p.AllowShort, First: t.first}
	if t.p.AllowShort {
		p.Short = []market.Symbol{symbol}
	}
	if t.p.Fractional {
		p.Tickets = append(p.Tickets, sampleTicket(MarketOrder(broker.BuyToOpen, symbol, 0.5)))
	}
	percent := decimal.NewFromInt(5)
	stop := StopOrder(broker.SellToClose, symbol, 1, 1)
	trailing := broker.Order{
		Type: broker.TrailingStop, Trail: &broker.Trail{Percent: &percent}, TimeInForce: broker.GTC, Legs: []broker.Leg{NewLeg(broker.SellToClose, symbol, 1)},
	}
	switch {
	case t.p.StopLoss > 0 && t.p.StopTrail > 0:
		stop.Tag, trailing.Tag = "plan-stop", "plan-trail"
		p.Tickets = append(p.Tickets, broker.Ticket{Kind: broker.OCO, Orders: []broker.Order{stop, trailing}})
	case t.p.StopLoss > 0:
		p.Tickets = append(p.Tickets, sampleTicket(stop))
	case t.p.StopTrail > 0:
		p.Tickets = append(p.Tickets, sampleTicket(trailing))
	}
	return p
}

// first is what a signal to buy would buy now.
func (t *signalTrader) first(ctx context.Context, in FirstInput) (broker.Ticket, error) {
	if in.Balances.Cash == nil {
		return broker.Ticket{}, fmt.Errorf("the account's cash is not known")
	}
	price, err := in.price(ctx, t.p.Symbol)
	if err != nil {
		return broker.Ticket{}, err
	}
	size := math.Trunc(in.Balances.Cash.InexactFloat64() / (price * (1 + t.p.Slippage) * (1 + t.p.Commission)) * t.p.BuyProp)
	return firstShares(t.p.Symbol, size, price)
}

// firstShares is a ticket for some shares.
func firstShares(symbol market.Symbol, size, price float64) (broker.Ticket, error) {
	if !(size >= 1) {
		return broker.Ticket{}, fmt.Errorf("the account does not afford one unit of %s at %v", symbol, price)
	}
	return broker.NewTicket(MarketOrder(broker.BuyToOpen, symbol, size)), nil
}

// Plan tells that it trades at the market, on which sides.
func (t *targetTrader) Plan() Plan {
	symbol := t.p.Symbol
	p := Plan{Tickets: []broker.Ticket{sampleTicket(MarketOrder(broker.BuyToOpen, symbol, 1))}}
	if t.p.Direction != "long" {
		p.Margin, p.Short = true, []market.Symbol{symbol}
		p.Tickets = append(p.Tickets, sampleTicket(MarketOrder(broker.SellToOpen, symbol, 1)))
	}
	if t.p.Direction != "short" {
		p.First = func(ctx context.Context, in FirstInput) (broker.Ticket, error) {
			price, err := in.price(ctx, symbol)
			if err != nil {
				return broker.Ticket{}, err
			}
			size := t.p.Quantity
			if size == 0 {
				if in.Balances.NetLiquidatingValue == nil {
					return broker.Ticket{}, fmt.Errorf("the account's value is not known")
				}
				size = math.Floor(in.Balances.NetLiquidatingValue.InexactFloat64() * t.p.Allocation / price)
			}
			return firstShares(symbol, size, price)
		}
	}
	return p
}

// Plan tells that it buys one symbol and sells the other short, either way round.
func (t *pairTrader) Plan() Plan {
	p := Plan{Margin: true, Short: []market.Symbol{t.p.Symbol, t.p.Against}}
	for _, s := range p.Short {
		p.Tickets = append(p.Tickets, sampleTicket(MarketOrder(broker.BuyToOpen, s, 1)), sampleTicket(MarketOrder(broker.SellToOpen, s, 1)))
	}
	p.First = func(ctx context.Context, in FirstInput) (broker.Ticket, error) {
		price, err := in.price(ctx, t.p.Symbol)
		if err != nil {
			return broker.Ticket{}, err
		}
		value := t.p.Value
		if value == 0 {
			if in.Balances.NetLiquidatingValue == nil {
				return broker.Ticket{}, fmt.Errorf("the account's value is not known")
			}
			value = in.Balances.NetLiquidatingValue.InexactFloat64() * t.p.Part
		}
		return firstShares(t.p.Symbol, math.Floor(value/price), price)
	}
	return p
}
