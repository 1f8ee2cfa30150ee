package kernel_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"sort"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/indicators/internal/kernel"
)

func newOrdered(n int) *kernel.Ordered {
	return kernel.NewOrdered(n, kernel.Floats, kernel.Ints)
}

func TestOrderedIsTheWindowSorted(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	const bars = 7000
	kinds := map[string]func(i int) float64{
		"noise":       func(int) float64 { return r.NormFloat64() },
		"ticks":       func(int) float64 { return float64(r.IntN(5)) - 2 },
		"rise":        func(i int) float64 { return float64(i) },
		"fall":        func(i int) float64 { return -float64(i) },
		"still":       func(int) float64 { return 3 },
		"wave":        func(i int) float64 { return math.Round(1000 * math.Sin(float64(i)/300)) },
		"far between": func(i int) float64 { return math.Ldexp(1+r.Float64(), r.IntN(80)-40) },
	}
	for name, next := range kinds {
		for _, n := range []int{1, 2, 33, 200, 5000} {
			o := newOrdered(n)
			var x []float64
			for i := range bars {
				v := next(i)
				x = append(x, v)
				require.Equal(t, i >= n-1, o.Push(v))
				if i < n-1 || i%173 > 0 && i > n {
					continue
				}
				window := slices.Clone(x[i-n+1:])
				sort.Float64s(window)
				for _, k := range []int{0, n / 3, n / 2, n - 1} {
					require.Equal(t, window[k], o.At(k), "%s: place %d of %d at bar %d", name, k, n, i)
				}
				rank := sort.Search(n, func(k int) bool { return window[k] > v })
				require.Equal(t, rank, o.Rank(v), "%s: rank of %v of %d at bar %d", name, v, n, i)
				distance, away := o.Away(v)
				wantDistance, want := awayFrom(window, v)
				require.InDelta(t, want, away, 1e-12*want, "%s: mean deviation of %d at bar %d", name, n, i)
				require.InDelta(t, wantDistance, distance, 1e-12*max(want, math.Abs(wantDistance)), "%s: distance of %d at bar %d", name, n, i)
			}
		}
	}
}

// awayFrom is Away with the rounding of each addition carried along.
func awayFrom(window []float64, x float64) (distance, away float64) {
	var sum, rest float64
	for _, v := range window {
		sum, rest = carry(sum, rest, v-x)
	}
	n := float64(len(window))
	mean, meanRest := sum/n, 0.0
	meanRest = (math.FMA(-mean, n, sum) + rest) / n
	var far, farRest float64
	for _, v := range window {
		d := (v - x - mean) - meanRest
		far, farRest = carry(far, farRest, math.Abs(d))
	}
	return -(mean + meanRest), (far + farRest) / n
}

func carry(sum, rest, x float64) (float64, float64) {
	t := sum + x
	b := t - sum
	return t, rest + (sum - (t - b)) + (x - b)
}
