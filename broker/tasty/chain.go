package tasty

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/tastytrade"
)

// mostContracts is how many contracts one chain may have: the stream gives up
// on more.
const mostContracts = 5000

// Expirations lists the expirations of an underlying's standard options. It is
// empty for an underlying without options.
func (a *Adapter) Expirations(ctx context.Context, underlying market.Symbol) ([]market.Expiration, error) {
	if err := checkSymbol("underlying", underlying); err != nil {
		return nil, err
	}
	ctx, cancel := a.bounded(ctx)
	defer cancel()
	chains, style, err := a.contracts(ctx, underlying)
	if err != nil {
		return nil, err
	}
	list := []market.Expiration{}
	for _, chain := range chains {
		for _, e := range chain.Expirations {
			expiration := market.Expiration{
				Underlying: underlying, Root: chain.RootSymbol, Date: e.ExpirationDate, Settlement: market.Settlement(e.SettlementType), Style: style,
			}
			for _, s := range e.Strikes {
				expiration.Strikes = append(expiration.Strikes, s.Price.InexactFloat64())
			}
			slices.Sort(expiration.Strikes)
			list = append(list, expiration)
		}
	}
	slices.SortFunc(list, func(x, y market.Expiration) int {
		return cmp.Or(x.Date.Compare(y.Date), cmp.Compare(x.Root, y.Root))
	})
	return list, nil
}

// contracts returns the standard chains of an underlying, kept for a while, and
// how its options may be exercised.
func (a *Adapter) contracts(ctx context.Context, underlying market.Symbol) ([]tastytrade.NestedChain, market.ExerciseStyle, error) {
	described, err := a.describe(ctx, []market.Symbol{underlying})
	if err != nil {
		return nil, "", err
	}
	in, ok := described[underlying]
	if !ok {
		return nil, "", missing([]market.Symbol{underlying}, market.ErrUnknownSymbol)
	}
	style := market.American
	if in.Index {
		style = market.European
	}
	now := a.now()
	a.caches.mu.Lock()
	cached, ok := a.caches.chains[underlying]
	a.caches.mu.Unlock()
	if ok && now.Sub(cached.at).Abs() < chainLife && market.DateOf(cached.at) == market.DateOf(now) {
		return cached.chains, style, nil
	}
	chains, err := a.client.OptionChains.Nested(ctx, string(underlying))
	if err != nil {
		return nil, "", a.symbolFailure("listing options", underlying, err)
	}
	chains = slices.DeleteFunc(chains, func(c tastytrade.NestedChain) bool { return c.OptionChainType != "" && c.OptionChainType != "Standard" })
	a.caches.mu.Lock()
	defer a.caches.mu.Unlock()
	if a.caches.chains == nil {
		a.caches.chains = map[market.Symbol]cachedChain{}
	}
	a.caches.chains[underlying] = cachedChain{at: now, chains: chains}
	return chains, style, nil
}

// Chain returns the quotes of an underlying's options. A contract that the
// stream did not tell a quote of by the deadline is named in the
// [market.MissingError]; Greeks, last trade and open interest that did not come
// are NaN.
func (a *Adapter) Chain(ctx context.Context, req market.ChainRequest) ([]market.OptionQuote, error) {
	if err := checkChainRequest(req); err != nil {
		return nil, err
	}
	ctx, cancel := a.bounded(ctx)
	defer cancel()
	inner, stop := early(ctx)
	defer stop()
	chains, style, err := a.contracts(inner, req.Underlying)
	if err != nil {
		return nil, err
	}
	spot := math.NaN()
	quotes, err := a.Quotes(inner, []market.Symbol{req.Underlying})
	if len(quotes) == 1 {
		spot = quotes[0].Mid()
	}
	if math.IsNaN(spot) && req.Strikes > 0 {
		return nil, fmt.Errorf("tasty: the price of %s, to find the strikes near it: %w", req.Underlying, cmp.Or(err, error(market.ErrNoData)))
	}
	list := chosen(chains, req, style, spot)
	switch {
	case len(list) == 0:
		return nil, fmt.Errorf("tasty: no listed option of %s fits the request: %w", req.Underlying, market.ErrNoData)
	case len(list) > mostContracts:
		return nil, invalid.Fieldf("expirations", len(req.Expirations), "expirations, strikes or a number of strikes that leave at most %d contracts; this leaves %d", mostContracts, len(list))
	}
	return a.fill(inner, list)
}

func checkChainRequest(req market.ChainRequest) error {
	switch {
	case !(req.MinStrike >= 0):
		return invalid.Field("min_strike", req.MinStrike, "0 for no limit, or a price above 0")
	case !(req.MaxStrike >= 0) || req.MaxStrike > 0 && req.MaxStrike < req.MinStrike:
		return invalid.Field("max_strike", req.MaxStrike, "0 for no limit, or a price not below min_strike")
	case req.Strikes < 0:
		return invalid.Field("strikes", req.Strikes, "0 for all, or a positive number of strikes")
	}
	return checkSymbol("underlying", req.Underlying)
}

