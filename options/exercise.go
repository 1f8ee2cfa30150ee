package options

import "github.com/ttai-go/ttai/market"

// styleAccuracy is what positions and chains need of an American option: a
// hundredth of a cent in a hundred dollars.
const styleAccuracy = Accuracy1e6

// priceByStyle returns the value of the option as the contract may be exercised.
func (p BSM) priceByStyle(k Kind, style market.ExerciseStyle) float64 {
	if style == market.American {
		return p.American(k, styleAccuracy)
	}
	return p.Price(k)
}

// greeksByStyle returns value and Greeks as the contract may be exercised. Of an
// American option the value and the derivatives of first order and Gamma are its
// own, the others those of the European option of the same volatility.
func (p BSM) greeksByStyle(k Kind, style market.ExerciseStyle) Greeks {
	g := p.Greeks(k)
	if style != market.American {
		return g
	}
	a := p.AmericanGreeks(k, styleAccuracy)
	g.Price, g.Delta, g.Gamma, g.Theta = a.Price, a.Delta, a.Gamma, a.Theta
	g.Vega, g.Rho, g.RhoYield = a.Vega, a.Rho, a.RhoYield
	return g
}
