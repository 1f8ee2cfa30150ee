package talib_test

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/indicators/talib"
)

func precise(v float64) *big.Float { return new(big.Float).SetPrec(200).SetFloat64(v) }

// odd is t + s·t³/3 + t⁵/5 + s·t⁷/7 + …: the inverse hyperbolic tangent of t for
// s = 1, the arctangent for s = -1.
func odd(t *big.Float, s float64) *big.Float {
	sum, power := precise(0), precise(0).Set(t)
	square := precise(0).Mul(t, t)
	square.Mul(square, precise(s))
	for k := 1; k == 1 || power.Sign() != 0 && power.MantExp(nil) > sum.MantExp(nil)-180; k += 2 {
		sum.Add(sum, precise(0).Quo(power, precise(float64(k))))
		power.Mul(power, square)
	}
	return sum
}

// exactLog is the logarithm in arithmetic of 200 bits: of the fraction by its
// series, and of the power of two.
func exactLog(x float64) *big.Float {
	fraction, power := math.Frexp(x)
	if fraction < math.Sqrt2/2 {
		fraction, power = 2*fraction, power-1
	}
	m := precise(fraction)
	t := precise(0).Quo(precise(0).Sub(m, precise(1)), precise(0).Add(m, precise(1)))
	two := odd(precise(0).Quo(precise(1), precise(3)), 1)
	sum := odd(t, 1)
	sum.Add(sum, two.Mul(two, precise(float64(power))))
	return sum.Mul(sum, precise(2))
}

// exactAtan halves the angle four times, and uses the series.
func exactAtan(x float64) *big.Float {
	t := precise(x)
	for range 4 {
		root := precise(0).Mul(t, t)
		root.Sqrt(root.Add(root, precise(1)))
		t.Quo(t, root.Add(root, precise(1)))
	}
	sum := odd(t, -1)
	return sum.Mul(sum, precise(16))
}

// units is how far a value is from the exact one, in units of its last place.
func units(got float64, exact *big.Float) float64 {
	v, _ := exact.Float64()
	unit := math.Nextafter(math.Abs(v), math.Inf(1)) - math.Abs(v)
	off, _ := precise(0).Sub(precise(got), exact).Float64()
	return math.Abs(off) / unit
}

func TestLogarithmsAndArctangentsAreWithinAUnitOfTheExact(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	x := []float64{0.6875, 0.99609375, 0.998046875, 1.00390625, 1.0078125, 2, math.E, 10, 1e300, 3e-308, 1.0 / 32, 32, 31.999}
	for range 500 {
		x = append(x, math.Exp(0.01*r.NormFloat64()), math.Exp(r.NormFloat64()), math.Exp(50*r.NormFloat64()), 0.6875+0.6875*r.Float64())
	}
	for _, v := range x[:len(x):len(x)] {
		x = append(x, math.Nextafter(v, 0), math.Nextafter(v, math.Inf(1)))
	}
	logs, tens, arcs := talib.LN(nil, x), talib.LOG10(nil, x), talib.ATAN(nil, x)
	worstLog, worstTen, worstArc, ten := 0.0, 0.0, 0.0, exactLog(10)
	for i, v := range x {
		if v != 1 {
			exact := exactLog(v)
			worstLog = max(worstLog, units(logs[i], exact))
			worstTen = max(worstTen, units(tens[i], exact.Quo(exact, ten)))
		}
		worstArc = max(worstArc, units(arcs[i], exactAtan(v)))
	}
	require.Less(t, worstLog, 1.0, "units in the last place")
	require.Less(t, worstArc, 1.0, "units in the last place")
	require.Less(t, worstTen, 1.5, "units in the last place") // next to 1 one product more is rounded
	t.Logf("worst: %.3f, %.3f and %.3f units", worstLog, worstTen, worstArc)
}

func TestLogarithmsAndArcsAtTheirEnds(t *testing.T) {
	tiny, huge := math.SmallestNonzeroFloat64, math.MaxFloat64
	require.Equal(t, []float64{0, math.Log(tiny), math.Log(huge)}, talib.LN(nil, []float64{1, tiny, huge}))
	require.True(t, math.IsInf(talib.LN(nil, []float64{0})[0], -1))
	require.True(t, math.IsNaN(talib.LN(nil, []float64{-1})[0]))
	require.Equal(t, []float64{0, 1, 3, -2}, talib.LOG10(nil, []float64{1, 10, 1000, 0.01})[:4:4])
	require.Equal(t, []float64{0, math.Pi / 4, -math.Pi / 4, math.Pi / 2, -math.Pi / 2, tiny},
		talib.ATAN(nil, []float64{0, 1, -1, huge, -huge, tiny}))
	require.True(t, math.Signbit(talib.ATAN(nil, []float64{math.Copysign(0, -1)})[0]))
	require.Equal(t, []float64{math.Pi / 2, -math.Pi / 2, 0}, talib.ASIN(nil, []float64{1, -1, 0}))
	require.Equal(t, []float64{0, math.Pi}, talib.ACOS(nil, []float64{1, -1}))
	for _, f := range []func(dst, x []float64) []float64{talib.ASIN, talib.ACOS} {
		require.True(t, math.IsNaN(f(nil, []float64{1.0000001})[0]))
		require.True(t, math.IsNaN(f(nil, []float64{-2})[0]))
	}
	for i := range 2001 {
		v := float64(i-1000) / 1000
		require.InDelta(t, math.Asin(v), talib.ASIN(nil, []float64{v})[0], 5e-16)
		require.InDelta(t, math.Acos(v), talib.ACOS(nil, []float64{v})[0], 9e-16)
	}
}
