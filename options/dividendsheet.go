package options

import "math"

// A dividendSheet values options of one kind and volatility, under escrowed cash
// dividends, for all spots and for a few strikes side by side: by homogeneity on a
// strike of 1, of which the dividends are as many proportions. Its equations are
// the same for all of them, so that what a time step eliminates is worked out once.
type dividendSheet struct {
	kind     Kind
	terms    BSM        // years, rate, yield and volatility
	payments []Dividend // by falling time, of 1 each: lanes have their own proportion
	shares   []sheetRow // what each pays, by lane
	started  bool       // with the values after the last ex-date
	between  bool       // exercised early at other times than just before an ex-date, too
	// Nodes are counted from the side that is exercised: that of low spots for a put.
	// The first lane is the European option.
	dx           float64
	middle       int
	spot         []float64
	v, rest      []sheetRow
	inverse      []float64
	lower        []float64
	begins, ends int      // the first and the last node that is asked for
	edges        sheetRow // x where exercise begins now, NaN where it does not
}

// sheetLanes is how many options are valued side by side; the first is European.
const sheetLanes = 8

type sheetRow [sheetLanes]float64

// bentSteps is how many steps there are at the least after a bend.
const bentSteps = 3

// startWidth is the deviation after the last ex-date, in steps, that a sheet may begin with.
const startWidth = 0.8

// Where a sheet ends, in deviations: on the side that is exercised the value is a
// line soon.
const (
	sheetReach      = 5.0
	sheetReachEarly = 3.5
)

// newDividendSheet solves on a grid of so many intervals and steps.
func newDividendSheet(d *dividendPremium, band *strikeBand, terms BSM, space, steps int) *dividendSheet {
	g := blankSheet(d, band, terms, space)
	if !g.between {
		g.atExDates()
	} else {
		g.begin(d)
		g.solve(steps)
	}
	g.relate()
	return g
}

func blankSheet(d *dividendPremium, band *strikeBand, terms BSM, space int) *dividendSheet {
	g := &dividendSheet{kind: d.kind, terms: terms, payments: d.payments, shares: band.shares}
	g.between = d.between(terms.Vol)
	dev := terms.Vol * math.Sqrt(terms.Years)
	drift := math.Abs(terms.Rate-terms.Yield)*terms.Years + 0.5*dev*dev
	early, late := sheetReachEarly*dev+drift, sheetReach*dev+drift
	g.middle = int(math.Round(float64(space) * early / (early + late)))
	g.dx = late / float64(space-g.middle)
	n := space + 1
	floats := make([]float64, 3*n)
	g.spot, g.inverse, g.lower = floats[:n], floats[n:2*n], floats[2*n:]
	rows := make([]sheetRow, 2*n)
	g.v, g.rest = rows[:n], rows[n:]
	for i := range g.spot {
		g.spot[i] = expSum(g.x(i), 0)
	}
	for l := range g.edges {
		g.edges[l] = math.NaN()
	}
	// All is asked for the strikes of the band at one spot.
	const margin = 0.02
	here := math.Log(d.terms.Spot)
	a, b := g.position(here-band.least+margin), g.position(here-band.most-margin)
	g.begins, g.ends = int(max(0, math.Floor(min(a, b))-2)), int(min(float64(n-1), math.Ceil(max(a, b))+2))
	g.begins, g.ends = min(g.begins, n-6), max(g.ends, 5)
	return g
}

// position returns the place of x = ln(spot) among the nodes.
func (g *dividendSheet) position(x float64) float64 {
	return float64(g.middle) - float64(g.kind)*x/g.dx
}

// x returns ln(spot) at a node.
func (g *dividendSheet) x(i int) float64 { return -float64(g.kind) * float64(i-g.middle) * g.dx }

// begin fills the sheet with the values after the last ex-date, which are those
// without dividends, unless that is so near to expiry that they bend within a step.
func (g *dividendSheet) begin(d *dividendPremium) {
	p, sign := g.terms, float64(g.kind)
	p.Years = g.terms.Years - g.payments[0].Years
	if p.Vol*math.Sqrt(p.Years) < startWidth*g.dx || d.after.exact {
		return
	}
	g.started = true
	early := func(s float64) float64 { return 0 }
	if !d.after.none {
		early = d.earlyAfter(p.Vol)
	}
	for i, european := range g.europeans(p.Years) {
		s := g.spot[i]
		value := max(european+early(s), sign*(s-1))
		for l := range g.v[i] {
			g.v[i][l] = value
		}
		g.v[i][0] = european
	}
}

