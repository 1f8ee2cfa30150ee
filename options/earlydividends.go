package options

import (
	"errors"
	"math"
	"slices"
)

// An earlyPremium gives what early exercise adds to the options of one kind that
// expire together. The model's spot is without the present value of cash
// dividends; see premiumTable for the methods.
type earlyPremium interface {
	never() bool
	premium(p BSM) float64
	// impliedVol may begin with p.Vol, that of a neighbour, if it is above 0.
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
	terms     BSM // years, rate and yield
	bands     []strikeBand
	payments  []Dividend // by falling time
	root      float64
	after     *premiumTable // for after the last ex-date; has no cells
	edge      *boundary     // then, of the last volatility asked for
	rough     bool          // on coarse grids, which do to find a forward
	alone     bool          // between two boundaries: there are no sheets
	cells     []*dividendCell
	last      dividendPoint
}

// dividendCell has sheets for volatilities between two.
type dividendCell struct {
	low, high float64 // ln(vol)
	vols      int
	sheets    [mostBands][dividendVols]*dividendSheet
}

// dividendPoint is what a cell says of one contract, as polynomials in w, the place
// of ln(vol) in the cell from -1 to 1.
type dividendPoint struct {
	cell               *dividendCell
	spot, strike       float64
	ratio, slope, bend [dividendVols]float64 // the premium over the European value, and derivatives by ln(spot)
	edge               [dividendVols]float64 // ln(spot/strike) where exercise begins
	hasEdge            bool
}

// The size of the tables, and the intervals and steps of their grids.
const (
	dividendVols  = 8 // of a cell, at most
	sheetSpace    = 52
	sheetSteps    = 12
	roughSpace    = 44 // of a rough table
	roughSteps    = 7
	dividendExact = 2e-5 // of the strike: a time value below, far under a tick, says nothing about the volatility
	aloneSpace    = 140  // of grids for one contract
	aloneSteps    = 15
)

func newDividendPremium(k Kind, model BSM, dividends []Dividend, lowVol, highVol, least, most float64, rough bool) *dividendPremium {
	d := &dividendPremium{kind: k, rough: rough, dividends: dividends, present: presentValue(dividends, model.Rate), terms: model, root: math.Sqrt(model.Years)}
	// Strikes far from the spot have no early exercise to speak of, or nothing else.
	here, far := math.Log(model.Spot), 3*highVol*d.root+0.05
	low := min(max(math.Log(least), here-far), here+far)
	high := max(min(math.Log(most), here+far), low+1e-2)
	for i := len(dividends) - 1; i >= 0; i-- {
		d.payments = append(d.payments, dividends[i])
	}
	bands := min(int(math.Ceil((high-low)/bandWidth)), mostBands)
	for i := range bands {
		width := (high - low) / float64(bands)
		d.bands = append(d.bands, newStrikeBand(low+width*float64(i), low+width*float64(i+1), d.payments))
	}
	d.bands[0].least = min(d.bands[0].least, math.Log(least))
	d.bands[bands-1].most = max(d.bands[bands-1].most, math.Log(most))
	rest := d.terms
	rest.Years -= d.payments[0].Years
	d.after = newPremiumTableOn(gridRough(), rest, k, 0, 0)
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
	p.Strike = math.Exp(d.bands[0].low)
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
	c := &dividendCell{low: low, high: high, vols: 3 + int(math.Ceil(3*(high-low)))}
	if d.largest() > 0.3*math.Exp(low)*d.root {
		c.vols++
	}
	if c.vols = min(c.vols, dividendVols); d.rough {
		c.vols = 2
	}
	d.cells = append(d.cells, c)
	for i, node := range chebyshevRules()[c.vols].nodes {
		terms := d.terms
		terms.Vol = math.Exp(0.5*(low+high) + 0.5*(high-low)*node)
		space, steps := d.fineness(terms.Vol)
		for b := range d.bands {
			c.sheets[b][i] = newDividendSheet(d, &d.bands[b], terms, space, steps)
		}
	}
	return c
}

