package tools

import (
	"context"
	"time"

	"github.com/ttai-go/ttai/agents"
	"github.com/ttai-go/ttai/market"
)

// quoteTTL is how long a quote counts as live.
const quoteTTL = time.Second

type quoteArgs struct {
	Symbols []string `json:"symbols" jsonschema:"up to 100: shares, ETFs, indices, futures, crypto, OCC option symbols" schema:"minItems=1,maxItems=100,maxLength=4000"`
}

type quoteResult struct {
	stamp
	Quotes  []quoteRow `json:"quotes"`
	Missing []missing  `json:"missing,omitempty"`
}

type quoteRow struct {
	Symbol    market.Symbol `json:"symbol"`
	Bid       market.Float  `json:"bid"`
	Ask       market.Float  `json:"ask"`
	Mid       market.Float  `json:"mid"`
	Last      market.Float  `json:"last"`
	Change    market.Float  `json:"change"`     // last (or mid) less previous close
	ChangePct market.Float  `json:"change_pct"` // percent
	Open      market.Float  `json:"open"`
	High      market.Float  `json:"high"`
	Low       market.Float  `json:"low"`
	PrevClose market.Float  `json:"prev_close"`
	Volume    market.Float  `json:"volume"`
	Time      time.Time     `json:"time,omitzero"`
	Halted    bool          `json:"halted,omitempty"`
}

func (k *kit) quote() agents.Tool {
	return tool(k, agents.Spec{
		Name: "quote", Title: "Quotes", Annotations: reads,
		Description: "Live bid, ask, last, day range, change and volume of up to 100 symbols of any kind at once.",
	}, func(ctx context.Context, in quoteArgs) (quoteResult, error) {
		symbols, err := parseSymbols("symbols", in.Symbols, 100)
		if err != nil {
			return quoteResult{}, err
		}
		rows, err := cached(ctx, k, "quote", quoteTTL, symbols, k.fetchQuotes)
		out := quoteResult{stamp: k.stamp(), Quotes: []quoteRow{}}
		if out.Missing, err = partial(symbols, rows, err); err != nil {
			return quoteResult{}, err
		}
		for _, s := range symbols {
			if row, ok := rows[s]; ok {
				out.Quotes = append(out.Quotes, row)
			}
		}
		if n := fit(out.Quotes, rowBudget); n < len(out.Quotes) {
			out.omit("%d quotes that did not fit, from %s on: ask for them in another call", len(out.Quotes)-n, out.Quotes[n].Symbol)
			out.Quotes = out.Quotes[:n]
		}
		return out, nil
	})
}

func (k *kit) fetchQuotes(ctx context.Context, symbols []market.Symbol) (map[market.Symbol]quoteRow, error) {
	quotes, err := k.Market.Quotes(ctx, symbols)
	rows := make(map[market.Symbol]quoteRow, len(quotes))
	for _, q := range quotes {
		at := q.Last
		if !market.Float(at).Known() {
			at = q.Mid()
		}
		change := at - q.PrevClose
		rows[q.Symbol] = quoteRow{
			Symbol: q.Symbol, Bid: known(q.Bid), Ask: known(q.Ask), Mid: price(q.Mid()), Last: known(q.Last),
			Change: price(change), ChangePct: num(100*change/q.PrevClose, 2),
			Open: known(q.Open), High: known(q.High), Low: known(q.Low), PrevClose: known(q.PrevClose), Volume: known(q.Volume),
			Time: k.local(q.Time), Halted: q.Halted,
		}
	}
	return rows, err
}
