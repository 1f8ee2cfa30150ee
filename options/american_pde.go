package options

import (
	"math"
	"sort"
)

// A finite-difference grid in the logarithm of the spot prices what has no
// better method here: cash dividends with early exercise, and American options
// with two exercise boundaries.

// gridValue values an option by finite differences, with the leading errors
// removed by Richardson's extrapolation: both are quadratic, since steps are
// small where the value changes fast.
func gridValue(p BSM, k Kind, dividends []Dividend, model DividendModel, american bool) float64 {
	if american && k == Call && p.Yield <= 0 && p.Rate >= 0 { // exercised at the ex-dates alone: cheaper
		return gridValueOn(p, k, dividends, model, american, 3*gridSpace, gridSteps)
	}
	return gridValueOn(p, k, dividends, model, american, gridSpace, gridSteps)
}

// The nodes and steps of the coarsest grid.
const (
	gridSpace = 320
	gridSteps = 90
)

func gridValueOn(p BSM, k Kind, dividends []Dividend, model DividendModel, american bool, space, steps int) float64 {
	solve := func(space, steps int) float64 {
		return newPriceGrid(p, k, dividends, model, american, space, steps).solve()
	}
	coarse, middle, fine := solve(space, steps), solve(2*space, steps), solve(2*space, 2*steps)
	return fine + (fine-middle)/3 + (middle-coarse)/3
}

type priceGrid struct {
	p         BSM
	sign      float64
	dividends []Dividend // by falling time
	model     DividendModel
	american  bool
	between   bool // exercised early at other times than just before an ex-date, too
	twice     bool // between two boundaries
	known     bool // the obstacle, which is the same at all times but for escrowed dividends
	steps     int
	dx        float64
	// ln(spot) where exercise begins, now or, drifting, at the first ex-date; NaN
	// when it does not. Now reports which.
	kink   float64
	now    bool
	spot   []float64 // e^x at the nodes, the option's spot in the middle
	v      []float64
	middle int
	// Scratch of a time step.
	rhs, diag, upper, obstacle []float64
	exercised                  []bool
}

func newPriceGrid(p BSM, k Kind, dividends []Dividend, model DividendModel, american bool, space, steps int) *priceGrid {
	g := &priceGrid{p: p, sign: float64(k), model: model, american: american, steps: steps}
	g.between = american && !(k == Call && p.Yield <= 0 && p.Rate >= 0)
	put := p.asPut(k)
	g.twice = g.between && put.exercise() == exerciseBetween
	g.dividends = append(g.dividends, dividends...)
	sort.Slice(g.dividends, func(i, j int) bool { return g.dividends[i].Years > g.dividends[j].Years })
	total := 0.0
	for _, d := range dividends {
		total += d.Cash
	}
	if model == Escrowed {
		g.p.Spot -= g.escrow(0)
		total = 0
	}
	dev := p.Vol * math.Sqrt(p.Years)
	// Wide enough for seven deviations, the drift, the dividends and the strike.
	width := 7*dev + math.Abs(p.Rate-p.Yield)*p.Years + 0.5*dev*dev
	width = max(width, min(1.5*math.Abs(math.Log(g.p.Spot/p.Strike)), 12*dev), min(4*total/p.Spot, 3))
	n := 2*(space/2) + 1
	g.middle = space / 2
	g.dx = 2 * width / float64(n-1)
	g.spot = make([]float64, n)
	for i := range g.spot {
		g.spot[i] = g.p.Spot * math.Exp(float64(i-g.middle)*g.dx)
	}
	g.kink = math.NaN()
	g.v, g.rhs, g.diag, g.upper, g.obstacle = make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)
	g.exercised = make([]bool, n)
	return g
}

// escrow returns the present value at time t of the dividends that are to come.
func (g *priceGrid) escrow(t float64) float64 {
	sum := 0.0
	for _, d := range g.dividends {
		if d.Years > t && d.Years <= g.p.Years {
			sum += d.Cash * math.Exp(-g.p.Rate*(d.Years-t))
		}
	}
	return sum
}

