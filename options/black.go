package options

import "math"

// black is an out-of-the-money option on the cheaper of two things: lo and hi
// are the present values that change hands (spot without its yield, discounted
// strike) in ascending order, x = ln(hi/lo) ≥ 0, s = vol·√years > 0. Calls and
// puts are the same in these terms. With h = x/s,
//
//	value/lo = Φ(s/2-h) - exp(x)·Φ(-s/2-h)
//	         = φ(h-s/2)·[M(h-s/2) - M(h+s/2)]
//
// since lo·φ(h-s/2) = hi·φ(h+s/2).
type black struct {
	a       float64 // h - s/2, minus the upper d
	density float64 // φ(a): the derivative of value/lo by s
	value   float64 // value/lo
	rest    float64 // 1 - value/lo, as precise as value
}

// newBlack evaluates for x ≥ 0 and 0 ≤ s ≤ +Inf. It is free of cancellation:
//   - for small s the difference of Mills' ratios is its series about h,
//     2·Σ (s/2)^k/k!·∫ t^k exp(-ht-t²/2) dt over odd k, whose terms are positive;
//   - past the inflection (a < 0) value = 1 - rest, and rest is a sum:
//     φ(a)·[M(-a) + M(a+s)].
func newBlack(x, s float64) black {
	h := x / s
	a, b := h-0.5*s, h+0.5*s
	if s == 0 || a > 39 { // nothing, or below the smallest number
		return black{a: a, value: 0, rest: 1}
	}
	f := density(a)
	if s < 1.25 && x < 2 {
		v := f * millsDifference(h, s)
		return black{a: a, density: f, value: v, rest: 1 - v}
	}
	mb, _ := mills(b)
	if a < 0 {
		ma, _ := mills(-a)
		rest := f * (ma + mb)
		return black{a: a, density: f, value: 1 - rest, rest: rest}
	}
	ma, _ := mills(a)
	v := f * (ma - mb)
	return black{a: a, density: f, value: v, rest: 1 - v}
}

// millsDifference returns M(h-s/2) - M(h+s/2) by its series. The integrals
// follow from one another, J(k+1) = k·J(k-1) - h·J(k); what that loses grows
// like sinh(hs/2)/(hs/2), nothing to speak of while h·s < 2.
func millsDifference(h, s float64) float64 {
	even, odd := mills(h)
	half := 0.5 * s
	half2 := half * half
	weight := s // 2·(s/2)^k/k!
	sum := weight * odd
	for k := 1.0; k < 60; k += 2 {
		even = k*even - h*odd
		odd = (k+1)*odd - h*even
		weight *= half2 / ((k + 1) * (k + 2))
		term := weight * odd
		sum += term
		if !(term > 1e-17*sum) {
			break
		}
	}
	return sum
}

// logRatio returns ln(hi/lo) for positive hi ≥ lo, without losing the small
// ones: near 1 the quotient is rounded before its logarithm is taken.
func logRatio(hi, lo float64) float64 {
	if d := hi - lo; d < 0.5*lo { // d is exact
		return math.Log1p(d / lo)
	}
	if r := hi / lo; r < math.MaxFloat64 {
		return math.Log(r)
	}
	return math.Log(hi) - math.Log(lo)
}

// logMoneyness returns ln(a/b) for positive a and b.
func logMoneyness(a, b float64) float64 {
	if a < b {
		return -logRatio(b, a)
	}
	return logRatio(a, b)
}
