package dxlink_test

import (
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/tastytrade/dxlink"
)

// booking answers DOM_SETUP with the books of the protocol's description, n of
// them.
func booking(n int) func(c *fakeConn, ch int, setup message) {
	return func(c *fakeConn, ch int, _ message) {
		c.send(message{"type": "DOM_CONFIG", "channel": ch, "aggregationPeriod": 0.1, "depthLimit": 5, "dataFormat": "FULL", "orderFields": []string{"price", "size"}})
		for i := range n {
			c.send(message{"type": "DOM_SNAPSHOT", "channel": ch, "time": 1710262466056 + i,
				"bids": []message{{"price": 172.33, "size": 376}, {"price": 172.32}, {"size": 1}},
				"asks": []message{{"price": 172.34, "size": "NaN"}}})
		}
	}
}

func TestDepth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := (&fake{depth: booking(3)}).start(t)
		c := f.connect(nil)
		var gaps []dxlink.Gap
		s, err := dxlink.SubscribeDepth(t.Context(), c, "AAPL", &dxlink.DepthOptions{
			Sources: []string{"ntv"}, Levels: 5, Aggregation: time.Second, OnGap: func(g dxlink.Gap) { gaps = append(gaps, g) },
		})
		require.NoError(t, err)
		synctest.Wait()
		request := f.received("CHANNEL_REQUEST")[0]
		assert.Equal(t, "DOM", request["service"])
		assert.Equal(t, message{"symbol": "AAPL", "sources": []any{"ntv"}}, request["parameters"])
		setup := f.received("DOM_SETUP")[0]
		assert.Equal(t, []any{1.0, 5.0, "FULL", []any{"price", "size"}},
			[]any{setup["acceptAggregationPeriod"], setup["acceptDepthLimit"], setup["acceptDataFormat"], setup["acceptOrderFields"]})
		assert.Equal(t, uint64(2), s.Dropped(), "the latest book replaces the others")

		n := 0
		for book, err := range s.Events() {
			require.NoError(t, err)
			assert.Equal(t, "AAPL", book.Symbol)
			assert.Equal(t, time.UnixMilli(1710262466058).UTC(), book.Time)
			require.Len(t, book.Bids, 2, "a level without a price is none")
			assert.Equal(t, dxlink.DepthLevel{Price: 172.33, Size: 376}, book.Bids[0])
			assert.True(t, math.IsNaN(book.Bids[1].Size))
			require.Len(t, book.Asks, 1)
			assert.True(t, math.IsNaN(book.Asks[0].Size))
			if n++; n == 2 {
				break
			}
			f.conn(0).drop()
			time.Sleep(time.Minute) // the books come again
			synctest.Wait()
		}
		assert.Len(t, gaps, 1)
		assert.Equal(t, uint64(1), s.Gaps())

		require.NoError(t, s.Close())
		require.NoError(t, s.Close())
		for range s.Events() {
			t.Error("a book after Close")
		}
		synctest.Wait()
		assert.Len(t, f.received("CHANNEL_CANCEL"), 1)
		assert.Empty(t, f.violations())
	})
}

func TestADepthServiceThatIsRefusedSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := (&fake{depth: func(c *fakeConn, ch int, _ message) {
			c.send(message{"type": "DOM_SNAPSHOT", "channel": ch, "time": 1, "bids": []message{{"price": "bad", "size": 1}}, "asks": []message{}})
			c.send(message{"type": "ERROR", "channel": ch, "error": "UNAUTHORIZED", "message": "no DOM for you"})
		}}).start(t)
		c := f.connect(nil)
		s, err := dxlink.SubscribeDepth(t.Context(), c, "AAPL", nil)
		require.NoError(t, err)
		defer s.Close()
		for _, err = range s.Events() {
		}
		var p *dxlink.ProtocolError
		require.ErrorAs(t, err, &p)
		require.ErrorIs(t, err, dxlink.ErrUnauthorized)
		assert.Equal(t, uint64(1), c.Stats().Rejected, "a book with a price that cannot be read is none")
		assert.True(t, c.Connected(), "the other channels go on")

		var field *dxlink.FieldError
		_, err = dxlink.SubscribeDepth(t.Context(), c, "AAPL", &dxlink.DepthOptions{Levels: -1})
		require.ErrorAs(t, err, &field)
		_, err = dxlink.SubscribeDepth(t.Context(), c, "", nil)
		require.ErrorAs(t, err, &field)
	})
}
