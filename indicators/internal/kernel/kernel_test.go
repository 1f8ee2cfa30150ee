package kernel_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/indicators/internal/kernel"
)

// series has ties, zeros of both signs and large values.
func series(n int) []float64 {
	r := rand.New(rand.NewPCG(5, 6))
	x := make([]float64, n)
	for i := range x {
		x[i] = math.Round(10*r.NormFloat64()) / 2
		switch r.IntN(20) {
		case 0:
			x[i] = math.Copysign(0, -1)
		case 1:
			x[i] *= 1e9
		}
	}
	return x
}

func same(a, b float64) bool {
	return math.Float64bits(a) == math.Float64bits(b) || math.IsNaN(a) && math.IsNaN(b)
}

var lengths = []int{1, 2, 3, 5, 7, 30, 200}

func TestRunsAreThePushesBitForBitHoweverTheyAreCut(t *testing.T) {
	x := series(1000)
	for _, n := range lengths {
		for _, cut := range []int{1, 5, 64, 333, 1000} {
			sum, sums := kernel.NewSum(nil, n), kernel.NewSum(nil, n)
			moments, pushed := kernel.NewMoments(nil, n), kernel.NewMoments(nil, n)
			least, leasts := kernel.NewLeast(n), kernel.NewLeast(n)
			mean, means := kernel.NewMean(nil, n), kernel.NewMean(nil, n)
			weight, weighted := kernel.NewWeighted(n), kernel.NewWeighted(n)
			a, b, c, d := make([]float64, cut), make([]float64, cut), make([]float64, cut), make([]float64, cut)
			e, f := make([]float64, cut), make([]float64, cut)
			for from := 0; from < len(x); from += cut {
				part := x[from:min(from+cut, len(x))]
				k := len(part)
				sums.Run(a[:k], part, 3)
				moments.Each(b[:k], c[:k], part)
				means.Each(e[:k], part)
				weighted.Each(f[:k], part)
				leasts.Run(d[:k], part)
				for i, v := range part {
					require.True(t, same(sum.Peek(v)/3, a[i]), "sum of %d at bar %d", n, from+i)
					require.True(t, same(sum.Push(v)/3, a[i]), "sum of %d at bar %d", n, from+i)
					peeked, peekedSquares := pushed.Peek(v)
					total, squares := pushed.Push(v)
					require.True(t, same(total, b[i]) && same(squares, c[i]), "moments of %d at bar %d", n, from+i)
					require.True(t, same(total, peeked) && same(squares, peekedSquares), "a peek at moments of %d at bar %d", n, from+i)
					require.True(t, same(mean.Peek(v), e[i]), "mean of %d at bar %d", n, from+i)
					require.True(t, same(mean.Push(v), e[i]) && same(total, e[i]), "mean of %d at bar %d", n, from+i)
					require.True(t, same(weight.Push(v), f[i]), "weighted mean of %d at bar %d", n, from+i)
					require.True(t, same(least.Push(v), d[i]), "least of %d at bar %d", n, from+i)
				}
			}
		}
	}
}

func TestExtremesAndTheirPlacesAreThoseOfTheWindow(t *testing.T) {
	x := series(1000)
	for _, n := range lengths {
		greatest, least := kernel.NewGreatest(n), kernel.NewLeast(n)
		first, last := kernel.NewGreatestPlace(n, false), kernel.NewLeastPlace(n, true)
		firsts, lasts := kernel.NewGreatestPlace(n, false), kernel.NewLeastPlace(n, true)
		firstBars, lastBars := make([]int, len(x)), make([]int, len(x))
		firsts.Run(firstBars, x, 0)
		lasts.Run(lastBars, x, 0)
		for i, v := range x {
			top, bottom := greatest.Push(v), least.Push(v)
			_, topBar := first.Push(v, i)
			_, bottomBar := last.Push(v, i)
			if i < n-1 {
				require.True(t, math.IsNaN(top) && math.IsNaN(bottom))
				continue
			}
			wantTop, wantBottom := i-n+1, i-n+1
			for k := i - n + 2; k <= i; k++ {
				if x[k] > x[wantTop] {
					wantTop = k
				}
				if x[k] <= x[wantBottom] {
					wantBottom = k
				}
			}
			require.Equal(t, x[wantTop], top)
			require.Equal(t, x[wantBottom], bottom)
			require.Equal(t, [4]int{wantTop, wantBottom, wantTop, wantBottom}, [4]int{topBar, bottomBar, firstBars[i], lastBars[i]}, "%d at bar %d", n, i)
		}
	}
}

func TestAllFiniteFindsAnyOther(t *testing.T) {
	x := series(37)
	require.True(t, kernel.AllFinite(x))
	require.True(t, kernel.AllFinite([]float64{math.MaxFloat64, math.MaxFloat64}), "a sum that overflows")
	require.True(t, kernel.AllFinite(nil))
	for i := range x {
		for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
			holed := append([]float64(nil), x...)
			holed[i] = bad
			require.False(t, kernel.AllFinite(holed), "%v at %d", bad, i)
		}
	}
}

func TestWhatTakesNoBranchIsWhatABranchWouldTake(t *testing.T) {
	x := series(300)
	for i := 2; i < len(x); i++ {
		a, b, c := x[i], x[i-1], x[i-2]
		require.Equal(t, max(a-b, math.Abs(a-c), math.Abs(b-c)), kernel.TrueRange(a, b, c))
		require.Equal(t, max(a, 0), kernel.Positive(a)+0)
		require.Equal(t, a, kernel.Ranked(kernel.Rank(a)))
		require.Equal(t, a, kernel.Where(true, a))
		require.Zero(t, kernel.Where(false, a))
		require.Equal(t, a < b, kernel.Rank(a+0) < kernel.Rank(b+0))
	}
}
