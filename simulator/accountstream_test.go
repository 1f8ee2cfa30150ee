package simulator_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/internal/sharedtest"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/simulator"
)

// accountSocket opens the account streamer without a word.
func (c *client) accountSocket(path string) *socket {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	conn, _, err := websocket.Dial(ctx, strings.Replace(c.server.URL(), "http", "ws", 1)+path, &websocket.DialOptions{
		HTTPClient: c.http, HTTPHeader: http.Header{"User-Agent": {"test/1"}}})
	require.NoError(c.t, err)
	conn.SetReadLimit(1 << 20)
	c.t.Cleanup(func() {
		conn.CloseNow()
		cancel()
	})
	return &socket{c.t, conn, ctx}
}

func (s *socket) action(c *client, action, value string, id int) map[string]any {
	s.t.Helper()
	if value != "" {
		value = `"value":` + value + `,`
	}
	s.send(fmt.Sprintf(`{"action":"%s",%s"auth-token":"Bearer %s","request-id":%d}`, action, value, c.token, id))
	for {
		if m := s.read(); m["status"] != nil {
			return m
		}
	}
}

// connected is a socket that has subscribed both demo accounts.
func (c *client) connected() *socket {
	c.t.Helper()
	s := c.accountSocket("/streamer")
	m := s.action(c, "connect", `["`+simulator.DemoMargin+`","`+simulator.DemoIRA+`"]`, 1)
	require.Equal(c.t, "ok", m["status"], "%v", m)
	return s
}

func TestTheAccountStreamerAnswersInTheDocumentedForm(t *testing.T) {
	c := start(t, nil).login()
	s := c.accountSocket("/")
	early := s.action(c, "quote-alerts-subscribe", "", 1)
	assert.Equal(t, "error", early["status"])
	assert.Equal(t, "connect-not-completed", early["message"])
	ok := s.action(c, "connect", `["`+simulator.DemoMargin+`"]`, 2)
	assert.Equal(t, "connect", ok["action"])
	assert.Equal(t, json.Number("2"), ok["request-id"])
	assert.Equal(t, []any{simulator.DemoMargin}, ok["value"])
	assert.NotEmpty(t, ok["web-socket-session-id"])
	assert.Equal(t, "ok", s.action(c, "connect", `"`+simulator.DemoIRA+`"`, 3)["status"], "one account as a text")
	assert.Equal(t, "error", s.action(c, "connect", `["5WX99999"]`, 4)["status"], "an account of another")
	assert.Equal(t, "ok", s.action(c, "heartbeat", "", 5)["status"])
	assert.Equal(t, "error", s.action(c, "dance", "", 6)["status"])
	for i, action := range []string{"quote-alerts-subscribe", "user-message-subscribe"} {
		assert.Equal(t, "ok", s.action(c, action, "", 7+i)["status"], action)
	}
	c.sim.SendMessage("1", "Hello", "text")
	assert.Equal(t, "UserMessage", s.read()["type"])
	assert.Equal(t, "ok", s.action(c, "public-watchlists-subscribe", "", 9)["status"])
	list := s.read()
	assert.Equal(t, "PublicWatchlists", list["type"])
	assert.NotEmpty(t, list["data"].(map[string]any)["watchlist-entries"])
}

func TestATokenThatHasEndedEndsTheAccountStreamer(t *testing.T) {
	wall := market.NewManualClock(time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC))
	c := start(t, func(o *simulator.Options) { o.Wall = wall }).login()
	s := c.connected()
	wall.Advance(16 * time.Minute)
	// The server may end the connection for its silence first; either way it ends.
	_ = s.conn.Write(s.ctx, websocket.MessageText, []byte(`{"action":"heartbeat","auth-token":"`+c.token+`","request-id":2}`))
	for {
		if _, _, err := s.conn.Read(s.ctx); err != nil {
			assert.Equal(t, websocket.StatusPolicyViolation, websocket.CloseStatus(err))
			return
		}
	}
}

// notifications reads until n orders were told that have ended, and returns what
// was told: of orders the status.
func (s *socket) notifications(until string) (told []string, data map[string]map[string]any) {
	s.t.Helper()
	data = map[string]map[string]any{}
	for {
		m := s.read()
		kind, _ := m["type"].(string)
		if kind == "" {
			continue
		}
		one := m["data"].(map[string]any)
		name := kind
		if kind == "Order" {
			name += " " + one["status"].(string)
		}
		told = append(told, name)
		data[kind] = one
		if name == until || kind == until {
			return told, data
		}
	}
}

