package options

import "math"

// A boundary is the early-exercise boundary B(τ) of an American put, as the
// function H = ln²(B/X) at the nodes of a grid, X = B(0+). For its defining
// equations see Andersen, Lake and Offengenden, High performance American
// option pricing (Journal of Computational Finance 20, 2016).
type boundary struct {
	grid        *americanGrid
	put         BSM // Spot is not used
	limit       float64
	h           []float64
	grow, carry []float64 // e^(ru) and e^(qu) times the weight of the points, nodes × points
	change      float64   // the last largest step of ln(B), relative to vol·√T
	used        int       // iterations
	once        bool      // one iteration is enough
	work        []float64
}

// newBoundary solves for the boundary of a put with Rate ≥ 0 that has one, from
// start if it is given.
func newBoundary(put BSM, g *americanGrid, start *boundary) *boundary {
	b := unsolved(put, g)
	if start != nil {
		b.from(start)
	} else {
		b.start(2)
	}
	b.solve()
	return b
}

// unsolved makes a boundary with all that does not depend on the volatility.
func unsolved(put BSM, g *americanGrid) *boundary {
	b := &boundary{grid: g, put: put, limit: put.Strike}
	if put.Yield > put.Rate {
		b.limit = put.Strike * (put.Rate / put.Yield)
	}
	n, l := g.nodes, g.points
	work := make([]float64, n*(n+3)+2*n*l)
	b.h, work = work[:n], work[n:]
	b.work, work = work[:n*(n+2)], work[n*(n+2):]
	b.grow, work = work[:n*l], work[n*l:]
	b.carry = work[:n*l]
	for i := range n {
		tau := put.Years * g.zp[i]
		for j := range l {
			u := tau * g.share[j]
			b.grow[i*l+j] = tau * g.weight[j] * expSum(put.Rate*u, 0)
			b.carry[i*l+j] = tau * g.weight[j]
			if put.Yield != 0 {
				b.carry[i*l+j] *= expSum(put.Yield*u, 0)
			}
		}
	}
	return b
}

// solve applies Newton's method to x = ln(B/X) at the nodes. The plain fixed
// point settles what is smooth in a few steps, but hardly moves what alternates
// from node to node; the derivatives cost little beside the integrals.
func (b *boundary) solve() {
	n := b.grid.nodes
	x, fx, jacobian := b.work[:n], b.work[n:2*n], b.work[2*n:]
	inverseDev := 1 / (b.put.Vol * math.Sqrt(b.put.Years))
	for i, h := range b.h {
		x[i] = -math.Sqrt(h)
	}
	for b.used < b.most() {
		b.step(x, fx, jacobian)
		b.used++
		for i := range n {
			fx[i] -= x[i]
		}
		solveLinear(jacobian, fx)
		b.change = 0
		for i, d := range fx {
			b.change = max(b.change, math.Abs(d)*inverseDev)
			// What is to be zero falls off like a density in x, so that Newton's
			// step is far too long from one side.
			far := 0.3 * b.put.Vol * math.Sqrt(b.put.Years*b.grid.zp[i])
			x[i] = min(x[i]+max(min(d, far), -far), 0.5*x[i])
			b.h[i] = x[i] * x[i]
		}
		if b.change < b.grid.tolerance {
			break
		}
	}
}

func (b *boundary) most() int {
	if b.once {
		return 1
	}
	return b.grid.iterations
}

// floor is what H is at the least, per unit of time: between the nodes next to
// z = 0 the interpolation may come out below.
func (b *boundary) floor() float64 { return 1e-3 * min(b.put.Vol*b.put.Vol, b.h[0]/b.put.Years) }

// solveLinear solves a·x = b for a matrix by rows, by Gauss's elimination with
// pivots; x replaces b and a is lost.
func solveLinear(a, b []float64) {
	n := len(b)
	for i := range n {
		best := i
		for j := i + 1; j < n; j++ {
			if math.Abs(a[j*n+i]) > math.Abs(a[best*n+i]) {
				best = j
			}
		}
		if best != i {
			for k := i; k < n; k++ {
				a[i*n+k], a[best*n+k] = a[best*n+k], a[i*n+k]
			}
			b[i], b[best] = b[best], b[i]
		}
		inverse := 1 / a[i*n+i]
		top := a[i*n : i*n+n]
		for j := i + 1; j < n; j++ {
			row := a[j*n : j*n+n]
			c := row[i] * inverse
			if c == 0 {
				continue
			}
			for k := i + 1; k < n; k++ {
				row[k] -= c * top[k]
			}
			b[j] -= c * b[i]
		}
	}
	for i := n - 1; i >= 0; i-- {
		sum := b[i]
		for k := i + 1; k < n; k++ {
			sum -= a[i*n+k] * b[k]
		}
		b[i] = sum / a[i*n+i]
	}
}

