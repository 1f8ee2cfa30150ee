package options

import (
	"math"
	"sync"
)

// The named approximations of this file are kept for comparison with books and
// other systems; [BSM.American] at [Accuracy1e4] is closer for a few times their
// cost. They return NaN where American would, and the European value where
// exercising early never pays.

// approximable handles what the approximations have in common, and reports
// whether there is something left to approximate.
func (p BSM) approximable(k Kind) (value float64, left bool) {
	if !validKind(k) {
		return math.NaN(), false
	}
	put := p.asPut(k)
	switch put.exercise() {
	case exerciseSingle:
		return 0, true
	case exerciseCertain:
		return max(put.certainAmerican(), p.price(k)), false
	case exerciseNever:
		return p.price(k), false
	}
	return math.NaN(), false
}

// AmericanBaroneAdesiWhaley is the quadratic approximation of Barone-Adesi and
// Whaley (Efficient analytic approximation of American option values, Journal of
// Finance 42, 1987): the premium is A·(S/S*)^λ.
func (p BSM) AmericanBaroneAdesiWhaley(k Kind) float64 {
	if v, left := p.approximable(k); !left {
		return v
	}
	q := p.quadratic(k)
	if float64(k)*(p.Spot-q.critical) >= 0 {
		return float64(k) * (p.Spot - p.Strike)
	}
	return p.price(k) + q.premium*math.Pow(p.Spot/q.critical, q.lambda)
}

// AmericanJuZhong is the approximation of Ju and Zhong (An approximate formula
// for pricing American options, Journal of Derivatives 7, 1999), which corrects
// the quadratic one.
func (p BSM) AmericanJuZhong(k Kind) float64 {
	if v, left := p.approximable(k); !left {
		return v
	}
	if math.Abs(p.Rate) < 1e-8 {
		p.Rate = 1e-8 // the formula divides by the rate; this is its limit
	}
	sign := float64(k)
	q := p.quadratic(k)
	if sign*(p.Spot-q.critical) >= 0 {
		return sign * (p.Spot - p.Strike)
	}
	h := -math.Expm1(-p.Rate * p.Years)
	variance := p.Vol * p.Vol
	alpha, beta := 2*p.Rate/variance, 2*(p.Rate-p.Yield)/variance
	root := math.Sqrt((beta-1)*(beta-1) + 4*alpha/h)
	slope := -sign * alpha / (h * h * root) // of λ by h
	at := p
	at.Spot = q.critical
	dev := p.Vol * math.Sqrt(p.Years)
	d1 := at.moneyness()/dev + 0.5*dev
	carry := math.Exp((p.Rate - p.Yield) * p.Years)
	change := q.critical*density(d1)*p.Vol*carry/(2*p.Rate*math.Sqrt(p.Years)) -
		sign*p.Yield*q.critical*cdf(sign*d1)*carry/p.Rate + sign*p.Strike*cdf(sign*(d1-dev))
	w := 2*q.lambda + beta - 1
	b := (1 - h) * alpha * slope / (2 * w)
	c := -(1 - h) * alpha / w * (change/q.premium + 1/h + slope/w)
	x := math.Log(p.Spot / q.critical)
	return p.price(k) + q.premium*math.Pow(p.Spot/q.critical, q.lambda)/(1-x*(b*x+c))
}

// quadratic is the common start: the critical spot, the premium there and its
// exponent.
type quadratic struct{ critical, premium, lambda float64 }

