package strategy_test

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/broker/paper"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/strategy"
)

// A script is a strategy whose events a test handles.
type script struct {
	needs  strategy.Needs
	handle func(s *strategy.Session, e *strategy.Event)
	seen   []strategy.Kind
	timers []string
}

func (s *script) Needs() strategy.Needs              { return s.needs }
func (s *script) Begin(*strategy.Session) error      { return nil }
func (s *script) Snapshot() (json.RawMessage, error) { return json.RawMessage(`{}`), nil }
func (s *script) Restore(json.RawMessage) error      { return nil }
func (s *script) Handle(ss *strategy.Session, e *strategy.Event) error {
	s.seen = append(s.seen, e.Kind)
	if e.Kind == strategy.TimerEvent {
		s.timers = append(s.timers, e.Timer+" "+e.Time.In(market.NYSE().Location()).Format(time.TimeOnly))
	}
	if s.handle != nil {
		s.handle(ss, e)
	}
	return nil
}

func scripted(symbols ...market.Symbol) *script {
	return &script{needs: strategy.Needs{Symbols: symbols, Interval: "1d"}}
}

var tuesdayAt10 = time.Date(2026, 3, 3, 10, 0, 0, 0, market.NYSE().Location())

// A counter is a session on a paper exchange that is quoted by hand.
type counter struct {
	*replay
	s *strategy.Session
}

func newCounter(t *testing.T, st strategy.Strategy, change ...func(*paper.Options, *strategy.SessionOptions)) *counter {
	t.Helper()
	change = append([]func(*paper.Options, *strategy.SessionOptions){func(o *paper.Options, _ *strategy.SessionOptions) { o.Continuous = false }}, change...)
	r := newReplay(t, st, tuesdayAt10, change...)
	return &counter{r, r.session}
}

func (b *counter) quote(symbol market.Symbol, bid, ask float64) {
	b.t.Helper()
	require.NoError(b.t, b.x.Quote(paper.Quote{Symbol: symbol, Bid: bid, Ask: ask}))
	q := market.NewQuote(symbol)
	q.Bid, q.Ask, q.Time = bid, ask, b.x.Now()
	b.data.quotes[symbol] = q
	b.drain()
}

func (b *counter) wait(d time.Duration) {
	b.t.Helper()
	require.NoError(b.t, b.x.Advance(b.x.Now().Add(d)))
	b.drain()
	require.NoError(b.t, b.s.Fire(b.x.Now()))
}

func TestTheBookFollowsFillsAndKnowsItsProfit(t *testing.T) {
	b := newCounter(t, scripted("ACME"), func(o *paper.Options, _ *strategy.SessionOptions) {
		o.Fees = broker.FixedFees(decimal.NewFromInt(1))
	})
	b.quote("ACME", 99.98, 100.02)
	watched := b.s.Watch("ACME")
	_, err := b.s.Trade("ACME", 30)
	require.NoError(t, err)
	assert.Equal(t, 30.0, b.s.Position("ACME").Quantity+b.s.Pending("ACME"), "at once, whoever asks")
	b.drain()
	assert.Equal(t, 30.0, watched.Quantity)
	assert.InDelta(t, 100.02, watched.Average, 1e-12)
	assert.InDelta(t, -30*0.02-1, b.s.Profit(), 1e-9, "half the spread and the fee")
	assert.InDelta(t, 100_000-30*100.02-1, b.s.Cash(), 1e-9)
	b.quote("ACME", 109.98, 110.02)
	_, err = b.s.Target("ACME", -10)
	require.NoError(t, err)
	b.drain()
	p := b.s.Position("ACME")
	assert.Equal(t, -10.0, p.Quantity)
	assert.InDelta(t, 109.98, p.Average, 1e-12)
	assert.InDelta(t, 30*(109.98-100.02), p.Realized, 1e-9)
	assert.Equal(t, []broker.Action{"buy to open", "sell to close", "sell to open"}, actions(b.orders))
	assert.InDelta(t, b.value(), b.s.Equity(), 1e-6, "as the exchange counts")
	none, err := b.s.Target("ACME", -10)
	require.NoError(t, err)
	assert.Empty(t, none, "it is there already")
	_, err = b.s.Trade("ACME", math.NaN())
	var field *invalid.FieldError
	require.ErrorAs(t, err, &field)
	assert.Equal(t, "quantity", field.Field)
}

