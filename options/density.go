package options

import "math"

// A Density is the risk-neutral distribution that a surface implies for one
// time (Breeden and Litzenberger 1978). It implements [Distribution].
type Density struct {
	Forward float64
	Years   float64
	slopes  func(k float64) (w, w1, w2 float64)
}

// Density returns the distribution of the underlying's price after years, which
// must be positive; otherwise everything it says is NaN.
func (s *Surface) Density(years float64) Density {
	if !(years > 0) || math.IsInf(years, 1) {
		nan := math.NaN()
		return Density{Forward: nan, Years: nan, slopes: func(float64) (float64, float64, float64) { return nan, nan, nan }}
	}
	return Density{Forward: s.Forward(years), Years: years,
		slopes: func(k float64) (float64, float64, float64) { return s.slopes(k, years) }}
}

// PDF returns the probability density at a price, per unit of price:
//
//	g(k)·φ(d2) / (x·√w)
//
// It is negative where the surface has butterfly arbitrage.
func (d Density) PDF(x float64) float64 {
	if x <= 0 {
		return 0
	}
	k := math.Log(x / d.Forward)
	w, _, _ := d.slopes(k)
	root := math.Sqrt(w)
	return durrleman(k, d.slopes) * bell(-k/root-0.5*root) / (x * root)
}

// CDF implements [Distribution]: the slope of the put price in the strike,
// Φ(-d2) + φ(d2)·∂√w/∂k.
func (d Density) CDF(x float64) float64 {
	switch {
	case x <= 0:
		return 0
	case math.IsInf(x, 1):
		return 1
	}
	k := math.Log(x / d.Forward)
	w, w1, _ := d.slopes(k)
	root := math.Sqrt(w)
	d2 := -k/root - 0.5*root
	return min(max(cumulative(-d2)+bell(d2)*w1/(2*root), 0), 1)
}

// Below implements [Distribution]: x·CDF(x) minus the undiscounted put.
func (d Density) Below(x float64) float64 {
	switch {
	case x <= 0:
		return 0
	case math.IsInf(x, 1):
		return d.Forward
	}
	w, _, _ := d.slopes(math.Log(x / d.Forward))
	put := BSM{Spot: d.Forward, Strike: x, Years: 1, Vol: math.Sqrt(w)}.Price(Put)
	return min(max(x*d.CDF(x)-put, 0), d.Forward)
}

// Mean implements [Distribution].
func (d Density) Mean() float64 { return d.Forward }

// Quantile returns the price that is not exceeded with probability p.
func (d Density) Quantile(p float64) float64 {
	if !(p > 0 && p < 1) || math.IsNaN(d.Forward) {
		return math.NaN()
	}
	w, _, _ := d.slopes(0)
	reach := 10*math.Sqrt(w) + 0.5
	return d.Forward * math.Exp(bisect(func(k float64) float64 { return d.CDF(d.Forward*math.Exp(k)) - p }, -reach, reach))
}

// ExpectedMove returns half the width of the middle 68.27 % of the
// distribution, in price units: one standard deviation of a normal one.
func (d Density) ExpectedMove() float64 {
	const tail = 0.15865525393145705 // Φ(-1)
	return 0.5 * (d.Quantile(1-tail) - d.Quantile(tail))
}
