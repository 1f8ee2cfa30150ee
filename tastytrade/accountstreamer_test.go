package tastytrade_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"github.com/ttai-go/ttai/internal/rest/resttest"
	"github.com/ttai-go/ttai/tastytrade"
)

// A streamer is an account streamer in memory. It is strict: connect comes
// first, and every message has a token that is good now.
type streamer struct {
	good      func(token string) bool                 // nil: every token
	handshake func(w http.ResponseWriter, n int) bool // reports that the n-th connection was refused
	connected func(c *streamerConn)                   // after connect was acknowledged
	heartbeat func(c *streamerConn) bool              // reports that it was answered by the hook
	reorder   bool                                    // answer without request ids

	mu    sync.Mutex
	conns []*streamerConn
}

type streamerConn struct {
	s   *streamer
	n   int // from 1
	ws  *websocket.Conn
	ctx context.Context

	mu       sync.Mutex
	accounts []string
	actions  []string
	tokens   []string
}

func (s *streamer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	c := &streamerConn{s: s, n: len(s.conns) + 1}
	s.conns = append(s.conns, c)
	s.mu.Unlock()
	if s.handshake != nil && s.handshake(w, c.n) {
		return
	}
	ws, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	defer ws.CloseNow()
	c.ws, c.ctx = ws, r.Context()
	for {
		_, data, err := ws.Read(r.Context())
		if err != nil || !c.serve(data) {
			return
		}
	}
}

func (c *streamerConn) send(format string, args ...any) {
	_ = c.ws.Write(c.ctx, websocket.MessageText, fmt.Appendf(nil, format, args...))
}

func (c *streamerConn) serve(data []byte) bool {
	var m struct {
		Action string          `json:"action"`
		Value  json.RawMessage `json:"value"`
		Token  string          `json:"auth-token"`
		ID     int64           `json:"request-id"`
		Source string          `json:"source"`
	}
	if json.Unmarshal(data, &m) != nil || m.ID == 0 || m.Source == "" {
		c.send(`{"status":"error","action":"%s","message":"malformed"}`, m.Action)
		return false
	}
	c.mu.Lock()
	c.actions = append(c.actions, m.Action)
	c.tokens = append(c.tokens, m.Token)
	first := len(c.accounts) == 0
	c.mu.Unlock()
	if c.s.good != nil && !c.s.good(m.Token) {
		c.send(`{"status":"error","action":"%s","request-id":%d,"message":"token expired"}`, m.Action, m.ID)
		return true
	}
	switch {
	case m.Action == "connect":
		c.mu.Lock()
		_ = json.Unmarshal(m.Value, &c.accounts)
		c.mu.Unlock()
	case first:
		c.send(`{"status":"error","action":"%s","message":"connect-not-completed"}`, m.Action)
		return true
	case m.Action == "heartbeat" && c.s.heartbeat != nil && c.s.heartbeat(c):
		return true
	}
	if c.s.reorder {
		c.send(`{"status":"ok","action":"%s","web-socket-session-id":"s"}`, m.Action)
	} else {
		c.send(`{"status":"ok","action":"%s","web-socket-session-id":"s","request-id":"%d"}`, m.Action, m.ID)
	}
	if m.Action == "connect" && c.s.connected != nil {
		c.s.connected(c)
	}
	return true
}

func (c *streamerConn) drop() { _ = c.ws.CloseNow() }

func (s *streamer) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.conns)
}

// epoch is the day that the frames below count milliseconds from.
const epoch = 1789000000000

func orderFrame(id int, updated int64, status string) string {
	updated += epoch
	return fmt.Sprintf(`{"type":"Order","data":{"id":%d,"account-number":"5WX1","status":"%s","updated-at":%d},"timestamp":%d}`, id, status, updated, updated)
}

// dialAccounts connects a client of tokens to the streamer.
func dialAccounts(t *testing.T, s *streamer, tokens tastytrade.TokenSource, change func(*tastytrade.AccountStreamerOptions)) *tastytrade.AccountStreamer {
	t.Helper()
	if tokens == nil {
		tokens = tastytrade.StaticTokenSource("access-secret")
	}
	c, err := tastytrade.NewClient(tokens, &tastytrade.ClientOptions{BaseURL: "http://memory", Dial: resttest.Serve(t, s), Limiter: tastytrade.NoLimit()})
	require.NoError(t, err)
	opts := &tastytrade.AccountStreamerOptions{Accounts: []tastytrade.AccountNumber{"5WX1", "5WX2"}, URL: "ws://memory"}
	if change != nil {
		change(opts)
	}
	stream, err := c.DialAccounts(t.Context(), opts)
	require.NoError(t, err)
	t.Cleanup(func() { _ = stream.Close() })
	return stream
}

