package dxlink_test

import (
	"context"
	"fmt"
	"math"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/ttai-go/ttai/tastytrade/dxlink"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var quoteFields = map[string][]string{"Quote": {"eventType", "eventSymbol", "bidPrice", "askPrice", "bidSize", "askSize"}}

// quoting answers every quote subscription with one quote: bid 100, ask 101.
func quoting(c *fakeConn, channel int, add []entry) {
	c.config(channel, quoteFields)
	var flat []any
	for _, e := range add {
		if e.Type == "Quote" && e.Symbol != "NOPE" {
			flat = append(flat, "Quote", e.Symbol, 100, 101.5, "NaN", 3.5)
		}
	}
	c.data(channel, "Quote", flat)
}

func TestTheHandshakeIsStrict(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := (&fake{subscribe: quoting}).start(t)
		c := f.connect(&dxlink.Options{UserAgent: "bot/2.1"})
		got, missing, err := dxlink.Latest[dxlink.Quote](t.Context(), c, "SPY", "QQQ")
		require.NoError(t, err)
		assert.Empty(t, missing)
		assert.Len(t, got, 2)
		assert.Empty(t, f.violations())

		setup := f.received("SETUP")[0]
		assert.Equal(t, "0.1-bot/2.1", setup["version"])
		assert.Equal(t, 60.0, setup["keepaliveTimeout"])
		request := f.received("CHANNEL_REQUEST")
		require.Len(t, request, 1, "one channel for everything but candles")
		assert.Equal(t, message{"contract": "AUTO"}, request[0]["parameters"])
		feed := f.received("FEED_SETUP")[0]
		assert.Equal(t, "COMPACT", feed["acceptDataFormat"])
		assert.Equal(t, 0.1, feed["acceptAggregationPeriod"])
	})
}

func TestAServerThatDoesNotAskForTheTokenGetsItAllTheSame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := (&fake{hello: true}).start(t)
		f.connect(nil)
		assert.Empty(t, f.violations())
	})
}

func TestARefusedTokenIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := (&fake{tokens: []string{"right"}}).start(t)
		_, err := dxlink.Dial(t.Context(), "ws://memory", func(context.Context) (string, error) { return "wrong-secret", nil }, &dxlink.Options{Dial: f.dial})
		require.ErrorIs(t, err, dxlink.ErrUnauthorized)
		assert.NotContains(t, err.Error(), "wrong-secret")
	})
}

func TestCompactDataFollowsTheLatestConfiguration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := (&fake{subscribe: func(c *fakeConn, channel int, add []entry) {
			// A part of the fields asked for, in another order, then changed.
			c.config(channel, map[string][]string{"Quote": {"askPrice", "eventSymbol", "bidPrice"}})
			c.data(channel, "Quote", []any{2.5, "A", 1.5, "NaN", "B", "-Infinity"}, "Unknown", []any{1, 2, 3}, "Quote", []any{4, "C", 3})
			c.config(channel, map[string][]string{"Quote": {"eventSymbol", "bidPrice"}})
			c.data(channel, "Quote", []any{"D", 7})
		}}).start(t)
		got, _, err := dxlink.Latest[dxlink.Quote](t.Context(), f.connect(nil), "A", "B", "C", "D")
		require.NoError(t, err)
		assert.Equal(t, 1.5, got["A"].Bid)
		assert.Equal(t, 2.5, got["A"].Ask)
		assert.True(t, math.IsNaN(got["B"].Ask))
		assert.True(t, math.IsInf(got["B"].Bid, -1))
		assert.True(t, math.IsNaN(got["A"].BidSize), "not sent is unknown, not zero")
		assert.Equal(t, 3.0, got["C"].Bid, "several types in one message")
		assert.Equal(t, 7.0, got["D"].Bid)
		assert.True(t, math.IsNaN(got["D"].Ask))
	})
}

func TestFullDataIsRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := (&fake{subscribe: func(c *fakeConn, channel int, _ []entry) {
			c.send(message{"type": "FEED_CONFIG", "channel": channel, "dataFormat": "FULL", "aggregationPeriod": 0.1})
			c.data(channel,
				message{"eventType": "Greeks", "eventSymbol": ".SPY261218C500", "index": int64(7_300_000_000_000_000_123), "volatility": 0.21, "delta": "0.5", "time": 1_789_000_000_000, "theta": "NaN"},
				message{"eventType": "Profile", "eventSymbol": "SPY"})
		}}).start(t)
		got, _, err := dxlink.Latest[dxlink.Greeks](t.Context(), f.connect(&dxlink.Options{Format: dxlink.Full}), ".SPY261218C500")
		require.NoError(t, err)
		g := got[".SPY261218C500"]
		assert.Equal(t, int64(7_300_000_000_000_000_123), g.Index, "beyond what a float64 holds")
		assert.Equal(t, 0.5, g.Delta)
		assert.True(t, math.IsNaN(g.Theta))
		assert.Equal(t, time.UnixMilli(1_789_000_000_000).UTC(), g.Time)
	})
}

func TestLatestNamesTheMissing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := (&fake{subscribe: quoting}).start(t)
		c := f.connect(nil)
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		start := time.Now()
		got, missing, err := dxlink.Latest[dxlink.Quote](ctx, c, "SPY", "NOPE", "NOPE", "QQQ")
		require.NoError(t, err)
		assert.Equal(t, []string{"NOPE"}, missing)
		assert.Len(t, got, 2)
		assert.Equal(t, 3*time.Second, time.Since(start))

		synctest.Wait()
		removed := f.received("FEED_SUBSCRIPTION")
		assert.Len(t, entries(removed[len(removed)-1], "remove"), 3, "a snapshot leaves no subscription behind")
	})
}

func TestASecondSubscriberGetsWhatTheFirstOneHas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := (&fake{subscribe: quoting}).start(t)
		c := f.connect(nil)
		first, err := dxlink.Subscribe[dxlink.Quote](t.Context(), c, "SPY")
		require.NoError(t, err)
		synctest.Wait()
		got, missing, err := dxlink.Latest[dxlink.Quote](t.Context(), c, "SPY")
		require.NoError(t, err)
		assert.Empty(t, missing)
		assert.Equal(t, 100.0, got["SPY"].Bid)
		assert.Len(t, f.received("FEED_SUBSCRIPTION"), 1, "the server is asked once")
		require.NoError(t, first.Close())
		synctest.Wait()
		assert.Len(t, f.received("FEED_SUBSCRIPTION"), 2, "and told when no one is left")
	})
}

func TestLargeSubscriptionsAreCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := (&fake{subscribe: quoting}).start(t)
		symbols := make([]string, 1001)
		for i := range symbols {
			symbols[i] = fmt.Sprintf("S%d", i)
		}
		got, missing, err := dxlink.Latest[dxlink.Quote](t.Context(), f.connect(nil), symbols...)
		require.NoError(t, err)
		assert.Empty(t, missing)
		assert.Len(t, got, 1001)
		total := 0
		for _, m := range f.received("FEED_SUBSCRIPTION") {
			n := len(entries(m, "add"))
			assert.LessOrEqual(t, n, 250)
			total += n
		}
		assert.Equal(t, 1001, total)
	})
}

func TestASlowConsumerGetsTheLatest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := (&fake{subscribe: func(c *fakeConn, channel int, _ []entry) {
			c.config(channel, quoteFields)
			for i := range 100 {
				c.data(channel, "Quote", []any{"Quote", "SPY", i, i + 1, 1, 1, "Quote", "QQQ", 2 * i, 2 * i, 1, 1})
			}
		}}).start(t)
		s, err := dxlink.Subscribe[dxlink.Quote](t.Context(), f.connect(nil), "SPY", "QQQ")
		require.NoError(t, err)
		synctest.Wait() // the consumer sleeps while a hundred updates come
		var bids []float64
		for q, err := range s.Events() {
			require.NoError(t, err)
			if bids = append(bids, q.Bid); len(bids) == 2 {
				break
			}
		}
		assert.Equal(t, []float64{99, 198}, bids)
		assert.Equal(t, uint64(198), s.Dropped())
		require.NoError(t, s.Close())
		for range s.Events() {
			t.Error("an event after Close")
		}
	})
}

