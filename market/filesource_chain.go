package market

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"sort"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
)

// addChain adds a file and returns the time of its last quote.
func (s *FileSource) addChain(field string, f *ChainFile) (end time.Time, err error) {
	if f == nil || len(f.Quotes) == 0 {
		return end, invalid.Missing(field, "a file of option quotes")
	}
	first, one := f.Quotes[0].Underlying, true
	for i := range f.Quotes {
		q := &f.Quotes[i]
		if q.Symbol == "" || q.Underlying == "" {
			return end, invalid.Missing(field+".Symbol", "the underlying of the options (CSVOptions.Symbol when the file does not name it)")
		}
		one = one && q.Underlying == first
		end = later(end, q.Time)
	}
	if one && s.chains[first] == nil {
		s.chains[first] = slices.Clip(f.Quotes) // appending to it makes a copy
		return end, nil
	}
	for _, q := range f.Quotes {
		s.chains[q.Underlying] = append(s.chains[q.Underlying], q)
	}
	return end, nil
}

// indexChains orders the quotes in time and finds those of each contract.
func (s *FileSource) indexChains() {
	inTime := func(a, b OptionQuote) int { return a.Time.Compare(b.Time) }
	for underlying, quotes := range s.chains {
		if !slices.IsSortedFunc(quotes, inTime) {
			quotes = slices.Clone(quotes) // it may be the caller's
			slices.SortStableFunc(quotes, inTime)
			s.chains[underlying] = quotes
		}
		for i := range quotes {
			c := s.contracts[quotes[i].Symbol]
			s.contracts[quotes[i].Symbol] = contractRows{underlying, append(c.rows, int32(i))}
		}
	}
}

// known returns the quotes of an underlying's options up to now, of the newest
// date that has any.
func (s *FileSource) known(underlying Symbol, now time.Time) []OptionQuote {
	all := s.chains[underlying]
	all = all[:sort.Search(len(all), func(i int) bool { return all[i].Time.After(now) })]
	if len(all) == 0 {
		return nil
	}
	midnight := DateOf(all[len(all)-1].Time.In(s.cal.loc)).In(s.cal.loc)
	return all[sort.Search(len(all), func(i int) bool { return !all[i].Time.Before(midnight) }):]
}

// chainAt returns each contract's newest quote of known, in chain order.
func (s *FileSource) chainAt(underlying Symbol, now time.Time) []OptionQuote {
	quotes := s.known(underlying, now)
	seen := make(map[Symbol]bool, len(quotes))
	var chain []OptionQuote
	for i := len(quotes) - 1; i >= 0; i-- {
		if q := quotes[i]; !seen[q.Symbol] {
			seen[q.Symbol] = true
			chain = append(chain, q)
		}
	}
	slices.SortFunc(chain, func(a, b OptionQuote) int { return compareContracts(&a, &b) })
	s.fillSpot(chain, underlying)
	return chain
}

// fillSpot gives quotes without the underlying's price that of its bars, when
// one of the same day was complete at the time of the quote.
func (s *FileSource) fillSpot(chain []OptionQuote, underlying Symbol) {
	prices := map[int64]float64{}
	for i := range chain {
		q := &chain[i]
		if !math.IsNaN(q.Spot) || len(s.series[underlying]) == 0 {
			continue
		}
		price, ok := prices[q.Time.UnixNano()]
		if !ok {
			price = math.NaN()
			if u, ok := s.quoteAt(underlying, q.Time); ok && DateOf(u.Time.In(s.cal.loc)) == DateOf(q.Time.In(s.cal.loc)) {
				price = u.Last
			}
			prices[q.Time.UnixNano()] = price
		}
		q.Spot = price
	}
}

