package options

import "math"

const (
	sqrt2Pi    = 2.50662827463100050242 // √(2π)
	invSqrt2Pi = 0.39894228040143267794 // 1/√(2π)
)

// mills returns, for z ≥ 0, Mills' ratio and the integral next to it,
//
//	M(z) = Φ(-z)/φ(z) = ∫ exp(-zt - t²/2) dt
//	I(z) = 1 - z·M(z) = ∫ t·exp(-zt - t²/2) dt    both over t from 0 to ∞
//
// each to about 1e-16 relative: no tail of the normal distribution is lost,
// because the density φ is left out, and I does not suffer the cancellation
// that its first form shows for large z. Both are smooth and bounded in
// t = z/(z+2) once multiplied by z+2 and its square.
func mills(z float64) (m, i float64) {
	if !(z <= 1e16) { // 1/z to full precision; NaN stays NaN
		return 1 / z, 1 / (z * z)
	}
	const cells = len(millsTable)
	q := 1 / (z + 2)
	t := z * q * float64(cells)
	cell := min(int(t), cells-1)
	u := t - (float64(cell) + 0.5)
	a, b := &millsTable[cell][0], &millsTable[cell][1]
	u2 := u * u
	u4 := u2 * u2
	m = a[0] + (u*a[1] + u2*((a[2]+u*a[3])+u2*(a[4]+u*a[5])) + u4*u2*((a[6]+u*a[7])+u2*a[8]))
	i = b[0] + (u*b[1] + u2*((b[2]+u*b[3])+u2*(b[4]+u*b[5])) + u4*u2*((b[6]+u*b[7])+u2*b[8]))
	return m * q, i * q * q
}

// density returns φ(z) = exp(-z²/2)/√(2π). The square is taken exactly, in two
// parts: for z = 37 its rounding error alone would cost 600 ulp.
func density(z float64) float64 {
	sq := z * z
	if sq > 1500 { // φ is below the smallest number; and no Inf-Inf below
		return 0
	}
	low := math.FMA(z, z, -sq)
	return math.Exp(-0.5*sq) * (1 - 0.5*low) * invSqrt2Pi
}

// cdf returns Φ(z), the standard normal distribution function, with full
// relative precision in the lower tail.
func cdf(z float64) float64 {
	if z < 0 {
		m, _ := mills(-z)
		return density(z) * m
	}
	m, _ := mills(z)
	return 1 - density(z)*m
}
