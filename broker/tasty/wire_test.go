package tasty_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/internal/sharedtest"
	"github.com/ttai-go/ttai/market"
)

func dec(text string) *decimal.Decimal {
	d := decimal.RequireFromString(text)
	return &d
}

func leg(symbol market.Symbol, action broker.Action, quantity string) broker.Leg {
	return broker.Leg{Symbol: symbol, Action: action, Quantity: decimal.RequireFromString(quantity)}
}

// limitOrder buys ten shares of SPY at 99.
func limitOrder(tag string) broker.Order {
	return broker.Order{Tag: tag, Type: broker.Limit, Limit: dec("-99"), Legs: []broker.Leg{leg("SPY", broker.BuyToOpen, "10")}}
}

const (
	lowerCall  = market.Symbol("SPY   261218C00500000")
	higherCall = market.Symbol("SPY   261218C00510000")
)

// The bodies follow the order model of the broker's API documentation: amounts are
// magnitudes with an effect, futures are bought and sold, an amount of money has no
// quantity, and a closing leg asks for strict validation.
func TestOrdersAreWrittenAsTheBrokerWantsThem(t *testing.T) {
	strict := `,"advanced-instructions":{"strict-position-effect-validation":true}`
	rows := map[string]struct {
		order broker.Order
		want  string
	}{
		"a limit to buy": {limitOrder("t"), `{"order-type":"Limit","time-in-force":"Day","price":"99","price-effect":"Debit",
			"legs":[{"instrument-type":"Equity","symbol":"SPY","action":"Buy to Open","quantity":"10"}]`},
		"a limit to sell until a day": {
			broker.Order{Tag: "t", Type: broker.Limit, Limit: dec("101.5"), TimeInForce: broker.GTD, GoodTill: market.Date{Year: 2026, Month: 12, Day: 1},
				Legs: []broker.Leg{leg("BRK/B", broker.SellToClose, "2")}},
			`{"order-type":"Limit","time-in-force":"GTD","gtc-date":"2026-12-01","price":"101.5","price-effect":"Credit",
			"legs":[{"instrument-type":"Equity","symbol":"BRK/B","action":"Sell to Close","quantity":"2"}]` + strict},
		"a market order at once or never": {
			broker.Order{Tag: "t", Type: broker.Market, TimeInForce: broker.IOC, Legs: []broker.Leg{leg(lowerCall, broker.BuyToClose, "1")}},
			`{"order-type":"Market","time-in-force":"IOC","legs":[{"instrument-type":"Equity Option","symbol":"SPY   261218C00500000","action":"Buy to Close","quantity":"1"}]` + strict},
		"a stop": {
			broker.Order{Tag: "t", Type: broker.Stop, Stop: dec("95"), TimeInForce: broker.GTC, Legs: []broker.Leg{leg("SPY", broker.SellToClose, "10")}},
			`{"order-type":"Stop","time-in-force":"GTC","stop-trigger":"95","legs":[{"instrument-type":"Equity","symbol":"SPY","action":"Sell to Close","quantity":"10"}]` + strict},
		"a stop limit": {
			broker.Order{Tag: "t", Type: broker.StopLimit, Stop: dec("105"), Limit: dec("-105.5"), Legs: []broker.Leg{leg("SPY", broker.BuyToOpen, "10")}},
			`{"order-type":"Stop Limit","time-in-force":"Day","stop-trigger":"105","price":"105.5","price-effect":"Debit","legs":[{"instrument-type":"Equity","symbol":"SPY","action":"Buy to Open","quantity":"10"}]`},
		"a spread for a credit": {
			broker.Order{Tag: "t", Type: broker.Limit, Limit: dec("2.8"), Legs: []broker.Leg{leg(lowerCall, broker.SellToOpen, "2"), leg(higherCall, broker.BuyToOpen, "2")}},
			`{"order-type":"Limit","time-in-force":"Day","price":"2.8","price-effect":"Credit","legs":[
			{"instrument-type":"Equity Option","symbol":"SPY   261218C00500000","action":"Sell to Open","quantity":"2"},
			{"instrument-type":"Equity Option","symbol":"SPY   261218C00510000","action":"Buy to Open","quantity":"2"}]`},
		"outside the session": {
			broker.Order{Tag: "t", Type: broker.Limit, Limit: dec("-99"), TimeInForce: broker.GTC, ExtendedHours: true, Legs: []broker.Leg{leg("SPY", broker.BuyToOpen, "10")}},
			`{"order-type":"Limit","time-in-force":"GTC Ext","price":"99","price-effect":"Debit","legs":[{"instrument-type":"Equity","symbol":"SPY","action":"Buy to Open","quantity":"10"}]`},
		"an amount of money": {
			broker.Order{Tag: "t", Type: broker.Market, Notional: dec("250"), Legs: []broker.Leg{{Symbol: "SPY", Action: broker.BuyToOpen}}},
			`{"order-type":"Notional Market","time-in-force":"Day","value":"250","value-effect":"Debit","legs":[{"instrument-type":"Equity","symbol":"SPY","action":"Buy to Open"}]`},
		"a fraction of a share": {
			broker.Order{Tag: "t", Type: broker.Market, Legs: []broker.Leg{leg("SPY", broker.BuyToOpen, "0.5")}},
			`{"order-type":"Market","time-in-force":"Day","legs":[{"instrument-type":"Equity","symbol":"SPY","action":"Buy to Open","quantity":"0.5"}]`},
		"a future": {
			broker.Order{Tag: "t", Type: broker.Limit, Limit: dec("6000"), Legs: []broker.Leg{leg("/ESZ6", broker.SellToOpen, "1")}},
			`{"order-type":"Limit","time-in-force":"Day","price":"6000","price-effect":"Credit","legs":[{"instrument-type":"Future","symbol":"/ESZ6","action":"Sell","quantity":"1"}]`},
		"a future's option": {
			broker.Order{Tag: "t", Type: broker.Limit, Limit: dec("-10.25"), Legs: []broker.Leg{leg("./ESZ6 ESZ6  261218C7000", broker.BuyToOpen, "1")}},
			`{"order-type":"Limit","time-in-force":"Day","price":"10.25","price-effect":"Debit","legs":[{"instrument-type":"Future Option","symbol":"./ESZ6 ESZ6  261218C7000","action":"Buy to Open","quantity":"1"}]`},
		"shares beside an option": {
			broker.Order{Tag: "t", Type: broker.Limit, Limit: dec("-495"), Legs: []broker.Leg{leg("SPY", broker.BuyToOpen, "100"), leg(lowerCall, broker.SellToOpen, "1")}},
			`{"order-type":"Limit","time-in-force":"Day","price":"495","price-effect":"Debit","legs":[
			{"instrument-type":"Equity","symbol":"SPY","action":"Buy to Open","quantity":"100"},
			{"instrument-type":"Equity Option","symbol":"SPY   261218C00500000","action":"Sell to Open","quantity":"1"}]`},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			d.on(account("POST", "/orders"), 201, data(t, map[string]any{"order": wireOrder("1", "Received", nil)}))
			_, err := d.trade.Place(t.Context(), deskAccount, broker.NewTicket(row.order))
			require.NoError(t, err)
			bodies := d.sent(account("POST", "/orders"))
			require.Len(t, bodies, 1)
			assert.JSONEq(t, row.want+`,"external-identifier":"t","preflight-id":"0"}`, bodies[0])
		})
	}
}

