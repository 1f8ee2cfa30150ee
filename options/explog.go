package options

import "math"

// The kernels of this file exist for speed: the library's Exp and Log take
// most of the time of a price, and its Log of a rounded quotient loses digits
// near 1. Both follow Tang's table-driven method (ACM Transactions on
// Mathematical Software 15, 1989, and 16, 1990).

const (
	ln2High       = 0.6931471805598903 // 42 bits
	ln2Low        = 5.497923018708371e-14
	ln2Over128Hi  = 0.0054152123475432745 // 40 bits after the point
	ln2Over128Lo  = 5.812982117197185e-13
	ln2Over128Inv = 184.6649652337873
	roundMagic    = 0x1.8p52 // adding it rounds to an integer in the low bits
)

// expSum returns exp(y+low) for |low| far below 1, to 0.52 ulp: 2^(n/128) from
// the table, times exp(r) with |r| ≤ ln(2)/256. It is 0 below the smallest
// number, +Inf above the largest and NaN for NaN.
func expSum(y, low float64) float64 {
	if !(y > -700 && y < 700) {
		return math.Exp(y) * (1 + low)
	}
	shifted := y*ln2Over128Inv + roundMagic
	n := math.Float64bits(shifted)
	nf := shifted - roundMagic
	r := (y - nf*ln2Over128Hi) + (low - nf*ln2Over128Lo)
	r2 := r * r
	p := r + r2*((0.5+r*(1.0/6))+r2*(1.0/24+r*(1.0/120)))
	row := &expTable[n&127]
	v := row[0] + (row[1] + row[0]*p)
	// n>>7 is the power of two; its low 12 bits are right modulo 4096.
	return math.Float64frombits(math.Float64bits(v) + n>>7<<52)
}

// logRatio returns ln(a/b) for positive a and b to about 1 ulp, without losing
// the small ones: near 1 the quotient is rounded before its logarithm is taken,
// so the remainder of the division is added.
func logRatio(a, b float64) float64 {
	if !(a > 0x1p-500 && a < 0x1p500 && b > 0x1p-500 && b < 0x1p500) {
		return logRatioExtreme(a, b)
	}
	const first = 0x3fe6000000000000 // 0.6875, the first of logTable
	inverse := 1 / b
	q := a * inverse
	lost := math.FMA(-q, b, a) * inverse
	bits := math.Float64bits(q)
	place := bits + 1<<44 - first
	row := &logTable[place>>45&127]
	exponent := int64(place) >> 52
	m := math.Float64frombits(bits - uint64(exponent)<<52)
	lost *= math.Float64frombits(uint64(1023-exponent) << 52)
	r := math.FMA(m, row[0], -1)
	ef := float64(exponent)
	big := ef*ln2High + row[1]
	small := ef*ln2Low + row[2] + lost*row[0]
	r2 := r * r
	p := (-0.5 + r*(1.0/3)) + r2*((-0.25+r*0.2)+r2*(-1.0/6+r*(1.0/7)))
	return big + (r + (r2*p + small))
}

func logRatioExtreme(a, b float64) float64 {
	if a < b {
		return -logRatioExtreme(b, a)
	}
	if d := a - b; d < 0.5*b { // d is exact
		return math.Log1p(d / b)
	}
	if r := a / b; r < math.MaxFloat64 {
		return math.Log(r)
	}
	return math.Log(a) - math.Log(b)
}
