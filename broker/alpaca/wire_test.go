package alpaca_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/broker/alpaca/alpacatest"
	"github.com/ttai-go/ttai/market"
)

// The forms are those of Alpaca's reference of POST /v2/orders, where the limit of
// an mleg order is positive for a debit and negative for a credit.
func TestWhatAnOrderLooksLikeOnTheWire(t *testing.T) {
	spread := broker.Order{Tag: "t-1", Type: broker.Limit, Limit: dec("1.25"), Legs: []broker.Leg{
		{Symbol: call100, Action: broker.SellToOpen, Quantity: *dec("4")}, {Symbol: call105, Action: broker.BuyToOpen, Quantity: *dec("8")},
	}}
	debit := spread
	debit.Limit = dec("-0.5")
	trailing := broker.Order{Tag: "t-1", Type: broker.TrailingStop, Trail: &broker.Trail{Percent: dec("5")}, TimeInForce: broker.GTC, Legs: legs("3", market.Symbol("BRK/B"), broker.SellToClose)}
	coin := broker.Order{Tag: "t-1", Type: broker.Market, TimeInForce: broker.IOC, Notional: dec("25"), Legs: legs("0", market.Symbol("BTC/USD"), broker.BuyToOpen)}
	option := broker.Order{Tag: "t-1", Type: broker.Limit, Limit: dec("2.5"), Legs: legs("2", call100, broker.SellToClose)}
	for name, row := range map[string]struct {
		ticket broker.Ticket
		want   string
	}{
		"a limit to buy": {broker.NewTicket(limit("t-1", "ACME", 10, "99.5")), `{"symbol":"ACME","qty":"10","side":"buy","type":"limit","time_in_force":"day",
			"limit_price":"99.5","client_order_id":"t-1","position_intent":"buy_to_open"}`},
		"a trailing stop until cancelled": {broker.NewTicket(trailing), `{"symbol":"BRK.B","qty":"3","side":"sell","type":"trailing_stop","time_in_force":"gtc",
			"trail_percent":"5","client_order_id":"t-1","position_intent":"sell_to_close"}`},
		"coins by amount": {broker.NewTicket(coin), `{"symbol":"BTC/USD","notional":"25","side":"buy","type":"market","time_in_force":"ioc","client_order_id":"t-1"}`},
		"an option": {broker.NewTicket(option), `{"symbol":"ACME260821C00100000","qty":"2","side":"sell","type":"limit","time_in_force":"day","limit_price":"2.5",
			"client_order_id":"t-1","position_intent":"sell_to_close"}`},
		"a spread for a credit": {broker.NewTicket(spread), `{"qty":"4","type":"limit","time_in_force":"day","limit_price":"-1.25","client_order_id":"t-1","order_class":"mleg",
			"legs":[{"symbol":"ACME260821C00100000","ratio_qty":"1","side":"sell","position_intent":"sell_to_open"},
			{"symbol":"ACME260821C00105000","ratio_qty":"2","side":"buy","position_intent":"buy_to_open"}]}`},
		"a spread for a debit": {broker.NewTicket(debit), `{"qty":"4","type":"limit","time_in_force":"day","limit_price":"0.5","client_order_id":"t-1","order_class":"mleg",
			"legs":[{"symbol":"ACME260821C00100000","ratio_qty":"1","side":"sell","position_intent":"sell_to_open"},
			{"symbol":"ACME260821C00105000","ratio_qty":"2","side":"buy","position_intent":"buy_to_open"}]}`},
		"a bracket": {bracket(nil), `{"symbol":"ACME","qty":"10","side":"buy","type":"limit","time_in_force":"day","limit_price":"100","client_order_id":"b-0",
			"order_class":"bracket","position_intent":"buy_to_open","take_profit":{"limit_price":"110"},"stop_loss":{"stop_price":"90"}}`},
		"one triggers another": {bracket(func(b *broker.Ticket) {
			b.Kind, b.Orders = broker.OTO, []broker.Order{b.Orders[0], b.Orders[2]}
			b.Orders[1].Type, b.Orders[1].Limit = broker.StopLimit, dec("89.5")
		}), `{"symbol":"ACME","qty":"10","side":"buy","type":"limit","time_in_force":"day","limit_price":"100","client_order_id":"b-0",
			"order_class":"oto","position_intent":"buy_to_open","stop_loss":{"stop_price":"90","limit_price":"89.5"}}`},
		"one cancels the other": {bracket(func(b *broker.Ticket) { b.Kind, b.Orders = broker.OCO, []broker.Order{b.Orders[2], b.Orders[1]} }), `{"symbol":"ACME","qty":"10","side":"sell",
			"type":"limit","time_in_force":"day","client_order_id":"b-1","order_class":"oco","position_intent":"sell_to_close",
			"take_profit":{"limit_price":"110"},"stop_loss":{"stop_price":"90"}}`},
	} {
		t.Run(name, func(t *testing.T) {
			fake := newFake(t, nil)
			fake.Inject(alpacatest.Fault{Method: "POST", Status: 422})
			_, err := newAdapter(t, fake, nil).Place(t.Context(), account, row.ticket)
			require.ErrorIs(t, err, broker.ErrRejected)
			writes := fake.Writes()
			require.Len(t, writes, 1)
			assert.JSONEq(t, row.want, writes[0].Body)
			assert.Equal(t, "/v2/orders", writes[0].Path)
		})
	}
}

func TestAReplacementOfASpreadTurnsTheSignToo(t *testing.T) {
	fake := newFake(t, nil)
	fake.AddStock("ACME")
	require.NoError(t, fake.AddOption(string(call100)))
	require.NoError(t, fake.AddOption(string(call105)))
	a := newAdapter(t, fake, nil)
	o := broker.Order{Tag: "t-1", Type: broker.Limit, Limit: dec("3.50"), Legs: legs("2", call100, broker.SellToOpen, call105, broker.BuyToOpen)}
	placed, err := a.Place(t.Context(), account, broker.NewTicket(o))
	require.NoError(t, err)
	assert.True(t, placed[0].Order.Limit.Equal(*dec("3.5")), "a credit stays one: %s", placed[0].Order.Limit)
	o.Tag, o.Limit = "t-2", dec("3.25")
	state, err := a.Replace(t.Context(), account, placed[0].ID, o)
	require.NoError(t, err)
	assert.True(t, state.Order.Limit.Equal(*dec("3.25")))
	var body map[string]any
	require.NoError(t, json.Unmarshal([]byte(fake.Writes()[1].Body), &body))
	assert.Equal(t, "-3.25", body["limit_price"])
	assert.Equal(t, "t-2", body["client_order_id"])

	for field, change := range map[string]func(*broker.Order){
		"Tag":              func(o *broker.Order) { o.Tag = "t-2" },
		"Type":             func(o *broker.Order) { o.Type, o.Limit = broker.Market, nil },
		"Legs[0].Quantity": func(o *broker.Order) { o.Legs[0].Quantity = *dec("4") },
		"Legs[0].Action":   func(o *broker.Order) { o.Legs[0].Action = broker.BuyToOpen },
		"Legs":             func(o *broker.Order) { o.Legs, o.Limit = o.Legs[:1], dec("3") },
	} {
		with := broker.Order{Tag: "t-3", Type: broker.Limit, Limit: dec("3.25"), Legs: legs("2", call100, broker.SellToOpen, call105, broker.BuyToOpen)}
		change(&with)
		_, err := a.Replace(t.Context(), account, state.ID, with)
		assert.Contains(t, fields(err), field)
	}
	assert.Len(t, fake.Writes(), 2)
}
