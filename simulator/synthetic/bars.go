package synthetic

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

// Bars returns bars as of the clock's time, the one in progress included with
// what has traded so far. Any interval of whole minutes, days, weeks and months
// is there. Bars are adjusted for splits up to the clock's time and not for
// dividends. The volume of an index is NaN. Pre- and post-market minutes
// without a trade are left out. The error wraps [market.ErrNoData] when
// trading has not begun by the clock's time.
//
// A future's bars count from 18:00 of the evening before, all of them regular
// trading whatever Extended says. Those of a product, "/ES", are each date's
// active contract joined as it is: the price steps where it rolls.
func (m *Market) Bars(ctx context.Context, req market.BarsRequest) ([]market.Bar, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	interval, err := market.ParseInterval(string(req.Interval))
	switch {
	case err != nil:
		return nil, err
	case interval.Intraday() && interval.Duration()%time.Minute != 0:
		return nil, invalid.Field("interval", string(req.Interval), "whole minutes, hours, days, weeks or months")
	case interval.Duration() > 24*time.Hour:
		return nil, invalid.Field("interval", string(req.Interval), "at most a day of hours; use d, w or mo for longer bars")
	case req.Limit < 0:
		return nil, invalid.Field("limit", req.Limit, "0 for all, or a positive number of bars")
	case !req.From.IsZero() && !req.To.IsZero() && req.To.Before(req.From):
		return nil, invalid.Field("to", req.To.Format(time.RFC3339), "a time not before from")
	}
	now := m.clock.Now()
	if req.Symbol.Kind() == market.KindFuture {
		return m.futureBars(ctx, req, interval, now)
	}
	k, err := m.track(req.Symbol)
	if err != nil {
		return nil, err
	}
	if k.started(now) < 0 || m.outside(k, now) {
		return nil, fmt.Errorf("synthetic: bars of %s at %s: %w", req.Symbol, now.Format(time.RFC3339), market.ErrNoData)
	}
	var bars []market.Bar
	if interval.Intraday() {
		bars, err = k.intradayBars(ctx, req, interval, now)
	} else if bars = k.dailyBars(now); interval != market.Day {
		bars, err = market.Resample(bars, market.Day, interval, m.calendar)
	}
	if err != nil {
		return nil, err
	}
	return cut(bars, req), nil
}

// cut returns the bars that start in [From, To), the newest Limit of them.
func cut(bars []market.Bar, req market.BarsRequest) []market.Bar {
	if !req.From.IsZero() {
		bars = bars[sort.Search(len(bars), func(i int) bool { return !bars[i].Time.Before(req.From) }):]
	}
	if !req.To.IsZero() {
		bars = bars[:sort.Search(len(bars), func(i int) bool { return !bars[i].Time.Before(req.To) })]
	}
	if req.Limit > 0 && len(bars) > req.Limit {
		bars = bars[len(bars)-req.Limit:]
	}
	return bars
}

// outside reports whether t lies after a made history's end.
func (m *Market) outside(k *track, t time.Time) bool {
	_, last := span()
	return !k.replayed && m.dateOf(t).After(last)
}

// dailyBars returns the daily bars at now, adjusted, today's as it stands.
func (k *track) dailyBars(now time.Time) []market.Bar {
	last, shares := k.opened(now), k.started(now)
	bars := make([]market.Bar, 0, last+1)
	for i := range last {
		bars = append(bars, k.adjusted(k.bars[i], i, shares))
	}
	if last >= 0 {
		if today, ok := k.dayAt(last, now); ok {
			bars = append(bars, k.adjusted(today, last, shares))
		}
	}
	return bars
}

