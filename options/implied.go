package options

import (
	"math"

	"github.com/ttai-go/ttai/internal/invalid"
)

// ImpliedVol returns the volatility at which the option is worth price; p.Vol
// is ignored. Without one it returns NaN and [ErrBelowIntrinsic],
// [ErrAboveMaximum], [ErrNoTimeValue], or a *[FieldError] for an argument that
// is NaN or impossible.
//
// The result is as exact as the price allows: an error of one unit in the last
// place of the price moves the volatility by |dln vol/dln price| units, and
// what the solver adds is of the same size.
func (p BSM) ImpliedVol(k Kind, price float64) (float64, error) {
	vol, err := p.impliedVol(k, price)
	if err == errImpossible {
		err = p.whyImpossible(k, price)
	}
	return vol, err
}

// ImpliedVolBlack returns the volatility at which the undiscounted price of an
// option on a forward is price (Black 1976), and NaN when there is none or an
// argument is NaN or impossible.
func ImpliedVolBlack(k Kind, price, forward, strike, years float64) float64 {
	p := BSM{Spot: forward, Strike: strike, Years: years}
	vol, _ := p.impliedVol(k, price)
	return vol
}

// errImpossible stands for a *FieldError that only ImpliedVol needs to make.
var errImpossible = invalid.Missing("option", "possible arguments")

func (p *BSM) impliedVol(k Kind, price float64) (float64, error) {
	asset, cash, ok := p.present()
	if !ok || !validKind(k) || !(price >= 0) || math.IsInf(price, 0) || p.Years == 0 {
		return math.NaN(), errImpossible
	}
	lo, hi := min(asset, cash), max(asset, cash)
	call := 0.5 + 0.5*float64(k) // 1 or 0
	most := call*asset + (1-call)*cash
	// The time value is taken before anything is scaled, and hi-lo in two
	// parts: deep in the money, its digits are all that is left of the price.
	// What is in the money is chosen by arithmetic: a branch on it would be
	// guessed wrong half of the time.
	diff := hi - lo
	back := hi - diff
	lost := (hi - (diff + back)) + (back - lo)
	in := 0.5 + math.Copysign(0.5, (asset-cash)*float64(k))
	value := (price - in*diff) - in*lost
	if !(value > 0 && price < most) {
		switch {
		case value < 0:
			return math.NaN(), ErrBelowIntrinsic
		case value == 0:
			return math.NaN(), ErrNoTimeValue
		}
		return math.NaN(), ErrAboveMaximum
	}
	inverse := 1 / lo
	target, rest := value*inverse, (most-price)*inverse
	if target < 0x1p-1022 || !(inverse < math.MaxFloat64) { // below the smallest number of full precision
		return math.NaN(), ErrNoTimeValue
	}
	x := math.Abs(p.moneyness())
	root := math.Sqrt(p.Years)
	if s, ok := guessDeviation(x, target, target*math.Sqrt(lo/hi)); ok {
		for range 2 {
			next, step := oneStep(x, s, target, rest)
			if step < 5e-4 {
				return next / root, nil
			}
			if !(step < 0.02) {
				break
			}
			s = next
		}
	}
	return deviation(x, target, rest) / root, nil
}

// oneStep improves s by one step of fifth order on the logarithm of value or
// rest, whichever is smaller, and returns the size of the step relative to s:
// below 5e-4 the error left is below rounding.
func oneStep(x, s, target, rest float64) (next, step float64) {
	f, value, other, _, _, _ := black(x, s)
	sign := 1.0
	if target > 0.5 {
		value, target, sign = other, rest, -1
	}
	// ln(value/target) by its series in z = (v-t)/(v+t).
	q := f / value
	z := (value - target) / (value + target)
	z2 := z * z
	g := 2 * z * (1 + z2*((1.0/3+z2*(1.0/5))+z2*z2*(1.0/7+z2*(1.0/9))))
	inverse := 1 / s
	h := x * inverse
	// With r, u and w the first three derivatives of the density over the
	// density, and g' = q = density/value, the ratios of the higher derivatives
	// of g to the first are a, b and c.
	q *= sign
	e := h * h * inverse
	r := e - 0.25*s
	slope := -3*e*inverse - 0.25
	u := r*r + slope
	w := r*(r*r+3*slope) + 12*e*inverse*inverse
	a := 0.5 * (r - q)
	b := (1.0 / 6) * (u + q*(2*q-3*r))
	c := (1.0 / 24) * (w - q*(4*u+3*r*r+q*(6*q-12*r)))
	newton := -g / q
	step = newton * (1 - newton*(a-newton*((2*a*a-b)+newton*(a*(5*b-5*a*a)-c))))
	if !(z2 < 1e-3) {
		return s + step, max(math.Abs(step)*inverse, 1e-3) // the series was too short
	}
	return s + step, math.Abs(step) * inverse
}

