package options

import (
	"math"
	"sync"
)

// sheetStrikes is how many strikes are valued side by side.
const sheetStrikes = sheetLanes - 1

// A strikeBand is the strikes of a sheet, by their logarithm at Chebyshev's points.
type strikeBand struct {
	low, high   float64    // ln(strike)
	least, most float64    // that it is asked for
	shares      []sheetRow // what the payments are of the strikes
}

const (
	bandWidth = 1.1
	mostBands = 4
)

func newStrikeBand(low, high float64, payments []Dividend) strikeBand {
	b := strikeBand{low: low, high: high, least: low, most: high, shares: make([]sheetRow, len(payments))}
	for l, node := range chebyshevRules()[sheetStrikes].nodes {
		strike := math.Exp(0.5*(low+high) + 0.5*(high-low)*node)
		for i, payment := range payments {
			b.shares[i][l+1] = payment.Cash / strike
		}
	}
	return b
}

// strikeWeights are the weights of a band's strikes at another, 0 for the European.
type strikeWeights sheetRow

// weights also returns the lane below the strike, and how far beyond it that is in
// shares of the way to the next.
func (b *strikeBand) weights(lnStrike float64) (w strikeWeights, below int, share float64) {
	y := (2*lnStrike - b.low - b.high) / (b.high - b.low)
	y = max(-1, min(y, 1))
	nodes := chebyshevRules()[sheetStrikes].nodes
	for below = 1; below < sheetStrikes-1 && y > nodes[below]; below++ {
	}
	share = (y - nodes[below-1]) / (nodes[below] - nodes[below-1])
	sum, weight := 0.0, 0.5
	for l, node := range nodes {
		away := y - node
		if away == 0 {
			w = strikeWeights{}
			w[l+1] = 1
			return w, below, share
		}
		if l == sheetStrikes-1 {
			weight *= 0.5
		}
		w[l+1] = weight / away
		sum += w[l+1]
		if weight = -1; l&1 == 1 {
			weight = 1
		}
	}
	sum = 1 / sum
	for l := range w {
		w[l] *= sum
	}
	return w, below, share
}

func (w *strikeWeights) of(row *sheetRow) float64 {
	return (w[1]*row[1] + w[2]*row[2] + w[3]*row[3]) + (w[4]*row[4] + w[5]*row[5]) + (w[6]*row[6] + w[7]*row[7])
}

// cubicWeights are those of Lagrange's cubic through -1, 0, 1 and 2 at u; cubicSlopes
// and cubicBends give its derivatives.
func cubicWeights(u float64) [4]float64 {
	return [4]float64{-u * (u - 1) * (u - 2) * (1.0 / 6), (u + 1) * (u - 1) * (u - 2) * 0.5, -(u + 1) * u * (u - 2) * 0.5, (u + 1) * u * (u - 1) * (1.0 / 6)}
}

func cubicSlopes(u float64) [4]float64 {
	s := u * u
	return [4]float64{-0.5*s + u - 1.0/3, 1.5*s - 2*u - 0.5, -1.5*s + u + 1, 0.5*s - 1.0/6}
}

func cubicBends(u float64) [4]float64 {
	return [4]float64{1 - u, 3*u - 2, 1 - 3*u, u}
}

// A monomialRule turns values at Chebyshev's points into the coefficients of the
// polynomial through them, by powers.
type monomialRule struct {
	n      int
	matrix [dividendVols][dividendVols]float64
}

var monomialRules = sync.OnceValue(func() *[dividendVols + 1]monomialRule {
	var rules [dividendVols + 1]monomialRule
	for n := 2; n < len(rules); n++ {
		r, nodes := &rules[n], chebyshevRules()[n].nodes
		r.n = n
		for i, x := range nodes {
			// The product of (w - y)/(x - y) over the other nodes y.
			product := make([]float64, 1, n)
			product[0] = 1
			for j, y := range nodes {
				if j == i {
					continue
				}
				product = append(product, 0)
				for m := len(product) - 1; m >= 0; m-- {
					product[m] *= -y
					if m > 0 {
						product[m] += product[m-1]
					}
				}
				for m := range product {
					product[m] /= x - y
				}
			}
			for m, a := range product {
				r.matrix[m][i] = a
			}
		}
	}
	return &rules
})

func (r *monomialRule) coefficients(values, dst *[dividendVols]float64) {
	for m := range r.n {
		row, sum := &r.matrix[m], 0.0
		for i := range r.n {
			sum += row[i] * values[i]
		}
		dst[m] = sum
	}
}