func (g *priceGrid) solve() float64 {
	p := &g.p
	half := 0.5 * g.dx
	for i, s := range g.spot {
		g.v[i] = max(g.sign*(s-p.Strike), 0)
		if lo, hi := s*math.Exp(-half), s*math.Exp(half); lo < p.Strike && hi > p.Strike {
			// The mean over the cell that holds the kink.
			x := math.Log(p.Strike / s)
			if g.sign > 0 {
				g.v[i] = (hi - p.Strike - p.Strike*(half-x)) / g.dx
			} else {
				g.v[i] = (p.Strike*(x+half) - (p.Strike - lo)) / g.dx
			}
		}
	}
	now := p.Years
	for _, d := range g.dividends {
		if d.Years > p.Years || d.Years < 0 {
			continue
		}
		g.march(now, d.Years)
		now = d.Years
		shift := -p.Strike
		if g.model == SpotModel {
			g.pay(d.Cash)
		} else {
			shift += g.escrow(now) + d.Cash
		}
		if g.american {
			g.kink = g.begins(shift) - (p.Rate-p.Yield-0.5*p.Vol*p.Vol)*now
			g.exercise(shift)
		}
	}
	g.march(now, 0)
	if g.between && now > 0 {
		if x := g.edge(); !math.IsNaN(x) {
			g.kink, g.now = x, true
		}
	}
	return g.v[g.middle]
}

// pay moves the value across an ex-date: before, the spot is higher by the
// dividend.
func (g *priceGrid) pay(cash float64) {
	after := append(g.rhs[:0], g.v...)
	n := len(g.spot)
	x0 := math.Log(g.spot[0])
	// Down to a share worth nothing the value is a line.
	slope := (after[1] - after[0]) / (g.spot[1] - g.spot[0])
	nothing, grow := after[0]-slope*g.spot[0], math.Exp(0.5*g.dx)
	for i, s := range g.spot {
		left := s - cash
		if hi := s * grow; hi > cash && s < cash*grow {
			// The mean over the cell that holds the kink.
			left = (hi - cash - cash*math.Log(hi/cash)) / g.dx
		}
		if left <= g.spot[0] {
			g.v[i] = nothing + slope*max(left, 0)
			continue
		}
		at := (math.Log(left) - x0) / g.dx
		j := max(1, min(int(at), n-3))
		u := at - float64(j)
		// Lagrange's cubic through four nodes.
		g.v[i] = after[j-1]*(-u*(u-1)*(u-2)/6) + after[j]*((u+1)*(u-1)*(u-2)/2) +
			after[j+1]*(-(u+1)*u*(u-2)/2) + after[j+2]*((u+1)*u*(u-1)/6)
	}
}

// begins returns ln(spot) where exercising just before an ex-date begins to pay,
// or where it does just after, for a put; NaN when it never does.
func (g *priceGrid) begins(shift float64) float64 {
	if g.sign < 0 {
		if g.between && g.known {
			return g.edge()
		}
		return math.NaN()
	}
	for i := len(g.v) - 1; i > 0; i-- {
		here, next := g.spot[i]+shift-g.v[i], g.spot[i-1]+shift-g.v[i-1]
		if here > 0 && next <= 0 {
			return math.Log(g.spot[i]) - g.dx*here/(here-next)
		}
	}
	return math.NaN()
}

// edge returns ln(spot) at the exercise boundary, NaN when there is none. There the
// value leaves what exercising gives like a parabola.
func (g *priceGrid) edge() float64 {
	n := len(g.v)
	at := func(i int) int { // counted from the side that is exercised
		if g.sign > 0 {
			return n - 1 - i
		}
		return i
	}
	gap := func(i int) float64 { return g.v[at(i)] - g.obstacle[at(i)] }
	for i := 2; i < n-3 && g.obstacle[at(i)] > 0; i++ {
		if near, far := gap(i), gap(i+1); near > 1e-12*g.p.Strike && far > near {
			if i == 2 {
				return math.NaN()
			}
			near, far = math.Sqrt(near), math.Sqrt(far)
			back := min(near/(far-near), 1) // steps from i to where the gap is zero
			return math.Log(g.spot[at(i)]) + g.sign*g.dx*back
		}
	}
	return math.NaN()
}

