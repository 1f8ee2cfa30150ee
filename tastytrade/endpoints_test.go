package tastytrade_test

import (
	"cmp"
	"context"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

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
	body   string // JSON, where there is one
	host   string // of the base URL, when it is not the client's own
	public bool   // sent without a token
}

func routeCalls() []routeCall {
	return slices.Concat(accountRoutes(), instrumentRoutes(), marketRoutes(), writingRoutes(), orderRoutes())
}

// anything has the fields that some type or other cannot do without.
const anything = `{"data":{"items":[{"symbol":"SPY","account-number":"5WX1","quantity":1,"quantity-direction":"Long","occurred-date":"2026-09-16","id":1,"code":"ES",
	"order":{"id":1},"external-identifier":"x-1","orders":[{"external-identifier":"x-1"}]}],
	"symbol":"SPY","account-number":"5WX1","token":"t","dxlink-url":"wss://x","id":1,"code":"ES","order":{"id":1},"complex-order":{"id":1}}}`

func TestEveryMethodMakesItsRequest(t *testing.T) {
	for _, rc := range routeCalls() {
		t.Run(rc.method, func(t *testing.T) {
			server := answering(200, anything)
			c := client(t, server, func(o *tastytrade.ClientOptions) { o.BacktestURL = "http://backtests.memory" })
			require.NoError(t, rc.call(t.Context(), c))
			require.Equal(t, 1, server.count())
			r := server.last()
			assert.Equal(t, rc.want, r.Method+" "+r.RequestURI)
			if rc.body == "" {
				assert.Empty(t, server.bodies[0])
				assert.Empty(t, r.Header.Get("Content-Type"))
			} else {
				assert.JSONEq(t, rc.body, server.bodies[0])
				assert.Equal(t, "application/json", r.Header.Get("Content-Type"))
			}
			assert.Equal(t, cmp.Or(rc.host, "memory"), r.Host)
			if rc.public {
				assert.Empty(t, r.Header.Get("Authorization"))
			} else {
				assert.Equal(t, "Bearer access-secret", r.Header.Get("Authorization"))
			}
			assert.Equal(t, "application/json", r.Header.Get("Accept"))
			assert.NotEmpty(t, r.Header.Get("User-Agent"))
		})
	}
}

// tableOfEndpoints reads endpoints.md: the route of each method.
func tableOfEndpoints(t *testing.T) map[string]string {
	t.Helper()
	listed := map[string]string{}
	data, err := os.ReadFile("endpoints.md")
	require.NoError(t, err)
	for line := range strings.Lines(string(data)) {
		cells := strings.Split(strings.TrimSpace(line), "|")
		if len(cells) != 5 || !strings.Contains(cells[1], " /") {
			continue
		}
		assert.Contains(t, []string{"recorded payload", "specification", "simulator only", "other clients"}, strings.TrimSpace(cells[3]), line)
		listed[strings.TrimSpace(cells[2])] = strings.TrimSpace(cells[1])
	}
	return listed
}

// The table must have a line for each method and no other, with the route that
// the method was seen to call.
func TestTheTableOfEndpointsIsTheCode(t *testing.T) {
	listed := tableOfEndpoints(t)
	for _, rc := range routeCalls() {
		route, there := listed[rc.method]
		if !assert.True(t, there, "%s is not in endpoints.md", rc.method) {
			continue
		}
		want, _, _ := strings.Cut(rc.want, "?")
		assert.True(t, sameRoute(route, want), "%s is listed as %s and calls %s", rc.method, route, want)
		delete(listed, rc.method)
	}
	assert.Equal(t, map[string]string{"RefreshTokenSource": "POST /oauth/token", "OAuthConfig.Exchange": "POST /oauth/token"}, listed, "lines without a method")
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
	for _, symbol := range []string{"", ".", "..", " ", "A\nB", strings.Repeat("A", 101)} {
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
