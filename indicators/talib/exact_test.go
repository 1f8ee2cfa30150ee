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
