package talib_test

import (
	"math"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/indicators/talib"
)

// hardSeries are the ones on which running sums lose their digits.
func hardSeries() map[string][]float64 {
	seed := uint64(3)
	random := func() float64 {
		seed ^= seed << 13
		seed ^= seed >> 7
		seed ^= seed << 17
		return float64(seed>>11) / (1 << 53)
	}
	const bars = 1_000_000
	fine, cents, outlier := make([]float64, bars), make([]float64, bars), make([]float64, bars)
	price := 300.0
	for i := range fine {
		fine[i] = 60_000 + 0.1*(2*random()-1)
		cents[i] = 1e6 + math.Round(4*random()-2)/100
		price = max(10, price+random()-0.5)
		outlier[i] = price
	}
	outlier[1000] = 1e12
	return map[string][]float64{"60,000 ± 0.1": fine, "1e6 with cents": cents, "an outlier of 1e12": outlier}
}

// exact are functions of a window in arithmetic that does not round.
func exactMoments(window []float64) (mean, variance float64) {
	n := new(big.Float).SetPrec(400).SetInt64(int64(len(window)))
	sum, squares := new(big.Float).SetPrec(400), new(big.Float).SetPrec(400)
	for _, v := range window {
		b := new(big.Float).SetPrec(400).SetFloat64(v)
		sum.Add(sum, b)
		squares.Add(squares, new(big.Float).SetPrec(400).Mul(b, b))
	}
	sum.Quo(sum, n)
	squares.Quo(squares, n)
	mean, _ = sum.Float64()
	variance, _ = squares.Sub(squares, new(big.Float).SetPrec(400).Mul(sum, sum)).Float64()
	return mean, variance
}

// exactLine returns the end and the slope of the least-squares line.
func exactLine(window []float64) (end, slope float64) {
	f := func(v float64) *big.Float { return new(big.Float).SetPrec(400).SetFloat64(v) }
	n := float64(len(window))
	sum, weighted := f(0), f(0)
	for i, v := range window {
		sum.Add(sum, f(v))
		weighted.Add(weighted, f(v).Mul(f(v), f(float64(i)-(n-1)/2)))
	}
	line := f(0).Quo(weighted, f(n*(n*n-1)/12))
	slope, _ = line.Float64()
	end, _ = sum.Quo(sum, f(n)).Add(sum, line.Mul(line, f((n-1)/2))).Float64()
	return end, slope
}

func TestRollingSumsDoNotDriftOverAMillionBars(t *testing.T) {
	const n = 20
	for name, x := range hardSeries() {
		sma, variance, deviation := talib.SMA(nil, x, n), talib.VAR(nil, x, n, 1), talib.STDDEV(nil, x, n, 1)
		bands := talib.BBANDS(talib.BBANDSValues{}, x, n, 2, 2, talib.TypeSMA)
		wma, end, slope := talib.WMA(nil, x, n), talib.LINEARREG(nil, x, n), talib.LINEARREG_SLOPE(nil, x, n)
		for i := 1100; i < len(x); i += 4999 {
			window := x[i-n+1 : i+1]
			mean, v := exactMoments(window)
			lineEnd, lineSlope := exactLine(window)
			require.InEpsilon(t, mean, sma[i], 1e-12, "SMA %s", name)
			require.InEpsilon(t, v, variance[i], 1e-12, "VAR %s at bar %d", name, i)
			require.InEpsilon(t, math.Sqrt(v), deviation[i], 1e-12, "STDDEV %s", name)
			require.InEpsilon(t, mean+2*math.Sqrt(v), bands.RealUpperBand[i], 1e-12, "BBANDS %s", name)
			require.InEpsilon(t, lineEnd, end[i], 1e-12, "LINEARREG %s", name)
			// A slope may be next to nothing: it is measured in deviations a bar.
			require.InDelta(t, lineSlope, slope[i], 1e-12*math.Sqrt(v), "LINEARREG_SLOPE %s", name)
			// WMA is the mean and (n-1)/6 slopes.
			require.InEpsilon(t, mean+lineSlope*(n-1)/6, wma[i], 1e-12, "WMA %s", name)
		}
	}
}

// exactPair returns the correlation of two windows.
func exactPair(x, y []float64) float64 {
	f := func(v float64) *big.Float { return new(big.Float).SetPrec(400).SetFloat64(v) }
	n := f(float64(len(x)))
	sx, sy := f(0), f(0)
	for i := range x {
		sx.Add(sx, f(x[i]))
		sy.Add(sy, f(y[i]))
	}
	sx.Quo(sx, n)
	sy.Quo(sy, n)
	xx, yy, xy := f(0), f(0), f(0)
	for i := range x {
		dx, dy := f(x[i]), f(y[i])
		dx.Sub(dx, sx)
		dy.Sub(dy, sy)
		xx.Add(xx, f(0).SetPrec(400).Mul(dx, dx))
		yy.Add(yy, f(0).SetPrec(400).Mul(dy, dy))
		xy.Add(xy, f(0).SetPrec(400).Mul(dx, dy))
	}
	root := f(0).Sqrt(xx.Mul(xx, yy))
	v, _ := xy.Quo(xy, root).Float64()
	return v
}

func exactSum(window []float64) *big.Float {
	sum := new(big.Float).SetPrec(400)
	for _, v := range window {
		sum.Add(sum, new(big.Float).SetPrec(400).SetFloat64(v))
	}
	return sum
}

func TestSumsAndCorrelationsDoNotDriftOverAMillionBars(t *testing.T) {
	const n = 20
	series := hardSeries()
	periods := make([]float64, 1_000_000)
	for i := range periods {
		periods[i] = float64(2 + i%29)
	}
	other := series["60,000 ± 0.1"]
	checked := 0
	for name, x := range series {
		sum, trima, mavp := talib.SUM(nil, x, n), talib.TRIMA(nil, x, n), talib.MAVP(nil, x, periods, 2, 30, talib.TypeSMA)
		second := append(append([]float64(nil), other[500_000:]...), other[:500_000]...)
		correl := talib.CORREL(nil, x, second, n)
		for i := 1100; i < len(x); i += 4999 {
			window := x[i-n+1 : i+1]
			total, _ := exactSum(window).Float64()
			require.InEpsilon(t, total, sum[i], 1e-12, "SUM %s at bar %d", name, i)
			nested := new(big.Float).SetPrec(400)
			for k := range n/2 + 1 {
				nested.Add(nested, exactSum(x[i-k-n/2+1:i-k+1]))
			}
			triangle, _ := nested.Quo(nested, big.NewFloat(n/2*(n/2+1))).Float64()
			require.InEpsilon(t, triangle, trima[i], 1e-12, "TRIMA %s at bar %d", name, i)
			p := int(periods[i])
			mean, _ := exactSum(x[i-p+1:i+1]).Quo(exactSum(x[i-p+1:i+1]), big.NewFloat(float64(p))).Float64()
			require.InEpsilon(t, mean, mavp[i], 1e-12, "MAVP %s at bar %d", name, i)
			// A correlation may be next to nothing: it is measured against 1.
			require.InDelta(t, exactPair(window, second[i-n+1:i+1]), correl[i], 1e-12, "CORREL %s at bar %d", name, i)
			checked++
		}
	}
	require.Greater(t, checked, 500)
}