// europeans returns the values of the European option at the nodes, at a time to expiry.
func (g *dividendSheet) europeans(tau float64) []float64 {
	p, sign := &g.terms, float64(g.kind)
	yield, discount, drift := math.Exp(-p.Yield*tau), math.Exp(-p.Rate*tau), (p.Rate-p.Yield)*tau
	dev := p.Vol * math.Sqrt(tau)
	values := g.inverse[:len(g.spot)] // is free between steps
	for i, s := range g.spot {
		s *= yield
		values[i] = max(sign*(s-discount), 0)
		if dev > 0 {
			values[i] += min(s, discount) * blackValue(math.Abs(g.x(i)+drift), dev)
		}
	}
	return values
}

// payoff fills the sheet with the values at expiry.
func (g *dividendSheet) payoff() {
	sign := float64(g.kind)
	for i, s := range g.spot {
		payoff := max(sign*(s-1), 0)
		if i == g.middle { // the mean over the cell that holds the kink
			half := 0.5 * g.dx
			payoff = (math.Expm1(half) - half) / g.dx
			if g.kind == Put {
				payoff = (half + math.Expm1(-half)) / g.dx
			}
		}
		for l := range g.v[i] {
			g.v[i][l] = payoff
		}
	}
}

func (g *dividendSheet) solve(steps int) {
	p := &g.terms
	now, bent := 0.0, true
	for d := range g.payments {
		then := p.Years - g.payments[d].Years
		switch {
		case d > 0:
			g.march(now, then, steps, bent, d)
		case !g.started:
			g.payoff()
			g.march(now, then, steps, bent, d)
		}
		now, bent = then, g.kind == Call
		if g.kind == Call {
			g.exercise(d)
		}
	}
	g.march(now, p.Years, steps, bent, len(g.payments))
	if g.between && p.Years > now {
		g.findEdges()
	}
	for i := range g.v {
		european := g.v[i][0]
		for l := 1; l < sheetLanes; l++ {
			g.v[i][l] -= european
		}
	}
}

// relate divides what early exercise adds by the European option's value, which leaves
// what depends little on the spot.
func (g *dividendSheet) relate() {
	for i := range g.v {
		row := &g.v[i]
		per := 0.0
		if row[0] > 1e-12 {
			per = 1 / row[0]
		}
		for l := 1; l < sheetLanes; l++ {
			row[l] *= per
		}
	}
}

// escrow writes what exercising gives more for the dividends to come, by the sign
// of the option, at a time to expiry after the first few ex-dates, counted from
// expiry; the European option is not exercised.
func (g *dividendSheet) escrow(tau float64, past int, out *sheetRow) {
	*out = sheetRow{}
	t := g.terms.Years - tau
	for d := range past {
		if g.payments[d].Years > t {
			discount := float64(g.kind) * math.Exp(-g.terms.Rate*(g.payments[d].Years-t))
			for l := range out {
				out[l] += discount * g.shares[d][l]
			}
		}
	}
	out[0] = math.Inf(-1)
}

// march goes from one time to expiry to a longer one. A payoff or an ex-date bends a
// value that it lets be exercised: it then changes like the root of the time since,
// and steps grow from there. The first few of those are implicit, which smooths the
// bend, the others Crank and Nicolson's.
func (g *dividendSheet) march(from, to float64, steps int, bent bool, past int) {
	if !(to > from) {
		return
	}
	years := g.terms.Years
	a, b := math.Sqrt(from/years), math.Sqrt(to/years)
	n := max(2, int(math.Ceil(float64(steps)*(b-a))))
	if bent {
		share := math.Sqrt((to - from) / years)
		if past > 0 {
			share *= 0.7
		}
		n = max(bentSteps, int(math.Ceil(float64(steps)*share)))
	}
	last := from
	for k := 1; k <= n; k++ {
		u := float64(k) / float64(n)
		next := from + (to-from)*u*u
		if !bent {
			next = years * (a + (b-a)*u) * (a + (b-a)*u)
		}
		if k == n {
			next = to
		}
		theta := 0.5
		if bent && k <= 2 {
			theta = 1
		}
		g.step(next-last, theta, next, past)
		last = next
	}
}