func actions(orders []sent) []broker.Action {
	var out []broker.Action
	for _, o := range orders {
		out = append(out, o.Action)
	}
	return out
}

func TestWorkingOrdersAreNettedAndStopsAreNot(t *testing.T) {
	b := newCounter(t, scripted("ACME"))
	b.quote("ACME", 99.98, 100.02)
	_, err := b.s.TradeLimit("ACME", 10, 99)
	require.NoError(t, err)
	assert.Equal(t, 10.0, b.s.Pending("ACME"))
	_, err = b.s.Target("ACME", 10)
	require.NoError(t, err)
	require.Len(t, b.orders, 1, "what is pending counts")
	require.NoError(t, b.s.CancelAll())
	b.drain()
	assert.Zero(t, b.s.Pending("ACME"))
	assert.False(t, b.s.Busy())
	_, err = b.s.Trade("ACME", 10)
	require.NoError(t, err)
	b.drain()
	_, err = b.s.Submit(strategy.StopOrder(broker.SellToClose, "ACME", 10, 90))
	require.NoError(t, err)
	assert.Zero(t, b.s.Pending("ACME"), "a stop may never fill")
	ticket, err := strategy.Bracket(strategy.MarketOrder(broker.BuyToOpen, "ACME", 5), 120, 80)
	require.NoError(t, err)
	_, err = b.s.Place(ticket)
	require.NoError(t, err)
	b.drain()
	assert.Equal(t, 15.0, b.s.Position("ACME").Quantity)
	assert.Zero(t, b.s.Pending("ACME"), "neither may the exits of a bracket")
	require.Len(t, b.s.Working(), 3)
	require.NoError(t, b.s.Flatten())
	b.drain()
	assert.Empty(t, b.s.Positions())
	assert.Empty(t, b.s.Working())
}

func TestATargetOnTheOtherSideWithdrawsWhatIsPending(t *testing.T) {
	for name, latency := range map[string]paper.Latency{"at once": {}, "in a while": {Live: time.Second, Cancel: 200 * time.Millisecond}} {
		t.Run(name, func(t *testing.T) {
			b := newCounter(t, scripted("ACME"), func(o *paper.Options, _ *strategy.SessionOptions) { o.Latency = latency })
			b.quote("ACME", 99.98, 100.02)
			_, err := b.s.TradeLimit("ACME", 10, 95)
			require.NoError(t, err)
			b.wait(2 * time.Second)
			_, err = b.s.Target("ACME", 0)
			require.NoError(t, err)
			assert.Len(t, b.orders, 1, "nothing is sold short against it")
			b.wait(2 * time.Second)
			assert.False(t, b.s.Busy())
			_, err = b.s.TradeLimit("ACME", 10, 95)
			require.NoError(t, err)
			b.wait(2 * time.Second)
			_, err = b.s.Target("ACME", -3)
			require.NoError(t, err)
			b.wait(2 * time.Second)
			b.wait(2 * time.Second)
			assert.Equal(t, -3.0, b.s.Position("ACME").Quantity, "the session goes on by itself")
			assert.Equal(t, []broker.Action{"buy to open", "buy to open", "sell to open"}, actions(b.orders))
		})
	}
}

func TestStopsHoldAPositionUntilTheyAreCancelled(t *testing.T) {
	for name, latency := range map[string]paper.Latency{"at once": {}, "in a while": {Live: time.Second, Cancel: 200 * time.Millisecond}} {
		t.Run(name, func(t *testing.T) {
			b := newCounter(t, scripted("ACME"), func(o *paper.Options, _ *strategy.SessionOptions) { o.Latency = latency })
			b.quote("ACME", 99.98, 100.02)
			ticket, err := strategy.Bracket(strategy.MarketOrder(broker.BuyToOpen, "ACME", 10), 120, 80)
			require.NoError(t, err)
			_, err = b.s.Place(ticket)
			require.NoError(t, err)
			b.wait(2 * time.Second)
			b.wait(2 * time.Second)
			require.Equal(t, 10.0, b.s.Position("ACME").Quantity)
			require.Len(t, b.s.Working(), 2)
			_, err = b.s.Trade("ACME", -10)
			require.ErrorIs(t, err, strategy.ErrHeld)
			_, err = b.s.Target("ACME", -2)
			require.NoError(t, err)
			for range 4 {
				b.wait(2 * time.Second)
			}
			assert.Equal(t, -2.0, b.s.Position("ACME").Quantity)
			assert.Empty(t, b.s.Working())
		})
	}
}

