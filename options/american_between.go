package options

import "math"

// A boundaryPair is the two exercise boundaries of an American put with a yield
// below a rate below 0: exercising is right between them. They start at expiry from
// the strike and from rate/yield of it, and may meet.
//
// Exercise above the lower boundary does not change the value above the upper one,
// since there what exercising gives is the value already; so each boundary obeys an
// equation of its own, as if all spots on its other side were exercised (Andersen
// and Lake, Fast American option pricing: the double-boundary case, Wilmott 2021).
// The upper one's is that of a single boundary, with a negative rate. The lower
// one's, Y, has only integrals:
//
//	Y(τ) = X·e^(-(r-q)τ)·∫e^(ru)Φ(-d-)du / ∫e^(qu)Φ(-d+)du,  X = K·r/q,  d± of τ-u and Y(τ)/Y(u)
//
// Both are kept as the square of the logarithm of the boundary over its start.
type boundaryPair struct {
	put          BSM
	until        float64 // time to expiry up to which there is exercise
	upper, lower *boundary
}

// newBoundaryPair solves for both boundaries, up to where they meet; nil without
// success. What is earned next to there is of second order, so that it need not be
// known well. The search begins from a solution on another grid, if there is one.
func newBoundaryPair(put BSM, g *americanGrid, from *boundaryPair) *boundaryPair {
	start := math.Log(put.Yield / put.Rate)    // how far apart they are at first
	var least, most, leastGap, mostGap float64 // times, and how far apart they are then
	var below *boundaryPair
	most = math.Inf(1)
	rough := start / (2.5 * put.Vol) // they approach by two or three deviations
	until := min(put.Years, rough*rough)
	if from != nil {
		until = from.until
	}
	last := from
	failures := 0
	for range 60 {
		pair := solvePair(put, g, until, last)
		gap := math.NaN()
		if pair != nil {
			gap, last = pair.apart(1), pair
		} else if failures++; failures > 8 {
			break
		}
		switch {
		case gap > 0:
			if until == put.Years || gap < meeting*start {
				return pair
			}
			below, least, leastGap = pair, until, gap
		case gap > -meeting*start:
			return pair
		default:
			most, mostGap = until, gap
		}
		// Near to where they meet a tangent tells the time.
		if next := until * (1 + gap/pair.closing()); math.Abs(gap) < nearly*start && next > least && next < most {
			if until = min(next, put.Years); until > least {
				continue
			}
		}
		// They come nearer like the root of the time, or less fast.
		approach := start / (start - leastGap)
		expected := least * approach * approach
		switch {
		case math.IsInf(most, 1):
			until = min(put.Years, max(1.2*least, min(expected, 4*least)))
		case below != nil && mostGap < 0:
			share := leastGap / (leastGap - mostGap)
			until = least + (most-least)*max(0.1, min(share, 0.9))
		case gap < 0:
			until *= max(0.1, min(pair.meet(), 0.95))
		case below != nil:
			until = min(0.5*(least+most), max(expected, 1.02*least))
		default:
			until *= 0.3
		}
		if most-least < meeting*most {
			break
		}
	}
	if !(mostGap < 0) && !(leastGap < 0.05*start) { // there is no solution on this grid, not no exercise
		return nil
	}
	return below
}

// nearly is how near to each other boundaries have to be, of their first distance, for
// a tangent to tell where they meet.
const nearly = 0.05

// meeting is how near the boundaries are to have met, of their first distance.
const meeting = 3e-5

// solvePair solves for both boundaries on a time to expiry, from the solution on
// another if there is one.
func solvePair(put BSM, g *americanGrid, until float64, last *boundaryPair) *boundaryPair {
	whole := put
	put.Years = until
	upper, lower := unsolved(put, g), unsolved(put, g)
	lower.limit = put.Strike * (put.Rate / put.Yield)
	variance := put.Vol * put.Vol
	drift := put.Rate - put.Yield
	for i, z := range g.zp {
		tau := until * z
		if share := last.share(tau); share > 0 {
			root, longer := math.Pow(min(share, 1), 1/last.upper.grid.power), math.Sqrt(max(share, 1)) // the logarithm goes on like the root of the time
			up, low := last.upper.at(root)*longer, last.lower.at(root)*longer
			upper.h[i], lower.h[i] = max(up*up, 1e-6*variance*tau), max(low*low, 1e-6*variance*tau)
			continue
		}
		l := math.Log(variance / (8 * math.Pi * tau * drift * drift))
		upper.h[i] = variance * tau * max(l, 0.4)
		lower.h[i] = variance * tau * nearLower * nearLower
	}
	const steps = 25
	if !upper.settle(steps, -1, upper.step) || !lower.settle(steps, 1, lower.lowerStep) {
		return nil
	}
	return &boundaryPair{put: whole, until: until, upper: upper, lower: lower}
}

