package options

import (
	"errors"
	"math"
)

// An earlyPremium gives what early exercise adds to the options of one kind that
// expire together. The model's spot is without the present value of cash
// dividends; see premiumTable for the methods.
type earlyPremium interface {
	never() bool
	premium(p BSM) float64
	impliedVol(p BSM, price float64) (float64, error)
	greeks(p *BSM, g *Greeks, withRates bool) (premium, boundary float64, exercised bool)
}

func (t *premiumTable) never() bool { return t.none }

// dividendPremium is an earlyPremium under escrowed cash dividends. A strike's
// dividends are another's in another proportion, so that there is no table for
// all: each contract has small grids of its own, of the American option and the
// European, whose difference has little of the error of either.
type dividendPremium struct {
	kind      Kind
	dividends []Dividend // until expiry, by time
	present   float64
}

// The nodes and steps of such a grid.
const (
	premiumSpace = 240
	premiumTimes = 70
)

func (d *dividendPremium) never() bool { return false }

// at returns the premium and its first two derivatives by the spot.
func (d *dividendPremium) at(p BSM) (premium, slope, bend float64) {
	if !(p.Vol > 0) || d.kind == Call && p.Yield <= 0 && p.Rate >= 0 && !d.worthExercising(&p) {
		return 0, 0, 0
	}
	p.Spot += d.present
	early := newPriceGrid(p, d.kind, d.dividends, Escrowed, true, premiumSpace, premiumTimes)
	late := newPriceGrid(p, d.kind, d.dividends, Escrowed, false, premiumSpace, premiumTimes)
	early.solve()
	late.solve()
	m, dx, spot := early.middle, early.dx, early.spot[early.middle]
	at := func(i int) float64 { return early.v[i] - late.v[i] }
	up, here, down := at(m+1), at(m), at(m-1)
	first, second := (up-down)/(2*dx), (up-2*here+down)/(dx*dx)
	return max(here, 0), first / spot, (second - first) / (spot * spot)
}

// worthExercising reports that some dividend is above what the strike earns until
// the next, or expiry: without that a call is held.
func (d *dividendPremium) worthExercising(p *BSM) bool {
	for i, dividend := range d.dividends {
		next := p.Years
		if i+1 < len(d.dividends) {
			next = d.dividends[i+1].Years
		}
		if dividend.Cash > -p.Strike*math.Expm1(-p.Rate*(next-dividend.Years)) {
			return true
		}
	}
	return false
}

func (d *dividendPremium) intrinsic(p *BSM) float64 {
	return float64(d.kind) * (p.Spot + d.present - p.Strike)
}

func (d *dividendPremium) premium(p BSM) float64 {
	premium, _, _ := d.at(p)
	return max(premium, d.intrinsic(&p)-p.price(d.kind))
}

func (d *dividendPremium) impliedVol(p BSM, price float64) (float64, error) {
	switch intrinsic := d.intrinsic(&p); {
	case price < intrinsic:
		return math.NaN(), ErrBelowIntrinsic
	case price <= intrinsic*(1+1e-9):
		return math.NaN(), ErrNoTimeValue
	}
	high, err := p.ImpliedVol(d.kind, price)
	if err != nil {
		if errors.Is(err, ErrAboveMaximum) {
			p.Spot += d.present
			return p.AmericanImpliedVolDividends(d.kind, price, d.dividends, Escrowed)
		}
		return high, err
	}
	excess := func(vol float64) float64 {
		p.Vol = vol
		return p.price(d.kind) + d.premium(p) - price
	}
	over := excess(high)
	if over <= 1e-9*p.Strike {
		return high, nil
	}
	low, err := p.ImpliedVol(d.kind, price-over)
	if err != nil {
		low = 0.5 * high
	}
	under := excess(low)
	for range 20 {
		if under <= 0 || low < 1e-3 {
			break
		}
		high, over = low, under
		low *= 0.7
		under = excess(low)
	}
	if under > 0 {
		return math.NaN(), ErrNoTimeValue
	}
	return falsePosition(excess, low, under, high, over, 1e-5), nil
}

// falsePosition returns the zero of f between a and b, where its values are fa ≤ 0
// and fb ≥ 0, by the method of false position that halves the value of an end
// which stays twice (Dowell and Jarratt 1971), until a step is below tolerance
// relative to the zero.
func falsePosition(f func(float64) float64, a, fa, b, fb, tolerance float64) float64 {
	for range 60 {
		c := b - fb*(b-a)/(fb-fa)
		if !(c > min(a, b) && c < max(a, b)) {
			c = 0.5 * (a + b)
		}
		fc := f(c)
		if fc == 0 || math.Abs(b-a) <= tolerance*math.Abs(b) || math.Abs(c-b) <= tolerance*math.Abs(c) {
			return c
		}
		if (fc > 0) != (fb > 0) {
			a, fa = b, fb
		} else {
			fa *= 0.5
		}
		b, fb = c, fc
	}
	return b
}

func (d *dividendPremium) greeks(p *BSM, g *Greeks, _ bool) (premium, boundary float64, exercised bool) {
	p.greeks(d.kind, g)
	boundary = math.NaN() // it jumps at the ex-dates
	if !(p.Vol > 0) || !(p.Years > 0) {
		return 0, boundary, false
	}
	premium, slope, bend := d.at(*p)
	if intrinsic := d.intrinsic(p); g.Price+premium <= intrinsic*(1+1e-9) {
		premium = intrinsic - g.Price
		*g = Greeks{Price: intrinsic, Delta: float64(d.kind), ProbITM: g.ProbITM, ProbTouch: g.ProbTouch}
		return premium, boundary, true
	}
	if premium == 0 {
		return 0, boundary, false
	}
	g.Price, g.Delta, g.Gamma = g.Price+premium, g.Delta+slope, max(g.Gamma+bend, 0)
	more := *p
	more.Vol *= 1.01
	higher, _, _ := d.at(more)
	g.Vega = max(g.Vega+(higher-premium)/(more.Vol-p.Vol), 0)
	g.Theta = p.Rate*g.Price - (p.Rate-p.Yield)*p.Spot*g.Delta - 0.5*p.Vol*p.Vol*p.Spot*p.Spot*g.Gamma
	return premium, boundary, false
}
