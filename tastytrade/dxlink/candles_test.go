package dxlink_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/tastytrade/dxlink"
)

var candleFields = map[string][]string{"Candle": {"eventSymbol", "eventFlags", "index", "time", "open", "high", "low", "close", "volume"}}

// The flags of a snapshot, by the values of the protocol's documentation.
const (
	pending = 0x01
	remove  = 0x02
	begin   = 0x04
	end     = 0x08
	snip    = 0x10
)

var day = time.Date(2026, 9, 14, 0, 0, 0, 0, time.UTC)

// bar is one candle record n days after the 14th.
func bar(symbol string, flags, n int, price any) []any {
	at := day.AddDate(0, 0, n).UnixMilli()
	return []any{symbol, flags, at << 22, at, price, price, price, price, 1000}
}

func candleServer(t *testing.T, send func(c *fakeConn, channel int, symbol string)) (*fake, *dxlink.Conn) {
	f := (&fake{subscribe: func(c *fakeConn, channel int, add []entry) {
		for _, e := range add {
			if e.Type == "Candle" {
				c.config(channel, candleFields)
				send(c, channel, e.Symbol)
			}
		}
	}}).start(t)
	return f, f.connect(nil)
}

func days(candles []dxlink.Candle) (out []int) {
	for _, c := range candles {
		out = append(out, c.Time.Day())
	}
	return out
}

func TestCandlesArePutTogether(t *testing.T) {
	join := func(records ...[]any) (out []any) {
		for _, r := range records {
			out = append(out, r...)
		}
		return out
	}
	for _, tt := range []struct {
		name string
		send func(c *fakeConn, ch int, s string)
		want []int
	}{
		{"newest first, over several messages", func(c *fakeConn, ch int, s string) {
			c.data(ch, "Candle", join(bar(s, begin, 2, 12), bar(s, 0, 1, 11)))
			c.data(ch, "Candle", bar(s, end, 0, 10))
		}, []int{14, 15, 16}},
		{"snipped", func(c *fakeConn, ch int, s string) {
			c.data(ch, "Candle", join(bar(s, begin, 1, 12), bar(s, snip, 0, 11)))
		}, []int{14, 15}},
		{"empty", func(c *fakeConn, ch int, s string) {
			c.data(ch, "Candle", bar(s, begin|end|remove, 0, "NaN"))
		}, nil},
		{"the end is a removal", func(c *fakeConn, ch int, s string) {
			c.data(ch, "Candle", join(bar(s, begin, 1, 12), bar(s, end|remove, 0, "NaN")))
		}, []int{15}},
		{"a change is pending behind the end", func(c *fakeConn, ch int, s string) {
			c.data(ch, "Candle", join(bar(s, begin|pending, 1, 12), bar(s, end|pending, 0, 11)))
			c.data(ch, "Candle", bar(s, 0, 2, 13))
		}, []int{14, 15, 16}},
		{"a second begin starts over", func(c *fakeConn, ch int, s string) {
			c.data(ch, "Candle", join(bar(s, begin, 2, 12), bar(s, begin, 1, 11), bar(s, end, 0, 10)))
		}, []int{14, 15}},
		{"an event without prices is no candle", func(c *fakeConn, ch int, s string) {
			c.data(ch, "Candle", join(bar(s, begin, 2, 12), bar(s, 0, 1, "NaN"), bar(s, end, 0, 10)))
		}, []int{14, 16}},
		{"the same candle twice is one", func(c *fakeConn, ch int, s string) {
			c.data(ch, "Candle", join(bar(s, begin, 1, 12), bar(s, 0, 1, 12), bar(s, end, 0, 10)))
		}, []int{14, 15}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, c := candleServer(t, tt.send)
				got, err := c.Candles(t.Context(), dxlink.CandleRequest{Symbol: "SPY", Period: "1d", From: day.AddDate(0, 0, -5)})
				require.NoError(t, err)
				assert.Equal(t, tt.want, days(got))
				synctest.Wait()
				assert.Empty(t, f.violations())
				request := f.received("CHANNEL_REQUEST")[0]
				assert.Equal(t, message{"contract": "HISTORY"}, request["parameters"], "AUTO gives empty snapshots since 2026-09")
				add := entries(f.received("FEED_SUBSCRIPTION")[0], "add")
				assert.Equal(t, []entry{{"Candle", "SPY{=d}", day.AddDate(0, 0, -5).UnixMilli()}}, add)
				assert.Len(t, f.received("CHANNEL_CANCEL"), 1)
			})
		})
	}
}

