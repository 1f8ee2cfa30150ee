package alpaca

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

// mostBars is how many bars one page has.
const mostBars = 10_000

// firstDay is as far back as Alpaca's history goes.
var firstDay = market.Date{Year: 2016, Month: time.January, Day: 1}

// Bars returns bars as traded, not adjusted for splits and dividends. Alpaca
// counts bars from the full hour; what does not fit into the session that way is
// joined here from half hours or minutes. Intraday bars are of the regular
// session unless Extended. Intervals of seconds are [market.ErrUnsupported].
func (a *Adapter) Bars(ctx context.Context, req market.BarsRequest) ([]market.Bar, error) {
	interval, err := market.ParseInterval(string(req.Interval))
	switch {
	case err != nil:
		return nil, err
	case req.Limit < 0:
		return nil, invalid.Field("limit", req.Limit, "0 for all, or a positive number of bars")
	case !req.From.IsZero() && !req.To.IsZero() && req.To.Before(req.From):
		return nil, invalid.Field("to", req.To.Format(time.RFC3339), "a time not before from")
	}
	if err := checkSymbol("symbol", req.Symbol); err != nil {
		return nil, err
	}
	m, ok := family(req.Symbol)
	base, known := baseInterval(interval)
	if !ok || !known {
		return nil, fmt.Errorf("alpaca: %s bars of %s: %w", interval, req.Symbol, market.ErrUnsupported)
	}
	ctx, cancel := a.bounded(ctx)
	defer cancel()
	bars, err := a.bars(ctx, m, req, interval, base)
	if err != nil {
		return nil, err
	}
	if len(bars) == 0 {
		if _, err := a.Instruments(ctx, []market.Symbol{req.Symbol}); err != nil {
			return nil, err
		}
		return nil, fmt.Errorf("alpaca: bars of %s: %w", req.Symbol, market.ErrNoData)
	}
	return bars, nil
}

// baseInterval is what Alpaca is asked for: the interval itself where its bars
// begin with the session, and otherwise a part of it.
func baseInterval(i market.Interval) (market.Interval, bool) {
	n, unit := i.Parts()
	switch unit {
	case market.UnitMinute:
		switch {
		case n <= 30 && 30%n == 0:
			return i, true
		case n%30 == 0:
			return market.Minute30, true
		}
		return market.Minute, true
	case market.UnitHour:
		return market.Minute30, true
	case market.UnitDay, market.UnitWeek, market.UnitMonth:
		if n == 1 {
			return i, true
		}
		return market.Day, true
	}
	return "", false
}

// timeframe is Alpaca's name of an interval.
func timeframe(i market.Interval) string {
	n, unit := i.Parts()
	name := map[market.Unit]string{market.UnitMinute: "Min", market.UnitDay: "Day", market.UnitWeek: "Week", market.UnitMonth: "Month"}[unit]
	return fmt.Sprint(n, name)
}

func (a *Adapter) bars(ctx context.Context, m Market, req market.BarsRequest, interval, base market.Interval) ([]market.Bar, error) {
	q := DataQuery{Market: m, Symbols: []string{wireSymbol(req.Symbol)}, Timeframe: timeframe(base), Start: req.From, End: req.To, Limit: mostBars}
	if q.Start.IsZero() {
		q.Start = firstDay.In(a.opts.Calendar.Location())
	}
	if !interval.Intraday() {
		q.Start = q.Start.AddDate(0, 0, -4) // a week or month can begin on a holiday
	}
	if !q.End.IsZero() {
		q.End = q.End.Add(-time.Nanosecond) // theirs is included
	}
	same := interval == base
	if req.Limit > 0 && same {
		q.Descending = true // the newest first, and no more than needed
	}
	var bars []market.Bar
	for {
		page, err := a.client.Bars(ctx, q)
		switch api, _ := errors.AsType[*APIError](err); {
		case api != nil && (api.Status == 400 || api.Status == 404 || api.Status == 422):
			return nil, missing([]market.Symbol{req.Symbol}, fmt.Errorf("%w: %w", market.ErrUnknownSymbol, api))
		case err != nil:
			return nil, a.failure("reading bars", err)
		}
		for _, list := range page.Bars {
			for i := range list {
				if bar, ok := a.bar(&list[i], m, base, req.Extended); ok {
					bars = append(bars, bar)
				}
			}
		}
		if page.NextPageToken == "" || page.NextPageToken == q.PageToken || q.Descending && len(bars) > req.Limit {
			break
		}
		q.PageToken = page.NextPageToken
	}
	if q.Descending {
		slices.Reverse(bars)
	}
	if !same {
		joined, err := market.Resample(bars, base, interval, a.opts.Calendar)
		if err != nil {
			return nil, fmt.Errorf("alpaca: joining bars: %w", err)
		}
		bars = joined
	}
	bars = slices.DeleteFunc(bars, func(b market.Bar) bool {
		return b.Time.Before(req.From) || !req.To.IsZero() && !b.Time.Before(req.To)
	})
	if req.Limit > 0 && len(bars) > req.Limit {
		bars = slices.Clone(bars[len(bars)-req.Limit:])
	}
	return bars, nil
}

// bar converts a bar; false for one outside the session that was not asked for.
func (a *Adapter) bar(b *Bar, m Market, interval market.Interval, extended bool) (market.Bar, bool) {
	cal := a.opts.Calendar
	at := b.Time.In(cal.Location())
	if interval.Intraday() {
		if m != CryptoMarket && !extended && !cal.IsOpen(at) {
			return market.Bar{}, false
		}
	} else {
		day := market.DateOf(at)
		at = day.In(cal.Location())
		for i := 0; i < 10 && m != CryptoMarket; i++ { // a week or month can begin on a holiday
			if _, open := cal.Session(day.AddDays(i)); open {
				at = day.AddDays(i).In(cal.Location())
				break
			}
		}
	}
	return market.Bar{Time: at, Open: b.Open.Float(), High: b.High.Float(), Low: b.Low.Float(), Close: b.Close.Float(), Volume: b.Volume.Float()}, true
}