// exercise lets the option be exercised just before an ex-date, when that gives
// spot plus shift. At the kink where it begins, a node has the mean over its cell.
func (g *priceGrid) exercise(shift float64) {
	gains, n := g.rhs, len(g.spot)
	for i, s := range g.spot {
		gains[i] = g.sign*(s+shift) - g.v[i]
	}
	for i := range g.v {
		lo, hi := max(i-1, 0), min(i+1, n-1)
		half := math.Abs(gains[hi]-gains[lo]) / (2 * float64(hi-lo)) // of the gain over half a cell
		switch gain := gains[i]; {
		case gain >= half:
			g.v[i] += gain
		case gain > -half:
			g.v[i] += (half + gain) * (half + gain) / (4 * half)
		}
	}
}

// march goes back from time from to time to. The value changes like the root of
// the time since a payoff or an ex-date has bent it, so the steps grow from there
// in proportion to that root; the first few are implicit, which smooths the bend,
// and the others Crank and Nicolson's.
func (g *priceGrid) march(from, to float64) {
	if !(from > to) {
		return
	}
	n := max(min(16, g.steps/3), int(float64(g.steps)*math.Sqrt((from-to)/g.p.Years)+0.5))
	t := from
	for i := range n {
		u := float64(i+1) / float64(n)
		next := from - (from-to)*u*u
		if i == n-1 {
			next = to
		}
		theta := 0.5
		if i < implicitSteps {
			theta = 1
		}
		g.step(t-next, theta, next)
		t = next
	}
}

const implicitSteps = 3

// step solves (1-θ·dt·L)·v = (1+(1-θ)·dt·L)·v', and with early exercise the same
// under v ≥ what exercising gives: the nodes that are exercised are guessed and
// corrected until nothing changes.
func (g *priceGrid) step(dt, theta, t float64) {
	p := &g.p
	n := len(g.v)
	a := 0.5 * p.Vol * p.Vol / (g.dx * g.dx)
	b := (p.Rate - p.Yield - 0.5*p.Vol*p.Vol) / (2 * g.dx)
	down, up, mid := a-b, a+b, -2*a-p.Rate
	explicit := (1 - theta) * dt
	for i := 1; i < n-1; i++ {
		g.rhs[i] = g.v[i] + explicit*(down*g.v[i-1]+mid*g.v[i]+up*g.v[i+1])
	}
	lower, diag, upper := -theta*dt*down, 1-theta*dt*mid, -theta*dt*up
	// At the ends the value is linear in the spot: v0 = (1+c)·v1 - c·v2.
	c := (g.spot[1] - g.spot[0]) / (g.spot[2] - g.spot[1])
	e := (g.spot[n-1] - g.spot[n-2]) / (g.spot[n-2] - g.spot[n-3])
	if g.between {
		if shift := -p.Strike; g.model == Escrowed || !g.known {
			if g.model == Escrowed {
				shift += g.escrow(t)
			}
			for i, s := range g.spot {
				g.obstacle[i] = g.sign * (s + shift)
			}
			g.known = true
		}
		if g.twice {
			for i, gives := range g.obstacle {
				g.exercised[i] = gives > 0 && g.v[i] <= gives
			}
		}
	}
	if !g.twice {
		if !g.between && !g.known { // what exercising gives is below everything
			for i := range g.obstacle {
				g.obstacle[i] = math.Inf(-1)
			}
			g.known = true
		}
		g.project(lower, diag, upper, c, e)
		return
	}
	for range 20 {
		// Thomas's algorithm; an exercised node is its own equation.
		for i := 1; i < n-1; i++ {
			l, d, u, r := lower, diag, upper, g.rhs[i]
			if g.exercised[i] {
				l, d, u, r = 0, 1, 0, g.obstacle[i]
			} else if i == 1 {
				d, u, l = d+l*(1+c), u-l*c, 0
			} else if i == n-2 {
				l, d, u = l-u*e, d+u*(1+e), 0
			}
			if i > 1 {
				w := l / g.diag[i-1]
				d -= w * g.upper[i-1]
				r -= w * g.v[i-1]
			}
			g.diag[i], g.upper[i], g.v[i] = d, u, r
		}
		g.v[n-2] /= g.diag[n-2]
		for i := n - 3; i >= 1; i-- {
			g.v[i] = (g.v[i] - g.upper[i]*g.v[i+1]) / g.diag[i]
		}
		changed := false
		for i := 1; i < n-1; i++ {
			want := g.v[i] < g.obstacle[i]
			if g.exercised[i] {
				// Stay exercised while waiting would lose.
				wait := g.rhs[i] - lower*g.v[i-1] - upper*g.v[i+1]
				want = wait < diag*g.obstacle[i]
			}
			if want != g.exercised[i] {
				g.exercised[i], changed = want, true
			}
		}
		if !changed {
			break
		}
	}
	g.v[0] = (1+c)*g.v[1] - c*g.v[2]
	g.v[n-1] = (1+e)*g.v[n-2] - e*g.v[n-3]
	g.v[0] = max(g.v[0], g.obstacle[0])
	g.v[n-1] = max(g.v[n-1], g.obstacle[n-1])
}