func TestAReplacementCountsInThePlaceOfWhatItReplaces(t *testing.T) {
	const call = market.Symbol("ACME  260417C00100000")
	b := newCounter(t, scripted("ACME"), func(_ *paper.Options, o *strategy.SessionOptions) { o.Budget.Contracts = 3 })
	b.quote("ACME", 99.98, 100.02)
	b.quote(call, 2.9, 3.1)
	state, err := b.s.Submit(strategy.LimitOrder(broker.BuyToOpen, call, 2, 2))
	require.NoError(t, err)
	next, err := b.s.Replace(state.ID, strategy.LimitOrder(broker.BuyToOpen, call, 3, 2))
	require.NoError(t, err)
	_, err = b.s.Replace(next.ID, strategy.LimitOrder(broker.BuyToOpen, call, 4, 2))
	assert.ErrorIs(t, err, strategy.ErrBudget)
}

func TestTagsAreTheNameTheRunAndACounter(t *testing.T) {
	b := newCounter(t, scripted("ACME"))
	b.quote("ACME", 99.98, 100.02)
	for range 2 {
		_, err := b.s.Trade("ACME", 1)
		require.NoError(t, err)
	}
	orders, err := b.x.Broker().Orders(t.Context(), account, broker.OrdersQuery{})
	require.NoError(t, err)
	require.Len(t, orders, 2)
	assert.Equal(t, "test_1_2", orders[0].Order.Tag)
	assert.Equal(t, "test_1_1", orders[1].Order.Tag)
}

func TestTheBudgetRefusesAndTheStrategyGoesOn(t *testing.T) {
	const call = market.Symbol("ACME  260417C00100000")
	for name, c := range map[string]struct {
		budget strategy.Budget
		order  broker.Order
		limit  string
	}{
		"notional of shares":  {strategy.Budget{Notional: decimal.NewFromInt(5000)}, strategy.MarketOrder(broker.BuyToOpen, "ACME", 51), "Notional"},
		"notional of strikes": {strategy.Budget{Notional: decimal.NewFromInt(9999)}, strategy.LimitOrder(broker.BuyToOpen, call, 1, 3), "Notional"},
		"contracts":           {strategy.Budget{Contracts: 2}, strategy.LimitOrder(broker.BuyToOpen, call, 3, 3), "Contracts"},
		"capital of shares":   {strategy.Budget{Capital: decimal.NewFromInt(2000)}, strategy.MarketOrder(broker.BuyToOpen, "ACME", 41), "Capital"},
		"capital of options":  {strategy.Budget{Capital: decimal.NewFromInt(500)}, strategy.LimitOrder(broker.BuyToOpen, call, 2, 3), "Capital"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newCounter(t, scripted("ACME"), func(_ *paper.Options, o *strategy.SessionOptions) { o.Budget = c.budget })
			b.quote("ACME", 99.98, 100.02)
			b.quote(call, 2.9, 3.1)
			_, err := b.s.Submit(c.order)
			require.ErrorIs(t, err, strategy.ErrBudget)
			var refused *strategy.BudgetError
			require.ErrorAs(t, err, &refused)
			assert.Equal(t, c.limit, refused.Limit)
			assert.Empty(t, b.orders, "nothing was sent")
			smaller := c.order
			smaller.Legs = []broker.Leg{strategy.NewLeg(broker.BuyToOpen, "ACME", 39)}
			smaller.Type, smaller.Limit = broker.Market, nil
			if c.limit != "Capital" || c.budget.Capital.GreaterThan(decimal.NewFromInt(1999)) {
				_, err = b.s.Submit(smaller)
				require.NoError(t, err)
			}
		})
	}
}

