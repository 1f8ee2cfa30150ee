package alpaca

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

// Instruments describes shares, crypto pairs and option contracts.
func (a *Adapter) Instruments(ctx context.Context, symbols []market.Symbol) ([]market.Instrument, error) {
	if err := checkSymbols(symbols); err != nil {
		return nil, err
	}
	ctx, cancel := a.bounded(ctx)
	defer cancel()
	found, failed := a.describe(ctx, symbols)
	out := make([]market.Instrument, 0, len(symbols))
	var absent []market.Symbol
	for _, s := range symbols {
		if in, ok := found[s]; ok {
			out = append(out, in)
		} else {
			absent = append(absent, s)
		}
	}
	if failed != nil {
		if len(out) == 0 {
			return nil, a.failure("describing instruments", failed)
		}
		return out, missing(absent, a.failure("describing instruments", failed))
	}
	return out, missing(absent, market.ErrUnknownSymbol)
}

// atOnce is how many symbols are asked for at a time: there is no route for several.
const atOnce = 4

func (a *Adapter) describe(ctx context.Context, symbols []market.Symbol) (map[market.Symbol]market.Instrument, error) {
	var (
		wait   sync.WaitGroup
		mu     sync.Mutex
		found  = map[market.Symbol]market.Instrument{}
		failed error
		turns  = make(chan struct{}, atOnce)
	)
	unique := slices.Compact(slices.Sorted(slices.Values(symbols)))
	for _, s := range unique {
		if _, ok := family(s); !ok {
			continue
		}
		turns <- struct{}{}
		wait.Go(func() {
			defer func() { <-turns }()
			in, err := a.instrument(ctx, s)
			mu.Lock()
			defer mu.Unlock()
			switch api, _ := errors.AsType[*APIError](err); {
			case err == nil:
				found[s] = in
			case api != nil && (api.Status == 404 || api.Status == 422):
			default:
				failed = errors.Join(failed, err)
			}
		})
	}
	wait.Wait()
	return found, failed
}

func (a *Adapter) instrument(ctx context.Context, s market.Symbol) (market.Instrument, error) {
	if s.Kind() == market.KindOption {
		c, err := a.client.OptionContract(ctx, wireSymbol(s))
		if err != nil {
			return market.Instrument{}, err
		}
		return contractInstrument(s, c), nil
	}
	asset, err := a.client.Asset(ctx, wireSymbol(s))
	if err != nil {
		return market.Instrument{}, err
	}
	return assetInstrument(asset), nil
}

func contractInstrument(s market.Symbol, c *OptionContract) market.Instrument {
	in := market.Instrument{
		Symbol: s, Kind: market.KindOption, Description: c.Name, Active: c.Status == "active" && c.Tradable, Multiplier: 100,
		Underlying: symbolOf(c.UnderlyingSymbol, ""),
	}
	if c.UnderlyingSymbol == "" {
		in.Underlying = underlyingOf(s)
	}
	if size := c.Size.Float(); size > 0 {
		in.Multiplier = size
	}
	return in
}

// exchanges by Alpaca's names, as market identifier codes.
var exchanges = map[string]string{"NASDAQ": "XNAS", "NYSE": "XNYS", "ARCA": "ARCX", "BATS": "BATS", "AMEX": "XASE"}

func assetInstrument(asset *Asset) market.Instrument {
	class := cmp.Or(asset.Class, asset.EarlyClass)
	symbol := symbolOf(asset.Symbol, class)
	in := market.Instrument{
		Symbol: symbol, Kind: symbol.Kind(), Description: asset.Name, Exchange: cmp.Or(exchanges[asset.Exchange], asset.Exchange),
		Active: asset.Status == "active" && asset.Tradable, Multiplier: 1,
		Optionable: slices.Contains(asset.Attributes, "options_enabled") || slices.Contains(asset.Attributes, "has_options"),
	}
	switch {
	case class == "crypto":
		if step := asset.PriceIncrement.Float(); step > 0 {
			in.Ticks = []market.Tick{{Below: math.Inf(1), Increment: step}}
		}
	default: // SEC rule 612
		in.Ticks = []market.Tick{{Below: 1, Increment: 0.0001}, {Below: math.Inf(1), Increment: 0.01}}
	}
	return in
}

