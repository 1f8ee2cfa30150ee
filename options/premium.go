package options

import (
	"errors"
	"math"
)

// A premiumTable gives what early exercise adds to the options of one kind that
// expire together, for every strike and volatility in a range. With rates and
// time fixed that is a function of two numbers: the distance from the exercise
// boundary in deviations, y, and the volatility. Its logarithm is smooth in both,
// so a dozen boundaries say it all, and a strike costs two small sums.
//
// It is kept for a put on a strike of 1; a call is the put that it is symmetrical
// to, with spot and strike, rate and yield exchanged (McDonald and Schroder 1998).
type premiumTable struct {
	kind               Kind
	rate, yield, years float64 // of the put
	none               bool    // early exercise is never worth anything
	low, high          float64 // volatilities
	vols               chebyshev
	edges              []float64 // by volatility: ln(boundary) in deviations
	premiums           []float64 // by volatility, then y: the logarithm
	ys                 chebyshev
}

// The size of a table, and how far from the boundary premiums still count: there
// they are below 1e-9 of the strike.
const (
	premiumVols  = 14 // at most; fewer for a narrow range
	premiumSteps = 10
	premiumReach = 6.0
)

// newPremiumTable makes the table for options of the given terms; Strike and Vol
// of p are not used, Spot neither. The
// boundaries are of accuracy a.
func newPremiumTable(p BSM, k Kind, low, high float64, a Accuracy) *premiumTable {
	t := &premiumTable{kind: k, rate: p.Rate, yield: p.Yield, years: p.Years, low: low, high: max(high, low*1.1)}
	if k == Call {
		t.rate, t.yield = p.Yield, p.Rate
	}
	if t.none = !(t.rate*t.years > 1e-9) || !(low > 0) || !finite(t.high); t.none {
		return t
	}
	t.vols = newChebyshev(math.Log(t.low), math.Log(t.high), min(max(int(5+2.5*math.Log(t.high/t.low)), 6), premiumVols))
	t.ys = newChebyshev(0, premiumReach, premiumSteps)
	var earned exerciseIntegral
	for _, lnVol := range t.vols.nodes {
		put := BSM{Strike: 1, Years: t.years, Rate: t.rate, Yield: t.yield, Vol: math.Exp(lnVol)}
		dev := put.Vol * math.Sqrt(t.years)
		b := newBoundaryFor(put, a, a.grid())
		edge := math.Log(b.now())
		t.edges = append(t.edges, edge/dev)
		earned.prepare(b)
		for _, y := range t.ys.nodes {
			spot := math.Exp(edge + y*dev)
			premium := earned.premium(spot)
			if y == 0 {
				put.Spot = spot
				premium = 1 - spot - put.Price(Put)
			}
			t.premiums = append(t.premiums, math.Log(max(premium, 1e-14)))
		}
	}
	return t
}

// exerciseIntegral is what exercising earns over the life of a put, see
// boundary.value, with all that does not depend on the spot computed once.
type exerciseIntegral struct {
	limit  float64
	points []exercisePoint
}

type exercisePoint struct {
	shift, dev  float64 // d+ is (ln(spot/limit)+shift)/dev + dev/2
	cash, asset float64 // weights of Φ(-d-) and of spot·Φ(-d+)
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
		x.points = append(x.points, exercisePoint{
			shift: math.Sqrt(max(h, floor*f.share[j])) + (p.Rate-p.Yield)*time,
			dev:   dev * f.root[j],
			cash:  weight * p.Rate * p.Strike * math.Exp(-p.Rate*time),
			asset: weight * p.Yield * math.Exp(-p.Yield*time),
		})
	}
}

func (x *exerciseIntegral) premium(spot float64) float64 {
	own, sum := math.Log(spot/x.limit), 0.0
	for i := range x.points {
		q := &x.points[i]
		up := (own+q.shift)/q.dev + 0.5*q.dev
		sum += q.cash * cdf(q.dev-up)
		if q.asset != 0 {
			sum -= q.asset * spot * cdf(-up)
		}
	}
	return sum
}

// premium returns what early exercise adds to the option, in units of the price.
// At and beyond the boundary that is all that exercising earns over waiting.
func (t *premiumTable) premium(p BSM) float64 {
	if t.none || !(p.Vol > 0) {
		return 0
	}
	unit, x := p.Strike, math.Log(p.Spot/p.Strike)
	if t.kind == Call {
		unit, x = p.Spot, -x
	}
	vol := min(max(p.Vol, t.low), t.high)
	dev := vol * math.Sqrt(t.years)
	var room [premiumVols]float64
	weights := room[:len(t.vols.nodes)]
	t.vols.weigh(math.Log(vol), weights)
	edge := 0.0
	for i, w := range weights {
		edge += w * t.edges[i]
	}
	y := x/dev - edge
	switch {
	case y > premiumReach:
		return 0
	case y <= 0:
		return max(max(float64(t.kind)*(p.Spot-p.Strike), 0)-p.Price(t.kind), 0)
	}
	var steps [premiumSteps]float64
	t.ys.weigh(y, steps[:])
	sum := 0.0
	for i, w := range weights {
		row := t.premiums[i*premiumSteps:][:premiumSteps]
		part := 0.0
		for j, s := range steps {
			part += s * row[j]
		}
		sum += w * part
	}
	return unit * math.Exp(sum)
}

// price returns the value of the American option.
func (t *premiumTable) price(p BSM) float64 {
	return p.Price(t.kind) + t.premium(p)
}

