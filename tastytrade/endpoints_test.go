package tastytrade_test

import (
	"context"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/internal/rest/resttest"
	"github.com/ttai-go/ttai/tastytrade"
)

var september16 = tastytrade.Date{Year: 2026, Month: 9, Day: 16}

// A routeCall is a method of the client and the request it must make.
type routeCall struct {
	method string // as endpoints.md names it
	call   func(ctx context.Context, c *tastytrade.Client) error
	want   string // request line, escaped
}

func routeCalls() []routeCall {
	is := true
	return []routeCall{
		{"Accounts.List", func(ctx context.Context, c *tastytrade.Client) error { _, err := c.Accounts.List(ctx); return err },
			"GET /customers/me/accounts"},
		{"Accounts.Get", func(ctx context.Context, c *tastytrade.Client) error {
			_, err := c.Accounts.Get(ctx, "5WX1")
			return err
		},
			"GET /customers/me/accounts/5WX1"},
		{"Accounts.TradingStatus", func(ctx context.Context, c *tastytrade.Client) error {
			_, err := c.Accounts.TradingStatus(ctx, "5WX1")
			return err
		}, "GET /accounts/5WX1/trading-status"},
		{"Balances.List", func(ctx context.Context, c *tastytrade.Client) error {
			_, err := c.Balances.List(ctx, "5WX1")
			return err
		},
			"GET /accounts/5WX1/balances"},
		{"Balances.Get", func(ctx context.Context, c *tastytrade.Client) error {
			_, err := c.Balances.Get(ctx, "5WX1")
			return err
		},
			"GET /accounts/5WX1/balances"},
		{"Balances.GetCurrency", func(ctx context.Context, c *tastytrade.Client) error {
			_, err := c.Balances.GetCurrency(ctx, "5WX1", "USD")
			return err
		}, "GET /accounts/5WX1/balances/USD"},
		{"Positions.List", func(ctx context.Context, c *tastytrade.Client) error {
			_, err := c.Positions.List(ctx, "5WX1", &tastytrade.PositionsOptions{
				Underlyings: []string{"SPY", "BRK/B"}, Type: tastytrade.TypeEquityOption, IncludeMarks: true, Net: true,
			})
			return err
		}, "GET /accounts/5WX1/positions?include-marks=true&instrument-type=Equity+Option&net-positions=true&underlying-symbol%5B%5D=SPY&underlying-symbol%5B%5D=BRK%2FB"},
		{"Instruments.Equities", func(ctx context.Context, c *tastytrade.Client) error {
			_, err := c.Instruments.Equities(ctx, &tastytrade.EquitiesOptions{Symbols: []string{"SPY", "BRK/B"}, ETF: &is, PerPage: 50, PageOffset: 2})
			return err
		}, "GET /instruments/equities?is-etf=true&page-offset=2&per-page=50&symbol%5B%5D=SPY&symbol%5B%5D=BRK%2FB"},
		{"Instruments.AllEquities", func(ctx context.Context, c *tastytrade.Client) error {
			for _, err := range c.Instruments.AllEquities(ctx, nil) {
				return err
			}
			return nil
		}, "GET /instruments/equities"},
		{"Instruments.Equity", func(ctx context.Context, c *tastytrade.Client) error {
			_, err := c.Instruments.Equity(ctx, "BRK/B")
			return err
		}, "GET /instruments/equities/BRK%2FB"},
		{"OptionChains.Nested", func(ctx context.Context, c *tastytrade.Client) error {
			_, err := c.OptionChains.Nested(ctx, "SPY")
			return err
		},
			"GET /option-chains/SPY/nested"},
		{"MarketData.ByType", func(ctx context.Context, c *tastytrade.Client) error {
			_, err := c.MarketData.ByType(ctx, tastytrade.ByTypeRequest{Indices: []string{"VIX"}, Equities: []string{"SPY", "BRK/B"}, EquityOptions: []string{"SPY   261218C00500000"}})
			return err
		}, "GET /market-data/by-type?equity=SPY&equity=BRK%2FB&equity-option=SPY+++261218C00500000&index=VIX"},
		{"MarketMetrics.List", func(ctx context.Context, c *tastytrade.Client) error {
			_, err := c.MarketMetrics.List(ctx, "SPY", "BRK/B")
			return err
		}, "GET /market-metrics?symbols=SPY%2CBRK%2FB"},
		{"MarketMetrics.Dividends", func(ctx context.Context, c *tastytrade.Client) error {
			_, err := c.MarketMetrics.Dividends(ctx, "AAPL")
			return err
		}, "GET /market-metrics/historic-corporate-events/dividends/AAPL"},
		{"MarketMetrics.Earnings", func(ctx context.Context, c *tastytrade.Client) error {
			_, err := c.MarketMetrics.Earnings(ctx, "AAPL", september16, tastytrade.Date{})
			return err
		}, "GET /market-metrics/historic-corporate-events/earnings-reports/AAPL?start-date=2026-09-16"},
		{"MarketSessions.List", func(ctx context.Context, c *tastytrade.Client) error {
			_, err := c.MarketSessions.List(ctx, tastytrade.CollectionEquity, tastytrade.Date{}, september16)
			return err
		}, "GET /market-time/sessions?instrument-collection=Equity&to-date=2026-09-16"},
		{"MarketSessions.Current", func(ctx context.Context, c *tastytrade.Client) error {
			_, err := c.MarketSessions.Current(ctx, tastytrade.CollectionEquity, tastytrade.CollectionCME)
			return err
		}, "GET /market-time/sessions/current?instrument-collections%5B%5D=Equity&instrument-collections%5B%5D=CME"},
		{"MarketSessions.EquitiesCurrent", func(ctx context.Context, c *tastytrade.Client) error {
			_, err := c.MarketSessions.EquitiesCurrent(ctx, time.Date(2026, 9, 16, 10, 30, 0, 0, time.FixedZone("", -4*3600)))
			return err
		}, "GET /market-time/equities/sessions/current?current-time=2026-09-16T14%3A30%3A00Z"},
		{"MarketSessions.EquitiesNext", func(ctx context.Context, c *tastytrade.Client) error {
			_, err := c.MarketSessions.EquitiesNext(ctx, september16)
			return err
		}, "GET /market-time/equities/sessions/next?date=2026-09-16"},
		{"MarketSessions.EquitiesPrevious", func(ctx context.Context, c *tastytrade.Client) error {
			_, err := c.MarketSessions.EquitiesPrevious(ctx, tastytrade.Date{})
			return err
		}, "GET /market-time/equities/sessions/previous"},
		{"MarketSessions.EquitiesHolidays", func(ctx context.Context, c *tastytrade.Client) error {
			_, err := c.MarketSessions.EquitiesHolidays(ctx)
			return err
		}, "GET /market-time/equities/holidays"},
		{"Symbols.Search", func(ctx context.Context, c *tastytrade.Client) error {
			_, err := c.Symbols.Search(ctx, "BRK/")
			return err
		},
			"GET /symbols/search/BRK%2F"},
		{"QuoteTokens.Get", func(ctx context.Context, c *tastytrade.Client) error { _, err := c.QuoteTokens.Get(ctx); return err },
			"GET /api-quote-tokens"},
	}
}

