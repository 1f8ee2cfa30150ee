package options

import "math"

const (
	sqrt2Pi    = 2.50662827463100050242 // √(2π)
	invSqrt2Pi = 0.39894228040143267794 // 1/√(2π)
)

// mills returns Mills' ratio for z ≥ -1,
//
//	M(z) = Φ(-z)/φ(z) = ∫ exp(-zt - t²/2) dt over t from 0 to ∞
//
// to about 1e-16 relative: no tail of the normal distribution is lost, because
// the density φ is left out.
func mills(z float64) float64 {
	if !(z < 62) {
		return millsFar(z)
	}
	row, middle := millsCell(z)
	return row[0] + millsLow(row, z-middle)
}

// millsFar is the asymptotic series of M, for z ≥ 62.
func millsFar(z float64) float64 {
	r := 1 / z
	y := r * r
	return r * (1 - y*(1-y*(3-y*(15-y*(105-y*945)))))
}

// millsCell returns the polynomial of the cell that -1 ≤ z < 62 lies in, and
// its middle.
func millsCell(z float64) (row *[10]float64, middle float64) {
	bits := math.Float64bits(z + 2)
	middle = math.Float64frombits(bits&^(1<<46-1)|1<<45) - 2
	return &millsTable[(bits>>46)-1023<<6], middle
}

// millsLow returns the polynomial without the high part of its constant.
func millsLow(row *[10]float64, u float64) float64 {
	u2 := u * u
	p := (row[2] + u*row[3]) + u2*(row[4]+u*row[5]) + u2*u2*((row[6]+u*row[7])+u2*(row[8]+u*row[9]))
	return row[1] + u*p
}

// millsDifference returns M(h-s/2) - M(h+s/2), M(h-s/2) and M(h+s/2) for
// s ≥ 0 and h-s/2 ≥ -1, all relatively exact: the polynomials are subtracted
// term by term. What is left of the constants and the linear terms is exact or
// nearly so, and the rounding of the higher ones is small next to s, since cells
// are narrow. To have the same constants for arguments close to each other, the
// polynomial around h serves both. Only for s far below a cell's width is the
// difference of the higher terms worth more care.
func millsDifference(h, s float64) (d, ma, mb float64) {
	t := 0.5 * s
	a, b := h-t, h+t
	if !(b < 62) {
		ma, mb = mills(a), millsFar(b)
		return ma - mb, ma, mb
	}
	ca, cb, ch := math.Float64bits(a+2), math.Float64bits(b+2), math.Float64bits(h+2)
	width := math.Float64frombits(ch&^(1<<52-1)) * (1.0 / 64)
	// All ones where s is above half a width: a jump here would be guessed wrong
	// half of the time, at the end of a long chain.
	apart := uint64(int64(math.Float64bits(0.5*width-s)) >> 63)
	ca, cb = ch^(ca^ch)&apart, ch^(cb^ch)&apart
	if s < 0.25*width*width {
		return millsDifferenceNear(h, s)
	}
	const half = 1 << 45
	middleA := math.Float64frombits(ca&^(2*half-1)|half) - 2
	middleB := math.Float64frombits(cb&^(2*half-1)|half) - 2
	// The distances from the middles are rounded only relative to themselves
	// and t, unlike a and b.
	ua, ub := (h-middleA)-t, (h-middleB)+t
	ra, rb := &millsTable[(ca>>46)-1023<<6], &millsTable[(cb>>46)-1023<<6]
	u2 := ua * ua
	pa := u2 * (((ra[3] + ua*ra[4]) + u2*(ra[5]+ua*ra[6])) + u2*u2*((ra[7]+ua*ra[8])+u2*ra[9]))
	u2 = ub * ub
	pb := u2 * (((rb[3] + ub*rb[4]) + u2*(rb[5]+ub*rb[6])) + u2*u2*((rb[7]+ub*rb[8])+u2*rb[9]))
	linear := ra[2]*((middleB-middleA)-s) + (ra[2]-rb[2])*ub
	d = (ra[0] - rb[0]) + (linear + ((ra[1] - rb[1]) + (pa - pb)))
	return d, ra[0] + (ua*ra[2] + pa), rb[0] + (ub*rb[2] + pb)
}

// millsDifferenceNear is millsDifference for a small s: s times the divided
// difference of one cell's polynomial, which Horner's scheme at one argument,
// run through Horner's scheme at the other, gives without any cancellation.
func millsDifferenceNear(h, s float64) (d, ma, mb float64) {
	row, middle := millsCell(h)
	ua, ub := (h-middle)-0.5*s, (h-middle)+0.5*s
	q := row[9]
	p := q
	for k := 8; k >= 2; k-- {
		q = row[k] + ua*q
		p = q + ub*p
	}
	ma = row[0] + (row[1] + ua*q)
	d = -s * p
	return d, ma, ma - d
}

// density returns φ(z) = exp(-z²/2)/√(2π). The square is taken exactly, in two
// parts: for z = 37 its rounding error alone would cost 600 ulp.
func density(z float64) float64 {
	sq := z * z
	if !(sq < 1500) { // φ is below the smallest number; and no Inf-Inf below
		if sq >= 1500 {
			return 0
		}
		return sq
	}
	low := math.FMA(z, z, -sq)
	return expSum(-0.5*sq, -0.5*low) * invSqrt2Pi
}

// cdfDensity returns Φ(z), as cdf, and φ(z).
func cdfDensity(z float64) (p, f float64) {
	if math.Abs(z) < 37 {
		f = normalDensity(z)
	} else {
		f = density(z)
	}
	if z < 1 {
		return f * mills(-z), f
	}
	return 1 - f*mills(z), f
}

// cdf returns Φ(z), the standard normal distribution function, with full
// relative precision in the lower tail.
func cdf(z float64) float64 {
	p, _ := cdfDensity(z)
	return p
}
