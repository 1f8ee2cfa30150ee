package tools

import (
	"context"
	"time"

	"github.com/ttai-go/ttai/agents"
	"github.com/ttai-go/ttai/market"
)

const metricsTTL = time.Minute

type metricsArgs struct {
	Symbols []string `json:"symbols" jsonschema:"up to 50 underlyings" schema:"minItems=1,maxItems=50,maxLength=2000"`
	Term    bool     `json:"term,omitempty" jsonschema:"with implied volatility by expiration"`
}

type metricsResult struct {
	stamp
	Metrics []metricsRow `json:"metrics"`
	Missing []missing    `json:"missing,omitempty"`
}

type metricsRow struct {
	Symbol           market.Symbol `json:"symbol"`
	Time             time.Time     `json:"time,omitzero"`
	IVIndex          market.Float  `json:"iv_index"`
	IVIndex5Day      market.Float  `json:"iv_index_5d_change"`
	IVRank           market.Float  `json:"iv_rank"`
	IVPercentile     market.Float  `json:"iv_percentile"`
	HV30             market.Float  `json:"hv30"`
	HV60             market.Float  `json:"hv60"`
	HV90             market.Float  `json:"hv90"`
	Beta             market.Float  `json:"beta"`
	Correlation      market.Float  `json:"correlation_spy"`
	LiquidityRating  *int          `json:"liquidity_rating"` // 1 to 5
	BorrowRate       market.Float  `json:"borrow_rate"`
	DividendYield    market.Float  `json:"dividend_yield"`
	DividendPerShare market.Float  `json:"dividend_per_share"`
	MarketCap        market.Float  `json:"market_cap"`
	PriceEarnings    market.Float  `json:"price_earnings"`
	EarningsPerShare market.Float  `json:"earnings_per_share"`
	NextEarnings     *eventRow     `json:"next_earnings"`
	NextDividend     *eventRow     `json:"next_dividend"`
	Term             []termRow     `json:"term,omitempty"`
}

type eventRow struct {
	Date      market.Date  `json:"date"`
	Days      int          `json:"days"`
	Timing    string       `json:"timing,omitempty"`
	Value     market.Float `json:"value"`
	Estimated bool         `json:"estimated,omitempty"`
}

type termRow struct {
	Expiration market.Date  `json:"expiration"`
	IV         market.Float `json:"iv"`
}

func (k *kit) metrics() agents.Tool {
	return tool(k, agents.Spec{
		Name: "metrics", Title: "Volatility and fundamentals", Annotations: reads,
		Description: "Implied volatility index, rank and percentile, historical volatility, beta, liquidity, next earnings and dividend of underlyings.",
	}, func(ctx context.Context, in metricsArgs) (metricsResult, error) {
		symbols, err := parseSymbols("symbols", in.Symbols, 50)
		if err != nil {
			return metricsResult{}, err
		}
		rows, err := cached(ctx, k, "metrics", metricsTTL, symbols, k.fetchMetrics)
		out := metricsResult{stamp: k.stamp(), Metrics: []metricsRow{}}
		if out.Missing, err = partial(symbols, rows, err); err != nil {
			return metricsResult{}, err
		}
		for _, s := range symbols {
			row, ok := rows[s]
			if !ok {
				continue
			}
			if !in.Term {
				row.Term = nil
			}
			out.Metrics = append(out.Metrics, row)
		}
		if n := fit(out.Metrics, rowBudget); n < len(out.Metrics) {
			out.omit("%d symbols that did not fit, from %s on: ask for them in another call", len(out.Metrics)-n, out.Metrics[n].Symbol)
			out.Metrics = out.Metrics[:n]
		}
		return out, nil
	})
}

func (k *kit) fetchMetrics(ctx context.Context, symbols []market.Symbol) (map[market.Symbol]metricsRow, error) {
	list, err := k.Market.Metrics(ctx, symbols)
	rows := make(map[market.Symbol]metricsRow, len(list))
	for _, m := range list {
		row := metricsRow{
			Symbol: m.Symbol, Time: k.local(m.Time),
			IVIndex: num(m.IVIndex, 4), IVIndex5Day: num(m.IVIndex5Day, 4), IVRank: num(m.IVRank, 4), IVPercentile: num(m.IVPercentile, 4),
			HV30: num(m.HV30, 4), HV60: num(m.HV60, 4), HV90: num(m.HV90, 4), Beta: num(m.Beta, 3), Correlation: num(m.Correlation, 3),
			BorrowRate: num(m.BorrowRate, 6), DividendYield: num(m.DividendYield, 5), DividendPerShare: known(m.DividendPerShare),
			MarketCap: num(m.MarketCap, 0), PriceEarnings: num(m.PriceEarnings, 2), EarningsPerShare: known(m.EarningsPerShare),
			NextEarnings: k.event(m.NextEarnings), NextDividend: k.event(m.NextDividend),
		}
		if m.LiquidityRating > 0 {
			row.LiquidityRating = ptr(m.LiquidityRating)
		}
		for _, t := range m.Term {
			row.Term = append(row.Term, termRow{t.Expiration, num(t.IV, 4)})
		}
		rows[m.Symbol] = row
	}
	return rows, err
}

func (k *kit) event(e *market.Event) *eventRow {
	if e == nil {
		return nil
	}
	return &eventRow{Date: e.Date, Days: k.today().DaysUntil(e.Date), Timing: e.Timing, Value: known(e.Value), Estimated: e.Estimated}
}
