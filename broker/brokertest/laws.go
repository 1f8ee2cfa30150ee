package brokertest

import (
	"fmt"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
)

// laws checks what holds after every scenario.
func (b *bench) laws() {
	b.Helper()
	states := map[broker.OrderID]*broker.OrderState{}
	for _, tag := range b.sent {
		if state := b.find(tag); state != nil {
			states[state.ID] = state
		}
	}
	b.fillsAreSound(states)
	b.positionsAreTheFills()
	b.cashIsTheTransactions()
	if b.can.Events {
		b.eventsAreTheReads(states)
	}
}

// fillsAreSound: a fill has its own id and its order's legs, the fills of a leg are
// what is filled of it, and no unit is worse than the limit.
func (b *bench) fillsAreSound(states map[broker.OrderID]*broker.OrderState) {
	b.Helper()
	seen := map[string]bool{}
	for _, state := range states {
		read, err := b.Broker.Order(b.ctx, b.Account, state.ID)
		require.NoError(b, err, "an order that is listed can be read")
		assert.Equal(b, state.Status, read.Status)
		assert.Equal(b, state.Order.Tag, read.Order.Tag)
		sums := map[market.Symbol]decimal.Decimal{}
		for _, f := range state.Fills {
			assert.NotEmpty(b, f.ID)
			assert.False(b, seen[f.ID], "the id of a fill is its own: %s", f.ID)
			seen[f.ID] = true
			assert.Equal(b, state.ID, f.Order)
			assert.Equal(b, b.Account, f.Account)
			assert.True(b, f.Quantity.IsPositive() && !f.Price.IsNegative())
			sums[f.Symbol] = sums[f.Symbol].Add(f.Quantity)
		}
		for i, leg := range state.Legs {
			assert.Equal(b, state.Order.Legs[i].Symbol, leg.Symbol, "the legs stand as they were asked for")
			assert.True(b, leg.Filled.LessThanOrEqual(state.Order.Legs[i].Quantity) || state.Order.Notional != nil, "no more than was asked for")
			if len(state.Fills) > 0 {
				assert.True(b, sums[leg.Symbol].Equal(leg.Filled), "%s: fills of %s, %s filled", state.Order.Tag, sums[leg.Symbol], leg.Filled)
			}
			if state.Status == broker.Filled && state.Order.Notional == nil {
				assert.True(b, leg.Filled.Equal(state.Order.Legs[i].Quantity), "%s is filled", state.Order.Tag)
			}
		}
		if limit := state.Order.Limit; limit != nil && state.Status == broker.Filled {
			assert.True(b, b.net(state).GreaterThanOrEqual(*limit), "%s: %s is worse than %s", state.Order.Tag, b.net(state), limit)
		}
		assert.Equal(b, state.Status.Terminal(), !state.Ended.IsZero(), "%s: an order that has ended says when", state.Order.Tag)
	}
}

// positionsAreTheFills: nothing else moves them.
func (b *bench) positionsAreTheFills() {
	b.Helper()
	held := map[market.Symbol]decimal.Decimal{}
	for _, f := range b.fills() {
		held[f.Symbol] = held[f.Symbol].Add(f.Quantity.Mul(decimal.NewFromInt(int64(f.Action.Sign()))))
	}
	positions, err := b.Broker.Positions(b.ctx, b.Account)
	require.NoError(b, err)
	for _, p := range positions {
		assert.True(b, held[p.Symbol].Equal(p.Quantity), "%s: the fills make %s, the position is %s", b.name(p.Symbol), held[p.Symbol], p.Quantity)
		assert.True(b, p.Multiplier.Equal(multiplier(p.Symbol)))
		if assert.NotNil(b, p.AverageOpenPrice) {
			assert.True(b, p.AverageOpenPrice.IsPositive(), "for short positions too")
		}
		delete(held, p.Symbol)
	}
	for symbol, quantity := range held {
		assert.True(b, quantity.IsZero(), "%s: the fills make %s, and there is no position", b.name(symbol), quantity)
	}
}

