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

func candle(index int64, flags dxlink.EventFlags) dxlink.Candle {
	c := dxlink.Candle{Symbol: "SPY{=d}", Index: index, Flags: flags, Open: float64(index)}
	if flags.Has(dxlink.RemoveEvent) {
		c.Open = math.NaN()
	}
	return c
}

// A step is one event and what the assembler makes of it.
type step struct {
	index int64
	flags dxlink.EventFlags
	state dxlink.SnapshotState // Incomplete: nothing yet
	want  []int64
}

func TestTheAssembler(t *testing.T) {
	for _, tt := range []struct {
		name  string
		steps []step
	}{
		{"a snapshot is whole at its end, and sorted", []step{{3, begin, 0, nil}, {2, 0, 0, nil}, {1, end, dxlink.Complete, []int64{1, 2, 3}}}},
		{"snipped", []step{{3, begin, 0, nil}, {2, snip, dxlink.Snipped, []int64{2, 3}}}},
		{"snipped and ended", []step{{3, begin, 0, nil}, {2, snip | end, dxlink.Snipped, []int64{2, 3}}}},
		{"empty is one event", []step{{0, begin | end | remove, dxlink.Empty, []int64{}}}},
		{"what is removed makes it empty as well", []step{{3, begin, 0, nil}, {3, remove, 0, nil}, {0, end | remove, dxlink.Empty, []int64{}}}},
		{"one event", []step{{3, begin | end, dxlink.Complete, []int64{3}}}},
		{"a pending end waits", []step{{3, begin | pending, 0, nil}, {1, end | pending, 0, nil}, {2, 0, dxlink.Complete, []int64{1, 2, 3}}}},
		{"updates follow", []step{{3, begin | end, dxlink.Complete, []int64{3}}, {3, 0, dxlink.Updated, []int64{3}}, {4, 0, dxlink.Updated, []int64{4}}}},
		{"a transaction is one update", []step{{3, begin | end, dxlink.Complete, []int64{3}}, {4, pending, 0, nil}, {3, pending | remove, 0, nil}, {5, 0, dxlink.Updated, []int64{4, 3, 5}}}},
		{"a new snapshot ends what is pending", []step{{4, pending, 0, nil}, {9, begin, 0, nil}, {8, end, dxlink.Complete, []int64{8, 9}}}},
		{"a snapshot begun twice starts over", []step{{4, begin, 0, nil}, {9, begin, 0, nil}, {8, end, dxlink.Complete, []int64{8, 9}}}},
		{"the mode says nothing", []step{{4, begin | dxlink.SnapshotMode, 0, nil}, {3, end | dxlink.SnapshotMode, dxlink.Complete, []int64{3, 4}}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var a dxlink.Assembler[dxlink.Candle]
			for _, s := range tt.steps {
				change, whole := a.Add(candle(s.index, s.flags))
				require.Equal(t, s.state != dxlink.Incomplete, whole)
				if !whole {
					continue
				}
				assert.Equal(t, s.state, change.State)
				assert.Equal(t, "SPY{=d}", change.Symbol)
				indices := []int64{}
				for _, e := range change.Events {
					indices = append(indices, e.Index)
				}
				assert.Equal(t, s.want, indices)
			}
		})
	}
}

func TestASnapshotWithoutEndIsCutOff(t *testing.T) {
	a := dxlink.Assembler[dxlink.Candle]{Limit: 100}
	for i := range int64(99) {
		_, whole := a.Add(candle(i, map[bool]dxlink.EventFlags{true: begin | pending, false: pending}[i == 0]))
		require.False(t, whole)
	}
	change, whole := a.Add(candle(99, pending))
	require.True(t, whole)
	assert.Equal(t, dxlink.Snipped, change.State)
	assert.Len(t, change.Events, 100)
	for range 99 { // nor do changes
		_, whole = a.Add(candle(1, pending))
		require.False(t, whole)
	}
	_, whole = a.Add(candle(1, pending))
	assert.True(t, whole)
}