// project solves a step for an option with one exercise boundary, or none, in one pass:
// eliminating from the side that is not exercised, what exercising gives is taken
// where it is more as the other side is substituted (Brennan and Schwartz 1977).
func (g *priceGrid) project(lower, diag, upper, c, e float64) {
	n := len(g.v)
	if g.sign < 0 { // exercised at the low end: eliminate from the high one
		d, l, r := diag+upper*(1+e), lower-upper*e, g.rhs[n-2]
		inverse := 1 / d
		g.diag[n-2], g.upper[n-2], g.v[n-2] = inverse, l, r // upper holds what multiplies the lower neighbour
		for i := n - 3; i >= 1; i-- {
			d, l, u := diag, lower, upper
			if i == 1 {
				d, u, l = d+l*(1+c), u-l*c, 0
			}
			w := u * inverse
			d -= w * g.upper[i+1]
			r = g.rhs[i] - w*r
			inverse = 1 / d
			g.diag[i], g.upper[i], g.v[i] = inverse, l, r
		}
		last := max(g.v[1]*g.diag[1], g.obstacle[1])
		g.v[1] = last
		for i := 2; i < n-1; i++ {
			if last = (g.v[i] - g.upper[i]*last) * g.diag[i]; last < g.obstacle[i] {
				last = g.obstacle[i]
			}
			g.v[i] = last
		}
	} else {
		d, u, r := diag+lower*(1+c), upper-lower*c, g.rhs[1]
		inverse := 1 / d
		g.diag[1], g.upper[1], g.v[1] = inverse, u, r
		for i := 2; i < n-1; i++ {
			d, l, u := diag, lower, upper
			if i == n-2 {
				l, d, u = l-u*e, d+u*(1+e), 0
			}
			w := l * inverse
			d -= w * g.upper[i-1]
			r = g.rhs[i] - w*r
			inverse = 1 / d
			g.diag[i], g.upper[i], g.v[i] = inverse, u, r
		}
		last := max(g.v[n-2]*g.diag[n-2], g.obstacle[n-2])
		g.v[n-2] = last
		for i := n - 3; i >= 1; i-- {
			if last = (g.v[i] - g.upper[i]*last) * g.diag[i]; last < g.obstacle[i] {
				last = g.obstacle[i]
			}
			g.v[i] = last
		}
	}
	g.v[0] = max((1+c)*g.v[1]-c*g.v[2], g.obstacle[0])
	g.v[n-1] = max((1+e)*g.v[n-2]-e*g.v[n-3], g.obstacle[n-1])
}
