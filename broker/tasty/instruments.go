package tasty

import (
	"context"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/tastytrade"
)

// caches keep what rarely changes: descriptions for good, lists of contracts
// for a quarter of an hour within one day.
type caches struct {
	mu          sync.Mutex
	instruments map[market.Symbol]market.Instrument
	chains      map[market.Symbol]cachedChain
}

type cachedChain struct {
	at     time.Time
	chains []tastytrade.NestedChain
}

const chainLife = 15 * time.Minute

// Instruments describes shares, funds and indices, and options by what their
// symbol says; that an option is listed is not checked.
func (a *Adapter) Instruments(ctx context.Context, symbols []market.Symbol) ([]market.Instrument, error) {
	if err := checkSymbols(symbols); err != nil {
		return nil, err
	}
	ctx, cancel := a.bounded(ctx)
	defer cancel()
	// An option is described when its underlying can be.
	need := make([]market.Symbol, len(symbols))
	for i, symbol := range symbols {
		need[i] = symbol
		if c, ok := symbol.Contract(); ok {
			need[i] = underlyingOf(c.Root)
		}
	}
	known, err := a.describe(ctx, need)
	if err != nil {
		return nil, err
	}
	var absent []market.Symbol
	list := make([]market.Instrument, 0, len(symbols))
	for i, symbol := range symbols {
		in, ok := known[need[i]]
		if !ok {
			absent = append(absent, symbol)
			continue
		}
		if c, ok := symbol.Contract(); ok {
			in = market.Instrument{
				Symbol: symbol, Kind: market.KindOption, Exchange: "", Active: !c.Expiration.Before(a.today()),
				Description: in.Description + " " + c.Expiration.String() + " " + c.Kind.String(),
				Multiplier:  100, Ticks: in.OptionTicks, Underlying: in.Symbol,
			}
		}
		list = append(list, in)
	}
	return list, missing(absent, market.ErrUnknownSymbol)
}

// describe returns the shares, funds and indices among symbols that exist.
func (a *Adapter) describe(ctx context.Context, symbols []market.Symbol) (map[market.Symbol]market.Instrument, error) {
	result := make(map[market.Symbol]market.Instrument, len(symbols))
	var lacking []string
	a.caches.mu.Lock()
	for _, symbol := range symbols {
		if in, ok := a.caches.instruments[symbol]; ok {
			result[symbol] = in
		} else if symbol.Kind() == market.KindEquity && !slices.Contains(lacking, string(symbol)) {
			lacking = append(lacking, string(symbol))
		}
	}
	a.caches.mu.Unlock()
	for chunk := range slices.Chunk(lacking, 100) { // keeps the URL short
		page, err := a.client.Instruments.Equities(ctx, &tastytrade.EquitiesOptions{Symbols: chunk})
		if err != nil {
			return nil, a.failure("describing instruments", err)
		}
		a.caches.mu.Lock()
		if a.caches.instruments == nil {
			a.caches.instruments = map[market.Symbol]market.Instrument{}
		}
		for _, e := range page.Items {
			in := instrumentOf(e)
			result[in.Symbol] = in
			a.caches.instruments[in.Symbol] = in
		}
		a.caches.mu.Unlock()
	}
	return result, nil
}

func instrumentOf(e tastytrade.Equity) market.Instrument {
	return market.Instrument{
		Symbol: normal(e.Symbol), Kind: market.KindEquity, Description: e.Description, Exchange: e.ListedMarket,
		ETF: e.IsETF, Index: e.IsIndex, Active: e.Active, Multiplier: 1,
		Ticks: ticksOf(e.TickSizes), OptionTicks: ticksOf(e.OptionTickSizes), Optionable: len(e.OptionTickSizes) > 0,
	}
}

func ticksOf(sizes []tastytrade.TickSize) []market.Tick {
	var ticks []market.Tick
	for _, s := range sizes {
		tick := market.Tick{Below: math.Inf(1), Increment: float(s.Value)}
		if s.Threshold != nil {
			tick.Below = s.Threshold.InexactFloat64()
		}
		if tick.Increment > 0 && s.Symbol == "" { // one with a symbol is for spreads
			ticks = append(ticks, tick)
		}
	}
	slices.SortStableFunc(ticks, func(x, y market.Tick) int {
		switch {
		case x.Below < y.Below:
			return -1
		case x.Below > y.Below:
			return 1
		}
		return 0
	})
	return ticks
}

// underlyingOf is the underlying of an option root: the root itself but for
// the further roots of indices and for shares with a slash.
func underlyingOf(root string) market.Symbol {
	switch root {
	case "SPXW", "SPXQ":
		return "SPX"
	case "NDXP":
		return "NDX"
	case "RUTW":
		return "RUT"
	case "VIXW":
		return "VIX"
	case "DJXW":
		return "DJX"
	case "BRKB":
		return "BRK/B"
	case "BFB":
		return "BF/B"
	}
	return market.Symbol(strings.TrimRight(root, "0123456789")) // adjusted roots carry a digit
}

// Search finds instruments by the beginning of their symbol or by their name,
// as the broker's search does.
func (a *Adapter) Search(ctx context.Context, text string, limit int) ([]market.Instrument, error) {
	text = strings.TrimSpace(text)
	switch {
	case text == "" || len(text) > 64:
		return nil, invalid.Field("text", text, "1 to 64 characters of a symbol or a name")
	case limit < 0:
		return nil, invalid.Field("limit", limit, "a positive number, or 0 for the default")
	}
	ctx, cancel := a.bounded(ctx)
	defer cancel()
	found, err := a.client.Symbols.Search(ctx, text)
	if err != nil {
		if a.lacking(err) {
			err = market.ErrUnsupported
		}
		return nil, a.failureUnless(market.ErrUnsupported, "searching", err)
	}
	list := make([]market.Instrument, 0, len(found))
	for _, s := range found {
		if limit > 0 && len(list) == limit {
			break
		}
		list = append(list, market.Instrument{
			Symbol: normal(s.Symbol), Kind: kindOf(s.InstrumentType), Description: s.Description, Exchange: s.ListedMarket,
			ETF: s.ETF, Index: s.InstrumentType == tastytrade.TypeIndex, Active: true, Optionable: s.Options, Multiplier: 1,
		})
	}
	return list, nil
}
