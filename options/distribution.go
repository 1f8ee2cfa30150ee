package options

import "math"

// A Distribution says how likely the underlying's prices are at one time.
// [Lognormal] and [Density] are distributions.
type Distribution interface {
	// CDF returns the probability that the price is at most x.
	CDF(x float64) float64
	// Below returns E[S; S ≤ x], the mean of the price counted only where it is
	// at most x. It rises from 0 to Mean.
	Below(x float64) float64
	// Mean returns the mean, which is the forward price of a risk-neutral
	// distribution.
	Mean() float64
}

// Lognormal is the distribution of Black and Scholes: ln S is normal with
// deviation Vol·√Years, and the mean of S is Forward. Its methods are NaN when
// a field is NaN or impossible; without volatility or time the price is Forward.
type Lognormal struct {
	Forward float64
	Vol     float64
	Years   float64
}

// CDF implements [Distribution]: Φ(-d2).
func (l Lognormal) CDF(x float64) float64 { return l.at(x, -0.5, 1) }

// Below implements [Distribution]: Forward·Φ(-d1).
func (l Lognormal) Below(x float64) float64 { return l.at(x, +0.5, l.Forward) }

// Mean implements [Distribution].
func (l Lognormal) Mean() float64 { return l.Forward }

// Quantile returns the price that is not exceeded with probability p.
func (l Lognormal) Quantile(p float64) float64 {
	s := l.Vol * math.Sqrt(l.Years)
	if !(p >= 0 && p <= 1) || !(s >= 0) || !(l.Forward > 0) {
		return math.NaN()
	}
	if s == 0 {
		return l.Forward
	}
	return l.Forward * math.Exp(s*(math.Sqrt2*math.Erfinv(2*p-1)-0.5*s))
}

func (l Lognormal) at(x, shift, scale float64) float64 {
	s := l.Vol * math.Sqrt(l.Years)
	switch {
	case math.IsNaN(x) || !(s >= 0) || !(l.Forward > 0) || math.IsInf(l.Forward, 1):
		return math.NaN()
	case x <= 0:
		return 0
	case s == 0 && x < l.Forward:
		return 0
	case s == 0:
		return scale
	}
	return scale * cumulative(math.Log(x/l.Forward)/s-shift*s)
}

// cumulative returns Φ(z).
func cumulative(z float64) float64 { return 0.5 * math.Erfc(-z/math.Sqrt2) }

// bell returns φ(z).
func bell(z float64) float64 { return math.Exp(-0.5*z*z) / math.Sqrt(2*math.Pi) }

// ProbTouch returns the risk-neutral probability that the price reaches level
// within p.Years, for a spot on either side of it, watched all the time
// (Reiner and Rubinstein 1991). Strike is ignored.
func (p BSM) ProbTouch(level float64) float64 {
	p.Strike = level
	if p.Spot == level {
		return 1
	}
	return p.Greeks(Call).ProbTouch
}

// ProbTouchEither returns the risk-neutral probability that the price reaches
// low or high within p.Years. A low of 0 or a high of +Inf is never reached. It
// is 1 when the spot is not between them, and NaN for impossible arguments.
//
// The probability of staying between two barriers is the sum over their images
// (Cox and Miller, The Theory of Stochastic Processes, 5.7):
//
//	Σ e^(2μn·L/v²)·[Φ(b') - Φ(a')] - e^(2μ(a-nL)/v²)·[…]   n from -∞ to ∞, L = b-a
//
// for the logarithm of the price with drift μ = r - q - v²/2.
func (p BSM) ProbTouchEither(low, high float64) float64 {
	switch {
	case math.IsNaN(low) || math.IsNaN(high) || low > high || !(p.Spot > 0) || !(p.Vol >= 0) || !(p.Years >= 0):
		return math.NaN()
	case p.Spot <= low || p.Spot >= high:
		return 1
	case low <= 0 && math.IsInf(high, 1):
		return 0
	case low <= 0:
		return p.ProbTouch(high)
	case math.IsInf(high, 1):
		return p.ProbTouch(low)
	}
	a, b := math.Log(low/p.Spot), math.Log(high/p.Spot)
	drift := p.Rate - p.Yield - 0.5*p.Vol*p.Vol
	s := p.Vol * math.Sqrt(p.Years)
	if s == 0 {
		if end := (p.Rate - p.Yield) * p.Years; end <= a || end >= b {
			return 1
		}
		return 0
	}
	width, move, ratio := b-a, drift*p.Years, 2*drift/(p.Vol*p.Vol)
	if s > 4*width { // staying is of the order of exp(-(πs/L)²/2)
		return 1
	}
	between := func(center float64) float64 {
		return cumulative((b-center-move)/s) - cumulative((a-center-move)/s)
	}
	stay := 0.0
	images := int(math.Min(200, (4*s+math.Abs(move))/width)) + 2
	for n := -images; n <= images; n++ {
		shift := 2 * float64(n) * width
		stay += math.Exp(ratio*shift/2)*between(shift) - math.Exp(ratio*(2*a-shift)/2)*between(2*a-shift)
	}
	return min(max(1-stay, 0), 1)
}
