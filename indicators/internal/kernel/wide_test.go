package kernel

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDistancesAreTheSameWithAndWithoutWideInstructions(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for _, n := range []int{4, 8, 12, 16, 20, 28, 32, 44, 208, 1024} {
		for range 50 {
			s := make([]float64, n)
			for i := range s {
				s[i] = r.NormFloat64() * math.Exp(10*r.NormFloat64())
			}
			x := r.NormFloat64()
			require.Equal(t, math.Float64bits(distance4Go(s, x)), math.Float64bits(distance4(s, x)), "%d values", n)
		}
	}
}

func TestDistanceIsThatOfExactArithmetic(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	for n := range 300 {
		s := make([]float64, n)
		for i := range s {
			s[i] = 1000 * r.Float64()
		}
		want := new(big.Float).SetPrec(300)
		for _, v := range s {
			d := new(big.Float).SetPrec(300).SetFloat64(v)
			d.Sub(d, big.NewFloat(500))
			want.Add(want, d.Abs(d))
		}
		exact, _ := want.Float64()
		require.InDelta(t, exact, Distance(s, 500), 1e-14*exact, "%d values", n)
	}
}

func TestWhatIsNotFiniteIsFoundWhereverItStands(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	extremes := []float64{math.MaxFloat64, -math.MaxFloat64, math.SmallestNonzeroFloat64, math.Copysign(0, -1), 1}
	for n := range 130 {
		s := make([]float64, n)
		for i := range s {
			s[i] = extremes[r.IntN(len(extremes))]
		}
		require.True(t, AllFinite(s), "%d values", n)
		require.True(t, finiteGo(s))
		for i := range s {
			for _, bad := range []float64{math.NaN(), -math.NaN(), math.Inf(1), math.Inf(-1), math.Float64frombits(0x7ff0000000000001)} {
				kept := s[i]
				s[i] = bad
				require.False(t, AllFinite(s), "%g at %d of %d", bad, i, n)
				require.False(t, finiteGo(s))
				s[i] = kept
			}
		}
	}
}

func BenchmarkAllFinite(b *testing.B) {
	s := make([]float64, 1024)
	for name, all := range map[string]func([]float64) bool{"wide": finite16, "plain": finiteGo} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if !all(s) {
					b.Fatal("zeros are finite")
				}
			}
		})
	}
}
