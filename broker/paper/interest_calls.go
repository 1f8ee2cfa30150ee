package paper

import (
	"fmt"
	"math"
	"slices"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
)

// A MarginCall is a demand for money that stands against an account. Calls are
// made, changed and lifted at each close.
type MarginCall struct {
	Kind   broker.MarginCallKind
	Amount decimal.Decimal // positive
	Since  market.Date
	Closes int // at how many closes it has stood, that of Since included
}

// MarginCalls returns the calls that stand against an account, none when it has
// enough. The error is broker.ErrUnknownAccount.
func (x *Exchange) MarginCalls(account AccountID) ([]MarginCall, error) {
	x.lock()
	defer x.unlock()
	if x.accounts[account] == nil {
		return nil, broker.ErrUnknownAccount
	}
	return slices.Clone(x.life.Calls[account]), nil
}

// callMargin looks at every account after the close.
func (x *Exchange) callMargin(today market.Date) {
	for _, a := range x.accountList {
		if len(x.life.Calls[a.info.ID]) == 0 && (x.owesNothing(a) || x.farFromCall(a)) {
			continue
		}
		m, err := x.requirement(a, nil)
		if err != nil {
			continue // without prices nobody is called
		}
		call := m.Call(a.cash.Decimal().Add(x.openProfit(a)))
		if call == nil {
			delete(x.life.Calls, a.info.ID)
			continue
		}
		stands := MarginCall{Kind: call.Kind, Amount: call.Amount, Since: today, Closes: 1}
		for _, old := range x.life.Calls[a.info.ID] {
			if old.Kind == call.Kind {
				stands.Since, stands.Closes = old.Since, old.Closes+1
			}
		}
		x.life.call(a.info.ID, stands)
		x.tellBalances(a)
		if x.opts.Lifecycle.Liquidate && call.Kind != broker.MinimumEquityCall && stands.Closes > x.opts.Lifecycle.Grace {
			x.liquidate(a, m)
		}
	}
}

// owesNothing tells that an account cannot be called by the rules of package
// broker, without counting: what it holds is paid for.
func (x *Exchange) owesNothing(a *account) bool {
	if x.opts.Margin != nil || a.cash.Sign() < 0 {
		return false
	}
	for _, p := range a.positions {
		if p.quantity.Sign() < 0 || p.book.terms.kind != market.KindEquity && p.book.terms.kind != market.KindCrypto {
			return false
		}
	}
	return true
}

// farFromCall tells that a margin account whose shares, short ones too, are worth
// less than it has itself cannot be called: no share requires more than its price,
// or five dollars, and no account more than 2,000. It says no whenever it is not
// sure.
func (x *Exchange) farFromCall(a *account) bool {
	if x.modelOf(a) != MarginModel(&x.marginRules) {
		return false
	}
	equity, required := a.cash.Float(), 2000.0
	for _, p := range a.positions {
		if p.quantity.IsZero() {
			continue
		}
		t, mark := &p.book.terms, p.book.mark
		if t.kind != market.KindEquity || t.mult != 1 || t.underlying != p.book.symbol || !(mark >= 0.01 && mark < 1e12) {
			return false
		}
		units := p.quantity.Float()
		equity += units * mark
		required += math.Abs(units) * math.Max(mark, 5)
	}
	return equity > 1.01*required
}

// liquidate sends market orders that close the groups which free the most, until
// the account would have enough. Working orders that bind money end first.
func (x *Exchange) liquidate(a *account, m *broker.Margin) {
	for _, o := range append([]*order(nil), a.working...) {
		x.finish(o, broker.Cancelled, "the account is in a margin call")
	}
	cash := a.cash.Decimal().Add(x.openProfit(a))
	groups := slices.Clone(m.Groups)
	var closed []change
	excess := m.Excess(cash)
	for excess.Sign() < 0 && len(groups) > 0 {
		best, gain := -1, decimal.Zero
		var then decimal.Decimal
		for i := range groups {
			after, ok := x.excessWithout(a, append(slices.Clone(closed), x.closingTrades(groups[i].Legs, unitShare)...))
			if ok && after.Sub(excess).GreaterThan(gain) {
				best, gain, then = i, after.Sub(excess), after
			}
		}
		if best < 0 {
			return // nothing that is left to close helps
		}
		g := groups[best]
		groups = slices.Delete(groups, best, best+1)
		share := unitShare
		if len(g.Legs) == 1 && then.Sign() > 0 {
			share = excess.Neg().Div(gain)
		}
		changes := x.closingTrades(g.Legs, share)
		if after, ok := x.excessWithout(a, append(slices.Clone(closed), changes...)); ok {
			excess = after
		}
		closed = append(closed, changes...)
		x.sendLiquidation(a, changes)
	}
}

var unitShare = decimal.NewFromInt(1)

// closingTrades are the trades that close a share of some legs, in whole units upwards.
func (x *Exchange) closingTrades(legs []broker.MarginLeg, share decimal.Decimal) []change {
	changes := make([]change, 0, len(legs))
	for _, l := range legs {
		if b := x.books[l.Symbol]; b != nil {
			quantity := l.Quantity.Mul(share).Abs().RoundUp(0)
			if quantity.GreaterThan(l.Quantity.Abs()) {
				quantity = l.Quantity.Abs()
			}
			changes = append(changes, change{b, quantity.Mul(decimal.NewFromInt(int64(-l.Quantity.Sign()))), decimal.Zero})
		}
	}
	return changes
}

// excessWithout is the excess after closing trades at the marks; false when it
// cannot be counted.
func (x *Exchange) excessWithout(a *account, changes []change) (decimal.Decimal, bool) {
	m, err := x.requirement(a, changes)
	if err != nil {
		return decimal.Zero, false
	}
	cash := a.cash.Decimal().Add(x.openProfit(a))
	for _, c := range changes {
		if c.book.terms.futures() {
			continue
		}
		price := known(c.book.mark)
		if price == nil {
			return decimal.Zero, false
		}
		cash = cash.Sub(c.quantity.Mul(*price).Mul(c.book.terms.multiplier))
	}
	return m.Excess(cash), true
}

// sendLiquidation places one market order for each leg, short legs first, for the
// next session.
func (x *Exchange) sendLiquidation(a *account, changes []change) {
	slices.SortStableFunc(changes, func(p, q change) int { return q.quantity.Cmp(p.quantity) })
	for _, c := range changes {
		action := broker.SellToClose
		if c.quantity.Sign() > 0 {
			action = broker.BuyToClose
		}
		x.life.Liquidations++
		o, err := x.newOrder(a, broker.Order{
			Tag: fmt.Sprintf("margin-call-%d", x.life.Liquidations), Type: broker.Market,
			Legs: []broker.Leg{{Symbol: c.book.symbol, Action: action, Quantity: c.quantity.Abs()}},
		})
		if err != nil {
			continue
		}
		x.register(o)
		o.status = broker.Received
		x.limitTime(o)
		x.tellOrder(o)
		x.activate(o)
	}
}