func TestAFillIsToldInOrder(t *testing.T) {
	c := start(t, nil).login()
	c.set("MSFT", 400.00, 400.10)
	s := c.connected()
	o := c.place(limit("Buy to Open", "MSFT", 10, "400.10", "Debit"))
	c.step(2 * time.Second)
	told, data := s.notifications("OrderChain")
	assert.Equal(t, []string{"Order Received", "Order Routed", "Order In Flight", "Order Live", "Order Filled", "CurrentPosition", "AccountBalance", "OrderChain"}, told)
	assert.Equal(t, o["id"], data["Order"]["id"])
	assert.Equal(t, json.Number("10"), data["CurrentPosition"]["quantity"])
	assert.Equal(t, o["id"], data["CurrentPosition"]["order-id"])
	assert.Equal(t, data["AccountBalance"]["cash-balance"], c.items(margin + "/balances")[0]["cash-balance"])
	chain := data["OrderChain"]["computed-data"].(map[string]any)
	assert.Equal(t, true, chain["open"])

	c.place(limit("Sell to Close", "MSFT", 10, "400.00", "Credit"))
	c.step(2 * time.Second)
	told, data = s.notifications("UnderlyingYearGainSummary")
	assert.Equal(t, []string{"Order Received", "Order Routed", "Order In Flight", "Order Live", "Order Filled", "CurrentPosition", "AccountBalance", "OrderChain", "UnderlyingYearGainSummary"}, told)
	assert.Equal(t, "Zero", data["CurrentPosition"]["quantity-direction"])
	assert.Equal(t, false, data["OrderChain"]["computed-data"].(map[string]any)["open"])
	assert.Equal(t, "1.0", data["UnderlyingYearGainSummary"]["yearly-realized-gain"], "bought at 400.10, sold at 400.00")
	assert.Equal(t, "Debit", data["UnderlyingYearGainSummary"]["yearly-realized-gain-effect"])

	require.NoError(t, c.sim.Transfer(simulator.DemoMargin, decimal.NewFromInt(1000)))
	told, data = s.notifications("AccountBalance")
	assert.Equal(t, []string{"ExternalTransaction", "AccountBalance"}, told)
	assert.Equal(t, "1000.0", data["ExternalTransaction"]["amount"])
}

func TestACancelAndAReplacementAreTold(t *testing.T) {
	c := start(t, nil).login()
	c.set("MSFT", 400.00, 400.10)
	s := c.connected()
	o := c.place(limit("Buy to Open", "MSFT", 10, "390.00", "Debit"))
	c.step(time.Second)
	s.notifications("Order Live")
	status, answer := c.send("PATCH", fmt.Sprintf("%s/orders/%v", margin, o["id"]), `{"price":"391.00","price-effect":"Debit"}`)
	require.Equal(t, 200, status, "%v", answer)
	c.step(time.Second)
	told, _ := s.notifications("Order Live")
	assert.Equal(t, []string{"Order Contingent", "Order Replace Requested", "Order Cancelled", "Order Routed", "Order In Flight", "Order Live"}, told)
	next := answer["data"].(map[string]any)["id"]
	status, _ = c.send("DELETE", fmt.Sprintf("%s/orders/%v", margin, next), "")
	require.Equal(t, 200, status)
	c.step(time.Second)
	told, _ = s.notifications("Order Cancelled")
	assert.Equal(t, []string{"Order Cancel Requested", "Order Cancelled"}, told)
}

func TestAQuoteAlertFiresOnce(t *testing.T) {
	c := start(t, nil).login()
	c.set("SPY", 650.00, 650.02)
	s := c.connected()
	require.Equal(t, "ok", s.action(c, "quote-alerts-subscribe", "", 2)["status"])
	status, made := c.send("POST", "/quote-alerts", `{"symbol":"SPY","field":"Last","operator":">","threshold":"655.00","instrument-type":"Equity"}`)
	require.Equal(t, 201, status)
	c.step(time.Minute)
	c.set("SPY", 656.00, 656.02)
	told, data := s.notifications("QuoteAlert")
	assert.Equal(t, []string{"QuoteAlert"}, told)
	assert.Equal(t, made["data"].(map[string]any)["alert-external-id"], data["QuoteAlert"]["alert-external-id"])
	assert.NotEmpty(t, data["QuoteAlert"]["triggered-at"])
	assert.NotEmpty(t, c.items("/quote-alerts")[0]["triggered-at"])
	c.set("SPY", 650.00, 650.02)
	c.set("SPY", 656.00, 656.02)
	c.sim.SendMessage("1", "after", "")
	require.Equal(t, "ok", s.action(c, "heartbeat", "", 3)["status"], "nothing else came before it")
}

