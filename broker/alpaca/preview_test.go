package alpaca_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/broker/alpaca"
	"github.com/ttai-go/ttai/broker/alpaca/alpacatest"
	"github.com/ttai-go/ttai/market"
)

func codes(notices []broker.Notice) []string {
	var out []string
	for _, n := range notices {
		out = append(out, n.Code)
	}
	return out
}

func TestAPreviewCountsAndSendsNothing(t *testing.T) {
	fake, a := marketFake(t)
	fake.Quote("ACME260821C00100000", alpacatest.Quote{Bid: 5, Ask: 5.2, BidSize: 10, AskSize: 10})
	fake.Quote("ACME260821C00105000", alpacatest.Quote{Bid: 2, Ask: 2.2, BidSize: 10, AskSize: 10})
	for name, row := range map[string]struct {
		order               broker.Order
		cash, power, margin string // empty: nil
		warnings, refusals  []string
	}{
		"buying shares by limit":      {limit("p-1", "ACME", 10, "100"), "-1000", "-1000", "500", nil, nil},
		"buying shares at the market": {broker.Order{Tag: "p-1", Type: broker.Market, Legs: legs("10", stockACME, broker.BuyToOpen)}, "-1001", "-1001", "500", []string{"price_from_quote"}, nil},
		"by amount":                   {broker.Order{Tag: "p-1", Type: broker.Market, Notional: dec("250"), Legs: legs("0", stockACME, broker.BuyToOpen)}, "-250", "-250", "125", nil, nil},
		// 3 % above the ask of 100.1, as Alpaca's documentation of buying power says
		"selling short":    {broker.Order{Tag: "p-1", Type: broker.Limit, Limit: dec("99"), Legs: legs("10", stockACME, broker.SellToOpen)}, "990", "-1031.03", "500", nil, nil},
		"too many":         {limit("p-1", "ACME", 3000, "100"), "-300000", "-300000", "150000", nil, []string{"insufficient_buying_power"}},
		"without a quote":  {broker.Order{Tag: "p-1", Type: broker.Market, Legs: legs("1", market.Symbol("BRK/B"), broker.BuyToOpen)}, "", "", "", []string{"no_quote"}, nil},
		"a call":           {broker.Order{Tag: "p-1", Type: broker.Limit, Limit: dec("-5.10"), Legs: legs("2", call100, broker.BuyToOpen)}, "-1020", "-1020", "0", nil, nil},
		"a spread, 5 wide": {broker.Order{Tag: "p-1", Type: broker.Limit, Limit: dec("2.80"), Legs: legs("2", call100, broker.SellToOpen, call105, broker.BuyToOpen)}, "560", "-440", "1000", nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := a.Preview(t.Context(), account, broker.NewTicket(row.order))
			require.NoError(t, err)
			text := func(v interface{ String() string }, known bool) string {
				if !known {
					return ""
				}
				return v.String()
			}
			assert.Equal(t, row.cash, text(p.Cash, p.Cash != nil), "cash")
			assert.Equal(t, row.power, text(p.BuyingPower, p.BuyingPower != nil), "buying power")
			if row.margin == "" {
				assert.Nil(t, p.Margin)
			} else if assert.NotNil(t, p.Margin) {
				assert.InDelta(t, dec(row.margin).InexactFloat64(), p.Margin.InexactFloat64(), 10, "by Regulation T")
			}
			assert.Equal(t, row.warnings, codes(p.Warnings))
			assert.Equal(t, row.refusals, codes(p.Refusals))
			assert.Equal(t, row.cash != "", p.Fees != nil)
		})
	}
	assert.Empty(t, fake.Writes())
}

func TestAPreviewSaysWhatTheAccountMayNot(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/account"):
			_, _ = io.WriteString(w, `{"id":"x","account_number":"PA3FAKE00001","multiplier":"1","buying_power":"1000","options_buying_power":"1000","options_trading_level":"1",
				"shorting_enabled":false,"trading_blocked":true,"trade_suspended_by_user":true}`)
		case strings.HasSuffix(r.URL.Path, "/positions"):
			_, _ = io.WriteString(w, `[]`)
		case strings.Contains(r.URL.Path, "options"):
			_, _ = io.WriteString(w, `{"snapshots":{}}`)
		default:
			_, _ = io.WriteString(w, `{"ACME":{"latestQuote":{"bp":99,"ap":101}}}`)
		}
	}))
	defer server.Close()
	a, err := alpaca.New(&alpaca.Options{Client: alpaca.ClientOptions{Credentials: alpaca.Static(creds), TradingURL: server.URL, DataURL: server.URL}})
	require.NoError(t, err)
	defer a.Close()
	p, err := a.Preview(t.Context(), account, broker.NewTicket(broker.Order{Tag: "p-1", Type: broker.Limit, Limit: dec("99"), Legs: legs("1", stockACME, broker.SellToOpen)}))
	require.NoError(t, err)
	assert.Equal(t, []string{"account_blocked", "trading_suspended", "short_not_allowed"}, codes(p.Refusals))
	p, err = a.Preview(t.Context(), account, broker.NewTicket(broker.Order{Tag: "p-1", Type: broker.Limit, Limit: dec("-2"), Legs: legs("1", call100, broker.BuyToOpen)}))
	require.NoError(t, err)
	assert.Contains(t, codes(p.Refusals), "options_level")
}
