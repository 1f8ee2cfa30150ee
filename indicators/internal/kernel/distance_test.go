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
