package dxlink_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/tastytrade/dxlink"
)

// A fault is what a network, a server or a token may do.
type fault int

const (
	drop       fault = iota // the connection is gone without a word
	stall                   // it stays and nothing comes any more
	halfClose               // nothing comes, but what is sent goes out
	truncate                // it ends within a message
	garbage                 // bytes are not what was sent
	badGateway              // gone, and a proxy answers the next handshakes with 502 and HTML
	expired                 // the token has ended
	faults
)

func (f fault) String() string {
	return [...]string{"drop", "stall", "half-close", "truncate", "garbage", "502", "token expiry"}[f]
}

// A faultyConn is the client's end of a connection.
type faultyConn struct {
	net.Conn
	fault atomic.Int32 // + 1
	left  int          // bytes until the connection ends; negative: no end
	over  chan struct{}
	once  sync.Once
}

func (c *faultyConn) Close() error {
	c.once.Do(func() { close(c.over) })
	return c.Conn.Close()
}

func (c *faultyConn) Read(p []byte) (int, error) {
	if c.left == 0 {
		return 0, io.EOF
	}
	if c.left > 0 && len(p) > c.left {
		p = p[:c.left]
	}
	n, err := c.Conn.Read(p)
	if c.left > 0 {
		c.left -= n
	}
	switch fault(c.fault.Load() - 1) {
	case stall:
		<-c.over
		return 0, net.ErrClosed
	case halfClose:
		return 0, io.EOF
	case truncate:
		_ = c.Conn.SetReadDeadline(time.Unix(1, 0))
		if n == 0 || err != nil {
			return 0, io.EOF
		}
		return (n + 1) / 2, nil
	case garbage:
		for i := range n {
			p[i] ^= byte(0x55 + i)
		}
	}
	return n, err
}

// A faultyWorld is a fake server behind a network that fails when told to.
type faultyWorld struct {
	*fake
	mu      sync.Mutex
	last    *faultyConn
	dials   int
	tokens  int
	refuse  int // handshakes to be answered with 502
	refused int
	life    func() int // bytes of the next connection; nil: no end
}

func newFaultyWorld(t *testing.T) *faultyWorld {
	w := &faultyWorld{fake: &fake{}}
	w.subscribe = func(c *fakeConn, channel int, add []entry) {
		c.config(channel, map[string][]string{
			"Quote": quoteFields["Quote"], "Trade": {"eventSymbol", "price"}, "Candle": candleFields["Candle"],
		})
		for _, e := range add {
			switch e.Type {
			case "Quote":
				c.data(channel, "Quote", []any{"Quote", e.Symbol, 100, 101, 1, 1})
			case "Trade":
				c.data(channel, "Trade", []any{e.Symbol, 100.5})
			case "Candle":
				c.data(channel, "Candle", bar(e.Symbol, begin|end, 0, 10))
			}
		}
	}
	w.accept = func(token string) bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		return token == fmt.Sprintf("token %d", w.tokens) // the latest: an old one is refused
	}
	w.upgrade = func(rw http.ResponseWriter) bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.refuse == 0 {
			return false
		}
		w.refuse--
		w.refused++
		rw.Header().Set("Content-Type", "text/html")
		rw.WriteHeader(http.StatusBadGateway)
		_, _ = io.WriteString(rw, "<html><body>502 Bad Gateway</body></html>")
		return true
	}
	w.start(t)
	return w
}

func (w *faultyWorld) open(t *testing.T, opts dxlink.Options) *dxlink.Conn {
	opts.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := w.dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		c := &faultyConn{Conn: conn, over: make(chan struct{}), left: -1}
		if w.life != nil {
			c.left = w.life()
		}
		w.last = c
		w.dials++
		return c, nil
	}
	conn, err := dxlink.Dial(t.Context(), "ws://memory/realtime", func(context.Context) (string, error) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.tokens++
		return fmt.Sprintf("token %d", w.tokens), nil
	}, &opts)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// inject makes the current connection fail.
func (w *faultyWorld) inject(f fault) {
	w.mu.Lock()
	last := w.last
	if f == badGateway {
		w.refuse = 2
	}
	w.mu.Unlock()
	server := w.latest()
	switch f {
	case drop, badGateway:
		_ = last.Close()
	case expired:
		server.send(message{"type": "AUTH_STATE", "channel": 0, "state": "UNAUTHORIZED"})
	case halfClose:
		last.fault.Store(int32(f) + 1)
		_ = last.SetReadDeadline(time.Unix(1, 0))
	default:
		last.fault.Store(int32(f) + 1)
		server.data(1, "Quote", []any{"Quote", "SPY", 1, 2, 3, 4})
	}
}

func (f *fake) latest() *fakeConn {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.conns[len(f.conns)-1]
}