func TestAfterTheBudgetsLossOnlyClosingOrdersGoThrough(t *testing.T) {
	b := newCounter(t, scripted("ACME"), func(_ *paper.Options, o *strategy.SessionOptions) { o.Budget.Loss = decimal.NewFromInt(100) })
	b.quote("ACME", 99.98, 100.02)
	_, err := b.s.Trade("ACME", 20)
	require.NoError(t, err)
	b.drain()
	b.quote("ACME", 94.98, 95.02)
	_, err = b.s.Trade("ACME", 1)
	var refused *strategy.BudgetError
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, "Loss", refused.Limit)
	assert.Equal(t, "100.4", refused.Used.String())
	_, err = b.s.Trade("ACME", -20)
	require.NoError(t, err, "what closes is no risk")
	b.drain()
	assert.Zero(t, b.s.Position("ACME").Quantity)
}

func TestTheBudgetsOrdersCountADayInNewYork(t *testing.T) {
	b := newCounter(t, scripted("ACME"), func(_ *paper.Options, o *strategy.SessionOptions) { o.Budget.Orders = 2 })
	b.quote("ACME", 99.98, 100.02)
	for range 2 {
		_, err := b.s.Trade("ACME", 1)
		require.NoError(t, err)
	}
	_, err := b.s.Trade("ACME", 1)
	require.ErrorIs(t, err, strategy.ErrBudget)
	require.NoError(t, b.x.Advance(tuesdayAt10.Add(24*time.Hour)))
	b.drain()
	require.NoError(t, b.s.Deliver(&strategy.Event{Kind: strategy.GapEvent, Time: b.x.Now()}))
	b.quote("ACME", 99.98, 100.02)
	_, err = b.s.Trade("ACME", 1)
	assert.NoError(t, err)
}

func TestAHaltedSessionOnlyCloses(t *testing.T) {
	b := newCounter(t, scripted("ACME"))
	b.quote("ACME", 99.98, 100.02)
	_, err := b.s.Trade("ACME", 5)
	require.NoError(t, err)
	b.drain()
	b.s.Halt("theta budget used up")
	_, err = b.s.Trade("ACME", 5)
	require.ErrorIs(t, err, strategy.ErrHalted)
	assert.ErrorContains(t, err, "theta budget used up")
	_, err = b.s.Close("ACME")
	require.NoError(t, err)
	b.drain()
	state, err := b.s.Snapshot()
	require.NoError(t, err)
	next, err := strategy.NewSession(scripted("ACME"), b.opts)
	require.NoError(t, err)
	require.NoError(t, next.Start(t.Context(), b.x.Now(), state))
	assert.Equal(t, "theta budget used up", next.Halted(), "after a restart too")
}

func TestTimersFireInTheirOrderAtTheirTime(t *testing.T) {
	st := scripted("ACME")
	st.handle = func(s *strategy.Session, e *strategy.Event) {
		if e.Timer == "b" {
			s.Timer("c", s.Now()) // due at once
			s.Timer("early", s.Now().Add(-time.Hour))
		}
	}
	b := newCounter(t, st)
	b.s.Timer("late", tuesdayAt10.Add(3*time.Minute))
	b.s.Timer("b", tuesdayAt10.Add(time.Minute))
	b.s.Timer("gone", tuesdayAt10.Add(time.Minute))
	b.s.Timer("a", tuesdayAt10.Add(2*time.Minute))
	b.s.Timer("a", tuesdayAt10.Add(time.Minute)) // moved
	b.s.StopTimer("gone")
	at, set := b.s.NextTimer()
	require.True(t, set)
	assert.True(t, at.Equal(tuesdayAt10.Add(time.Minute)))
	b.wait(2 * time.Minute)
	assert.Equal(t, []string{"b 10:01:00", "a 10:01:00", "c 10:01:00", "early 10:01:00"}, st.timers)
	b.wait(2 * time.Minute)
	assert.Equal(t, "late 10:03:00", st.timers[4])
	_, set = b.s.NextTimer()
	assert.False(t, set)
}

