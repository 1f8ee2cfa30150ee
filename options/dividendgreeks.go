package options

import "math"

// AmericanGreeksDividends returns the value of the American option when the share
// pays cash dividends, and its derivatives. Value, Delta and Gamma come from one
// finite-difference grid each, Vega and the rhos from central differences over one
// per cent of the volatility and ten basis points: to about 1e-3 of themselves. Theta
// follows from the equation that the value obeys, with the present value of escrowed
// dividends kept as it is. The exercise boundary jumps at the ex-dates: Boundary is
// NaN. Where exercising now is right, Delta is 1 or -1 and the others are 0. The
// errors are those of [BSM.AmericanDividends].
func (p BSM) AmericanGreeksDividends(k Kind, dividends []Dividend, m DividendModel) (AmericanGreeks, error) {
	nan := math.NaN()
	g := AmericanGreeks{nan, nan, nan, nan, nan, nan, nan, nan, false}
	value, err := p.AmericanDividends(k, dividends, m)
	if err != nil {
		return g, err
	}
	relevant := p.relevant(dividends)
	if len(relevant) == 0 {
		return p.AmericanGreeks(k, Accuracy1e6), nil
	}
	g.Price = value
	if intrinsic := float64(k) * (p.Spot - p.Strike); intrinsic > 0 && value <= intrinsic*(1+1e-9) {
		return AmericanGreeks{Price: value, Delta: float64(k), Boundary: nan, Exercise: true}, nil
	}
	if p.Vol == 0 || p.Years == 0 {
		return g, nil
	}
	grid := newPriceGrid(p, k, relevant, m, true, 2*gridSpace, 2*gridSteps)
	grid.solve()
	spot, v := grid.p.Spot, grid.v[grid.middle-1:]
	slope, bend := (v[2]-v[0])/(2*grid.dx), (v[2]-2*v[1]+v[0])/(grid.dx*grid.dx)
	g.Delta, g.Gamma = slope/spot, max((bend-slope)/(spot*spot), 0)
	g.Theta = p.Rate*value - (p.Rate-p.Yield)*spot*g.Delta - 0.5*p.Vol*p.Vol*spot*spot*g.Gamma
	difference := func(h float64, change func(*BSM, float64)) float64 {
		up, down := p, p
		change(&up, h)
		change(&down, -h)
		high, _ := up.AmericanDividends(k, dividends, m)
		low, _ := down.AmericanDividends(k, dividends, m)
		return (high - low) / (2 * h)
	}
	g.Vega = difference(0.01*p.Vol, func(q *BSM, h float64) { q.Vol += h })
	g.Rho = difference(1e-3, func(q *BSM, h float64) { q.Rate += h })
	g.RhoYield = difference(1e-3, func(q *BSM, h float64) { q.Yield += h })
	return g, nil
}