// anything has the fields that some type or other cannot do without.
const anything = `{"data":{"items":[{"symbol":"SPY","account-number":"5WX1","quantity":1,"quantity-direction":"Long","occurred-date":"2026-09-16"}],
	"symbol":"SPY","account-number":"5WX1","token":"t","dxlink-url":"wss://x"}}`

func TestEveryMethodMakesItsRequest(t *testing.T) {
	for _, rc := range routeCalls() {
		t.Run(rc.method, func(t *testing.T) {
			server := answering(200, anything)
			require.NoError(t, rc.call(t.Context(), client(t, server, nil)))
			require.Equal(t, 1, server.count())
			r := server.last()
			assert.Equal(t, rc.want, r.Method+" "+r.RequestURI)
			assert.Equal(t, "Bearer access-secret", r.Header.Get("Authorization"))
			assert.Equal(t, "application/json", r.Header.Get("Accept"))
			assert.NotEmpty(t, r.Header.Get("User-Agent"))
		})
	}
}

// The table must have a line for each method and no other, with the route that
// the method was seen to call.
func TestTheTableOfEndpointsIsTheCode(t *testing.T) {
	listed := map[string]string{}
	data, err := os.ReadFile("endpoints.md")
	require.NoError(t, err)
	for line := range strings.Lines(string(data)) {
		cells := strings.Split(strings.TrimSpace(line), "|")
		if len(cells) != 5 || !strings.Contains(cells[1], " /") {
			continue
		}
		assert.Contains(t, []string{"recorded payload", "specification", "simulator only"}, strings.TrimSpace(cells[3]), line)
		listed[strings.TrimSpace(cells[2])] = strings.TrimSpace(cells[1])
	}
	for _, rc := range routeCalls() {
		route, there := listed[rc.method]
		require.True(t, there, "%s is not in endpoints.md", rc.method)
		want, _, _ := strings.Cut(rc.want, "?")
		assert.True(t, sameRoute(route, want), "%s is listed as %s and calls %s", rc.method, route, want)
		delete(listed, rc.method)
	}
	assert.Equal(t, map[string]string{"RefreshTokenSource": "POST /oauth/token"}, listed, "lines without a method")
}