// losing loses answers of a broker.
type losing struct {
	broker.Broker
	before, after bool // the request, the answer
	places        atomic.Int64
}

func (l *losing) Place(ctx context.Context, a broker.AccountID, ticket broker.Ticket) ([]broker.OrderState, error) {
	l.places.Add(1)
	if l.before {
		return nil, &broker.UncertainError{Tags: []string{ticket.Orders[0].Tag}, Cause: errors.New("no answer")}
	}
	states, err := l.Broker.Place(ctx, a, ticket)
	if l.after {
		return nil, &broker.UncertainError{Tags: []string{ticket.Orders[0].Tag}, Cause: errors.New("no answer")}
	}
	return states, err
}

func TestAnOrderWithoutAnAnswerIsPendingUntilItIsFoundByItsTag(t *testing.T) {
	for name, told := range map[string]bool{"read": false, "told": true} {
		t.Run(name, func(t *testing.T) {
			line := &losing{after: true}
			b := newCounter(t, scripted("ACME"))
			line.Broker = b.opts.Broker
			b.opts.Broker = line
			session, err := strategy.NewSession(scripted("ACME"), b.opts)
			require.NoError(t, err)
			b.s, b.session = session, session
			require.NoError(t, session.Start(t.Context(), tuesdayAt10, nil))
			b.quote("ACME", 99.98, 100.02)
			_, err = b.s.Trade("ACME", 7)
			require.ErrorIs(t, err, broker.ErrUncertain)
			assert.Equal(t, []string{"test_1_1"}, b.s.Uncertain())
			_, err = b.s.Target("ACME", 7)
			require.NoError(t, err)
			assert.EqualValues(t, 1, line.places.Load(), "never a second time")
			if told {
				b.drain()
			} else {
				b.queue = nil
				require.NoError(t, b.s.Resolve(t.Context(), tuesdayAt10.Add(time.Second), time.Minute))
			}
			assert.Empty(t, b.s.Uncertain())
			assert.Equal(t, 7.0, b.s.Position("ACME").Quantity)
			assert.Zero(t, b.s.Pending("ACME"))
			assert.False(t, b.s.Busy())
		})
	}
}

func TestAnOrderThatNeverArrivedIsGivenUpAfterLookingLongEnough(t *testing.T) {
	b := newCounter(t, scripted("ACME"))
	line := &losing{Broker: b.opts.Broker, before: true}
	b.opts.Broker = line
	s, err := strategy.NewSession(scripted("ACME"), b.opts)
	require.NoError(t, err)
	require.NoError(t, s.Start(t.Context(), tuesdayAt10, nil))
	_, err = s.Trade("ACME", 7)
	require.ErrorIs(t, err, broker.ErrUncertain)
	require.NoError(t, s.Resolve(t.Context(), tuesdayAt10.Add(time.Minute), 10*time.Minute))
	assert.Equal(t, 7.0, s.Pending("ACME"), "it may still arrive")
	require.NoError(t, s.Resolve(t.Context(), tuesdayAt10.Add(11*time.Minute), 10*time.Minute))
	assert.Zero(t, s.Pending("ACME"))
	assert.EqualValues(t, 1, line.places.Load())
}

func TestARestartTakesUpPositionsAndOrdersOfTheAccount(t *testing.T) {
	b := newCounter(t, scripted("ACME"))
	b.quote("ACME", 99.98, 100.02)
	_, err := b.s.Trade("ACME", 12)
	require.NoError(t, err)
	_, err = b.s.TradeLimit("ACME", 8, 95)
	require.NoError(t, err)
	b.drain()
	foreign := strategy.LimitOrder(broker.BuyToOpen, "ACME", 3, 90)
	foreign.Tag = "somebody-else"
	_, err = b.x.Broker().Place(t.Context(), account, broker.NewTicket(foreign))
	require.NoError(t, err)
	other := strategy.MarketOrder(broker.BuyToOpen, "BOLT", 3)
	other.Tag = "another"
	b.quote("BOLT", 9.99, 10.01)
	_, err = b.x.Broker().Place(t.Context(), account, broker.NewTicket(other))
	require.NoError(t, err)
	b.queue = nil
	s, err := strategy.NewSession(scripted("ACME"), b.opts)
	require.NoError(t, err)
	require.NoError(t, s.Start(t.Context(), b.x.Now(), nil))
	assert.Equal(t, 12.0, s.Position("ACME").Quantity)
	assert.Equal(t, 8.0, s.Pending("ACME"), "its own order, and not that of somebody else")
	assert.Zero(t, s.Position("BOLT").Quantity, "not its symbol")
	assert.InDelta(t, 0, s.Profit(), 1e-9, "a run without a state begins at nothing")
	assert.InDelta(t, b.value(), s.Equity(), 1e-6)
}

