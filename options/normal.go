package options

import (
	"math"
	"sync"
)

// The normal distribution for sums of many: a Taylor series of Φ at even points.
// Its error is 4e-14, which is all that a sum of terms of the size of 1 needs, and
// 1e-7 of itself where Φ is less; the tails of [cdf] are relatively exact.
const (
	normalReach = 9 // Φ(-9) is 1e-19
	normalSteps = 16
	normalCells = 2*normalReach*normalSteps + 1
	normalMagic = roundMagic + normalReach*normalSteps
)

// normalTable has the coefficients of the series in z of a cell a row, up to the
// sixth power, and its middle.
type normalTable [normalCells][8]float64

var normalValues = sync.OnceValue(func() *normalTable {
	var t normalTable
	for i := range t {
		a := float64(i)/normalSteps - normalReach
		value, pdf := cdfDensity(a)
		// The derivatives of φ are φ times Hermite's polynomials, with turning signs.
		last, here, factorial := 0.0, pdf, 1.0
		t[i][0], t[i][7] = value, a
		for n := 1; n < 7; n++ {
			factorial *= float64(n)
			t[i][n] = here / factorial
			last, here = here, -a*here-float64(n-1)*last
		}
	}
	return &t
})

// at returns Φ(z), and φ(z) to 1e-6.
func (t *normalTable) at(z float64) (value, pdf float64) {
	if !(z > -normalReach && z < normalReach) {
		if z > 0 {
			return 1, 0
		}
		return 0, 0
	}
	c := &t[math.Float64bits(z*normalSteps+normalMagic)&511]
	u := z - c[7]
	u2 := u * u
	c23 := c[2] + u*c[3]
	value = (c[0] + u*c[1]) + u2*(c23+u2*((c[4]+u*c[5])+u2*c[6]))
	return value, (c[1] + u*c[2]) + u*(c23+u*(2*c[3]+4*u*c[4]))
}

// tail returns Φ(-z) to 1e-7 of itself, and 0 below 1e-43.
func (t *normalTable) tail(z float64) float64 {
	if z >= normalReach {
		if z > 14 {
			return 0
		}
		return cdf(-z)
	}
	value, _ := t.at(-z)
	return value
}
