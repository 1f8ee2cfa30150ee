package simulator_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/simulator"
)

const form, asJSON = "application/x-www-form-urlencoded", "application/json"

func TestTokensAreGivenForJSONAndForms(t *testing.T) {
	c := start(t, nil)
	k := c.sim.Credentials()
	for kind, body := range map[string]string{
		form:   url.Values{"grant_type": {"refresh_token"}, "refresh_token": {k.RefreshToken}, "client_secret": {k.ClientSecret}, "client_id": {k.ClientID}}.Encode(),
		asJSON: `{"grant_type":"refresh_token","refresh_token":"` + k.RefreshToken + `","client_secret":"` + k.ClientSecret + `"}`,
	} {
		status, answer := c.post("/oauth/token", body, kind)
		require.Equal(t, 200, status, kind)
		token := decode(t, answer)
		assert.Equal(t, map[string]string{"access_token": "string", "token_type": "string", "expires_in": "number"}, shape(token), "flat, without an envelope")
		assert.Equal(t, "900", token["expires_in"].(interface{ String() string }).String())
	}
}

func TestWrongTokenRequestsAreRefusedTheOAuthWay(t *testing.T) {
	c := start(t, nil)
	k := c.sim.Credentials()
	good := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {k.RefreshToken}, "client_secret": {k.ClientSecret}}
	with := func(key, value string) string {
		v := url.Values{}
		for name, list := range good {
			v[name] = list
		}
		v.Set(key, value)
		return v.Encode()
	}
	tests := []struct {
		name, body, kind string
		status           int
		code             string
	}{
		{"nothing", "", form, 400, "invalid_request"},
		{"broken JSON", "{", asJSON, 400, "invalid_request"},
		{"another grant", with("grant_type", "password"), form, 400, "unsupported_grant_type"},
		{"no refresh token", with("refresh_token", ""), form, 400, "invalid_request"},
		{"another refresh token", with("refresh_token", "x"), form, 400, "invalid_grant"},
		{"another secret", with("client_secret", "x"), form, 401, "invalid_client"},
		{"another client", with("client_id", "x"), form, 401, "invalid_client"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			status, body := c.in(t).post("/oauth/token", tt.body, tt.kind)
			assert.Equal(t, tt.status, status)
			assert.Equal(t, tt.code, decode(t, body)["error"], "a string, unlike the API's own errors")
			assert.NotContains(t, string(body), k.ClientSecret)
		})
	}
	r, err := http.NewRequest("POST", c.server.URL()+"/oauth/token", strings.NewReader(good.Encode()))
	require.NoError(t, err)
	r.Header.Set("Content-Type", form)
	r.Header.Set("Authorization", "Bearer old")
	status, _ := c.do(r)
	assert.Equal(t, 401, status, "a stale token sent along breaks the refresh")
}

func TestTokensBelongToOneSimulatorAndExpire(t *testing.T) {
	wall := market.NewManualClock(time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC))
	c := start(t, func(o *simulator.Options) { o.Wall = wall }).login()
	code := func(c *client) string {
		status, body := c.get("/customers/me/accounts")
		if status == 200 {
			return "ok"
		}
		assert.Equal(t, 401, status)
		return decode(t, body)["error"].(map[string]any)["code"].(string)
	}
	assert.Equal(t, "ok", code(c))

	other := start(t, nil)
	other.token = c.token
	assert.Equal(t, "token_invalid", code(other), "another simulator's token")
	other.token = ""
	assert.Equal(t, "unauthorized", code(other))

	wall.Advance(15*time.Minute - time.Second)
	assert.Equal(t, "ok", code(c))
	wall.Advance(time.Second)
	assert.Equal(t, "token_invalid", code(c))
	assert.Equal(t, "ok", code(c.login()))
}

func TestTheEdgeWantsAUserAgent(t *testing.T) {
	c := start(t, nil).login()
	r, err := http.NewRequest("GET", c.server.URL()+"/customers/me/accounts", nil)
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+c.token)
	r.Header.Set("User-Agent", "")
	status, body := c.do(r)
	assert.Equal(t, 401, status)
	assert.True(t, strings.HasPrefix(string(body), "<html>"), "not an answer of the API")
}