// share returns which part of its own time a time to expiry is, 0 next to expiry,
// where a grid does not know the boundaries.
func (q *boundaryPair) share(tau float64) float64 {
	if q == nil {
		return 0
	}
	share := tau / q.until
	if zp := q.upper.grid.zp; share < 0.5*zp[len(zp)-1] {
		return 0
	}
	return share
}

// nearLower is ln(Y/X)/(vol·√τ) in the limit of no time.
const nearLower = 0.638833

// settle applies Newton's method to x = ln(B/X) at the nodes, whose sign is given,
// and reports whether it came to an end.
func (b *boundary) settle(most int, sign float64, step func(x, next, jacobian []float64)) bool {
	n := b.grid.nodes
	x, fx, jacobian := b.work[:n], b.work[n:2*n], b.work[2*n:]
	for i, h := range b.h {
		x[i] = sign * math.Sqrt(h)
	}
	dev := b.put.Vol * math.Sqrt(b.put.Years)
	var last float64
	for range most {
		step(x, fx, jacobian)
		for i := range n {
			fx[i] -= x[i]
		}
		solveLinear(jacobian, fx)
		change := 0.0
		for i, d := range fx {
			if math.IsNaN(d) {
				return false
			}
			far := 0.3 * dev * math.Sqrt(b.grid.zp[i])
			change = max(change, math.Abs(d)/dev)
			next := x[i] + max(min(d, far), -far)
			if sign*next < 0.5*sign*x[i] {
				next = 0.5 * x[i]
			}
			x[i] = next
			b.h[i] = next * next
		}
		if change < 1e-7 { // what is left is of the order of its square
			return true
		}
		last = change
	}
	return last < 1e-5
}

// lowerStep evaluates the equation of the lower boundary at x = ln(Y/X), and writes 1
// minus its derivatives into jacobian by rows, as step does for the upper one.
func (b *boundary) lowerStep(x, next, jacobian []float64) {
	g := b.grid
	n, l := g.nodes, g.points
	p := &b.put
	normal := normalValues()
	floor := b.floor()
	for i := range n {
		tau := p.Years * g.zp[i]
		dev := p.Vol * math.Sqrt(tau)
		drift := (p.Rate - p.Yield) * tau
		row := jacobian[i*n : i*n+n]
		clear(row)
		// At the solution the quotient of the sums is e^(x+drift): with that the
		// derivatives need no sums that are known only at the end.
		quotient := expSum(-x[i]-drift, 0)
		num, den, own := 0.0, 0.0, 0.0
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
			other := math.Sqrt(h)
			v := dev * g.root[j]
			inverse := 1 / v
			dp := (x[i]-other+drift*(1-g.share[j]))*inverse + 0.5*v
			value, pdf := normal.at(v - dp)
			num += b.grow[at] * value
			change := -b.grow[at] * pdf * quotient
			value, pdf = normal.at(-dp)
			den += b.carry[at] * value
			change = (change + b.carry[at]*pdf) * inverse
			own += change
			change *= share / other
			for k, v := range weights {
				row[k] -= change * v
			}
		}
		next[i] = max(math.Log(num/den)-drift, 0)
		for k := range row {
			row[k] *= -x[k] / den
		}
		row[i] += 1 - own/den
	}
}

// at returns ln(B/X) at a share of the time, by its root of the grid's power.
func (b *boundary) at(z float64) float64 {
	h := 0.0
	for k, v := range b.grid.appendRow(make([]float64, 0, b.grid.nodes), z) {
		h += v * b.h[k]
	}
	return math.Sqrt(max(h, 0))
}

// apart returns ln(upper/lower) at a root of the share of the time.
func (q *boundaryPair) apart(z float64) float64 {
	return math.Log(q.upper.limit/q.lower.limit) - q.upper.at(z) - q.lower.at(z)
}

