package candle_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/indicators/internal/candle"
	"github.com/ttai-go/ttai/indicators/internal/kernel"
)

// TestColumnsAreJudgedAsBarsAre also cuts the columns, so that a pattern's bars
// come in several.
func TestColumnsAreJudgedAsBarsAre(t *testing.T) {
	open, high, low, close := ticksAndGaps(5_000)
	bars := len(open)
	found := 0
	for id := range candle.Count {
		single := candle.NewSingle(id, id.Penetration())
		want := make([]float64, bars)
		for i := range want {
			want[i] = float64(single.UpdateSingle(open[i], high[i], low[i], close[i]))
			if want[i] != 0 {
				found++
			}
		}
		for _, cut := range []int{bars, 1500, 41, 7} {
			columns, got := candle.NewSingle(id, id.Penetration()), make([]float64, bars)
			for from := 0; from < bars; from += cut {
				to := min(from+cut, bars)
				columns.Bulk(got[from:to], open[from:to], high[from:to], low[from:to], close[from:to])
			}
			for i := range want {
				require.Equal(t, want[i], got[i], "%s at bar %d, cut at %d", id.Title(), i, cut)
			}
		}
	}
	require.Greater(t, found, 5_000)
}

// ticksAndGaps makes bars of whole ticks and small ranges, with gaps, then
// smooth ones.
func ticksAndGaps(bars int) (open, high, low, close []float64) {
	seed, price := uint64(11), 500.0
	random := func(k int) float64 {
		seed ^= seed << 13
		seed ^= seed >> 7
		seed ^= seed << 17
		return float64(seed % uint64(k))
	}
	for bar := range bars {
		reach, part := 1+int(random(12)), 1.0
		if bar > bars/2 {
			part = 0.1 + random(1000)/1000
		}
		o := price + part*(random(5)-2)
		price = max(o+part*(random(2*reach+1)-float64(reach)), 50)
		open, close = append(open, o), append(close, price)
		high = append(high, max(o, price)+part*random(4)*random(2))
		low = append(low, min(o, price)-part*random(4)*random(2))
	}
	return open, high, low, close
}

// TestColumnsFindWhatUpdateFinds takes the bars in pieces, some of them one by
// one, and wants the same patterns in the same order and the same state.
func TestColumnsFindWhatUpdateFinds(t *testing.T) {
	open, high, low, close := ticksAndGaps(6_000)
	state := func(s *candle.Scanner) []float64 {
		var tape kernel.Tape
		tape.Save()
		s.Visit(&tape)
		return tape.Values()
	}
	for _, cuts := range [][]int{{candle.Chunk}, {1000, 3}, {64, 65, 63, 1}, {5, 6, 200}, {1}, {17, 0, 14}} {
		one, many := candle.NewScanner(), candle.NewScanner()
		kinds := map[candle.ID]bool{}
		for from, turn := 0, 0; from < len(open); turn++ {
			to := min(from+cuts[turn%len(cuts)], len(open))
			var want []candle.Found
			for i := from; i < to; i++ {
				for _, h := range one.Update(open[i], high[i], low[i], close[i]) {
					want = append(want, candle.Found{Bar: int32(i - from), Pattern: h.Pattern, Bars: uint8(h.Bars), Value: int16(h.Value)})
					kinds[h.Pattern] = true
				}
			}
			var got []candle.Found
			if turn%5 == 4 {
				for i := from; i < to; i++ {
					for _, h := range many.Update(open[i], high[i], low[i], close[i]) {
						got = append(got, candle.Found{Bar: int32(i - from), Pattern: h.Pattern, Bars: uint8(h.Bars), Value: int16(h.Value)})
					}
				}
			} else {
				got = many.Columns(nil, open[from:to], high[from:to], low[from:to], close[from:to])
			}
			require.Equal(t, want, got[:len(got):len(got)], "bars %d to %d", from, to)
			from = to
		}
		require.Equal(t, state(one), state(many))
		require.GreaterOrEqual(t, len(kinds), 50, "the series has most patterns")
	}
}

// TestTryLeavesTheScannerAsItWasWhereAValueIsNotFinite also wants what Bulk
// gives where all are.
func TestTryLeavesTheScannerAsItWasWhereAValueIsNotFinite(t *testing.T) {
	open, high, low, close := ticksAndGaps(1_200)
	state := func(s *candle.Scanner) []uint64 {
		var tape kernel.Tape
		tape.Save()
		s.Visit(&tape)
		var bits []uint64
		for _, v := range tape.Values() {
			bits = append(bits, math.Float64bits(v))
		}
		return bits
	}
	for _, id := range []candle.ID{candle.Doji, candle.TasukiGap, candle.GapSideSideWhite, candle.GapThreeMethods, candle.Engulfing} {
		for _, bars := range []int{59, 60, 69, 70, 133, 1000} {
			const before = 200
			s, bulk := candle.NewSingle(id, 0), candle.NewSingle(id, 0)
			got, want := make([]float64, bars), make([]float64, bars)
			for _, s := range []*candle.Scanner{s, bulk} {
				s.Bulk(make([]float64, before), open[:before], high[:before], low[:before], close[:before])
			}
			var in [4][]float64
			for k, column := range [][]float64{open, high, low, close} {
				in[k] = append(in[k], column[before:before+bars]...)
			}
			was := state(s)
			for i := range bars {
				for k := range in {
					kept := in[k][i]
					in[k][i] = []float64{math.NaN(), math.Inf(1), math.Inf(-1)}[(i+k)%3]
					require.False(t, s.Try(got, in[0], in[1], in[2], in[3]), "%s, column %d, bar %d of %d", id.Title(), k, i, bars)
					in[k][i] = kept
				}
			}
			require.Equal(t, was, state(s))
			bulk.Bulk(want, in[0], in[1], in[2], in[3])
			require.True(t, s.Try(got, in[0], in[1], in[2], in[3]))
			require.Equal(t, want, got)
			require.Equal(t, state(bulk), state(s))
		}
	}
}
