package tastytrade_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/internal/sharedtest"
	"github.com/ttai-go/ttai/tastytrade"
)

func TestRecordedOrdersAreWrittenBackWithoutLoss(t *testing.T) {
	for _, file := range []string{"order_dry_run.json", "Post_Submit_Order_Response.json"} {
		data, err := os.ReadFile(sharedtest.Path(t, "payloads", "rest", file))
		require.NoError(t, err)
		for _, raw := range objects(t, data) {
			lossless[tastytrade.OrderResult](t, raw)
		}
	}
	data, err := os.ReadFile(sharedtest.Path(t, "payloads", "rest", "margin_dry_run.json"))
	require.NoError(t, err)
	var report struct {
		Data struct {
			Orders []json.RawMessage `json:"orders"`
		} `json:"data"`
	}
	require.NoError(t, json.Unmarshal(data, &report))
	require.NotEmpty(t, report.Data.Orders)
	for _, raw := range report.Data.Orders {
		lossless[tastytrade.Order](t, raw)
	}
}

// Answers of other years, embedded in the tests of another client.
func TestOlderRecordedOrdersAreWrittenBackWithoutLoss(t *testing.T) {
	f, err := os.Open(sharedtest.Path(t, "data", "rest", "tt_tastygo_test_bodies.jsonl"))
	require.NoError(t, err)
	defer f.Close()
	n := 0
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var line struct {
			Path string
			JSON struct {
				Data json.RawMessage `json:"data"`
			}
		}
		require.NoError(t, json.Unmarshal(lines.Bytes(), &line))
		if line.Path != "orders_test.go" || line.JSON.Data == nil {
			continue
		}
		n++
		if bytes.Contains(line.JSON.Data, []byte(`"buying-power-effect"`)) {
			returns[tastytrade.OrderResult](t, line.JSON.Data)
			continue
		}
		for _, raw := range objects(t, line.JSON.Data) {
			returns[tastytrade.Order](t, raw)
		}
	}
	assert.Equal(t, 12, n)
}

// returns decodes and writes raw twice. It is less than lossless asks: some of
// these orders have an effect without its amount, which is kept and has no field.
func returns[T json.Marshaler](t *testing.T, raw []byte) {
	t.Helper()
	written := encode(t, decode[T](t, string(raw)))
	assert.JSONEq(t, string(raw), written)
	assert.Equal(t, written, encode(t, decode[T](t, written)))
}

func TestARecordedOrderSaysWhatItSays(t *testing.T) {
	data, err := os.ReadFile(sharedtest.Path(t, "payloads", "rest", "order_dry_run.json"))
	require.NoError(t, err)
	c := client(t, answering(201, string(data)), nil)
	r, err := c.Orders.DryRun(t.Context(), "5WX1", limitOrder())
	require.NoError(t, err)
	assert.Empty(t, r.Order.ID, "nothing was placed")
	assert.True(t, r.Order.UpdatedAt.IsZero())
	assert.Equal(t, "2", r.Order.Price.String(), "a credit is positive")
	assert.Equal(t, "-102.302", r.BuyingPowerEffect.Impact.String(), "a debit is negative")
	assert.Equal(t, "8995878.9593", r.BuyingPowerEffect.NewBuyingPower.String())
	assert.Equal(t, "-2.302", r.Fees.TotalFees.String())
	assert.Equal(t, tastytrade.SellToOpen, r.Order.Legs[1].Action)
	assert.Equal(t, "1", r.Order.Legs[1].RemainingQuantity.String())
	assert.Nil(t, r.ComplexOrder)

	data, err = os.ReadFile(sharedtest.Path(t, "payloads", "rest", "Post_Submit_Order_Response.json"))
	require.NoError(t, err)
	r, err = client(t, answering(201, string(data)), nil).Orders.Place(t.Context(), "5WX1", limitOrder())
	require.NoError(t, err)
	assert.Equal(t, tastytrade.OrderID("270561"), r.Order.ID)
	assert.Equal(t, tastytrade.StatusRouted, r.Order.Status)
	assert.False(t, r.Order.Status.Terminal())
	assert.Equal(t, 2025, r.Order.UpdatedAt.Year())
	assert.Equal(t, "-0.001", r.Fees.ClearingFeesBreakdown[0].Value.String())
}

