package options

import (
	"math"
	"sort"

	"github.com/ttai-go/ttai/market"
)

// at returns the slices around years and how far between them it lies: the
// smile is a mix of both at weights 1-t and t of total variance. Outside of the
// slices it is one of them, scaled to the time.
func (s *Surface) at(years float64) (near, far *Slice, t, scale float64) {
	n := len(s.Slices)
	i := sort.Search(n, func(i int) bool { return s.Slices[i].Years >= years })
	switch {
	case i == n:
		return &s.Slices[n-1], &s.Slices[n-1], 0, years / s.Slices[n-1].Years
	case i == 0:
		return &s.Slices[0], &s.Slices[0], 0, years / s.Slices[0].Years
	}
	near, far = &s.Slices[i-1], &s.Slices[i]
	return near, far, (years - near.Years) / (far.Years - near.Years), 1
}

// slopes returns total variance at log-moneyness k and its derivatives.
func (s *Surface) slopes(k, years float64) (w, w1, w2 float64) {
	near, far, t, scale := s.at(years)
	w, w1, w2 = near.SVI.slopes(k)
	if t > 0 {
		v, v1, v2 := far.SVI.slopes(k)
		w, w1, w2 = w+t*(v-w), w1+t*(v1-w1), w2+t*(v2-w2)
	}
	return scale * w, scale * w1, scale * w2
}

// Forward returns the forward price: between expiries its growth is constant.
func (s *Surface) Forward(years float64) float64 {
	if !(years >= 0) || math.IsInf(years, 1) {
		return math.NaN()
	}
	near, far, t, scale := s.at(years)
	growth := math.Log(near.Forward / s.Spot)
	growth += t * (math.Log(far.Forward/s.Spot) - growth)
	return s.Spot * math.Exp(growth*scale)
}

// Rate returns the interest rate that the chain was valued with.
func (s *Surface) Rate(years float64) float64 {
	near, _, _, _ := s.at(years)
	return near.Rate
}

// Variance returns the total variance vol²·years at k = ln(strike/forward).
func (s *Surface) Variance(k, years float64) float64 {
	if !(years > 0) || math.IsInf(years, 1) {
		return math.NaN()
	}
	w, _, _ := s.slopes(k, years)
	return w
}

// Vol returns the implied volatility of a strike.
func (s *Surface) Vol(strike, years float64) float64 {
	if !(strike > 0) {
		return math.NaN()
	}
	return math.Sqrt(s.Variance(math.Log(strike/s.Forward(years)), years) / years)
}

// ATMVol returns the implied volatility at the forward: over years, the term
// structure; at 30/365, the constant maturity of a month.
func (s *Surface) ATMVol(years float64) float64 { return math.Sqrt(s.Variance(0, years) / years) }

// Model returns the option with the surface's forward and volatility.
func (s *Surface) Model(strike, years float64) BSM {
	rate := s.Rate(years)
	return BSM{Spot: s.Spot, Strike: strike, Years: years, Rate: rate,
		Yield: rate - math.Log(s.Forward(years)/s.Spot)/years, Vol: s.Vol(strike, years)}
}

// StrikeAtDelta returns the strike whose option has a forward delta, Φ(d1) for
// calls and -Φ(-d1) for puts: 0.25 and -0.25 are the 25-delta options. It is NaN
// when wings are so steep that no strike has it.
func (s *Surface) StrikeAtDelta(k Kind, delta, years float64) float64 {
	call := delta
	if k == Put {
		call = 1 + delta
	}
	if !validKind(k) || !(call > 0 && call < 1) || !(years > 0) || math.IsInf(years, 1) {
		return math.NaN()
	}
	excess := func(x float64) float64 {
		w, _, _ := s.slopes(x, years)
		return call - cumulative(-x/math.Sqrt(w)+0.5*math.Sqrt(w))
	}
	reach := 8*math.Sqrt(s.Variance(0, years)) + 0.1
	for range 8 { // steep wings push far deltas out
		if excess(-reach) < 0 && excess(reach) > 0 {
			break
		}
		reach *= 2
	}
	if !(excess(-reach) < 0 && excess(reach) > 0) {
		return math.NaN()
	}
	return s.Forward(years) * math.Exp(bisect(excess, -reach, reach))
}

// VolAtDelta returns the implied volatility at that strike.
func (s *Surface) VolAtDelta(k Kind, delta, years float64) float64 {
	return s.Vol(s.StrikeAtDelta(k, delta, years), years)
}

// Skew25 returns what the 25-delta put's volatility has over the call's.
func (s *Surface) Skew25(years float64) float64 {
	return s.VolAtDelta(Put, -0.25, years) - s.VolAtDelta(Call, 0.25, years)
}

// Term returns the at-the-money volatility of each expiry.
func (s *Surface) Term() []market.TermVol {
	term := make([]market.TermVol, len(s.Slices))
	for i, slice := range s.Slices {
		term[i] = market.TermVol{Expiration: slice.Date, IV: math.Sqrt(slice.SVI.Variance(0) / slice.Years)}
	}
	return term
}

// LocalVol returns the local volatility at a price and a time from now: what
// makes a diffusion reproduce the whole surface (Dupire 1994), in terms of total
// variance over k and time (Gatheral, The Volatility Surface, 1.10):
//
//	σ²(k, T) = (∂w/∂T) / g(k)
//
// It is NaN where the surface has arbitrage. Between expiries it is constant in
// ∂w/∂T and jumps at them.
func (s *Surface) LocalVol(price, years float64) float64 {
	if !(price > 0) || !(years > 0) || math.IsInf(price, 1) || math.IsInf(years, 1) {
		return math.NaN()
	}
	k := math.Log(price / s.Forward(years))
	near, far, t, _ := s.at(years)
	rise := near.SVI.Variance(k) / near.Years
	if t > 0 {
		rise = (far.SVI.Variance(k) - near.SVI.Variance(k)) / (far.Years - near.Years)
	}
	g := durrleman(k, func(k float64) (float64, float64, float64) { return s.slopes(k, years) })
	if !(g > 0) || !(rise >= 0) {
		return math.NaN()
	}
	return math.Sqrt(rise / g)
}
