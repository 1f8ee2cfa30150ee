package brokertest

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
)

// A bench is a scenario in progress.
type bench struct {
	*testing.T
	*Harness
	ctx   context.Context
	can   broker.Capabilities
	start time.Time
	cash  *decimal.Decimal // at the start
	told  *listener

	sent []string                  // tags, in the order in which they were placed
	ids  map[string]broker.OrderID // of those that were answered
	gone map[string]bool           // tags of orders whose place another took
	// quiet are tags that the table does not name: whatever kinds a broker has.
	quiet []string
}

func begin(t *testing.T, h *Harness) *bench {
	b := &bench{T: t, Harness: h, can: h.Broker.Capabilities(), ids: map[string]broker.OrderID{}, gone: map[string]bool{}}
	var cancel context.CancelFunc
	b.ctx, cancel = context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(cancel)
	b.start = h.Now()
	b.stock(99.90, 100.10, 10_000)
	if h.Calls[0] != "" {
		b.quote(h.Calls[0], 5.00, 5.20, 500)
		b.quote(h.Calls[1], 2.00, 2.20, 500)
	}
	balances, err := h.Broker.Balances(b.ctx, h.Account)
	require.NoError(t, err)
	require.NotNil(t, balances.Cash, "a broker knows the cash")
	b.cash = balances.Cash
	positions, err := h.Broker.Positions(b.ctx, h.Account)
	require.NoError(t, err)
	require.Empty(t, positions, "the harness's account holds nothing")
	b.told = b.listen()
	return b
}

// await waits until something is so, and lets time pass for the broker meanwhile.
func (b *bench) await(what string, so func() bool) {
	b.Helper()
	patience := cmp.Or(b.Patience, 10*time.Second)
	deadline := time.Now().Add(patience)
	for !so() {
		if time.Now().After(deadline) {
			b.Fatalf("%s: not within %s", what, patience)
		}
		b.Advance(50 * time.Millisecond)
		<-time.After(time.Millisecond) // for what is on its way on a wire
	}
}

// settle waits until no order is on its way: each works or has ended, and nothing
// changes any more.
func (b *bench) settle() {
	b.Helper()
	for _, tag := range b.sent {
		b.await("the order "+tag+" settles", func() bool {
			state := b.find(tag)
			if state == nil {
				return true
			}
			switch state.Status {
			case broker.Received, broker.Routed, broker.CancelRequested, broker.ReplaceRequested:
				return false
			}
			return true
		})
	}
}

// Quoting.

func (b *bench) stock(bid, ask, size float64) { b.quote(b.Stock, bid, ask, size) }

func (b *bench) quote(symbol market.Symbol, bid, ask, size float64) {
	q := market.NewQuote(symbol)
	q.Time, q.Bid, q.Ask, q.BidSize, q.AskSize = b.Now(), bid, ask, size, size
	b.Quote(q)
}

// trade is quote with a last trade.
func (b *bench) trade(bid, ask, last float64) {
	q := market.NewQuote(b.Stock)
	q.Time, q.Bid, q.Ask, q.BidSize, q.AskSize, q.Last = b.Now(), bid, ask, 10_000, 10_000, last
	b.Quote(q)
}

// Orders.

func money(text string) *decimal.Decimal {
	d := decimal.RequireFromString(text)
	return &d
}

// tag is a whole tag: unique within the account, which is new.
func tag(short string) string { return "suite-" + short }

func (b *bench) order(short string, kind broker.OrderType, legs ...broker.Leg) broker.Order {
	return broker.Order{Tag: tag(short), Type: kind, Legs: legs}
}

func (b *bench) leg(action broker.Action, quantity int64) broker.Leg {
	return broker.Leg{Symbol: b.Stock, Action: action, Quantity: decimal.NewFromInt(quantity)}
}

func (b *bench) call(i int, action broker.Action, quantity int64) broker.Leg {
	return broker.Leg{Symbol: b.Calls[i], Action: action, Quantity: decimal.NewFromInt(quantity)}
}

