package sums_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/internal/sums"
)

// numbers are decimals of all lengths, signs and exponents, among them those at
// the edges of what fits into an int64.
func numbers() []decimal.Decimal {
	list := []decimal.Decimal{
		{}, decimal.Zero, decimal.New(0, -2), decimal.New(0, 5), decimal.New(1, 2), decimal.New(-1, 0), decimal.New(100, -2),
		decimal.New(math.MaxInt64, 0), decimal.New(math.MinInt64, 0), decimal.New(math.MaxInt64, -10), decimal.New(999_999_999_999_999_999, 0),
		decimal.New(999_999_999_999_999_999, -18), decimal.New(-999_999_999_999_999_999, 18), decimal.New(1<<53, -3), decimal.New(1<<53+1, -3),
		decimal.New(1<<53+1, 0), decimal.New(7, 40), decimal.New(7, -60), decimal.RequireFromString("123456789012345678901234567890.123456789"),
		decimal.NewFromFloat(100.04832910482919), decimal.NewFromFloat(0.1), decimal.NewFromFloat(1e6),
	}
	random := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		list = append(list, decimal.New(random.Int64()>>random.IntN(63)*int64(1-2*random.IntN(2)), int32(random.IntN(40)-22)))
	}
	return list
}

func TestSumsAreThoseOfDecimal(t *testing.T) {
	for _, a := range numbers() {
		require.Equal(t, math.Float64bits(a.InexactFloat64()), math.Float64bits(sums.Float(a)), "%s", a)
		require.Equal(t, a.String(), sums.Signed(a, 1).String())
		require.Equal(t, a.String(), sums.Signed(a, 0).String())
		require.Equal(t, a.Neg().String(), sums.Signed(a, -1).String())
		for _, b := range numbers() {
			require.Equal(t, a.Add(b).String(), sums.Plus(a, b).String(), "%s + %s", a, b)
			require.Equal(t, a.Sub(b).String(), sums.Minus(a, b).String(), "%s - %s", a, b)
			require.Equal(t, a.Mul(b).String(), sums.Times(a, b).String(), "%s · %s", a, b)
		}
	}
}

func BenchmarkPlus(b *testing.B) {
	x, y := decimal.NewFromInt(1_000_000), decimal.NewFromFloat(10004.25)
	b.Run("sums", func(b *testing.B) {
		b.ReportAllocs()
		for range b.N {
			sums.Plus(x, y)
		}
	})
	b.Run("decimal", func(b *testing.B) {
		b.ReportAllocs()
		for range b.N {
			x.Add(y)
		}
	})
}
