package simulator_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/simulator"
)

// set puts a quote by hand.
func (c *client) set(symbol market.Symbol, bid, ask float64) {
	c.t.Helper()
	q := market.NewQuote(symbol)
	q.Bid, q.Ask, q.Last = bid, ask, (bid+ask)/2
	require.NoError(c.t, c.sim.SetQuote(q))
}

func (c *client) step(d time.Duration) {
	c.t.Helper()
	require.NoError(c.t, c.sim.Step(d))
}

const margin = "/accounts/" + simulator.DemoMargin

func limit(action, symbol string, quantity int, price, effect string) string {
	return fmt.Sprintf(`{"order-type":"Limit","time-in-force":"Day","price":"%s","price-effect":"%s",
		"legs":[{"action":"%s","instrument-type":"Equity","symbol":"%s","quantity":%d}]}`, price, effect, action, symbol, quantity)
}

// place sends an order that must be taken, and returns it.
func (c *client) place(body string) map[string]any {
	c.t.Helper()
	status, answer := c.send("POST", margin+"/orders", body)
	require.Equal(c.t, 201, status, "%v", answer)
	return answer["data"].(map[string]any)["order"].(map[string]any)
}

func (c *client) order(id any) map[string]any {
	c.t.Helper()
	return c.object(margin + "/orders/" + fmt.Sprint(id))["data"].(map[string]any)
}

func TestAnOrderGoesItsWayAndFills(t *testing.T) {
	c := start(t, nil).login()
	c.set("MSFT", 400.00, 400.10)
	cash := amount(t, c.items(margin + "/balances")[0], "cash-balance")
	o := c.place(limit("Buy to Open", "MSFT", 10, "400.00", "Debit"))
	assert.Equal(t, "Received", o["status"])
	var seen []string
	note := func() {
		if status := c.order(o["id"])["status"].(string); len(seen) == 0 || seen[len(seen)-1] != status {
			seen = append(seen, status)
		}
	}
	for range 30 {
		note()
		c.step(10 * time.Millisecond)
	}
	assert.Equal(t, []string{"Received", "Routed", "In Flight", "Live"}, seen)
	c.set("MSFT", 399.90, 400.00)
	filled := c.order(o["id"])
	assert.Equal(t, "Filled", filled["status"])
	leg := filled["legs"].([]any)[0].(map[string]any)
	assert.Equal(t, json.Number("0"), leg["remaining-quantity"])
	fill := leg["fills"].([]any)[0].(map[string]any)
	assert.Equal(t, "400.0", fill["fill-price"])
	assert.NotEmpty(t, filled["terminal-at"])

	positions := c.items(margin + "/positions?symbol=MSFT")
	require.Len(t, positions, 1)
	assert.Equal(t, json.Number("10"), positions[0]["quantity"])
	assert.Equal(t, "400.0", positions[0]["average-open-price"])
	txs := c.items(margin + "/transactions")
	require.Len(t, txs, 1)
	assert.Equal(t, "Buy to Open", txs[0]["transaction-sub-type"])
	assert.Equal(t, "Bought 10 MSFT @ 400.00", txs[0]["description"])
	assert.Equal(t, o["id"], txs[0]["order-id"])
	fees := amount(t, txs[0], "clearing-fees").Add(amount(t, txs[0], "regulatory-fees")).Add(amount(t, txs[0], "commission"))
	assert.True(t, fees.IsPositive(), "clearing costs something")
	assert.True(t, amount(t, txs[0], "net-value").Equal(amount(t, txs[0], "value").Add(fees)))
	after := amount(t, c.items(margin + "/balances")[0], "cash-balance")
	assert.True(t, cash.Sub(after).Equal(amount(t, txs[0], "net-value")), "the cash paid for it: %s %s", cash, after)
	one := c.object(margin + "/transactions/" + txs[0]["id"].(json.Number).String())["data"].(map[string]any)
	assert.Equal(t, txs[0], one)
	total := c.object(margin + "/transactions/total-fees")["data"].(map[string]any)
	assert.True(t, amount(t, total, "total-fees").Equal(fees))
	assert.Equal(t, "Debit", total["total-fees-effect"])
}