// follow reads a subscription and says on the channel when the first event of
// each of the symbols has come after a gap.
func follow[T dxlink.Event](t *testing.T, conn *dxlink.Conn, opts dxlink.SubscriptionOptions, symbolOf func(T) string, symbols ...string) (*dxlink.Subscription[T], chan int, *[]dxlink.Gap) {
	whole := make(chan int, 1)
	gaps := new([]dxlink.Gap)
	missing := map[string]bool{}
	reset := func() {
		for _, s := range symbols {
			missing[s] = true
		}
	}
	reset()
	opts.OnGap = func(g dxlink.Gap) {
		*gaps = append(*gaps, g)
		reset()
	}
	s, err := dxlink.SubscribeWith[T](t.Context(), conn, &opts, symbols...)
	require.NoError(t, err)
	go func() {
		defer close(whole)
		for e, err := range s.Events() {
			if err != nil {
				return
			}
			if missing[symbolOf(e)] {
				delete(missing, symbolOf(e))
				if len(missing) == 0 {
					whole <- len(*gaps)
				}
			}
		}
	}()
	return s, whole, gaps
}

func TestAThousandLostConnectionsLoseNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFaultyWorld(t)
		conn := w.open(t, dxlink.Options{})
		quotes, a, quoteGaps := follow(t, conn, dxlink.SubscriptionOptions{}, func(q dxlink.Quote) string { return q.Symbol }, "SPY", "QQQ", "IWM")
		trades, b, tradeGaps := follow(t, conn, dxlink.SubscriptionOptions{Policy: dxlink.KeepAll}, func(q dxlink.Trade) string { return q.Symbol }, "SPY")
		candles, c, candleGaps := follow(t, conn, dxlink.SubscriptionOptions{From: day, Policy: dxlink.Block}, func(q dxlink.Candle) string { return q.Symbol }, "SPY{=d}")
		const rounds = 1000
		for round := range rounds + 1 {
			for name, whole := range map[string]chan int{"quotes": a, "trades": b, "candles": c} {
				select {
				case n := <-whole:
					require.Equal(t, round, n, "%s: gaps in round %d", name, round)
				case <-time.After(10 * time.Minute):
					t.Fatalf("%s do not come back in round %d, after %v: %v", name, round, fault((round-1)%int(faults)), conn.LastError())
				}
			}
			if round < rounds {
				w.inject(fault(round % int(faults)))
			}
		}
		for _, gaps := range [][]dxlink.Gap{*quoteGaps, *tradeGaps, *candleGaps} {
			require.Len(t, gaps, rounds, "every loss is reported to every subscriber")
			for i, g := range gaps {
				require.Error(t, g.Err)
				require.Equal(t, 1, g.Losses)
				require.Positive(t, g.Until.Sub(g.Since))
				require.True(t, i == 0 || !g.Since.Before(gaps[i-1].Until), "gaps follow each other")
			}
		}
		assert.Equal(t, uint64(rounds), quotes.Gaps())
		assert.Zero(t, candles.Dropped())
		stats := conn.Stats()
		assert.Equal(t, uint64(rounds+1), stats.Connections)
		assert.Equal(t, w.dials, w.tokens, "a new token for each attempt")
		assert.Positive(t, w.refused)
		assert.Empty(t, w.violations())

		require.NoError(t, quotes.Close())
		require.NoError(t, trades.Close())
		require.NoError(t, candles.Close())
		for _, whole := range []chan int{a, b, c} {
			_, open := <-whole
			assert.False(t, open, "the loops have ended")
		}
	})
}