// Search looks through the active assets, which are read once a day.
func (a *Adapter) Search(ctx context.Context, text string, limit int) ([]market.Instrument, error) {
	wanted := strings.ToUpper(strings.TrimSpace(text))
	switch {
	case wanted == "":
		return nil, invalid.Missing("text", "the start of a symbol, or part of a name")
	case limit < 0:
		return nil, invalid.Field("limit", limit, "0 for 20, or a positive number")
	case limit == 0:
		limit = 20
	}
	ctx, cancel := a.bounded(ctx)
	defer cancel()
	assets, err := a.assets(ctx)
	if err != nil {
		return nil, a.failure("searching", err)
	}
	type hit struct {
		asset *Asset
		rank  int
	}
	var hits []hit
	for i := range assets {
		symbol, name := assets[i].Symbol, strings.ToUpper(assets[i].Name)
		switch {
		case symbol == wanted:
			hits = append(hits, hit{&assets[i], 0})
		case strings.HasPrefix(symbol, wanted):
			hits = append(hits, hit{&assets[i], 1})
		case strings.HasPrefix(name, wanted):
			hits = append(hits, hit{&assets[i], 2})
		case strings.Contains(name, wanted):
			hits = append(hits, hit{&assets[i], 3})
		}
	}
	slices.SortStableFunc(hits, func(x, y hit) int {
		return cmp.Or(cmp.Compare(x.rank, y.rank), cmp.Compare(len(x.asset.Symbol), len(y.asset.Symbol)), cmp.Compare(x.asset.Symbol, y.asset.Symbol))
	})
	out := make([]market.Instrument, 0, min(limit, len(hits)))
	for _, h := range hits[:min(limit, len(hits))] {
		out = append(out, assetInstrument(h.asset))
	}
	return out, nil
}

func (a *Adapter) assets(ctx context.Context) ([]Asset, error) {
	a.caches.fetching.Lock()
	defer a.caches.fetching.Unlock()
	today := a.today()
	a.mu.Lock()
	kept := a.caches.assets
	a.mu.Unlock()
	if kept.day == today && kept.value != nil {
		return kept.value, nil
	}
	assets, err := a.client.Assets(ctx, AssetsQuery{Status: "active"})
	if err != nil {
		return nil, err
	}
	a.mu.Lock()
	a.caches.assets = dated[[]Asset]{today, assets}
	a.mu.Unlock()
	return assets, nil
}

// Events returns cash dividends and splits with an ex-date from from to to. Alpaca
// has no earnings, and little of what is more than days ahead.
func (a *Adapter) Events(ctx context.Context, symbol market.Symbol, from, to market.Date) ([]market.Event, error) {
	if err := checkSymbol("symbol", symbol); err != nil {
		return nil, err
	}
	if to.Compare(from) < 0 {
		return nil, invalid.Field("to", to.String(), "a date not before from")
	}
	if symbol.Kind() != market.KindEquity {
		return nil, fmt.Errorf("alpaca: events of %s: %w", symbol, market.ErrUnsupported)
	}
	ctx, cancel := a.bounded(ctx)
	defer cancel()
	q := CorporateActionsQuery{
		Symbols: []string{wireSymbol(symbol)}, Types: []string{"cash_dividend", "forward_split", "reverse_split"}, From: from, To: to, Limit: 1000,
	}
	events := []market.Event{}
	for {
		page, err := a.client.CorporateActions(ctx, q)
		if err != nil {
			return nil, a.failure("reading corporate actions", err)
		}
		for kind, list := range page.Actions {
			for i := range list {
				if e, ok := eventOf(symbol, kind, &list[i]); ok && e.Date.Compare(from) >= 0 && e.Date.Compare(to) <= 0 {
					events = append(events, e)
				}
			}
		}
		if page.NextPageToken == "" || page.NextPageToken == q.PageToken {
			break
		}
		q.PageToken = page.NextPageToken
	}
	slices.SortStableFunc(events, func(x, y market.Event) int { return cmp.Or(x.Date.Compare(y.Date), cmp.Compare(x.Kind, y.Kind)) })
	return events, nil
}

func eventOf(symbol market.Symbol, kind string, action *CorporateAction) (market.Event, bool) {
	e := market.Event{Symbol: symbol, Date: action.ExDate.Date}
	switch kind {
	case "cash_dividends":
		e.Kind, e.Value = market.Dividend, action.Rate.Float()
	case "forward_splits", "reverse_splits":
		e.Kind, e.Value = market.Split, action.NewRate.Float()/action.OldRate.Float()
	default:
		return e, false
	}
	if math.IsInf(e.Value, 0) {
		e.Value = math.NaN()
	}
	return e, !e.Date.IsZero()
}
