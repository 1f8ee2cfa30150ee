package simulator_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/simulator"
	"github.com/ttai-go/ttai/simulator/synthetic"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A client speaks plain HTTP and websocket to a simulator in memory.
type client struct {
	t      testing.TB
	sim    *simulator.Simulator
	server *simulator.Server
	http   *http.Client
	token  string
	clock  *market.ManualClock
	market *synthetic.Market
}

// start serves the default market on a clock that stands at the default
// beginning, and logs in.
func start(t testing.TB, change func(*simulator.Options)) *client {
	t.Helper()
	c := &client{t: t, clock: market.NewManualClock(synthetic.DefaultStart())}
	made, err := synthetic.New(synthetic.DefaultSeed, &synthetic.Options{Clock: c.clock})
	require.NoError(t, err)
	c.market = made
	options := &simulator.Options{Market: made, Clock: c.clock}
	if change != nil {
		change(options)
	}
	c.sim, err = simulator.New(options)
	require.NoError(t, err)
	c.server, err = c.sim.Listen()
	require.NoError(t, err)
	c.http = c.server.HTTPClient()
	t.Cleanup(func() {
		c.http.CloseIdleConnections()
		require.NoError(t, c.sim.Close())
	})
	return c
}

func (c *client) login() *client {
	c.t.Helper()
	k := c.sim.Credentials()
	status, body := c.post("/oauth/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {k.RefreshToken}, "client_secret": {k.ClientSecret}}.Encode(), "application/x-www-form-urlencoded")
	require.Equal(c.t, 200, status, string(body))
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	require.NoError(c.t, json.Unmarshal(body, &answer))
	c.token = answer.AccessToken
	return c
}

// in is the client for a subtest.
func (c *client) in(t testing.TB) *client {
	d := *c
	d.t = t
	return &d
}

func (c *client) post(path, body, kind string) (int, []byte) {
	c.t.Helper()
	r, err := http.NewRequest("POST", c.server.URL()+path, strings.NewReader(body))
	require.NoError(c.t, err)
	r.Header.Set("Content-Type", kind)
	return c.do(r)
}

func (c *client) get(path string) (int, []byte) {
	c.t.Helper()
	r, err := http.NewRequest("GET", c.server.URL()+path, nil)
	require.NoError(c.t, err)
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	return c.do(r)
}

func (c *client) do(r *http.Request) (int, []byte) {
	c.t.Helper()
	resp, err := c.http.Do(r)
	require.NoError(c.t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(c.t, err)
	return resp.StatusCode, body
}

// object decodes the answer of a path that must succeed, numbers kept as text.
func (c *client) object(path string) map[string]any {
	c.t.Helper()
	status, body := c.get(path)
	require.Equal(c.t, 200, status, string(body))
	return decode(c.t, body)
}

func decode(t testing.TB, body []byte) map[string]any {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var value map[string]any
	require.NoError(t, decoder.Decode(&value), string(body))
	return value
}

// items are the elements of data.items.
func (c *client) items(path string) []map[string]any {
	c.t.Helper()
	data, ok := c.object(path)["data"].(map[string]any)
	require.True(c.t, ok)
	list, ok := data["items"].([]any)
	require.True(c.t, ok, "data.items is a list")
	result := []map[string]any{}
	for _, item := range list {
		result = append(result, item.(map[string]any))
	}
	return result
}

// A socket is a DXLink conversation.
type socket struct {
	t    testing.TB
	conn *websocket.Conn
	ctx  context.Context
}

func (c *client) dial() *socket {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	conn, _, err := websocket.Dial(ctx, strings.Replace(c.server.URL(), "http", "ws", 1)+"/dxlink", &websocket.DialOptions{
		HTTPClient: c.http, HTTPHeader: http.Header{"User-Agent": {"test/1"}}})
	require.NoError(c.t, err)
	conn.SetReadLimit(64 << 10)
	c.t.Cleanup(func() {
		conn.CloseNow()
		cancel()
	})
	return &socket{c.t, conn, ctx}
}

func (s *socket) send(text string) {
	s.t.Helper()
	require.NoError(s.t, s.conn.Write(s.ctx, websocket.MessageText, []byte(text)))
}

func (s *socket) read() map[string]any {
	s.t.Helper()
	_, data, err := s.conn.Read(s.ctx)
	require.NoError(s.t, err)
	return decode(s.t, data)
}

// until reads messages up to the first of a type.
func (s *socket) until(kind string) map[string]any {
	s.t.Helper()
	for {
		if m := s.read(); m["type"] == kind {
			return m
		}
	}
}

func (c *client) quoteToken() string {
	c.t.Helper()
	return c.object("/api-quote-tokens")["data"].(map[string]any)["token"].(string)
}

// feed opens an authorised connection with channel 1 of a contract.
func (c *client) feed(contract string) *socket {
	c.t.Helper()
	s := c.dial()
	s.send(`{"type":"SETUP","channel":0,"version":"0.1-test/1","keepaliveTimeout":60,"acceptKeepaliveTimeout":60}`)
	require.Equal(c.t, "SETUP", s.read()["type"])
	require.Equal(c.t, "UNAUTHORIZED", s.read()["state"])
	s.send(`{"type":"AUTH","channel":0,"token":"` + c.quoteToken() + `"}`)
	require.Equal(c.t, "AUTHORIZED", s.read()["state"])
	s.send(`{"type":"CHANNEL_REQUEST","channel":1,"service":"FEED","parameters":{"contract":"` + contract + `"}}`)
	require.Equal(c.t, "CHANNEL_OPENED", s.read()["type"])
	return s
}
