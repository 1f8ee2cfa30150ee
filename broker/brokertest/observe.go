package brokertest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
)

// observe writes down what can be seen of the account, in words that do not depend
// on the broker:
//
//	entry: filled 100 at 99       an order: its state, what is filled, at which mean price
//	spread: filled 2+2 for 2.8    of several legs: each, and the net price of a unit
//	stop: working                 able to fill: live, contingent or on its way
//	big: absent                   refused, so that there is no such order
//	stock: 100                    a position; call 1 and call 2 are the calls
//	cash: -9900                   what the trades moved, without fees
func (b *bench) observe() string {
	b.Helper()
	var lines []string
	for _, tag := range b.sent {
		if slices.Contains(b.quiet, tag) {
			continue
		}
		lines = append(lines, strings.TrimPrefix(tag, "suite-")+": "+b.describe(tag))
	}
	positions, err := b.Broker.Positions(b.ctx, b.Account)
	require.NoError(b, err)
	for _, p := range positions {
		lines = append(lines, b.name(p.Symbol)+": "+p.Quantity.String())
	}
	cash := decimal.Zero
	for _, f := range b.fills() {
		cash = cash.Add(gross(f))
	}
	if !cash.IsZero() {
		lines = append(lines, "cash: "+cash.String())
	}
	if len(lines) == 0 {
		return "nothing"
	}
	return strings.Join(lines, "\n")
}

// name is what the suite calls an instrument.
func (b *bench) name(symbol market.Symbol) string {
	switch symbol {
	case b.Stock:
		return "stock"
	case b.Calls[0]:
		return "call 1"
	case b.Calls[1]:
		return "call 2"
	}
	return string(symbol)
}

func (b *bench) describe(tag string) string {
	state := b.find(tag)
	if state == nil || state.Status == broker.Rejected {
		if b.gone[tag] {
			return string(broker.Replaced)
		}
		return "absent"
	}
	text := string(state.Status)
	if state.Status.CanFill() {
		text = "working"
	}
	var filled []string
	some := false
	for _, leg := range state.Legs {
		filled = append(filled, leg.Filled.String())
		some = some || !leg.Filled.IsZero()
	}
	if !some {
		return text
	}
	text += " " + strings.Join(filled, "+")
	if len(state.Legs) == 1 {
		require.NotNil(b, state.Legs[0].Average, "what is filled has a price")
		return text + " at " + state.Legs[0].Average.String()
	}
	return text + " for " + b.net(state).String()
}

// net is the price of one unit of what was filled, credit positive.
func (b *bench) net(state *broker.OrderState) decimal.Decimal {
	sum := decimal.Zero
	for i, leg := range state.Legs {
		if leg.Average == nil {
			continue
		}
		side := decimal.NewFromInt(int64(-state.Order.Legs[i].Action.Sign()))
		sum = sum.Add(side.Mul(*leg.Average).Mul(leg.Filled))
	}
	units := state.Order.Units()
	if units.IsZero() {
		return sum
	}
	return sum.DivRound(units, 6)
}

// fills are all fills that reading the orders shows.
func (b *bench) fills() []broker.Fill {
	b.Helper()
	var fills []broker.Fill
	for _, tag := range b.sent {
		if state := b.find(tag); state != nil {
			fills = append(fills, b.fillsOf(state)...)
		}
	}
	return fills
}

// fillsOf are the fills of an order, as one for each leg where the broker does not
// list them.
func (b *bench) fillsOf(state *broker.OrderState) []broker.Fill {
	if len(state.Fills) > 0 {
		return state.Fills
	}
	var fills []broker.Fill
	for i, leg := range state.Legs {
		if leg.Average != nil && !leg.Filled.IsZero() {
			fills = append(fills, broker.Fill{
				ID: fmt.Sprintf("%s/%d", state.ID, i), Order: state.ID, Account: state.Account,
				Symbol: leg.Symbol, Action: state.Order.Legs[i].Action, Quantity: leg.Filled, Price: *leg.Average,
			})
		}
	}
	return fills
}

// gross is the money that a fill moved, without fees.
func gross(f broker.Fill) decimal.Decimal {
	return f.Quantity.Mul(f.Price).Mul(multiplier(f.Symbol)).Mul(decimal.NewFromInt(int64(-f.Action.Sign())))
}

func multiplier(symbol market.Symbol) decimal.Decimal {
	if symbol.Kind() == market.KindOption {
		return decimal.NewFromInt(100)
	}
	return decimal.NewFromInt(1)
}