func TestNotificationsHaveTheShapeOfDocumentedOnes(t *testing.T) {
	c := start(t, nil).login()
	c.set("AAPL", 230.00, 230.10)
	s := c.connected()
	require.Equal(t, "ok", s.action(c, "quote-alerts-subscribe", "", 2)["status"])
	c.send("POST", "/quote-alerts", `{"symbol":"AAPL","field":"Last","operator":">","threshold":"1.00","instrument-type":"Equity","expires-at":"1989569000000"}`)
	c.set("AAPL", 230.00, 230.10)
	_, alerts := s.notifications("QuoteAlert")
	c.place(`{"order-type":"Market","time-in-force":"Day","legs":[{"action":"Buy to Open","instrument-type":"Equity","symbol":"AAPL","quantity":100}]}`)
	_, routed := s.notifications("Order Received")
	c.step(2 * time.Second)
	_, told := s.notifications("AccountBalance")
	tests := []struct {
		file    string
		data    map[string]any
		without []string
		numbers []string // which the recording has as texts
	}{
		{file: "order-market.documented.json", data: routed["Order"], without: []string{"user-id"}},
		{file: "order.documented.json", data: told["Order"], without: []string{"user-id"}},
		{file: "account-balance.derived.json", data: told["AccountBalance"]},
		{file: "current-position.derived.json", data: told["CurrentPosition"], numbers: []string{"quantity", "restricted-quantity"}},
		{file: "quote-alert.derived.json", data: alerts["QuoteAlert"], numbers: []string{"threshold-numeric"}},
	}
	for _, tt := range tests {
		t.Run(tt.file, func(t *testing.T) {
			body, err := os.ReadFile(sharedtest.Path(t, "payloads", "account-streamer", tt.file))
			require.NoError(t, err)
			want, got := shape(decode(t, body)["data"]), shape(tt.data)
			for _, path := range append(tt.without, tt.numbers...) {
				delete(want, path)
			}
			for path, kind := range want {
				assert.Equal(t, kind, got[path], path)
			}
		})
	}
}

func TestNobodyHearsOfAnothersAccounts(t *testing.T) {
	c := start(t, func(o *simulator.Options) {
		o.Customers = []simulator.Customer{
			{ID: "a", Accounts: []simulator.AccountState{{Number: simulator.DemoMargin, Margin: true, Cash: decimal.NewFromInt(100_000)}}},
			{ID: "b", FirstName: "Bea", Accounts: []simulator.AccountState{{Number: "B1", Margin: true, Cash: decimal.NewFromInt(100_000)}}},
		}
	}).login()
	other := *c
	k, ok := c.sim.CredentialsOf("b")
	require.True(t, ok)
	status, body := c.post("/oauth/token", fmt.Sprintf(`{"grant_type":"refresh_token","refresh_token":"%s","client_secret":"%s"}`, k.RefreshToken, k.ClientSecret), asJSON)
	require.Equal(t, 200, status)
	other.token = decode(t, body)["access_token"].(string)

	assert.Equal(t, "Bea", other.data("/customers/me")["first-name"])
	list := other.items("/customers/me/accounts")
	require.Len(t, list, 1)
	assert.Equal(t, "B1", list[0]["account"].(map[string]any)["account-number"])
	for _, path := range []string{margin + "/balances", margin + "/positions", margin + "/orders", margin + "/transactions", "/customers/a",
		"/customers/me/orders?account-numbers[]=" + simulator.DemoMargin} {
		status, _ := other.get(path)
		assert.Equal(t, 403, status, path)
	}
	status, _ = other.send("POST", margin+"/orders", limit("Buy to Open", "KO", 1, "60.00", "Debit"))
	assert.Equal(t, 403, status)
	c.send("POST", "/watchlists", `{"name":"Mine","watchlist-entries":[]}`)
	assert.Empty(t, other.items("/watchlists"))
	s := other.accountSocket("/streamer")
	assert.Equal(t, "error", s.action(&other, "connect", `["`+simulator.DemoMargin+`"]`, 1)["status"])
	assert.Equal(t, "ok", s.action(&other, "connect", `["B1"]`, 2)["status"])
	c.place(limit("Buy to Open", "KO", 1, "60.00", "Debit"))
	c.step(time.Second)
	require.Equal(t, "ok", s.action(&other, "heartbeat", "", 3)["status"])
	swapped := fmt.Sprintf(`{"grant_type":"refresh_token","refresh_token":"%s","client_secret":"%s"}`, k.RefreshToken, c.sim.Credentials().ClientSecret)
	status, _ = c.post("/oauth/token", swapped, asJSON)
	assert.Equal(t, 400, status, "another's secret")
	require.NoError(t, c.sim.RevokeGrant("b", true))
	status, _ = c.post("/oauth/token", fmt.Sprintf(`{"grant_type":"refresh_token","refresh_token":"%s","client_secret":"%s"}`, k.RefreshToken, k.ClientSecret), asJSON)
	assert.Equal(t, 400, status, "a grant that was deleted")
	status, _ = other.get("/customers/me")
	assert.Equal(t, 200, status, "the access token lives on")
}
