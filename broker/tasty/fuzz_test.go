package tasty

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/tastytrade"
)

func FuzzStateOf(f *testing.F) {
	f.Add([]byte(`{"id":1,"status":"Filled","legs":[{"symbol":"SPY","action":"Buy to Open","quantity":10,"remaining-quantity":0,"fills":[{"fill-id":"a","quantity":10,"fill-price":"99"}]}]}`))
	f.Add([]byte(`{"id":"2","status":"Live","order-type":"Notional Market","value":"5","value-effect":"Debit","legs":[{"symbol":"SPY  261218C00500000"}]}`))
	f.Add([]byte(`{"status":"Cancelled","replacing-order-id":3,"legs":[{"quantity":1,"fills":[{"quantity":2},{"fill-price":"1"}]}]}`))
	f.Add([]byte(`{"id":4,"legs":[{"symbol":"SPY","fills":[{"fill-id":"a","quantity":1,"fill-price":"-2.5"}]}]}`))
	f.Add([]byte(`{"time-in-force":"GTC Ext","order-type":"Marketable Limit","legs":null}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var order tastytrade.Order
		if json.Unmarshal(data, &order) != nil {
			return
		}
		state := stateOf("A1", &order)
		assert.Len(t, state.Legs, len(order.Legs))
		assert.Len(t, state.Order.Legs, len(order.Legs))
		assert.NotEmpty(t, state.Account)
		if order.Status != "" && !state.Status.Known() {
			assert.Equal(t, strings.ToLower(string(order.Status)), string(state.Status), "what is not known is kept")
			assert.True(t, state.Status.CanFill(), "and not taken for done")
		}
		for i, fill := range state.Fills {
			assert.Equal(t, state.ID, fill.Order)
			assert.False(t, fill.Price.IsNegative())
			assert.NotEmpty(t, fill.ID)
			assert.False(t, i > 0 && fill.Time.Before(state.Fills[i-1].Time), "oldest first")
		}
		if n := state.Order.Notional; n != nil {
			assert.False(t, n.IsNegative())
		}
	})
}

func FuzzTicketField(f *testing.F) {
	for _, s := range []string{"price", "trigger-order.legs[1].symbol", "orders[1].stop-trigger", "legs[0]", "legs[", "orders[99999999999999999999].price", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, wire string) {
		for _, group := range []broker.GroupKind{broker.Single, broker.OCO, broker.OTO, broker.Bracket} {
			assert.True(t, strings.HasPrefix(ticketField(wire, group), "Orders["), "%q", wire)
		}
	})
}

func TestFieldsOfTheWireHaveTheTicketsNames(t *testing.T) {
	for _, row := range []struct {
		wire  string
		group broker.GroupKind
		want  string
	}{
		{"price", broker.Single, "Orders[0].Limit"},
		{"legs[1].quantity", broker.Single, "Orders[0].Legs[1].Quantity"},
		{"trigger-order.stop-trigger", broker.Bracket, "Orders[0].Stop"},
		{"orders[0].price", broker.Bracket, "Orders[1].Limit"},
		{"orders[1].legs[0].action", broker.OTO, "Orders[2].Legs[0].Action"},
		{"orders[1].gtc-date", broker.OCO, "Orders[1].GoodTill"},
		{"legs", broker.Single, "Orders[0].Legs"},
		{"rules.cancel-at", broker.Single, "Orders[0].rules.cancel-at"},
	} {
		assert.Equal(t, row.want, ticketField(row.wire, row.group), row.wire)
	}
}
