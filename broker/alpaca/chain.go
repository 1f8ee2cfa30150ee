package alpaca

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"sync"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

// caches keep what changes once a day. The adapter's mutex guards them.
type caches struct {
	contracts map[market.Symbol]dated[[]OptionContract]
	assets    dated[[]Asset]
	fetching  sync.Mutex // of assets: a large answer
}

type dated[T any] struct {
	day   market.Date
	value T
}

// mostContracts is how many contracts one page has, and mostSnapshots snapshots.
const (
	mostContracts = 10_000
	mostSnapshots = 1_000
)

// contracts lists the contracts of an underlying that have not expired, kept for
// the day.
func (a *Adapter) contracts(ctx context.Context, underlying market.Symbol) ([]OptionContract, error) {
	today := a.today()
	a.mu.Lock()
	kept, ok := a.caches.contracts[underlying]
	a.mu.Unlock()
	if ok && kept.day == today {
		return kept.value, nil
	}
	q := ContractsQuery{
		Underlyings: []string{wireSymbol(underlying)}, Status: "active", ExpirationFrom: today, ExpirationTo: today.AddDays(5 * 366), Limit: mostContracts,
	}
	var all []OptionContract
	for {
		page, err := a.client.OptionContracts(ctx, q)
		if err != nil {
			return nil, a.failure("listing options", err)
		}
		all = append(all, page.Contracts...)
		if page.NextPageToken == "" || page.NextPageToken == q.PageToken {
			break
		}
		q.PageToken = page.NextPageToken
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.caches.contracts == nil {
		a.caches.contracts = map[market.Symbol]dated[[]OptionContract]{}
	}
	a.caches.contracts[underlying] = dated[[]OptionContract]{today, all}
	return all, nil
}

// Expirations lists the expirations of an underlying's options. It is empty for an
// underlying without options.
func (a *Adapter) Expirations(ctx context.Context, underlying market.Symbol) ([]market.Expiration, error) {
	if err := checkSymbol("underlying", underlying); err != nil {
		return nil, err
	}
	ctx, cancel := a.bounded(ctx)
	defer cancel()
	contracts, err := a.contracts(ctx, underlying)
	if err != nil {
		return nil, err
	}
	if len(contracts) == 0 {
		_, err := a.Instruments(ctx, []market.Symbol{underlying}) // unknown, or without options
		return []market.Expiration{}, err
	}
	type key struct {
		date market.Date
		root string
	}
	byKey := map[key]*market.Expiration{}
	for i := range contracts {
		c, ok := symbolOf(contracts[i].Symbol, "").Contract()
		if !ok {
			continue
		}
		k := key{c.Expiration, c.Root}
		e := byKey[k]
		if e == nil {
			style, settlement, _ := c.Terms()
			if contracts[i].Style != "" {
				style = market.ExerciseStyle(contracts[i].Style)
			}
			e = &market.Expiration{Underlying: underlying, Root: c.Root, Date: c.Expiration, Settlement: settlement, Style: style}
			byKey[k] = e
		}
		e.Strikes = append(e.Strikes, c.Strike)
	}
	list := make([]market.Expiration, 0, len(byKey))
	for _, e := range byKey {
		slices.Sort(e.Strikes)
		e.Strikes = slices.Compact(e.Strikes)
		list = append(list, *e)
	}
	slices.SortFunc(list, func(x, y market.Expiration) int {
		return cmp.Or(x.Date.Compare(y.Date), cmp.Compare(x.Root, y.Root))
	})
	return list, nil
}

// Chain returns the snapshots of an underlying's options, with implied volatility
// and Greeks where Alpaca has them, and open interest of the day before.
func (a *Adapter) Chain(ctx context.Context, req market.ChainRequest) ([]market.OptionQuote, error) {
	if err := checkSymbol("underlying", req.Underlying); err != nil {
		return nil, err
	}
	switch {
	case req.Strikes < 0:
		return nil, invalid.Field("strikes", req.Strikes, "0 for all, or a positive number")
	case req.MinStrike < 0 || math.IsNaN(req.MinStrike):
		return nil, invalid.Field("minStrike", req.MinStrike, "a price, or 0 for no limit")
	case req.MaxStrike < 0 || math.IsNaN(req.MaxStrike):
		return nil, invalid.Field("maxStrike", req.MaxStrike, "a price, or 0 for no limit")
	}
	ctx, cancel := a.bounded(ctx)
	defer cancel()
	contracts, err := a.contracts(ctx, req.Underlying)
	if err != nil {
		return nil, err
	}
	listed := map[string]*OptionContract{}
	for i := range contracts {
		listed[contracts[i].Symbol] = &contracts[i]
	}
	spot := a.spot(ctx, req.Underlying)
	queries := chainQueries(req)
	var chain []market.OptionQuote
	for _, q := range queries {
		for {
			page, err := a.client.Chain(ctx, wireSymbol(req.Underlying), q)
			if err != nil {
				return nil, a.chainFailure(req.Underlying, err)
			}
			for wire, s := range page.Snapshots {
				if o, ok := optionQuote(req.Underlying, wire, s, listed[wire], spot); ok && inRange(o.Strike, req) {
					chain = append(chain, o)
				}
			}
			if page.NextPageToken == "" || page.NextPageToken == q.PageToken {
				break
			}
			q.PageToken = page.NextPageToken
		}
	}
	slices.SortFunc(chain, func(x, y market.OptionQuote) int {
		return cmp.Or(x.Expiration.Compare(y.Expiration), cmp.Compare(x.Root, y.Root), cmp.Compare(x.Strike, y.Strike), cmp.Compare(y.Kind, x.Kind))
	})
	if req.Strikes > 0 {
		chain = nearestStrikes(chain, spot, req.Strikes)
	}
	if len(chain) == 0 {
		if _, err := a.Instruments(ctx, []market.Symbol{req.Underlying}); err != nil {
			return nil, err
		}
		return nil, fmt.Errorf("alpaca: options on %s: %w", req.Underlying, market.ErrNoData)
	}
	return chain, nil
}

func (a *Adapter) chainFailure(underlying market.Symbol, err error) error {
	if api, ok := errors.AsType[*APIError](err); ok && (api.Status == 400 || api.Status == 404 || api.Status == 422) {
		return missing([]market.Symbol{underlying}, fmt.Errorf("%w: %w", market.ErrUnknownSymbol, api))
	}
	return a.failure("reading an option chain", err)
}

// chainQueries is one query for each date, or one for all.
func chainQueries(req market.ChainRequest) []ChainQuery {
	q := ChainQuery{Limit: mostSnapshots, StrikeFrom: strike(req.MinStrike), StrikeTo: strike(req.MaxStrike)}
	if len(req.Expirations) == 0 {
		return []ChainQuery{q}
	}
	dates := slices.Clone(req.Expirations)
	slices.SortFunc(dates, market.Date.Compare)
	var out []ChainQuery
	for _, d := range slices.Compact(dates) {
		q.Expiration = d
		out = append(out, q)
	}
	return out
}

func strike(v float64) string {
	if v == 0 || math.IsInf(v, 0) {
		return ""
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}

func inRange(k float64, req market.ChainRequest) bool {
	return k >= req.MinStrike && (req.MaxStrike == 0 || k <= req.MaxStrike)
}

// spot is the underlying's price, NaN when it is not known.
func (a *Adapter) spot(ctx context.Context, underlying market.Symbol) float64 {
	found, _ := a.snapshots(ctx, []market.Symbol{underlying})
	if s := found[underlying]; s != nil {
		return quoteOf(underlying, s).Mid()
	}
	return math.NaN()
}

func optionQuote(underlying market.Symbol, wire string, s *Snapshot, listed *OptionContract, spot float64) (market.OptionQuote, bool) {
	symbol := symbolOf(wire, "us_option")
	c, ok := symbol.Contract()
	if !ok || s == nil {
		return market.OptionQuote{}, false
	}
	n := math.NaN()
	style, settlement, _ := c.Terms()
	o := market.OptionQuote{
		Symbol: symbol, Underlying: underlying, Root: c.Root, Kind: c.Kind, Strike: c.Strike, Expiration: c.Expiration,
		Style: style, Settlement: settlement, Multiplier: 100,
		Bid: n, Ask: n, BidSize: n, AskSize: n, Last: n, Volume: n, OpenInterest: n, IV: s.ImpliedVolatility.Float(),
		Delta: n, Gamma: n, Theta: n, Vega: n, Rho: n, Spot: spot,
	}
	if v := s.LatestQuote; v != nil {
		o.Bid, o.Ask, o.BidSize, o.AskSize = twoSided(v, true)
		o.Time = v.Time.Time
	}
	if v := s.LatestTrade; v != nil {
		o.Last, o.Time = v.Price.Float(), latest(o.Time, v.Time.Time)
	}
	if v := s.DailyBar; v != nil {
		o.Volume = v.Volume.Float()
	}
	if g := s.Greeks; g != nil {
		o.Delta, o.Gamma, o.Theta = g.Delta.Float(), g.Gamma.Float(), g.Theta.Float()
		o.Vega, o.Rho = 100*g.Vega.Float(), 100*g.Rho.Float() // theirs are per percentage point
	}
	if listed != nil {
		o.OpenInterest = listed.OpenInterest.Float()
		if listed.Style != "" {
			o.Style = market.ExerciseStyle(listed.Style)
		}
		if size := listed.Size.Float(); size > 0 {
			o.Multiplier = size
		}
	}
	return o, true
}

// nearestStrikes keeps the n strikes of each expiration that are nearest to spot,
// and those in the middle when it is not known. The chain is sorted.
func nearestStrikes(chain []market.OptionQuote, spot float64, n int) []market.OptionQuote {
	var out []market.OptionQuote
	for len(chain) > 0 {
		end := slices.IndexFunc(chain, func(o market.OptionQuote) bool {
			return o.Expiration != chain[0].Expiration || o.Root != chain[0].Root
		})
		if end < 0 {
			end = len(chain)
		}
		var strikes []float64
		for _, o := range chain[:end] {
			strikes = append(strikes, o.Strike)
		}
		strikes = slices.Compact(strikes)
		center := spot
		if math.IsNaN(center) {
			center = strikes[len(strikes)/2]
		}
		slices.SortStableFunc(strikes, func(x, y float64) int { return cmp.Compare(math.Abs(x-center), math.Abs(y-center)) })
		strikes = strikes[:min(n, len(strikes))]
		for _, o := range chain[:end] {
			if slices.Contains(strikes, o.Strike) {
				out = append(out, o)
			}
		}
		chain = chain[end:]
	}
	return out
}

// Metrics is [market.ErrUnsupported]: Alpaca has none.
func (a *Adapter) Metrics(context.Context, []market.Symbol) ([]market.Metrics, error) {
	return nil, fmt.Errorf("alpaca: metrics: %w", market.ErrUnsupported)
}
