package tasty

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/tastytrade"
)

// failureUnless is failure, but err is only wrapped when it is the sentinel.
func (a *Adapter) failureUnless(sentinel error, doing string, err error) error {
	if errors.Is(err, sentinel) {
		return fmt.Errorf("tasty: %s: %w", doing, err)
	}
	return a.failure(doing, err)
}

// Metrics returns the broker's figures.
func (a *Adapter) Metrics(ctx context.Context, symbols []market.Symbol) ([]market.Metrics, error) {
	if err := checkSymbols(symbols); err != nil {
		return nil, err
	}
	ctx, cancel := a.bounded(ctx)
	defer cancel()
	found, err := a.metrics(ctx, symbols)
	if err != nil {
		return nil, a.failureUnless(market.ErrUnsupported, "reading metrics", err)
	}
	list := make([]market.Metrics, 0, len(symbols))
	var absent []market.Symbol
	for _, symbol := range symbols {
		if m, ok := found[symbol]; ok {
			list = append(list, a.metricsOf(symbol, m))
		} else {
			absent = append(absent, symbol)
		}
	}
	return list, missing(absent, market.ErrUnknownSymbol)
}

func (a *Adapter) metrics(ctx context.Context, symbols []market.Symbol) (map[market.Symbol]tastytrade.MarketMetric, error) {
	var names []string
	for _, symbol := range symbols {
		if symbol.Kind() == market.KindEquity && !slices.Contains(names, string(symbol)) {
			names = append(names, string(symbol))
		}
	}
	found := make(map[market.Symbol]tastytrade.MarketMetric, len(names))
	for chunk := range slices.Chunk(names, 100) {
		list, err := a.client.MarketMetrics.List(ctx, chunk...)
		if a.lacking(err) {
			return nil, market.ErrUnsupported
		}
		if err != nil {
			return nil, err
		}
		for _, m := range list {
			found[normal(m.Symbol)] = m
		}
	}
	return found, nil
}

func (a *Adapter) metricsOf(symbol market.Symbol, m tastytrade.MarketMetric) market.Metrics {
	r := market.NewMetrics(symbol)
	r.Time = m.UpdatedAt
	r.IVIndex, r.IVIndex5Day = m.ImpliedVolatilityIndex, m.ImpliedVolatilityIndex5DayChange
	r.IVRank = known(m.ImpliedVolatilityIndexRank, m.ImpliedVolatilityRank, m.TWImpliedVolatilityIndexRank, m.TOSImpliedVolatilityIndexRank)
	r.IVPercentile = m.ImpliedVolatilityPercentile
	r.HV30, r.HV60, r.HV90 = shift(m.HistoricalVolatility30Day, -2), shift(m.HistoricalVolatility60Day, -2), shift(m.HistoricalVolatility90Day, -2)
	r.Beta, r.Correlation = m.Beta, m.CorrelationSPY3Month
	r.Liquidity = known(m.LiquidityRank, m.Liquidity)
	if rating := m.LiquidityRating; rating >= 1 && rating <= 5 {
		r.LiquidityRating = int(rating)
	}
	r.BorrowRate, r.DividendYield, r.DividendPerShare = m.BorrowRate, m.DividendYield, float(m.DividendRatePerShare)
	r.MarketCap, r.PriceEarnings, r.EarningsPerShare = float(m.MarketCap), m.PriceEarningsRatio, float(m.EarningsPerShare)
	for _, e := range m.Expirations {
		if (e.OptionChainType == "" || e.OptionChainType == "Standard") && e.ImpliedVolatility > 0 && !e.ExpirationDate.IsZero() {
			r.Term = append(r.Term, market.TermVol{Expiration: e.ExpirationDate, IV: e.ImpliedVolatility})
		}
	}
	slices.SortStableFunc(r.Term, func(x, y market.TermVol) int { return x.Expiration.Compare(y.Expiration) })
	r.NextEarnings, r.NextDividend = a.nextEarnings(symbol, m), a.nextDividend(symbol, m)
	return r
}

// known is the first of values that is a number.
func known(values ...float64) float64 {
	for _, v := range values {
		if !math.IsNaN(v) {
			return v
		}
	}
	return math.NaN()
}

