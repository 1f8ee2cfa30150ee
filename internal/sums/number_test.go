package sums_test

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/internal/sums"
)

// wide are numbers whose digits lie at the edges of 64 and of 128 bits, and
// beyond.
func wide() []decimal.Decimal {
	var list []decimal.Decimal
	for _, length := range []uint{63, 64, 65, 100, 127, 128, 129, 200} {
		edge := new(big.Int).Lsh(big.NewInt(1), length)
		for _, off := range []int64{-1, 0, 1} {
			digits := new(big.Int).Add(edge, big.NewInt(off))
			for _, exponent := range []int32{0, -15, -18, -19, 3} {
				list = append(list, decimal.NewFromBigInt(digits, exponent), decimal.NewFromBigInt(new(big.Int).Neg(digits), exponent))
			}
		}
	}
	return list
}

func sign(d decimal.Decimal) int { return d.Sign() }

func TestNumbersCountAsDecimalsDo(t *testing.T) {
	list := append(numbers(), wide()...)
	for _, a := range list {
		n := sums.Of(a)
		require.Equal(t, a.String(), n.Decimal().String())
		require.Equal(t, sign(a), n.Sign())
		require.Equal(t, a.IsZero(), n.IsZero())
		require.Equal(t, a.Neg().String(), n.Neg().Decimal().String())
		require.Equal(t, a.Abs().String(), n.Abs().Decimal().String())
		require.Equal(t, a.Neg().String(), n.Signed(-1).Decimal().String())
		require.Equal(t, a.String(), n.Signed(1).Decimal().String())
		require.Equal(t, math.Float64bits(a.InexactFloat64()), math.Float64bits(n.Float()), "%s", a)
		for _, b := range list {
			m := sums.Of(b)
			require.Equal(t, a.Add(b).String(), n.Plus(m).Decimal().String(), "%s + %s", a, b)
			require.Equal(t, a.Sub(b).String(), n.Minus(m).Decimal().String(), "%s - %s", a, b)
			require.Equal(t, a.Mul(b).String(), n.Times(m).Decimal().String(), "%s · %s", a, b)
			require.Equal(t, a.Cmp(b), n.Cmp(m), "%s and %s", a, b)
			require.Equal(t, a.Equal(b), n.Equal(m), "%s and %s", a, b)
		}
	}
}

func TestANumberKeepsTheDigitsOfItsDecimal(t *testing.T) {
	for _, a := range append(numbers(), wide()...) {
		if !a.IsZero() {
			require.Equal(t, a.Exponent(), sums.Of(a).Decimal().Exponent())
			require.Equal(t, a.Coefficient(), sums.Of(a).Decimal().Coefficient())
		}
	}
}

// A day of trading at prices of 17 digits: the sums that an account keeps.
func TestCashIsExactOverManyFills(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	cash, kept := decimal.NewFromInt(1_000_000), sums.Of(decimal.NewFromInt(1_000_000))
	for range 20_000 {
		price := decimal.NewFromFloat(100 * math.Exp(random.NormFloat64()))
		quantity := decimal.New(random.Int64N(2_000_000)-1_000_000, -int32(random.IntN(4)))
		cash = cash.Sub(quantity.Mul(price))
		kept = kept.Minus(sums.Of(quantity).Times(sums.Of(price)))
		require.Equal(t, math.Float64bits(cash.InexactFloat64()), math.Float64bits(kept.Float()))
	}
	require.Equal(t, cash.String(), kept.Decimal().String())
}

func FuzzNumber(f *testing.F) {
	f.Add(int64(1), uint64(1<<63), int32(-15), int64(-7), uint64(3), int32(2))
	f.Add(int64(-1<<62), uint64(math.MaxUint64), int32(-19), int64(100), uint64(0), int32(-18))
	f.Fuzz(func(t *testing.T, high int64, low uint64, exponent int32, other int64, below uint64, by int32) {
		number := func(high int64, low uint64, exponent int32) decimal.Decimal {
			digits := new(big.Int).Lsh(big.NewInt(high), 64)
			return decimal.NewFromBigInt(digits.Add(digits, new(big.Int).SetUint64(low)), exponent%40)
		}
		a, b := number(high, low, exponent), number(other, below, by)
		n, m := sums.Of(a), sums.Of(b)
		require.Equal(t, a.Add(b).String(), n.Plus(m).Decimal().String())
		require.Equal(t, a.Sub(b).String(), n.Minus(m).Decimal().String())
		require.Equal(t, a.Mul(b).String(), n.Times(m).Decimal().String())
		require.Equal(t, a.Cmp(b), n.Cmp(m))
		require.Equal(t, math.Float64bits(a.InexactFloat64()), math.Float64bits(n.Float()), "%s", a)
	})
}

func BenchmarkNumber(b *testing.B) {
	price, quantity := sums.Of(decimal.NewFromFloat(100.04832910482919)), sums.Of(decimal.NewFromInt(100))
	cash := sums.Of(decimal.NewFromInt(1_000_000)).Minus(price.Times(quantity))
	b.Run("plus", func(b *testing.B) {
		b.ReportAllocs()
		for range b.N {
			cash.Plus(price)
		}
	})
	b.Run("times", func(b *testing.B) {
		b.ReportAllocs()
		for range b.N {
			price.Times(quantity)
		}
	})
	b.Run("float", func(b *testing.B) {
		b.ReportAllocs()
		for range b.N {
			cash.Float()
		}
	})
	b.Run("of", func(b *testing.B) {
		d := price.Decimal()
		for range b.N {
			sums.Of(d)
		}
	})
}
