package talib_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/indicators/talib"
)

// TestTheUltimateOscillatorIsItsDefinitionForAllPeriods adds the windows up anew at
// every bar, also for periods that double, whose sums are made of each other, in any
// order and at both sides of the bound for that.
func TestTheUltimateOscillatorIsItsDefinitionForAllPeriods(t *testing.T) {
	columns := benchColumns()
	const bars = 1_700
	high, low, close := columns["high"][:bars], columns["low"][:bars], columns["close"][:bars]
	for i := 400; i < 460; i++ { // no range for longer than the shortest periods
		high[i], low[i], close[i] = 50, 50, 50
	}
	d, ok := talib.Lookup("ULTOSC")
	require.True(t, ok)
	for _, periods := range [][3]int{{7, 14, 28}, {28, 7, 14}, {1, 2, 4}, {5, 10, 20}, {5, 10, 21}, {3, 3, 3}, {10, 20, 30}, {64, 128, 256}, {65, 130, 260}} {
		got := talib.ULTOSC(nil, high, low, close, periods[0], periods[1], periods[2])
		s, err := d.Stream([]float64{float64(periods[0]), float64(periods[1]), float64(periods[2])})
		require.NoError(t, err)
		short, middle, long := sorted(periods)
		out := make([]float64, 1)
		for i := range bars {
			s.Update([]float64{high[i], low[i], close[i]}, out)
			require.Equal(t, math.Float64bits(got[i]), math.Float64bits(out[0]), "%v, bar %d streamed", periods, i)
			if i < long {
				require.True(t, math.IsNaN(got[i]), "%v, bar %d", periods, i)
				continue
			}
			want := 0.0
			for weight, n := range map[float64]int{4: short, 2: middle, 1: long} {
				buying, span := 0.0, 0.0
				for k := i - n + 1; k <= i; k++ {
					least := min(low[k], close[k-1])
					buying += close[k] - least
					span += max(high[k], close[k-1]) - least
				}
				if span > 0 {
					want += weight * buying / span
				}
			}
			require.InDelta(t, want*100/7, got[i], 1e-9, "%v, bar %d", periods, i)
		}
	}
}

func sorted(p [3]int) (short, middle, long int) {
	short, long = min(p[0], p[1], p[2]), max(p[0], p[1], p[2])
	return short, p[0] + p[1] + p[2] - short - long, long
}