// cashIsTheTransactions: each fill is in the history, and the cash changed by the
// sum of it.
func (b *bench) cashIsTheTransactions() {
	b.Helper()
	balances, err := b.Broker.Balances(b.ctx, b.Account)
	require.NoError(b, err)
	list, err := b.Broker.Transactions(b.ctx, b.Account, b.start.Add(-time.Minute), b.Now().Add(24*time.Hour))
	require.NoError(b, err)
	sum, traded := decimal.Zero, map[market.Symbol]decimal.Decimal{}
	seen := map[string]bool{}
	for i, t := range list {
		assert.False(b, seen[t.ID], "the id of a transaction is its own: %s", t.ID)
		seen[t.ID] = true
		assert.Equal(b, b.Account, t.Account)
		sum = sum.Add(t.Amount)
		if i > 0 {
			assert.False(b, t.Time.Before(list[i-1].Time), "oldest first")
		}
		if t.Kind != broker.Trade {
			continue
		}
		traded[t.Symbol] = traded[t.Symbol].Add(t.Quantity)
		if t.Price != nil && t.Fees != nil {
			want := t.Quantity.Neg().Mul(*t.Price).Mul(multiplier(t.Symbol)).Add(t.Fees.Total())
			assert.True(b, want.Sub(t.Amount).Abs().LessThanOrEqual(cent), "%s: %s of price and fees, %s in all", b.name(t.Symbol), want, t.Amount)
		}
	}
	for _, f := range b.fills() {
		traded[f.Symbol] = traded[f.Symbol].Sub(f.Quantity.Mul(decimal.NewFromInt(int64(f.Action.Sign()))))
	}
	for symbol, quantity := range traded {
		assert.True(b, quantity.IsZero(), "%s: the history and the fills differ by %s", b.name(symbol), quantity)
	}
	change := balances.Cash.Sub(*b.cash)
	tolerance := cent.Mul(decimal.NewFromInt(int64(1 + len(list))))
	assert.True(b, change.Sub(sum).Abs().LessThanOrEqual(tolerance), "the cash changed by %s, the history is %s", change, sum)
}

var cent = decimal.New(1, -2)

// eventsAreTheReads: what the events told, in order, is possible, and its end is
// what reading gives. After a gap a broker need not tell what it missed; what it
// tells must be so all the same.
func (b *bench) eventsAreTheReads(states map[broker.OrderID]*broker.OrderState) {
	b.Helper()
	whole := b.told.gaps() == 0
	for id, state := range states {
		if !whole {
			continue
		}
		b.await(fmt.Sprintf("the events tell that %s is %s", state.Order.Tag, state.Status), func() bool {
			last := b.told.order(id)
			return last != nil && last.Status == state.Status && sameFilled(last, state)
		})
		total := decimal.Zero
		for _, leg := range state.Legs {
			total = total.Add(leg.Filled)
		}
		b.await(fmt.Sprintf("the events tell the fills of %s", state.Order.Tag), func() bool {
			return b.toldOf(id).GreaterThanOrEqual(total)
		})
		assert.True(b, b.toldOf(id).Equal(total), "%s: events told fills of %s, and %s is filled", state.Order.Tag, b.toldOf(id), total)
	}
	before := map[broker.OrderID]broker.Status{}
	fills := map[string]bool{}
	for _, e := range b.told.all() {
		assert.Equal(b, b.Account, e.Account)
		assert.Equal(b, 1, parts(e), "an event has one part")
		if f := e.Fill; f != nil {
			assert.False(b, fills[f.ID], "a fill is told once: %s", f.ID)
			fills[f.ID] = true
		}
		if o := e.Order; o != nil {
			if was, ok := before[o.ID]; ok {
				assert.True(b, was.CanBecome(o.Status), "%s: told to go from %s to %s", o.Order.Tag, was, o.Status)
			}
			before[o.ID] = o.Status
		}
	}
}

// toldOf is how much of an order the events told as filled, over all legs.
func (b *bench) toldOf(id broker.OrderID) decimal.Decimal {
	sum := decimal.Zero
	for _, f := range b.told.fills() {
		if f.Order == id {
			sum = sum.Add(f.Quantity)
		}
	}
	return sum
}

func sameFilled(x, y *broker.OrderState) bool {
	if len(x.Legs) != len(y.Legs) {
		return false
	}
	for i := range x.Legs {
		if !x.Legs[i].Filled.Equal(y.Legs[i].Filled) {
			return false
		}
	}
	return true
}

// parts counts what is set of an event.
func parts(e broker.Event) int {
	n := 0
	for _, set := range []bool{e.Order != nil, e.Fill != nil, e.Balances != nil, e.Position != nil, e.Transaction != nil, e.Gap != nil} {
		if set {
			n++
		}
	}
	return n
}
