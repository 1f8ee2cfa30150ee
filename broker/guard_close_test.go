package broker_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
)

func closeOf(symbols ...market.Symbol) broker.Intent {
	var names []string
	for _, s := range symbols {
		names = append(names, string(s))
	}
	return broker.Intent{Kind: broker.IntentClose, Close: broker.ClosePositions{Symbols: names}}
}

// budgeted is an office in which nobody is asked, and only a budget approves.
func budgeted(t testing.TB, change func(b *broker.Budget)) *office {
	o := newOffice(t)
	o.limits = roomy()
	o.person.always = false
	o.others = []broker.Approver{policy(t, o, change)}
	return o
}

func TestABudgetClosesWhatIsHeldWithinItsCaps(t *testing.T) {
	working := func(o *office, l broker.Leg) {
		o.broker.mu.Lock()
		defer o.broker.mu.Unlock()
		order := broker.Order{Tag: "elsewhere", Type: broker.Limit, Limit: dec("520"), TimeInForce: broker.GTC, Legs: []broker.Leg{l}}
		o.broker.add(desk, order, "")
	}
	for name, c := range map[string]struct {
		change func(b *broker.Budget)
		before func(o *office)
		held   []broker.Position
		close  []market.Symbol
		passes bool
	}{
		"shares":           {held: []broker.Position{holds("SPY", "10", "500")}, close: []market.Symbol{"SPY"}, passes: true},
		"a short option":   {held: []broker.Position{holds(call500, "-2", "10")}, close: []market.Symbol{call500}, passes: true},
		"a spread whole":   {held: []broker.Position{holds(call500, "-1", "10"), holds(call510, "1", "6")}, close: []market.Symbol{call500, call510}, passes: true},
		"a spread's cover": {held: []broker.Position{holds(call500, "-1", "10"), holds(call510, "1", "6")}, close: []market.Symbol{call510}},
		"shares that cover a call": {held: []broker.Position{holds("SPY", "100", "500"), holds(call500, "-1", "10")},
			close: []market.Symbol{"SPY"}},
		"what another order closes": {held: []broker.Position{holds("SPY", "10", "500")}, close: []market.Symbol{"SPY"},
			before: func(o *office) { working(o, leg("SPY", broker.SellToClose, "10")) }},
		"of what another order closes a part": {held: []broker.Position{holds("SPY", "10", "500")}, close: []market.Symbol{"SPY"},
			before: func(o *office) { working(o, leg("SPY", broker.SellToClose, "1")) }},
		"another symbol":  {change: func(b *broker.Budget) { b.Symbols = []market.Symbol{"QQQ"} }, held: []broker.Position{holds("SPY", "10", "500")}, close: []market.Symbol{"SPY"}},
		"beyond a cap":    {change: func(b *broker.Budget) { b.OrderNotional = broker.CapInt(4000) }, held: []broker.Position{holds("SPY", "10", "500")}, close: []market.Symbol{"SPY"}},
		"beyond the day":  {change: func(b *broker.Budget) { b.DailyOrders = broker.CapInt(0) }, held: []broker.Position{holds("SPY", "10", "500")}, close: []market.Symbol{"SPY"}},
		"after its end":   {change: func(b *broker.Budget) { b.Until = deskTime }, held: []broker.Position{holds("SPY", "10", "500")}, close: []market.Symbol{"SPY"}},
		"another account": {change: func(b *broker.Budget) { b.Accounts = []broker.AccountID{"5WX00002"} }, held: []broker.Position{holds("SPY", "10", "500")}, close: []market.Symbol{"SPY"}},
	} {
		change := c.change
		if change == nil {
			change = func(*broker.Budget) {}
		}
		o := budgeted(t, change)
		o.broker.positions[desk] = c.held
		if c.before != nil {
			c.before(o)
		}
		g := o.guard(t)
		p, err := g.Prepare(t.Context(), desk, closeOf(c.close...))
		if err == nil {
			_, err = g.Submit(t.Context(), p.ID)
		}
		if c.passes {
			require.NoError(t, err, name)
			assert.Len(t, o.broker.writes(), 1, name)
			continue
		}
		require.Error(t, err, name)
		assert.Empty(t, o.broker.writes(), name)
	}
}

// What was previewed as closing and would open by now is not sent.
func TestABudgetClosesNothingThatIsGoneByThen(t *testing.T) {
	o := budgeted(t, func(*broker.Budget) {})
	o.broker.positions[desk] = []broker.Position{holds("SPY", "10", "500")}
	g := o.guard(t)
	p, err := g.Prepare(t.Context(), desk, closeOf("SPY"))
	require.NoError(t, err)
	o.broker.positions[desk] = []broker.Position{holds("SPY", "4", "500")}
	_, err = g.Submit(t.Context(), p.ID)
	require.Error(t, err)
	assert.Empty(t, o.broker.writes())
}

