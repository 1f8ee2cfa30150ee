package broker

import (
	"errors"
	"fmt"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

// An OrderMargin is what a ticket does to an account's margin.
type OrderMargin struct {
	Before *Margin
	// After is with the whole ticket filled. Of a group of which only one order can
	// fill it is the one that leaves the least buying power.
	After *Margin
	// Worst is the highest initial requirement on the way: any of the legs filled
	// and the others not yet.
	Worst decimal.Decimal
	// Cash is what changes hands at the prices given, without fees: credit
	// positive, debit negative.
	Cash decimal.Decimal
	// BuyingPower is the change of buying power without fees, negative when the
	// ticket uses some.
	BuyingPower decimal.Decimal
	// Isolated is the initial requirement of the ticket's positions by themselves.
	Isolated decimal.Decimal
}

// Change is how the initial requirement changes, positive when it grows.
func (o *OrderMargin) Change() decimal.Decimal { return o.After.Initial.Sub(o.Before.Initial) }

// OrderMargin counts what a ticket does to the margin of positions. Prices has
// what each leg is expected to trade at, per unit; a limit order trades at its
// limit whatever the sum of these is, and a leg that is missing takes the price of
// the position in it. Of a bracket or an OTO group the first order counts.
func (r *MarginRules) OrderMargin(in MarginInput, ticket Ticket, prices map[market.Symbol]decimal.Decimal) (*OrderMargin, error) {
	before, err := r.Requirement(in)
	if err != nil {
		return nil, err
	}
	if len(ticket.Orders) == 0 {
		return nil, invalid.Missing("Orders", "at least one order")
	}
	orders := ticket.Orders[:1]
	if ticket.Kind == OCO {
		orders = ticket.Orders
	}
	var worst *OrderMargin
	for i := range orders {
		o, err := r.orderMargin(in, before, &orders[i], prices)
		if err != nil {
			return nil, ofOrder(i, err)
		}
		if worst == nil || o.BuyingPower.LessThan(worst.BuyingPower) {
			if worst != nil {
				o.Worst = decimal.Max(o.Worst, worst.Worst)
			}
			worst = o
		} else {
			worst.Worst = decimal.Max(o.Worst, worst.Worst)
		}
	}
	return worst, nil
}

// ofOrder names the order of a ticket in an error about one of its fields.
func ofOrder(i int, err error) error {
	fe, ok := errors.AsType[*FieldError](err)
	if !ok {
		return err
	}
	inner := *fe
	inner.Field = fmt.Sprintf("Orders[%d].%s", i, fe.Field)
	return &inner
}

func (r *MarginRules) orderMargin(in MarginInput, before *Margin, o *Order, prices map[market.Symbol]decimal.Decimal) (*OrderMargin, error) {
	if len(o.Legs) == 0 || len(o.Legs) > MaxLegs {
		return nil, invalid.Field("Legs", len(o.Legs), "1 to 4 legs")
	}
	held := map[market.Symbol]MarginPosition{}
	for _, p := range in.Positions {
		held[p.Symbol] = p
	}
	legs := make([]MarginPosition, len(o.Legs))
	result := &OrderMargin{Before: before, Worst: before.Initial}
	for i, leg := range o.Legs {
		p := MarginPosition{Symbol: leg.Symbol, Price: prices[leg.Symbol]}
		if h, ok := held[leg.Symbol]; ok {
			p.Underlying, p.Multiplier = h.Underlying, h.Multiplier
			if _, priced := prices[leg.Symbol]; !priced {
				p.Price = h.Price
			}
		} else if _, priced := prices[leg.Symbol]; !priced {
			return nil, invalid.Missing(fmt.Sprintf("prices[%s]", leg.Symbol), "a price for each leg")
		}
		quantity := leg.Quantity
		if o.Notional != nil && p.Price.Sign() > 0 {
			quantity = o.Notional.DivRound(p.Price, 9)
		}
		p.Quantity = quantity.Mul(decimal.NewFromInt(int64(leg.Action.Sign())))
		legs[i] = p
		if leg.Symbol.Kind() != market.KindFuture {
			result.Cash = result.Cash.Sub(p.Quantity.Mul(p.Price).Mul(p.multiplier()))
		}
	}
	if o.Limit != nil && legs[0].Symbol.Kind() != market.KindFuture {
		result.Cash = o.Limit.Mul(o.Units()).Mul(orderMultiplier(legs))
	}
	for subset := 1; subset < 1<<len(legs); subset++ {
		with := in
		with.Positions = append([]MarginPosition(nil), in.Positions...)
		for i := range legs {
			if subset&(1<<i) != 0 {
				with.Positions = append(with.Positions, legs[i])
			}
		}
		m, err := r.Requirement(with)
		if err != nil {
			return nil, err
		}
		result.Worst = decimal.Max(result.Worst, m.Initial)
		if subset == 1<<len(legs)-1 {
			result.After = m
		}
	}
	result.BuyingPower = BuyingPowerEffect(before, result.After, result.Cash)
	alone := in
	alone.Positions = legs
	isolated, err := r.Requirement(alone)
	if err != nil {
		return nil, err
	}
	result.Isolated = isolated.Initial
	return result, nil
}

func (p MarginPosition) multiplier() decimal.Decimal {
	if p.Symbol.Kind() == market.KindOption {
		return orElse(p.Multiplier, hundred)
	}
	return orElse(p.Multiplier, unity)
}

// orderMultiplier turns the price of one unit of a combination into money.
// Combinations of shares and options are quoted per share, and a unit of them
// holds a contract's worth of shares.
func orderMultiplier(legs []MarginPosition) decimal.Decimal {
	most := legs[0].multiplier()
	for _, p := range legs[1:] {
		most = decimal.Max(most, p.multiplier())
	}
	return most
}