// impliedVol returns the volatility at which the American option is worth price.
// Where exercising now is worth as much, every lower volatility gives that price
// too, and there is none.
func (t *premiumTable) impliedVol(p BSM, price float64) (float64, error) {
	if t.none {
		return p.ImpliedVol(t.kind, price)
	}
	if price <= float64(t.kind)*(p.Spot-p.Strike)*(1+1e-12) {
		if price < float64(t.kind)*(p.Spot-p.Strike) {
			return math.NaN(), ErrBelowIntrinsic
		}
		return math.NaN(), ErrNoTimeValue
	}
	// An American option costs more than a European one: its volatility is less
	// than the European price's. Far from exercise they are all but equal.
	high, err := p.ImpliedVol(t.kind, price)
	european := high
	if err != nil && !errors.Is(err, ErrBelowIntrinsic) {
		return high, err
	}
	if math.IsNaN(high) || high > t.high {
		high = t.high
	}
	excess := func(vol float64) float64 {
		p.Vol = vol
		return t.price(p) - price
	}
	// At the European volatility of a price, the excess is the premium alone.
	p.Vol = high
	over := t.premium(p)
	if high != european {
		over = excess(high)
	}
	if math.Abs(over) <= 1e-14*price {
		return high, nil
	}
	if next, err := p.ImpliedVol(t.kind, price-over); err == nil && over > 0 {
		last, lastOver := high, over
		for round := range 4 {
			if !(next > t.low && next < t.high) || next == last {
				break
			}
			var rest float64
			if round == 0 {
				p.Vol = next
				rest = t.premium(p) - over
			} else {
				rest = excess(next)
			}
			step := -rest * (next - last) / (rest - lastOver)
			last, lastOver, next = next, rest, next+step
			if math.Abs(step) < 1e-6*next { // the next error is of the order of its square
				return next, nil
			}
		}
	}
	low := t.low
	under := excess(low)
	if under > 0 || over < 0 { // outside of the table
		p.Vol = low
		if over < 0 {
			p.Vol = high
		}
		return p.ImpliedVol(t.kind, price-t.premium(p))
	}
	return illinois(excess, low, under, high, over), nil
}

// illinois returns the zero of f between a and b, where its values are fa ≤ 0
// and fb ≥ 0, by the method of false position that halves the value of an end
// which stays twice (Dowell and Jarratt 1971).
func illinois(f func(float64) float64, a, fa, b, fb float64) float64 {
	for range 60 {
		c := b - fb*(b-a)/(fb-fa)
		if !(c > min(a, b) && c < max(a, b)) {
			c = 0.5 * (a + b)
		}
		fc := f(c)
		if fc == 0 || math.Abs(b-a) <= 1e-9*math.Abs(b) {
			return c
		}
		if (fc > 0) != (fb > 0) {
			a, fa = b, fb
		} else {
			fa *= 0.5
		}
		if math.Abs(c-b) <= 1e-10*math.Abs(c) {
			return c
		}
		b, fb = c, fc
	}
	return b
}

// greeks returns value and Greeks of the American option, and what of the value
// is due to early exercise. Those of the premium are central differences over a
// fiftieth of a deviation; Theta follows from the Black-Scholes equation, which
// holds wherever exercise is not due. The others are those of the European option
// of the same volatility.
func (t *premiumTable) greeks(p BSM) (g Greeks, premium float64) {
	g = p.Greeks(t.kind)
	if t.none || !(p.Vol > 0) || !(p.Years > 0) {
		return g, 0
	}
	center := t.premium(p)
	if intrinsic := float64(t.kind) * (p.Spot - p.Strike); g.Price+center <= intrinsic*(1+1e-14) {
		return Greeks{Price: intrinsic, Delta: float64(t.kind), ProbITM: g.ProbITM, ProbTouch: g.ProbTouch}, center
	}
	if center == 0 {
		return g, 0
	}
	h := 0.02 * p.Vol * math.Sqrt(p.Years)
	at := func(shift, vol float64) float64 {
		q := p
		q.Spot, q.Vol = p.Spot*(1+shift), p.Vol*(1+vol)
		return t.premium(q)
	}
	up, down := at(h, 0), at(-h, 0)
	g.Price += center
	g.Delta += (up - down) / (2 * h * p.Spot)
	g.Gamma += (up - 2*center + down) / (h * h * p.Spot * p.Spot)
	g.Vega += (at(0, 1e-3) - at(0, -1e-3)) / (2e-3 * p.Vol)
	g.Gamma, g.Vega = max(g.Gamma, 0), max(g.Vega, 0) // rounding far in the money
	g.Theta = p.Rate*g.Price - (p.Rate-p.Yield)*p.Spot*g.Delta - 0.5*p.Vol*p.Vol*p.Spot*p.Spot*g.Gamma
	return g, center
}

// A chebyshev interpolates between Chebyshev's points of the second kind.
type chebyshev struct {
	nodes   []float64
	weights []float64
}

func newChebyshev(low, high float64, n int) chebyshev {
	c := chebyshev{nodes: make([]float64, n), weights: make([]float64, n)}
	for i := range n {
		s := math.Sin(0.5 * math.Pi * float64(i) / float64(n-1))
		c.nodes[i] = low + (high-low)*s*s
		c.weights[i] = 1
		if i%2 == 1 {
			c.weights[i] = -1
		}
	}
	c.weights[0] *= 0.5
	c.weights[n-1] *= 0.5
	return c
}

// weigh writes the weights of the nodes for x (Berrut and Trefethen 2004).
func (c chebyshev) weigh(x float64, dst []float64) {
	sum := 0.0
	for i, node := range c.nodes {
		d := x - node
		if d == 0 {
			clear(dst)
			dst[i] = 1
			return
		}
		dst[i] = c.weights[i] / d
		sum += dst[i]
	}
	scale := 1 / sum
	for i := range dst {
		dst[i] *= scale
	}
}
