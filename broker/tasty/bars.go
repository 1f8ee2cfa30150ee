package tasty

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/tastytrade/dxlink"
)

// regularSince is the first day for which the feed has candles of regular
// trading hours only.
var regularSince = market.Date{Year: 2018, Month: time.May, Day: 1}

// firstDay is as far back as the feed is asked.
var firstDay = market.Date{Year: 1990, Month: time.January, Day: 1}

// Bars returns candles of the stream. Intraday bars are of regular trading
// unless Extended; longer ones are of regular trading too when From is after
// May 2018, before which the feed has none. Futures, options on them and coins have no
// regular hours: theirs are of all hours. The bar in progress is the last one.
// When the deadline comes first, the bars that have arrived, which are the
// newest, are returned with an error.
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
	ctx, cancel := a.bounded(ctx)
	defer cancel()
	name, err := a.candleName(ctx, req.Symbol)
	if err != nil {
		return nil, err
	}
	conn, err := a.stream(ctx)
	if err != nil {
		return nil, err
	}
	n, unit := interval.Parts()
	from := a.firstWanted(req, interval)
	hours := hasHours(req.Symbol)
	candles, err := a.candles(ctx, conn, dxlink.CandleRequest{
		Symbol: name, Period: fmt.Sprint(n, string(unit)), From: from,
		RegularHours: hours && (!req.Extended && interval.Intraday() || !interval.Intraday() && !market.DateOf(from.UTC()).Before(regularSince)),
	})
	bars := a.barsOf(candles, interval, req)
	if err != nil {
		return bars, a.failure("reading bars", err)
	}
	if len(candles) == 0 {
		// An unknown symbol and one without history look the same to the stream.
		if _, err := a.Instruments(ctx, []market.Symbol{req.Symbol}); err != nil {
			return nil, err
		}
		return nil, fmt.Errorf("tasty: bars of %s: %w", req.Symbol, market.ErrNoData)
	}
	return bars, nil
}

// hasHours tells whether a symbol trades in the stock exchange's regular hours.
func hasHours(symbol market.Symbol) bool {
	switch symbol.Kind() {
	case market.KindFuture, market.KindFutureOption, market.KindCrypto:
		return false
	}
	return true
}

// candleName is the stream's name of a symbol. A future that the broker does not list
// is unknown; of what has no name at all there are no bars.
func (a *Adapter) candleName(ctx context.Context, symbol market.Symbol) (string, error) {
	names, err := a.streamNames(ctx, []market.Symbol{symbol})
	if err == nil {
		return names[0], nil
	}
	if _, unnamed := errors.AsType[*market.MissingError](err); !unnamed {
		return "", err
	}
	if symbol.Kind() == market.KindFuture {
		return "", missing([]market.Symbol{symbol}, fmt.Errorf("tasty: bars: the broker does not list it: %w", market.ErrUnknownSymbol))
	}
	return "", fmt.Errorf("tasty: bars of %s: %w", symbol, market.ErrUnsupported)
}

// candles asks once more when the connection ended under the request.
func (a *Adapter) candles(ctx context.Context, conn *dxlink.Conn, req dxlink.CandleRequest) ([]dxlink.Candle, error) {
	inner, stop := early(ctx)
	defer stop()
	candles, err := conn.Candles(inner, req)
	select {
	case <-conn.Done():
		if err == nil || ctx.Err() != nil {
			break
		}
		again, dialErr := a.stream(ctx)
		if dialErr != nil {
			return candles, err
		}
		return again.Candles(inner, req)
	default:
	}
	return candles, err
}

// firstWanted is the time to ask candles from. Those of days and longer stand
// at midnight UTC, before midnight in New York, and those of weeks and months
// can begin on a holiday, so that some days more are asked for and left out later.
func (a *Adapter) firstWanted(req market.BarsRequest, interval market.Interval) time.Time {
	from := req.From
	if from.IsZero() && req.Limit > 0 {
		end := a.now()
		if !req.To.IsZero() && req.To.Before(end) {
			end = req.To
		}
		from = end.AddDate(0, 0, -daysFor(req.Limit, interval))
	}
	earliest := firstDay.In(time.UTC)
	if !interval.Intraday() && !from.IsZero() {
		from = from.AddDate(0, 0, -4)
	}
	if from.Before(earliest) {
		return earliest
	}
	return from
}

// daysFor is a number of calendar days that surely has limit bars, holidays included.
func daysFor(limit int, interval market.Interval) int {
	n, unit := interval.Parts()
	limit = min(limit, 20_000)
	days := 0.0
	switch unit {
	case market.UnitDay:
		days = float64(limit*n) * 1.6
	case market.UnitWeek:
		days = float64(limit*n) * 7
	case market.UnitMonth:
		days = float64(limit*n) * 31
	default:
		perSession := math.Max(1, float64(6*time.Hour)/float64(interval.Duration()))
		days = float64(limit) / perSession * 1.6
	}
	return int(math.Min(days, 40_000)) + 12
}

// barsOf turns candles into the bars that were asked for.
func (a *Adapter) barsOf(candles []dxlink.Candle, interval market.Interval, req market.BarsRequest) []market.Bar {
	bars := make([]market.Bar, 0, len(candles))
	for _, c := range candles {
		bar := market.Bar{Time: a.barTime(c.Time, interval, hasHours(req.Symbol)), Open: c.Open, High: c.High, Low: c.Low, Close: c.Close, Volume: c.Volume}
		if bar.Time.Before(req.From) || !req.To.IsZero() && !bar.Time.Before(req.To) {
			continue
		}
		if last := len(bars) - 1; last >= 0 && !bars[last].Time.Before(bar.Time) {
			bars[last] = bar // two candles of one bar: the later one counts
			continue
		}
		bars = append(bars, bar)
	}
	if req.Limit > 0 && len(bars) > req.Limit {
		bars = slices.Clone(bars[len(bars)-req.Limit:])
	}
	return bars
}

// barTime is the start of the bar that a candle is. Candles of days and longer
// stand at midnight UTC of their day; the bar's time is midnight in New York of
// its first session. What has no regular hours is traded on the exchange's holidays
// too, and coins at weekends: its days are as they are.
func (a *Adapter) barTime(t time.Time, interval market.Interval, hours bool) time.Time {
	loc := a.opts.Calendar.Location()
	if interval.Intraday() {
		return t.In(loc)
	}
	utc := t.UTC()
	day := market.DateOf(utc)
	if !day.In(time.UTC).Equal(utc) {
		day = market.DateOf(t.In(loc))
	}
	if _, unit := interval.Parts(); !hours && unit == market.UnitDay {
		return day.In(loc)
	}
	for d, i := day, 0; i < 10; d, i = d.AddDays(1), i+1 { // a week or month can begin on a holiday
		if _, open := a.opts.Calendar.Session(d); open {
			return d.In(loc)
		}
	}
	return day.In(loc)
}