func TestWhatFilledWhileTheSessionWasAwayIsFoundAndCountsOnce(t *testing.T) {
	b := newCounter(t, scripted("ACME"))
	b.quote("ACME", 99.98, 100.02)
	_, err := b.s.TradeLimit("ACME", 8, 95)
	require.NoError(t, err)
	b.drain()
	state, err := b.s.Snapshot()
	require.NoError(t, err)
	b.quoteUntold("ACME", 94.90, 94.95)
	missed := b.queue
	b.queue = nil
	s, err := strategy.NewSession(scripted("ACME"), b.opts)
	require.NoError(t, err)
	require.NoError(t, s.Start(t.Context(), b.x.Now(), state))
	assert.Equal(t, 8.0, s.Position("ACME").Quantity)
	assert.False(t, s.Busy())
	b.session, b.queue = s, missed
	b.drain()
	assert.Equal(t, 8.0, s.Position("ACME").Quantity, "told late, counted already")
}

func (b *counter) quoteUntold(symbol market.Symbol, bid, ask float64) {
	b.t.Helper()
	require.NoError(b.t, b.x.Quote(paper.Quote{Symbol: symbol, Bid: bid, Ask: ask}))
}

func TestOrdersAndFillsOfOthersAreNotHandedOn(t *testing.T) {
	st := scripted("ACME")
	b := newCounter(t, st)
	b.quote("BOLT", 9.99, 10.01)
	other := strategy.MarketOrder(broker.BuyToOpen, "BOLT", 3)
	other.Tag = "another"
	_, err := b.x.Broker().Place(t.Context(), account, broker.NewTicket(other))
	require.NoError(t, err)
	b.drain()
	assert.Empty(t, st.seen)
	b.quote("ACME", 99.98, 100.02)
	mine := strategy.MarketOrder(broker.BuyToOpen, "ACME", 3)
	mine.Tag = "by-hand"
	_, err = b.x.Broker().Place(t.Context(), account, broker.NewTicket(mine))
	require.NoError(t, err)
	b.drain()
	assert.Equal(t, []strategy.Kind{strategy.FillEvent}, st.seen, "what changes its position is its business")
	assert.Equal(t, 3.0, b.s.Position("ACME").Quantity)
}

func TestReplacedOrdersStayTheStrategys(t *testing.T) {
	b := newCounter(t, scripted("ACME"))
	b.quote("ACME", 99.98, 100.02)
	states, err := b.s.TradeLimit("ACME", 10, 95)
	require.NoError(t, err)
	with := strategy.LimitOrder(broker.BuyToOpen, "ACME", 10, 96)
	next, err := b.s.Replace(states[0].ID, with)
	require.NoError(t, err)
	b.drain()
	assert.Equal(t, 10.0, b.s.Pending("ACME"))
	require.Len(t, b.s.Working(), 1)
	assert.Equal(t, next.ID, b.s.Working()[0].ID)
	b.quote("ACME", 95.90, 95.95)
	assert.Equal(t, 10.0, b.s.Position("ACME").Quantity)
	assert.False(t, b.s.Busy())
	_, err = b.s.Replace("nobody's", with)
	assert.ErrorIs(t, err, broker.ErrUnknownOrder)
}

