package options

import (
	"math"

	"gonum.org/v1/gonum/integrate/quad"
)

// americanGrid has what depends on the accuracy alone. Time to expiry is
// τ = T·z^power with z in [0, 1]; the boundary is known at Chebyshev's points
// in z, and integrals over u from 0 to τ are taken in y with u = τ·(1-y²)^power:
// that makes both the root in τ-u and the singularity of the boundary at u = 0
// smooth, and puts the nodes at z·(1-y²), the same ones for every option.
type americanGrid struct {
	power       float64
	nodes       int       // of the boundary, without z = 0 where it is known
	points      int       // of each integral
	iterations  int       // at most
	tolerance   float64   // of the relative change of the boundary
	z           []float64 // the nodes, falling from 1
	zp          []float64 // z^power
	root        []float64 // √(1-(1-y²)^power) at the points
	share       []float64 // (1-y²)^power
	inverseRoot []float64
	weight      []float64 // of the points, du = τ·weight
	matrix      []float64 // nodes × points × nodes: interpolation from the nodes
	final       americanRule
	near        americanRule // the same for spots next to the boundary, if there are points
}

// americanRule is the last integral, from z = 1.
type americanRule struct {
	points              int
	root, share, weight []float64
	matrix              []float64 // points × nodes
}

func newAmericanGrid(power float64, nodes, points, finalPoints, iterations int, tolerance float64) *americanGrid {
	g := &americanGrid{power: power, nodes: nodes, points: points, iterations: iterations, tolerance: tolerance}
	for i := range nodes {
		c := math.Cos(0.5 * math.Pi * float64(i) / float64(nodes))
		g.z = append(g.z, c*c)
		g.zp = append(g.zp, math.Pow(c*c, power))
	}
	y, w := legendre(points)
	for j := range points {
		root, share, weight := powerPoint(power, y[j], w[j])
		g.root, g.share, g.weight = append(g.root, root), append(g.share, share), append(g.weight, weight)
		g.inverseRoot = append(g.inverseRoot, 1/root)
	}
	for i := range nodes {
		for j := range points {
			g.matrix = g.appendRow(g.matrix, g.z[i]*(1-y[j]*y[j]))
		}
	}
	g.final = g.rule(finalPoints)
	return g
}

// rule makes the last integral with so many points.
func (g *americanGrid) rule(points int) americanRule {
	f := americanRule{points: points}
	y, w := legendre(points)
	for j := range points {
		root, share, weight := powerPoint(g.power, y[j], w[j])
		f.root, f.share, f.weight = append(f.root, root), append(f.share, share), append(f.weight, weight)
		f.matrix = g.appendRow(f.matrix, 1-y[j]*y[j])
	}
	return f
}

// withNear adds a finer last integral for spots next to the boundary.
func (g *americanGrid) withNear(points int) *americanGrid {
	g.near = g.rule(points)
	return g
}

func legendre(n int) (y, w []float64) {
	y, w = make([]float64, n), make([]float64, n)
	quad.Legendre{}.FixedLocations(y, w, 0, 1)
	return y, w
}

func powerPoint(power, y, w float64) (root, share, weight float64) {
	c := 1 - y*y
	share = math.Pow(c, power)
	return math.Sqrt(-math.Expm1(power * math.Log1p(-y*y))), share, w * power * share / c * 2 * y
}

// appendRow appends the barycentric interpolation at z from Chebyshev's points;
// the value at z = 0 is 0.
func (g *americanGrid) appendRow(rows []float64, z float64) []float64 {
	start := len(rows)
	sum := 0.0
	for i := 0; i <= g.nodes; i++ {
		d := z
		if i < g.nodes {
			d -= g.z[i]
		}
		if d == 0 {
			rows = append(rows[:start], make([]float64, g.nodes)...)
			if i < g.nodes {
				rows[start+i] = 1
			}
			return rows
		}
		w := 1 / d
		if i&1 == 1 {
			w = -w
		}
		if i == 0 || i == g.nodes {
			w *= 0.5
		}
		sum += w
		if i < g.nodes {
			rows = append(rows, w)
		}
	}
	for i := start; i < len(rows); i++ {
		rows[i] /= sum
	}
	return rows
}