func TestGroupsAreComplexOrders(t *testing.T) {
	exit := func(tag string, kind broker.OrderType) broker.Order {
		o := broker.Order{Tag: tag, Type: kind, Legs: []broker.Leg{leg("SPY", broker.SellToClose, "10")}}
		if kind == broker.Limit {
			o.Limit = dec("105")
		} else {
			o.Stop = dec("95")
		}
		return o
	}
	entry := `{"order-type":"Limit","time-in-force":"Day","price":"99","price-effect":"Debit","external-identifier":"entry","preflight-id":"0",
		"legs":[{"instrument-type":"Equity","symbol":"SPY","action":"Buy to Open","quantity":"10"}]}`
	target := func(index int, more string) string {
		return fmt.Sprintf(`{"order-type":"Limit","time-in-force":"Day","price":"105","price-effect":"Credit","external-identifier":"target","preflight-id":"%d"%s,
		"legs":[{"instrument-type":"Equity","symbol":"SPY","action":"Sell to Close","quantity":"10"}]}`, index, more)
	}
	stop := func(index int, more string) string {
		return fmt.Sprintf(`{"order-type":"Stop","time-in-force":"Day","stop-trigger":"95","external-identifier":"stop","preflight-id":"%d"%s,
		"legs":[{"instrument-type":"Equity","symbol":"SPY","action":"Sell to Close","quantity":"10"}]}`, index, more)
	}
	strict := `,"advanced-instructions":{"strict-position-effect-validation":true}`
	part := func(id, tag string) map[string]any {
		return wireOrder(id, "Contingent", map[string]any{"external-identifier": tag, "complex-order-id": 77})
	}
	rows := map[string]struct {
		ticket broker.Ticket
		want   string
		answer map[string]any
	}{
		"a bracket": {
			broker.Ticket{Kind: broker.Bracket, Orders: []broker.Order{limitOrder("entry"), exit("target", broker.Limit), exit("stop", broker.Stop)}},
			`{"type":"OTOCO","trigger-order":` + entry + `,"orders":[` + target(1, "") + `,` + stop(2, "") + `]}`,
			map[string]any{"id": 77, "type": "OTOCO", "trigger-order": part("1", "entry"), "orders": []any{part("3", "stop"), part("2", "target")}},
		},
		"one triggers another": {
			broker.Ticket{Kind: broker.OTO, Orders: []broker.Order{limitOrder("entry"), exit("target", broker.Limit)}},
			`{"type":"OTO","trigger-order":` + entry + `,"orders":[` + target(1, "") + `]}`,
			map[string]any{"id": 77, "type": "OTO", "trigger-order": part("1", "entry"), "orders": []any{part("2", "target")}},
		},
		"one cancels the other": {
			broker.Ticket{Kind: broker.OCO, Orders: []broker.Order{exit("target", broker.Limit), exit("stop", broker.Stop)}},
			`{"type":"OCO","orders":[` + target(0, strict) + `,` + stop(1, strict) + `]}`,
			map[string]any{"id": 77, "type": "OCO", "orders": []any{part("2", ""), part("3", "")}}, // without tags: as they stand
		},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			d.on(account("POST", "/complex-orders"), 201, data(t, map[string]any{"complex-order": row.answer}))
			states, err := d.trade.Place(t.Context(), deskAccount, row.ticket)
			require.NoError(t, err)
			require.Len(t, states, len(row.ticket.Orders))
			for i, state := range states {
				assert.Equal(t, row.ticket.Orders[i].Tag, state.Order.Tag)
				assert.Equal(t, "77", state.Group)
				assert.Equal(t, broker.Contingent, state.Status)
				assert.Equal(t, broker.OrderID(map[string]string{"entry": "1", "target": "2", "stop": "3"}[state.Order.Tag]), state.ID)
			}
			bodies := d.sent(account("POST", "/complex-orders"))
			require.Len(t, bodies, 1)
			assert.JSONEq(t, row.want, bodies[0])
		})
	}
}