// closable is what the orders that work would leave of a position: of the sign it has,
// or nothing.
func closable(t require.TestingT, b *deskBroker, began map[market.Symbol]decimal.Decimal) {
	b.mu.Lock()
	defer b.mu.Unlock()
	left := map[market.Symbol]decimal.Decimal{}
	for _, p := range b.positions[desk] {
		left[p.Symbol] = p.Quantity
	}
	check := func(when string) {
		for symbol, first := range began {
			now := left[symbol]
			require.False(t, now.Sign()*first.Sign() < 0, "%s: %s turned round from %s to %s", when, symbol, first, now)
			require.False(t, now.Abs().GreaterThan(first.Abs()), "%s: %s grew from %s to %s", when, symbol, first, now)
		}
		for symbol, now := range left {
			_, held := began[symbol]
			require.True(t, held || now.IsZero(), "%s: %s of %s were opened", when, now, symbol)
		}
	}
	check("as it is")
	for _, o := range b.orders {
		if !o.Status.CanFill() {
			continue
		}
		for _, l := range o.Order.Legs {
			left[l.Symbol] = left[l.Symbol].Add(l.Quantity.Mul(decimal.NewFromInt(int64(l.Action.Sign()))))
		}
	}
	check("when all that works has filled")
}

// Whatever is held, ordered already, previewed, filled and submitted in whatever order:
// a budget that caps nothing opens nothing with closes, turns no position round and
// never has more closed than is held.
func TestClosesByABudgetOnlyEverClose(t *testing.T) {
	symbols := []market.Symbol{"SPY", "QQQ", call500, call510, call520}
	sent := 0
	rapid.Check(t, func(r *rapid.T) {
		o := budgeted(t, func(*broker.Budget) {})
		o.limits.NakedShort = rapid.Bool().Draw(r, "naked")
		began := map[market.Symbol]decimal.Decimal{}
		for _, s := range symbols {
			if n := rapid.IntRange(-3, 3).Draw(r, "held "+string(s)); n != 0 {
				o.broker.positions[desk] = append(o.broker.positions[desk], holds(s, fmt.Sprint(n), "10"))
				began[s] = decimal.NewFromInt(int64(n))
			}
		}
		for _, p := range slices.Clone(o.broker.positions[desk]) {
			if n := rapid.Int64Range(0, p.Quantity.Abs().IntPart()).Draw(r, "closed elsewhere"); n > 0 {
				action := broker.SellToClose
				if p.Quantity.Sign() < 0 {
					action = broker.BuyToClose
				}
				o.broker.add(desk, broker.Order{Tag: "elsewhere-" + string(p.Symbol), Type: broker.Market, TimeInForce: broker.Day, Legs: []broker.Leg{leg(p.Symbol, action, fmt.Sprint(n))}}, "")
			}
		}
		o.broker.filled = rapid.Bool().Draw(r, "fills at once")
		g := o.guard(t)
		var previews []string
		for range rapid.IntRange(4, 24).Draw(r, "steps") {
			switch rapid.IntRange(0, 2).Draw(r, "step") {
			case 0:
				some := rapid.SliceOfNDistinct(rapid.SampledFrom(symbols), 1, 2, rapid.ID).Draw(r, "close")
				if p, err := g.Prepare(t.Context(), desk, closeOf(some...)); err == nil {
					previews = append(previews, p.ID)
				}
			case 1:
				if len(previews) > 0 {
					if _, err := g.Submit(t.Context(), rapid.SampledFrom(previews).Draw(r, "submit")); err == nil {
						sent++
					}
				}
			case 2:
				if n := len(o.broker.orders); n > 0 {
					o.broker.fill(o.broker.orders[rapid.IntRange(0, n-1).Draw(r, "fill")].ID)
				}
			}
			closable(r, o.broker, began)
		}
	})
	assert.Greater(t, sent, 20, "some are sent, or nothing is shown")
}

func TestManyClosesOfOnePositionAtOnceCloseItOnce(t *testing.T) {
	for range 5 {
		o := budgeted(t, func(*broker.Budget) {})
		o.broker.positions[desk] = []broker.Position{holds("SPY", "10", "500")}
		guards := []*broker.Guard{o.guard(t), o.guard(t)}
		var previews []string
		for i := range 8 {
			p, err := guards[i%2].Prepare(t.Context(), desk, closeOf("SPY"))
			require.NoError(t, err)
			previews = append(previews, p.ID)
		}
		var all sync.WaitGroup
		for i, id := range previews {
			all.Go(func() { _, _ = guards[i%2].Submit(t.Context(), id) })
		}
		all.Wait()
		assert.Len(t, o.broker.writes(), 1)
		closable(t, o.broker, map[market.Symbol]decimal.Decimal{"SPY": decimal.NewFromInt(10)})
	}
}
