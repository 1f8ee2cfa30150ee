package options

import "math"

// black evaluates an out-of-the-money option on the cheaper of two things: lo
// and hi are the present values that change hands (spot without its yield,
// discounted strike) in ascending order, x = ln(hi/lo) ≥ 0 and 0 < s ≤ +Inf is
// vol·√years. Calls and puts are the same in these terms. With h = x/s,
// a = h-s/2 and b = h+s/2,
//
//	value/lo = Φ(-a) - exp(x)·Φ(-b) = φ(a)·[M(a) - M(b)]
//
// since lo·φ(a) = hi·φ(b). It returns f = φ(a), which is the derivative of
// value/lo by s; value and rest, value/lo and 1 - value/lo, each relatively
// exact; tail = Φ(-a) and body = Φ(a), and mb = M(b) = Φ(-b)/φ(b).
//
// It is free of cancellation: well past the inflection (a < -1) the rest is a
// sum, φ(a)·[M(-a) + M(b)].
func black(x, s float64) (f, value, rest, tail, body, mb float64) {
	h := x / s
	a := h - 0.5*s
	if !(a >= -1) {
		f = density(a)
		ma, mb := mills(-a), mills(h+0.5*s)
		rest := f * (ma + mb)
		return f, 1 - rest, rest, 1 - f*ma, f * ma, mb
	}
	if a > 37 { // the density is small or nothing, and no number stays normal
		f = density(a)
	} else {
		f = normalDensity(a)
	}
	d, ma, mb := millsDifference(h, s)
	value = f * d
	tail = f * ma
	return f, value, 1 - value, tail, 1 - tail, mb
}

// blackValue returns the value of [black] alone.
func blackValue(x, s float64) float64 {
	h := x / s
	a := h - 0.5*s
	if !(a >= -1 && a <= 37) {
		_, value, _, _, _, _ := black(x, s)
		return value
	}
	d, _, _ := millsDifference(h, s)
	return normalDensity(a) * d
}

// normalDensity is [density] where no number is subnormal, |z| ≤ 37: expSum
// is spelled out in it.
func normalDensity(z float64) float64 {
	sq := z * z
	low := math.FMA(z, z, -sq)
	shifted := sq*(-0.5*ln2Over128Inv) + roundMagic
	n := math.Float64bits(shifted)
	nf := shifted - roundMagic
	r := (-0.5*sq - nf*ln2Over128Hi) - (0.5*low + nf*ln2Over128Lo)
	r2 := r * r
	p := r + r2*((0.5+r*(1.0/6))+r2*(1.0/24+r*(1.0/120)))
	row := &expTable[n&127]
	v := row[0] + (row[1] + row[0]*p)
	return math.Float64frombits(math.Float64bits(v)+n>>7<<52) * invSqrt2Pi
}
