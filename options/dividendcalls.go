package options

import (
	"math"
	"slices"
)

// Calls that are exercised just before an ex-date if at all need no time steps. What
// early exercise adds is, from one ex-date to the one before, a mean over the normal
// distribution: on a grid in ln(spot) a sum with weights that depend on the distance
// alone, which is all but exact once the kinks are seen to at which exercise begins.

// atExDates fills a sheet of such calls.
func (g *dividendSheet) atExDates() {
	var worth []int
	for d := range g.payments {
		if g.worthExercising(d) {
			worth = append(worth, d)
		}
	}
	for i, d := range worth {
		years := g.payments[d].Years
		if i+1 < len(worth) {
			years -= g.payments[worth[i+1]].Years
		}
		g.gains(d)
		if g.terms.Vol*math.Sqrt(years) < narrowWidth*g.dx {
			g.carryNear(years)
		} else {
			g.carryFar(d, years, i == len(worth)-1)
		}
	}
	for i, european := range g.europeans(g.terms.Years) {
		g.v[i][0] = european
	}
}

// narrowWidth is the least deviation, in steps of the grid, that a sum over it is a
// mean for.
const narrowWidth = 0.8

// worthExercising reports that a dividend is above what a strike earns until the next
// ex-date, or expiry: without that a call is held.
func (g *dividendSheet) worthExercising(d int) bool {
	next := g.terms.Years
	if d > 0 {
		next = g.payments[d-1].Years
	}
	earned := -math.Expm1(-g.terms.Rate * (next - g.payments[d].Years))
	return slices.Max(g.shares[d][1:]) > earned
}

// gains works out what exercising just before an ex-date gains.
func (g *dividendSheet) gains(d int) {
	tau := g.terms.Years - g.payments[d].Years
	var gives sheetRow
	g.escrow(tau, d, &gives)
	for l := range gives {
		gives[l] += g.shares[d][l] - 1
	}
	for i, european := range g.europeans(tau) {
		now := g.spot[i] - european
		v, gain := &g.v[i], &g.rest[i]
		for l := range gain {
			gain[l] = now + gives[l] - v[l]
		}
	}
}

// carryFar takes the values, with what exercise gains, to a time earlier by more than
// a step of the grid is wide; if it is now, only where they are asked for.
func (g *dividendSheet) carryFar(d int, years float64, now bool) {
	n := len(g.v)
	first := n // of the nodes counted from the end, whose values are above zero
	for i := range n {
		v, gain := &g.v[i], &g.rest[i]
		total := 0.0
		for l := 1; l < sheetLanes; l++ {
			if gain[l] > 0 {
				v[l] += gain[l]
			}
			total += v[l]
		}
		if total > 1e-12 {
			first = i
		}
	}
	for i := 1; i < n-2; i++ {
		a, b := &g.rest[i], &g.rest[i+1]
		for l := 1; l < sheetLanes; l++ {
			if (a[l] > 0) == (b[l] > 0) {
				continue
			}
			// Another kink may be next to this one: the lesser of the second differences.
			bend, other := g.rest[i-1][l]-2*a[l]+b[l], a[l]-2*b[l]+g.rest[i+2][l]
			if math.Abs(other) < math.Abs(bend) {
				bend = other
			}
			if b[l] > 0 {
				here, next := kinkWeights(b[l], a[l], bend)
				g.v[i+1][l] += here
				g.v[i][l] += next
			} else {
				here, next := kinkWeights(a[l], b[l], bend)
				g.v[i][l] += here
				g.v[i+1][l] += next
			}
			first = max(first, i+1)
		}
	}
	p := &g.terms
	if bend := g.bendSampled(d); bend > 0 {
		for l := 1; l < sheetLanes; l++ {
			if g.rest[g.middle][l] > 0 {
				g.v[g.middle][l] -= bend
			}
		}
	}
	dev := p.Vol * math.Sqrt(years) / g.dx
	drift := (p.Rate - p.Yield - 0.5*p.Vol*p.Vol) * years / g.dx
	reach := int(math.Ceil(5.5*dev + math.Abs(drift)))
	weights := make([]float64, 2*reach+1) // of the nodes away by so many steps
	discount := math.Exp(-p.Rate*years) / dev
	for m := range weights {
		weights[m] = discount * density((drift+float64(m-reach))/dev)
	}
	first = min(first, n-1)
	begin, end := 0, n-1
	if now {
		begin, end = g.begins, g.ends
	}
	for i := begin; i <= end; i++ {
		from, to := i-reach, min(i+reach, first)
		beyond := 0.0 // the grid, where values hardly change
		for j := from; j < 0; j++ {
			beyond += weights[j-from]
		}
		var sum sheetRow
		if from = max(from, 0); from <= to {
			sum = weighted(weights[from-i+reach:], g.v[from:to+1])
		}
		if beyond > 0 {
			for l, v := range g.v[0] {
				sum[l] += beyond * v
			}
		}
		g.rest[i] = sum
	}
	g.v, g.rest = g.rest, g.v
}