func TestDryRunsChangeNothing(t *testing.T) {
	c := start(t, nil).login()
	before := c.items(margin + "/balances")
	status, answer := c.send("POST", margin+"/orders/dry-run", limit("Buy to Open", "MSFT", 10, "300.00", "Debit"))
	require.Equal(t, 201, status, "%v", answer)
	data := answer["data"].(map[string]any)
	effect := data["buying-power-effect"].(map[string]any)
	assert.Equal(t, "Debit", effect["change-in-buying-power-effect"])
	assert.True(t, amount(t, effect, "current-buying-power").Sub(amount(t, effect, "change-in-buying-power")).Equal(amount(t, effect, "new-buying-power")))
	assert.Equal(t, amount(t, before[0], "derivative-buying-power").String(), amount(t, effect, "current-buying-power").String(), "the balance says the same")
	order := data["order"].(map[string]any)
	assert.NotContains(t, order, "id")
	assert.Equal(t, json.Number("0"), order["updated-at"])
	assert.Empty(t, c.items(margin+"/orders"))
	assert.Equal(t, before, c.items(margin+"/balances"))
}

func TestRefusedOrders(t *testing.T) {
	c := start(t, nil).login()
	option := `{"order-type":"Limit","time-in-force":"Day","price":"1.00","price-effect":"Credit","legs":[
		{"action":"Sell to Open","instrument-type":"Equity Option","symbol":"SPY   261016P00660000","quantity":%d}]}`
	tests := []struct {
		name, body string
		status     int
		code       string
		inner      string // of the first error inside
	}{
		{"no type", `{"time-in-force":"Day","legs":[{"action":"Buy to Open","instrument-type":"Equity","symbol":"SPY","quantity":1}]}`, 400, "validation_error", "order-type"},
		{"no legs", `{"order-type":"Market","time-in-force":"Day"}`, 400, "validation_error", "legs"},
		{"no price", `{"order-type":"Limit","time-in-force":"Day","legs":[{"action":"Buy to Open","instrument-type":"Equity","symbol":"SPY","quantity":1}]}`, 400, "validation_error", "price"},
		{"a negative price", limit("Buy to Open", "SPY", 1, "-1", "Debit"), 400, "validation_error", "price"},
		{"another instrument type", strings.Replace(limit("Buy to Open", "SPY", 1, "1", "Debit"), `"Equity"`, `"Equity Option"`, 1), 400, "validation_error", "legs[instrument-type]"},
		{"an unknown symbol", limit("Buy to Open", "NOPE", 1, "1", "Debit"), 422, "preflight_check_failure", "instrument_not_found"},
		{"an index", limit("Buy to Open", "SPX", 1, "1", "Debit"), 422, "preflight_check_failure", "instrument_not_tradeable"},
		{"a buy for a credit", limit("Buy to Open", "SPY", 1, "600", "Credit"), 422, "preflight_check_failure", "cant_buy_for_credit"},
		{"more than there is money", limit("Buy to Open", "SPY", 100_000, "600", "Debit"), 422, "preflight_check_failure", "margin_check_failed"},
		{"too many short puts", fmt.Sprintf(option, 1000), 422, "preflight_check_failure", "margin_check_failed"},
		{"half a cent", limit("Buy to Open", "SPY", 1, "600.005", "Debit"), 422, "preflight_check_failure", "invalid_price_increment"},
		{"a market order till cancelled", `{"order-type":"Market","time-in-force":"GTC","legs":[{"action":"Buy to Open","instrument-type":"Equity","symbol":"SPY","quantity":1}]}`, 422, "preflight_check_failure", "gtc_market_orders_not_supported"},
		{"a coin", `{"order-type":"Market","time-in-force":"IOC","legs":[{"action":"Buy to Open","instrument-type":"Cryptocurrency","symbol":"BTC/USD","quantity":"0.1"}]}`, 422, "preflight_check_failure", "cryptocurrency_trading_disabled"},
	}
	for _, tt := range tests {
		for _, path := range []string{"/orders", "/orders/dry-run"} {
			t.Run(tt.name+path, func(t *testing.T) {
				status, answer := c.in(t).send("POST", margin+path, tt.body)
				require.Equal(t, tt.status, status, "%v", answer)
				failure := answer["error"].(map[string]any)
				assert.Equal(t, tt.code, failure["code"])
				inner := failure["errors"].([]any)[0].(map[string]any)
				name := inner["domain"]
				if name == nil {
					name = inner["code"]
				}
				assert.Equal(t, tt.inner, name)
				if tt.inner == "margin_check_failed" {
					assert.Contains(t, answer["data"], "buying-power-effect", "the numbers stand beside the error")
				}
			})
		}
	}
	assert.Empty(t, c.items(margin+"/orders"), "none of them exists")
}

