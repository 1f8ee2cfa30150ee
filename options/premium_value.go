package options

import (
	"errors"
	"math"
)

// unit returns what the table's put is to be multiplied with, and the logarithm
// of its spot over its strike.
func (t *premiumTable) unit(p *BSM) (unit, x float64) {
	x = logRatio(p.Spot, p.Strike)
	if t.kind == Call {
		return p.Spot, -x
	}
	return p.Strike, x
}

// premium returns what early exercise adds to the option, in units of the price.
// At and beyond the boundary that is all that exercising earns over waiting.
func (t *premiumTable) premium(p BSM) float64 {
	if t.none || !(p.Vol > 0) {
		return 0
	}
	if !t.has(p.Vol) {
		return max(p.American(t.kind, styleAccuracy)-p.price(t.kind), 0)
	}
	var at premiumPoint
	unit, x := t.unit(&p)
	if t.look(x, p.Vol, &at); at.exercised {
		return max(max(float64(t.kind)*(p.Spot-p.Strike), 0)-p.price(t.kind), 0)
	}
	return unit * at.premium
}

// price returns the value of the American option.
func (t *premiumTable) price(p BSM) float64 {
	return p.price(t.kind) + t.premium(p)
}

// impliedVol returns the volatility at which the American option is worth price.
// Where exercising now is worth as much, every lower volatility gives that price
// too, and there is none.
func (t *premiumTable) impliedVol(p BSM, price float64) (float64, error) {
	if vol, ok := t.volNear(p, price); ok {
		return vol, nil
	}
	european, err := p.ImpliedVol(t.kind, price)
	if t.none {
		return european, err
	}
	return t.impliedVolFrom(p, price, european, err)
}

// volNear finds the volatility by a few steps of Newton's method from p.Vol, if that is
// near enough and the price depends on it.
func (t *premiumTable) volNear(p BSM, price float64) (vol float64, ok bool) {
	if t.none || !(p.Vol > 0) || price <= float64(t.kind)*(p.Spot-p.Strike)*(1+1e-9) {
		return 0, false
	}
	asset, cash, _ := p.present()
	lo, x := min(asset, cash), math.Abs(p.moneyness())
	certain := max(float64(t.kind)*(asset-cash), 0)
	unit, own := t.unit(&p)
	var at premiumPoint
	for range nearSteps {
		if !t.has(p.Vol) {
			break
		}
		t.look(own, p.Vol, &at)
		f, part, _, _, _, _ := black(x, p.Vol*t.root)
		premium, vega := unit*at.premium, lo*f*t.root
		slope := vega + premium*at.vol
		if at.exercised || tellsNothing(slope, &p) {
			break
		}
		step := (lo*part + certain + premium - price) / slope
		if p.Vol -= step; math.Abs(step) < 1e-4*p.Vol { // the next is of the order of its square
			return p.Vol, t.has(p.Vol)
		}
	}
	return 0, false
}