func TestWhatTheBrokerDoesNotTakeIsNotSent(t *testing.T) {
	day := func(change func(*broker.Order)) broker.Order {
		o := limitOrder("t")
		change(&o)
		return o
	}
	rows := map[string]broker.Ticket{
		"a trailing stop": broker.NewTicket(broker.Order{Tag: "t", Type: broker.TrailingStop, Trail: &broker.Trail{Amount: dec("1")}, Legs: []broker.Leg{leg("SPY", broker.BuyToOpen, "1")}}),
		"on the close":    broker.NewTicket(day(func(o *broker.Order) { o.TimeInForce = broker.OnClose })),
		"on the open":     broker.NewTicket(day(func(o *broker.Order) { o.TimeInForce = broker.OnOpen })),
		"a coin":          broker.NewTicket(day(func(o *broker.Order) { o.Legs[0].Symbol = "BTC/USD" })),
		"several legs at the market": broker.NewTicket(broker.Order{Tag: "t", Type: broker.Market,
			Legs: []broker.Leg{leg(lowerCall, broker.BuyToOpen, "1"), leg(higherCall, broker.SellToOpen, "1")}}),
		"an option outside the session": broker.NewTicket(day(func(o *broker.Order) { o.Legs[0].Symbol, o.ExtendedHours = lowerCall, true })),
		"at once outside the session":   broker.NewTicket(day(func(o *broker.Order) { o.TimeInForce, o.ExtendedHours = broker.IOC, true })),
		"a spread for nothing": broker.NewTicket(broker.Order{Tag: "t", Type: broker.Limit, Limit: dec("0"),
			Legs: []broker.Leg{leg(lowerCall, broker.BuyToOpen, "1"), leg(higherCall, broker.SellToOpen, "1")}}),
		"an OCO that opens": {Kind: broker.OCO, Orders: []broker.Order{limitOrder("a"), limitOrder("b")}},
	}
	d := newDesk(t)
	for name, ticket := range rows {
		_, err := d.trade.Place(t.Context(), deskAccount, ticket)
		assert.ErrorIs(t, err, broker.ErrUnsupported, name)
		_, err = d.trade.Preview(t.Context(), deskAccount, ticket)
		assert.ErrorIs(t, err, broker.ErrUnsupported, name)
	}
	// What the client's own rules refuse has the ticket's names.
	bad := broker.NewTicket(day(func(o *broker.Order) { o.Legs[0].Symbol = "./NOT A FUTURE" }))
	_, err := d.trade.Place(t.Context(), deskAccount, bad)
	var field *broker.FieldError
	require.ErrorAs(t, err, &field)
	assert.Equal(t, "Orders[0].Legs[0].Symbol", field.Field)
	assert.Zero(t, d.writes())
	assert.Empty(t, d.sent(account("POST", "/orders/dry-run")))
}

