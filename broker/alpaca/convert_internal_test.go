package alpaca

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
)

func plainAdapter(t *testing.T) *Adapter {
	t.Helper()
	a, err := New(&Options{Client: ClientOptions{Credentials: Static(Credentials{KeyID: "k", Secret: "s"})}})
	require.NoError(t, err)
	t.Cleanup(func() { _ = a.Close() })
	return a
}

// All states of Alpaca's documentation of orders.
func TestEachStateOfAlpacaIsOneOfOurs(t *testing.T) {
	all := []OrderStatus{
		StatusNew, StatusPartiallyFilled, StatusFilled, StatusDoneForDay, StatusCanceled, StatusExpired, StatusReplaced, StatusPendingCancel, StatusPendingReplace,
		StatusPendingReview, StatusAccepted, StatusPendingNew, StatusAcceptedForBidding, StatusStopped, StatusRejected, StatusSuspended, StatusCalculated, StatusHeld,
	}
	assert.Len(t, statuses, len(all))
	ended := map[OrderStatus]bool{StatusFilled: true, StatusCanceled: true, StatusExpired: true, StatusReplaced: true, StatusRejected: true}
	for _, s := range all {
		assert.True(t, statusOf(s).Known(), s)
		assert.Equal(t, ended[s], statusOf(s).Terminal(), s)
	}
	unknown := statusOf("teleported")
	assert.Equal(t, broker.Status("teleported"), unknown)
	assert.False(t, unknown.Terminal(), "what is not understood is not taken for done")
}

func TestSymbolsGoAndComeBack(t *testing.T) {
	for ours, row := range map[market.Symbol][2]string{
		"SPY": {"SPY", "us_equity"}, "BRK/B": {"BRK.B", "us_equity"}, "SPY   261218C00500000": {"SPY261218C00500000", "us_option"}, "BTC/USD": {"BTC/USD", "crypto"},
	} {
		assert.Equal(t, row[0], wireSymbol(ours))
		assert.Equal(t, ours, symbolOf(row[0], row[1]))
	}
	assert.Equal(t, market.Symbol("BTC/USD"), symbolOf("BTCUSD", "crypto"), "as positions write it")
	assert.Equal(t, market.Symbol("AAPL`"), symbolOf("AAPL`", ""), "what is no symbol is kept")
}

// The order is one of alpaca-py's tests, with fields of our own where said.
func TestAnOrderOfAlpacaBecomesAState(t *testing.T) {
	a := plainAdapter(t)
	var o Order
	require.NoError(t, json.Unmarshal([]byte(`{"id":"61e69015","client_order_id":"eb9e2aaa","created_at":"2021-03-16T18:38:01.942282Z","submitted_at":"2021-03-16T18:38:01.937734Z",
		"filled_at":null,"asset_class":"us_equity","symbol":"AAPL","notional":"500","qty":null,"filled_qty":"0.5","filled_avg_price":"125.1","order_class":"simple","type":"market",
		"side":"buy","time_in_force":"day","status":"partially_filled","position_intent":"buy_to_open","commission":1.25,"new_field":{"a":1}}`), &o))
	s := a.state("A", &o, "")
	assert.Equal(t, broker.OrderID("61e69015"), s.ID)
	assert.Equal(t, "eb9e2aaa", s.Order.Tag)
	assert.Equal(t, broker.Live, s.Status)
	assert.Equal(t, "500", s.Order.Notional.String())
	assert.True(t, s.Order.Legs[0].Quantity.IsZero(), "the amount says how much")
	assert.Equal(t, "0.5", s.Legs[0].Filled.String())
	assert.Equal(t, "125.1", s.Legs[0].Average.String())
	assert.Equal(t, 937734000, s.Received.Nanosecond())
	assert.True(t, s.Ended.IsZero())
	assert.Contains(t, string(o.Raw()), "new_field")

	for wire, want := range map[string]broker.Action{
		`{"side":"sell","position_intent":"sell_to_open"}`: broker.SellToOpen, `{"side":"buy","position_intent":"buy_to_close"}`: broker.BuyToClose,
		`{"side":"sell","position_intent":"buy_to_open"}`: broker.SellToClose, // they contradict each other: the side is what trades
		`{"side":"buy"}`: broker.BuyToOpen, `{"side":"sideways"}`: broker.Action("sideways"),
	} {
		var o Order
		require.NoError(t, json.Unmarshal([]byte(wire), &o))
		assert.Equal(t, want, actionOf(&o), wire)
	}
	require.NoError(t, json.Unmarshal([]byte(`{"id":"x","symbol":"A","side":"sell","type":"trailing_stop","trail_percent":"5","stop_price":"95","hwm":"100","qty":"1","status":"filled","filled_at":"2021-03-16T18:38:01Z",
		"time_in_force":"gtd","expires_at":"2021-03-18T20:00:00Z","limit_price":"3"}`), &o))
	s = a.state("A", &o, "")
	assert.Equal(t, "5%", s.Order.Trail.String())
	assert.Nil(t, s.Order.Stop, "where the stop stands is not what was asked for")
	assert.Equal(t, "2021-03-18", s.Order.GoodTill.String())
	assert.Equal(t, "3", s.Order.Limit.String(), "selling receives")
	assert.False(t, s.Ended.IsZero())
}