// impliedVolFrom is impliedVol, given the European volatility of the price, which
// is above by the premium: Newton's method goes down from it, where the value is
// convex near the boundary.
func (t *premiumTable) impliedVolFrom(p BSM, price, european float64, err error) (float64, error) {
	intrinsic := float64(t.kind) * (p.Spot - p.Strike)
	switch {
	case price < intrinsic:
		return math.NaN(), ErrBelowIntrinsic
	case price <= intrinsic*(1+1e-12):
		return math.NaN(), ErrNoTimeValue
	case err != nil && !errors.Is(err, ErrAboveMaximum):
		return european, err
	case err != nil || !t.has(european):
		return p.AmericanImpliedVol(t.kind, price, Accuracy1e6)
	}
	asset, cash, _ := p.present()
	lo, x := min(asset, cash), math.Abs(p.moneyness())
	certain := max(float64(t.kind)*(asset-cash), 0)
	unit, own := t.unit(&p)
	low, high := t.least, european
	vol, value, vega := european, price, 0.0
	first := true
	var at premiumPoint
	for range 40 {
		if !t.has(vol) {
			break
		}
		s := vol * t.root
		t.look(own, vol, &at)
		if first && at.premium == 0 && !at.exercised {
			return vol, nil // too far from exercise to matter
		}
		f, part, _, _, _, _ := black(x, s)
		vega = lo * f * t.root
		if !first {
			value = lo*part + certain
		}
		first = false
		excess, slope := value+unit*at.premium-price, vega+unit*at.premium*at.vol
		if at.exercised {
			excess, slope = intrinsic-price, 0
		}
		if excess > 0 {
			high = vol
		} else {
			low = vol
		}
		next := vol - excess/slope
		if !(next > low && next < high) {
			if math.Abs(excess) <= 1e-13*price {
				return vol, nil
			}
			next = 0.5 * (low + high)
			if excess > 0 && low == t.least {
				next = max(0.7*vol, low)
			}
		}
		step := math.Abs(next - vol)
		vol = next
		if step < 1e-4*vol && !at.exercised || high-low < 1e-10*vol { // the next is of the order of its square
			if vol < 1.01*t.least {
				break
			}
			return vol, nil
		}
	}
	return p.AmericanImpliedVol(t.kind, price, Accuracy1e6)
}

// greeks adds to the Greeks of the European option, and returns what of the value
// is due to early exercise. Theta follows from the Black-Scholes equation, which
// holds wherever exercise is not due. Those beyond the first order and Gamma stay
// those of the European option. The rhos are the American's if withRates is set.
func (t *premiumTable) greeks(p *BSM, g *Greeks, withRates bool) (premium, boundary float64, exercised bool) {
	p.greeks(t.kind, g)
	boundary = 0
	if t.kind == Call {
		boundary = math.Inf(1)
	}
	if t.none || !(p.Vol > 0) || !(p.Years > 0) {
		return 0, boundary, false
	}
	if !t.has(p.Vol) {
		a := p.AmericanGreeks(t.kind, styleAccuracy)
		premium = max(a.Price-g.Price, 0)
		g.Price, g.Delta, g.Gamma, g.Theta, g.Vega = a.Price, a.Delta, a.Gamma, a.Theta, a.Vega
		if withRates {
			g.Rho, g.RhoYield = a.Rho, a.RhoYield
		}
		return premium, a.Boundary, a.Exercise
	}
	var at premiumPoint
	unit, x := t.unit(p)
	t.look(x, p.Vol, &at)
	boundary = p.Strike * expSum(float64(-t.kind)*at.edge, 0)
	intrinsic := float64(t.kind) * (p.Spot - p.Strike)
	premium = unit * at.premium
	if at.exercised || g.Price+premium < intrinsic*(1+1e-14) {
		premium = max(intrinsic-g.Price, 0)
		probITM, probTouch := g.ProbITM, g.ProbTouch
		*g = Greeks{Price: intrinsic, Delta: float64(t.kind), ProbITM: probITM, ProbTouch: probTouch}
		return premium, boundary, true
	}
	if premium == 0 {
		return 0, boundary, false
	}
	// With L = ln(premium) of the put: a call's is the spot times e^L at -x.
	perSpot := premium / p.Spot
	g.Price += premium
	if t.kind == Call {
		g.Delta += perSpot * (1 - at.slope)
	} else {
		g.Delta += perSpot * at.slope
	}
	g.Gamma += perSpot / p.Spot * (at.slope*at.slope + at.bend - at.slope)
	g.Vega += premium * at.vol
	g.Gamma, g.Vega = max(g.Gamma, 0), max(g.Vega, 0) // rounding far in the money
	g.Theta = p.Rate*g.Price - (p.Rate-p.Yield)*p.Spot*g.Delta - 0.5*p.Vol*p.Vol*p.Spot*p.Spot*g.Gamma
	if withRates {
		rate, yield := t.rates(&at, p.Vol)
		if t.kind == Call {
			rate, yield = yield, rate
		}
		g.Rho += premium * rate
		g.RhoYield += premium * yield
	}
	return premium, boundary, false
}
