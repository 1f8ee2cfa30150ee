package alpacatest_test

import (
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/ttai-go/ttai/broker/alpaca"
	"github.com/ttai-go/ttai/broker/alpaca/alpacatest"
	"github.com/ttai-go/ttai/internal/deptest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestImports(t *testing.T) {
	deptest.Check(t, deptest.Allow{
		Own: []string{"internal/occ", "market"}, Modules: []string{"github.com/coder/websocket", "github.com/shopspring/decimal"},
	})
}

func TestNoProgramLinksTestingThroughTheFake(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", ".").Output()
	require.NoError(t, err)
	require.NotEmpty(t, out)
	for _, dep := range strings.Fields(string(out)) {
		assert.NotEqual(t, "testing", dep)
	}
}

func client(t *testing.T, opts *alpacatest.Options) (*alpacatest.Server, *alpaca.Client) {
	t.Helper()
	fake, err := alpacatest.New(opts)
	require.NoError(t, err)
	t.Cleanup(fake.Close)
	c, err := alpaca.NewClient(alpaca.ClientOptions{
		Credentials: alpaca.Static(alpaca.Credentials{KeyID: alpacatest.KeyID, Secret: alpacatest.Secret}), TradingURL: fake.URL(), DataURL: fake.URL(),
	})
	require.NoError(t, err)
	t.Cleanup(c.CloseIdle)
	return fake, c
}

func dec(s string) *decimal.Decimal {
	d := decimal.RequireFromString(s)
	return &d
}

func TestTheFakeRefusesAsAlpacaDoes(t *testing.T) {
	fake, c := client(t, nil)
	fake.AddStock("ACME")
	fake.AddStock("GONE")
	fake.Halt("GONE")
	buy := func(change func(*alpaca.OrderRequest)) error {
		r := alpaca.OrderRequest{Symbol: "ACME", Qty: dec("1"), Side: "buy", Type: "limit", LimitPrice: dec("10"), TimeInForce: "day"}
		change(&r)
		_, err := c.PlaceOrder(t.Context(), r)
		return err
	}
	require.NoError(t, buy(func(r *alpaca.OrderRequest) { r.ClientOrderID = "a" }))
	for want, change := range map[string]func(*alpaca.OrderRequest){
		"client_order_id must be unique": func(r *alpaca.OrderRequest) { r.ClientOrderID = "a" },
		"insufficient buying power":      func(r *alpaca.OrderRequest) { r.Qty = dec("100000") },
		"sub-penny":                      func(r *alpaca.OrderRequest) { r.LimitPrice = dec("10.001") },
		"is not active":                  func(r *alpaca.OrderRequest) { r.Symbol = "GONE" },
		"not found":                      func(r *alpaca.OrderRequest) { r.Symbol = "NOSUCH" },
		"inferred: buy_to_open, specified: buy_to_close":   func(r *alpaca.OrderRequest) { r.PositionIntent = "buy_to_close" },
		"inferred: sell_to_open, specified: sell_to_close": func(r *alpaca.OrderRequest) { r.Side, r.PositionIntent = "sell", "sell_to_close" },
		"require limit price":                              func(r *alpaca.OrderRequest) { r.LimitPrice = nil },
	} {
		assert.ErrorContains(t, buy(change), want)
	}
	assert.Len(t, fake.Orders(), 1)
	err := c.CancelOrder(t.Context(), "nobody")
	assert.ErrorIs(t, err, alpaca.ErrNotFound)
}

func TestTheFakeFillsByPriceAndSize(t *testing.T) {
	fake, c := client(t, nil)
	fake.AddStock("ACME")
	fake.Quote("ACME", alpacatest.Quote{Bid: 9, Ask: 10, BidSize: 30, AskSize: 30})
	o, err := c.PlaceOrder(t.Context(), alpaca.OrderRequest{Symbol: "ACME", Qty: dec("50"), Side: "buy", Type: "limit", LimitPrice: dec("10"), TimeInForce: "day"})
	require.NoError(t, err)
	assert.Equal(t, alpaca.StatusPartiallyFilled, o.Status)
	assert.Equal(t, "30", o.FilledQty.String())
	fake.Quote("ACME", alpacatest.Quote{Bid: 9, Ask: 10.01, BidSize: 30, AskSize: 30})
	assert.Equal(t, "30", fake.Position("ACME").String(), "beyond the limit")
	fake.Quote("ACME", alpacatest.Quote{Bid: 9, Ask: 9.5, BidSize: 30, AskSize: 30})
	assert.Equal(t, "50", fake.Position("ACME").String())
	assert.Equal(t, "99510", fake.Cash().String(), "30 at 10 and 20 at 9.50")
	trailing, err := c.PlaceOrder(t.Context(), alpaca.OrderRequest{Symbol: "ACME", Qty: dec("50"), Side: "sell", Type: "trailing_stop", TrailPrice: dec("1"), TimeInForce: "gtc"})
	require.NoError(t, err)
	for _, bid := range []float64{9.5, 12, 11.5, 11} { // the stop follows to 11
		fake.Quote("ACME", alpacatest.Quote{Bid: bid, Ask: bid + 0.1, BidSize: 100, AskSize: 100})
	}
	done, err := c.Order(t.Context(), trailing.ID)
	require.NoError(t, err)
	assert.Equal(t, alpaca.StatusFilled, done.Status)
	assert.Equal(t, "11", done.FilledAvgPrice.String())
	assert.True(t, fake.Position("ACME").IsZero())
}

func TestTheFakesFaults(t *testing.T) {
	fake, c := client(t, &alpacatest.Options{Text: true})
	fake.AddStock("ACME")
	fake.Inject(alpacatest.Fault{Path: "/v2/clock", Status: 418, Header: http.Header{"X-Tea": {"yes"}}})
	_, err := c.Clock(t.Context())
	assert.ErrorContains(t, err, "418")
	fake.Inject(alpacatest.Fault{Path: "/v2/clock", Times: -1, Status: 404})
	fake.ClearFaults()
	clock, err := c.Clock(t.Context())
	require.NoError(t, err)
	assert.True(t, clock.IsOpen)
	fake.Advance(6 * time.Hour)
	clock, err = c.Clock(t.Context())
	require.NoError(t, err)
	assert.False(t, clock.IsOpen, "17:00")
}
