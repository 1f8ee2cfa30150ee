package dxlink_test

import (
	"context"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/tastytrade/dxlink"
)

// one subscribes to a symbol of a kind and returns the first event.
func one[T dxlink.Event](t *testing.T, c *dxlink.Conn, symbol string, opts *dxlink.SubscriptionOptions) T {
	t.Helper()
	s, err := dxlink.SubscribeWith[T](t.Context(), c, opts, symbol)
	require.NoError(t, err)
	defer s.Close()
	for e, err := range s.Events() {
		require.NoError(t, err)
		return e
	}
	t.Fatal("no event")
	panic("unreachable")
}

func TestEveryKindArrives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := (&fake{subscribe: func(c *fakeConn, ch int, add []entry) {
			for _, e := range add {
				c.send(message{"type": "FEED_DATA", "channel": ch, "data": []any{message{
					"eventType": e.Type, "eventSymbol": e.Symbol, "eventTime": 1_789_000_000_000, "time": 1_789_000_000_001, "index": int64(math.MaxInt64), "price": 1.5,
					"eventFlags": 0, "volatility": "NaN", "description": "a fund", "putCallRatio": 0.8, "expiration": 20_700, "type": "NEW", "optionSymbol": ".X",
					"orderSide": "BUY", "source": "NTV", "spreadSymbol": "S", "icebergType": "NATIVE", "version": 3, "attachment": message{"a": []int{1}}, "dayClosePrice": "Infinity",
				}}})
			}
		}}).start(t)
		c := f.connect(nil)
		at := time.UnixMilli(1_789_000_000_001).UTC()
		assert.Equal(t, at.Add(-time.Millisecond), one[dxlink.Quote](t, c, "A", nil).Time)
		assert.Equal(t, 1.5, one[dxlink.Trade](t, c, "A", nil).Price)
		assert.Equal(t, at, one[dxlink.TradeETH](t, c, "A", nil).Time)
		assert.Equal(t, math.Inf(1), one[dxlink.Summary](t, c, "A", nil).DayClose)
		assert.Equal(t, "a fund", one[dxlink.Profile](t, c, "A", nil).Description)
		assert.True(t, math.IsNaN(one[dxlink.Greeks](t, c, "A", nil).Volatility))
		assert.Equal(t, int64(math.MaxInt64), one[dxlink.TheoPrice](t, c, "A", nil).Index)
		assert.Equal(t, 0.8, one[dxlink.Underlying](t, c, "A", nil).PutCallRatio)
		assert.Equal(t, int64(20_700), one[dxlink.Series](t, c, "A", nil).Expiration)
		assert.Equal(t, "NEW", one[dxlink.TimeAndSale](t, c, "A", nil).Type)
		assert.Equal(t, at, one[dxlink.Candle](t, c, "A{=d}", nil).Time)
		assert.Equal(t, ".X", one[dxlink.OptionSale](t, c, "A", nil).OptionSymbol)
		assert.Equal(t, "BUY", one[dxlink.Order](t, c, "A", nil).Side)
		assert.Equal(t, "S", one[dxlink.SpreadOrder](t, c, "A", nil).SpreadSymbol)
		assert.Equal(t, "NATIVE", one[dxlink.AnalyticOrder](t, c, "A", nil).IcebergType)
		assert.Equal(t, int64(3), one[dxlink.Configuration](t, c, "A", nil).Version)
		assert.JSONEq(t, `{"a":[1]}`, string(one[dxlink.Message](t, c, "A", nil).Attachment))
		assert.Equal(t, uint64(17), c.Stats().Events)
		synctest.Wait()
		assert.Empty(t, f.violations())
	})
}

func TestKindsThatComeLaterAreSetUpFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := (&fake{subscribe: func(c *fakeConn, ch int, add []entry) {
			for _, e := range add {
				c.send(message{"type": "FEED_DATA", "channel": ch, "data": []any{message{"eventType": e.Type, "eventSymbol": e.Symbol}}})
			}
		}}).start(t)
		c := f.connect(nil)
		one[dxlink.Quote](t, c, "A", nil)
		one[dxlink.Quote](t, c, "B", nil)
		one[dxlink.Trade](t, c, "A", nil)
		synctest.Wait()
		setups := f.received("FEED_SETUP")
		require.Len(t, setups, 2)
		assert.Len(t, setups[0]["acceptEventFields"], 1)
		assert.Len(t, setups[1]["acceptEventFields"], 2, "the fields of the other kinds stay")
		var order []any
		for _, m := range f.everything() {
			if m["type"] == "FEED_SETUP" || m["type"] == "FEED_SUBSCRIPTION" && m["add"] != nil {
				order = append(order, m["type"])
			}
		}
		assert.Equal(t, []any{"FEED_SETUP", "FEED_SUBSCRIPTION", "FEED_SUBSCRIPTION", "FEED_SETUP", "FEED_SUBSCRIPTION"}, order)
	})
}

func (f *fake) everything() []message {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]message{}, f.all...)
}

func TestHistoriesAndBooksHaveChannelsOfTheirOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := (&fake{}).start(t)
		c := f.connect(nil)
		greeks, err := dxlink.SubscribeWith[dxlink.Greeks](t.Context(), c, &dxlink.SubscriptionOptions{From: day}, ".A")
		require.NoError(t, err)
		_, err = dxlink.SubscribeWith[dxlink.Order](t.Context(), c, &dxlink.SubscriptionOptions{Source: "NTV"}, "A")
		require.NoError(t, err)
		_, err = dxlink.SubscribeWith[dxlink.Quote](t.Context(), c, &dxlink.SubscriptionOptions{Contract: dxlink.Stream}, "*")
		require.NoError(t, err)
		synctest.Wait()
		requests := f.received("CHANNEL_REQUEST")
		require.Len(t, requests, 3)
		for i, contract := range []string{"HISTORY", "HISTORY", "STREAM"} {
			assert.Equal(t, float64(2*i+1), requests[i]["channel"])
			assert.Equal(t, message{"contract": contract}, requests[i]["parameters"])
		}
		adds := f.received("FEED_SUBSCRIPTION")
		assert.Equal(t, []any{message{"type": "Greeks", "symbol": ".A", "fromTime": float64(day.UnixMilli())}}, adds[0]["add"])
		assert.Equal(t, []any{message{"type": "Order", "symbol": "A", "source": "NTV"}}, adds[1]["add"])
		require.NoError(t, greeks.Remove(".A"))
		synctest.Wait()
		adds = f.received("FEED_SUBSCRIPTION")
		assert.Equal(t, []any{message{"type": "Greeks", "symbol": ".A", "fromTime": float64(day.UnixMilli())}}, adds[3]["remove"], "the time is mandatory here too")
	})
}

func TestTheWildcardTakesEverySymbol(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := (&fake{subscribe: func(c *fakeConn, ch int, _ []entry) {
			c.config(ch, quoteFields)
			c.data(ch, "Quote", []any{"Quote", "A", 1, 1, 1, 1, "Quote", "B", 2, 2, 2, 2, "Quote", "A", 3, 3, 3, 3})
		}}).start(t)
		c := f.connect(nil)
		s, err := dxlink.SubscribeWith[dxlink.Quote](t.Context(), c, &dxlink.SubscriptionOptions{Contract: dxlink.Stream}, "*")
		require.NoError(t, err)
		defer s.Close()
		synctest.Wait()
		var got []string
		for q := range s.Events() {
			if got = append(got, q.Symbol); len(got) == 3 {
				break
			}
		}
		assert.Equal(t, []string{"A", "B", "A"}, got)
		assert.Zero(t, c.Stats().Unclaimed)
	})
}

func TestEventsNobodyAskedForAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := (&fake{subscribe: func(c *fakeConn, ch int, add []entry) {
			c.config(ch, quoteFields)
			c.data(ch, "Quote", []any{"Quote", "OTHER", 1, 1, 1, 1, "Quote", "A", 2, 2, 2, 2}, "Profile", []any{1, 2, 3}, "Invented", []any{})
			c.data(ch, "Quote", []any{"Quote"})
		}}).start(t)
		c := f.connect(nil)
		_, missing, err := dxlink.Latest[dxlink.Quote](t.Context(), c, "A")
		require.NoError(t, err)
		assert.Empty(t, missing)
		synctest.Wait()
		stats := c.Stats()
		assert.Equal(t, []uint64{1, 2, 1, 2, 1}, []uint64{stats.Connections, stats.Events, stats.Unclaimed, stats.Skipped, stats.Rejected})
		assert.Positive(t, stats.Bytes)
	})
}

func TestSnapshotsAnswerInTheWordsOfTheQuestion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := (&fake{subscribe: func(c *fakeConn, ch int, add []entry) {
			for _, e := range add {
				switch e.Type {
				case "Candle":
					c.config(ch, candleFields)
					c.data(ch, "Candle", bar("SPY{=d}", 0, 0, 1)) // written another way
				case "Greeks":
					c.config(ch, map[string][]string{"Greeks": {"eventSymbol", "delta"}})
					c.data(ch, "Greeks", []any{".A", 0.5})
				}
			}
		}}).start(t)
		c := f.connect(nil)
		candles, missing, err := dxlink.Latest[dxlink.Candle](t.Context(), c, "SPY{=1d}")
		require.NoError(t, err)
		assert.Empty(t, missing)
		assert.Contains(t, candles, "SPY{=1d}")
		greeks, missing, err := c.Greeks(t.Context(), ".A", ".B")
		require.NoError(t, err)
		assert.Equal(t, []string{".B"}, missing)
		assert.Equal(t, 0.5, greeks[".A"].Delta)
	})
}

func TestConflationKeepsWhatTheIndexTellsApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := (&fake{subscribe: func(c *fakeConn, ch int, _ []entry) {
			c.config(ch, map[string][]string{"TimeAndSale": {"eventSymbol", "index", "price", "eventFlags"}})
			c.data(ch, "TimeAndSale", []any{"A", 1, 10, 0, "A", 2, 11, 0, "A", 1, 12, 0, "A", 1, 13, remove, "A", 3, 14, 0})
		}}).start(t)
		s, err := dxlink.Subscribe[dxlink.TimeAndSale](t.Context(), f.connect(nil), "A")
		require.NoError(t, err)
		defer s.Close()
		synctest.Wait()
		var prices []float64
		for e := range s.Events() {
			if prices = append(prices, e.Price); len(prices) == 4 {
				break
			}
		}
		assert.Equal(t, []float64{12, 11, 13, 14}, prices, "a correction takes the place of its sale, a removal stands alone")
		assert.Equal(t, uint64(1), s.Dropped())
	})
}

func TestOptionsOfSubscriptionsAreChecked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := (&fake{}).start(t).connect(nil)
		for name, opts := range map[string]dxlink.SubscriptionOptions{
			"Size": {Size: -1}, "Policy": {Policy: 9}, "From": {From: day}, "Source": {Source: "NTV"}, "Contract": {Contract: "FOREVER"},
		} {
			_, err := dxlink.SubscribeWith[dxlink.Quote](t.Context(), c, &opts, "A")
			var field *dxlink.FieldError
			require.ErrorAs(t, err, &field, name)
			assert.Equal(t, name, field.Field)
		}
		_, err := dxlink.Dial(t.Context(), "wss://x", func(context.Context) (string, error) { return "", nil }, &dxlink.Options{Contract: "FOREVER"})
		require.Error(t, err)
	})
}