func TestCandlesKeepToTheRange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, c := candleServer(t, func(c *fakeConn, ch int, s string) {
			for n := 5; n >= 0; n-- {
				flags := map[int]int{5: begin, 0: end}[n]
				c.data(ch, "Candle", bar(s, flags, n, 10+n))
			}
		})
		got, err := c.Candles(t.Context(), dxlink.CandleRequest{Symbol: "SPY", Period: "d", From: day.AddDate(0, 0, 1), To: day.AddDate(0, 0, 4)})
		require.NoError(t, err)
		assert.Equal(t, []int{15, 16, 17}, days(got))
		assert.Equal(t, 11.0, got[0].Open)
	})
}

func TestCandlesThatDoNotEndAreGivenWithAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, c := candleServer(t, func(c *fakeConn, ch int, s string) { c.data(ch, "Candle", bar(s, begin, 2, 12)) })
		start := time.Now()
		got, err := c.Candles(t.Context(), dxlink.CandleRequest{Symbol: "SPY", Period: "d"})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, []int{16}, days(got))
		assert.Equal(t, 10*time.Second, time.Since(start))
	})
}

func TestCandlesSurviveALostConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lost := false
		_, c := candleServer(t, func(c *fakeConn, ch int, s string) {
			if !lost {
				lost = true
				c.data(ch, "Candle", bar(s, begin, 9, 99)) // must not be in the result
				c.drop()
				return
			}
			c.data(ch, "Candle", bar(s, begin|end, 0, 10))
		})
		got, err := c.Candles(t.Context(), dxlink.CandleRequest{Symbol: "SPY", Period: "d"})
		require.NoError(t, err)
		assert.Equal(t, []int{14}, days(got))
	})
}

func TestARefusedCandleRequestSaysWhy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, c := candleServer(t, func(c *fakeConn, ch int, s string) {
			c.send(message{"type": "ERROR", "channel": ch, "error": "BAD_ACTION", "message": "subscription size is too big"})
		})
		_, err := c.Candles(t.Context(), dxlink.CandleRequest{Symbol: "SPY", Period: "d"})
		var p *dxlink.ProtocolError
		require.ErrorAs(t, err, &p)
	})
}

func TestManyCandleRequestsAreSpaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		open, most := 0, 0
		f := (&fake{}).start(t)
		f.opened = func(*fakeConn, int, string) { open++; most = max(most, open) }
		f.subscribe = func(c *fakeConn, ch int, add []entry) {
			time.Sleep(100 * time.Millisecond)
			open--
			c.config(ch, candleFields)
			c.data(ch, "Candle", bar(add[0].Symbol, begin|end, 0, 10))
		}
		c := f.connect(nil)
		errs := make(chan error)
		for range 30 {
			go func() {
				_, err := c.Candles(t.Context(), dxlink.CandleRequest{Symbol: "SPY", Period: "5m", RegularHours: true})
				errs <- err
			}()
		}
		for range 30 {
			require.NoError(t, <-errs)
		}
		assert.LessOrEqual(t, most, 8)
	})
}

func TestLiveCandlesHaveTheirHistoryFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, c := candleServer(t, func(c *fakeConn, ch int, s string) {
			c.data(ch, "Candle", bar("SPY{=d}", begin, 1, 12)) // written another way than asked
			c.data(ch, "Candle", bar("SPY{=d}", end, 0, 11))
			c.data(ch, "Candle", bar("SPY{=d}", 0, 2, 13))
		})
		s, err := dxlink.SubscribeWith[dxlink.Candle](t.Context(), c, &dxlink.SubscriptionOptions{From: day}, "SPY{=1d}")
		require.NoError(t, err)
		var got []dxlink.Candle
		for candle, err := range s.Events() {
			require.NoError(t, err)
			if got = append(got, candle); len(got) == 3 {
				break
			}
		}
		assert.Equal(t, []int{15, 14, 16}, days(got))
		assert.True(t, got[0].Flags.Has(dxlink.SnapshotBegin))
		require.NoError(t, s.Close())
		synctest.Wait()
		assert.Len(t, f.received("CHANNEL_CANCEL"), 1)
	})
}

func TestCandleSymbols(t *testing.T) {
	for _, tt := range []struct {
		period  string
		regular bool
		want    string
	}{
		{"1d", false, "SPY{=d}"}, {"d", false, "SPY{=d}"}, {"5m", true, "SPY{=5m,tho=true}"}, {"1mo", false, "SPY{=mo}"}, {"10m", false, "SPY{=10m}"},
	} {
		got, err := dxlink.CandleSymbol("SPY", tt.period, tt.regular)
		require.NoError(t, err)
		assert.Equal(t, tt.want, got)
	}
	for _, bad := range []string{"", "0m", "-5m", "5", "m5", "1x", "1d,tho=true"} {
		_, err := dxlink.CandleSymbol("SPY", bad, false)
		assert.Error(t, err, bad)
	}
}