// chosen lists the contracts that the request wants, in its order, every number
// but the strike unknown.
func chosen(chains []tastytrade.NestedChain, req market.ChainRequest, style market.ExerciseStyle, spot float64) []market.OptionQuote {
	var list []market.OptionQuote
	for _, chain := range chains {
		multiplier := 100.0
		if n := chain.SharesPerContract; n != nil && *n > 0 {
			multiplier = float64(*n)
		}
		for _, e := range chain.Expirations {
			if len(req.Expirations) > 0 && !slices.Contains(req.Expirations, e.ExpirationDate) {
				continue
			}
			for _, strike := range nearest(e.Strikes, req, spot) {
				base := newOptionQuote()
				base.Underlying, base.Root, base.Strike, base.Expiration = req.Underlying, chain.RootSymbol, strike.Price.InexactFloat64(), e.ExpirationDate
				base.Style, base.Settlement, base.Multiplier, base.Spot = style, market.Settlement(e.SettlementType), multiplier, spot
				for _, side := range []struct {
					kind   market.OptionKind
					symbol string
				}{{market.Call, strike.Call}, {market.Put, strike.Put}} {
					if side.symbol != "" {
						base.Kind, base.Symbol = side.kind, normal(side.symbol)
						list = append(list, base)
					}
				}
			}
		}
	}
	slices.SortFunc(list, func(x, y market.OptionQuote) int {
		return cmp.Or(x.Expiration.Compare(y.Expiration), cmp.Compare(x.Root, y.Root), cmp.Compare(x.Strike, y.Strike), cmp.Compare(y.Kind, x.Kind))
	})
	return list
}

// nearest returns the strikes of one expiration that the request wants.
func nearest(strikes []tastytrade.Strike, req market.ChainRequest, spot float64) []tastytrade.Strike {
	strikes = slices.Clone(strikes)
	slices.SortFunc(strikes, func(x, y tastytrade.Strike) int { return x.Price.Cmp(y.Price) })
	strikes = slices.DeleteFunc(strikes, func(s tastytrade.Strike) bool {
		price := s.Price.InexactFloat64()
		return price < req.MinStrike || req.MaxStrike > 0 && price > req.MaxStrike
	})
	for n := req.Strikes; n > 0 && len(strikes) > n; {
		if spot-strikes[0].Price.InexactFloat64() > strikes[len(strikes)-1].Price.InexactFloat64()-spot {
			strikes = strikes[1:]
		} else {
			strikes = strikes[:len(strikes)-1]
		}
	}
	return strikes
}

func newOptionQuote() market.OptionQuote {
	n := math.NaN()
	return market.OptionQuote{
		Bid: n, Ask: n, BidSize: n, AskSize: n, Last: n, Volume: n, OpenInterest: n,
		IV: n, Delta: n, Gamma: n, Theta: n, Vega: n, Rho: n, Spot: n,
	}
}

// fill asks the stream for the contracts of list.
func (a *Adapter) fill(ctx context.Context, list []market.OptionQuote) ([]market.OptionQuote, error) {
	names := make(map[string]market.Symbol, len(list))
	streamer := make([]string, len(list))
	for i := range list {
		if name, ok := streamerSymbol(list[i].Symbol); ok {
			streamer[i] = name
			names[name] = list[i].Symbol
		}
	}
	got, err := a.gather(ctx, names, true)
	if err != nil {
		return nil, err
	}
	quotes := make([]market.OptionQuote, 0, len(list))
	var absent []market.Symbol
	for i, o := range list {
		q, ok := got.quotes[streamer[i]]
		if !ok {
			absent = append(absent, o.Symbol)
			continue
		}
		o.Time, o.Bid, o.Ask, o.BidSize, o.AskSize = latest(q.BidTime, q.AskTime), q.Bid, q.Ask, q.BidSize, q.AskSize
		if t, ok := got.trades[streamer[i]]; ok {
			o.Last, o.Volume = t.Price, t.DayVolume
		}
		if s, ok := got.summaries[streamer[i]]; ok {
			o.OpenInterest = s.OpenInterest
		}
		if g, ok := got.greeks[streamer[i]]; ok {
			o.IV, o.Delta, o.Gamma, o.Theta, o.Vega, o.Rho = g.Volatility, g.Delta, g.Gamma, g.Theta, shift(g.Vega, 2), shift(g.Rho, 2)
		}
		quotes = append(quotes, o)
	}
	why := market.ErrNoData
	if ctx.Err() != nil {
		why = context.DeadlineExceeded
	}
	if len(quotes) == 0 && ctx.Err() != nil {
		return nil, a.failure("reading the option chain", ctx.Err())
	}
	return quotes, missing(absent, why)
}

// shift moves the decimal point, exactly where multiplying would round.
func shift(x float64, places int32) float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return x
	}
	return decimal.NewFromFloat(x).Shift(places).InexactFloat64()
}