func TestRoutesThatAreNotThere(t *testing.T) {
	c := start(t, nil).login()
	tests := []struct {
		path   string
		status int
		code   string
	}{
		{"/nothing", 404, "record_not_found"},
		{"/accounts/5WS00001/orders/1", 404, "record_not_found"},
		{"/instruments/equities/NOPE", 404, "record_not_found"},
		{"/instruments/equities/BRK%2FX", 404, "record_not_found"},
		{"/option-chains/NOPE/nested", 404, "record_not_found"},
		{"/accounts/5WS00001/balances/EUR", 404, "record_not_found"},
		{"/accounts/5WX99999/positions", 403, "not_permitted"},
		{"/accounts/5WX99999/trading-status", 403, "not_permitted"},
		{"/customers/me/accounts/5WX99999", 403, "not_permitted"},
		{"/market-metrics", 400, "validation_error"},
		{"/market-metrics/historic-corporate-events/earnings-reports/AAPL", 400, "validation_error"},
		{"/market-metrics/historic-corporate-events/dividends/NOPE", 404, "record_not_found"},
		{"/market-time/sessions", 400, "validation_error"},
		{"/market-time/sessions?from-date=2020-01-01&to-date=2026-01-01", 400, "validation_error"},
		{"/market-time/equities/sessions/next?date=tomorrow", 400, "validation_error"},
		{"/market-time/equities/sessions/current?current-time=noon", 400, "validation_error"},
	}
	for _, tt := range tests {
		t.Run(tt.path, func(t *testing.T) {
			status, body := c.in(t).get(tt.path)
			assert.Equal(t, tt.status, status)
			assert.Equal(t, tt.code, decode(t, body)["error"].(map[string]any)["code"])
		})
	}
	status, _ := c.post("/accounts/5WS00001/orders", "{}", asJSON)
	assert.Equal(t, 401, status, "nothing is told to strangers")
}

func TestOldVersionsAreNotAcceptable(t *testing.T) {
	c := start(t, nil).login()
	for version, want := range map[string]int{"20251101": 200, "20200101": 406, "tomorrow": 406} {
		r, err := http.NewRequest("GET", c.server.URL()+"/customers/me/accounts", nil)
		require.NoError(t, err)
		r.Header.Set("Authorization", "Bearer "+c.token)
		r.Header.Set("Accept-Version", version)
		status, body := c.do(r)
		assert.Equal(t, want, status, version)
		if want == 406 {
			assert.Equal(t, "number", shape(decode(t, body))["error.code"], "the one error whose code is a number")
		}
	}
}

func TestRateLimitIsPerCustomer(t *testing.T) {
	wall := market.NewManualClock(time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC))
	c := start(t, func(o *simulator.Options) { o.Wall, o.RequestsPerSecond = wall, 2 }).login()
	get := func() int {
		status, _ := c.get("/customers/me/accounts")
		return status
	}
	assert.Equal(t, []int{200, 200, 429}, []int{get(), get(), get()})
	wall.Advance(500 * time.Millisecond)
	assert.Equal(t, []int{200, 429}, []int{get(), get()})
	c.login()
	assert.Equal(t, 429, get(), "another token of the same customer shares the rate")
}

func TestFaultsReachTheClient(t *testing.T) {
	var fault atomic.Value // read by the server's goroutines
	fault.Store(simulator.Fault{})
	c := start(t, func(o *simulator.Options) {
		o.Fault = func(*http.Request) simulator.Fault { return fault.Load().(simulator.Fault) }
	}).login()
	fault.Store(simulator.Fault{Status: 502})
	status, body := c.get("/customers/me/accounts")
	assert.Equal(t, 502, status)
	assert.Contains(t, string(body), "<h1>502 Bad Gateway</h1>")
	fault.Store(simulator.Fault{Status: 200, Body: `{"data":`, ContentType: asJSON})
	_, body = c.get("/customers/me/accounts")
	assert.Equal(t, `{"data":`, string(body))
	fault.Store(simulator.Fault{Drop: true})
	_, err := c.http.Get(c.server.URL() + "/simulator/clock")
	assert.Error(t, err)
	fault.Store(simulator.Fault{Delay: time.Hour})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, "GET", c.server.URL()+"/simulator/clock", nil)
	require.NoError(t, err)
	_, err = c.http.Do(r)
	assert.ErrorIs(t, err, context.DeadlineExceeded)
	fault.Store(simulator.Fault{})
	status, _ = c.get("/simulator/clock")
	assert.Equal(t, 200, status)
}

func TestClockIsToldWithoutABearer(t *testing.T) {
	c := start(t, nil)
	c.clock.Advance(90 * time.Second)
	answer := c.object("/simulator/clock")
	assert.Equal(t, "2026-09-16T14:31:30Z", answer["now"])
	assert.Equal(t, "2026-09-16T14:30:00Z", answer["start"])
	assert.Contains(t, answer["note"], "September 16, 2026")
	resp, err := c.http.Get(c.server.URL() + "/simulator/clock")
	require.NoError(t, err)
	resp.Body.Close()
	assert.Equal(t, "Wed, 16 Sep 2026 14:31:30 GMT", resp.Header.Get("Date"), "the header shows simulated time")
}

func TestCredentialsAreRandomUnlessGiven(t *testing.T) {
	a, b := start(t, nil).sim.Credentials(), start(t, nil).sim.Credentials()
	assert.NotEqual(t, a.RefreshToken, b.RefreshToken)
	assert.NotEqual(t, a.ClientSecret, b.ClientSecret)
	assert.Equal(t, []string{simulator.DemoMargin, simulator.DemoIRA}, a.Accounts)
	given := start(t, func(o *simulator.Options) { o.Credentials = simulator.Credentials{RefreshToken: "mine"} }).sim.Credentials()
	assert.Equal(t, "mine", given.RefreshToken)
	assert.NotEmpty(t, given.ClientSecret)
}
