package candle_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/indicators/internal/candle"
)

// TestColumnsAreJudgedAsBarsAre also cuts the columns, so that a pattern's bars
// come in several.
func TestColumnsAreJudgedAsBarsAre(t *testing.T) {
	const bars = 5_000
	var open, high, low, close []float64
	seed, price := uint64(11), 500.0
	random := func(k int) float64 {
		seed ^= seed << 13
		seed ^= seed >> 7
		seed ^= seed << 17
		return float64(seed % uint64(k))
	}
	for bar := range bars {
		// Whole ticks, small ranges and gaps, then smooth prices.
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
		for _, cut := range []int{bars, 1500, 7} {
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