// newBoundaryFor solves at an accuracy. For 1e-8 it goes through the grid of 1e-6
// to finer ones, until two grids agree: how far their values lie apart tells how
// far the finer one is from the truth, which is less by a factor of five at least.
func newBoundaryFor(put BSM, a Accuracy, g *americanGrid) *boundary {
	switch {
	case a == Accuracy1e8:
		last := newBoundary(put, grid1e6(), nil)
		v := last.value(put.Spot)
		for i, next := range [...]*americanGrid{g, grid1e8b(), grid1e8c()} {
			b := newBoundary(put, next, last)
			was, agreed := v, agreement[i]*put.caution()
			if v = b.value(put.Spot); put.Spot <= b.now() || math.Abs(v-was) <= agreed*v {
				return b
			}
			last = b
		}
		return last
	case a == Accuracy1e10: // from elsewhere its many nodes do not always settle
		return newBoundary(put, g, newBoundary(put, grid1e8(), newBoundary(put, grid1e6(), nil)))
	case (a == 0 || a == Accuracy1e6) && put.hard():
		return newBoundary(put, grid1e6b(), nil)
	case a == Accuracy1e4 && put.hardness() > 2:
		return newBoundary(put, grid1e6(), nil)
	}
	return newBoundary(put, g, nil)
}

// agreement is how far two grids may lie apart for the finer to be within 1e-8.
var agreement = [...]float64{1.5e-8, 4e-8, 0}

// caution is how much nearer than usual grids have to be that approach the truth slowly,
// lest two agree too early: where the boundary begins a little below the strike, or what
// exercising earns outweighs the randomness.
func (p *BSM) caution() float64 {
	switch {
	case p.Yield > p.Rate && p.Yield < 1.8*p.Rate:
		return 0.2
	case p.hardness() > 0.7:
		return 0.25
	}
	return 1
}

// hard reports that what exercising earns outweighs the randomness: boundary and
// integrand then change fast next to the present.
func (p *BSM) hard() bool { return p.hardness() > 1.15 }

// hardness is what exercising earns until expiry over the randomness.
func (p *BSM) hardness() float64 {
	return max(math.Abs(p.Rate), math.Abs(p.Rate-p.Yield)) * math.Sqrt(p.Years) / p.Vol
}

// now returns B(T).
func (b *boundary) now() float64 { return b.limit * math.Exp(-math.Sqrt(b.h[0])) }

// from interpolates a boundary on another grid, down to that grid's first node.
func (b *boundary) from(other *boundary) {
	row := make([]float64, 0, other.grid.nodes)
	b.start(other.grid.zp[other.grid.nodes-1])
	for i, z := range b.grid.zp {
		if z < other.grid.zp[other.grid.nodes-1] {
			break
		}
		root := b.grid.z[i]
		if b.grid.power != other.grid.power {
			root = math.Pow(z, 1/other.grid.power)
		}
		row = other.grid.appendRow(row[:0], root)
		h := 0.0
		for k, v := range row {
			h += v * other.h[k]
		}
		b.h[i] = max(h, other.floor()*b.put.Years*z)
	}
}

// start fills the boundary, at the nodes with z^power below a bound, by the QD+ approximation, and next to expiry, where
// that fails, by the limiting forms of Evans, Kuske and Keller (American options
// on assets with dividends near expiry, Mathematical Finance 12, 2002).
func (b *boundary) start(below float64) {
	g := b.grid
	guess := b.limit
	for i := g.nodes - 1; i >= 0 && g.zp[i] < below; i-- {
		tau := b.put.Years * g.zp[i]
		dev := b.put.Vol * math.Sqrt(tau)
		x := math.Log(qdPlus(b.put, tau, guess, b.limit) / b.limit)
		if near, ok := b.nearExpiry(tau, dev); ok {
			// The limit is right to some percent; QD+ to less, or not at all.
			if low := 0.9 * near * dev; -x < low || b.put.Yield > b.put.Rate {
				x = -near * dev
			}
		}
		guess = b.limit * math.Exp(x)
		b.h[i] = x * x
	}
}

// nearExpiry returns -ln(B/X)/(vol·√τ) in the limit τ → 0, and whether τ is
// small enough to use it.
func (b *boundary) nearExpiry(tau, dev float64) (float64, bool) {
	rate, yield := b.put.Rate, b.put.Yield
	if yield > rate {
		return 0.638833, dev < 0.02*math.Log(yield/rate)
	}
	variance := b.put.Vol * b.put.Vol
	l := math.Inf(1)
	if rate > yield {
		l = math.Log(variance / (8 * math.Pi * tau * (rate - yield) * (rate - yield)))
	}
	if yield > 0 {
		l = min(l, 2*math.Log(1/(4*math.Sqrt(math.Pi)*yield*tau)))
	}
	near := math.Sqrt(max(l, 0))
	return near, l > 3 && near*dev < 0.3
}