func sameRoute(template, path string) bool {
	a, b := strings.Split(template, "/"), strings.Split(path, "/")
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] && !strings.HasPrefix(a[i], "{") {
			return false
		}
	}
	return true
}

// A new method without a line in routeCalls fails here.
func TestNoMethodIsForgotten(t *testing.T) {
	known := map[string]bool{}
	for _, rc := range routeCalls() {
		known[rc.method] = true
	}
	c, err := tastytrade.NewClient(tastytrade.StaticTokenSource("x"), nil)
	require.NoError(t, err)
	v := reflect.ValueOf(c).Elem()
	for i := range v.NumField() {
		service := v.Type().Field(i)
		if !service.IsExported() {
			continue
		}
		for m := range service.Type.NumMethod() {
			name := service.Name + "." + service.Type.Method(m).Name
			assert.True(t, known[name], "%s is not tried by a test", name)
		}
	}
}

func TestSegmentsThatLeaveThePathAreRefused(t *testing.T) {
	server := answering(200, anything)
	c := client(t, server, nil)
	var field *tastytrade.FieldError
	for _, symbol := range []string{"", ".", "..", " ", "A\nB", strings.Repeat("A", 65)} {
		_, err := c.Instruments.Equity(t.Context(), symbol)
		require.ErrorAs(t, err, &field, "%q", symbol)
		assert.Equal(t, "symbol", field.Field)
	}
	_, err := c.Balances.Get(t.Context(), "..")
	require.ErrorAs(t, err, &field)
	assert.Equal(t, "account", field.Field)
	assert.Zero(t, server.count())
}

func TestRequestsThatCannotWorkAreRefusedAtOnce(t *testing.T) {
	server := answering(200, anything)
	c := client(t, server, nil)
	ctx := t.Context()
	many := make([]string, 101)
	for want, call := range map[string]func() error{
		"symbols": func() error { _, err := c.MarketData.ByType(ctx, tastytrade.ByTypeRequest{Equities: many}); return err },
		"start": func() error {
			_, err := c.MarketMetrics.Earnings(ctx, "A", tastytrade.Date{}, tastytrade.Date{})
			return err
		},
		"to": func() error {
			_, err := c.MarketSessions.List(ctx, "", tastytrade.Date{}, tastytrade.Date{})
			return err
		},
		"collections": func() error { _, err := c.MarketSessions.Current(ctx); return err },
		"currency":    func() error { _, err := c.Balances.GetCurrency(ctx, "5WX1", "dollars"); return err },
		"per-page": func() error {
			_, err := c.Instruments.Equities(ctx, &tastytrade.EquitiesOptions{PerPage: -1})
			return err
		},
	} {
		var field *tastytrade.FieldError
		require.ErrorAs(t, call(), &field, want)
		assert.Equal(t, want, field.Field)
	}
	for _, symbols := range [][]string{nil, {""}, {"A,B"}} {
		_, err := c.MarketMetrics.List(ctx, symbols...)
		assert.Error(t, err)
	}
	assert.Zero(t, server.count())

	for name, opts := range map[string]*tastytrade.ClientOptions{
		"BaseURL":       {BaseURL: "http://api.example.com"},
		"UserAgent":     {UserAgent: "a\r\nb"},
		"AcceptVersion": {AcceptVersion: "2026-01-01"},
	} {
		var field *tastytrade.FieldError
		_, err := tastytrade.NewClient(tastytrade.StaticTokenSource("x"), opts)
		require.ErrorAs(t, err, &field)
		assert.Equal(t, name, field.Field)
	}
	_, err := tastytrade.NewClient(nil, &tastytrade.ClientOptions{Dial: resttest.Serve(t, server)})
	assert.Error(t, err)
}
