package indicators_test

import (
	"math"
	"math/big"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/indicators"
)

// hardSets are prices at which sums of squares lose the deviation.
func hardSets(n int) map[string][]float64 {
	r := rand.New(rand.NewPCG(1, 2))
	sets := map[string][]float64{}
	for i := range n {
		sets["60,000 ± 0.1"] = append(sets["60,000 ± 0.1"], 60_000+0.2*r.Float64()-0.1)
		sets["1e6 and cents"] = append(sets["1e6 and cents"], 1e6+math.Round(100*r.Float64())/100)
		x := 100 + r.Float64()
		if i == n/2 {
			x = 1e12
		}
		sets["one outlier of 1e12"] = append(sets["one outlier of 1e12"], x)
	}
	return sets
}

// truth is the sum, the weighted sum and the sum of squared deviations of a
// window in 200-bit arithmetic.
func truth(window []float64) (mean, wma, slope, deviation float64) {
	f := func(x float64) *big.Float { return new(big.Float).SetPrec(200).SetFloat64(x) }
	zero := func() *big.Float { return f(0) }
	n := float64(len(window))
	sum, weighted := zero(), zero()
	for i, v := range window {
		sum.Add(sum, f(v))
		weighted.Add(weighted, zero().Mul(f(float64(i+1)), f(v)))
	}
	m := zero().Quo(sum, f(n))
	squares := zero()
	for _, v := range window {
		d := zero().Sub(f(v), m)
		squares.Add(squares, d.Mul(d, d))
	}
	mean, _ = m.Float64()
	wma, _ = zero().Quo(weighted, f(n*(n+1)/2)).Float64()
	s := zero().Sub(weighted, zero().Mul(sum, f((n+1)/2)))
	slope, _ = s.Mul(s, f(12)).Quo(s, f(n*(n*n-1))).Float64()
	variance, _ := squares.Quo(squares, f(n)).Float64()
	return mean, wma, slope, math.Sqrt(variance)
}

// millionBars are the hard sets at a million bars; they must not be changed.
var millionBars = sync.OnceValue(func() map[string][]float64 { return hardSets(1_000_000) })

func TestWindowsKeepTheirDigits(t *testing.T) {
	for _, n := range []int{5, 20, 100} {
		for name, x := range hardSets(1200) {
			wma, sd := indicators.WMA(nil, x, n), indicators.StdDev(indicators.StdDevValues{}, x, n)
			lr := indicators.LinearRegression(indicators.LinearRegressionValues{}, x, n)
			var worst [4]float64
			for i := n - 1; i < len(x); i += 3 {
				mean, weighted, slope, deviation := truth(x[i-n+1 : i+1])
				worst[0] = max(worst[0], math.Abs(sd.Mean[i]/mean-1))
				worst[1] = max(worst[1], math.Abs(wma[i]/weighted-1))
				// A slope may be nearly zero: it is measured against the movement.
				worst[2] = max(worst[2], math.Abs(lr.Slope[i]-slope)/(deviation/float64(n)))
				worst[3] = max(worst[3], math.Abs(sd.StdDev[i]/deviation-1))
			}
			t.Logf("%s, n %d: relative errors of mean %.1e, WMA %.1e, slope %.1e, deviation %.1e", name, n, worst[0], worst[1], worst[2], worst[3])
			for _, w := range worst {
				require.Less(t, w, 1e-12, "%s, n %d: %v", name, n, worst)
			}
		}
	}
}

func TestExtremesAndMediansAreThoseOfTheWindow(t *testing.T) {
	x := readBars(t, "spy502.csv").Close
	for _, n := range []int{1, 2, 7, 30} {
		e, median := indicators.Extremes(indicators.ExtremesValues{}, x, n), indicators.Median(nil, x, n)
		for i := n - 1; i < len(x); i++ {
			high, low, below, above := math.Inf(-1), math.Inf(1), 0, 0
			for _, v := range x[i-n+1 : i+1] {
				high, low = max(high, v), min(low, v)
				if v < median[i] {
					below++
				} else if v > median[i] {
					above++
				}
			}
			require.Equal(t, []float64{high, low}, []float64{e.Max[i], e.Min[i]})
			require.True(t, 2*below <= n && 2*above <= n, "median %v at %d: %d below, %d above of %d", median[i], i, below, above, n)
		}
	}
}

