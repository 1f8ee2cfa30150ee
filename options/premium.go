package options

import (
	"math"
	"sync"
)

// A premiumTable gives what early exercise adds to the options of one kind that
// expire together, for every strike and volatility. With rates and time fixed
// that is a function of two numbers: the distance from the exercise boundary in
// deviations, y, and the volatility. Its logarithm is smooth in both, so that a
// few boundaries say it all: it is kept as Chebyshev's series in y and ln(vol),
// whose sums cost a contract about as much as its European price, derivatives
// included. The volatilities are cut into cells, made when they are first asked for.
//
// It is kept for a put on a strike of 1; a call is the put that it is symmetrical
// to, with spot and strike, rate and yield exchanged (McDonald and Schroder 1998).
// A table is not safe for concurrent use.
type premiumTable struct {
	kind  Kind
	put   BSM  // Strike 1; without spot and volatility
	none  bool // early exercise is never worth anything
	exact bool // there is no table: the exact solver has to do
	root  float64
	grid  *americanGrid
	// The volatilities there are tables for.
	least, most float64
	cells       []*premiumCell
}

// premiumCell is a table between two volatilities.
type premiumCell struct {
	low, high           float64 // ln(vol)
	middle, inverseHalf float64
	vols                int
	edges               [premiumVols]float64 // ln(boundary) in deviations: coefficients by ln(vol)
	logs                [premiumSteps][premiumVols]float64
	count               [premiumSteps]int // of the coefficients that matter
	hasRates            bool
	rates               [rateSteps][rateVols]float64 // of dln(premium)/dyield of the put, or drate
}

// The size of a table, and how far from the boundary it goes: there premiums are
// below 1e-12 of the strike, unless interest outweighs randomness by far.
const (
	premiumVols  = 12 // at most; fewer for a narrow range
	premiumSteps = 10
	premiumReach = 7.0
	// The logarithm of what no longer counts.
	premiumNothing = -32
	rateVols       = 4 // of how premiums depend on the rates
	rateSteps      = 7
	premiumNodes   = 8   // of the boundaries
	premiumWidth   = 0.8 // of a cell in ln(vol), when nothing better is known
	premiumWide    = 2.2 // the most
	premiumLeast   = 0.005
	premiumMost    = 20.0 // the volatilities that have tables
)

// The second grid is for tables that only have to find a forward: what early
// exercise adds is then known to about 1e-4 of itself.
var gridRough = sync.OnceValue(func() *americanGrid { return newAmericanGrid(3, 5, 7, 12, 3, 2e-2) })

// The third is for how premiums depend on the rates.
var gridRates = sync.OnceValue(func() *americanGrid { return newAmericanGrid(3, 6, 8, 14, 6, 1e-3) })

var gridPremium = sync.OnceValue(func() *americanGrid { return newAmericanGrid(3, premiumNodes, 10, 20, 5, 3e-3) })

// newPremiumTable makes the table for options of the given terms; Strike, Vol and
// Spot of p are not used. Its first cell is for volatilities from low to high,
// those that most are asked for; with zeros all cells are made as needed.
func newPremiumTable(p BSM, k Kind, low, high float64) *premiumTable {
	return newPremiumTableOn(gridPremium(), p, k, low, high)
}

func newPremiumTableOn(g *americanGrid, p BSM, k Kind, low, high float64) *premiumTable {
	t := &premiumTable{kind: k, put: BSM{Spot: 1, Strike: 1, Years: p.Years, Rate: p.Rate, Yield: p.Yield, Vol: 0.2}, grid: g}
	if k == Call {
		t.put.Rate, t.put.Yield = p.Yield, p.Rate
	}
	t.root = math.Sqrt(p.Years)
	t.least = max(premiumLeast, 0.5*max(math.Abs(t.put.Rate), math.Abs(t.put.Rate-t.put.Yield))*t.root)
	t.most = min(premiumMost, 3/t.root)
	switch t.put.exercise() {
	case exerciseNever:
		t.none = true
	case exerciseSingle:
		t.exact = t.put.Rate > 0 && t.put.Rate*t.put.Years < 1e-9
	default:
		t.exact = true
	}
	if t.exact {
		t.least = math.Inf(1)
	}
	if t.none || t.exact || !(low <= high && t.has(low) && t.has(high)) {
		return t
	}
	if l, h := math.Log(low)-0.1, math.Log(high)+0.1; h-l < premiumWide {
		t.addCell(l, h)
	}
	return t
}

