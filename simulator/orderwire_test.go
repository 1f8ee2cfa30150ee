package simulator_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/internal/sharedtest"
)

// sameShape compares what the simulator answers with a recording.
func sameShape(t *testing.T, want, got any, without, extra []string) {
	t.Helper()
	wantShape, gotShape := shape(want), shape(got)
	for _, path := range without {
		require.Contains(t, wantShape, path, "the exception is still needed")
		delete(wantShape, path)
	}
	for _, path := range extra {
		require.Contains(t, gotShape, path, "the exception is still needed")
		delete(gotShape, path)
	}
	assert.Equal(t, wantShape, gotShape)
}

// collectedBody is one of the bodies collected from tests of another client.
func collectedBody(t *testing.T, name string) any {
	t.Helper()
	lines, err := os.ReadFile(sharedtest.Path(t, "data", "rest", "tt_tastygo_test_bodies.jsonl"))
	require.NoError(t, err)
	for line := range strings.Lines(string(lines)) {
		if entry := decode(t, []byte(line)); entry["name"] == name {
			return entry["json"].(map[string]any)["data"]
		}
	}
	t.Fatalf("no body %s", name)
	return nil
}

// Of newer answers, and of the parts of fees that recordings of dry runs lack.
var (
	feeBreakdown = []string{
		"fee-calculation.clearing-fees-breakdown", "fee-calculation.clearing-fees-breakdown[]", "fee-calculation.clearing-fees-breakdown[].effect",
		"fee-calculation.clearing-fees-breakdown[].name", "fee-calculation.clearing-fees-breakdown[].value",
		"fee-calculation.commission-breakdown", "fee-calculation.commission-breakdown[]", "fee-calculation.commission-breakdown[].effect",
		"fee-calculation.commission-breakdown[].name", "fee-calculation.commission-breakdown[].value", "fee-calculation.per-quantity",
		"fee-calculation.proprietary-fees-breakdown", "fee-calculation.proprietary-fees-breakdown[]", "fee-calculation.proprietary-fees-breakdown[].effect",
		"fee-calculation.proprietary-fees-breakdown[].name", "fee-calculation.proprietary-fees-breakdown[].value",
		"fee-calculation.rebates", "fee-calculation.rebates-breakdown", "fee-calculation.rebates-breakdown[]", "fee-calculation.rebates-breakdown[].effect",
		"fee-calculation.rebates-breakdown[].name", "fee-calculation.rebates-breakdown[].value", "fee-calculation.rebates-effect",
		"fee-calculation.regulatory-fees-breakdown", "fee-calculation.regulatory-fees-breakdown[]", "fee-calculation.regulatory-fees-breakdown[].effect",
		"fee-calculation.regulatory-fees-breakdown[].name", "fee-calculation.regulatory-fees-breakdown[].value",
	}
	whoAndHow = []string{"leg-count", "user-id", "username"} // in the account streamer's orders
)

func under(prefix string, names []string) []string {
	var out []string
	for _, name := range names {
		out = append(out, prefix+name)
	}
	return out
}

func TestOrdersHaveTheShapeOfRecordedOnes(t *testing.T) {
	c := start(t, nil).login()
	market := `{"order-type":"Market","time-in-force":"Day","legs":[{"action":"Buy to Open","instrument-type":"Equity","symbol":"AAPL","quantity":1}]}`
	status, placed := c.send("POST", margin+"/orders", market)
	require.Equal(t, 201, status)
	sameShape(t, recorded(t, "Post_Submit_Order_Response.json"), placed["data"], nil, under("order.", whoAndHow))

	spread := `{"order-type":"Limit","time-in-force":"Day","price":"2.0","price-effect":"Credit","legs":[
		{"action":"Buy to Open","instrument-type":"Equity Option","symbol":"SPY   261016C00670000","quantity":1},
		{"action":"Sell to Open","instrument-type":"Equity Option","symbol":"SPY   261016C00660000","quantity":1}]}`
	status, tried := c.send("POST", margin+"/orders/dry-run", spread)
	require.Equal(t, 201, status, "%v", tried)
	sameShape(t, recorded(t, "order_dry_run.json"), tried["data"], nil, append([]string{"order.underlying-instrument-type"}, feeBreakdown...))

	c.step(2 * time.Second)
	filled := c.object(margin + "/orders/live")["data"]
	sameShape(t, collectedBody(t, "customerLiveOrdersResp"), filled, []string{"items[].price", "items[].price-effect"}, // of a limit order
		append(under("items[].", whoAndHow), "items[].destination-venue", "items[].global-request-id", "items[].in-flight-at", "items[].live-at"))
	txs := c.items(margin + "/transactions")
	sameShape(t, collectedBody(t, "transactionResp"), txs[0], []string{"exchange"}, nil)

	conditional := `{"order-type":"Limit","time-in-force":"GTC","price":"100","price-effect":"Debit","legs":[
		{"action":"Buy to Open","instrument-type":"Equity","symbol":"AAPL","quantity":1}],"rules":{"conditions":[
		{"action":"route","symbol":"AAPL","instrument-type":"Equity","indicator":"last","comparator":"lte","threshold":"0.01"}]}}`
	status, held := c.send("POST", margin+"/orders", conditional)
	require.Equal(t, 201, status)
	sameShape(t, collectedBody(t, "orderResp"), held["data"], []string{"warnings[]", "warnings[].code", "warnings[].message"}, // the market was closed
		append(append(under("order.", whoAndHow), "order.global-request-id"), feeBreakdown...))
	id := held["data"].(map[string]any)["order"].(map[string]any)["id"]
	status, gone := c.send("DELETE", fmt.Sprintf("%s/orders/%v", margin, id), "")
	require.Equal(t, 200, status)
	sameShape(t, collectedBody(t, "cancelledOrderResp"), gone["data"], nil, append(whoAndHow, "cancel-user-id", "cancel-username", "global-request-id"))
}

func TestAMarginDryRunHasTheShapeOfARecordedOne(t *testing.T) {
	c := start(t, nil).login()
	c.place(`{"order-type":"Market","time-in-force":"Day","legs":[{"action":"Buy to Open","instrument-type":"Equity","symbol":"MSFT","quantity":1}]}`)
	c.step(2 * time.Second)
	status, answer := c.send("POST", "/margin"+margin+"/dry-run", strings.Replace(limit("Buy to Open", "MSFT", 1, "500.00", "Debit"), "{", `{"underlying-symbol":"MSFT",`, 1))
	require.Equal(t, 201, status, "%v", answer)
	want := recorded(t, "margin_dry_run.json")
	for _, results := range []string{"last-results", "base-results", "new-order-results"} {
		marks := want.(map[string]any)[results].(map[string]any)
		marks["marks"] = map[string]any{"MSFT": "1.0"} // named by their symbols
		answer["data"].(map[string]any)[results].(map[string]any)["marks"] = map[string]any{"MSFT": "1.0"}
	}
	entry := ".group-results[].group.underlying-entry.average-open-price"
	sameShape(t, want, answer["data"], []string{"last-results.order-ids[]"}, // of orders that worked
		[]string{"new-order-results.order-ids[]", "last-results" + entry, "base-results" + entry, "new-order-results" + entry})
}
