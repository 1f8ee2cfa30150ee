package tasty_test

import (
	"context"
	"errors"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/broker/tasty"
	"github.com/ttai-go/ttai/internal/sharedtest"
)

// hydrates sets what is read when a stream begins, and again later.
func (d *desk) hydrates(t *testing.T, orders, positions []any, cash string) {
	t.Helper()
	d.on(account("GET", "/orders/live"), 200, items(t, orders...))
	d.on(account("GET", "/positions"), 200, items(t, positions...))
	d.on(account("GET", "/balances"), 200, items(t, map[string]any{"account-number": deskAccount, "currency": "USD", "cash-balance": cash}))
}

func wirePosition(symbol, quantity string) map[string]any {
	return map[string]any{"account-number": deskAccount, "symbol": symbol, "underlying-symbol": symbol, "instrument-type": "Equity",
		"quantity": quantity, "quantity-direction": "Long", "average-open-price": "99", "multiplier": 1}
}

func filledBy(ids ...string) map[string]any {
	var fills []map[string]any
	for i, id := range ids {
		fills = append(fills, map[string]any{"fill-id": id, "quantity": 5, "fill-price": "99", "filled-at": time.Date(2026, 8, 3, 14, 31, i, 0, time.UTC).Format(time.RFC3339)})
	}
	status := "Live"
	if len(ids) == 2 {
		status = "Filled"
	}
	return map[string]any{"status": status, "updated-at": 1785767400000 + 1000*len(ids), "legs": []map[string]any{{
		"symbol": "SPY", "instrument-type": "Equity", "action": "Buy to Open", "quantity": 10, "remaining-quantity": 10 - 5*len(ids), "fills": fills,
	}}}
}

func notification(t *testing.T, kind string, what any) string {
	return text(t, map[string]any{"type": kind, "data": what, "timestamp": 1785767460000})
}

func subscribe(t *testing.T, d *desk) broker.EventStream {
	t.Helper()
	stream, err := d.trade.Events(t.Context(), deskAccount)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, stream.Close()) })
	return stream
}

func next(t *testing.T, stream broker.EventStream) broker.Event {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	e, err := stream.Next(ctx)
	require.NoError(t, err)
	return e
}

func TestEventsTellWhatChangesAndNothingTwice(t *testing.T) {
	d := newDesk(t)
	d.hydrates(t, []any{wireOrder("1", "Live", nil)}, nil, "1000")
	stream := subscribe(t, d)
	first := wireOrder("1", "Live", filledBy("a"))
	d.push(t, notification(t, "Order", wireOrder("1", "Live", nil))) // as it was read
	d.push(t, notification(t, "Order", first))
	again := wireOrder("1", "Live", filledBy("a"))
	again["cancellable"] = true
	again["updated-at"] = 1785767401500
	d.push(t, notification(t, "Order", again)) // nothing that is told
	d.push(t, notification(t, "Order", wireOrder("1", "Filled", filledBy("a", "b"))))
	d.push(t, notification(t, "Order", first)) // late
	d.push(t, notification(t, "CurrentPosition", wirePosition("SPY", "10")))
	d.push(t, notification(t, "AccountBalance", map[string]any{"account-number": deskAccount, "currency": "USD", "cash-balance": "10"}))
	d.push(t, notification(t, "QuoteAlert", map[string]any{"symbol": "SPY"}))

	e := next(t, stream)
	require.NotNil(t, e.Fill)
	assert.Equal(t, "a", e.Fill.ID)
	assert.Equal(t, broker.AccountID(deskAccount), e.Account)
	e = next(t, stream)
	require.NotNil(t, e.Order)
	assert.Equal(t, "5", e.Order.Legs[0].Filled.String())
	e = next(t, stream)
	require.NotNil(t, e.Fill)
	assert.Equal(t, "b", e.Fill.ID)
	e = next(t, stream)
	require.NotNil(t, e.Order)
	assert.Equal(t, broker.Filled, e.Order.Status)
	e = next(t, stream)
	require.NotNil(t, e.Position)
	assert.Equal(t, "10", e.Position.Quantity.String())
	e = next(t, stream)
	require.NotNil(t, e.Balances)
	assert.Equal(t, "10", e.Balances.Cash.String())
}

func TestAfterABreakTheDifferencesAreTold(t *testing.T) {
	d := newDesk(t)
	d.hydrates(t, []any{wireOrder("1", "Live", nil)}, []any{wirePosition("QQQ", "3"), wirePosition("IWM", "1")}, "1000")
	stream := subscribe(t, d)
	d.push(t, notification(t, "Order", wireOrder("1", "Live", filledBy("a"))))
	require.NotNil(t, next(t, stream).Fill)
	require.NotNil(t, next(t, stream).Order)

	d.forget()
	d.hydrates(t, []any{wireOrder("1", "Filled", filledBy("a", "b"))}, []any{wirePosition("SPY", "10"), wirePosition("IWM", "1")}, "10")
	d.cut()

	e := next(t, stream)
	require.NotNil(t, e.Gap)
	assert.Contains(t, e.Gap.Reason, "connection was lost")
	assert.False(t, e.Gap.Since.IsZero(), "something came before it")
	e = next(t, stream)
	require.NotNil(t, e.Fill)
	assert.Equal(t, "b", e.Fill.ID, "the first was told before")
	e = next(t, stream)
	require.NotNil(t, e.Order)
	assert.Equal(t, broker.Filled, e.Order.Status)
	e = next(t, stream)
	require.NotNil(t, e.Position)
	assert.Equal(t, "SPY 10", string(e.Position.Symbol)+" "+e.Position.Quantity.String())
	e = next(t, stream)
	require.NotNil(t, e.Position)
	assert.Equal(t, "QQQ 0", string(e.Position.Symbol)+" "+e.Position.Quantity.String(), "what is gone is told too")
	e = next(t, stream)
	require.NotNil(t, e.Balances)
	assert.Equal(t, "10", e.Balances.Cash.String())

	d.push(t, notification(t, "CurrentPosition", wirePosition("SPY", "12")))
	assert.Equal(t, "12", next(t, stream).Position.Quantity.String(), "and it goes on")
}

