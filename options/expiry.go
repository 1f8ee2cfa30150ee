package options

import "math"

// atmReach is how far from the forward, as a share of it, a strike may lie to
// say something about the money.
const atmReach = 0.25

// ATMVol returns the implied volatility at the forward: linear in the strike
// between the nearest strikes on either side, each the mean of its call and
// put, the narrower quote weighing more. Strikes whose call and put contradict
// the forward, or whose spread leaves the volatility open by half, count only
// when there are no others. With strikes on one side only, the nearest counts
// when it is within 5 % of the forward. It is NaN when unknown.
func (e Expiry) ATMVol() float64 {
	if vol := e.atmVol(true); !math.IsNaN(vol) {
		return vol
	}
	return e.atmVol(false)
}

func (e Expiry) atmVol(strict bool) float64 {
	var k1, v1, k2, v2 = math.NaN(), math.NaN(), math.NaN(), math.NaN()
	for i := 0; i < len(e.Contracts); {
		strike, first := e.Contracts[i].Strike, i
		for i < len(e.Contracts) && e.Contracts[i].Strike == strike {
			i++
		}
		if math.Abs(strike/e.Forward-1) > atmReach {
			continue
		}
		vol := e.strikeVol(e.Contracts[first:i], strict)
		if math.IsNaN(vol) {
			continue
		}
		if strike <= e.Forward {
			k1, v1 = strike, vol
			continue
		}
		k2, v2 = strike, vol
		break
	}
	near := func(k float64) bool { return math.Abs(k/e.Forward-1) <= 0.05 }
	switch {
	case k1 == e.Forward || math.IsNaN(k2) && near(k1):
		return v1
	case math.IsNaN(k1) && near(k2):
		return v2
	}
	return v1 + (v2-v1)*(e.Forward-k1)/(k2-k1)
}

// strikeVol returns the volatility that the contracts of one strike tell, NaN
// when they tell none or, if strict, none to be trusted.
func (e Expiry) strikeVol(contracts []Contract, strict bool) float64 {
	if strict {
		for _, p := range parityPairs(contracts, growth(e.Rate, e.Years)) {
			if math.Abs(p.forward-e.Forward) > p.width+0.002*e.Forward {
				return math.NaN()
			}
		}
	}
	var sum, total float64
	for i := range contracts {
		c := &contracts[i]
		if !twoSided(c) || math.IsNaN(c.IV) {
			continue
		}
		open := 0.5 * (c.Ask - c.Bid) / c.Vega // half the spread, in volatility
		if strict && !(open <= 0.5*c.IV) {
			continue
		}
		weight := 1 / ((open + 1e-4) * (open + 1e-4))
		sum += weight * c.IV
		total += weight
	}
	return sum / total // NaN without any
}

// ExpectedMove returns one standard deviation of the price at expiry, in price
// units and to first order:
//
//	Spot · ATMVol · √Years
//
// Under the lognormal distribution the price ends within it about 68 times in
// 100. It is NaN when unknown.
func (e Expiry) ExpectedMove() float64 { return e.Spot * e.ATMVol() * math.Sqrt(e.Years) }

// StraddleMove returns the mid price of the straddle at the strike nearest to
// the forward, what the market pays for the mean absolute move: about 0.8 of
// [Expiry.ExpectedMove]. Away from the money a straddle costs more than that;
// it is NaN when no strike within half an ExpectedMove has both mids.
func (e Expiry) StraddleMove() float64 {
	best, distance := math.NaN(), 0.5*e.ExpectedMove()
	for i := 0; i+1 < len(e.Contracts); i++ {
		call, put := &e.Contracts[i], &e.Contracts[i+1]
		if call.Kind != Call || put.Kind != Put || call.Strike != put.Strike {
			continue
		}
		if d := math.Abs(call.Strike - e.Forward); d <= distance && !math.IsNaN(call.Mid+put.Mid) {
			best, distance = call.Mid+put.Mid, d
		}
	}
	return best
}
