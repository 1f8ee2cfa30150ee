package tools

import (
	"context"
	"math"
	"slices"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/options"
)

// unitGreeks are the Greeks of one unit (share or contract's share) of an
// instrument, in a trader's units, and its underlying's price. The zero value
// stands for an instrument that was not looked at: all unknown.
type unitGreeks struct {
	known                           bool
	delta, gamma, theta, vega, spot float64
}

// times are the Greeks of a position; NaN when unknown.
func (g unitGreeks) times(p broker.Position) unitGreeks {
	n := math.NaN()
	if !g.known {
		return unitGreeks{delta: n, gamma: n, theta: n, vega: n, spot: n}
	}
	q := p.Quantity.Mul(p.Multiplier).InexactFloat64()
	return unitGreeks{known: true, delta: q * g.delta, gamma: q * g.gamma, theta: q * g.theta, vega: q * g.vega, spot: g.spot}
}

// greeks computes those of everything held. What has no price, or is an option
// of a kind that the formula is not for, is left unknown.
func (k *kit) greeks(ctx context.Context, holdings []holding) map[market.Symbol]unitGreeks {
	var positions []broker.Position
	var symbols []market.Symbol
	need := func(s market.Symbol) {
		if s != "" && !slices.Contains(symbols, s) {
			symbols = append(symbols, s)
		}
	}
	for _, h := range holdings {
		for _, p := range h.positions {
			positions = append(positions, p)
			if p.Symbol.Kind() == market.KindOption {
				need(p.Symbol)
				need(p.Underlying)
			}
		}
	}
	var quotes map[market.Symbol]quoteRow
	if len(symbols) > 0 {
		var err error
		if quotes, err = cached(ctx, k, "quote", quoteTTL, symbols, k.fetchQuotes); err != nil {
			k.Logger.DebugContext(ctx, "some positions have no quote", "error", err)
		}
	}
	out := map[market.Symbol]unitGreeks{}
	for _, p := range positions {
		if _, done := out[p.Symbol]; done {
			continue
		}
		mark := math.NaN()
		if p.Mark != nil {
			mark = p.Mark.InexactFloat64()
		}
		switch p.Symbol.Kind() {
		case market.KindEquity, market.KindCrypto, market.KindFuture:
			out[p.Symbol] = unitGreeks{known: true, delta: 1, spot: mark}
		case market.KindOption:
			out[p.Symbol] = k.optionGreeks(p.Symbol, quotes[p.Symbol], quotes[p.Underlying], mark)
		}
	}
	return out
}

func (k *kit) optionGreeks(symbol market.Symbol, quote, underlying quoteRow, mark float64) unitGreeks {
	c, ok := symbol.Contract()
	spot := float64(underlying.Mid)
	if !ok || !(spot > 0) {
		return unitGreeks{}
	}
	settlement := market.SettledPM
	if c.Root == "SPX" || c.Root == "NDX" || c.Root == "RUT" {
		settlement = market.SettledAM // their weekly roots differ
	}
	expiry := options.ExpiryTime(c.Expiration, settlement, market.CboeOptions())
	p := options.BSM{Spot: spot, Strike: c.Strike, Years: options.YearsToExpiry(k.Clock.Now(), expiry), Rate: k.Rate}
	price := mark
	if quote.Bid > 0 && quote.Ask.Known() {
		price = float64(quote.Mid)
	}
	vol, err := p.ImpliedVol(c.Kind, price)
	if err != nil || math.IsNaN(vol) {
		return unitGreeks{}
	}
	p.Vol = vol
	g := p.Greeks(c.Kind)
	return unitGreeks{known: true, delta: g.Delta, gamma: g.Gamma, theta: g.ThetaPerDay(), vega: g.VegaPerPoint(), spot: spot}
}
