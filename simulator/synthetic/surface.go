package synthetic

import (
	"math"
	"time"

	"github.com/ttai-go/ttai/options"
)

// A smile is the implied volatilities of one expiration: a slice of an SSVI
// surface. With k = ln(strike/forward) and θ the total variance at the money,
//
//	w(k) = θ/2 (1 + ρ φ k + √((φ k + ρ)² + 1 - ρ²)),  φ = η θ^-γ (1+θ)^(γ-1)
//
// There is no butterfly arbitrage when η (1+|ρ|) ≤ 2 and γ ≤ 1/2, and no
// calendar arbitrage when moreover θ does not fall with time: Gatheral and
// Jacquier, theorem 4.1 and section 4.
type smile struct {
	spot, forward, years, yield float64
	theta, phi, rho             float64
}

// A skew is the shape of a symbol's smiles.
type skew struct{ rho, eta float64 }

const gamma = 0.45

func (k *track) skew() skew {
	switch {
	case k.profile == nil:
		return skew{-0.4, 0.8}
	case k.profile.sector == bonds || k.profile.sector == metals:
		return skew{0.05, 0.75}
	case k.profile.daily() || k.profile.class == fund:
		return skew{-0.65, 0.9}
	}
	return skew{-0.35, 0.8}
}

// vol returns the implied volatility of a strike.
func (s *smile) vol(strike float64) float64 {
	k := math.Log(strike / s.forward)
	x := s.phi * k
	w := s.theta / 2 * (1 + s.rho*x + math.Sqrt((x+s.rho)*(x+s.rho)+1-s.rho*s.rho))
	return math.Sqrt(w / s.years)
}

// option returns the pricing of one strike.
func (s *smile) option(strike float64) options.BSM {
	return options.BSM{Spot: s.spot, Strike: strike, Years: s.years, Rate: rate, Yield: s.yield, Vol: s.vol(strike)}
}

// smileAt returns the smile of an expiration as seen at a moment.
func (k *track) smileAt(mo moment, expires time.Time) smile {
	return k.smileWith(mo, expires, k.skew())
}

func (k *track) smileWith(mo moment, expires time.Time, shape skew) smile {
	years := max(options.YearsToExpiry(mo.at, expires), 0.5/(365*24*60)) // half a minute in the last one
	s := smile{spot: mo.spot, years: years, theta: k.theta(mo, years, expires)}
	s.rho = shape.rho
	s.phi = shape.eta * math.Pow(s.theta, -gamma) * math.Pow(1+s.theta, gamma-1)
	s.yield = k.yieldTo(mo, years, expires)
	s.forward = mo.spot * math.Exp((rate-s.yield)*years)
	return s
}

// theta is the total variance at the money until expires: the variance per
// year moves from its present value v to the long-run one u,
//
//	∫ u + (v-u) e^(-κ s) ds = u T + (v-u) (1 - e^(-κ T))/κ,
//
// and every earnings report on the way adds a jump. Each part grows with
// time, so the sum does. Options cost a little more than the variance that
// comes, as they do in fact.
func (k *track) theta(mo moment, years float64, expires time.Time) float64 {
	const (
		kappa   = 5.0 // half-life of seven weeks
		premium = 1.12
	)
	v, u := premium*premium*mo.fast, premium*premium*mo.slow
	theta := u*years + (v-u)*-math.Expm1(-kappa*years)/kappa
	for _, r := range k.earnings {
		if r.at.After(mo.at) && r.at.Before(expires) {
			theta += square(k.profile.jump)
		}
	}
	return theta
}

// yieldTo is the continuous yield until expires that stands for the dividends
// paid on the way, as far as they can be foreseen: announced ones, and after
// them the last amount again at each ex-date.
func (k *track) yieldTo(mo moment, years float64, expires time.Time) float64 {
	if k.isIndex() && !k.replayed {
		return k.profile.yield
	}
	present, last := 0.0, 0.0
	for _, d := range k.dividends {
		ex := k.sessions[d.session]
		switch {
		case d.announced <= mo.session:
			last = d.amount * k.ratio(mo.shares, d.session) / k.ratio(d.session, mo.shares)
		case last == 0:
			continue
		}
		if d.session > mo.session && ex.Open.Before(expires) {
			present += last * math.Exp(-rate*ex.Open.Sub(mo.at).Hours()/(365*24))
		}
	}
	if present == 0 {
		return 0
	}
	return -math.Log1p(-min(present/mo.spot, 0.5)) / years
}

// index30 is the implied volatility of thirty days at a moment.
func (k *track) index30(mo moment) float64 {
	const years = 30.0 / 365
	return math.Sqrt(k.theta(mo, years, mo.at.Add(30*24*time.Hour)) / years)
}
