package kernel_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/indicators/internal/kernel"
)

// holed is series with values that are none: alone, in rows, at both ends.
func holed(n int) []float64 {
	r := rand.New(rand.NewPCG(13, 14))
	x := series(n)
	for i := 0; i < n; i += 1 + r.IntN(150) {
		for k := i; k < min(i+1+r.IntN(3), n); k++ {
			x[k] = [3]float64{math.NaN(), math.Inf(1), math.Inf(-1)}[r.IntN(3)]
		}
	}
	x[0], x[n-1] = math.NaN(), math.Inf(1)
	return x
}

func TestEachPassesOverWhatIsNotFinite(t *testing.T) {
	x := holed(3000)
	x[1700], x[1701] = math.MaxFloat64, math.MaxFloat64 // sums that overflow
	for _, n := range lengths {
		for _, cut := range []int{1, 64, 333, 3000} {
			mean, means := kernel.NewMean(nil, n), kernel.NewMean(nil, n)
			weight, weighted := kernel.NewWeighted(n), kernel.NewWeighted(n)
			sum, sums := kernel.NewSum(nil, n), kernel.NewSum(nil, n)
			moment, moments := kernel.NewMoments(nil, n), kernel.NewMoments(nil, n)
			a, b, c, d, e := make([]float64, cut), make([]float64, cut), make([]float64, cut), make([]float64, cut), make([]float64, cut)
			for from := 0; from < len(x); from += cut {
				part := x[from:min(from+cut, len(x))]
				k := len(part)
				means.Each(a[:k], part)
				weighted.Each(b[:k], part)
				sums.Each(c[:k], part, 0.25)
				moments.Each(d[:k], e[:k], part)
				for i, v := range part {
					if !kernel.Finite(v) {
						require.True(t, math.IsNaN(a[i]) && math.IsNaN(b[i]) && math.IsNaN(c[i]) && math.IsNaN(d[i]) && math.IsNaN(e[i]))
						continue
					}
					at := []any{"%d values, cut at %d, bar %d", n, cut, from + i}
					require.True(t, same(mean.Push(v), a[i]), at...)
					require.True(t, same(weight.Push(v), b[i]), at...)
					require.True(t, same(sum.Push(v)*0.25, c[i]), at...)
					m, squares := moment.Push(v)
					require.True(t, same(m, d[i]) && same(squares, e[i]), at...)
				}
			}
		}
	}
}

func TestTheMeanOfAFlatStretchIsItsValue(t *testing.T) {
	x := make([]float64, 500)
	for i := range x {
		x[i] = 0.1
	}
	for _, n := range []int{1, 3, 5, 49, 98} {
		out := make([]float64, len(x))
		m := kernel.NewMean(nil, n)
		m.Each(out, x)
		for i, v := range out[n-1:] {
			require.Equal(t, 0.1, v, "%d values at bar %d", n, i)
		}
	}
}

func TestTwoSumsTogetherAreTheTwo(t *testing.T) {
	x, y := series(1000), series(1200)[200:]
	for _, n := range lengths {
		a, b, c, d := kernel.NewSum(nil, n), kernel.NewSum(nil, n), kernel.NewSum(nil, n), kernel.NewSum(nil, n)
		first, second := make([]float64, len(x)), make([]float64, len(x))
		for from := 0; from < len(x); from += 170 {
			to := min(from+170, len(x))
			kernel.RunPair(&a, &b, first[from:to], second[from:to], x[from:to], y[from:to])
		}
		for i, v := range x {
			require.True(t, same(c.Push(v), first[i]) && same(d.Push(y[i]), second[i]), "%d values at bar %d", n, i)
		}
	}
}
