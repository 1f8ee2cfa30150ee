package tastytrade_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/internal/rest/resttest"
	"github.com/ttai-go/ttai/tastytrade"
)

// A thousand connections are lost, each in one of the ways in which connections
// are lost. After each, the accounts and everything else are subscribed again
// before a heartbeat is due, the loss is told, and what comes next is given out.
func TestAThousandLostConnectionsLoseNoSubscriptionAndNoGap(t *testing.T) {
	const losses = 1000
	synctest.Test(t, func(t *testing.T) {
		tokens := source(t, tokenServer(), nil)
		ways := []func(c *streamerConn){
			func(c *streamerConn) { c.drop() },
			func(c *streamerConn) { c.send(`{"type":"Order","data":{"id":`) }, // truncated
			func(c *streamerConn) { c.send("\x00\x01 not JSON") },             // garbage
			func(c *streamerConn) { c.send(`[1,2,3]`) },                       // JSON, and no message
			func(c *streamerConn) { _ = c.ws.Close(1001, "going away") },
			func(c *streamerConn) { // duplicated and out of order, then gone
				c.send(`%s`, orderFrame(c.n, 1000, "Live"))
				c.send(`%s`, orderFrame(c.n, 500, "Received"))
				c.drop()
			},
		}
		refusals := 0
		server := &streamer{
			good: func(token string) bool { return strings.HasPrefix(token, "Bearer access-") },
			connected: func(c *streamerConn) {
				c.send(`%s`, orderFrame(c.n, 1000, "Live"))
			},
			handshake: func(w http.ResponseWriter, n int) bool {
				switch {
				case n%97 == 0: // a page of the gateway
					refusals++
					w.WriteHeader(http.StatusBadGateway)
					_, _ = io.WriteString(w, "<html>502</html>")
					return true
				case n%89 == 0: // a storm of 429
					refusals++
					w.WriteHeader(http.StatusTooManyRequests)
					return true
				}
				return false
			},
		}
		rehydrated := 0
		s := dialAccounts(t, server, tokens, func(o *tastytrade.AccountStreamerOptions) {
			o.QuoteAlerts = true
			o.Rehydrate = func(context.Context, *tastytrade.AccountGap) (*tastytrade.AccountSnapshot, error) {
				rehydrated++
				return nil, nil
			}
		})
		lost, orders := 0, 0
		for n, err := range s.Notifications() {
			require.NoError(t, err)
			switch v := n.Value.(type) {
			case *tastytrade.AccountGap:
				lost += v.Lost
				assert.Error(t, v.Err)
				assert.False(t, v.Until.Before(v.Since))
				continue
			case *tastytrade.Order:
				orders++
				server.mu.Lock()
				c := server.conns[len(server.conns)-1]
				server.mu.Unlock()
				require.Equal(t, fmt.Sprint(c.n), string(v.ID), "the order of this connection, once")
				time.Sleep(time.Second) // the alerts are subscribed by now
				c.mu.Lock()
				assert.Equal(t, []string{"connect", "quote-alerts-subscribe"}, c.actions[:2])
				assert.Equal(t, []string{"5WX1", "5WX2"}, c.accounts)
				c.mu.Unlock()
				if orders > losses {
					goto done
				}
				ways[orders%len(ways)](c)
			}
		}
	done:
		assert.Equal(t, losses, lost, "every gap is told")
		assert.Equal(t, losses+1, rehydrated)
		assert.Equal(t, losses+1+refusals, server.count())
		assert.Greater(t, refusals, 15)
		require.NoError(t, s.Close()) // the bubble ends only when every goroutine has
	})
}

// A server that takes everything and says nothing is noticed by its silence.
func TestAStalledServerIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &streamer{heartbeat: func(c *streamerConn) bool { return c.n == 1 }} // the first connection stalls
		start := time.Now()
		s := dialAccounts(t, server, nil, nil)
		assert.Equal(t, []string{"gap of 1 connections, 0 dropped"}, told(take(t, s, 1)))
		assert.InDelta(t, 30.5, time.Since(start).Seconds(), 1, "a heartbeat after 20 s, 10 s of patience, and a wait")
		assert.ErrorContains(t, s.LastError(), "silent")
	})
}

// A server that acknowledges no heartbeat and sends something else is alive.
func TestAServerWithoutHeartbeatAnswersIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &streamer{heartbeat: func(c *streamerConn) bool {
			c.send(`{"type":"Ping"}`)
			return true
		}}
		dialAccounts(t, server, nil, nil)
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		assert.Equal(t, 1, server.count())
	})
}