// TestConnectionsThatEndAnywhere cuts connections after any number of bytes, in
// the handshake, between subscriptions and within messages, while symbols come
// and go. At the end the server must have what the client wants.
func TestConnectionsThatEndAnywhere(t *testing.T) {
	for seed := range uint64(2) {
		synctest.Test(t, func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 1))
			w := newFaultyWorld(t)
			conn := w.open(t, dxlink.Options{})
			quotes, err := dxlink.Subscribe[dxlink.Quote](t.Context(), conn, "S0")
			require.NoError(t, err)
			trades, err := dxlink.Subscribe[dxlink.Trade](t.Context(), conn, "S0")
			require.NoError(t, err)
			var cuts sync.Mutex // guards lives and lengths
			lives, lengths := 150, rand.New(rand.NewPCG(seed, 2))
			w.mu.Lock()
			w.life = func() int {
				cuts.Lock()
				defer cuts.Unlock()
				if lives--; lives < 0 {
					return -1
				}
				return 1 + lengths.IntN(3000)
			}
			w.mu.Unlock()
			synctest.Wait()
			w.inject(drop)
			want := map[entry]bool{{"Quote", "S0", 0}: true, {"Trade", "S0", 0}: true}
			for range 600 {
				symbol := fmt.Sprintf("S%d", r.IntN(30))
				switch r.IntN(4) {
				case 0:
					require.NoError(t, quotes.Add(symbol))
					want[entry{"Quote", symbol, 0}] = true
				case 1:
					require.NoError(t, quotes.Remove(symbol))
					delete(want, entry{"Quote", symbol, 0})
				case 2:
					require.NoError(t, trades.Add(symbol))
					want[entry{"Trade", symbol, 0}] = true
				case 3:
					require.NoError(t, trades.Remove(symbol))
					delete(want, entry{"Trade", symbol, 0})
				}
				time.Sleep(time.Duration(r.IntN(10_000)) * time.Millisecond)
			}
			for range 1000 { // until the network is well
				cuts.Lock()
				well := lives < 0
				cuts.Unlock()
				if synctest.Wait(); well && conn.Connected() {
					break
				}
				if conn.Connected() {
					w.inject(drop)
				}
				time.Sleep(time.Minute)
			}
			time.Sleep(time.Minute)
			synctest.Wait()
			require.True(t, conn.Connected())
			server := w.latest()
			server.mu.Lock()
			assert.Equal(t, want, server.subs)
			server.mu.Unlock()
			stats := conn.Stats()
			assert.Greater(t, stats.Connections, uint64(20))
			assert.Equal(t, stats.Connections-1, quotes.Gaps())
			assert.Equal(t, stats.Connections-1, trades.Gaps())
			assert.Empty(t, w.violations())
		})
	}
}

func TestEachFaultIsHealed(t *testing.T) {
	for f := range faults {
		t.Run(f.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newFaultyWorld(t)
				conn := w.open(t, dxlink.Options{})
				s, whole, gaps := follow(t, conn, dxlink.SubscriptionOptions{}, func(q dxlink.Quote) string { return q.Symbol }, "SPY")
				<-whole
				start := time.Now()
				w.inject(f)
				assert.Equal(t, 1, <-whole)
				// At worst the silence of one keepalive timeout, and three waits.
				assert.Less(t, time.Since(start), time.Minute+5*time.Second)
				assert.Len(t, *gaps, 1)
				assert.Error(t, conn.LastError())
				assert.NotContains(t, conn.LastError().Error(), "token ", "no token in an error")
				require.NoError(t, s.Close())
			})
		})
	}
}

func TestMessagesThatComeTwiceOrInAnotherOrderDoNoHarm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := (&fake{subscribe: func(c *fakeConn, ch int, add []entry) {
			if add[0].Type == "Candle" {
				c.config(ch, candleFields)
				for range 2 {
					c.data(ch, "Candle", bar(add[0].Symbol, begin, 2, 12))
				}
				for range 2 {
					c.data(ch, "Candle", bar(add[0].Symbol, 0, 1, 11))
				}
				c.data(ch, "Candle", bar(add[0].Symbol, end, 0, 10))
				c.data(ch, "Candle", bar(add[0].Symbol, end, 0, 10))
				return
			}
			c.data(ch, "Quote", []any{1, 2}) // before its configuration
			c.send(message{"type": "CHANNEL_OPENED", "channel": ch})
			quoting(c, ch, add)
			quoting(c, ch, add)
			c.send(message{"type": "AUTH_STATE", "channel": 0, "state": "AUTHORIZED"})
			c.send(message{"type": "SETUP", "channel": 0, "keepaliveTimeout": 60})
		}}).start(t)
		conn := f.connect(nil)
		s, err := dxlink.SubscribeWith[dxlink.Quote](t.Context(), conn, &dxlink.SubscriptionOptions{Policy: dxlink.KeepAll}, "SPY")
		require.NoError(t, err)
		synctest.Wait()
		assert.Equal(t, 2, s.Buffered())
		assert.Len(t, f.received("FEED_SUBSCRIPTION"), 1, "a channel opened twice is subscribed once")
		h, err := conn.CandleHistory(t.Context(), dxlink.CandleRequest{Symbol: "SPY", Period: "d"})
		require.NoError(t, err)
		assert.Equal(t, []int{14, 15, 16}, days(h.Candles))
		assert.Equal(t, dxlink.Complete, h.State)
		assert.Equal(t, uint64(1), conn.Stats().Rejected)
		assert.True(t, conn.Connected())
	})
}