// step evaluates the fixed point "B" of the paper at x = ln(B/X) at the nodes,
//
//	B(τ) = K·e^(-(r-q)τ)·[Φ(d-) + r∫e^(ru)Φ(d-)du] / [Φ(d+) + q∫e^(qu)Φ(d+)du]
//
// as ln(B/X), and writes 1 minus its derivatives into jacobian by rows.
func (b *boundary) step(x, next, jacobian []float64) {
	g := b.grid
	n, l := g.nodes, g.points
	p := &b.put
	normal := normalValues()
	logLimit := logRatio(b.limit, p.Strike)
	floor := b.floor()
	for i := range n {
		tau := p.Years * g.zp[i]
		dev := p.Vol * math.Sqrt(tau)
		inverseDev := 1 / dev
		own := x[i]
		drift := (p.Rate - p.Yield) * tau
		shift := own + drift + logLimit
		dp := shift*inverseDev + 0.5*dev
		num, numSlope := cdfDensity(dp - dev)
		den, denSlope := cdfDensity(dp)
		// At the solution den/num = e^-shift: with that the derivatives need no
		// sums that are known only at the end.
		quotient := expSum(-shift, 0)
		slope := (numSlope*quotient - denSlope) * inverseDev
		row := jacobian[i*n : i*n+n]
		clear(row)
		numRate := p.Rate * quotient
		sumN, sumD := 0.0, 0.0
		for j := range l {
			at := i*l + j
			weights := g.matrix[at*n:][:n]
			h := 0.0
			for k, v := range weights {
				h += v * b.h[k]
			}
			share := 1.0
			if low := floor * tau * g.share[j]; !(h > low) {
				h, share = low, 0
			}
			other := -math.Sqrt(h)
			v := dev * g.root[j]
			inverse := inverseDev * g.inverseRoot[j]
			dp := (own-other+drift*(1-g.share[j]))*inverse + 0.5*v
			value, pdf := normal.at(dp - v)
			sumN += b.grow[at] * value
			change := numRate * b.grow[at] * pdf
			if p.Yield != 0 {
				value, pdf = normal.at(dp)
				sumD += b.carry[at] * value
				change -= p.Yield * b.carry[at] * pdf
			}
			change *= inverse
			slope += change
			change *= share / other
			for k, v := range weights {
				row[k] += change * v
			}
		}
		num += p.Rate * sumN
		den += p.Yield * sumD
		next[i] = min(math.Log(num/den)-drift-logLimit, 0)
		inverseDen := 1 / den
		for k := range row {
			row[k] *= x[k] * inverseDen
		}
		row[i] += 1 - slope*inverseDen
	}
}

// qdPlus returns the boundary at τ by the QD+ approximation of Li (Analytical
// approximations for the critical stock prices of American options, Review of
// Derivatives Research 13, 2010).
func qdPlus(p BSM, tau, guess, limit float64) float64 {
	dev := p.Vol * math.Sqrt(tau)
	discount, yield := math.Exp(-p.Rate*tau), math.Exp(-p.Yield*tau)
	variance := p.Vol * p.Vol
	omega := 2 * (p.Rate - p.Yield) / variance
	// alphaH is α/h and h = 1-e^(-rτ), with their limits for r = 0.
	h := -math.Expm1(-p.Rate * tau)
	alphaH := 2 / (variance * tau)
	if h != 0 {
		alphaH = 2 * p.Rate / (variance * h)
	}
	rootTerm := math.Sqrt((omega-1)*(omega-1) + 4*alphaH)
	lambda := -0.5 * (omega - 1 + rootTerm)
	// c multiplies what follows it in c0 = -(1-h)α/(2λ+ω-1)·[…].
	objective := func(s float64) float64 {
		dp := (logRatio(s, p.Strike)+(p.Rate-p.Yield)*tau)/dev + 0.5*dev
		np, pdf := cdfDensity(-dp)
		nm := cdf(dev - dp)
		euro := p.Strike*discount*nm - s*yield*np
		theta := -s*yield*pdf*p.Vol/(2*math.Sqrt(tau)) + p.Rate*p.Strike*discount*nm - p.Yield*s*yield*np
		gain := p.Strike - s - euro
		if gain < 1e-12*p.Strike {
			gain = 1e-12 * p.Strike
		}
		slope := 2*lambda + omega - 1 // = -rootTerm
		// α/h·(…): 1/h - Θ·e^(rτ)/(r·gain) + λ'/slope, each times h.
		term := 1 + alphaH/(rootTerm*slope)
		if p.Rate != 0 {
			term -= theta / discount * h / (p.Rate * gain)
		} else {
			term -= theta * tau / gain
		}
		c0 := -discount * alphaH / slope * term
		return s*(1-yield*np) + (lambda+c0)*gain
	}
	x0, x1 := guess*(1-0.02*min(1, dev)), guess*(1-0.25*min(1, dev))
	f0, f1 := objective(x0), objective(x1)
	for range 12 {
		if f1 == f0 {
			break
		}
		x2 := x1 - f1*(x1-x0)/(f1-f0)
		if !(x2 > 0.3*x1) {
			x2 = 0.3 * x1
		}
		if x2 > limit {
			x2 = 0.5 * (x1 + limit)
		}
		x0, f0 = x1, f1
		x1, f1 = x2, objective(x2)
		if math.Abs(x1-x0) < 0.03*min(dev, 1)*x1 {
			break
		}
	}
	return min(max(x1, 1e-8*limit), limit*(1-1e-9))
}