func TestAMillionBarsDoNotDrift(t *testing.T) {
	const n = 20
	bars, checked := 1_000_000, 0
	for name, x := range millionBars() {
		sma, sum := indicators.SMA(nil, x, n), indicators.Sum(nil, x, n)
		bands := indicators.Bollinger(indicators.BollingerValues{}, x, n, 2)
		z := indicators.ZScore(nil, x, n)
		wma := indicators.WMA(nil, x, n)
		for i := n - 1; i < bars; i += 4999 {
			mean, weighted, _, deviation := truth(x[i-n+1 : i+1])
			require.InEpsilon(t, mean, sma[i], 1e-12, "SMA %s at bar %d", name, i)
			require.InEpsilon(t, n*mean, sum[i], 1e-12, "Sum %s at bar %d", name, i)
			require.InEpsilon(t, weighted, wma[i], 1e-12, "WMA %s at bar %d", name, i)
			require.InEpsilon(t, 4*deviation, bands.Upper[i]-bands.Lower[i], max(1e-12, 4*bands.Upper[i]*0x1p-52/(4*deviation)), "Bollinger %s at bar %d", name, i)
			require.InDelta(t, exactDistance(x[i-n+1:i+1])/deviation, z[i], 1e-12, "ZScore %s at bar %d", name, i)
			checked++
		}
		// The outlier leaves no trace: right after it has left the window, too.
		for i := bars/2 + n; i < bars/2+3*n; i++ {
			mean, weighted, _, deviation := truth(x[i-n+1 : i+1])
			require.InEpsilon(t, mean, sma[i], 1e-12, "SMA %s at bar %d", name, i)
			require.InEpsilon(t, weighted, wma[i], 1e-12, "WMA %s at bar %d", name, i)
			require.InEpsilon(t, 4*deviation, bands.Upper[i]-bands.Lower[i], max(1e-12, 4*bands.Upper[i]*0x1p-52/(4*deviation)), "Bollinger %s at bar %d", name, i)
			checked++
		}
	}
	require.Greater(t, checked, 600)
}

func TestCorrelationKeepsItsDigits(t *testing.T) {
	const n = 30
	sets := hardSets(1500)
	y := sets["1e6 and cents"]
	for name, x := range sets {
		c := indicators.Correlation(indicators.CorrelationValues{}, x, y, n)
		checked := 0
		for i := n - 1; i < len(x); i += 7 {
			want := exactCorrelation(x[i-n+1:i+1], y[i-n+1:i+1])
			require.InDelta(t, want, c.Correlation[i], 1e-12, "%s at bar %d", name, i)
			checked++
		}
		require.Greater(t, checked, 200)
	}
}

func exactCorrelation(x, y []float64) float64 {
	f := func(v float64) *big.Float { return new(big.Float).SetPrec(300).SetFloat64(v) }
	n := f(float64(len(x)))
	sums := func(a, b []float64) *big.Float { // n²·covariance
		sa, sb, sab := f(0), f(0), f(0)
		for i := range a {
			sa.Add(sa, f(a[i]))
			sb.Add(sb, f(b[i]))
			sab.Add(sab, f(0).Mul(f(a[i]), f(b[i])))
		}
		return sab.Sub(sab.Mul(sab, n), sa.Mul(sa, sb))
	}
	root := f(0).Sqrt(f(0).Mul(sums(x, x), sums(y, y)))
	v, _ := f(0).Quo(sums(x, y), root).Float64()
	return v
}

// exactDistance is how far the last value is from the mean.
func exactDistance(window []float64) float64 {
	sum := new(big.Float).SetPrec(300)
	for _, v := range window {
		sum.Add(sum, big.NewFloat(v))
	}
	last := big.NewFloat(window[len(window)-1]).SetPrec(300)
	d, _ := last.Sub(last, sum.Quo(sum, big.NewFloat(float64(len(window))))).Float64()
	return d
}