// The wall clock jumps a day ahead and a day back: tokens are judged by it, the
// connection is not.
func TestAClockThatJumpsCostsTokensAndNoConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var jump atomic.Int64 // ns
		now := func() time.Time { return time.Now().Add(time.Duration(jump.Load())) }
		tokens := source(t, tokenServer(), func(c *tastytrade.OAuthConfig) { c.Now = now })
		server := &streamer{connected: func(c *streamerConn) {}}
		c, err := tastytrade.NewClient(tokens, &tastytrade.ClientOptions{BaseURL: "http://memory", Dial: resttest.Serve(t, server), Now: now})
		require.NoError(t, err)
		s, err := c.DialAccounts(t.Context(), &tastytrade.AccountStreamerOptions{Accounts: []tastytrade.AccountNumber{"5WX1"}, URL: "ws://memory"})
		require.NoError(t, err)
		time.Sleep(time.Minute + time.Second)
		jump.Store(int64(24 * time.Hour))
		time.Sleep(time.Minute)
		jump.Store(-int64(24 * time.Hour))
		time.Sleep(10 * time.Minute)
		require.NoError(t, s.Close())
		require.Equal(t, 1, server.count())
		used := server.conns[0].tokens
		assert.Equal(t, "Bearer access-1", used[0])
		assert.Equal(t, "Bearer access-2", used[len(used)-1])
	})
}

// A reader that takes nothing gets the latest of each object, the number of
// what is lost, and costs no more memory than the buffer.
func TestASlowReaderIsBounded(t *testing.T) {
	const buffer = 64
	synctest.Test(t, func(t *testing.T) {
		server := &streamer{}
		sent := make(chan struct{})
		server.connected = func(c *streamerConn) {
			if c.n > 1 {
				return
			}
			for i := range 3000 { // five orders, again and again
				c.send(`%s`, orderFrame(i%5, int64(i), fmt.Sprint(i)))
			}
			for i := range 1000 { // and a thousand others
				c.send(`%s`, orderFrame(100+i, int64(i), "Live"))
			}
			close(sent)
		}
		s := dialAccounts(t, server, nil, func(o *tastytrade.AccountStreamerOptions) { o.Buffer = buffer })
		<-sent
		synctest.Wait()
		server.conns[0].drop() // and the connection is lost with all that waiting
		time.Sleep(time.Minute)
		synctest.Wait()
		dropped, lost := 0, 0
		var ids []string
		for n, err := range s.Notifications() {
			require.NoError(t, err)
			switch v := n.Value.(type) {
			case *tastytrade.AccountGap:
				dropped, lost = dropped+v.Dropped, lost+v.Lost
			case *tastytrade.Order:
				ids = append(ids, string(v.ID))
			}
			if lost == 1 {
				break
			}
		}
		assert.Len(t, ids, buffer, "the buffer was full")
		assert.Equal(t, "1099", ids[len(ids)-1], "the newest are kept")
		assert.Equal(t, s.Dropped(), dropped, "every loss is told")
		assert.InDelta(t, 1000-buffer+5+buffer, dropped, float64(buffer)+1)
		require.NoError(t, s.Close())
	})
}

func TestASlowReaderCostsNoMemory(t *testing.T) {
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	synctest.Test(t, func(t *testing.T) {
		filler := strings.Repeat("x", 2000)
		sent := make(chan struct{})
		server := &streamer{connected: func(c *streamerConn) {
			for i := range 5000 { // 10 MB
				c.send(`{"type":"Order","data":{"id":%d,"account-number":"5WX1","username":"%s","updated-at":%d}}`, i, filler, epoch+i)
			}
			close(sent)
		}}
		before := heap()
		s := dialAccounts(t, server, nil, func(o *tastytrade.AccountStreamerOptions) { o.Buffer = 256 })
		<-sent
		synctest.Wait()
		after := heap()
		assert.Less(t, int64(after)-int64(before), int64(4<<20), "256 of 5,000 notifications of 2 kB are held")
		assert.Equal(t, 5000-256, s.Dropped())
		require.NoError(t, s.Close())
	})
}

// Close waits for a rehydration that is running, and ends it.
func TestCloseWaitsForTheRehydration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := false
		s := dialAccounts(t, &streamer{}, nil, func(o *tastytrade.AccountStreamerOptions) {
			o.Rehydrate = func(ctx context.Context, _ *tastytrade.AccountGap) (*tastytrade.AccountSnapshot, error) {
				<-ctx.Done()
				time.Sleep(time.Second)
				ended = true
				return nil, ctx.Err()
			}
		})
		synctest.Wait()
		require.NoError(t, s.Close())
		assert.True(t, ended)
	})
}

// One direction of the connection dies and the other goes on: what the client
// writes is swallowed.
func TestAHalfClosedConnectionIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &streamer{}
		dial := resttest.Serve(t, server)
		var last *swallowing
		c, err := tastytrade.NewClient(tastytrade.StaticTokenSource("access-secret"), &tastytrade.ClientOptions{BaseURL: "http://memory", Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := dial(ctx, network, addr)
			last = &swallowing{Conn: conn}
			return last, err
		}})
		require.NoError(t, err)
		s, err := c.DialAccounts(t.Context(), &tastytrade.AccountStreamerOptions{Accounts: []tastytrade.AccountNumber{"5WX1"}, URL: "ws://memory"})
		require.NoError(t, err)
		synctest.Wait()
		last.on.Store(true)
		assert.Equal(t, []string{"gap of 1 connections, 0 dropped"}, told(take(t, s, 1)))
		require.NoError(t, s.Close())
	})
}

type swallowing struct {
	net.Conn
	on atomic.Bool
}

func (s *swallowing) Write(p []byte) (int, error) {
	if s.on.Load() {
		return len(p), nil
	}
	return s.Conn.Write(p)
}