func TestCancelAndReplace(t *testing.T) {
	c := start(t, nil).login()
	c.set("MSFT", 400.00, 400.10)
	first := c.place(limit("Buy to Open", "MSFT", 10, "390.00", "Debit"))
	c.step(time.Second)
	require.Equal(t, "Live", c.order(first["id"])["status"])

	status, answer := c.send("PUT", fmt.Sprintf("%s/orders/%v", margin, first["id"]),
		`{"order-type":"Limit","time-in-force":"Day","price":"391.00","price-effect":"Debit"}`)
	require.Equal(t, 200, status, "%v", answer)
	second := answer["data"].(map[string]any)
	assert.Equal(t, first["id"], second["replaces-order-id"])
	assert.NotEqual(t, first["id"], second["id"])
	old := c.order(first["id"])
	assert.Equal(t, second["id"], old["replacing-order-id"])
	assert.Equal(t, true, old["edited"])
	c.step(time.Second)
	assert.Equal(t, "Cancelled", c.order(first["id"])["status"])
	assert.Equal(t, "Live", c.order(second["id"])["status"])

	status, answer = c.send("PATCH", fmt.Sprintf("%s/orders/%v", margin, second["id"]), `{"price":"392.00","price-effect":"Debit"}`)
	require.Equal(t, 200, status, "%v", answer)
	third := answer["data"].(map[string]any)
	assert.Equal(t, "392.0", third["price"])
	c.step(time.Second)

	status, answer = c.send("DELETE", fmt.Sprintf("%s/orders/%v", margin, third["id"]), "")
	require.Equal(t, 200, status, "%v", answer)
	assert.Equal(t, "Cancel Requested", answer["data"].(map[string]any)["status"])
	c.step(time.Second)
	gone := c.order(third["id"])
	assert.Equal(t, "Cancelled", gone["status"])
	assert.NotEmpty(t, gone["cancelled-at"])
	for _, method := range []string{"DELETE", "PUT", "PATCH"} {
		status, answer = c.send(method, fmt.Sprintf("%s/orders/%v", margin, third["id"]), `{"price":"1.00"}`)
		assert.Equal(t, 422, status)
		assert.Equal(t, "cannot_update_order", answer["error"].(map[string]any)["code"])
	}
	live := c.items(margin + "/orders/live")
	assert.Len(t, live, 3, "what ended today is among them")
	assert.Equal(t, third["id"], live[0]["id"], "the newest first")
	assert.Len(t, c.items(margin+"/orders?status[]=Live"), 0)
	assert.Len(t, c.items("/customers/me/orders?account-numbers[]="+simulator.DemoMargin), 3)
}

