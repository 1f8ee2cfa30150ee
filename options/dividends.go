package options

import (
	"math"

	"github.com/ttai-go/ttai/internal/invalid"
)

// A Dividend is a cash amount a share goes ex.
type Dividend struct {
	Years float64 // from now to the ex-date, Actual/365
	Cash  float64 // per share, in the spot's currency
}

// DividendModel is what moves at random when dividends are cash.
type DividendModel int8

const (
	// Escrowed: the spot without the present value of the dividends to come is
	// lognormal with the given volatility. European options are then priced by
	// the formula; quoted volatilities usually mean this.
	Escrowed DividendModel = iota
	// SpotModel: the spot itself is lognormal and falls by the dividend at each
	// ex-date (by what is left of it, if that is less).
	SpotModel
)

// PriceDividends returns the value of the European option when the share pays
// cash dividends until expiry, besides the continuous yield. Escrowed it is the
// exact formula; in the spot model it comes from finite differences, exact to
// about 1e-6 of the strike.
func (p BSM) PriceDividends(k Kind, dividends []Dividend, m DividendModel) (float64, error) {
	if err := p.checkDividends(k, dividends, m); err != nil {
		return math.NaN(), err
	}
	relevant := p.relevant(dividends)
	if m == Escrowed || len(relevant) == 0 {
		p.Spot -= presentValue(relevant, p.Rate)
		return p.price(k), nil
	}
	if p.Vol == 0 || p.Years == 0 {
		return p.certainDividends(k, relevant, m, false), nil
	}
	return max(gridValue(p, k, relevant, m, false), 0), nil
}

// AmericanDividends returns the value of the American option when the share
// pays cash dividends, by finite differences exact to about 1e-6 of the strike.
// A call is exercised just before an ex-date if at all, when the yield is 0 and
// the rate is not negative.
func (p BSM) AmericanDividends(k Kind, dividends []Dividend, m DividendModel) (float64, error) {
	if err := p.checkDividends(k, dividends, m); err != nil {
		return math.NaN(), err
	}
	relevant := p.relevant(dividends)
	if len(relevant) == 0 {
		return p.American(k, Accuracy1e6), nil
	}
	now := max(float64(k)*(p.Spot-p.Strike), 0)
	if p.Vol == 0 || p.Years == 0 {
		return max(p.certainDividends(k, relevant, m, true), now), nil
	}
	return max(gridValue(p, k, relevant, m, true), now), nil
}

// AmericanImpliedVolDividends returns the volatility at which the American
// option on a share with cash dividends is worth price; p.Vol is ignored.
func (p BSM) AmericanImpliedVolDividends(k Kind, price float64, dividends []Dividend, m DividendModel) (float64, error) {
	p.Vol = 0
	if err := p.checkDividends(k, dividends, m); err != nil {
		return math.NaN(), err
	}
	if p.Years == 0 || !(price >= 0) || math.IsInf(price, 0) {
		return math.NaN(), p.whyImpossible(k, price)
	}
	least, err := p.AmericanDividends(k, dividends, m)
	if err != nil {
		return math.NaN(), err
	}
	switch {
	case price < least*(1-1e-12):
		return math.NaN(), ErrBelowIntrinsic
	case price <= least*(1+1e-12):
		return math.NaN(), ErrNoTimeValue
	}
	value := func(vol float64) float64 {
		p.Vol = vol
		v, _ := p.AmericanDividends(k, dividends, m)
		return v
	}
	guess := p
	guess.Spot -= presentValue(p.relevant(dividends), p.Rate)
	return solveAmericanVol(value, guess, k, price, least)
}

// relevant returns the dividends between now and expiry.
func (p *BSM) relevant(dividends []Dividend) []Dividend {
	var out []Dividend
	for _, d := range dividends {
		if d.Years > 0 && d.Years <= p.Years && d.Cash > 0 {
			out = append(out, d)
		}
	}
	return out
}

// SpotWithoutDividends returns the spot without the present value of the cash
// dividends that go ex until expiry: what is lognormal when dividends are [Escrowed].
func SpotWithoutDividends(p BSM, dividends []Dividend) float64 {
	return p.Spot - presentValue(p.relevant(dividends), p.Rate)
}

func presentValue(dividends []Dividend, rate float64) float64 {
	sum := 0.0
	for _, d := range dividends {
		sum += d.Cash * math.Exp(-rate*d.Years)
	}
	return sum
}

// certainDividends is the value without randomness: exercised at expiry, or at
// the best of now, the ex-dates (just before and after) and expiry.
func (p *BSM) certainDividends(k Kind, dividends []Dividend, m DividendModel, american bool) float64 {
	if m == Escrowed {
		q := *p
		q.Spot -= presentValue(dividends, p.Rate)
		if !american {
			return q.price(k)
		}
	}
	// The path of a certain spot is the same in both models but for what it
	// earns: an escrowed dividend grows at the rate, the rest at rate less yield.
	at := func(t float64, paid bool) float64 {
		spot := p.Spot * math.Exp((p.Rate-p.Yield)*t)
		if m == Escrowed {
			spot = (p.Spot - presentValue(dividends, p.Rate)) * math.Exp((p.Rate-p.Yield)*t)
		}
		for _, d := range dividends {
			gone := d.Years < t || d.Years == t && paid
			switch {
			case m == SpotModel && gone:
				spot -= d.Cash * math.Exp((p.Rate-p.Yield)*(t-d.Years))
			case m == Escrowed && !gone:
				spot += d.Cash * math.Exp(-p.Rate*(d.Years-t))
			}
		}
		return math.Exp(-p.Rate*t) * max(float64(k)*(max(spot, 0)-p.Strike), 0)
	}
	best := at(p.Years, true)
	if !american {
		return best
	}
	best = max(best, at(0, false), at(p.Years, false))
	const between = 64
	last := 0.0
	for _, d := range append(append([]Dividend{}, dividends...), Dividend{Years: p.Years}) {
		best = max(best, at(d.Years, false), at(d.Years, true))
		for i := 1; i < between; i++ {
			best = max(best, at(last+(d.Years-last)*float64(i)/between, false))
		}
		last = d.Years
	}
	return best
}

func (p *BSM) checkDividends(k Kind, dividends []Dividend, m DividendModel) error {
	if m != Escrowed && m != SpotModel {
		return invalid.Field("model", int8(m), "Escrowed or SpotModel")
	}
	if _, _, ok := p.present(); !ok || !validKind(k) || !(p.Spot > 0) || !(p.Strike > 0) {
		q := *p
		if q.Years == 0 {
			q.Years = 1
		}
		if q.Spot == 0 {
			return invalid.Field("spot", p.Spot, "a price above 0")
		}
		if q.Strike == 0 {
			return invalid.Field("strike", p.Strike, "a price above 0")
		}
		return q.whyImpossible(k, 0)
	}
	if !(p.Vol >= 0 && p.Vol <= math.MaxFloat64) {
		return invalid.Field("vol", p.Vol, "a finite number, at least 0")
	}
	for _, d := range dividends {
		if !(math.Abs(d.Years) <= math.MaxFloat64) {
			return invalid.Field("dividend years", d.Years, "a finite number")
		}
		if !(d.Cash >= 0 && d.Cash <= math.MaxFloat64) {
			return invalid.Field("dividend cash", d.Cash, "a finite amount, at least 0")
		}
	}
	if pv := presentValue(p.relevant(dividends), p.Rate); !(pv < p.Spot) {
		return invalid.Fieldf("dividends", pv, "a present value below the spot, %v", p.Spot)
	}
	return nil
}
