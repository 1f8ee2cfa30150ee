package indicators_test

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/indicators"
	ta "github.com/ttai-go/ttai/indicators/talib"
)

// A num is a number of 300 bits.
type num struct{ v *big.Float }

func exact(x float64) num        { return num{new(big.Float).SetPrec(300).SetFloat64(x)} }
func (a num) plus(b num) num     { return num{exact(0).v.Add(a.v, b.v)} }
func (a num) minus(b num) num    { return num{exact(0).v.Sub(a.v, b.v)} }
func (a num) times(b num) num    { return num{exact(0).v.Mul(a.v, b.v)} }
func (a num) by(b num) num       { return num{exact(0).v.Quo(a.v, b.v)} }
func (a num) root() num          { return num{exact(0).v.Sqrt(a.v)} }
func (a num) abs() num           { return num{exact(0).v.Abs(a.v)} }
func (a num) float() (f float64) { f, _ = a.v.Float64(); return f }

func total(x []float64) num {
	sum := exact(0)
	for _, v := range x {
		sum = sum.plus(exact(v))
	}
	return sum
}

// deviations are those of a window from its mean.
func deviations(x []float64) []num {
	mean := total(x).by(exact(float64(len(x))))
	d := make([]num, len(x))
	for i, v := range x {
		d[i] = exact(v).minus(mean)
	}
	return d
}

// products adds up the products of two lists.
func products(a, b []num) num {
	sum := exact(0)
	for i := range a {
		sum = sum.plus(a[i].times(b[i]))
	}
	return sum
}

// meanDistance is the mean deviation.
func meanDistance(x []float64) num {
	sum := exact(0)
	for _, d := range deviations(x) {
		sum = sum.plus(d.abs())
	}
	return sum.by(exact(float64(len(x))))
}

// moment is a central moment.
func moment(x []float64, power int) num {
	sum := exact(0)
	for _, d := range deviations(x) {
		p := exact(1)
		for range power {
			p = p.times(d)
		}
		sum = sum.plus(p)
	}
	return sum.by(exact(float64(len(x))))
}

// hardBars are bars around each of the hard sets, and what is the same for all
// bars' functions: typical prices, flows, moves.
type hardBars struct {
	open, high, low, close, volume []float64
	typical, widened, narrowed     []float64
	gains, losses, bodies, falls   []float64 // money in and out; rises and falls from open to close
	buying, ranges, returns        []float64
	other, otherReturns            []float64
}

func newHardBars(x []float64) *hardBars {
	r := rand.New(rand.NewPCG(9, 9))
	b := &hardBars{close: x}
	other := 100.0
	for i, c := range x {
		o := c
		if i > 0 {
			o = x[i-1]
		}
		h, l, v := max(o, c)+0.01*r.Float64(), min(o, c)-0.01*r.Float64(), 1000*r.Float64()
		other += r.Float64() - 0.5
		b.open, b.high, b.low, b.volume = append(b.open, o), append(b.high, h), append(b.low, l), append(b.volume, v)
		tp, w := (h+l+c)/3, 4*(h-l)/(h+l)
		before := tp
		if i > 0 {
			before = b.typical[i-1]
		}
		flow := tp * v
		b.typical, b.widened, b.narrowed = append(b.typical, tp), append(b.widened, h*(1+w)), append(b.narrowed, l*(1-w))
		b.gains, b.losses = append(b.gains, where(tp > before, flow)), append(b.losses, where(tp < before, flow))
		b.bodies, b.falls = append(b.bodies, max(c-o, 0)), append(b.falls, max(o-c, 0))
		b.buying, b.ranges = append(b.buying, c-min(l, o)), append(b.ranges, max(h, o)-min(l, o))
		b.returns = append(b.returns, (c-o)/o)
		otherReturn := 0.0
		if i > 0 {
			otherReturn = (other - b.other[i-1]) / b.other[i-1]
		}
		b.other, b.otherReturns = append(b.other, other), append(b.otherReturns, otherReturn)
	}
	return b
}

func where(yes bool, x float64) float64 {
	if yes {
		return x
	}
	return 0
}