func TestKeepAllDropsTheOldest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := (&fake{subscribe: func(c *fakeConn, channel int, _ []entry) {
			c.config(channel, quoteFields)
			for i := range 10 {
				c.data(channel, "Quote", []any{"Quote", "SPY", i, i, 1, 1})
			}
		}}).start(t)
		s, err := dxlink.SubscribeWith[dxlink.Quote](t.Context(), f.connect(nil), &dxlink.SubscriptionOptions{Policy: dxlink.KeepAll, Size: 4}, "SPY")
		require.NoError(t, err)
		defer s.Close()
		synctest.Wait()
		var bids []float64
		for q := range s.Events() {
			if bids = append(bids, q.Bid); q.Bid == 9 {
				break
			}
		}
		assert.Equal(t, []float64{6, 7, 8, 9}, bids)
		assert.Equal(t, uint64(6), s.Dropped())
	})
}

func TestALostConnectionComesBackWithANewTokenAndAGap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := (&fake{tokens: []string{"first", "second"}, subscribe: quoting}).start(t)
		c := f.connect(nil)
		var gaps []dxlink.Gap
		s, err := dxlink.SubscribeWith[dxlink.Quote](t.Context(), c, &dxlink.SubscriptionOptions{OnGap: func(g dxlink.Gap) { gaps = append(gaps, g) }}, "SPY")
		require.NoError(t, err)
		defer s.Close()
		require.NoError(t, s.Add("QQQ"))
		synctest.Wait()
		f.conn(0).drop()
		synctest.Wait()
		assert.False(t, c.Connected())
		time.Sleep(time.Minute)
		synctest.Wait()
		assert.True(t, c.Connected())
		assert.Equal(t, uint64(1), s.Gaps())
		n, afterGap := 0, 0
		for _, err := range s.Events() {
			require.NoError(t, err)
			if len(gaps) > 0 {
				afterGap++
			}
			if n++; n == 4 {
				break
			}
		}
		require.Len(t, gaps, 1)
		assert.Equal(t, 2, afterGap, "the gap stands between the events of the two connections")
		assert.Error(t, gaps[0].Err)
		wait := gaps[0].Until.Sub(gaps[0].Since)
		assert.GreaterOrEqual(t, wait, 250*time.Millisecond)
		assert.LessOrEqual(t, wait, 500*time.Millisecond)
		tokens := f.received("AUTH")
		assert.Equal(t, []any{"first", "second"}, []any{tokens[0]["token"], tokens[1]["token"]})
		assert.Empty(t, f.violations())
	})
}

func TestKeepaliveGoesBothWays(t *testing.T) {
	t.Run("the client speaks within half of the server's timeout", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			f := (&fake{keepalive: 20}).start(t)
			c := f.connect(nil)
			time.Sleep(61 * time.Second)
			synctest.Wait()
			assert.Len(t, f.received("KEEPALIVE"), 6)
			assert.True(t, c.Connected())
			assert.Len(t, f.received("SETUP"), 1)
		})
	})
	t.Run("a silent server is left", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			f := (&fake{silent: true}).start(t)
			c := f.connect(nil)
			time.Sleep(59 * time.Second)
			synctest.Wait()
			assert.Len(t, f.received("SETUP"), 1)
			time.Sleep(2 * time.Second)
			synctest.Wait()
			assert.Len(t, f.received("SETUP"), 2)
			assert.ErrorContains(t, c.LastError(), "silent")
		})
	})
}

func TestTokensRefusedAgainAndAgainEndTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := (&fake{tokens: []string{"good"}}).start(t)
		n := 0
		c, err := dxlink.Dial(t.Context(), "ws://memory", func(context.Context) (string, error) {
			if n++; n == 1 {
				return "good", nil
			}
			return "bad", nil
		}, &dxlink.Options{Dial: f.dial})
		require.NoError(t, err)
		s, err := dxlink.Subscribe[dxlink.Trade](t.Context(), c, "SPY")
		require.NoError(t, err)
		f.conn(0).drop()
		<-c.Done()
		require.ErrorIs(t, c.Err(), dxlink.ErrUnauthorized)
		for _, err := range s.Events() {
			require.ErrorIs(t, err, dxlink.ErrUnauthorized)
		}
		assert.Equal(t, 4, n, "three refusals")
		_, err = dxlink.Subscribe[dxlink.Trade](t.Context(), c, "SPY")
		require.ErrorIs(t, err, dxlink.ErrUnauthorized)
		require.NoError(t, c.Close())
	})
}