// The numbers are those of the recorded answer: a spread that requires 300 and
// brings 200, for fees of 2.302.
func TestRecordedDryRunIsPreviewed(t *testing.T) {
	file, err := os.ReadFile(sharedtest.Path(t, "payloads", "rest", "order_dry_run.json"))
	require.NoError(t, err)
	d := newDesk(t)
	d.on(account("POST", "/orders/dry-run"), 201, string(file))
	order := broker.Order{Tag: "t", Type: broker.Limit, Limit: dec("2"),
		Legs: []broker.Leg{leg("SPY   191018C00298000", broker.BuyToOpen, "1"), leg("SPY   191018C00295000", broker.SellToOpen, "1")}}
	p, err := d.trade.Preview(t.Context(), deskAccount, broker.NewTicket(order))
	require.NoError(t, err)
	assert.Equal(t, "-102.302", p.BuyingPower.String())
	assert.Equal(t, "8995878.9593", p.BuyingPowerAfter.String())
	assert.Equal(t, "300", p.Margin.String(), "a requirement that grows is positive")
	assert.Equal(t, "200", p.Cash.String())
	assert.Equal(t, "-2.302", p.Fees.Total().String())
	assert.Equal(t, []string{"-2", "-0.2", "-0.102"}, []string{p.Fees.Commission.String(), p.Fees.Clearing.String(), p.Fees.Regulatory.String()})
	assert.Empty(t, p.Refusals)
	assert.Empty(t, p.Warnings)
	assert.Equal(t, broker.Day, p.Ticket.Orders[0].TimeInForce)
	assert.Zero(t, d.writes(), "a preview places nothing")
}

func TestRecordedOrderIsRead(t *testing.T) {
	file, err := os.ReadFile(sharedtest.Path(t, "payloads", "rest", "Post_Submit_Order_Response.json"))
	require.NoError(t, err)
	d := newDesk(t)
	d.on(account("POST", "/orders"), 201, string(file))
	states, err := d.trade.Place(t.Context(), deskAccount, broker.NewTicket(broker.Order{Tag: "t", Type: broker.Market, Legs: []broker.Leg{leg("AAPL", broker.BuyToOpen, "1")}}))
	require.NoError(t, err)
	s := states[0]
	assert.Equal(t, broker.OrderID("270561"), s.ID)
	assert.Equal(t, broker.AccountID("5WX06827"), s.Account)
	assert.Equal(t, broker.Routed, s.Status)
	assert.Equal(t, broker.Market, s.Order.Type)
	assert.Equal(t, broker.Day, s.Order.TimeInForce)
	assert.Equal(t, []broker.Leg{leg("AAPL", broker.BuyToOpen, "1")}, s.Order.Legs)
	assert.True(t, s.Legs[0].Filled.IsZero())
	assert.Nil(t, s.Legs[0].Average)
	assert.True(t, s.Received.Equal(time.Date(2025, 5, 28, 13, 38, 47, 851e6, time.UTC)))
	assert.True(t, s.Ended.IsZero())
}

