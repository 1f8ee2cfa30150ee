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
// dividends are another's in another proportion, so that what early exercise adds
// to a put or call on a strike of 1 is a function of three numbers: the spot, the
// dividends' proportion and the volatility. One grid gives all spots; a few
// proportions and volatilities are interpolated, at the same distance from where
// exercise begins in deviations, since the premium bends there. Of each the
// European option on the same grid is taken away, and with it most of the grid's
// error. Volatilities outside of the tables have two grids of their own each time.
type dividendPremium struct {
	kind        Kind
	dividends   []Dividend // until expiry, by time
	present     float64
	terms       BSM     // years, rate and yield
	low, high   float64 // ln(strike)
	step        float64 // of ln(strike) between two proportions
	root        float64
	proportions int
	rough       bool          // on coarse grids, which do to find a forward
	cell        *dividendCell // nil for none
}

// dividendCell has grids for volatilities between two.
type dividendCell struct {
	low, high float64 // ln(vol)
	vols      int
	grids     [dividendVols][]dividendGrid // by proportion
}

// dividendGrid is one grid.
type dividendGrid struct {
	dev, dx, left float64 // left is ln(spot) at the first node
	kink          float64 // where exercise begins, NaN when it does not
	now           bool    // that is now
	premiums      []float64
}

// The size of the tables, and the nodes and steps of a grid.
const (
	dividendVols  = 7
	dividendWidth = 0.12 // of ln(strike), between two proportions
	premiumSpace  = 280
	premiumTimes  = 30
)

func newDividendPremium(k Kind, model BSM, dividends []Dividend, lowVol, highVol, least, most float64, rough bool) *dividendPremium {
	d := &dividendPremium{kind: k, rough: rough, dividends: dividends, present: presentValue(dividends, model.Rate), terms: model, root: math.Sqrt(model.Years)}
	d.low, d.high = math.Log(least), math.Log(most)
	d.proportions = max(4, min(1+int(math.Ceil((d.high-d.low)/dividendWidth)), 24))
	d.step = max((d.high-d.low)/float64(d.proportions-1), 1e-3)
	if l, h := math.Log(lowVol)-0.25, math.Log(highVol)+0.2; h-l < premiumWide && !d.never() {
		d.cell = d.newCell(l, h)
	}
	return d
}

// never reports that a call is not worth exercising at any ex-date, whatever the
// strike.
func (d *dividendPremium) never() bool {
	p := d.terms
	p.Strike = math.Exp(d.low)
	return d.kind == Call && p.Yield <= 0 && p.Rate >= 0 && !d.worthExercising(&p)
}

func (d *dividendPremium) newCell(low, high float64) *dividendCell {
	c := &dividendCell{low: low, high: high, vols: min(3+int(math.Ceil(2*(high-low))), dividendVols)}
	nodes := chebyshevRules()[c.vols].nodes
	scaled := make([]Dividend, len(d.dividends))
	space, times := premiumSpace, premiumTimes
	if d.rough {
		space, times, c.vols = premiumSpace/2, premiumTimes/2, min(c.vols, 4)
		nodes = chebyshevRules()[c.vols].nodes
	}
	for i := range c.vols {
		p := d.terms
		p.Vol, p.Strike = math.Exp(0.5*(low+high)+0.5*(high-low)*nodes[i]), 1
		var late *priceGrid
		for j := range d.proportions {
			strike := math.Exp(d.low + float64(j)*d.step)
			for m, dividend := range d.dividends {
				scaled[m] = Dividend{Years: dividend.Years, Cash: dividend.Cash / strike}
			}
			p.Spot = 1 + d.present/strike
			if late == nil { // the European value is that of the spot without dividends
				late = newPriceGrid(p, d.kind, scaled, Escrowed, false, space, times)
				late.solve()
			}
			early := newPriceGrid(p, d.kind, scaled, Escrowed, true, space, times)
			early.solve()
			for m := range early.v {
				early.v[m] -= late.v[m]
			}
			c.grids[i] = append(c.grids[i], dividendGrid{p.Vol * d.root, early.dx, -float64(early.middle) * early.dx, early.kink, early.now, early.v})
		}
	}
	return c
}

// look returns what early exercise adds, for a spot and for those a step of the
// logarithm above and below: what the grids say, which exercising now may exceed.
func (d *dividendPremium) look(p *BSM, step float64) (down, here, up float64, exercised bool) {
	lnVol, lnStrike := logRatio(p.Vol, 1), logRatio(p.Strike, 1)
	c := d.cell
	var byVol [dividendVols]float64
	var byStrike [4]float64
	lagrange(chebyshevRules()[c.vols].nodes, (2*lnVol-c.low-c.high)/(c.high-c.low), byVol[:])
	place := max(0, min((lnStrike-d.low)/d.step, float64(d.proportions-1)))
	first := max(0, min(int(place)-1, d.proportions-4))
	lagrange([]float64{0, 1, 2, 3}, place-float64(first), byStrike[:])
	// Grids that all bend are read at the same distance from there.
	dev, edge, aligned, now := p.Vol*d.root, 0.0, true, c.grids[0][first].now
	least, most := math.Inf(1), math.Inf(-1)
	for i := range c.vols {
		for j := range byStrike {
			g := &c.grids[i][first+j]
			kink := g.kink / g.dev
			edge += byVol[i] * byStrike[j] * kink
			least, most = min(least, kink), max(most, kink)
			aligned = aligned && g.now == now && math.Abs(kink) < 5
		}
	}
	if aligned = aligned && most-least < 0.7; !aligned {
		edge = 0
	}
	y := logRatio(p.Spot, p.Strike)/dev - edge
	if aligned && now && float64(d.kind)*y >= 0 {
		return 0, 0, 0, true
	}
	read := func(y float64) float64 {
		sum := 0.0
		for i := range c.vols {
			part := 0.0
			for j := range byStrike {
				g := &c.grids[i][first+j]
				x := y * g.dev
				if aligned {
					x += g.kink
				}
				part += byStrike[j] * cubic(g.premiums, (x-g.left)/g.dx)
			}
			sum += byVol[i] * part
		}
		return max(p.Strike*sum, 0)
	}
	here = read(y)
	if step > 0 {
		down, up = read(y-step/dev), read(y+step/dev)
	}
	return down, here, up, false
}