func (p BSM) quadratic(k Kind) quadratic {
	sign := float64(k)
	variance := p.Vol * p.Vol
	beta := 2 * (p.Rate - p.Yield) / variance
	alphaH := 2 / (variance * p.Years) // α/h, in the limit r = 0
	if h := -math.Expm1(-p.Rate * p.Years); h != 0 {
		alphaH = 2 * p.Rate / (variance * h)
	}
	lambda := 0.5 * (1 - beta + sign*math.Sqrt((beta-1)*(beta-1)+4*alphaH))
	// f falls from positive to negative as one moves out of the money's end:
	// what exercising gives less what holding on is worth.
	f := func(s float64) float64 {
		at := p
		at.Spot = s
		g := at.Greeks(k)
		return sign*(s-p.Strike) - g.Price - (sign-g.Delta)*s/lambda
	}
	// The critical spot lies beyond the strike; bracket it by doubling.
	near, far := p.Strike, p.Strike
	for range 200 {
		if k == Call {
			far *= 1.25
		} else {
			far *= 0.8
		}
		if f(far) >= 0 {
			break
		}
		near = far
	}
	fn, ff := f(near), f(far)
	for range 100 {
		mid := far - ff*(far-near)/(ff-fn)
		if !(math.Abs(mid-near) < math.Abs(far-near) && math.Abs(mid-far) < math.Abs(far-near)) {
			mid = 0.5 * (near + far)
		}
		fm := f(mid)
		if math.Abs(fm) < 1e-13*p.Strike || math.Abs(far-near) < 1e-12*p.Strike {
			near = mid
			break
		}
		if (fm > 0) == (ff > 0) {
			far, ff, fn = mid, fm, 0.5*fn
		} else {
			near, fn, ff = mid, fm, 0.5*ff
		}
	}
	at := p
	at.Spot = near
	return quadratic{near, sign*(near-p.Strike) - at.price(k), lambda}
}

// AmericanBjerksundStensland is the approximation by two flat boundaries of
// Bjerksund and Stensland (Closed form valuation of American options, 2002); a
// lower bound.
func (p BSM) AmericanBjerksundStensland(k Kind) float64 {
	return p.flatBoundary(k, func(b *bjerksund) float64 {
		s, beta := b.p.Spot, b.beta
		a1, a2 := (b.i1-1)*math.Pow(b.i1, -beta), (b.i2-1)*math.Pow(b.i2, -beta)
		t := b.t1
		return a2*math.Pow(s, beta) - a2*b.phi(t, beta, b.i2, b.i2) + b.phi(t, 1, b.i2, b.i2) - b.phi(t, 1, b.i1, b.i2) -
			b.phi(t, 0, b.i2, b.i2) + b.phi(t, 0, b.i1, b.i2) + a1*b.phi(t, beta, b.i1, b.i2) - a1*b.psi(beta, b.i1) +
			b.psi(1, b.i1) - b.psi(1, 1) - b.psi(0, b.i1) + b.psi(0, 1)
	})
}

// AmericanBjerksundStensland1993 is the older approximation by one flat boundary
// (Closed-form approximation of American options, Scandinavian Journal of
// Management 9, 1993), whose values the first edition of Haug's book prints.
func (p BSM) AmericanBjerksundStensland1993(k Kind) float64 {
	return p.flatBoundary(k, func(b *bjerksund) float64 {
		s, beta, i, t := b.p.Spot, b.beta, b.i2, b.p.Years
		a := (i - 1) * math.Pow(i, -beta)
		return a*math.Pow(s, beta) - a*b.phi(t, beta, i, i) + b.phi(t, 1, i, i) - b.phi(t, 1, 1, i) - b.phi(t, 0, i, i) + b.phi(t, 0, 1, i)
	})
}