func TestABracketSendsItsExitsAndOneCancelsTheOther(t *testing.T) {
	c := start(t, nil).login()
	c.set("MSFT", 400.00, 400.10)
	body := `{"type":"OTOCO","trigger-order":` + limit("Buy to Open", "MSFT", 10, "401.00", "Debit") + `,"orders":[` +
		limit("Sell to Close", "MSFT", 10, "410.00", "Credit") + `,
		{"order-type":"Stop","time-in-force":"GTC","stop-trigger":"390","legs":[{"action":"Sell to Close","instrument-type":"Equity","symbol":"MSFT","quantity":10}]}]}`
	status, answer := c.send("POST", margin+"/complex-orders/dry-run", body)
	require.Equal(t, 201, status, "%v", answer)
	status, answer = c.send("POST", margin+"/complex-orders", body)
	require.Equal(t, 201, status, "%v", answer)
	group := answer["data"].(map[string]any)["complex-order"].(map[string]any)
	trigger := group["trigger-order"].(map[string]any)
	assert.Equal(t, "OTOCO::trigger-order", trigger["complex-order-tag"])
	for i, one := range group["orders"].([]any) {
		o := one.(map[string]any)
		assert.Equal(t, "Contingent", o["status"])
		assert.Equal(t, "Pending Order", o["contingent-status"])
		assert.Equal(t, fmt.Sprintf("OTOCO::oco-%d-order", i+1), o["complex-order-tag"])
	}
	c.step(2 * time.Second)
	state := func() (trigger, profit, stop string) {
		g := c.object(fmt.Sprintf("%s/complex-orders/%v", margin, group["id"]))["data"].(map[string]any)
		orders := g["orders"].([]any)
		return g["trigger-order"].(map[string]any)["status"].(string), orders[0].(map[string]any)["status"].(string), orders[1].(map[string]any)["status"].(string)
	}
	a, b, s := state()
	assert.Equal(t, []string{"Filled", "Live", "Live"}, []string{a, b, s})
	c.set("MSFT", 410.00, 410.10)
	c.step(2 * time.Second)
	a, b, s = state()
	assert.Equal(t, []string{"Filled", "Filled", "Cancelled"}, []string{a, b, s})
	assert.Empty(t, c.items(margin+"/positions?symbol=MSFT"))
	ended := c.items(margin + "/complex-orders/live")
	require.Len(t, ended, 1)
	assert.NotEmpty(t, ended[0]["terminal-at"])
}

func TestAConditionHoldsAnOrderBack(t *testing.T) {
	c := start(t, nil).login()
	c.set("MSFT", 400.00, 400.10)
	body := strings.TrimSuffix(limit("Buy to Open", "MSFT", 1, "500.00", "Debit"), "}") + `,"rules":{"conditions":[
		{"action":"route","symbol":"SPY","instrument-type":"Equity","indicator":"last","comparator":"lte","threshold":"600.00"}]}}`
	o := c.place(body)
	assert.Equal(t, "Contingent", o["status"])
	assert.Equal(t, "Pending Condition", o["contingent-status"])
	c.step(time.Minute)
	assert.Equal(t, "Contingent", c.order(o["id"])["status"])
	c.set("SPY", 599.00, 599.02)
	c.step(time.Second)
	after := c.order(o["id"])
	assert.Equal(t, "Filled", after["status"])
	condition := after["rules"].(map[string]any)["conditions"].([]any)[0].(map[string]any)
	assert.Equal(t, "599.01", condition["triggered-value"])

	c.set("SPY", 650.00, 650.02)
	held := c.place(body)
	late := c.sim.Clock().Now().Add(time.Hour).UTC().Format(time.RFC3339)
	timed := c.place(strings.TrimSuffix(limit("Buy to Open", "KO", 1, "1.00", "Debit"), "}") + `,"rules":{"cancel-at":"` + late + `","conditions":[]}}`)
	c.step(59 * time.Minute)
	assert.Equal(t, "Live", c.order(timed["id"])["status"])
	c.step(2 * time.Minute)
	assert.Equal(t, "Cancelled", c.order(timed["id"])["status"])
	assert.Equal(t, "Contingent", c.order(held["id"])["status"])
	c.step(6 * time.Hour)
	expired := c.order(held["id"])
	assert.Equal(t, "Expired", expired["status"], "a day order that waited all day")
	assert.Equal(t, "2026-09-16T20:00:00.000+00:00", expired["terminal-at"])
}

func TestAPairIsSentByItsRatio(t *testing.T) {
	c := start(t, nil).login()
	c.set("SPY", 600, 600)
	c.set("QQQ", 500, 500)
	body := `{"type":"PAIRS","ratio-price-comparator":"gte","ratio-price-threshold":"1.3","orders":[` +
		limit("Buy to Open", "SPY", 1, "700.00", "Debit") + `,` + limit("Sell to Open", "QQQ", 1, "400.00", "Credit") + `]}`
	status, answer := c.send("POST", margin+"/complex-orders", body)
	require.Equal(t, 201, status, "%v", answer)
	id := answer["data"].(map[string]any)["complex-order"].(map[string]any)["id"]
	path := fmt.Sprintf("%s/complex-orders/%v", margin, id)
	c.step(time.Minute)
	status, answer = c.send("PATCH", path, `{"ratio-price-threshold":"1.25"}`)
	require.Equal(t, 200, status, "%v", answer)
	c.set("SPY", 630, 630)
	c.step(2 * time.Second)
	orders := c.object(path)["data"].(map[string]any)["orders"].([]any)
	for _, o := range orders {
		assert.Equal(t, "Filled", o.(map[string]any)["status"])
	}
}