func TestAServerThatIsGoneIsTriedUntilTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := (&fake{}).start(t)
		down := false
		dial := f.dial
		f.dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			if down {
				return nil, &net.OpError{Op: "dial", Err: net.ErrClosed}
			}
			return dial(ctx, network, addr)
		}
		c := f.connect(&dxlink.Options{MaxAttempts: 5})
		down = true
		start := time.Now()
		f.conn(0).drop()
		<-c.Done()
		require.ErrorIs(t, c.Err(), dxlink.ErrUnavailable)
		waited := time.Since(start) // waits of 0.5, 1, 2, 4, 8 s, each between the half and the whole
		assert.GreaterOrEqual(t, waited, 7750*time.Millisecond)
		assert.LessOrEqual(t, waited, 15500*time.Millisecond)
	})
}

func TestASubscriptionEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := (&fake{}).start(t)
		ctx, cancel := context.WithCancel(t.Context())
		s, err := dxlink.Subscribe[dxlink.Quote](ctx, f.connect(nil), "SPY")
		require.NoError(t, err)
		time.AfterFunc(time.Second, cancel)
		var last error
		for _, err := range s.Events() {
			last = err
		}
		require.ErrorIs(t, last, context.Canceled)
		require.ErrorIs(t, s.Add("QQQ"), dxlink.ErrClosed)
	})
}

func TestClosingTheConnectionEndsEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := (&fake{}).start(t)
		c := f.connect(nil)
		s, err := dxlink.Subscribe[dxlink.Quote](t.Context(), c, "SPY")
		require.NoError(t, err)
		time.AfterFunc(time.Second, func() { _ = c.Close() })
		_, err = c.Candles(t.Context(), dxlink.CandleRequest{Symbol: "SPY", Period: "d"})
		require.ErrorIs(t, err, dxlink.ErrClosed)
		for _, err := range s.Events() {
			require.ErrorIs(t, err, dxlink.ErrClosed)
		}
		_, _, err = dxlink.Latest[dxlink.Quote](t.Context(), c, "SPY")
		require.ErrorIs(t, err, dxlink.ErrClosed)
	})
}

func TestNonsenseFromTheServerDoesNotEndTheStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := (&fake{subscribe: func(c *fakeConn, channel int, add []entry) {
			c.data(channel, "Quote", []any{1, 2, 3})
			c.data(channel, "Quote")
			c.data(channel, 5)
			c.send(message{"type": "FEED_DATA", "channel": channel, "data": "x"})
			c.send(message{"type": "FEED_DATA", "channel": 99, "data": []any{}})
			c.send(message{"type": "SOMETHING_NEW", "channel": channel})
			c.send(message{"type": "ERROR", "channel": channel, "error": "BAD_ACTION", "message": "subscription size is too big"})
			quoting(c, channel, add)
		}}).start(t)
		c := f.connect(nil)
		got, _, err := dxlink.Latest[dxlink.Quote](t.Context(), c, "SPY")
		require.NoError(t, err)
		assert.Equal(t, 100.0, got["SPY"].Bid)
		var p *dxlink.ProtocolError
		require.ErrorAs(t, c.LastError(), &p)
		assert.Equal(t, "BAD_ACTION", p.Code)
	})
}