// intradayBars returns at least the bars of the request, in whole sessions.
func (k *track) intradayBars(ctx context.Context, req market.BarsRequest, interval market.Interval, now time.Time) ([]market.Bar, error) {
	base, step := market.Minute, time.Minute
	if k.intraday != nil && interval.Duration()%k.interval == 0 {
		base, step = market.Interval(fmt.Sprintf("%dm", k.interval/time.Minute)), k.interval
	}
	last := k.started(now)
	if !req.To.IsZero() && req.To.Before(now) {
		last = min(last, k.started(req.To))
	}
	first := 0
	if !req.From.IsZero() {
		first = sort.Search(len(k.sessions), func(i int) bool { return k.sessions[i].PostClose.After(req.From) })
	}
	if req.Limit > 0 {
		first = max(first, k.reach(last, req.Limit, interval.Duration()))
	}
	shares := k.started(now)
	var bars []market.Bar
	if first <= last {
		bars = make([]market.Bar, 0, (last-first+1)*int(6*time.Hour/step+time.Hour/2/step+1))
	}
	for i := first; i <= last; i++ {
		if i%64 == 0 {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
		}
		from := len(bars)
		bars = k.sessionBars(bars, i, step, now, req.Extended)
		if k.ratio(i, shares) != 1 {
			for j := from; j < len(bars); j++ {
				bars[j] = k.adjusted(bars[j], i, shares)
			}
		}
	}
	if interval.Duration() == step {
		return bars, nil
	}
	return market.Resample(bars, base, interval, k.market.calendar)
}

// reach returns the session to begin with for the newest limit bars up to
// session last. It is early enough: today's bars may be few.
func (k *track) reach(last, limit int, interval time.Duration) int {
	i := last
	for have := 0; i > 0 && have < limit+1; i-- {
		traded := k.sessions[i].Close.Sub(k.sessions[i].Open)
		for _, p := range k.pauses(i) {
			traded -= time.Duration(p.length) * time.Minute
		}
		if k.intraday != nil {
			traded = min(traded, k.interval*time.Duration(len(k.intraday[i])))
		}
		if i < last {
			have += max(1, int(traded/interval))
		}
	}
	return max(i, 0)
}

// sessionBars appends the bars of session i in steps of a minute or of the
// replayed file, as they stand at now.
func (k *track) sessionBars(dst []market.Bar, i int, step time.Duration, now time.Time, extended bool) []market.Bar {
	s := k.sessions[i]
	over := !now.Before(s.PostClose)
	if k.intraday != nil && step == k.interval {
		for _, b := range k.intraday[i] {
			outer := !b.Time.Add(step).After(s.Open) || !b.Time.Before(s.Close)
			if b.Time.After(now) || outer && !extended {
				continue
			}
			if !over && b.Time.Add(step).After(now) && step > time.Minute {
				b = k.partOf(b, i, now)
			} else if !over && step == time.Minute {
				b = k.soFar(b, now)
			}
			dst = append(dst, b)
		}
		return dst
	}
	from := len(dst)
	if extended {
		dst = append(dst, k.beyond(i).pre...)
	}
	if over {
		dst = k.appendMinutes(dst, i)
	} else {
		dst = append(dst, k.day(i).bars...)
	}
	if extended {
		dst = append(dst, k.beyond(i).post...)
	}
	if over {
		return dst
	}
	if j := from + begun(dst[from:], now); j < from {
		dst = dst[:from]
	} else {
		dst = dst[:j+1]
		dst[j] = k.soFar(dst[j], now)
	}
	return dst
}

// partOf returns a bar of a replayed file as it stands at now.
func (k *track) partOf(bar market.Bar, i int, now time.Time) market.Bar {
	out := bar
	first := true
	around := k.beyond(i)
	for _, b := range slices.Concat(around.pre, k.day(i).bars, around.post) {
		if b.Time.Before(bar.Time) || b.Time.After(now) || !b.Time.Before(bar.Time.Add(k.interval)) {
			continue
		}
		b = k.soFar(b, now)
		if first {
			out, first = b, false
			continue
		}
		out.High, out.Low, out.Close, out.Volume = max(out.High, b.High), min(out.Low, b.Low), b.Close, out.Volume+b.Volume
	}
	out.Time = bar.Time
	return out
}