// subset are the pairs of two lists at which the second passes.
func subset(x, y []float64, passes func(float64) bool) (a, b []float64) {
	for i, v := range y {
		if passes(v) {
			a, b = append(a, x[i]), append(b, v)
		}
	}
	return a, b
}

func TestEveryRollingSumIsExactOnTheHardSets(t *testing.T) {
	const n, bars = 20, 6000
	for name, x := range hardSets(bars) {
		b := newHardBars(x)
		mfi, tmfi := indicators.MFI(nil, b.high, b.low, b.close, b.volume, n), ta.MFI(nil, b.high, b.low, b.close, b.volume, n)
		imi := ta.IMI(nil, b.open, b.close, n)
		uo, tuo := indicators.Ultimate(nil, b.high, b.low, b.close, 7, 14, 28), ta.ULTOSC(nil, b.high, b.low, b.close, 7, 14, 28)
		acc, tacc := indicators.AccelerationBands(indicators.AccelerationBandsValues{}, b.high, b.low, b.close, n, 4), ta.ACCBANDS(ta.ACCBANDSValues{}, b.high, b.low, b.close, n)
		vwma := indicators.VWMA(nil, b.close, b.volume, n)
		skew, kurtosis := indicators.Skew(nil, x, n), indicators.Kurtosis(nil, x, n)
		hv := indicators.HistoricalVolatility(nil, x, n, 252)
		away := indicators.MeanDeviation(indicators.MeanDeviationValues{}, x, n)
		avgdev, long := ta.AVGDEV(nil, x, n), ta.AVGDEV(nil, x, 300)
		cci, tcci := indicators.CCI(nil, b.high, b.low, b.close, n), ta.CCI(nil, b.high, b.low, b.close, n)
		beta := indicators.Beta(indicators.BetaValues{}, x, b.other, n)
		tbeta := ta.BETA(nil, x, b.other, n)
		check := func(what string, i int, want num, scale, got float64) {
			require.InDelta(t, want.float(), got, 1e-12*max(math.Abs(want.float()), scale), "%s of %s at bar %d", what, name, i)
		}
		at := func(i int) {
			window := func(s []float64, n int) []float64 { return s[i-n+1 : i+1] }
			up, down := total(window(b.gains, n)), total(window(b.losses, n))
			share := up.by(up.plus(down)).times(exact(100))
			check("MFI", i, share, 0, mfi[i])
			check("talib:MFI", i, share, 0, tmfi[i])
			up, down = total(window(b.bodies, n)), total(window(b.falls, n))
			check("talib:IMI", i, up.by(up.plus(down)).times(exact(100)), 0, imi[i])
			sum := exact(0)
			for k, m := range []int{7, 14, 28} {
				sum = sum.plus(total(window(b.buying, m)).by(total(window(b.ranges, m))).times(exact([]float64{4, 2, 1}[k])))
			}
			sum = sum.times(exact(100)).by(exact(7))
			check("Ultimate", i, sum, 0, uo[i])
			check("talib:ULTOSC", i, sum, 0, tuo[i])
			for k, s := range [][]float64{b.widened, b.close, b.narrowed} {
				mean := total(window(s, n)).by(exact(n))
				check("AccelerationBands", i, mean, 0, [][]float64{acc.Upper, acc.Middle, acc.Lower}[k][i])
				check("talib:ACCBANDS", i, mean, 0, [][]float64{tacc.RealUpperBand, tacc.RealMiddleBand, tacc.RealLowerBand}[k][i])
			}
			var money []num
			var volumes []num
			for k := i - n + 1; k <= i; k++ {
				money, volumes = append(money, exact(x[k])), append(volumes, exact(b.volume[k]))
			}
			check("VWMA", i, products(money, volumes).by(total(window(b.volume, n))), 0, vwma[i])

			m2 := moment(window(x, n), 2)
			// A skewness may be next to nothing: it is measured against 1.
			check("Skew", i, moment(window(x, n), 3).by(m2.times(m2.root())).times(exact(n*(n-1)).root()).by(exact(n-2)), 1, skew[i])
			k4 := moment(window(x, n), 4).by(m2.times(m2)).minus(exact(3)).times(exact(n + 1)).plus(exact(6))
			check("Kurtosis", i, k4.times(exact(n-1)).by(exact((n-2)*(n-3))), 1, kurtosis[i])
			check("MeanDeviation's MSE", i, m2, 0, away.MSE[i])
			far := meanDistance(window(x, n))
			check("MeanDeviation", i, far, 0, away.MAD[i])
			check("talib:AVGDEV", i, far, 0, avgdev[i])
			if i >= 300 {
				check("talib:AVGDEV of 300", i, meanDistance(window(x, 300)), 0, long[i])
			}
			relative := exact(0)
			for k, d := range deviations(window(x, n)) {
				relative = relative.plus(d.abs().by(exact(window(x, n)[k])))
			}
			check("MeanDeviation's MAPE", i, relative.by(exact(n)), 0, away.MAPE[i])
			last := deviations(window(b.typical, n))[n-1]
			index := last.by(meanDistance(window(b.typical, n)).times(exact(0.015)))
			check("CCI", i, index, 1, cci[i])
			check("talib:CCI", i, index, 1, tcci[i])

			// The logarithm of a ratio next to 1 is found from the difference.
			logs := make([]float64, n)
			for k := range logs {
				before, now := exact(x[i-n+k]), exact(x[i-n+k+1])
				if logs[k] = math.Log1p(now.minus(before).by(before).float()); math.Abs(logs[k]) > 0.1 {
					logs[k] = math.Log(now.by(before).float())
				}
			}
			variance := moment(logs, 2).times(exact(n)).by(exact(n - 1)).times(exact(252))
			check("HistoricalVolatility", i, variance.root(), 0, hv[i])

			for k, passes := range []func(float64) bool{
				func(float64) bool { return true }, func(v float64) bool { return v > 0 }, func(v float64) bool { return v < 0 },
			} {
				r, market := subset(window(b.returns, n), window(b.otherReturns, n), passes)
				if len(r) < 2 {
					continue
				}
				dx, dy := deviations(r), deviations(market)
				xx, yy, xy := products(dx, dx), products(dy, dy), products(dx, dy)
				// A beta may be next to nothing: it is measured against the spreads'.
				check("Beta", i, xy.by(yy), xx.by(yy).root().float(), [][]float64{beta.Beta, beta.Up, beta.Down}[k][i])
				if k == 0 && xx.by(exact(n)).float() > 1e-13 {
					check("talib:BETA", i, xy.by(xx), yy.by(xx).root().float(), tbeta[i])
				}
			}
		}
		for i := 60; i < bars; i += 397 {
			at(i)
		}
		for i := bars/2 - 1; i < bars/2+3*n; i += 3 { // the outlier in the window, and gone
			at(i)
		}
	}
}

