package options

import (
	"errors"
	"math"
	"sync"
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
// dividends' proportion and the volatility. A sheet gives all spots and a few
// proportions of one volatility; a few volatilities make a cell. What a sheet says
// of a contract is taken relative to the European option on the same grid: that
// depends so little on the volatility that a polynomial gives all between.
type dividendPremium struct {
	kind      Kind
	dividends []Dividend // until expiry, by time
	present   float64
	terms     BSM     // years, rate and yield
	low, step float64 // ln(strike) of the first lane, and from one to the next
	strikes   []float64
	root      float64
	rough     bool // on coarse grids, which do to find a forward
	alone     bool // between two boundaries: there are no sheets
	cells     []*dividendCell
	last      dividendPoint
}

// dividendCell has sheets for volatilities between two.
type dividendCell struct {
	low, high float64 // ln(vol)
	vols      int
	sheets    [dividendVols]*dividendSheet
}

// dividendPoint is what a cell says of one contract, as polynomials in w, the place
// of ln(vol) in the cell from -1 to 1.
type dividendPoint struct {
	cell               *dividendCell
	spot, strike       float64
	ratio, slope, bend [dividendVols]float64 // the premium and its derivatives by ln(spot), relative to the European value
	edge               [dividendVols]float64 // ln(spot/strike) where exercise begins
	hasEdge            bool
}

// The size of the tables, and the nodes and steps of the coarser of two grids.
const (
	dividendVols  = 7 // of a cell, at most
	sheetSpace    = 44
	sheetSteps    = 10
	roughSpace    = 60 // of the only grid of a rough table
	roughSteps    = 14
	dividendExact = 2e-5 // of the strike: a time value below, far under a tick, says nothing about the volatility
	aloneSpace    = 140  // of grids for one contract
	aloneSteps    = 15
)

func newDividendPremium(k Kind, model BSM, dividends []Dividend, lowVol, highVol, least, most float64, rough bool) *dividendPremium {
	d := &dividendPremium{kind: k, rough: rough, dividends: dividends, present: presentValue(dividends, model.Rate), terms: model, root: math.Sqrt(model.Years)}
	// Strikes far from the spot have no early exercise to speak of, or nothing else.
	const lanes = sheetLanes - 1
	here, far := math.Log(model.Spot), 3*highVol*d.root+0.05
	d.low = min(max(math.Log(least), here-far), here+far)
	d.step = max((min(math.Log(most), here+far)-d.low)/(lanes-1), 1e-3)
	for j := range lanes {
		d.strikes = append(d.strikes, math.Exp(d.low+float64(j)*d.step))
	}
	put := d.terms
	put.Strike, put.Vol = model.Spot, 0.2
	put = put.asPut(k)
	d.alone = put.exercise() == exerciseBetween
	if l, h := math.Log(lowVol)-0.1, math.Log(highVol)+0.1; h-l < premiumWide && lowVol >= premiumLeast && !d.alone && !d.never() {
		d.addCell(l, h)
	}
	return d
}

// never reports that a call is not worth exercising at any ex-date, whatever the
// strike.
func (d *dividendPremium) never() bool {
	p := d.terms
	p.Strike = d.strikes[0]
	return d.kind == Call && p.Yield <= 0 && p.Rate >= 0 && !d.worthExercising(&p)
}

func (d *dividendPremium) cell(lnVol float64) *dividendCell {
	for _, c := range d.cells {
		if lnVol >= c.low && lnVol <= c.high {
			return c
		}
	}
	i := math.Floor(lnVol / premiumWidth)
	return d.addCell(i*premiumWidth, (i+1)*premiumWidth)
}

func (d *dividendPremium) addCell(low, high float64) *dividendCell {
	c := &dividendCell{low: low, high: high, vols: min(3+int(math.Ceil(3*(high-low))), dividendVols)}
	if d.rough {
		c.vols = min(c.vols, 3)
	}
	d.cells = append(d.cells, c)
	for i, node := range chebyshevRules()[c.vols].nodes {
		terms := d.terms
		terms.Vol = math.Exp(0.5*(low+high) + 0.5*(high-low)*node)
		space, steps := d.fineness(terms.Vol)
		if d.rough {
			space, steps = roughSpace, roughSteps
		}
		c.sheets[i] = newDividendSheet(d.kind, terms, d.dividends, d.strikes, space, steps, !d.rough)
	}
	return c
}

// fineness returns the size of a sheet. What is off in a volatility grows with it, and
// with the dividend, whose ex-date bends the values the more.
func (d *dividendPremium) fineness(vol float64) (space, steps int) {
	largest := 0.0
	for _, dividend := range d.dividends {
		largest = max(largest, dividend.Cash/d.terms.Spot)
	}
	effort := min(max(0.5+vol, 1), 2.5) * min(max(largest/0.04, 1), 2)
	return 2 * int(math.Round(0.5*sheetSpace*math.Sqrt(effort))), int(math.Ceil(sheetSteps * effort))
}

// look makes the polynomials of a contract.
func (d *dividendPremium) look(c *dividendCell, p *BSM) *dividendPoint {
	at := &d.last
	if at.cell == c && at.spot == p.Spot && at.strike == p.Strike {
		return at
	}
	at.cell, at.spot, at.strike, at.hasEdge = c, p.Spot, p.Strike, true
	lanes := len(d.strikes)
	place := max(0, min((logRatio(p.Strike, 1)-d.low)/d.step, float64(lanes-1)))
	first := max(0, min(int(place)-1, lanes-4))
	byStrike := cubicWeights(place - float64(first) - 1)
	x := logRatio(p.Spot, p.Strike)
	var ratios, slopes, bends, edges [dividendVols]float64
	for i := range c.vols {
		g := c.sheets[i]
		edge := g.edges[1+first:][:4]
		edges[i] = byStrike[0]*edge[0] + byStrike[1]*edge[1] + byStrike[2]*edge[2] + byStrike[3]*edge[3]
		at.hasEdge = at.hasEdge && !math.IsNaN(edges[i])
		j, u, inside := g.place(x)
		weights, slope1, bend2 := cubicWeights(u), cubicSlopes(u), cubicBends(u)
		var premium, slope, bend, european float64
		for m := range weights {
			row := &g.v[j-1+m]
			lane := row[1+first:][:4]
			v := byStrike[0]*lane[0] + byStrike[1]*lane[1] + byStrike[2]*lane[2] + byStrike[3]*lane[3]
			premium += weights[m] * v
			slope += slope1[m] * v
			bend += bend2[m] * v
			european += weights[m] * row[0]
		}
		if european > 1e-12 {
			per := 1 / european
			ratios[i] = premium * per
			if inside {
				inverse := -float64(d.kind) / g.dx
				slopes[i], bends[i] = slope*per*inverse, bend*per*inverse*inverse
			}
		}
	}
	rule := &monomialRules()[c.vols]
	rule.coefficients(&ratios, &at.ratio)
	rule.coefficients(&slopes, &at.slope)
	rule.coefficients(&bends, &at.bend)
	if at.hasEdge {
		rule.coefficients(&edges, &at.edge)
	}
	return at
}

// place returns the node below x, and how far x is beyond it in steps; inside
// reports that x is on the grid, or else its end is returned.
func (g *dividendSheet) place(x float64) (j int, u float64, inside bool) {
	pos, last := float64(g.middle)-float64(g.kind)*x/g.dx, float64(len(g.v)-2)
	inside = pos >= 1 && pos <= last
	pos = max(1, min(pos, last))
	j = min(int(pos), len(g.v)-3)
	return j, pos - float64(j), inside
}

// dividendValue is what the tables know at one strike and volatility.
type dividendValue struct {
	exercised           bool // there is nothing else
	premium             float64
	slope, bend, byVega float64 // by ln(spot), and by the volatility
}

// value reads the tables, given the European option's value and vega.
func (d *dividendPremium) value(p *BSM, european, vega float64) dividendValue {
	lnVol := logRatio(p.Vol, 1)
	c := d.cell(lnVol)
	at := d.look(c, p)
	half := 0.5 * (c.high - c.low)
	w := (lnVol - c.low - half) / half
	n := c.vols - 1
	if at.hasEdge {
		edge := at.edge[n]
		for i := n - 1; i >= 0; i-- {
			edge = edge*w + at.edge[i]
		}
		if float64(d.kind)*(logRatio(p.Spot, p.Strike)-edge) >= 0 {
			return dividendValue{exercised: true}
		}
	}
	ratio, change, slope, bend := at.ratio[n], 0.0, at.slope[n], at.bend[n]
	for i := n - 1; i >= 0; i-- {
		change = change*w + ratio
		ratio = ratio*w + at.ratio[i]
		slope = slope*w + at.slope[i]
		bend = bend*w + at.bend[i]
	}
	if !(ratio > 0) {
		return dividendValue{}
	}
	return dividendValue{premium: ratio * european, slope: slope * european, bend: bend * european, byVega: change/(half*p.Vol)*european + ratio*vega}
}

// has reports whether there can be tables for a volatility.
func (d *dividendPremium) has(vol float64) bool {
	return !d.alone && vol >= premiumLeast && vol <= premiumMost
}

// lookAlone returns what early exercise adds without tables, for a spot and for those
// a step of the logarithm below and above: on grids for one contract.
func (d *dividendPremium) lookAlone(p *BSM) (down, here, up, step float64) {
	q := *p
	q.Spot += d.present
	early := newPriceGrid(q, d.kind, d.dividends, Escrowed, true, aloneSpace, aloneSteps)
	late := newPriceGrid(q, d.kind, d.dividends, Escrowed, false, aloneSpace, aloneSteps)
	early.solve()
	late.solve()
	m := early.middle
	return early.v[m-1] - late.v[m-1], max(early.v[m]-late.v[m], 0), early.v[m+1] - late.v[m+1], early.dx
}

// cubicWeights are those of Lagrange's cubic through -1, 0, 1 and 2 at u; cubicSlopes
// and cubicBends give its derivatives.
func cubicWeights(u float64) [4]float64 {
	return [4]float64{-u * (u - 1) * (u - 2) * (1.0 / 6), (u + 1) * (u - 1) * (u - 2) * 0.5, -(u + 1) * u * (u - 2) * 0.5, (u + 1) * u * (u - 1) * (1.0 / 6)}
}

func cubicSlopes(u float64) [4]float64 {
	s := u * u
	return [4]float64{-0.5*s + u - 1.0/3, 1.5*s - 2*u - 0.5, -1.5*s + u + 1, 0.5*s - 1.0/6}
}

func cubicBends(u float64) [4]float64 {
	return [4]float64{1 - u, 3*u - 2, 1 - 3*u, u}
}

// A monomialRule turns values at Chebyshev's points into the coefficients of the
// polynomial through them, by powers.
type monomialRule struct {
	n      int
	matrix [dividendVols][dividendVols]float64
}

var monomialRules = sync.OnceValue(func() *[dividendVols + 1]monomialRule {
	var rules [dividendVols + 1]monomialRule
	for n := 2; n < len(rules); n++ {
		r, nodes := &rules[n], chebyshevRules()[n].nodes
		r.n = n
		for i, x := range nodes {
			// The product of (w - y)/(x - y) over the other nodes y.
			product := make([]float64, 1, n)
			product[0] = 1
			for j, y := range nodes {
				if j == i {
					continue
				}
				product = append(product, 0)
				for m := len(product) - 1; m >= 0; m-- {
					product[m] *= -y
					if m > 0 {
						product[m] += product[m-1]
					}
				}
				for m := range product {
					product[m] /= x - y
				}
			}
			for m, a := range product {
				r.matrix[m][i] = a
			}
		}
	}
	return &rules
})

func (r *monomialRule) coefficients(values, dst *[dividendVols]float64) {
	for m := range r.n {
		row, sum := &r.matrix[m], 0.0
		for i := range r.n {
			sum += row[i] * values[i]
		}
		dst[m] = sum
	}
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

// idle reports that a contract is never worth exercising early, or has no randomness.
func (d *dividendPremium) idle(p *BSM) bool {
	return !(p.Vol > 0) || d.kind == Call && p.Yield <= 0 && p.Rate >= 0 && !d.worthExercising(p)
}

func (d *dividendPremium) premium(p BSM) float64 {
	if d.idle(&p) {
		return 0
	}
	european := p.price(d.kind)
	var premium float64
	if d.has(p.Vol) {
		premium = d.value(&p, european, 0).premium
	} else {
		_, premium, _, _ = d.lookAlone(&p)
	}
	return max(premium, d.intrinsic(&p)-european)
}

func (d *dividendPremium) impliedVol(p BSM, price float64) (float64, error) {
	switch intrinsic := d.intrinsic(&p); {
	case price < intrinsic:
		return math.NaN(), ErrBelowIntrinsic
	case price <= intrinsic*(1+1e-9):
		return math.NaN(), ErrNoTimeValue
	}
	high, err := p.ImpliedVol(d.kind, price)
	p.Vol = high
	switch {
	case errors.Is(err, ErrAboveMaximum):
		return d.exactVol(p, price)
	case err != nil || d.idle(&p):
		return high, err
	case !d.has(high):
		return d.exactVol(p, price)
	}
	return d.volFrom(p, price, high)
}

// volFrom goes down by Newton's method from the European volatility of the price,
// which is above by the premium; or from the most that there are tables for, if the
// price there is too high still.
func (d *dividendPremium) volFrom(p BSM, price, european float64) (float64, error) {
	intrinsic := d.intrinsic(&p)
	asset, cash, _ := p.present()
	lo, x := min(asset, cash), math.Abs(p.moneyness())
	certain := max(float64(d.kind)*(asset-cash), 0)
	low, high, vol := premiumLeast, european, european
	started, lowest := false, 0.0
	if len(d.cells) > 0 {
		if most := math.Exp(d.cells[0].high) * (1 - 1e-12); most < vol {
			vol, started = most, true
		}
		lowest = math.Exp(d.cells[0].low) * (1 + 1e-12)
	}
	for range 60 {
		p.Vol = vol
		f, part, _, _, _, _ := black(x, vol*d.root)
		value, vega := lo*part+certain, lo*f*d.root
		at := d.value(&p, value, vega)
		excess, slope := value+at.premium-price, vega+at.byVega
		if at.exercised || value+at.premium < intrinsic {
			excess, slope = intrinsic-price, 0
		}
		if excess > 0 {
			high = vol
		} else {
			low = vol
			if started && vol < european { // the answer is above the first cell
				started, vol = false, european
				continue
			}
		}
		started = false
		next := vol - excess/slope
		if !(next > low && next < high) {
			if math.Abs(excess) <= 1e-13*price {
				return vol, nil
			}
			next = 0.5 * (low + high)
			if excess > 0 && low == premiumLeast {
				next = max(0.7*vol, low)
			}
		}
		if vol == lowest && excess > 0 { // no volatility may be low enough
			if price <= d.certain(p)+dividendExact*p.Strike {
				return math.NaN(), ErrNoTimeValue
			}
			lowest = 0
		}
		next = max(next, lowest) // is it in the first cell?
		step := math.Abs(next - vol)
		vol = next
		if step < 1e-4*vol && slope > 0 || high-low < 1e-10*vol { // the next is of the order of its square
			if vol < 1.01*premiumLeast {
				break
			}
			return vol, nil
		}
	}
	return math.NaN(), ErrNoTimeValue // the price is below that at every volatility by what the tables are off
}

// exactVol solves without tables.
func (d *dividendPremium) exactVol(p BSM, price float64) (float64, error) {
	p.Spot += d.present
	return p.AmericanImpliedVolDividends(d.kind, price, d.dividends, Escrowed)
}

func (d *dividendPremium) greeks(p *BSM, g *Greeks, _ bool) (premium, boundary float64, exercised bool) {
	p.greeks(d.kind, g)
	boundary = math.NaN() // it jumps at the ex-dates
	if d.idle(p) || !(p.Years > 0) {
		return 0, boundary, false
	}
	var at dividendValue
	if d.has(p.Vol) {
		at = d.value(p, g.Price, g.Vega)
	} else {
		at = d.valueAlone(p)
	}
	if intrinsic := d.intrinsic(p); at.exercised || g.Price+at.premium <= intrinsic*(1+1e-9) {
		premium = intrinsic - g.Price
		*g = Greeks{Price: intrinsic, Delta: float64(d.kind), ProbITM: g.ProbITM, ProbTouch: g.ProbTouch}
		return premium, boundary, true
	}
	if at.premium == 0 {
		return 0, boundary, false
	}
	g.Price, g.Delta = g.Price+at.premium, g.Delta+at.slope/p.Spot
	g.Gamma = max(g.Gamma+(at.bend-at.slope)/(p.Spot*p.Spot), 0)
	g.Vega = max(g.Vega+at.byVega, 0)
	g.Theta = p.Rate*g.Price - (p.Rate-p.Yield)*p.Spot*g.Delta - 0.5*p.Vol*p.Vol*p.Spot*p.Spot*g.Gamma
	return at.premium, boundary, false
}

// valueAlone is value without tables.
func (d *dividendPremium) valueAlone(p *BSM) dividendValue {
	down, here, up, h := d.lookAlone(p)
	more := *p
	more.Vol *= 1.01
	_, higher, _, _ := d.lookAlone(&more)
	return dividendValue{premium: here, slope: (up - down) / (2 * h), bend: (up - 2*here + down) / (h * h), byVega: (higher - here) / (more.Vol - p.Vol)}
}