func TestAClockThatJumpsDoesNotChangeAGap(t *testing.T) {
	for _, jump := range []time.Duration{-365 * 24 * time.Hour, 365 * 24 * time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			w := newFaultyWorld(t)
			var set atomic.Int64
			conn := w.open(t, dxlink.Options{Now: func() time.Time { return time.Now().Add(time.Duration(set.Load())) }})
			s, whole, gaps := follow(t, conn, dxlink.SubscriptionOptions{}, func(q dxlink.Quote) string { return q.Symbol }, "SPY")
			<-whole
			time.Sleep(10 * time.Minute)
			set.Store(int64(jump))
			time.Sleep(10 * time.Minute)
			assert.Equal(t, uint64(1), conn.Stats().Connections, "silence and keepalives are measured, not dated")
			w.inject(drop)
			set.Store(int64(-jump))
			<-whole
			took := (*gaps)[0].Until.Sub((*gaps)[0].Since)
			assert.GreaterOrEqual(t, took, 250*time.Millisecond)
			assert.LessOrEqual(t, took, 500*time.Millisecond)
			require.NoError(t, s.Close())
		})
	}
}

func TestASlowReaderDoesNotFillTheMemory(t *testing.T) {
	const size, events = 995, 20_000 // a message has ten events
	for _, tt := range []struct {
		name    string
		policy  dxlink.Policy
		most    int
		dropped uint64
	}{
		{"conflate keeps one of each symbol", dxlink.Conflate, 10, events - 10},
		{"keep all drops the oldest", dxlink.KeepAll, size, events - size},
		{"block keeps what fits and the message behind it", dxlink.Block, size + 5, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var sent atomic.Int64
				f := (&fake{subscribe: func(c *fakeConn, ch int, _ []entry) {
					c.config(ch, quoteFields)
					go func() { // so that the server goes on listening
						for i := range events / 10 {
							var flat []any
							for n := range 10 {
								flat = append(flat, "Quote", fmt.Sprintf("S%d", n), 10*i+n, 0, 1, 1)
							}
							c.data(ch, "Quote", flat)
							sent.Add(10)
						}
					}()
				}}).start(t)
				conn := f.connect(nil)
				var symbols []string
				for n := range 10 {
					symbols = append(symbols, fmt.Sprintf("S%d", n))
				}
				s, err := dxlink.SubscribeWith[dxlink.Quote](t.Context(), conn, &dxlink.SubscriptionOptions{Policy: tt.policy, Size: size}, symbols...)
				require.NoError(t, err)
				time.Sleep(30 * time.Second) // the consumer
				assert.Equal(t, tt.most, s.Buffered())
				assert.Equal(t, tt.dropped, s.Dropped())
				if tt.policy == dxlink.Block {
					assert.Less(t, int(sent.Load()), size+10*(64+10), "the server waits")
					n := 0.0
					for q, err := range s.Events() {
						require.NoError(t, err)
						require.Equal(t, n, q.Bid, "every event, in order")
						if n++; n == events {
							break
						}
					}
				}
				assert.Equal(t, uint64(1), conn.Stats().Connections)
				require.NoError(t, s.Close())
				assert.Zero(t, s.Buffered())
			})
		})
	}
}

func TestAReaderThatWaitsForRoomIsNotTakenForASilentServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := (&fake{subscribe: func(c *fakeConn, ch int, _ []entry) {
			c.config(ch, quoteFields)
			c.data(ch, "Quote", []any{"Quote", "SPY", 1, 2, 3, 4, "Quote", "SPY", 2, 2, 3, 4})
		}}).start(t)
		conn := f.connect(nil)
		s, err := dxlink.SubscribeWith[dxlink.Quote](t.Context(), conn, &dxlink.SubscriptionOptions{Policy: dxlink.Block, Size: 1}, "SPY")
		require.NoError(t, err)
		time.Sleep(10 * time.Minute)
		assert.Equal(t, uint64(1), conn.Stats().Connections)
		assert.GreaterOrEqual(t, len(f.received("KEEPALIVE")), 19, "the client speaks all the same")
		require.NoError(t, s.Close(), "and a full buffer does not keep it from closing")
		synctest.Wait()
		_, _, err = dxlink.Latest[dxlink.Quote](t.Context(), conn, "SPY")
		require.NoError(t, err, "the connection is read again")
	})
}

func TestGapsOfAConsumerThatStandsStillAreAllThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFaultyWorld(t)
		conn := w.open(t, dxlink.Options{MinBackoff: time.Millisecond})
		losses := 0
		s, err := dxlink.SubscribeWith[dxlink.Quote](t.Context(), conn, &dxlink.SubscriptionOptions{Size: 2, OnGap: func(g dxlink.Gap) { losses += g.Losses }}, "SPY", "QQQ", "IWM")
		require.NoError(t, err)
		const rounds = 40
		for range rounds {
			synctest.Wait()
			w.inject(drop)
			time.Sleep(time.Minute)
		}
		assert.LessOrEqual(t, s.Buffered(), 2)
		n := 0
		for range s.Events() {
			if n++; s.Buffered() == 0 {
				break
			}
		}
		assert.Equal(t, rounds, losses, "also those whose events were pushed out")
		assert.Equal(t, uint64(rounds), s.Gaps())
	})
}
