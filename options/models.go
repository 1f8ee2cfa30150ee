package options

import (
	"math"

	"github.com/ttai-go/ttai/internal/invalid"
)

// Black76 returns the present value of an option on a forward or future (Black
// 1976), paid at expiry and discounted at the rate.
func Black76(k Kind, forward, strike, years, rate, vol float64) float64 {
	return BSM{Spot: forward, Strike: strike, Years: years, Rate: rate, Yield: rate, Vol: vol}.Price(k)
}

// Displaced returns the present value of an option on a forward that is
// lognormal once shift is added (displaced diffusion, Rubinstein 1983): forward
// and strike may be as low as -shift. vol is that of forward + shift.
func Displaced(k Kind, forward, strike, shift, years, rate, vol float64) float64 {
	m := displace(forward, strike, shift)
	v := Black76(k, m.forward, m.strike, years, rate, vol)
	s := vol * math.Sqrt(years)
	if m.exact || !(v > 0) || !(s > 0) || math.IsInf(s, 1) {
		return v
	}
	least := min(m.forward, m.strike) * blackValue(math.Abs(m.moneyness()), s)
	return math.Exp(-rate*years) * (least + max(float64(k)*(forward-strike), 0))
}

// ImpliedVolDisplaced returns the volatility of forward + shift at which
// [Displaced] is price, and NaN when there is none.
func ImpliedVolDisplaced(k Kind, price, forward, strike, shift, years, rate float64) float64 {
	m := displace(forward, strike, shift)
	p := BSM{Spot: m.forward, Strike: m.strike, Years: years, Rate: rate, Yield: rate}
	vol, err := p.impliedVol(k, price)
	if m.exact || err == errImpossible {
		return vol
	}
	// As in impliedVol, with what forward + shift and strike + shift are rounded by.
	price *= math.Exp(rate * years)
	high, low := max(forward, strike), min(forward, strike)
	diff := high - low
	back := high - diff
	lost := (high - (diff + back)) + (back - low)
	value, most := price, m.forward
	if k == Put {
		most = m.strike
	}
	if float64(k)*(forward-strike) > 0 {
		value = (price - diff) - lost
	}
	inverse := 1 / min(m.forward, m.strike)
	target, rest := value*inverse, (most-price)*inverse
	if !(target >= 0x1p-1022 && rest > 0 && inverse < math.MaxFloat64) {
		return math.NaN()
	}
	return deviation(math.Abs(m.moneyness()), target, rest) / math.Sqrt(years)
}

// displacement is forward and strike with the shift added, and what rounding those
// sums has lost: next to it the forward itself may be small.
type displacement struct {
	forward, strike         float64
	forwardLost, strikeLost float64
	exact                   bool // nothing is lost
}

func displace(forward, strike, shift float64) displacement {
	d := displacement{forward: forward + shift, strike: strike + shift}
	d.forwardLost, d.strikeLost = sumLost(forward, shift, d.forward), sumLost(strike, shift, d.strike)
	// Without a positive sum, or with an infinite one, there is nothing to mend.
	d.exact = d.forwardLost == 0 && d.strikeLost == 0 || !(d.forward > 0 && d.strike > 0 && d.forward+d.strike <= math.MaxFloat64)
	return d
}

// sumLost returns a + b - sum exactly (Knuth's two-sum).
func sumLost(a, b, sum float64) float64 {
	part := sum - a
	return (a - (sum - part)) + (b - part)
}

// moneyness returns ln(forward/strike).
func (d *displacement) moneyness() float64 {
	return logRatio(d.forward, d.strike) + (d.forwardLost/d.forward - d.strikeLost/d.strike)
}