// has reports whether a volatility has a cell or can have one: neither is interest
// so far above the randomness that premiums reach beyond the table, nor randomness
// so great that a few nodes do not do.
func (t *premiumTable) has(vol float64) bool {
	return vol >= t.least && vol <= t.most
}

func (t *premiumTable) cell(lnVol float64) *premiumCell {
	for _, c := range t.cells {
		if lnVol >= c.low && lnVol <= c.high {
			return c
		}
	}
	i := math.Floor(lnVol / premiumWidth)
	return t.addCell(i*premiumWidth, (i+1)*premiumWidth)
}

func (t *premiumTable) addCell(low, high float64) *premiumCell {
	c := &premiumCell{low: low, high: high, middle: 0.5 * (low + high), inverseHalf: 2 / (high - low)}
	c.vols = min(int(math.Ceil(4+2.2*(high-low))), premiumVols)
	t.cells = append(t.cells, c)
	if t.grid.nodes < premiumNodes {
		c.vols = min(c.vols, 5)
	}
	ruleV, ruleY := &chebyshevRules()[c.vols], &chebyshevRules()[premiumSteps]
	var edges [premiumVols]float64
	logs := make([]float64, c.vols*premiumSteps)
	var earned exerciseIntegral
	var b *boundary
	for i, node := range ruleV.nodes {
		b = t.boundary(b, math.Exp(c.middle+node/c.inverseHalf))
		put := b.put
		dev, edge := put.Vol*t.root, math.Log(b.now())
		edges[i] = edge / dev
		earned.prepare(b)
		for j, y := range ruleY.nodes {
			put.Spot = math.Exp(edge + 0.5*premiumReach*(1+y)*dev)
			premium := 0.0
			if y == -1 {
				premium = 1 - put.Spot - put.price(Put)
			} else {
				premium = earned.premium(put.Spot)
			}
			logs[i*premiumSteps+j] = math.Log(max(premium, 1e-300))
		}
	}
	ruleV.coefficients(edges[:c.vols], c.edges[:])
	for j, row := range ruleV.series(ruleY, logs) {
		copy(c.logs[j][:], row)
		for i, a := range row {
			if math.Abs(a) > 1e-8 {
				c.count[j] = i + 1
			}
		}
	}
	return c
}

// boundary solves for a volatility, from the last one if there is one: in it, H
// is nearly proportional to the variance.
func (t *premiumTable) boundary(last *boundary, vol float64) *boundary {
	put := t.put
	put.Vol = vol
	if last == nil {
		return newBoundary(put, t.grid, nil)
	}
	ratio := vol / last.put.Vol
	for m := range last.h {
		last.h[m] *= ratio * ratio
	}
	last.put, last.used = put, 0
	last.solve()
	return last
}

// byRate reports that a cell knows how premiums depend on the put's rate, and not
// on its yield: the larger of the two gives the other, see rates.
func (t *premiumTable) byRate() bool { return -t.put.Yield > t.put.Rate }

// addRates fills in how the premium depends on the put's yield, or rate: one step
// of Newton's method finds how the boundary moves with it.
func (t *premiumTable) addRates(c *premiumCell) {
	c.hasRates = true
	ruleV, ruleY, g := &chebyshevRules()[rateVols], &chebyshevRules()[rateSteps], gridRates()
	var base [rateVols]*boundary
	for i, node := range ruleV.nodes {
		put := t.put
		put.Vol = math.Exp(c.middle + node/c.inverseHalf)
		base[i] = unsolved(put, g)
		if i == 0 {
			base[i].start(2)
		} else {
			ratio := put.Vol / base[i-1].put.Vol
			for m, h := range base[i-1].h {
				base[i].h[m] = ratio * ratio * h
			}
		}
		base[i].solve()
	}
	var earned, moved exerciseIntegral
	put, h := t.put, 1e-4
	if t.byRate() {
		put.Rate += h // below 0 there are two boundaries
	} else {
		h = -h // above, when the rate is 0, exercise never pays
		put.Yield += h
	}
	shifted := unsolved(put, g)
	shifted.once = true
	slopes := make([]float64, rateVols*rateSteps)
	for i, b := range base {
		earned.prepare(b)
		vol := b.put.Vol
		dev, edge := vol*t.root, math.Log(b.now())
		at := b.put
		at.Spot = math.Exp(edge)
		european := at.Greeks(Put)
		shifted.put.Vol, shifted.used = vol, 0
		copy(shifted.h, b.h)
		shifted.solve()
		moved.prepare(shifted)
		// On the boundary the value stays what exercise gives.
		rho := european.RhoYield
		if t.byRate() {
			rho = european.Rho
		}
		slopes[i*rateSteps] = -rho / max(1-at.Spot-european.Price, 1e-300)
		for j, y := range ruleY.nodes[1:] {
			spot := math.Exp(edge + 0.5*premiumReach*(1+y)*dev)
			then, now := moved.premium(spot), earned.premium(spot)
			slopes[i*rateSteps+j+1] = 2 * (then - now) / (h * max(then+now, 1e-300))
		}
	}
	for j, row := range ruleV.series(ruleY, slopes) {
		copy(c.rates[j][:], row)
	}
}