// nextEarnings is the announced report, nil when it lies in the past: the
// broker shows the last one until the next is announced.
func (a *Adapter) nextEarnings(symbol market.Symbol, m tastytrade.MarketMetric) *market.Event {
	e := m.Earnings
	if e == nil || e.ExpectedReportDate.IsZero() || e.ExpectedReportDate.Before(a.today()) {
		return nil
	}
	timing := ""
	switch e.TimeOfDay {
	case "BTO":
		timing = "before open"
	case "AMC":
		timing = "after close"
	}
	return &market.Event{Symbol: symbol, Kind: market.Earnings, Date: e.ExpectedReportDate, Timing: timing, Value: math.NaN(), Estimated: e.Estimated}
}

// nextDividend is the next ex-date, nil when none is announced. The broker's
// "next" date can be years old, and its "ex" date the last one.
func (a *Adapter) nextDividend(symbol market.Symbol, m tastytrade.MarketMetric) *market.Event {
	var next market.Date
	for _, d := range []market.Date{m.DividendNextDate, m.DividendExDate} {
		if !d.IsZero() && !d.Before(a.today()) && (next.IsZero() || d.Before(next)) {
			next = d
		}
	}
	if next.IsZero() {
		return nil
	}
	return &market.Event{Symbol: symbol, Kind: market.Dividend, Date: next, Value: math.NaN()}
}

// Events returns past dividends and earnings, and the next ones that are
// announced. There are no splits.
func (a *Adapter) Events(ctx context.Context, symbol market.Symbol, from, to market.Date) ([]market.Event, error) {
	if !from.IsZero() && !to.IsZero() && to.Before(from) {
		return nil, invalid.Field("to", to.String(), "a date not before from")
	}
	if err := checkSymbol("symbol", symbol); err != nil {
		return nil, err
	}
	if symbol.Kind() != market.KindEquity {
		return nil, fmt.Errorf("tasty: events of %s: %w", symbol, market.ErrUnsupported)
	}
	ctx, cancel := a.bounded(ctx)
	defer cancel()
	start := from
	if start.Before(firstDay) {
		start = firstDay
	}
	var (
		calls     sync.WaitGroup
		dividends []tastytrade.DividendEvent
		reports   []tastytrade.EarningsEvent
		announced map[market.Symbol]tastytrade.MarketMetric
		errs      [3]error
	)
	calls.Go(func() { dividends, errs[0] = a.client.MarketMetrics.Dividends(ctx, string(symbol)) })
	calls.Go(func() {
		if !start.After(a.today()) {
			reports, errs[1] = a.client.MarketMetrics.Earnings(ctx, string(symbol), start, market.Date{})
		}
	})
	calls.Go(func() { announced, errs[2] = a.metrics(ctx, []market.Symbol{symbol}) })
	calls.Wait()
	for _, err := range errs {
		switch {
		case err == nil:
		case a.lacking(err) || errors.Is(err, market.ErrUnsupported):
			return nil, fmt.Errorf("tasty: events of %s: %w", symbol, market.ErrUnsupported)
		default:
			return nil, a.symbolFailure("reading events", symbol, err)
		}
	}
	events := []market.Event{}
	for _, d := range dividends {
		events = append(events, market.Event{Symbol: symbol, Kind: market.Dividend, Date: d.Date, Value: float(d.Amount)})
	}
	for _, r := range reports {
		events = append(events, market.Event{Symbol: symbol, Kind: market.Earnings, Date: r.Date, Value: float(r.EPS)})
	}
	if m, ok := announced[symbol]; ok {
		for _, next := range []*market.Event{a.nextEarnings(symbol, m), a.nextDividend(symbol, m)} {
			if next != nil && !slices.ContainsFunc(events, func(e market.Event) bool { return e.Kind == next.Kind && e.Date == next.Date }) {
				events = append(events, *next)
			}
		}
	}
	events = slices.DeleteFunc(events, func(e market.Event) bool {
		return e.Date.Before(from) || !to.IsZero() && e.Date.After(to)
	})
	slices.SortStableFunc(events, func(x, y market.Event) int {
		return cmp.Or(x.Date.Compare(y.Date), cmp.Compare(x.Kind, y.Kind))
	})
	return events, nil
}