// What each of the broker's states is here, terminal or not.
func TestStatesAreTheBrokers(t *testing.T) {
	open := map[string]any{}
	rows := []struct {
		wire string
		more map[string]any
		want broker.Status
		ends bool
	}{
		{"Received", open, broker.Received, false},
		{"Routed", open, broker.Routed, false},
		{"In Flight", open, broker.Routed, false},
		{"Live", open, broker.Live, false},
		{"Contingent", open, broker.Contingent, false},
		{"Cancel Requested", open, broker.CancelRequested, false},
		{"Replace Requested", open, broker.ReplaceRequested, false},
		{"Remove Pending", open, broker.CancelRequested, false},
		{"Cancelled", open, broker.Cancelled, true},
		{"Cancelled", map[string]any{"replacing-order-id": 2}, broker.Replaced, true},
		{"Expired", open, broker.Expired, true},
		{"Rejected", open, broker.Rejected, true},
		{"Removed", open, broker.Cancelled, true},
		{"Partially Removed", open, broker.Cancelled, true},
		{"Dead", open, broker.Cancelled, true},
		{"Awaiting Moonrise", open, "awaiting moonrise", false},
		// Filled before its fills have come is not the end yet.
		{"Filled", open, broker.Live, false},
		{"Filled", map[string]any{"legs": []map[string]any{{"symbol": "SPY", "instrument-type": "Equity", "action": "Buy to Open", "quantity": 10, "remaining-quantity": 0}}}, broker.Filled, true},
	}
	for _, row := range rows {
		d := newDesk(t)
		d.on(account("GET", "/orders/1"), 200, data(t, wireOrder("1", row.wire, row.more)))
		s, err := d.trade.Order(t.Context(), deskAccount, "1")
		require.NoError(t, err)
		assert.Equal(t, row.want, s.Status, row.wire)
		assert.Equal(t, row.ends, s.Status.Terminal(), row.wire)
	}
}

func TestFillsAndAveragesAreRead(t *testing.T) {
	d := newDesk(t)
	legs := []map[string]any{{
		"symbol": "SPY", "instrument-type": "Equity", "action": "Buy to Open", "quantity": 10, "remaining-quantity": 4,
		"fills": []map[string]any{
			{"fill-id": "b", "quantity": 4, "fill-price": "98.5", "filled-at": "2026-08-03T14:31:00.000+00:00"},
			{"ext-exec-id": "7", "quantity": 2, "fill-price": "99.1", "filled-at": "2026-08-03T14:30:30.000+00:00"},
		},
	}}
	d.on(account("GET", "/orders/1"), 200, data(t, wireOrder("1", "Live", map[string]any{"legs": legs})))
	s, err := d.trade.Order(t.Context(), deskAccount, "1")
	require.NoError(t, err)
	assert.Equal(t, "6", s.Legs[0].Filled.String())
	assert.Equal(t, "98.7", s.Legs[0].Average.String(), "(4×98.5 + 2×99.1) / 6")
	require.Len(t, s.Fills, 2)
	assert.Equal(t, []string{"1/7", "b"}, []string{s.Fills[0].ID, s.Fills[1].ID}, "oldest first, each with a name")
	assert.Equal(t, "-99", s.Order.Limit.String())
}

func TestAnOrderThatWasCancelledIsFilledByItsFillsAlone(t *testing.T) {
	d := newDesk(t)
	legs := []map[string]any{{"symbol": "SPY", "instrument-type": "Equity", "action": "Buy to Open", "quantity": 10, "remaining-quantity": 0,
		"fills": []map[string]any{{"fill-id": "a", "quantity": 4, "fill-price": "98.5", "filled-at": "2026-08-03T14:31:00.000+00:00"}}}}
	d.on(account("GET", "/orders/1"), 200, data(t, wireOrder("1", "Cancelled", map[string]any{"legs": legs, "cancelled-at": "2026-08-03T14:32:00.000+00:00"})))
	s, err := d.trade.Order(t.Context(), deskAccount, "1")
	require.NoError(t, err)
	assert.Equal(t, "4", s.Legs[0].Filled.String())
	assert.True(t, s.Ended.Equal(time.Date(2026, 8, 3, 14, 32, 0, 0, time.UTC)), "when it was cancelled")
}
