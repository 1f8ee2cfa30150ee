package tasty

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/internal/occ"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/tastytrade"
	"github.com/ttai-go/ttai/tastytrade/dxlink"
)

// Quotes returns the REST snapshot of each symbol. Where that route fails, as
// it does in the sandbox, shares and options are read from the stream.
func (a *Adapter) Quotes(ctx context.Context, symbols []market.Symbol) ([]market.Quote, error) {
	if err := checkSymbols(symbols); err != nil {
		return nil, err
	}
	ctx, cancel := a.bounded(ctx)
	defer cancel()
	inner, stop := early(ctx)
	defer stop()
	data, why, err := a.snapshots(inner, symbols)
	found := make(map[market.Symbol]market.Quote, len(data))
	for symbol, d := range data {
		found[symbol] = quoteOf(symbol, d)
	}
	if err != nil && len(found) == 0 {
		if found, why = a.streamedQuotes(inner, symbols); len(found) == 0 {
			return nil, a.failure("reading quotes", err)
		}
		a.opts.Logger.Warn("quotes come from the stream", "error", err)
	}
	quotes := make([]market.Quote, 0, len(symbols))
	var absent []market.Symbol
	for _, symbol := range symbols {
		if q, ok := found[symbol]; ok {
			quotes = append(quotes, q)
		} else {
			absent = append(absent, symbol)
		}
	}
	return quotes, missing(absent, why)
}

// snapshots reads by-type snapshots in requests of at most a hundred symbols.
// Why is the reason for those that are absent.
func (a *Adapter) snapshots(ctx context.Context, symbols []market.Symbol) (data map[market.Symbol]tastytrade.MarketData, why, err error) {
	data = make(map[market.Symbol]tastytrade.MarketData, len(symbols))
	rest := slices.Clone(symbols)
	slices.Sort(rest)
	rest = slices.Compact(rest)
	var plain []market.Symbol // neither found nor of a kind that the symbol's form tells
	for chunk := range slices.Chunk(rest, tastytrade.MaxByType) {
		var req tastytrade.ByTypeRequest
		for _, symbol := range chunk {
			add(&req, symbol)
		}
		list, err := a.client.MarketData.ByType(ctx, req)
		if err != nil {
			return data, a.failure("reading quotes", err), err
		}
		for _, d := range list {
			data[normal(d.Symbol)] = d
		}
		for _, symbol := range chunk {
			if _, ok := data[symbol]; !ok && symbol.Kind() == market.KindEquity {
				plain = append(plain, symbol)
			}
		}
	}
	// Some indices are equities to the broker and some are not (SPX, VIX), and
	// the symbol does not say which: ask once more for those not found.
	for chunk := range slices.Chunk(plain, tastytrade.MaxByType) {
		var req tastytrade.ByTypeRequest
		for _, symbol := range chunk {
			req.Indices = append(req.Indices, string(symbol))
		}
		list, err := a.client.MarketData.ByType(ctx, req)
		if err != nil {
			return data, a.failure("reading quotes", err), err
		}
		for _, d := range list {
			data[normal(d.Symbol)] = d
		}
	}
	return data, market.ErrUnknownSymbol, nil
}

// add puts a symbol into the group of its kind.
func add(req *tastytrade.ByTypeRequest, symbol market.Symbol) {
	group := &req.Equities
	switch symbol.Kind() {
	case market.KindOption:
		group = &req.EquityOptions
	case market.KindFuture:
		group = &req.Futures
	case market.KindFutureOption:
		group = &req.FutureOptions
	case market.KindCrypto:
		group = &req.Cryptocurrencies
	}
	*group = append(*group, string(symbol))
}

func quoteOf(symbol market.Symbol, d tastytrade.MarketData) market.Quote {
	return market.Quote{
		Symbol: symbol, Time: d.UpdatedAt,
		Bid: float(d.Bid), Ask: float(d.Ask), BidSize: float(d.BidSize), AskSize: float(d.AskSize), Last: float(d.Last),
		Open: float(d.Open), High: float(d.DayHighPrice), Low: float(d.DayLowPrice), PrevClose: float(d.PrevClose),
		Volume: float(d.Volume), Halted: d.IsTradingHalted,
	}
}

// float is the nearest float64, NaN for nil.
func float(d *decimal.Decimal) float64 {
	if d == nil {
		return math.NaN()
	}
	return d.InexactFloat64()
}

// streamedQuotes reads quotes from the stream, for shares and options.
func (a *Adapter) streamedQuotes(ctx context.Context, symbols []market.Symbol) (found map[market.Symbol]market.Quote, why error) {
	found = map[market.Symbol]market.Quote{}
	names := map[string]market.Symbol{}
	for _, symbol := range symbols {
		if name, ok := streamerSymbol(symbol); ok {
			names[name] = symbol
		}
	}
	if len(names) == 0 {
		return found, market.ErrUnsupported
	}
	got, err := a.gather(ctx, names, false)
	if err != nil {
		return found, err
	}
	for name, symbol := range names {
		quote, ok := got.quotes[name]
		if !ok {
			continue
		}
		q := market.NewQuote(symbol)
		q.Time, q.Bid, q.Ask, q.BidSize, q.AskSize = latest(quote.BidTime, quote.AskTime), quote.Bid, quote.Ask, quote.BidSize, quote.AskSize
		if t, ok := got.trades[name]; ok {
			q.Last, q.Volume, q.Time = t.Price, t.DayVolume, latest(q.Time, t.Time)
		}
		if s, ok := got.summaries[name]; ok {
			q.Open, q.High, q.Low, q.PrevClose = s.DayOpen, s.DayHigh, s.DayLow, s.PrevDayClose
		}
		found[symbol] = q
	}
	return found, market.ErrNoData
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// streamerSymbol is the stream's name of a share or an equity option.
func streamerSymbol(symbol market.Symbol) (string, bool) {
	switch symbol.Kind() {
	case market.KindEquity:
		return string(symbol), true
	case market.KindOption:
		o, err := occ.Parse(string(symbol))
		return o.Streamer(), err == nil
	}
	return "", false
}

// checkSymbols refuses what cannot be a symbol.
func checkSymbols(symbols []market.Symbol) error {
	if len(symbols) == 0 {
		return invalid.Missing("symbols", "at least one symbol")
	}
	for _, s := range symbols {
		if err := checkSymbol("symbols", s); err != nil {
			return err
		}
	}
	return nil
}

func checkSymbol(field string, symbol market.Symbol) error {
	if parsed, err := market.ParseSymbol(string(symbol)); err != nil || parsed != symbol {
		return invalid.Field(field, string(symbol), "a symbol as market.ParseSymbol returns it")
	}
	return nil
}

// snapshot is what the stream told about a set of symbols, by streamer symbol.
type snapshot struct {
	quotes    map[string]dxlink.Quote
	trades    map[string]dxlink.Trade
	summaries map[string]dxlink.Summary
	greeks    map[string]dxlink.Greeks
}