// fineness returns the size of a sheet. What is off in a volatility by steps of time grows
// with it, and with the dividends, whose ex-dates bend the values.
func (d *dividendPremium) fineness(vol float64) (space, steps int) {
	if d.rough {
		return roughSpace, roughSteps
	}
	if !d.between(vol) {
		return sheetSpace, 0
	}
	effort := min(max(0.5+vol, 1), 2.5) * min(max(d.largest()/0.04, 1), 2)
	bends := min(0.75+0.25*float64(len(d.dividends)), 2)
	return int(math.Round(sheetSpace * math.Sqrt(effort*bends))), int(math.Ceil(sheetSteps * effort))
}

// largest returns the largest dividend as a share of the spot.
func (d *dividendPremium) largest() float64 {
	most := 0.0
	for _, dividend := range d.dividends {
		most = max(most, dividend.Cash/d.terms.Spot)
	}
	return most
}

// look makes the polynomials of a contract.
func (d *dividendPremium) look(c *dividendCell, p *BSM) *dividendPoint {
	at := &d.last
	if at.cell == c && at.spot == p.Spot && at.strike == p.Strike {
		return at
	}
	at.cell, at.spot, at.strike, at.hasEdge = c, p.Spot, p.Strike, true
	lnStrike, band := logRatio(p.Strike, 1), 0
	for band < len(d.bands)-1 && lnStrike > d.bands[band].high {
		band++
	}
	byStrike, edgeLane, edgeShare := d.bands[band].weights(lnStrike)
	x := logRatio(p.Spot, p.Strike)
	var ratios, slopes, bends, edges [dividendVols]float64
	for i := range c.vols {
		g := c.sheets[band][i]
		edges[i] = g.edges[edgeLane] + edgeShare*(g.edges[edgeLane+1]-g.edges[edgeLane])
		at.hasEdge = at.hasEdge && !math.IsNaN(edges[i])
		j, u, inside := g.place(x)
		weights, slope1, bend2 := cubicWeights(u), cubicSlopes(u), cubicBends(u)
		var ratio, slope, bend float64
		for m := range weights {
			v := byStrike.of(&g.v[j-1+m])
			ratio += weights[m] * v
			slope += slope1[m] * v
			bend += bend2[m] * v
		}
		ratios[i] = ratio
		if inside {
			inverse := -float64(d.kind) / g.dx
			slopes[i], bends[i] = slope*inverse, bend*inverse*inverse
		} else if end := g.v[g.begins+1][0]; float64(d.kind)*x > 0 && end > 0 { // deep in the money only the European value still changes
			ratios[i] *= end / (end + float64(d.kind)*(p.Spot/p.Strike-g.spot[g.begins+1]))
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

// earlyAfter returns what early exercise adds by spot after the last ex-date.
func (d *dividendPremium) earlyAfter(vol float64) func(spot float64) float64 {
	d.edge = d.after.boundary(d.edge, vol)
	var earned exerciseIntegral
	earned.prepare(d.edge)
	now := d.edge.now()
	return func(spot float64) float64 {
		// A call is the put that it is symmetrical to.
		unit := 1.0
		if d.kind == Call {
			unit, spot = spot, 1/spot
		}
		if spot <= now {
			return 0
		}
		return unit * earned.premium(spot)
	}
}

// place returns the node below x, and how far x is beyond it in steps; inside
// reports that x is on the grid, or else its end is returned.
func (g *dividendSheet) place(x float64) (j int, u float64, inside bool) {
	pos, first, last := g.position(x), float64(g.begins+1), float64(g.ends-1)
	inside = pos >= first && pos <= last
	pos = max(first, min(pos, last))
	j = min(int(pos), g.ends-2)
	return j, pos - float64(j), inside
}

// dividendValue is what the tables know at one strike and volatility.
type dividendValue struct {
	exercised          bool // there is nothing else
	premium            float64
	ratio, slope, bend float64 // the premium over the European value, and derivatives by ln(spot)
	byVega             float64 // the premium's, by the volatility
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
	return dividendValue{premium: ratio * european, ratio: ratio, slope: slope, bend: bend, byVega: change/(half*p.Vol)*european + ratio*vega}
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

// between reports that exercising can be right at other times than just before an
// ex-date: a call's only where the yield on the spot is above the interest on the strike.
func (d *dividendPremium) between(vol float64) bool {
	t := &d.terms
	if d.kind == Put || t.Rate < 0 {
		return true
	}
	return t.Yield > 0 && t.Rate < t.Yield*math.Exp(sheetReach*vol*d.root)
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
	if vol, ok := d.volNear(p, price); ok {
		return vol, nil
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

// volNear finds the volatility by a few steps of Newton's method from p.Vol, if that is
// near enough and the price depends on it.
func (d *dividendPremium) volNear(p BSM, price float64) (vol float64, ok bool) {
	if !(p.Vol > 0) || !d.has(p.Vol) || d.idle(&p) {
		return 0, false
	}
	asset, cash, _ := p.present()
	lo, x := min(asset, cash), math.Abs(p.moneyness())
	certain := max(float64(d.kind)*(asset-cash), 0)
	for range nearSteps {
		if !d.covers(p.Vol) {
			break
		}
		f, part, _, _, _, _ := black(x, p.Vol*d.root)
		value, vega := lo*part+certain, lo*f*d.root
		at := d.value(&p, value, vega)
		slope := vega + at.byVega
		if at.exercised || !(slope > 0) || tellsNothing(slope, &p) {
			break
		}
		step := (value + at.premium - price) / slope
		if p.Vol -= step; math.Abs(step) < 1e-4*p.Vol { // the next is of the order of its square
			return p.Vol, d.covers(p.Vol)
		}
	}
	return 0, false
}

// nearSteps is how many steps it takes from a volatility that is near.
const nearSteps = 4

// covers reports that there is a cell for a volatility already.
func (d *dividendPremium) covers(vol float64) bool {
	if !(vol > 0) {
		return false
	}
	lnVol := logRatio(vol, 1)
	return slices.ContainsFunc(d.cells, func(c *dividendCell) bool { return lnVol >= c.low && lnVol <= c.high })
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
				if -excess <= dividendExact*p.Strike && tellsNothing(slope, &p) {
					break
				}
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
			if price <= d.certain(p)+dividendExact*p.Strike || excess <= dividendExact*p.Strike && tellsNothing(slope, &p) {
				break
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

// tellsNothing reports that ten points of volatility are worth so little that the
// price does not tell it: slope is the derivative by it.
func tellsNothing(slope float64, p *BSM) bool { return 0.1*slope <= dividendExact*p.Strike }

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
	var slope, bend float64 // of the premium, by ln(spot)
	if d.has(p.Vol) {
		at = d.value(p, g.Price, g.Vega)
		own := p.Spot * g.Delta
		slope = at.slope*g.Price + at.ratio*own
		bend = at.bend*g.Price + 2*at.slope*own + at.ratio*(own+p.Spot*p.Spot*g.Gamma)
	} else {
		at, slope, bend = d.valueAlone(p)
	}
	if intrinsic := d.intrinsic(p); at.exercised || g.Price+at.premium <= intrinsic*(1+1e-9) {
		premium = intrinsic - g.Price
		*g = Greeks{Price: intrinsic, Delta: float64(d.kind), ProbITM: g.ProbITM, ProbTouch: g.ProbTouch}
		return premium, boundary, true
	}
	if at.premium == 0 {
		return 0, boundary, false
	}
	g.Price, g.Delta = g.Price+at.premium, g.Delta+slope/p.Spot
	g.Gamma = max(g.Gamma+(bend-slope)/(p.Spot*p.Spot), 0)
	g.Vega = max(g.Vega+at.byVega, 0)
	g.Theta = p.Rate*g.Price - (p.Rate-p.Yield)*p.Spot*g.Delta - 0.5*p.Vol*p.Vol*p.Spot*p.Spot*g.Gamma
	return at.premium, boundary, false
}

// valueAlone is value without tables, with the premium's derivatives by ln(spot).
func (d *dividendPremium) valueAlone(p *BSM) (at dividendValue, slope, bend float64) {
	down, here, up, h := d.lookAlone(p)
	more := *p
	more.Vol *= 1.01
	_, higher, _, _ := d.lookAlone(&more)
	return dividendValue{premium: here, byVega: (higher - here) / (more.Vol - p.Vol)}, (up - down) / (2 * h), (up - 2*here + down) / (h * h)
}
