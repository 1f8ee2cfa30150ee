package synthetic

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

// Symbols describes every share, fund and index that the market lists;
// [Market.Futures] has the futures.
func (m *Market) Symbols() []market.Instrument {
	out := make([]market.Instrument, len(m.symbols))
	for i, s := range m.symbols {
		out[i] = m.instrument(s)
	}
	return out
}

// instrument describes a listed symbol.
func (m *Market) instrument(s market.Symbol) market.Instrument {
	c := m.cells[s]
	in := market.Instrument{
		Symbol: s, Kind: market.KindEquity, Active: true, Multiplier: 1, Optionable: true,
		Ticks: []market.Tick{{Below: 1, Increment: 0.0001}, {Below: math.Inf(1), Increment: cent}},
	}
	k := &track{profile: c.profile}
	in.OptionTicks = k.optionTicks()
	switch {
	case c.profile == nil:
		in.Description = string(s) + " (replayed bars, synthetic options)"
		return in
	case c.replayed:
		in.Description = c.profile.name + " (replayed bars, synthetic options)"
	default:
		in.Description = c.profile.name + " (synthetic)"
	}
	in.Exchange, in.ETF, in.Index = c.profile.exchange, c.profile.etf(), c.profile.class == index
	return in
}

// Instruments describes symbols, options included.
func (m *Market) Instruments(ctx context.Context, symbols []market.Symbol) ([]market.Instrument, error) {
	now := m.clock.Now()
	return collect(ctx, symbols, func(s market.Symbol) (market.Instrument, error) {
		switch s.Kind() {
		case market.KindFuture:
			return m.futureInstrument(s, now)
		case market.KindFutureOption:
			return m.futureOptionInstrument(s, now)
		}
		if s.Kind() != market.KindOption {
			if !m.listed[s] {
				_, err := m.track(s)
				return market.Instrument{}, err
			}
			return m.instrument(s), nil
		}
		k, e, c, err := m.contract(s, now)
		if err != nil {
			return market.Instrument{}, err
		}
		ticks := k.optionTicks()
		text := strings.Join([]string{string(k.symbol), e.Date.String(), c.Kind.String(), strconv.FormatFloat(c.Strike, 'f', -1, 64), "(synthetic)"}, " ")
		return market.Instrument{
			Symbol: s, Kind: market.KindOption, Description: text, Exchange: "XCBO", Active: true,
			Multiplier: 100, Ticks: ticks, Underlying: k.symbol,
		}, nil
	})
}

// defaultSearch is how many instruments Search returns when no limit is given.
const defaultSearch = 20

// Search finds instruments whose symbol starts with text, then those whose
// description contains it, in any case: the exact symbol first, then by symbol.
// Without a limit there are at most twenty. A text that starts with a slash
// finds futures, nearest month first.
func (m *Market) Search(ctx context.Context, text string, limit int) ([]market.Instrument, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	wanted := strings.ToUpper(strings.TrimSpace(text))
	switch {
	case wanted == "":
		return nil, invalid.Missing("text", "the start of a symbol or a part of a name")
	case limit < 0:
		return nil, invalid.Field("limit", limit, "0 for the default, or a positive number")
	case limit == 0:
		limit = defaultSearch
	}
	if wanted[0] == '/' {
		return m.searchFutures(wanted, limit), nil
	}
	type hit struct {
		rank       int
		instrument market.Instrument
	}
	var hits []hit
	for _, in := range m.Symbols() {
		symbol := string(in.Symbol)
		switch {
		case symbol == wanted:
			hits = append(hits, hit{0, in})
		case strings.HasPrefix(symbol, wanted):
			hits = append(hits, hit{1, in})
		case strings.Contains(strings.ToUpper(in.Description), wanted):
			hits = append(hits, hit{2, in})
		}
	}
	slices.SortFunc(hits, func(a, b hit) int {
		return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.instrument.Symbol, b.instrument.Symbol))
	})
	out := make([]market.Instrument, 0, min(limit, len(hits)))
	for _, h := range hits[:min(limit, len(hits))] {
		out = append(out, h.instrument)
	}
	return out, nil
}
