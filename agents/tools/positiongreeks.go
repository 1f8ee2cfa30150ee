package tools

import (
	"context"
	"slices"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
)

// A greeker computes the Greeks of a position; what has no price is unknown.
type greeker func(broker.Position) broker.Greeks

// greeks prices everything held, and returns what computes with it.
func (k *kit) greeks(ctx context.Context, holdings []holding) greeker {
	var symbols []market.Symbol
	need := func(s market.Symbol) {
		if s != "" && !slices.Contains(symbols, s) {
			symbols = append(symbols, s)
		}
	}
	for _, h := range holdings {
		for _, p := range h.positions {
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
	now := k.Clock.Now()
	return func(p broker.Position) broker.Greeks {
		at := broker.Pricing{Time: now, Rate: k.Rate, Spot: float64(quotes[p.Underlying].Mid)}
		if q := quotes[p.Symbol]; q.Bid > 0 && q.Ask.Known() {
			at.Price = float64(q.Mid)
		}
		return p.Greeks(at)
	}
}