// One symbol too many on a channel that several share: the server does not say
// whose it was, so everybody hears of it and goes on.
func TestARefusalOnASharedChannelReachesEverySubscription(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := (&fake{subscribe: func(c *fakeConn, channel int, add []entry) {
			if len(add) > 0 && add[0].Symbol == "TOO MANY" {
				c.send(message{"type": "ERROR", "channel": channel, "error": "BAD_ACTION", "message": "subscription size is too big"})
				return
			}
			quoting(c, channel, add)
		}}).start(t)
		c := f.connect(nil)
		told := 0
		quotes, err := dxlink.SubscribeWith[dxlink.Quote](t.Context(), c, &dxlink.SubscriptionOptions{OnRefusal: func(err error) {
			var p *dxlink.ProtocolError
			require.ErrorAs(t, err, &p)
			assert.Equal(t, "BAD_ACTION", p.Code)
			told++
		}}, "SPY")
		require.NoError(t, err)
		defer quotes.Close()
		for q, err := range quotes.Events() {
			require.NoError(t, err)
			assert.Equal(t, "SPY", q.Symbol)
			break
		}
		require.NoError(t, quotes.Refused())

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, missing, err := dxlink.Latest[dxlink.Quote](ctx, c, "TOO MANY")
		assert.Equal(t, []string{"TOO MANY"}, missing)
		var p *dxlink.ProtocolError
		require.ErrorAs(t, err, &p, "the deadline alone would be no error")

		require.ErrorAs(t, quotes.Refused(), &p)
		require.NoError(t, quotes.Add("QQQ"))
		for q, err := range quotes.Events() {
			require.NoError(t, err)
			if q.Symbol == "QQQ" {
				break
			}
		}
		assert.Equal(t, 1, told, "once, within the loop")
		assert.NoError(t, c.Err())
	})
}

func TestBadArgumentsAreNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		token := func(context.Context) (string, error) { return "t", nil }
		var field *dxlink.FieldError
		for name, f := range map[string]func() error{
			"url":   func() error { _, err := dxlink.Dial(t.Context(), "ws://example.com/x", token, nil); return err },
			"token": func() error { _, err := dxlink.Dial(t.Context(), "wss://example.com/x", nil, nil); return err },
			"Format": func() error {
				_, err := dxlink.Dial(t.Context(), "wss://x", token, &dxlink.Options{Format: "XML"})
				return err
			},
			"Period": func() error { _, err := dxlink.CandleSymbol("SPY", "5 minutes", false); return err },
		} {
			require.ErrorAs(t, f(), &field, name)
			assert.Equal(t, name, field.Field)
		}
		c := (&fake{}).start(t).connect(nil)
		_, err := dxlink.Subscribe[dxlink.Quote](t.Context(), c, "SPY", "")
		require.ErrorAs(t, err, &field)
		_, err = dxlink.SubscribeWith[dxlink.Quote](t.Context(), c, &dxlink.SubscriptionOptions{From: time.Now()}, "SPY")
		require.ErrorAs(t, err, &field)
	})
}

func TestASlowHandshakeEndsWithItsTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dial := func(context.Context, string, string) (net.Conn, error) {
			client, server := net.Pipe()
			go func() { // reads the request and never answers
				buf := make([]byte, 4096)
				for {
					if _, err := server.Read(buf); err != nil {
						return
					}
				}
			}()
			return client, nil
		}
		start := time.Now()
		_, err := dxlink.Dial(t.Context(), "ws://memory", func(context.Context) (string, error) { return "t", nil }, &dxlink.Options{Dial: dial})
		require.ErrorIs(t, err, dxlink.ErrUnavailable)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, 15*time.Second, time.Since(start))
	})
}

func TestManySubscriptionsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := (&fake{subscribe: quoting}).start(t)
		c := f.connect(nil)
		errs := make(chan error)
		for i := range 20 {
			go func() {
				symbol := string(rune('A' + i%5))
				got, missing, err := dxlink.Latest[dxlink.Quote](t.Context(), c, symbol)
				if err == nil && (len(missing) > 0 || got[symbol].Bid != 100) {
					err = fmt.Errorf("%s: %v %v", symbol, got, missing)
				}
				errs <- err
			}()
		}
		for range 20 {
			require.NoError(t, <-errs)
		}
		synctest.Wait()
		balance := map[string]int{}
		for _, m := range f.received("FEED_SUBSCRIPTION") {
			for _, e := range entries(m, "add") {
				balance[e.Symbol]++
			}
			for _, e := range entries(m, "remove") {
				balance[e.Symbol]--
			}
		}
		for symbol, n := range balance {
			assert.Zero(t, n, "%s is still subscribed at the server", symbol)
		}
		assert.False(t, slices.ContainsFunc(f.violations(), func(s string) bool { return strings.TrimSpace(s) != "" }))
	})
}