func TestRecordedFramesAreWrittenBackWithoutLoss(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(sharedtest.Path(t, "payloads", "account-streamer"), "*.json"))
	require.NoError(t, err)
	require.Len(t, files, 8)
	typed := 0
	for _, file := range files {
		raw, err := os.ReadFile(file)
		require.NoError(t, err)
		typed += frame(t, raw)
	}
	assert.Equal(t, 6, typed, "all but the two acknowledgements")

	f, err := os.Open(sharedtest.Path(t, "data", "streams", "tastytrade_account_streamer_collected.jsonl"))
	require.NoError(t, err)
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var line struct{ Msg json.RawMessage }
		require.NoError(t, json.Unmarshal(lines.Bytes(), &line))
		frame(t, line.Msg)
	}
}

func frame(t *testing.T, raw []byte) (typed int) {
	t.Helper()
	n := decode[tastytrade.Notification](t, string(raw))
	assert.JSONEq(t, string(raw), encode(t, n))
	if n.Type == "" || n.Err != nil {
		return 0
	}
	assert.NotNil(t, n.Value, n.Type)
	again := decode[tastytrade.Notification](t, encode(t, n))
	assert.Equal(t, encode(t, n), encode(t, again))
	return 1
}

// One frame of each of the eleven types, of fields that the broker documents.
func TestAllElevenNotificationsAreTyped(t *testing.T) {
	for kind, tt := range map[tastytrade.NotificationType]struct {
		data string
		want any
	}{
		"Order":                     {`{"id":1,"account-number":"5WX1"}`, &tastytrade.Order{}},
		"ComplexOrder":              {`{"id":1,"type":"OTOCO","orders":[{"id":2,"complex-order-tag":"OTOCO::oco-1-order"}],"trigger-order":{"id":3}}`, &tastytrade.ComplexOrder{}},
		"AccountBalance":            {`{"account-number":"5WX1","cash-balance":"1.5"}`, &tastytrade.Balance{}},
		"CurrentPosition":           {`{"account-number":"5WX1","symbol":"A","quantity":1,"quantity-direction":"Long","update-type":"x","order-id":5}`, &tastytrade.Position{}},
		"TradingStatus":             {`{"account-number":"5WX1","is-frozen":false}`, &tastytrade.TradingStatus{}},
		"OrderChain":                {`{"id":7,"description":"Strangle","computed-data":{"open":true,"total-fees":"2.5","total-fees-effect":"Debit","roll-count":0,"open-entries":[{"symbol":"A","quantity":"1","quantity-type":"Long","quantity-numeric":"1"}]},"lite-nodes-sizes":1,"lite-nodes":[{"node-type":"order","id":"x","legs":[{"symbol":"A","action":"Buy to Open","fill-quantity":"1"}],"market-state-snapshot":{"total-delta":"0.5"}}]}`, &tastytrade.OrderChain{}},
		"ExternalTransaction":       {`{"id":1,"account-number":"5WX1","amount":"100.0","direction":"Deposit","banking-date":"2026-09-16","is-cancelable":true,"state":"Pending"}`, &tastytrade.ExternalTransaction{}},
		"UnderlyingYearGainSummary": {`{"year":2026,"account-number":"5WX1","symbol":"A","fees":"1.5","fees-effect":"Debit","yearly-realized-gain":"0.0","yearly-realized-gain-effect":"None"}`, &tastytrade.UnderlyingYearGainSummary{}},
		"QuoteAlert":                {`{"alert-external-id":"a","symbol":"A","field":"Last","operator":">","threshold":"1"}`, &tastytrade.QuoteAlert{}},
		"PublicWatchlists":          {`[{"name":"High"},{"name":"Low"}]`, []tastytrade.Watchlist{}},
		"UserMessage":               {`{"id":"m","title":"Hello","odd":[1]}`, &tastytrade.UserMessage{}},
	} {
		text := `{"type":"` + string(kind) + `","data":` + tt.data + `,"timestamp":1789000000000}`
		n := decode[tastytrade.Notification](t, text)
		require.NoError(t, n.Err, kind)
		assert.IsType(t, tt.want, n.Value)
		assert.JSONEq(t, text, encode(t, n))
		assert.Equal(t, 2026, n.Timestamp.Year())
	}
	n := decode[tastytrade.Notification](t, `{"type":"UnderlyingYearGainSummary","data":{"year":2026,"fees":"1.5","fees-effect":"Debit"}}`)
	assert.Equal(t, "-1.5", n.Value.(*tastytrade.UnderlyingYearGainSummary).Fees.String(), "a debit is negative")
	n.Value.(*tastytrade.UnderlyingYearGainSummary).Fees = dec("2")
	assert.Contains(t, encode(t, n), `"fees":"2","fees-effect":"Credit"`, "a changed value is written")
}

