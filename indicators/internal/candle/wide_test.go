package candle

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestWideInstructionsGiveTheSameBits takes columns of every length, some of
// ticks, so that edges touch, some with a zero of either sign.
func TestWideInstructionsGiveTheSameBits(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 14))
	column := func(n int, ticks bool) []float64 {
		s := make([]float64, n)
		for i := range s {
			switch v := r.NormFloat64(); {
			case !ticks:
				s[i] = 100 + v
			case r.IntN(9) == 0:
				s[i] = math.Copysign(0, v)
			default:
				s[i] = math.Round(3 * v)
			}
		}
		return s
	}
	bitsOf := func(s []float64) []uint64 {
		bits := make([]uint64, len(s))
		for i, v := range s {
			bits[i] = math.Float64bits(v)
		}
		return bits
	}
	for turn := range 2 {
		for n := range 400 {
			open, high, low, close := column(n, turn > 0), column(n, turn > 0), column(n, turn > 0), column(n, turn > 0)
			span := column(n, true)
			for i := range span {
				span[i] = math.Abs(close[i]-open[i]) * (10 + span[i])
			}
			got, want := make([]float64, n), make([]float64, n)

			small(got, open, close, span)
			smallGo(want, open, close, span)
			require.Equal(t, bitsOf(want), bitsOf(got), "%d bars", n)
			for _, either := range []uint64{0, math.MaxUint64} {
				shadowed(got, open, high, low, close, span, either)
				shadowedGo(want, open, high, low, close, span, either)
				require.Equal(t, bitsOf(want), bitsOf(got), "%d bars", n)
			}

			rows, wantRows := make([]uint64, n/word), make([]uint64, n/word)
			sum := apart(rows, got, open, close, high, low, span, span)
			wantSum := apartGo(wantRows, want, open, close, high, low, span, span)
			require.InDelta(t, wantSum, sum, 1e-9)
			require.Equal(t, bitsOf(want), bitsOf(got), "%d bars", n)
			require.Equal(t, wantRows, rows, "%d bars", n)

			if blocks := n / longPeriod; blocks > 0 {
				got, want = make([]float64, (blocks-1)*longPeriod), make([]float64, (blocks-1)*longPeriod)
				tenSpans(got, high, low, open, close)
				tenSpansGo(want, high, low)
				require.Equal(t, bitsOf(want), bitsOf(got), "%d bars", n)
			}
		}
	}
}