// Chain implements [Source].
func (s *FileSource) Chain(ctx context.Context, req ChainRequest) ([]OptionQuote, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	chain, err := s.chainOf(req.Underlying)
	if err != nil {
		return nil, err
	}
	if req.Strikes < 0 {
		return nil, invalid.Field("strikes", req.Strikes, "a whole number of at least 0")
	}
	chain = slices.DeleteFunc(chain, func(q OptionQuote) bool {
		return len(req.Expirations) > 0 && !slices.Contains(req.Expirations, q.Expiration) ||
			req.MinStrike > 0 && q.Strike < req.MinStrike || req.MaxStrike > 0 && q.Strike > req.MaxStrike
	})
	if req.Strikes > 0 {
		chain = nearestStrikes(chain, req.Strikes)
	}
	if len(chain) == 0 {
		return nil, fmt.Errorf("options of %s like these: %w", req.Underlying, ErrNoData)
	}
	return chain, nil
}

// chainOf returns the whole chain of an underlying as known now.
func (s *FileSource) chainOf(underlying Symbol) ([]OptionQuote, error) {
	symbol, err := ParseSymbol(string(underlying))
	if err != nil {
		return nil, err
	}
	chain := s.chainAt(symbol, s.clock.Now())
	switch {
	case len(chain) > 0:
		return chain, nil
	case s.knows(symbol):
		return nil, fmt.Errorf("options of %s: %w", symbol, ErrNoData)
	}
	return nil, fmt.Errorf("%s: %w", symbol, ErrUnknownSymbol)
}

// nearestStrikes keeps the n strikes of each expiration that are nearest to the
// underlying's price.
func nearestStrikes(chain []OptionQuote, n int) []OptionQuote {
	var kept []OptionQuote
	for len(chain) > 0 {
		expiration := chain[0].Expiration
		end := sort.Search(len(chain), func(i int) bool { return chain[i].Expiration.After(expiration) })
		part := chain[:end]
		chain = chain[end:]
		var strikes []float64
		for _, q := range part {
			strikes = append(strikes, q.Strike)
		}
		slices.Sort(strikes)
		strikes = slices.Compact(strikes)
		spot := spotOf(part)
		slices.SortStableFunc(strikes, func(a, b float64) int { return cmp.Compare(math.Abs(a-spot), math.Abs(b-spot)) })
		strikes = strikes[:min(n, len(strikes))]
		for _, q := range part {
			if slices.Contains(strikes, q.Strike) {
				kept = append(kept, q)
			}
		}
	}
	return kept
}

// spotOf returns the underlying's price of one expiration's quotes; when none
// has it, the strike at which call and put cost the most alike, which is about
// the forward price.
func spotOf(quotes []OptionQuote) float64 {
	type pair struct{ call, put float64 }
	pairs := map[float64]pair{}
	for _, q := range quotes {
		if !math.IsNaN(q.Spot) {
			return q.Spot
		}
		p, ok := pairs[q.Strike]
		if !ok {
			p = pair{math.NaN(), math.NaN()}
		}
		if q.Kind == Call {
			p.call = q.Mid()
		} else {
			p.put = q.Mid()
		}
		pairs[q.Strike] = p
	}
	best, least := quotes[len(quotes)/2].Strike, math.Inf(1)
	for _, q := range quotes {
		p := pairs[q.Strike]
		if d := math.Abs(p.call - p.put); d < least {
			best, least = q.Strike, d
		}
	}
	return best
}

// Expirations implements [Source].
func (s *FileSource) Expirations(ctx context.Context, underlying Symbol) ([]Expiration, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	chain, err := s.chainOf(underlying)
	if err != nil {
		return nil, err
	}
	var all []Expiration
	for _, q := range chain {
		n := len(all) - 1
		if n < 0 || all[n].Date != q.Expiration || all[n].Root != q.Root {
			all = append(all, Expiration{Underlying: q.Underlying, Root: q.Root, Date: q.Expiration, Settlement: q.Settlement, Style: q.Style})
			n++
		}
		if k := len(all[n].Strikes); k == 0 || all[n].Strikes[k-1] != q.Strike {
			all[n].Strikes = append(all[n].Strikes, q.Strike)
		}
	}
	return all, nil
}