func TestPositionsAreSigned(t *testing.T) {
	a := plainAdapter(t)
	for body, want := range map[string]string{
		`{"symbol":"TSLA","qty":"5","side":"short","avg_entry_price":"100.0","current_price":"120.0","asset_class":"us_equity"}`:                 "-5 TSLA 100 120 1",
		`{"symbol":"TSLA","qty":"-5","side":"short","avg_entry_price":"100.0","current_price":"120.0"}`:                                          "-5 TSLA 100 120 1",
		`{"symbol":"AAPL240119C00150000","qty":"2","side":"long","avg_entry_price":"1.5","current_price":"2","asset_class":"us_option"}`:         "2 AAPL 1.5 2 100",
		`{"asset_id":"904837e3","entry_price":"100.0","qty":"5","side":"long","last_price":"120.00","symbol":"AAPL"}`:                            "5 AAPL 100 120 1",
		`{"symbol":"BTCUSD","qty":"0.5","side":"long","avg_entry_price":"60000","current_price":"61000","asset_class":"crypto","swap_rate":"1"}`: "0.5 BTC/USD 60000 61000 1",
	} {
		var p Position
		require.NoError(t, json.Unmarshal([]byte(body), &p))
		got := a.position("A", &p)
		assert.Equal(t, want, got.Quantity.String()+" "+string(got.Underlying)+" "+got.AverageOpenPrice.String()+" "+got.Mark.String()+" "+got.Multiplier.String())
		assert.Equal(t, got.Kind == market.KindOption, !got.ExpiresAt.IsZero())
	}
}

func TestAForgottenGroupKeepsTheBrokersNames(t *testing.T) {
	a := plainAdapter(t)
	var o Order
	require.NoError(t, json.Unmarshal([]byte(`{"id":"p","client_order_id":"tag-0","order_class":"bracket","symbol":"A","side":"buy","type":"limit","qty":"1","status":"new",
		"legs":[{"id":"s","client_order_id":"theirs-1","symbol":"A","side":"sell","type":"stop","qty":"1","status":"held","order_class":"bracket"},
		{"id":"l","client_order_id":"theirs-2","symbol":"A","side":"sell","type":"limit","qty":"1","status":"held","order_class":"bracket"}]}`), &o))
	for _, s := range a.states("A", &o) {
		assert.Equal(t, "p", s.Group)
	}
	assert.Equal(t, "theirs-1", a.states("A", &o)[1].Order.Tag)
	exit := func(tag string, kind broker.OrderType) broker.Order {
		return broker.Order{Tag: tag, Type: kind, Legs: []broker.Leg{{Symbol: "A", Action: broker.SellToClose, Quantity: one}}}
	}
	entry := broker.Order{Tag: "tag-0", Type: broker.Limit, Legs: []broker.Leg{{Symbol: "A", Action: broker.BuyToOpen, Quantity: one}}}
	ticket := broker.Ticket{Kind: broker.Bracket, Orders: []broker.Order{entry, exit("tag-1", broker.Limit), exit("tag-2", broker.Stop)}}
	a.announce(&ticket)
	states, ok := a.inTicketOrder("A", &ticket, &o)
	require.True(t, ok)
	assert.Equal(t, []broker.OrderID{"p", "l", "s"}, []broker.OrderID{states[0].ID, states[1].ID, states[2].ID}, "in the ticket's order")
	assert.Equal(t, "tag-2", a.states("A", &o)[1].Order.Tag)
	assert.Equal(t, "tag-0", a.leaderTag("tag-2"))
	for i := range mostRemembered { // bounded: the oldest are forgotten
		later := broker.Ticket{Kind: broker.OTO, Orders: []broker.Order{exit(string(rune('a'+i%26))+"x", broker.Limit), exit("e"+string(rune(i+1000)), broker.Stop)}}
		later.Orders[0].Tag += string(rune(i + 1000))
		a.announce(&later)
	}
	assert.Equal(t, "tag-2", a.leaderTag("tag-2"), "forgotten")
	assert.LessOrEqual(t, len(a.leaders), mostRemembered)
}