func TestHalvesOfAReversalAreSentOneAfterTheOtherWhenAskedTo(t *testing.T) {
	b := newCounter(t, scripted("ACME"), func(o *paper.Options, so *strategy.SessionOptions) {
		o.Latency = paper.Latency{Live: time.Second}
		so.Apart = true
	})
	b.quote("ACME", 99.98, 100.02)
	_, err := b.s.Trade("ACME", 10)
	require.NoError(t, err)
	b.wait(2 * time.Second)
	require.Equal(t, 10.0, b.s.Position("ACME").Quantity)
	_, err = b.s.Target("ACME", -4)
	require.NoError(t, err)
	require.Len(t, b.orders, 2, "the opening half waits")
	assert.Equal(t, -14.0, b.s.Pending("ACME"), "and is pending")
	b.swap(scripted("ACME"))
	b.s = b.session
	b.wait(2 * time.Second)
	b.wait(2 * time.Second)
	assert.Equal(t, []broker.Action{"buy to open", "sell to close", "sell to open"}, actions(b.orders))
	assert.Equal(t, -4.0, b.s.Position("ACME").Quantity)
}

func TestAssignmentDividendsAndTransfersAreBooked(t *testing.T) {
	const put = market.Symbol("ACME  260417P00105000")
	b := newCounter(t, scripted("ACME"))
	b.quote("ACME", 99.98, 100.02)
	b.quote(put, 6, 6.2)
	_, err := b.s.Trade(put, -1)
	require.NoError(t, err)
	b.drain()
	_, err = b.x.Assign(put, 1)
	require.NoError(t, err)
	require.NoError(t, b.x.Transfer(account, decimal.NewFromInt(5000), "deposit"))
	b.drain()
	assert.Zero(t, b.s.Position(put).Quantity)
	assert.Equal(t, 100.0, b.s.Position("ACME").Quantity)
	assert.InDelta(t, 105, b.s.Position("ACME").Average, 1e-9)
	assert.InDelta(t, 600-500, b.s.Profit(), 1e-9, "the premium less what the shares are under the strike; a deposit is no profit")
	assert.InDelta(t, b.value(), b.s.Equity(), 1e-6)
	require.NoError(t, b.x.Announce(paper.CorporateAction{Symbol: "ACME", Ex: market.Date{Year: 2026, Month: 3, Day: 4}, Amount: decimal.NewFromFloat(0.5)}))
	require.NoError(t, b.x.Advance(tuesdayAt10.Add(26*time.Hour)))
	b.drain()
	assert.InDelta(t, 150, b.s.Profit(), 1e-9)
}

func TestOptionsThatMakeNoSenseAreRefusedByName(t *testing.T) {
	good := strategy.SessionOptions{Broker: newCounter(t, scripted("ACME")).x.Broker(), Data: newPast(), Account: account, Name: "a"}
	for field, change := range map[string]func(*strategy.SessionOptions){
		"Broker":           func(o *strategy.SessionOptions) { o.Broker = nil },
		"Data":             func(o *strategy.SessionOptions) { o.Data = nil },
		"Name":             func(o *strategy.SessionOptions) { o.Name = "a name that is too long" },
		"Run":              func(o *strategy.SessionOptions) { o.Run = "a_b" },
		"Budget.Loss":      func(o *strategy.SessionOptions) { o.Budget.Loss = decimal.NewFromInt(-1) },
		"Budget.Contracts": func(o *strategy.SessionOptions) { o.Budget.Contracts = -1 },
		"Budget.Orders":    func(o *strategy.SessionOptions) { o.Budget.Orders = -1 },
	} {
		opts := good
		change(&opts)
		_, err := strategy.NewSession(scripted("ACME"), opts)
		var refused *invalid.FieldError
		require.ErrorAs(t, err, &refused)
		assert.Equal(t, field, refused.Field)
	}
	_, err := strategy.NewSession(nil, good)
	assert.Error(t, err)
	for _, state := range []string{`{`, `{"version":9}`, `{"version":1,"name":"other"}`, `{"version":1,"name":"a","account":"X"}`} {
		s, err := strategy.NewSession(scripted("ACME"), good)
		require.NoError(t, err)
		var refused *invalid.FieldError
		require.ErrorAs(t, s.Start(t.Context(), tuesdayAt10, json.RawMessage(state)), &refused, state)
	}
}