// exerciseIntegral is what exercising earns over the life of a put, see
// boundary.value, with all that does not depend on the spot computed once.
type exerciseIntegral struct {
	limit  float64
	points []exercisePoint
}

type exercisePoint struct {
	shift, dev, inverse float64 // d+ is (ln(spot/limit)+shift)/dev + dev/2
	cash, asset         float64 // weights of Φ(-d-) and of spot·Φ(-d+)
}

// prepare reads the boundary at the points of the last integral.
func (x *exerciseIntegral) prepare(b *boundary) {
	f, n, p := &b.grid.final, b.grid.nodes, b.put
	dev, floor := p.Vol*math.Sqrt(p.Years), b.floor()*p.Years
	x.limit, x.points = b.limit, x.points[:0]
	for j := range f.points {
		h := 0.0
		for k, v := range f.matrix[j*n:][:n] {
			h += v * b.h[k]
		}
		time := p.Years * (1 - f.share[j])
		weight := p.Years * f.weight[j]
		q := exercisePoint{
			shift: math.Sqrt(max(h, floor*f.share[j])) + (p.Rate-p.Yield)*time,
			dev:   dev * f.root[j],
			cash:  weight * p.Rate * p.Strike * expSum(-p.Rate*time, 0),
			asset: weight * p.Yield * expSum(-p.Yield*time, 0),
		}
		q.inverse = 1 / q.dev
		x.points = append(x.points, q)
	}
}

func (x *exerciseIntegral) premium(spot float64) float64 {
	own, sum := math.Log(spot/x.limit), 0.0
	normal := normalValues()
	for i := range x.points {
		q := &x.points[i]
		up := (own+q.shift)*q.inverse + 0.5*q.dev
		sum += q.cash * normal.tail(up-q.dev)
		if q.asset != 0 {
			sum -= q.asset * spot * normal.tail(up)
		}
	}
	return sum
}

// premiumPoint is what a table knows at one strike and volatility: the premium
// of the put on a strike of 1 and the derivatives of its logarithm.
type premiumPoint struct {
	exercised   bool // at or beyond the boundary: there is nothing else
	premium     float64
	slope, bend float64 // by x = ln(spot/strike) of the put, first and second
	vol         float64 // by the volatility
	edge        float64 // ln(boundary/strike)
	v, w        float64 // where in the cell
	cell        *premiumCell
}

// look reads the table at x = ln(spot/strike) of the put.
func (t *premiumTable) look(x, vol float64, at *premiumPoint) {
	*at = premiumPoint{}
	lnVol := logRatio(vol, 1)
	c := t.cell(lnVol)
	dev := vol * t.root
	inverseDev := 1 / dev
	w := (lnVol - c.middle) * c.inverseHalf
	var tw, dw [premiumVols]float64 // Chebyshev's polynomials and their derivatives
	tw[0], tw[1], dw[1] = 1, w, 1
	edge, edgeSlope := c.edges[0]+w*c.edges[1], c.edges[1]
	for i := 2; i < c.vols; i++ {
		tw[i] = 2*w*tw[i-1] - tw[i-2]
		dw[i] = 2*tw[i-1] + 2*w*dw[i-1] - dw[i-2]
		edge += c.edges[i] * tw[i]
		edgeSlope += c.edges[i] * dw[i]
	}
	at.edge, at.cell, at.w = edge*dev, c, w
	y := x*inverseDev - edge
	if !(y > 0) {
		at.exercised = true
		return
	}
	beyond := max(y-premiumReach, 0)
	v := (y-beyond)*(2/premiumReach) - 1
	at.v = v
	sum, slope, bend, byVol := 0.0, 0.0, 0.0, 0.0
	t0, t1, d0, d1, e0, e1 := 1.0, v, 0.0, 1.0, 0.0, 0.0
	for j := range c.logs {
		row, n := &c.logs[j], c.count[j]
		a, b := 0.0, 0.0
		for i := 0; i < n; i++ {
			a += row[i] * tw[i]
			b += row[i] * dw[i]
		}
		sum += a * t0
		slope += a * d0
		bend += a * e0
		byVol += b * t0
		t0, d0, e0, t1, d1, e1 = t1, d1, e1, 2*v*t1-t0, 2*t1+2*v*d1-d0, 4*d1+2*v*e1-e0
	}
	slope *= 2 / premiumReach
	bend *= (2 / premiumReach) * (2 / premiumReach)
	if beyond > 0 { // it falls off faster and faster
		bend = min(bend, 0)
		sum += beyond * (slope + 0.5*beyond*bend)
		slope += beyond * bend
	}
	if sum < premiumNothing {
		at.cell = nil
		return
	}
	at.premium = expSum(sum, 0)
	at.slope = slope * inverseDev
	at.bend = bend * inverseDev * inverseDev
	// y moves with ln(vol) by -x/dev - dedge/dln(vol).
	at.vol = (byVol*c.inverseHalf - slope*(x*inverseDev+edgeSlope*c.inverseHalf)) / vol
}