func TestStatusesAndFills(t *testing.T) {
	o := decode[tastytrade.Order](t, `{"id":1,"status":"Filled","order-rule":{"order-conditions":[{"id":1,"comparator":"gte"}]},"legs":[
		{"symbol":"A","quantity":3,"remaining-quantity":0,"fills":[{"quantity":1,"fill-price":"1.0"},{"quantity":"2","fill-price":"1.3"}]},
		{"symbol":"B","quantity":3,"remaining-quantity":3,"fills":[]}]}`)
	assert.True(t, o.Status.Terminal())
	assert.False(t, o.FullyFilled(), "the status comes before the fills of every leg")
	assert.Equal(t, "3", o.Legs[0].Filled().String())
	assert.Equal(t, "1.2", o.Legs[0].AveragePrice().String())
	assert.Nil(t, o.Legs[1].AveragePrice())
	assert.Len(t, o.Conditions(), 1)
	o.Legs[1].RemainingQuantity = dec("0")
	assert.True(t, o.FullyFilled())
	assert.False(t, tastytrade.OrderStatus("Thinking").Terminal())
	for _, s := range strings.Fields("Received Routed Live Contingent") {
		assert.False(t, tastytrade.OrderStatus(s).Terminal())
	}
	rules := decode[tastytrade.Order](t, `{"id":1,"rules":{"conditions":[{"id":1},{"id":2}]}}`)
	assert.Len(t, rules.Conditions(), 2)
}

// FuzzOrder checks that no answer makes decoding panic, and that what can be
// decoded is written back as it came.
func FuzzOrder(f *testing.F) {
	for _, seed := range []string{
		`{"id":1,"account-number":"5WX1","price":"2.0","price-effect":"Debit","legs":[{"symbol":"A","quantity":1,"fills":[{"quantity":"1"}]}]}`,
		`{"rules":{"conditions":[{"threshold":"NaN","price-components":[null]}]},"updated-at":0}`, `{"legs":{"symbol":"A"},"size":"x","leg-count":"2"}`, `{"legs":[1,"x",null]}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var o tastytrade.Order
		if json.Unmarshal([]byte(text), &o) == nil && o.Raw() != nil {
			assert.Equal(t, exact(t, text), exact(t, encode(t, o)))
			_ = o.FullyFilled()
			_ = o.Conditions()
			_ = o.Change().Validate()
		}
		var n tastytrade.NewOrder
		if json.Unmarshal([]byte(text), &n) == nil {
			_ = n.Validate()
			_ = n.Size()
			_, err := json.Marshal(n)
			require.NoError(t, err)
		}
		var r tastytrade.OrderResult
		_ = json.Unmarshal([]byte(text), &r)
		var c tastytrade.NewComplexOrder
		if json.Unmarshal([]byte(text), &c) == nil {
			_ = c.Validate()
		}
	})
}

// FuzzNotification is FuzzOrder for frames of the account streamer.
func FuzzNotification(f *testing.F) {
	for _, kind := range []string{"Order", "ComplexOrder", "AccountBalance", "CurrentPosition", "TradingStatus", "OrderChain", "ExternalTransaction", "UnderlyingYearGainSummary", "QuoteAlert", "PublicWatchlists", "UserMessage", "New"} {
		f.Add(`{"type":"` + kind + `","data":{"id":1,"account-number":"5WX1","symbol":"A","quantity":"1","quantity-direction":"Short","name":"x","updated-at":1}}`)
	}
	f.Add(`{"type":"PublicWatchlists","data":[{"name":"a"}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		var n tastytrade.Notification
		if json.Unmarshal([]byte(text), &n) != nil || n.Raw() == nil {
			return
		}
		assert.Equal(t, exact(t, text), exact(t, encode(t, n)))
	})
}