func TestChangesArePutTogetherAndStartOverAfterAGap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		f, c := candleServer(t, func(c *fakeConn, ch int, s string) {
			if n++; n == 1 {
				c.data(ch, "Candle", bar(s, begin, 2, 12))
				c.data(ch, "Candle", bar(s, end, 1, 11))
				c.data(ch, "Candle", bar(s, pending, 3, 13)) // its second half never comes
				c.drop()
				return
			}
			c.data(ch, "Candle", bar(s, begin, 4, 14))
			c.data(ch, "Candle", bar(s, snip, 3, 13))
			c.data(ch, "Candle", bar(s, 0, 4, 15))
		})
		gaps := 0
		s, err := dxlink.SubscribeWith[dxlink.Candle](t.Context(), c, &dxlink.SubscriptionOptions{From: day, Policy: dxlink.Block, OnGap: func(dxlink.Gap) { gaps++ }}, "SPY{=d}")
		require.NoError(t, err)
		defer s.Close()
		var states []dxlink.SnapshotState
		var lengths []int
		for change, err := range dxlink.Changes(s) {
			require.NoError(t, err)
			states, lengths = append(states, change.State), append(lengths, len(change.Events))
			if change.State == dxlink.Updated {
				assert.Equal(t, 15.0, change.Events[0].Close)
				break
			}
		}
		assert.Equal(t, []dxlink.SnapshotState{dxlink.Complete, dxlink.Snipped, dxlink.Updated}, states)
		assert.Equal(t, []int{2, 2, 1}, lengths)
		assert.Equal(t, 1, gaps)
		assert.Empty(t, f.violations())
	})
}

func TestChangesEndWhenTheBufferWasTooSmall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, c := candleServer(t, func(c *fakeConn, ch int, s string) {
			for n := range 9 {
				c.data(ch, "Candle", bar(s, map[bool]int{true: begin}[n == 0], 9-n, 12))
			}
		})
		s, err := dxlink.SubscribeWith[dxlink.Candle](t.Context(), c, &dxlink.SubscriptionOptions{From: day, Size: 4}, "SPY{=d}")
		require.NoError(t, err)
		defer s.Close()
		synctest.Wait()
		for _, err = range dxlink.Changes(s) {
		}
		require.ErrorIs(t, err, dxlink.ErrOverflow)
	})
}

func TestCandleHistoriesNameWhatDidNotCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, c := candleServer(t, func(c *fakeConn, ch int, s string) {
			switch s {
			case "SPY{=d}":
				c.data(ch, "Candle", bar(s, begin|end, 0, 10))
			case "QQQ{=d}":
				c.data(ch, "Candle", bar(s, begin, 1, 10)) // and no more
			case "NEW{=d}":
				c.data(ch, "Candle", bar(s, begin|end|remove, 0, "NaN"))
			case "OLD{=d}":
				c.data(ch, "Candle", append(bar(s, begin, 1, 10), bar(s, snip, 0, 9)...))
			}
		})
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		start := time.Now()
		ask := func(s string) dxlink.CandleRequest { return dxlink.CandleRequest{Symbol: s, Period: "d"} }
		got, missing, err := c.CandleHistories(ctx, ask("OLD"), ask("QQQ"), ask("SPY"), ask("NEW"))
		require.NoError(t, err)
		assert.Equal(t, 3*time.Second, time.Since(start))
		require.Len(t, got, 3)
		for i, want := range []struct {
			symbol string
			state  dxlink.SnapshotState
			n      int
		}{{"OLD{=d}", dxlink.Snipped, 2}, {"SPY{=d}", dxlink.Complete, 1}, {"NEW{=d}", dxlink.Empty, 0}} {
			assert.Equal(t, want.symbol, got[i].Symbol)
			assert.Equal(t, want.state, got[i].State)
			assert.Len(t, got[i].Candles, want.n)
		}
		require.Len(t, missing, 1)
		assert.Equal(t, ask("QQQ"), missing[0].Request)
		assert.Equal(t, dxlink.Incomplete, missing[0].State)
		assert.Len(t, missing[0].Candles, 1, "with what arrived")
		assert.Equal(t, "incomplete", missing[0].State.String())

		_, missing, err = c.CandleHistories(t.Context(), dxlink.CandleRequest{Symbol: "SPY", Period: "never"})
		var field *dxlink.FieldError
		require.ErrorAs(t, err, &field)
		assert.Len(t, missing, 1)
	})
}
