package tools

import (
	"context"
	"errors"
	"math"
	"strings"

	"github.com/ttai-go/ttai/agents"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

type instrumentArgs struct {
	Search  string   `json:"search,omitempty" jsonschema:"start of a symbol or part of a name" schema:"maxLength=80"`
	Symbols []string `json:"symbols,omitempty" jsonschema:"or up to 50 symbols to describe" schema:"maxItems=50,maxLength=2000"`
	Limit   int      `json:"limit,omitempty" jsonschema:"of a search" schema:"min=1,max=50,default=10"`
}

type instrumentResult struct {
	stamp
	Instruments []instrumentRow `json:"instruments"`
	Missing     []missing       `json:"missing,omitempty"`
}

type instrumentRow struct {
	Symbol      market.Symbol         `json:"symbol"`
	Kind        market.InstrumentKind `json:"kind"`
	Description string                `json:"description,omitempty"`
	Exchange    string                `json:"exchange,omitempty"`
	ETF         bool                  `json:"etf,omitempty"`
	Index       bool                  `json:"index,omitempty"`
	Active      bool                  `json:"active"`
	Multiplier  market.Float          `json:"multiplier"`
	Optionable  bool                  `json:"optionable"`
	Underlying  market.Symbol         `json:"underlying,omitempty"`
	Ticks       []tickRow             `json:"ticks,omitempty"`
	OptionTicks []tickRow             `json:"option_ticks,omitempty"`
	Contract    *contractTerms        `json:"contract,omitempty"`
}

type tickRow struct {
	Below     *market.Float `json:"below,omitempty"`
	Increment market.Float  `json:"increment"`
}

type contractTerms struct {
	Root       string            `json:"root"`
	Expiration market.Date       `json:"expiration"`
	Kind       market.OptionKind `json:"kind"`
	Strike     market.Float      `json:"strike"`
}

func (k *kit) instrument() agents.Tool {
	return tool(k, agents.Spec{
		Name: "instrument", Title: "Find and describe instruments", Annotations: reads,
		Description: "Find symbols by name or prefix, or describe given ones: kind, exchange, multiplier, tick sizes, whether options exist.",
	}, func(ctx context.Context, in instrumentArgs) (instrumentResult, error) {
		search := strings.TrimSpace(in.Search)
		if (search == "") == (len(in.Symbols) == 0) {
			return instrumentResult{}, invalid.Missing("search", "either search or symbols")
		}
		out := instrumentResult{stamp: k.stamp(), Instruments: []instrumentRow{}}
		if search != "" {
			found, err := k.Market.Search(ctx, search, in.Limit)
			if err != nil && len(found) == 0 {
				if errors.Is(err, market.ErrUnknownSymbol) || errors.Is(err, market.ErrNoData) {
					return out, nil // nothing found is an answer
				}
				return instrumentResult{}, err
			}
			out.add(found)
			return out, nil
		}
		symbols, err := parseSymbols("symbols", in.Symbols, 50)
		if err != nil {
			return instrumentResult{}, err
		}
		found, err := k.Market.Instruments(ctx, symbols)
		got := map[market.Symbol]market.Instrument{}
		for _, i := range found {
			got[i.Symbol] = i
		}
		if out.Missing, err = partial(symbols, got, err); err != nil {
			return instrumentResult{}, err
		}
		out.add(found)
		return out, nil
	})
}

func (r *instrumentResult) add(found []market.Instrument) {
	for _, i := range found {
		row := instrumentRow{
			Symbol: i.Symbol, Kind: i.Kind, Description: clip(i.Description, 200), Exchange: clip(i.Exchange, 40), ETF: i.ETF, Index: i.Index,
			Active: i.Active, Multiplier: known(i.Multiplier), Optionable: i.Optionable, Underlying: i.Underlying,
			Ticks: ticks(i.Ticks), OptionTicks: ticks(i.OptionTicks),
		}
		if c, ok := i.Symbol.Contract(); ok {
			row.Contract = &contractTerms{c.Root, c.Expiration, c.Kind, known(c.Strike)}
		}
		r.Instruments = append(r.Instruments, row)
	}
	if n := fit(r.Instruments, rowBudget); n < len(r.Instruments) {
		r.omit("%d instruments that did not fit: ask for fewer", len(r.Instruments)-n)
		r.Instruments = r.Instruments[:n]
	}
}

func ticks(list []market.Tick) []tickRow {
	var out []tickRow
	for _, t := range list {
		row := tickRow{Increment: known(t.Increment)}
		if !math.IsInf(t.Below, 1) {
			row.Below = ptr(known(t.Below))
		}
		out = append(out, row)
	}
	return out
}

// clip shortens text of third parties and drops what is not printable, so that
// a name cannot smuggle much into a model's context.
func clip(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == '\u007f' || r >= 0x200b && r <= 0x200f || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r >= 0xe0000 && r <= 0xe007f {
			return -1
		}
		return r
	}, s)
	if runes := []rune(s); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return s
}