func (p *BSM) whyImpossible(k Kind, price float64) error {
	const nonNegative = "a finite number, at least 0"
	finite := func(v float64) bool { return v >= 0 && v <= math.MaxFloat64 }
	switch {
	case !validKind(k):
		return invalid.Field("kind", int8(k), "call (+1) or put (-1)")
	case !finite(price):
		return invalid.Field("price", price, nonNegative)
	case !finite(p.Spot):
		return invalid.Field("spot", p.Spot, nonNegative)
	case !finite(p.Strike):
		return invalid.Field("strike", p.Strike, nonNegative)
	case !finite(p.Years) || p.Years == 0:
		return invalid.Field("years", p.Years, "a finite number above 0")
	case !validRate(p.Rate, p.Years):
		return invalid.Field("rate", p.Rate, "a rate such as 0.05 for 5 % a year")
	case !validRate(p.Yield, p.Years):
		return invalid.Field("yield", p.Yield, "a yield such as 0.02 for 2 % a year")
	}
	return invalid.Field("spot", p.Spot, "a spot and a strike whose present values are finite")
}

// deviation solves for the s = vol·√years at which the value of [black] is target, given
// 0 < target < 1 and rest = 1 - target, each precise where it is small.
//
// It serves what guessDeviation does not: very wide moneyness and values near their
// maximum. It follows Householder's method of third order on the logarithm of the
// smaller of the two, from a guess that is right to a few percent: two or three
// evaluations as a rule. A bracket makes it safe.
func deviation(x, target, rest float64) float64 {
	inflection := math.Sqrt(2 * x) // value is convex in s below, concave above
	low, high := 0.0, math.Inf(1)
	var s float64
	at := 0.0
	if inflection > 0 {
		_, at, _, _, _, _ = black(x, inflection)
	}
	if target < at {
		high = inflection
		s = lowerGuess(x, target, inflection)
	} else {
		low = inflection
		s = upperGuess(x, target-at, rest, inflection)
	}
	for range 64 {
		var b struct{ density, value, rest float64 }
		b.density, b.value, b.rest, _, _, _ = black(x, s)
		var g, q float64 // the objective and its derivative
		if target < 0.5 {
			g, q = logQuotient(b.value, target), b.density/b.value
			if g < 0 {
				low = s
			} else {
				high = s
			}
		} else {
			g, q = logQuotient(b.rest, rest), -b.density/b.rest
			if g < 0 {
				high = s
			} else {
				low = s
			}
		}
		// With r = density'/density and u = density''/density,
		// g''/g' = r - q and g'''/g' = u - 3qr + 2q².
		h := x / s
		r := h*h/s - 0.25*s
		u := r*r - 3*h*h/(s*s) - 0.25
		second, third := r-q, u-3*q*r+2*q*q
		newton := -g / q
		step := newton * (1 + 0.5*newton*second) / (1 + newton*(second+newton*third/6))
		if next := s + step; !(next > low && next < high) {
			step = newton
		}
		next := s + step
		if math.Abs(step) <= 1e-4*s && next > 0 { // the next error is its fourth power
			return next
		}
		if !(next > low && next < high) {
			switch {
			case math.IsInf(high, 1):
				next = 2 * s
			case low == 0:
				next = 0.5 * high
				if s < next {
					next = 0.5 * (s + high)
				}
			default:
				next = 0.5 * (low + high)
			}
			if next == s || !(next > 0) {
				return s
			}
		}
		s = next
	}
	return s
}

// logQuotient returns ln(v/target), precise when they are close.
func logQuotient(v, target float64) float64 {
	if d := (v - target) / target; math.Abs(d) < 0.5 {
		return math.Log1p(d)
	}
	return math.Log(v / target)
}

// lowerGuess starts below the inflection from the leading term of the value,
// s·I(h)·φ(h-s/2), with I(h) ≈ 1/(1+1.25h+h²): an equation in h = x/s that two
// steps of Newton's method solve well enough.
func lowerGuess(x, target, inflection float64) float64 {
	least := 0.5 * inflection // h at the inflection
	right := math.Log(x) - math.Log(target*sqrt2Pi) + 0.5*x
	h := math.Sqrt(max(2*(right-math.Log(1+max(2*right, 0)*1.5)), least*least))
	for range 3 {
		c := x / (2 * h)
		p := 1 + h*(1.25+h)
		g := 0.5*h*h + 0.5*c*c + math.Log(h*p) - right
		slope := h - c*c/h + 1/h + (1.25+2*h)/p
		h = max(h-g/slope, least)
	}
	return min(x/h, inflection)
}

// upperGuess starts above the inflection: near it from the tangent, which
// never overshoots, and far from it from value ≈ 1 - 2·exp(x/2)·Φ(-s/2).
func upperGuess(x, above, rest, inflection float64) float64 {
	s := inflection + above*sqrt2Pi
	if x == 0 || rest < 0.5 {
		logTail := math.Log(rest) - 0.5*x
		if logTail < -20 { // Φ(-z) ≈ φ(z)/z; the library's Erfcinv has no tail
			z := math.Sqrt(-2 * logTail)
			z = math.Sqrt(-2 * (logTail + math.Log(0.5*sqrt2Pi*z)))
			s = max(s, 2*z)
		} else {
			s = max(s, 2*math.Sqrt2*math.Erfcinv(math.Exp(logTail)))
		}
	}
	return s
}