// flatBoundary prepares the boundaries for a call, in units of the strike.
func (p BSM) flatBoundary(k Kind, formula func(*bjerksund) float64) float64 {
	if v, left := p.approximable(k); !left {
		return v
	}
	least := max(p.price(k), float64(k)*(p.Spot-p.Strike))
	if k == Put { // as a call
		p.Spot, p.Strike, p.Rate, p.Yield = p.Strike, p.Spot, p.Yield, p.Rate
	}
	unit := p.Strike
	p.Spot, p.Strike = p.Spot/unit, 1
	variance, carry := p.Vol*p.Vol, p.Rate-p.Yield
	beta := 0.5 - carry/variance + math.Sqrt((carry/variance-0.5)*(carry/variance-0.5)+2*p.Rate/variance)
	infinite, start := beta/(beta-1), 1.0
	if p.Rate > 0 && p.Yield > 0 {
		start = max(1, p.Rate/p.Yield)
	}
	flat := func(t float64) float64 {
		h := -(carry*t + 2*p.Vol*math.Sqrt(t)) / ((infinite - start) * start)
		return start + (infinite-start)*-math.Expm1(h)
	}
	t1 := 0.5 * (math.Sqrt(5) - 1) * p.Years
	b := bjerksund{p, carry, variance, beta, t1, flat(t1), flat(p.Years)}
	if p.Spot >= b.i2 {
		return least
	}
	if v := unit * formula(&b); v > least && v <= unit*p.Spot*math.Exp(max(-p.Yield*p.Years, 0))*(1+1e-12) {
		return v
	}
	return least
}

// bjerksund has the functions φ and ψ of the paper.
type bjerksund struct {
	p                     BSM
	carry, variance, beta float64
	t1, i1, i2            float64
}

func (b *bjerksund) growth(gamma float64) (lambda, kappa, drift float64) {
	lambda = -b.p.Rate + gamma*b.carry + 0.5*gamma*(gamma-1)*b.variance
	return lambda, 2*b.carry/b.variance + 2*gamma - 1, b.carry + (gamma-0.5)*b.variance
}

func (b *bjerksund) phi(t, gamma, h, i float64) float64 {
	s, dev := b.p.Spot, b.p.Vol*math.Sqrt(t)
	lambda, kappa, drift := b.growth(gamma)
	d := -(math.Log(s/h) + drift*t) / dev
	return math.Exp(lambda*t) * math.Pow(s, gamma) * (cdf(d) - math.Pow(i/s, kappa)*cdf(d-2*math.Log(i/s)/dev))
}

func (b *bjerksund) psi(gamma, h float64) float64 {
	s, t := b.p.Spot, b.p.Years
	dev1, dev := b.p.Vol*math.Sqrt(b.t1), b.p.Vol*math.Sqrt(t)
	lambda, kappa, drift := b.growth(gamma)
	m1, m := drift*b.t1, drift*t
	near, reflected := math.Log(s/b.i1), math.Log(b.i2*b.i2/(s*b.i1))
	rho := math.Sqrt(b.t1 / t)
	return math.Exp(lambda*t) * math.Pow(s, gamma) * (bivariate(-(near+m1)/dev1, -(math.Log(s/h)+m)/dev, rho) -
		math.Pow(b.i2/s, kappa)*bivariate(-(reflected+m1)/dev1, -(math.Log(b.i2*b.i2/(s*h))+m)/dev, rho) -
		math.Pow(b.i1/s, kappa)*bivariate(-(near-m1)/dev1, -(math.Log(b.i1*b.i1/(s*h))+m)/dev, -rho) +
		math.Pow(b.i1/b.i2, kappa)*bivariate(-(reflected-m1)/dev1, -(math.Log(s*b.i1*b.i1/(h*b.i2*b.i2))+m)/dev, -rho))
}

var bivariateRule = sync.OnceValue(func() [2][]float64 {
	y, w := legendre(20)
	return [2][]float64{y, w}
})

// bivariate is the distribution function of two standard normal variables with
// correlation rho, |rho| < 0.95, by Plackett's identity
//
//	Φ(a)·Φ(b) + 1/(2π)·∫ exp(-(a²-2ab·sin θ+b²)/(2cos²θ)) dθ, θ from 0 to asin(rho)
func bivariate(a, b, rho float64) float64 {
	end := math.Asin(rho)
	rule := bivariateRule()
	sum := 0.0
	for i, y := range rule[0] {
		sin, cos := math.Sincos(end * y)
		sum += rule[1][i] * math.Exp(-(a*a-2*a*b*sin+b*b)/(2*cos*cos))
	}
	return cdf(a)*cdf(b) + end*sum/(2*math.Pi)
}