// closing returns how much nearer the boundaries come per share of the time, at its end.
func (q *boundaryPair) closing() float64 {
	if q == nil {
		return math.NaN()
	}
	const back = 0.03
	return (q.apart(math.Pow(1-back, 1/q.upper.grid.power)) - q.apart(1)) / back
}

// meet returns the share of the time at which the boundaries meet, 1 if they do not.
func (q *boundaryPair) meet() float64 {
	if q.apart(1) > 0 {
		return 1
	}
	low, high := 0.0, 1.0
	for range 60 {
		if z := 0.5 * (low + high); q.apart(z) > 0 {
			low = z
		} else {
			high = z
		}
	}
	return math.Pow(low, q.upper.grid.power)
}

// exercised reports whether a spot lies between the boundaries now.
func (q *boundaryPair) exercised(spot float64) bool {
	return q.until == q.put.Years && spot <= q.upper.now() && spot >= q.lower.limit*math.Exp(math.Sqrt(q.lower.h[0]))
}

// value is the European value and what exercising between the boundaries earns.
func (q *boundaryPair) value(spot float64) float64 {
	p := q.put
	p.Spot = spot
	f := &q.upper.grid.final
	n := q.upper.grid.nodes
	up, down := math.Log(spot/q.upper.limit), math.Log(spot/q.lower.limit)
	sum := 0.0
	for j := range f.points {
		hu, hl := 0.0, 0.0
		for k, v := range f.matrix[j*n:][:n] {
			hu += v * q.upper.h[k]
			hl += v * q.lower.h[k]
		}
		t := p.Years - q.until*f.share[j]
		v := p.Vol * math.Sqrt(t)
		drift := (p.Rate-p.Yield)*t + 0.5*v*v
		du := (up + math.Sqrt(max(hu, 0)) + drift) / v
		dl := (down - math.Sqrt(max(hl, 0)) + drift) / v
		sum += f.weight[j] * (p.Rate*p.Strike*expSum(-p.Rate*t, 0)*between(dl-v, du-v) - p.Yield*spot*expSum(-p.Yield*t, 0)*between(dl, du))
	}
	return p.price(Put) + q.until*sum
}

// between returns Φ(a) - Φ(b), by the tails on the side where they are small.
func between(a, b float64) float64 {
	if a+b > 0 {
		return cdf(-b) - cdf(-a)
	}
	return cdf(a) - cdf(b)
}

// newBoundaryPairFor solves at an accuracy, each grid from the solution on the one
// before: most of the work is to find where the boundaries meet, which few nodes tell
// already. For 1e-8 it goes on until two grids agree at the spot.
func newBoundaryPairFor(put BSM, a Accuracy) *boundaryPair {
	grids := []*americanGrid{grid1e6(), grid1e6b(), grid1e8b(), grid1e8c(), grid1e10()}
	switch {
	case a == Accuracy1e4:
		grids = grids[:1]
	case a == Accuracy1e8:
		grids = grids[:4]
	case a == Accuracy1e10:
	case put.hard():
		grids = grids[:3]
	default:
		grids = grids[:2]
	}
	var last *boundaryPair
	v := math.NaN()
	for i, g := range grids {
		pair := newBoundaryPair(put, g, last)
		if pair == nil && last != nil {
			pair = newBoundaryPair(put, g, nil)
		}
		if pair == nil { // few nodes have a solution when many have none
			continue
		}
		last = pair
		if a != Accuracy1e8 {
			continue
		}
		was := v
		if v = pair.price(put.Spot); math.Abs(v-was) <= pairAgreement[i]*v {
			break
		}
	}
	if last == nil {
		return &boundaryPair{put: put} // without boundaries
	}
	return last
}

// pairAgreement is how far a grid may lie from the one before to be within 1e-8.
var pairAgreement = [...]float64{0, 1e-8, 2e-9, 2e-9}

// price is the value at a spot, where exercising now may be worth more. Without
// boundaries it comes from finite differences, exact to 1e-7 or so.
func (q *boundaryPair) price(spot float64) float64 {
	p := q.put
	p.Spot = spot
	floor := max(p.certainAmerican(), p.price(Put)) // by Jensen's inequality
	v := 0.0
	switch {
	case q.upper == nil:
		v = gridValueOn(p, Put, nil, SpotModel, true, 500, 250)
	case q.exercised(spot):
		return floor
	default:
		v = q.value(spot)
	}
	if v > floor && v <= p.Strike*math.Exp(-p.Rate*p.Years) {
		return v
	}
	return floor
}