func TestClosingWhatIsNotHeldOpens(t *testing.T) {
	c := start(t, nil).login()
	status, answer := c.send("POST", margin+"/orders/dry-run", limit("Sell to Close", "MSFT", 1, "500.00", "Credit"))
	require.Equal(t, 201, status, "%v", answer)
	warning := answer["data"].(map[string]any)["warnings"].([]any)[0].(map[string]any)
	assert.Equal(t, "closing_with_no_position", warning["code"])
	strict := strings.TrimSuffix(limit("Sell to Close", "MSFT", 1, "500.00", "Credit"), "}") + `,"advanced-instructions":{"strict-position-effect-validation":true}}`
	status, _ = c.send("POST", margin+"/orders/dry-run", strict)
	assert.Equal(t, 422, status)
}

func TestFuturesAreTradedByBuyAndSell(t *testing.T) {
	c := start(t, nil).login()
	body := `{"order-type":"Market","time-in-force":"Day","legs":[{"action":"%s","instrument-type":"Future","symbol":"/MESZ6","quantity":1}]}`
	c.place(fmt.Sprintf(body, "Buy"))
	c.step(2 * time.Second)
	positions := c.items(margin + "/positions?instrument-type=Future")
	require.Len(t, positions, 1, "%v", c.items(margin+"/orders"))
	assert.Equal(t, json.Number("5"), positions[0]["multiplier"])
	balance := c.items(margin + "/balances")[0]
	assert.True(t, amount(t, balance, "futures-margin-requirement").IsPositive())
	c.place(fmt.Sprintf(body, "Sell"))
	c.step(2 * time.Second)
	assert.Empty(t, c.items(margin+"/positions?instrument-type=Future"))
	assert.True(t, amount(t, c.items(margin + "/balances")[0], "futures-margin-requirement").Equal(decimal.Zero))
}

func TestOrdersOfOthersAreNotThere(t *testing.T) {
	c := start(t, nil).login()
	o := c.place(limit("Buy to Open", "MSFT", 1, "100.00", "Debit"))
	status, _ := c.get(fmt.Sprintf("/accounts/%s/orders/%v", simulator.DemoIRA, o["id"]))
	assert.Equal(t, 404, status, "another account")
	status, _ = c.get("/accounts/5WX99999/orders")
	assert.Equal(t, 403, status)
}