// The numbers are those of the documented message.
func TestDocumentedOrderMessageIsAFillAndAnOrder(t *testing.T) {
	file, err := os.ReadFile(sharedtest.Path(t, "payloads", "account-streamer", "order.documented.json"))
	require.NoError(t, err)
	d := newDesk(t)
	d.hydrates(t, nil, nil, "1000")
	stream := subscribe(t, d)
	d.push(t, string(file))
	e := next(t, stream)
	require.NotNil(t, e.Fill)
	assert.Equal(t, "24_TW::TEST_A47504::20230705.1179-TEST_FILL", e.Fill.ID)
	assert.Equal(t, "100 100", e.Fill.Quantity.String()+" "+e.Fill.Price.String())
	assert.Equal(t, broker.BuyToOpen, e.Fill.Action)
	e = next(t, stream)
	require.NotNil(t, e.Order)
	assert.Equal(t, broker.Filled, e.Order.Status)
	assert.Equal(t, "100", e.Order.Legs[0].Average.String())
}

func TestStreamsEnd(t *testing.T) {
	d := newDesk(t)
	d.hydrates(t, nil, nil, "1000")
	ctx, cancel := context.WithCancelCause(t.Context())
	stream, err := d.trade.Events(ctx) // of every account
	require.NoError(t, err)
	why := errors.New("the caller went home")
	cancel(why)
	_, err = stream.Next(t.Context())
	assert.ErrorIs(t, err, why)
	require.NoError(t, stream.Close())
	require.NoError(t, stream.Close())

	stream, err = d.trade.Events(t.Context(), deskAccount)
	require.NoError(t, err)
	require.NoError(t, d.Adapter.Close())
	_, err = stream.Next(t.Context())
	assert.ErrorIs(t, err, broker.ErrUnavailable)
	require.NoError(t, stream.Close())
	_, err = d.trade.Events(t.Context(), deskAccount)
	assert.ErrorIs(t, err, broker.ErrUnavailable)
}

func TestEventsNeedAnAccountThatIsThere(t *testing.T) {
	d := newDesk(t)
	d.hydrates(t, nil, nil, "1000")
	_, err := d.trade.Events(t.Context(), "5WX99999")
	assert.ErrorIs(t, err, broker.ErrUnknownAccount)
	_, err = d.trade.Events(t.Context(), "")
	var field *broker.FieldError
	assert.ErrorAs(t, err, &field)
}

func TestAStreamThatCannotReadTheAccountsDoesNotBegin(t *testing.T) {
	d := newDesk(t)
	d.on(account("GET", "/orders/live"), 500, `{"error":{"code":"oops","message":"broken"}}`)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err := d.trade.Events(ctx, deskAccount)
	assert.ErrorIs(t, err, broker.ErrUnavailable)
}

// The reader sleeps while more orders change than may wait: what was dropped is a
// gap, and is told after all once the orders have been read anew.
func TestWhatASlowReaderMissedIsToldAfterAGap(t *testing.T) {
	const orders = 1400
	d := newDesk(t)
	d.hydrates(t, nil, nil, "1000")
	stream := subscribe(t, d)
	all := make([]any, orders)
	for i := range all {
		all[i] = wireOrder(strconv.Itoa(i+1), "Live", map[string]any{"external-identifier": ""})
	}
	d.forget()
	d.hydrates(t, all, nil, "1000")
	for i := range all {
		d.push(t, notification(t, "Order", all[i]))
	}
	require.Eventually(t, func() bool { return tasty.Dropped(stream) >= orders-1024-1 }, 10*time.Second, time.Millisecond, "one is in hand, 1024 wait")
	told, gaps := map[broker.OrderID]int{}, 0
	for len(told) < orders {
		e := next(t, stream)
		switch {
		case e.Gap != nil:
			gaps++
			assert.Contains(t, e.Gap.Reason, "did not fit")
		case e.Order != nil:
			told[e.Order.ID]++
		}
	}
	assert.Positive(t, gaps)
	for id, n := range told {
		assert.Equal(t, 1, n, "order %s", id)
	}
}

func TestEventsNeedTheStreamersAddress(t *testing.T) {
	r := build(t, change{})
	b := r.Adapter.Broker()
	assert.False(t, b.Capabilities().Events)
	_, err := b.Events(t.Context())
	assert.ErrorIs(t, err, broker.ErrUnsupported)
}