// step goes on by dt. With (1-θ·dt·L)·u = v, the next value is (u - (1-θ)·v)/θ. What
// eliminates the side that is not exercised is the same for all lanes; what exercising
// gives is taken where it is more as the other side is substituted (Brennan and
// Schwartz 1977).
func (g *dividendSheet) step(dt, theta, tau float64, past int) {
	p := &g.terms
	n := len(g.v)
	a := 0.5 * p.Vol * p.Vol / (g.dx * g.dx)
	b := -float64(g.kind) * (p.Rate - p.Yield - 0.5*p.Vol*p.Vol) / (2 * g.dx)
	low, diag, high := -theta*dt*(a-b), 1+theta*dt*(2*a+p.Rate), -theta*dt*(a+b)
	// At the ends the value is linear in the spot: v0 = (1+c)·v1 - c·v2.
	c := (g.spot[1] - g.spot[0]) / (g.spot[2] - g.spot[1])
	e := (g.spot[n-1] - g.spot[n-2]) / (g.spot[n-2] - g.spot[n-3])
	last := g.v[n-2]
	g.rest[n-2] = last
	g.inverse[n-2], g.lower[n-2] = 1/(diag+high*(1+e)), low-high*e
	for i := n - 3; i >= 1; i-- {
		d, left, right := diag, low, high
		if i == 1 {
			d, right, left = diag+low*(1+c), high-low*c, 0
		}
		w := right * g.inverse[i+1]
		here, rest := &g.v[i], &g.rest[i]
		for l := range last {
			last[l] = here[l] - w*last[l]
			rest[l] = last[l]
		}
		g.inverse[i], g.lower[i] = 1/(d-w*g.lower[i+1]), left
	}
	var gives sheetRow
	if g.between {
		g.escrow(tau, past, &gives)
	} else {
		for l := range gives {
			gives[l] = math.Inf(-1)
		}
	}
	sign := float64(g.kind)
	all, back := 1/theta, 1/theta-1
	last = sheetRow{}
	for i := 1; i < n-1; i++ {
		rest, v, inverse, lower, now := &g.rest[i], &g.v[i], g.inverse[i], g.lower[i], sign*(g.spot[i]-1)
		lower *= inverse
		for l := range last {
			u := rest[l]*inverse - lower*last[l]
			before := back * v[l]
			x := all*u - before
			if o := now + gives[l]; x < o {
				x, u = o, theta*(o+before)
			}
			last[l], v[l] = u, x
		}
	}
	for l := range gives {
		g.v[0][l] = max((1+c)*g.v[1][l]-c*g.v[2][l], sign*(g.spot[0]-1)+gives[l])
		g.v[n-1][l] = max((1+e)*g.v[n-2][l]-e*g.v[n-3][l], sign*(g.spot[n-1]-1)+gives[l])
	}
}

// exercise lets a call be exercised just before an ex-date. At the kink where that
// begins, a node has the mean over its cell.
func (g *dividendSheet) exercise(d int) {
	var gives sheetRow
	g.escrow(g.terms.Years-g.payments[d].Years, d, &gives)
	for l := range gives {
		gives[l] += g.shares[d][l] - 1
	}
	n := len(g.v)
	// What exercising gains at a node and those next to it: the European option, the
	// first lane, gains -Inf.
	var before, here, next sheetRow
	g.gain(&here, 0, &gives)
	before = here
	for i := range n {
		width := 0.25
		if g.gain(&next, min(i+1, n-1), &gives); i == 0 || i == n-1 {
			width = 0.5
		}
		v := &g.v[i]
		for l := 1; l < sheetLanes; l++ {
			half := math.Abs(next[l]-before[l]) * width // of the gain over half a cell
			switch gain := here[l]; {
			case gain >= half:
				v[l] += gain
			case gain > -half:
				v[l] += (half + gain) * (half + gain) / (4 * half)
			}
		}
		before, here = here, next
	}
}

func (g *dividendSheet) gain(out *sheetRow, i int, gives *sheetRow) {
	v, spot := &g.v[i], g.spot[i]
	for l := range out {
		out[l] = spot + gives[l] - v[l]
	}
}

// findEdges finds where exercise begins now: where the value leaves what exercising
// gives like a parabola.
func (g *dividendSheet) findEdges() {
	var gives sheetRow
	g.escrow(g.terms.Years, len(g.payments), &gives)
	n, sign := len(g.v), float64(g.kind)
	for l := 1; l < sheetLanes; l++ {
		gap := func(i int) float64 { return g.v[i][l] - sign*(g.spot[i]-1) - gives[l] }
		for i := 2; i < n-3 && sign*(g.spot[i]-1)+gives[l] > 0; i++ {
			near, far := gap(i), gap(i+1)
			if !(near > 1e-12 && far > near) {
				continue
			}
			if i == 2 {
				break
			}
			near, far = math.Sqrt(near), math.Sqrt(far)
			back := min(near/(far-near), 1) // steps from i to where the gap is zero
			g.edges[l] = g.x(i) + sign*g.dx*back
			break
		}
	}
}