func TestCorrelationsDoNotDriftOverAMillionBars(t *testing.T) {
	const n, bars = 30, 1_000_000
	sets := millionBars()
	y := sets["1e6 and cents"]
	for name, x := range sets {
		c := indicators.Correlation(indicators.CorrelationValues{}, x, y, n)
		checked := 0
		at := func(i int) {
			dx, dy := deviations(x[i-n+1:i+1]), deviations(y[i-n+1:i+1])
			vx, vy, cov := products(dx, dx), products(dy, dy), products(dx, dy)
			require.InDelta(t, cov.by(vx.times(vy).root()).float(), c.Correlation[i], 1e-12, "%s at bar %d", name, i)
			require.InEpsilon(t, vx.float()/n, c.VarianceA[i], 1e-12, "%s at bar %d", name, i)
			require.InEpsilon(t, vy.float()/n, c.VarianceB[i], 1e-12, "%s at bar %d", name, i)
			require.InDelta(t, cov.float()/n, c.Covariance[i], 1e-12*math.Sqrt(vx.float()*vy.float())/n, "%s at bar %d", name, i)
			checked++
		}
		for i := n; i < bars; i += 9973 {
			at(i)
		}
		for i := bars / 2; i < bars/2+3*n; i++ { // the outlier in the window, and gone
			at(i)
		}
		require.Greater(t, checked, 150)
	}
}