// has reports whether the tables know a volatility.
func (d *dividendPremium) has(vol float64) bool {
	return d.cell != nil && vol > 0 && math.Abs(2*math.Log(vol)-d.cell.low-d.cell.high) <= d.cell.high-d.cell.low
}

// lookAlone is look without tables: on grids for one contract, of half the nodes.
func (d *dividendPremium) lookAlone(p *BSM) (down, here, up, step float64) {
	q := *p
	q.Spot += d.present
	early := newPriceGrid(q, d.kind, d.dividends, Escrowed, true, premiumSpace/2, premiumTimes/2)
	late := newPriceGrid(q, d.kind, d.dividends, Escrowed, false, premiumSpace/2, premiumTimes/2)
	early.solve()
	late.solve()
	m := early.middle
	return early.v[m-1] - late.v[m-1], max(early.v[m]-late.v[m], 0), early.v[m+1] - late.v[m+1], early.dx
}

// lagrange writes the weights of the nodes in the polynomial at x.
func lagrange(nodes []float64, x float64, weights []float64) {
	for i, a := range nodes {
		w := 1.0
		for j, b := range nodes {
			if j != i {
				w *= (x - b) / (a - b)
			}
		}
		weights[i] = w
	}
}

// cubic interpolates values at whole numbers, and keeps the last ones beyond.
func cubic(v []float64, at float64) float64 {
	n := len(v)
	if at <= 1 {
		return v[1]
	} else if at >= float64(n-2) {
		return v[n-2]
	}
	j := min(int(at), n-3)
	u := at - float64(j)
	return v[j-1]*(-u*(u-1)*(u-2)/6) + v[j]*((u+1)*(u-1)*(u-2)/2) + v[j+1]*(-(u+1)*u*(u-2)/2) + v[j+2]*((u+1)*u*(u-1)/6)
}

// at returns the premium and its first two derivatives by the spot.
func (d *dividendPremium) at(p BSM) (premium, slope, bend float64) {
	if !(p.Vol > 0) || d.kind == Call && p.Yield <= 0 && p.Rate >= 0 && !d.worthExercising(&p) {
		return 0, 0, 0
	}
	const step = 1.0 // in spacings of the grid, about
	h := step * 14 / premiumSpace * p.Vol * d.root
	var down, here, up float64
	if d.has(p.Vol) {
		var exercised bool
		if down, here, up, exercised = d.look(&p, h); exercised {
			return max(d.intrinsic(&p)-p.price(d.kind), 0), 0, 0
		}
	} else {
		down, here, up, h = d.lookAlone(&p)
	}
	first, second := (up-down)/(2*h), (up-2*here+down)/(h*h)
	return here, first / p.Spot, (second - first) / (p.Spot * p.Spot)
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

// certain is the value without randomness, the least of all volatilities'.
func (d *dividendPremium) certain(p BSM) float64 {
	p.Spot += d.present
	return p.certainDividends(d.kind, d.dividends, Escrowed, true)
}

func (d *dividendPremium) intrinsic(p *BSM) float64 {
	return float64(d.kind) * (p.Spot + d.present - p.Strike)
}

func (d *dividendPremium) premium(p BSM) float64 {
	if !(p.Vol > 0) || d.kind == Call && p.Yield <= 0 && p.Rate >= 0 && !d.worthExercising(&p) {
		return 0
	}
	var premium float64
	if d.has(p.Vol) {
		_, premium, _, _ = d.look(&p, 0)
	} else {
		_, premium, _, _ = d.lookAlone(&p)
	}
	return max(premium, d.intrinsic(&p)-p.price(d.kind))
}

func (d *dividendPremium) impliedVol(p BSM, price float64) (float64, error) {
	switch intrinsic := d.intrinsic(&p); {
	case price < intrinsic:
		return math.NaN(), ErrBelowIntrinsic
	case price <= max(intrinsic, d.certain(p))*(1+1e-9):
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
	if c := d.cell; c != nil { // within the tables, if it is there
		least, most := math.Exp(c.low)*(1+1e-12), math.Exp(c.high)*(1-1e-12)
		if under := excess(least); under <= 0 {
			if high <= most {
				most = max(high, least)
			}
			if over := excess(most); over >= 0 {
				return falsePosition(excess, least, under, most, over, 1e-7), nil
			}
		}
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
		low *= 0.5
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
	if more.Vol *= 1.01; d.has(p.Vol) && !d.has(more.Vol) {
		more.Vol = 0.99 * p.Vol
	}
	higher, _, _ := d.at(more)
	g.Vega = max(g.Vega+(higher-premium)/(more.Vol-p.Vol), 0)
	g.Theta = p.Rate*g.Price - (p.Rate-p.Yield)*p.Spot*g.Delta - 0.5*p.Vol*p.Vol*p.Spot*p.Spot*g.Gamma
	return premium, boundary, false
}
