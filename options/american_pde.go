package options

import (
	"math"
	"sort"
)

// A finite-difference grid in the logarithm of the spot prices what has no
// better method here: cash dividends with early exercise, and American options
// with two exercise boundaries.

// gridValue values an option by finite differences, with the leading errors
// removed by Richardson's extrapolation: the one in the spot's step is quadratic,
// the one in time linear where exercise is early.
func gridValue(p BSM, k Kind, dividends []Dividend, model DividendModel, american bool) float64 {
	solve := func(space, steps int) float64 {
		return newPriceGrid(p, k, dividends, model, american, space, steps).solve()
	}
	coarse, middle, fine := solve(400, 200), solve(800, 200), solve(800, 400)
	order := 3.0 // one less than the factor by which the error in time falls
	if american {
		order = 1
	}
	return fine + (fine-middle)/order + (middle-coarse)/3
}

type priceGrid struct {
	p         BSM
	sign      float64
	dividends []Dividend // by falling time
	model     DividendModel
	american  bool
	steps     int
	dx        float64
	spot      []float64 // e^x at the nodes, the option's spot in the middle
	v         []float64
	middle    int
	// Scratch of a time step.
	rhs, diag, upper, obstacle []float64
	exercised                  []bool
}

func newPriceGrid(p BSM, k Kind, dividends []Dividend, model DividendModel, american bool, space, steps int) *priceGrid {
	g := &priceGrid{p: p, sign: float64(k), model: model, american: american, steps: steps}
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
	if g.model == Escrowed {
		g.march(p.Years, 0)
		return g.v[g.middle]
	}
	now := p.Years
	for _, d := range g.dividends {
		if d.Years > p.Years || d.Years < 0 {
			continue
		}
		g.march(now, d.Years)
		g.pay(d.Cash)
		now = d.Years
	}
	g.march(now, 0)
	return g.v[g.middle]
}

// pay moves the value across an ex-date: before, the spot is higher by the
// dividend; and it may be best to exercise just then.
func (g *priceGrid) pay(cash float64) {
	after := append(g.rhs[:0], g.v...)
	n := len(g.spot)
	x0 := math.Log(g.spot[0])
	for i, s := range g.spot {
		left := s - cash
		if left <= g.spot[0] {
			g.v[i] = after[0]
		} else {
			at := (math.Log(left) - x0) / g.dx
			j := max(1, min(int(at), n-3))
			u := at - float64(j)
			// Lagrange's cubic through four nodes.
			g.v[i] = after[j-1]*(-u*(u-1)*(u-2)/6) + after[j]*((u+1)*(u-1)*(u-2)/2) +
				after[j+1]*(-(u+1)*u*(u-2)/2) + after[j+2]*((u+1)*u*(u-1)/6)
		}
	}
	if !g.american {
		return
	}
	// At the kink where exercising begins, the mean over the node's cell.
	for i, s := range g.spot {
		gain := g.sign*(s-g.p.Strike) - g.v[i]
		after[i] = gain
	}
	for i := range g.v {
		lo, hi := max(i-1, 0), min(i+1, n-1)
		half := math.Abs(after[hi]-after[lo]) / (2 * float64(hi-lo)) // of the gain over half a cell
		switch gain := after[i]; {
		case gain >= half:
			g.v[i] += gain
		case gain > -half:
			g.v[i] += (half + gain) * (half + gain) / (4 * half)
		}
	}
}

// march goes back from time from to time to: four implicit quarter steps to
// smooth what is not, then Crank and Nicolson's.
func (g *priceGrid) march(from, to float64) {
	if !(from > to) {
		return
	}
	n := max(8, int(float64(g.steps)*(from-to)/g.p.Years+0.5))
	dt := (from - to) / float64(n)
	t := from
	for range 4 {
		g.step(0.25*dt, 1, t-0.25*dt)
		t -= 0.25 * dt
	}
	for i := 1; i < n; i++ {
		t = from - float64(i+1)*dt
		g.step(dt, 0.5, t)
	}
}

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
	if g.american {
		shift := -p.Strike
		if g.model == Escrowed {
			shift += g.escrow(t)
		}
		for i, s := range g.spot {
			g.obstacle[i] = g.sign * (s + shift)
			g.exercised[i] = g.obstacle[i] > 0 && g.v[i] <= g.obstacle[i]
		}
	}
	for range 20 {
		// Thomas's algorithm; an exercised node is its own equation.
		for i := 1; i < n-1; i++ {
			l, d, u, r := lower, diag, upper, g.rhs[i]
			if g.american && g.exercised[i] {
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
		if !g.american {
			break
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
	if g.american {
		g.v[0] = max(g.v[0], g.obstacle[0])
		g.v[n-1] = max(g.v[n-1], g.obstacle[n-1])
	}
}
