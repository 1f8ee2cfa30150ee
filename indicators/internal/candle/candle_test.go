package candle_test

import (
	"maps"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/indicators/internal/candle"
)

// TestGatesLetEveryPatternThrough holds the one pass, which asks a gate first,
// against scanners of one pattern, which do not.
func TestGatesLetEveryPatternThrough(t *testing.T) {
	all := candle.NewScanner()
	single := make([]*candle.Scanner, candle.Count)
	for i := range single {
		single[i] = candle.NewSingle(candle.ID(i), -1)
	}
	seed, price := uint64(7), 500.0
	random := func(k int) float64 {
		seed ^= seed << 13
		seed ^= seed >> 7
		seed ^= seed << 17
		return float64(seed % uint64(k))
	}
	found, want, got := map[candle.ID]int{}, map[candle.ID]int{}, map[candle.ID]int{}
	for bar := range 25_000 {
		// Whole ticks and small ranges: ties and gaps are common.
		reach := 1 + int(random(12))
		open := price + random(5) - 2
		price = max(open+random(2*reach+1)-float64(reach), 50)
		high, low := max(open, price)+random(4)*random(2), min(open, price)-random(4)*random(2)
		clear(want)
		clear(got)
		for i, s := range single {
			if v := s.UpdateSingle(open, high, low, price); v != 0 {
				want[candle.ID(i)] = v
			}
		}
		for _, h := range all.Update(open, high, low, price) {
			if _, twice := got[h.Pattern]; twice {
				t.Fatalf("%s twice at bar %d", h.Pattern.Title(), bar)
			}
			got[h.Pattern] = h.Value
			found[h.Pattern]++
		}
		if !maps.Equal(want, got) {
			t.Fatalf("bar %d: want %v, got %v", bar, want, got)
		}
	}
	require.GreaterOrEqual(t, len(found), 50, "the series has most patterns")
}
