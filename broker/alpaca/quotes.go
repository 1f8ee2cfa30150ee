package alpaca

import (
	"context"
	"errors"
	"math"
	"slices"
	"time"

	"github.com/ttai-go/ttai/market"
)

// mostSymbols is how many symbols one request asks for: the limit of options.
const mostSymbols = 100

// Quotes returns the snapshot of each symbol, of the feed that was configured.
// Sizes are as Alpaca writes them.
func (a *Adapter) Quotes(ctx context.Context, symbols []market.Symbol) ([]market.Quote, error) {
	if err := checkSymbols(symbols); err != nil {
		return nil, err
	}
	ctx, cancel := a.bounded(ctx)
	defer cancel()
	found, failed := a.snapshots(ctx, symbols)
	quotes := make([]market.Quote, 0, len(symbols))
	var absent []market.Symbol
	for _, symbol := range symbols {
		if s := found[symbol]; s != nil {
			quotes = append(quotes, quoteOf(symbol, s))
		} else {
			absent = append(absent, symbol)
		}
	}
	switch {
	case failed != nil && len(quotes) == 0:
		return nil, a.failure("reading quotes", failed)
	case failed != nil:
		return quotes, missing(absent, a.failure("reading quotes", failed))
	}
	return quotes, missing(absent, market.ErrUnknownSymbol)
}

// snapshots returns what there is, and the first thing that failed.
func (a *Adapter) snapshots(ctx context.Context, symbols []market.Symbol) (map[market.Symbol]*Snapshot, error) {
	groups := map[Market][]string{}
	names := map[string]market.Symbol{}
	var failed error
	for _, s := range symbols {
		m, ok := family(s)
		if !ok {
			continue // no such instrument here
		}
		wire := wireSymbol(s)
		if _, twice := names[wire]; !twice {
			names[wire] = s
			groups[m] = append(groups[m], wire)
		}
	}
	found := map[market.Symbol]*Snapshot{}
	for _, m := range []Market{StockMarket, OptionMarket, CryptoMarket} {
		for chunk := range slices.Chunk(groups[m], mostSymbols) {
			got, err := a.client.Snapshots(ctx, m, chunk)
			if api, ok := errors.AsType[*APIError](err); ok && len(chunk) == 1 && (api.Status == 400 || api.Status == 404 || api.Status == 422) {
				continue // Alpaca refuses a symbol that it does not know
			}
			if err != nil {
				failed = errors.Join(failed, err)
				continue
			}
			for wire, s := range got {
				if symbol, ok := names[wire]; ok && s != nil {
					found[symbol] = s
				}
			}
		}
	}
	return found, failed
}

func quoteOf(symbol market.Symbol, s *Snapshot) market.Quote {
	q := market.NewQuote(symbol)
	if v := s.LatestQuote; v != nil {
		q.Bid, q.Ask, q.BidSize, q.AskSize = twoSided(v, symbol.Kind() == market.KindOption)
		q.Time = v.Time.Time
	}
	if v := s.LatestTrade; v != nil {
		q.Last = v.Price.Float()
		if v.Time.After(q.Time) {
			q.Time = v.Time.Time
		}
	}
	if v := s.DailyBar; v != nil {
		q.Open, q.High, q.Low, q.Volume = v.Open.Float(), v.High.Float(), v.Low.Float(), v.Volume.Float()
	}
	if v := s.PrevDailyBar; v != nil {
		q.PrevClose = v.Close.Float()
	}
	return q
}

// twoSided reads a quote. Alpaca writes 0 for a side that nobody quotes: an ask
// of 0 is no ask, and a bid of 0 is one only for options, beside an ask.
func twoSided(v *Quote, option bool) (bid, ask, bidSize, askSize float64) {
	bid, ask, bidSize, askSize = v.BidPrice.Float(), v.AskPrice.Float(), v.BidSize.Float(), v.AskSize.Float()
	if ask == 0 {
		ask, askSize = math.NaN(), math.NaN()
	}
	if bid == 0 && (!option || math.IsNaN(ask)) {
		bid, bidSize = math.NaN(), math.NaN()
	}
	return bid, ask, bidSize, askSize
}

// latest is the later of two times.
func latest(x, y time.Time) time.Time {
	if y.After(x) {
		return y
	}
	return x
}