// kinkWeights returns what to add, at a node with a gain and at the next without one,
// to a sum over the nodes that stands for the integral from the kink between them on:
// the first two terms of Euler's and Maclaurin's formula for a sum that begins off the
// nodes. Bend is the gain's second difference.
func kinkWeights(gain, none, bend float64) (here, next float64) {
	away := gain / (gain - none) // of the kink from the node, in steps
	slope := gain - none
	for range 2 {
		value := gain - (gain-none)*away - 0.5*bend*away*(1-away)
		slope = gain - none + 0.5*bend*(1-2*away)
		away = max(0, min(away+value/slope, 1))
	}
	second := away*away - away + 1.0/6 // Bernoulli's polynomials
	third := away * (away - 0.5) * (away - 1)
	level, tilt := 0.5*second*slope+third*bend/6, third*slope/3
	return tilt + level*(1-away), level*away - tilt
}

// weighted is the sum of rows by their weights, in one variable a lane: those stay in
// the processor's registers.
func weighted(weights []float64, rows []sheetRow) sheetRow {
	var a, b, c, d, e, f, g float64
	for i, w := range weights[:len(rows)] {
		row := &rows[i]
		a += w * row[1]
		b += w * row[2]
		c += w * row[3]
		d += w * row[4]
		e += w * row[5]
		f += w * row[6]
		g += w * row[7]
	}
	return sheetRow{0, a, b, c, d, e, f, g}
}

// bendSampled is what a sum over the nodes gives more than the integral of a call
// shortly before expiry, which bends within a step next to the middle: the terms of
// its Fourier series that the grid takes for others.
func (g *dividendSheet) bendSampled(d int) float64 {
	dev := g.terms.Vol * math.Sqrt(g.terms.Years-g.payments[d].Years) / g.dx
	sum := 0.0
	for m := 1.0; m <= 60; m++ {
		square := 2 * math.Pi * math.Pi * m * m
		if square*dev*dev > 30 {
			break
		}
		sum += math.Exp(-square*dev*dev) / square
	}
	return sum * g.dx
}

// carryNear does it for a time in which the spot moves less: by the derivatives, and
// the normal mean of a line that is cut off at a kink.
func (g *dividendSheet) carryNear(years float64) {
	p := &g.terms
	n := len(g.v)
	dev := p.Vol * math.Sqrt(years) / g.dx
	drift := -(p.Rate - p.Yield - 0.5*p.Vol*p.Vol) * years / g.dx // nodes fall in the spot
	square := 0.5 * (dev*dev + drift*drift)
	discount := math.Exp(-p.Rate * years)
	out := make([]sheetRow, n)
	for i := range out {
		at := max(1, min(i, n-2))
		for l := 1; l < sheetLanes; l++ {
			mean := func(rows []sheetRow) (m, slope float64) {
				slope = 0.5 * (rows[at+1][l] - rows[at-1][l])
				bend := rows[at+1][l] - 2*rows[at][l] + rows[at-1][l]
				return rows[i][l] + drift*slope + square*bend, slope
			}
			v, _ := mean(g.v)
			gain, slope := mean(g.rest)
			if spread := math.Abs(slope) * dev; spread > 0 {
				value, pdf := cdfDensity(gain / spread)
				v += gain*value + spread*pdf
			} else {
				v += max(gain, 0)
			}
			out[i][l] = discount * v
		}
	}
	g.v = out
}
