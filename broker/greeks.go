package broker

import (
	"math"
	"time"

	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/options"
)

// Greeks are how the value of a position moves, in a trader's units and for the
// whole position, short ones with their sign. NaN is not known.
type Greeks struct {
	Delta float64 // in units of the underlying: shares
	Gamma float64 // change of Delta per dollar of the underlying
	Theta float64 // dollars per calendar day
	Vega  float64 // dollars per point of volatility: 0.20 → 0.21
	// Spot is the underlying's price that they hold at.
	Spot float64
}

// UnknownGreeks are those of what cannot be valued.
func UnknownGreeks() Greeks {
	n := math.NaN()
	return Greeks{n, n, n, n, n}
}

// Plus adds the Greeks of positions in one underlying. What is unknown on either
// side is unknown in the sum.
func (g Greeks) Plus(other Greeks) Greeks {
	return Greeks{g.Delta + other.Delta, g.Gamma + other.Gamma, g.Theta + other.Theta, g.Vega + other.Vega, g.Spot}
}

// Known tells whether there is anything to go by.
func (g Greeks) Known() bool { return !math.IsNaN(g.Delta) }

// A Pricing is what an option's Greeks are computed from.
type Pricing struct {
	Time time.Time
	Spot float64 // of the underlying
	// Price is the option's, per unit; its volatility is implied from it. NaN or 0:
	// the position's mark.
	Price float64
	Rate  float64 // risk-free, continuous, per year
	Yield float64 // dividend yield, continuous, per year
}

// Greeks computes a position's Greeks. Shares, futures and coins have a delta of
// their quantity × multiplier and no other. Those of an option are of
// Black-Scholes-Merton at the volatility that its price implies: exact for European
// options without cash dividends, an approximation for others. What has no price, or
// a price that no volatility explains, is unknown.
func (p Position) Greeks(at Pricing) Greeks {
	mark := math.NaN()
	if p.Mark != nil {
		mark = p.Mark.InexactFloat64()
	}
	quantity := p.Quantity.Mul(p.Multiplier).InexactFloat64()
	switch p.Symbol.Kind() {
	case market.KindEquity, market.KindCrypto, market.KindFuture:
		return Greeks{Delta: quantity, Spot: mark}
	case market.KindOption:
	default:
		return UnknownGreeks()
	}
	c, ok := p.Symbol.Contract()
	if !ok || !(at.Spot > 0) {
		return UnknownGreeks()
	}
	settlement := market.SettledPM
	if c.Root == "SPX" || c.Root == "NDX" || c.Root == "RUT" {
		settlement = market.SettledAM // their weekly roots differ
	}
	expiry := options.ExpiryTime(c.Expiration, settlement, market.CboeOptions())
	model := options.BSM{Spot: at.Spot, Strike: c.Strike, Years: options.YearsToExpiry(at.Time, expiry), Rate: at.Rate, Yield: at.Yield}
	price := at.Price
	if !(price > 0) {
		price = mark
	}
	vol, err := model.ImpliedVol(c.Kind, price)
	if err != nil || math.IsNaN(vol) {
		return UnknownGreeks()
	}
	model.Vol = vol
	g := model.Greeks(c.Kind)
	return Greeks{Delta: quantity * g.Delta, Gamma: quantity * g.Gamma, Theta: quantity * g.ThetaPerDay(), Vega: quantity * g.VegaPerPoint(), Spot: at.Spot}
}
