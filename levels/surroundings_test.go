package levels

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// Blocks give the extremes that a look at each of the last n bars gives.
func TestSurroundingsAreTheExtremesOfTheLastBars(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for n := 1; n <= narrow; n++ {
		m := newSurroundings(n)
		var highs, lows []float64
		for range 5*n + 3 {
			highs, lows = append(highs, float64(r.IntN(9)-4)), append(lows, r.NormFloat64())
			want := extremes{math.MinInt64, math.MinInt64}
			for k := max(0, len(highs)-n); k < len(highs); k++ {
				want = want.with(extremes{order(highs[k]), order(-lows[k])})
			}
			last := len(highs) - 1
			require.Equal(t, want, m.update(order(highs[last]), order(-lows[last])), "n %d, bar %d", n, last)
		}
	}
}
