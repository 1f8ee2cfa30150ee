package talib_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/indicators/talib"
)

// TestBatchSeesEveryUnknownValue puts one value that is no number, or infinite,
// into each input in turn, early, amid a piece that is computed at once, and at
// the edges of two: some functions find out only while they compute.
func TestBatchSeesEveryUnknownValue(t *testing.T) {
	const bars = 2_600
	columns := benchColumns()
	for i := 0; i < bars; i += 7 { // no range, and prices that stand still
		columns["high"][i], columns["low"][i] = columns["close"][i], columns["close"][i]
	}
	for _, d := range talib.All() {
		s, err := d.Stream(nil)
		require.NoError(t, err)
		for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
			for _, at := range [][]int{{0}, {1}, {5}, {350}, {1023}, {1024}, {1500}, {1505, 1506}, {2047}, {bars - 1}} {
				if !math.IsNaN(bad) && at[0]%2 == 0 && at[0] != 350 {
					continue
				}
				var in [][]float64
				for _, column := range inputsOf(columns, d, false) {
					in = append(in, append([]float64{}, column[:bars]...))
				}
				hit := in[at[0]%len(in)]
				for _, i := range at {
					hit[i] = bad
				}
				got, err := d.Batch(nil, in, nil)
				require.NoError(t, err)
				s.Reset()
				bar, want := make([]float64, len(in)), make([]float64, len(got))
				for i := range bars {
					for k := range in {
						bar[k] = in[k][i]
					}
					s.Update(bar, want)
					for k, w := range want {
						if g := got[k][i]; math.Float64bits(g) != math.Float64bits(w) && (g == g || w == w) {
							t.Fatalf("%s with %v at %v: bar %d is %v, streamed %v", d.Name, bad, at, i, g, w)
						}
					}
				}
			}
		}
	}
}