// take reads so many notifications.
func take(t *testing.T, s *tastytrade.AccountStreamer, n int) (out []tastytrade.Notification) {
	t.Helper()
	for v, err := range s.Notifications() {
		require.NoError(t, err)
		if out = append(out, v); len(out) == n {
			break
		}
	}
	return out
}

// told is one line per notification.
func told(notifications []tastytrade.Notification) (out []string) {
	for _, n := range notifications {
		switch v := n.Value.(type) {
		case *tastytrade.Order:
			out = append(out, fmt.Sprintf("order %s %s", v.ID, v.Status))
		case *tastytrade.AccountGap:
			out = append(out, fmt.Sprintf("gap of %d connections, %d dropped", v.Lost, v.Dropped))
		default:
			out = append(out, string(n.Type))
		}
	}
	return out
}

func TestTheStreamConnectsFirstAndThenSubscribes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &streamer{connected: func(c *streamerConn) { c.send(`%s`, orderFrame(1, 1000, "Live")) }}
		s := dialAccounts(t, server, nil, func(o *tastytrade.AccountStreamerOptions) {
			o.PublicWatchlists, o.QuoteAlerts, o.UserMessages = true, true, "U1"
		})
		assert.Equal(t, []string{"order 1 Live"}, told(take(t, s, 1)))
		require.NoError(t, s.AddAccounts(t.Context(), "5WX3"))
		c := server.conns[0]
		assert.Equal(t, []string{"connect", "public-watchlists-subscribe", "quote-alerts-subscribe", "user-message-subscribe", "connect"}, c.actions)
		assert.Equal(t, []string{"5WX1", "5WX2", "5WX3"}, c.accounts)
		assert.Equal(t, "Bearer access-secret", c.tokens[0])
		assert.True(t, s.Connected())
		require.NoError(t, s.Close())
		assert.ErrorIs(t, s.Err(), tastytrade.ErrStreamClosed)
		for _, err := range s.Notifications() {
			assert.ErrorIs(t, err, tastytrade.ErrStreamClosed)
		}
		assert.Error(t, s.AddAccounts(t.Context(), "5WX4"))
	})
}

// Errors can lack the request id; then the oldest request of the action is
// meant. So it is with every answer of some servers.
func TestAnAnswerWithoutARequestIDIsMatchedByItsAction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := dialAccounts(t, &streamer{reorder: true}, nil, func(o *tastytrade.AccountStreamerOptions) { o.QuoteAlerts = true })
		assert.True(t, s.Connected())
	})
}

func TestARefusedConnectIsSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &streamer{good: func(string) bool { return false }}
		c, err := tastytrade.NewClient(tastytrade.StaticTokenSource("access-secret"), &tastytrade.ClientOptions{BaseURL: "http://memory", Dial: resttest.Serve(t, server)})
		require.NoError(t, err)
		_, err = c.DialAccounts(t.Context(), &tastytrade.AccountStreamerOptions{Accounts: []tastytrade.AccountNumber{"5WX1"}, URL: "ws://memory"})
		var refusal *tastytrade.StreamError
		require.ErrorAs(t, err, &refusal)
		assert.Equal(t, "connect", refusal.Action)
		assert.Equal(t, "token expired", refusal.Message)
		assert.NotContains(t, err.Error(), "access-secret")
	})
}

// Each heartbeat has the token of its moment; one that has expired on the way
// costs a connection and no more.
func TestEveryHeartbeatHasTheTokenOfTheMoment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tokens := source(t, tokenServer(), nil) // each lives 900 s and is replaced after 840
		server := &streamer{good: func(token string) bool { return strings.HasPrefix(token, "Bearer access-") }}
		s := dialAccounts(t, server, tokens, nil)
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		require.Equal(t, 1, server.count(), "one connection for two hours")
		different := map[string]bool{}
		for _, token := range server.conns[0].tokens {
			different[token] = true
		}
		assert.Len(t, different, 9, "a token each 840 s")
		assert.Len(t, server.conns[0].tokens, 1+360, "connect, and a heartbeat each 20 s")
		require.NoError(t, s.Close())
	})
}

func TestATokenThatExpiresMidStreamIsReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		refused := map[string]bool{}
		server := &streamer{good: func(token string) bool {
			mu.Lock()
			defer mu.Unlock()
			return !refused[token]
		}}
		s := dialAccounts(t, server, source(t, tokenServer(), nil), nil)
		mu.Lock()
		refused["Bearer access-1"] = true
		mu.Unlock()
		assert.Equal(t, []string{"gap of 1 connections, 0 dropped"}, told(take(t, s, 1)))
		assert.Equal(t, "Bearer access-2", server.conns[len(server.conns)-1].tokens[0])
		assert.ErrorContains(t, s.LastError(), "token expired")
		assert.NotContains(t, s.LastError().Error(), "access-")
	})
}

// What the caller reads after a connection comes before the connection's own
// notifications; those that are no newer than what was read are dropped.
func TestTheCallerRehydratesBeforeNewNotificationsFlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &streamer{connected: func(c *streamerConn) {
			if c.n == 1 {
				c.send(`%s`, orderFrame(1, 1000, "Live"))
				return
			}
			// These arrive while the caller is still reading.
			c.send(`%s`, orderFrame(1, 1500, "Routed"))
			c.send(`%s`, orderFrame(1, 2000, "Filled"))
			c.send(`%s`, orderFrame(2, 2100, "Live"))
		}}
		var log []string
		var mu sync.Mutex
		s := dialAccounts(t, server, nil, func(o *tastytrade.AccountStreamerOptions) {
			o.Rehydrate = func(ctx context.Context, gap *tastytrade.AccountGap) (*tastytrade.AccountSnapshot, error) {
				time.Sleep(3 * time.Second)
				mu.Lock()
				defer mu.Unlock()
				if gap == nil {
					log = append(log, "read at first")
					return nil, nil
				}
				log = append(log, fmt.Sprintf("read after %d", gap.Lost))
				return &tastytrade.AccountSnapshot{Orders: []tastytrade.Order{{ID: "1", AccountNumber: "5WX1", UpdatedAt: time.UnixMilli(epoch + 2000)}}}, nil
			}
		})
		for n, err := range s.Notifications() {
			require.NoError(t, err)
			mu.Lock()
			log = append(log, told([]tastytrade.Notification{n})...)
			steps := len(log)
			mu.Unlock()
			if steps == 2 {
				server.conns[0].drop()
			}
			if steps == 5 {
				break
			}
		}
		assert.Equal(t, []string{"read at first", "order 1 Live", "read after 1", "gap of 1 connections, 0 dropped", "order 2 Live"}, log)
	})
}

func TestAFailedRehydrationBeginsAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &streamer{connected: func(c *streamerConn) { c.send(`%s`, orderFrame(c.n, 1000, "Live")) }}
		n := 0
		s := dialAccounts(t, server, nil, func(o *tastytrade.AccountStreamerOptions) {
			o.Rehydrate = func(context.Context, *tastytrade.AccountGap) (*tastytrade.AccountSnapshot, error) {
				time.Sleep(time.Second) // what has come meanwhile waits behind the gap
				if n++; n < 3 {
					return nil, errors.New("the routes are down")
				}
				return nil, nil
			}
		})
		assert.Equal(t, []string{"gap of 2 connections, 0 dropped", "order 1 Live", "order 2 Live", "order 3 Live"}, told(take(t, s, 4)))
	})
}

func TestOlderAndRepeatedNotificationsAreDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &streamer{connected: func(c *streamerConn) {
			for _, frame := range []string{
				orderFrame(1, 1000, "Received"), orderFrame(1, 1000, "Received"), // again
				orderFrame(1, 3000, "Filled"), orderFrame(1, 2000, "Live"), // late
				orderFrame(1, 3000, "Cancelled"), // another change of the same millisecond
				orderFrame(2, 1000, "Live"),
				`{"type":"Order","data":{"id":3,"account-number":"5WX1","status":"Routed"}}`, // no updated-at
				`{"type":"Order","data":{"id":3,"account-number":"5WX1","status":"Live"}}`,
				`{"type":"CurrentPosition","data":{"account-number":"5WX1","symbol":"A","quantity":1,"quantity-direction":"Long","updated-at":"2026-09-16T10:00:00Z"}}`,
				`{"type":"CurrentPosition","data":{"account-number":"5WX1","symbol":"A","quantity":1,"quantity-direction":"Long","updated-at":"2026-09-16T10:00:00Z"}}`,
				`{"type":"Future thing","data":{"x":1}}`, `{"type":"Future thing","data":{"x":1}}`, // nothing is known of it
			} {
				c.send(`%s`, frame)
			}
		}}
		s := dialAccounts(t, server, nil, nil)
		assert.Equal(t, []string{"order 1 Received", "order 1 Filled", "order 1 Cancelled", "order 2 Live", "order 3 Routed", "order 3 Live", "CurrentPosition", "Future thing", "Future thing"}, told(take(t, s, 9)))
	})
}

func TestBatchesAndUnknownTypesAreKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &streamer{connected: func(c *streamerConn) {
			c.send(`{"results":[%s,{"type":"Novelty","data":{"a":[1,2]},"timestamp":5,"ws-sequence":7,"extra":true},%s]}`, orderFrame(1, 1000, "Live"), orderFrame(2, 1000, "Live"))
			c.send(`{"type":"AccountBalance","data":{"cash-balance":"1.0"}}`) // no account: it cannot be read
		}}
		s := dialAccounts(t, server, nil, nil)
		got := take(t, s, 4)
		assert.Equal(t, []string{"order 1 Live", "Novelty", "order 2 Live", "AccountBalance"}, told(got))
		assert.Nil(t, got[1].Value)
		require.NoError(t, got[1].Err)
		assert.JSONEq(t, `{"a":[1,2]}`, string(got[1].Data))
		assert.Equal(t, tastytrade.ID("7"), got[1].Sequence)
		assert.JSONEq(t, `{"type":"Novelty","data":{"a":[1,2]},"timestamp":5,"ws-sequence":7,"extra":true}`, encode(t, got[1]))
		assert.JSONEq(t, `{"cash-balance":"1.0"}`, string(got[3].Data))
	})
}

func TestOptionsOfTheStreamAreChecked(t *testing.T) {
	c := client(t, answering(200, ""), nil)
	one := []tastytrade.AccountNumber{"5WX1"}
	for field, opts := range map[string]*tastytrade.AccountStreamerOptions{
		"Accounts": nil, "Buffer": {Accounts: one, Buffer: -1}, "Heartbeat": {Accounts: one, Heartbeat: time.Second}, "URL": {Accounts: one}, "url": {Accounts: one, URL: "http://x"},
	} {
		_, err := c.DialAccounts(t.Context(), opts)
		var fieldError *tastytrade.FieldError
		require.ErrorAs(t, err, &fieldError, field)
		assert.Equal(t, field, fieldError.Field)
	}
}

// failing is a token source that fails after some calls.
type failing struct {
	mu    sync.Mutex
	left  int
	err   error
	calls int
}

func (f *failing) Token(context.Context) (*oauth2.Token, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls++
	if f.left--; f.left < 0 {
		return nil, f.err
	}
	return &oauth2.Token{AccessToken: "access-secret"}, nil
}

func TestAStreamWithoutATokenGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tokens := &failing{left: 2, err: fmt.Errorf("the grant is gone: %w", tastytrade.ErrUnauthorized)}
		server := &streamer{}
		s := dialAccounts(t, server, tokens, nil)
		var last error
		for _, err := range s.Notifications() {
			last = err
		}
		require.ErrorIs(t, last, tastytrade.ErrUnauthorized)
		require.ErrorIs(t, s.Err(), tastytrade.ErrUnauthorized)
		assert.Equal(t, 1, server.count(), "no connection is made that could not be used")
		assert.Equal(t, 2+1+10, tokens.calls, "a heartbeat, and ten attempts")
	})
}

// A token that cannot be had for a moment costs no connection.
func TestAHeartbeatIsTriedAgainWhenThereIsNoToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tokens := &failing{left: 2, err: errors.New("the network is down")}
		server := &streamer{}
		s := dialAccounts(t, server, tokens, nil)
		time.Sleep(32 * time.Second) // one heartbeat fails at 20 s, the next ones at 25 s and 30 s
		tokens.mu.Lock()
		tokens.left = 1 << 30
		tokens.mu.Unlock()
		time.Sleep(time.Minute)
		synctest.Wait()
		assert.True(t, s.Connected())
		assert.Equal(t, 1, server.count())
	})
}

func TestASnapshotHasOrdersPositionsAndBalances(t *testing.T) {
	server := answering(200, anything)
	snapshot, err := client(t, server, nil).AccountSnapshot(t.Context(), "5WX1", "5WX2")
	require.NoError(t, err)
	assert.Equal(t, 6, server.count())
	assert.Len(t, snapshot.Orders, 2)
	assert.Len(t, snapshot.Positions, 2)
	assert.Len(t, snapshot.Balances, 2)
	_, err = client(t, answering(500, ""), nil).AccountSnapshot(t.Context(), "5WX1")
	require.ErrorIs(t, err, tastytrade.ErrUnavailable)
}