// limit is an order for the stock with a limit, signed as orders are.
func (b *bench) limit(short string, action broker.Action, quantity int64, price string) broker.Order {
	o := b.order(short, broker.Limit, b.leg(action, quantity))
	o.Limit = money(price)
	return o
}

func (b *bench) market(short string, action broker.Action, quantity int64) broker.Order {
	return b.order(short, broker.Market, b.leg(action, quantity))
}

func (b *bench) stop(short string, action broker.Action, quantity int64, trigger string) broker.Order {
	o := b.order(short, broker.Stop, b.leg(action, quantity))
	o.Stop = money(trigger)
	return o
}

// place places an order that must be taken, and waits until it is on the book or
// has ended.
func (b *bench) place(o broker.Order) broker.OrderState {
	b.Helper()
	return b.placeTicket(broker.NewTicket(o))[0]
}

func (b *bench) placeTicket(ticket broker.Ticket) []broker.OrderState {
	b.Helper()
	states, err := b.try(ticket)
	require.NoError(b, err)
	require.Len(b, states, len(ticket.Orders), "one state for each order of the ticket")
	for i, state := range states {
		require.NotEmpty(b, state.ID)
		require.Equal(b, ticket.Orders[i].Tag, state.Order.Tag, "in the ticket's order")
		require.Equal(b, b.Account, state.Account)
	}
	b.settle()
	return states
}

// try places a ticket and remembers its tags.
func (b *bench) try(ticket broker.Ticket) ([]broker.OrderState, error) {
	b.Helper()
	states, err := b.Broker.Place(b.ctx, b.Account, ticket)
	for _, o := range ticket.Orders {
		b.remember(o.Tag)
	}
	if err == nil {
		for i := range states {
			b.ids[states[i].Order.Tag] = states[i].ID
		}
	}
	return states, err
}

func (b *bench) remember(tag string) {
	for _, known := range b.sent {
		if known == tag {
			return
		}
	}
	b.sent = append(b.sent, tag)
}

// find reads the order of a tag, nil when there is none.
func (b *bench) find(tag string) *broker.OrderState {
	b.Helper()
	list, err := b.Broker.Orders(b.ctx, b.Account, broker.OrdersQuery{Tag: tag})
	require.NoError(b, err)
	require.LessOrEqual(b, len(list), 1, "a tag is one order's")
	if len(list) == 0 {
		return nil
	}
	return &list[0]
}

// awaitStatus waits until an order is in one of the states.
func (b *bench) awaitStatus(short string, wanted ...broker.Status) broker.OrderState {
	b.Helper()
	var state *broker.OrderState
	names := make([]string, len(wanted))
	for i, w := range wanted {
		names[i] = string(w)
	}
	b.await("the order "+short+" becomes "+strings.Join(names, " or "), func() bool {
		state = b.find(tag(short))
		for _, w := range wanted {
			if state != nil && state.Status == w {
				return true
			}
		}
		return false
	})
	return *state
}

// awaitFilled waits until so much of an order's first leg is filled.
func (b *bench) awaitFilled(short string, quantity int64) broker.OrderState {
	b.Helper()
	var state *broker.OrderState
	b.await("the order "+short+" fills", func() bool {
		state = b.find(tag(short))
		return state != nil && len(state.Legs) > 0 && state.Legs[0].Filled.Equal(decimal.NewFromInt(quantity))
	})
	return *state
}

// hold buys shares, or sells them short, at the quote of 99.90 to 100.10.
func (b *bench) hold(short string, action broker.Action, quantity int64) {
	b.Helper()
	b.place(b.market(short, action, quantity))
	b.awaitFilled(short, quantity)
}

// cancel asks for an order to end and waits until it has.
func (b *bench) cancel(short string) {
	b.Helper()
	_, err := b.Broker.Cancel(b.ctx, b.Account, b.ids[tag(short)])
	require.NoError(b, err)
	b.awaitStatus(short, broker.Cancelled)
}

// refused tells whether an error says that an order was refused and does not exist:
// by rules before it was sent, or by the broker.
func refused(err error) bool {
	var field *broker.FieldError
	return errors.Is(err, broker.ErrRejected) || errors.As(err, &field)
}