// rates returns the derivatives of the logarithm of the premium by the put's rate
// and yield. One follows from the other: the premium depends on
// rate·T, yield·T and vol²·T alone, so that
//
//	T·dL/dT = rate·dL/drate + yield·dL/dyield + vol/2·dL/dvol
//
// and its derivative by the time obeys the Black-Scholes equation.
func (t *premiumTable) rates(at *premiumPoint, vol float64) (rate, yield float64) {
	c := at.cell
	if !c.hasRates {
		t.addRates(c)
	}
	var tw [rateVols]float64
	tw[0], tw[1] = 1, at.w
	for i := 2; i < rateVols; i++ {
		tw[i] = 2*at.w*tw[i-1] - tw[i-2]
	}
	t0, t1, known := 1.0, at.v, 0.0
	for j := range rateSteps {
		a := 0.0
		for i := range rateVols {
			a += c.rates[j][i] * tw[i]
		}
		known += a * t0
		t0, t1 = t1, 2*at.v*t1-t0
	}
	p := &t.put
	byTime := 0.5*vol*vol*(at.slope*at.slope+at.bend-at.slope) + (p.Rate-p.Yield)*at.slope - p.Rate
	rest := p.Years*byTime - 0.5*vol*at.vol
	if t.byRate() {
		return known, (rest - p.Rate*known) / p.Yield
	}
	return (rest - p.Yield*known) / p.Rate, known
}

// A chebyshevRule turns values at Chebyshev's points of the second kind in
// [-1, 1], rising, into the coefficients of the series through them.
type chebyshevRule struct {
	nodes  []float64
	matrix [][]float64 // coefficients × nodes
}

var chebyshevRules = sync.OnceValue(func() *[max(premiumVols, premiumSteps) + 1]chebyshevRule {
	var rules [max(premiumVols, premiumSteps) + 1]chebyshevRule
	for n := 2; n < len(rules); n++ {
		r := &rules[n]
		for i := range n {
			r.nodes = append(r.nodes, -math.Cos(math.Pi*float64(i)/float64(n-1)))
		}
		for j := range n {
			row := make([]float64, n)
			for i := range n {
				row[i] = 2 / float64(n-1) * math.Cos(math.Pi*float64(j)*float64(n-1-i)/float64(n-1))
				if i == 0 || i == n-1 {
					row[i] *= 0.5
				}
				if j == 0 || j == n-1 {
					row[i] *= 0.5
				}
			}
			r.matrix = append(r.matrix, row)
		}
	}
	return &rules
})

func (r *chebyshevRule) coefficients(values, dst []float64) {
	for j, row := range r.matrix {
		dst[j] = 0
		for i, m := range row {
			dst[j] += m * values[i]
		}
	}
}

// series returns the coefficients by y, then ln(vol), of values by ln(vol), then y.
func (r *chebyshevRule) series(byY *chebyshevRule, values []float64) [][]float64 {
	n, m := len(r.nodes), len(byY.nodes)
	half, column := make([]float64, n*m), make([]float64, n)
	for i := range n {
		byY.coefficients(values[i*m:][:m], half[i*m:])
	}
	out := make([][]float64, m)
	all := make([]float64, n*m)
	for j := range m {
		for i := range n {
			column[i] = half[i*m+j]
		}
		out[j] = all[j*n:][:n]
		r.coefficients(column, out[j])
	}
	return out
}