// Bachelier returns the present value of an option on a forward that is normally
// distributed (Bachelier 1900), with vol per year in units of the forward:
//
//	e^(-rT)·vol·√T·[φ(h) - h·Φ(-h)],  h = k·(K-F)/(vol·√T)
//
// Forward and strike may be negative. It is NaN for an argument that is NaN or
// impossible.
func Bachelier(k Kind, forward, strike, years, rate, vol float64) float64 {
	if !validBachelier(k, forward, strike, years, rate) || !(vol >= 0) {
		return math.NaN()
	}
	discount := math.Exp(-rate * years)
	away := float64(k) * (strike - forward) // out of the money by
	s := vol * math.Sqrt(years)
	if !(s > 0) {
		return discount * max(-away, 0)
	}
	if math.IsInf(s, 1) {
		return s
	}
	return discount * (s*bachelierUnit(math.Abs(away)/s) + max(-away, 0))
}

func validBachelier(k Kind, forward, strike, years, rate float64) bool {
	return validKind(k) && math.Abs(forward-strike) <= math.MaxFloat64 && years >= 0 && math.Abs(rate*years) <= maxExponent
}

// bachelierUnit returns φ(h) - h·Φ(-h) for h ≥ 0, relatively exact: φ(h) times
// 1 - h·M(h), which is minus the slope of Mills' ratio.
func bachelierUnit(h float64) float64 {
	if h > 39 {
		return 0
	}
	return density(h) * millsSlope(h)
}

// millsSlope returns -M'(z) = 1 - z·M(z) for 0 ≤ z < 60 without cancellation.
func millsSlope(z float64) float64 {
	row, middle := millsCell(z)
	u := z - middle
	sum := 8 * row[9]
	for k := 7; k >= 1; k-- {
		sum = float64(k)*row[k+1] + u*sum
	}
	return -sum
}

// ImpliedVolBachelier returns the vol at which [Bachelier] is price, NaN and an
// error when there is none: [ErrBelowIntrinsic], [ErrNoTimeValue] or a
// *[FieldError]. There is no maximum.
func ImpliedVolBachelier(k Kind, price, forward, strike, years, rate float64) (float64, error) {
	switch {
	case !validKind(k):
		return math.NaN(), invalid.Field("kind", int8(k), "call (+1) or put (-1)")
	case !(price >= 0 && price <= math.MaxFloat64):
		return math.NaN(), invalid.Field("price", price, "a finite number, at least 0")
	case !(years > 0 && years <= math.MaxFloat64):
		return math.NaN(), invalid.Field("years", years, "a finite number above 0")
	case !validBachelier(k, forward, strike, years, rate):
		return math.NaN(), invalid.Field("forward", forward, "finite numbers for forward, strike and rate")
	}
	undiscounted := price
	if rate != 0 {
		undiscounted *= math.Exp(rate * years)
	}
	away := float64(k) * (strike - forward)
	value := undiscounted - max(-away, 0)
	x := math.Abs(away)
	switch {
	case value < 0:
		return math.NaN(), ErrBelowIntrinsic
	case value < 0x1p-1000 || value < 1e-300*x:
		return math.NaN(), ErrNoTimeValue
	case math.IsInf(value, 1):
		return math.NaN(), ErrAboveMaximum
	}
	h, _ := bachelierInverse(x, value)
	if h < 1e-8 { // the formula to first order in h; its next term is h²/2
		return (value + 0.5*x) * sqrt2Pi / math.Sqrt(years), nil
	}
	// Householder's steps on ln of g(h) = (φ(h) - h·Φ(-h))/h, which is to be
	// value/x; g' = -φ/h².
	for range 4 {
		unit := bachelierUnit(h)
		v := unit / h * x
		z := (v - value) / (v + value)
		z2 := z * z
		f := 2 * z * (1 + z2*((1.0/3+z2*(1.0/5))+z2*z2*(1.0/7)))
		if z2 > 1e-3 {
			f = math.Log(v / value)
		}
		q := -density(h) / (h * unit) // d ln(g)/dh
		r := -h - 2/h                 // g''/g'
		u := r*r - 1 + 2/(h*h)        // g'''/g'
		newton := -f / q
		second, third := r-q, u-3*q*r+2*q*q
		step := newton * (1 + 0.5*newton*second) / (1 + newton*(second+newton*third/6))
		h += step
		if math.Abs(step) < 1e-4*h {
			break
		}
	}
	return x / h / math.Sqrt(years), nil
}
