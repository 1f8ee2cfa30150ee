package monitor

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/ttai-go/ttai/market"
)

// A gap is a span in which quotes were missed, to be judged by bars.
type gap struct {
	symbols []market.Symbol
	gap     market.StreamGap
	tries   int
	due     time.Time
}

// gapTries is how often the bars of a gap are asked for before it is given up: at
// most half a minute apart, about an hour.
const gapTries = 120

// gap has a span judged by bars; nil symbols are all.
func (e *Engine) gap(symbols []market.Symbol, g market.StreamGap) {
	e.mu.Lock()
	if symbols == nil {
		symbols = e.core.Symbols()
	}
	e.addGap(symbols, g)
	e.mu.Unlock()
	e.kicks.send()
}

// addGap is gap with the lock held.
func (e *Engine) addGap(symbols []market.Symbol, g market.StreamGap) {
	if len(symbols) > 0 && g.From.Before(g.To) {
		e.gaps = append(e.gaps, &gap{symbols: slices.Clone(symbols), gap: g, due: e.now().Add(barDelay)})
	}
}

// judgeGaps works through the gaps. A gap whose last bar is not complete yet waits
// for it: a bar is judged once, whole.
func (e *Engine) judgeGaps(ctx context.Context) {
	kick := e.kicks.listen()
	for {
		wait := time.Minute
		e.mu.Lock()
		gaps := slices.Clone(e.gaps)
		e.mu.Unlock()
		for _, g := range gaps {
			if now := e.now(); g.due.After(now) {
				wait = min(wait, g.due.Sub(now))
				continue
			}
			rest := e.judge(ctx, g)
			if ctx.Err() != nil {
				return
			}
			e.mu.Lock()
			e.gaps = slices.DeleteFunc(e.gaps, func(o *gap) bool { return o == g })
			for _, r := range rest {
				e.gaps = append(e.gaps, r)
				wait = min(wait, max(r.due.Sub(e.now()), 10*time.Millisecond))
			}
			e.mu.Unlock()
		}
		if !e.sleep(ctx, wait, kick) {
			return
		}
	}
}

// intervalFor is the length of bars that a gap is judged by: as fine as a source
// can be asked for over that time.
func intervalFor(length time.Duration) market.Interval {
	switch {
	case length <= 48*time.Hour:
		return market.Minute
	case length <= 10*24*time.Hour:
		return market.Minute5
	case length <= 60*24*time.Hour:
		return market.Hour
	}
	return market.Day
}

// coarser is what is asked for when a source has no bars of an interval.
func coarser(i market.Interval) market.Interval {
	next := map[market.Interval]market.Interval{market.Minute: market.Minute5, market.Minute5: market.Hour, market.Hour: market.Day}
	return next[i]
}

// covering is the bars of one symbol that cover a gap.
type covering struct {
	symbol   market.Symbol
	interval market.Interval
	bar      market.Bar
}

// judge judges a gap and returns what is left of it: symbols whose bars could not
// be read, and the end of it that lies in a bar which is not complete.
func (e *Engine) judge(ctx context.Context, g *gap) []*gap {
	var all []covering
	var failed []market.Symbol
	var rest []*gap
	for _, s := range g.symbols {
		bars, interval, err := e.barsOver(ctx, s, g.gap)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, market.ErrUnsupported) || errors.Is(err, market.ErrUnknownSymbol):
			e.log.Warn("a gap cannot be judged: there are no bars", "symbol", s, "from", g.gap.From, "to", g.gap.To)
			continue
		case err != nil:
			e.log.Warn("bars of a gap cannot be read", "symbol", s, "error", err)
			failed = append(failed, s)
			continue
		}
		cut, due := e.underWay(s, bars, interval, g.gap.To)
		for _, b := range bars {
			if b.Time.Before(cut) {
				all = append(all, covering{s, interval, b})
			}
		}
		if cut.Before(g.gap.To) {
			from := cut
			if from.Before(g.gap.From) {
				from = g.gap.From
			}
			rest = append(rest, &gap{symbols: []market.Symbol{s}, gap: market.StreamGap{From: from, To: g.gap.To}, due: due})
		}
	}
	slices.SortStableFunc(all, func(a, b covering) int { return a.bar.Time.Compare(b.bar.Time) })
	for _, c := range all {
		e.decide(func(core *Core) []Firing {
			return core.Gap(c.symbol, c.interval, []market.Bar{c.bar}, g.gap, e.now())
		})
	}
	if len(failed) > 0 {
		g.tries++
		if g.tries >= gapTries {
			e.log.Error("a gap could not be judged", "symbols", failed, "from", g.gap.From, "to", g.gap.To)
			return rest
		}
		pause := min(time.Duration(g.tries)*time.Second, 30*time.Second)
		rest = append(rest, &gap{symbols: failed, gap: g.gap, tries: g.tries, due: e.now().Add(pause)})
	}
	return rest
}

// underWay returns where a bar begins that ends later than now, and when it can be
// had whole; to and the zero time when there is none before to. Some sources leave
// such a bar out.
func (e *Engine) underWay(s market.Symbol, bars []market.Bar, interval market.Interval, to time.Time) (cut, due time.Time) {
	now := e.now()
	for _, b := range bars {
		if end := e.opts.Calendar.BarEnd(b.Time, interval); end.After(now) && b.Time.Before(to) {
			return b.Time, end.Add(barDelay)
		}
	}
	around := s.Kind() != market.KindEquity && s.Kind() != market.KindOption
	d := interval.Duration()
	if d == 0 || !around && e.opts.Calendar.Phase(now) == market.PhaseClosed {
		return to, time.Time{}
	}
	if start := now.Truncate(d); start.Before(to) {
		return start, start.Add(d + barDelay)
	}
	return to, time.Time{}
}

// barsOver reads the bars that cover a gap, as fine as there are.
func (e *Engine) barsOver(ctx context.Context, s market.Symbol, g market.StreamGap) ([]market.Bar, market.Interval, error) {
	interval := intervalFor(g.To.Sub(g.From))
	for {
		from := g.From.Truncate(time.Minute)
		if d := interval.Duration(); d > 0 {
			from = g.From.Add(-d)
		} else {
			from = from.AddDate(0, 0, -1)
		}
		call, cancel := context.WithTimeout(ctx, callTime)
		bars, err := e.opts.Market.Bars(call, market.BarsRequest{Symbol: s, Interval: interval, From: from, To: g.To.Add(time.Second), Extended: true})
		cancel()
		if next := coarser(interval); err != nil && next != "" && (errors.Is(err, market.ErrUnsupported) || errors.Is(err, market.ErrNoData)) {
			interval = next
			continue
		}
		if errors.Is(err, market.ErrNoData) {
			return nil, interval, nil // nothing was traded
		}
		return bars, interval, err
	}
}
