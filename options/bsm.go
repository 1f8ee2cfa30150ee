package options

import (
	"math"

	"github.com/ttai-go/ttai/internal/invalid"
)

// BSM is a European option under Black, Scholes and Merton: a spot that pays a
// continuous yield, a constant rate and a constant volatility. For an option on
// a forward or future F, undiscounted, set Spot to F and Rate and Yield to 0;
// for its present value set both to the rate.
type BSM struct {
	Spot   float64 // price of the underlying
	Strike float64
	Years  float64 // to expiry, Actual/365
	Rate   float64 // risk-free, per year, continuous
	Yield  float64 // dividends or borrow, per year, continuous
	Vol    float64 // per year: 0.2 is 20 %
}

// maxExponent bounds |rate·years| and |yield·years|: e^700 is still a number.
const maxExponent = 700

// present returns the present values of what changes hands: the spot without
// its yield until expiry, and the discounted strike. It reports whether the
// formulas hold for p, volatility aside.
func (p *BSM) present() (asset, cash float64, ok bool) {
	// An infinite rate or time makes the products infinite or NaN.
	rt, qt := p.Rate*p.Years, p.Yield*p.Years
	if !(p.Spot >= 0 && p.Strike >= 0 && p.Years >= 0 && math.Abs(rt) <= maxExponent && math.Abs(qt) <= maxExponent) {
		return 0, 0, false
	}
	asset, cash = p.Spot, p.Strike
	if qt != 0 {
		asset *= expSum(-qt, 0)
	}
	if rt != 0 {
		cash *= expSum(-rt, 0)
	}
	return asset, cash, asset+cash <= math.MaxFloat64
}

func validRate(rate, years float64) bool {
	return math.Abs(rate*years) <= maxExponent && !math.IsInf(rate, 0)
}

// Forward returns the forward price of the underlying, Spot·e^((Rate-Yield)·Years).
func (p BSM) Forward() float64 { return p.Spot * math.Exp((p.Rate-p.Yield)*p.Years) }

// moneyness returns ln(forward/strike) for a positive spot and strike.
func (p *BSM) moneyness() float64 {
	return logRatio(p.Spot, p.Strike) + (p.Rate-p.Yield)*p.Years
}

// Price returns the value of the option,
//
//	k·(S·e^(-qT)·Φ(k·d1) - K·e^(-rT)·Φ(k·d2)),  d1,2 = [ln(S/K) + (r-q)T ± vol²T/2]/(vol·√T)
//
// with k = +1 for a call and -1 for a put (Black and Scholes 1973, Merton
// 1973). With zero volatility or time it is the discounted intrinsic value, with
// infinite volatility the most the option can be worth. It is NaN for an
// argument that is NaN or impossible.
func (p BSM) Price(k Kind) float64 { return p.price(k) }

func (p *BSM) price(k Kind) float64 {
	asset, cash := p.Spot, p.Strike
	if p.Rate != 0 || p.Yield != 0 || !(asset >= 0 && cash >= 0 && asset+cash <= math.MaxFloat64 && p.Years >= 0 && p.Years <= math.MaxFloat64) {
		var ok bool
		if asset, cash, ok = p.present(); !ok {
			return math.NaN()
		}
	}
	if !(p.Vol >= 0) || !validKind(k) {
		return math.NaN()
	}
	s := p.Vol * math.Sqrt(p.Years)
	intrinsic := float64(k) * (asset - cash)
	intrinsic = 0.5*intrinsic + 0.5*math.Abs(intrinsic) // if positive; no branch, since no one can predict it
	if !(s > 0) || asset == 0 || cash == 0 {            // Inf·0 is no volatility at expiry
		return intrinsic
	}
	return min(asset, cash)*blackValue(math.Abs(p.moneyness()), s) + intrinsic
}

// PriceBatch writes the price of p[i] as kinds[i] into dst[i]. The slices have
// equal lengths; nothing is allocated.
func PriceBatch(dst []float64, p []BSM, kinds []Kind) error {
	if err := sameLength(len(dst), len(p), len(kinds), len(p)); err != nil {
		return err
	}
	for i := range p {
		dst[i] = p[i].price(kinds[i])
	}
	return nil
}

// GreeksBatch writes the Greeks of p[i] as kinds[i] into dst[i]. The slices
// have equal lengths; nothing is allocated.
func GreeksBatch(dst []Greeks, p []BSM, kinds []Kind) error {
	if err := sameLength(len(dst), len(p), len(kinds), len(p)); err != nil {
		return err
	}
	for i := range p {
		p[i].greeks(kinds[i], &dst[i])
	}
	return nil
}

// ImpliedVolBatch writes the implied volatility of prices[i] into dst[i], and
// NaN where there is none (see [BSM.ImpliedVol] for the reason). The slices
// have equal lengths; nothing is allocated.
func ImpliedVolBatch(dst []float64, p []BSM, kinds []Kind, prices []float64) error {
	if err := sameLength(len(dst), len(p), len(kinds), len(prices)); err != nil {
		return err
	}
	for i := range p {
		dst[i], _ = p[i].impliedVol(kinds[i], prices[i])
	}
	return nil
}

func sameLength(dst, p, kinds, prices int) error {
	switch {
	case dst != p:
		return invalid.Fieldf("dst", dst, "%d values, as many as there are options", p)
	case kinds != p:
		return invalid.Fieldf("kinds", kinds, "%d values, as many as there are options", p)
	case prices != p:
		return invalid.Fieldf("prices", prices, "%d values, as many as there are options", p)
	}
	return nil
}