func TestOneTriggersAnotherAndGroupsAreCancelledWhole(t *testing.T) {
	c := start(t, nil).login()
	c.set("MSFT", 400.00, 400.10)
	status, answer := c.send("POST", margin+"/complex-orders", `{"type":"OTO","trigger-order":`+limit("Buy to Open", "MSFT", 1, "390.00", "Debit")+
		`,"orders":[`+limit("Buy to Open", "KO", 1, "1.00", "Debit")+`]}`)
	require.Equal(t, 201, status, "%v", answer)
	path := fmt.Sprintf("%s/complex-orders/%v", margin, answer["data"].(map[string]any)["complex-order"].(map[string]any)["id"])
	c.step(time.Second)
	g := c.data(path)
	assert.Equal(t, "Live", g["trigger-order"].(map[string]any)["status"])
	assert.Equal(t, "Contingent", g["orders"].([]any)[0].(map[string]any)["status"])
	assert.Len(t, g["related-orders"], 2)
	status, answer = c.send("DELETE", path, "")
	require.Equal(t, 200, status, "%v", answer)
	c.step(time.Second)
	g = c.data(path)
	assert.Equal(t, "Cancelled", g["trigger-order"].(map[string]any)["status"])
	assert.Equal(t, "Cancelled", g["orders"].([]any)[0].(map[string]any)["status"])
	assert.NotEmpty(t, g["terminal-at"])
	status, answer = c.send("DELETE", path, "")
	assert.Equal(t, 422, status)
	assert.Equal(t, "cannot_update_order", answer["error"].(map[string]any)["code"])
	for name, bad := range map[string]string{
		"no type":           `{"orders":[` + limit("Sell to Close", "AAPL", 1, "300.00", "Credit") + `]}`,
		"one order":         `{"type":"OCO","orders":[` + limit("Sell to Close", "AAPL", 1, "300.00", "Credit") + `]}`,
		"no trigger":        `{"type":"OTO","orders":[` + limit("Sell to Close", "AAPL", 1, "300.00", "Credit") + `]}`,
		"a pair of no kind": `{"type":"PAIRS","orders":[` + limit("Buy to Open", "KO", 1, "1.00", "Debit") + `,` + limit("Sell to Open", "PFE", 1, "99.00", "Credit") + `]}`,
	} {
		status, answer = c.send("POST", margin+"/complex-orders", bad)
		assert.Equal(t, 400, status, "%s: %v", name, answer)
	}
}

func TestTimesAndKindsOfOrders(t *testing.T) {
	c := start(t, nil).login()
	c.set("MSFT", 400.00, 400.00)
	equity := `"legs":[{"action":"Buy to Open","instrument-type":"Equity","symbol":"MSFT","quantity":1}]`
	later := c.sim.Clock().Now().Add(time.Hour).UTC().Format(time.RFC3339)
	tests := []struct {
		name, body  string
		soon, after string // after a second, and after two hours
	}{
		{"a market order", `{"order-type":"Market","time-in-force":"Day",` + equity + `}`, "Filled", "Filled"},
		{"money instead of shares", `{"order-type":"Notional Market","time-in-force":"Day","value":"50","value-effect":"Debit","legs":[{"action":"Buy to Open","instrument-type":"Equity","symbol":"MSFT"}]}`, "Filled", "Filled"},
		{"what cannot be filled at once", `{"order-type":"Limit","time-in-force":"IOC","price":"1","price-effect":"Debit",` + equity + `}`, "Cancelled", "Cancelled"},
		{"a stop that was touched", `{"order-type":"Stop","time-in-force":"Day","stop-trigger":"399",` + equity + `}`, "Filled", "Filled"},
		{"a stop that was not", `{"order-type":"Stop Limit","time-in-force":"Day","stop-trigger":"500","price":"501","price-effect":"Debit",` + equity + `}`, "Live", "Live"},
		{"good till a date", `{"order-type":"Limit","time-in-force":"GTD","gtc-date":"2026-09-18","price":"1","price-effect":"Debit",` + equity + `}`, "Live", "Live"},
		{"routed later", `{"order-type":"Market","time-in-force":"Day","rules":{"route-after":"` + later + `"},` + equity + `}`, "Contingent", "Filled"},
		{"in extended hours", `{"order-type":"Limit","time-in-force":"Ext","price":"1","price-effect":"Debit",` + equity + `}`, "Live", "Live"},
	}
	ids := map[string]any{}
	for _, tt := range tests {
		ids[tt.name] = c.place(tt.body)["id"]
	}
	c.step(time.Second)
	for _, tt := range tests {
		assert.Equal(t, tt.soon, c.order(ids[tt.name])["status"], tt.name)
	}
	c.step(2 * time.Hour)
	for _, tt := range tests {
		assert.Equal(t, tt.after, c.order(ids[tt.name])["status"], tt.name)
	}
	c.step(4 * time.Hour) // past the close
	assert.Equal(t, "Expired", c.order(ids["a stop that was not"])["status"])
	assert.Equal(t, "Live", c.order(ids["good till a date"])["status"])
	assert.Equal(t, "Live", c.order(ids["in extended hours"])["status"])
	c.step(3 * 24 * time.Hour)
	assert.Equal(t, "Expired", c.order(ids["good till a date"])["status"])
	assert.Equal(t, "Expired", c.order(ids["in extended hours"])["status"])
}
