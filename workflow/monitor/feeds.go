package monitor

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/ttai-go/ttai/market"
)

// callTime bounds each call of a source.
const callTime = 30 * time.Second

// perCall is how many symbols are asked for at once.
const perCall = 100

// quotes keeps quotes coming: from the stream, or by polling where there is none.
func (e *Engine) quotes(ctx context.Context) {
	if e.opts.Stream == nil {
		return
	}
	kick := e.kicks.listen()
	pause := time.Second
	var lost time.Time
	for ctx.Err() == nil {
		symbols := e.streamed()
		if len(symbols) == 0 {
			if !e.sleep(ctx, time.Minute, kick) {
				return
			}
			continue
		}
		began := e.now()
		err := e.stream(ctx, symbols, lost, kick)
		e.mu.Lock()
		e.status.Streaming = false
		if lost = e.status.LastQuote; lost.IsZero() {
			lost = began
		}
		e.mu.Unlock()
		switch {
		case ctx.Err() != nil:
			return
		case errors.Is(err, market.ErrUnsupported):
			e.log.Warn("not all quotes are streamed: the others are polled", "error", err)
			e.poll(symbols, err)
			continue
		}
		if e.now().Sub(began) > time.Minute {
			pause = time.Second
		}
		e.log.Warn("the stream of quotes ended", "error", err, "pause", pause)
		if !e.sleep(ctx, pause, nil) {
			return
		}
		pause = min(2*pause, time.Minute)
	}
}

// streamed returns the symbols that the stream is to carry.
func (e *Engine) streamed() []market.Symbol {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.DeleteFunc(e.core.Symbols(), func(s market.Symbol) bool { return e.polled[s] })
}

// unstreamed returns the symbols that are to be polled.
func (e *Engine) unstreamed() []market.Symbol {
	e.mu.Lock()
	defer e.mu.Unlock()
	all := e.core.Symbols()
	if e.opts.Stream == nil {
		return all
	}
	return slices.DeleteFunc(all, func(s market.Symbol) bool { return !e.polled[s] })
}

// poll notes what the stream cannot carry: those that the error names, all of the
// symbols when it names none.
func (e *Engine) poll(symbols []market.Symbol, err error) {
	if missing, ok := errors.AsType[*market.MissingError](err); ok && len(missing.Symbols) > 0 {
		symbols = missing.Symbols
	}
	e.mu.Lock()
	for _, s := range symbols {
		e.polled[s] = true
	}
	e.mu.Unlock()
	e.kicks.send()
}

// stream takes quotes until the stream ends. Lost is since when none came, zero at
// the start.
func (e *Engine) stream(ctx context.Context, symbols []market.Symbol, lost time.Time, kick signal) error {
	s, err := e.opts.Stream.StreamQuotes(ctx, symbols...)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	adjusted := make(chan struct{})
	defer func() {
		cancel()
		<-adjusted
		_ = s.Close() // why it ended is known
	}()
	if !lost.IsZero() {
		e.gap(symbols, market.StreamGap{From: lost, To: e.now()})
	}
	e.mu.Lock()
	e.status.Streaming = true
	e.mu.Unlock()
	go func() {
		defer close(adjusted)
		e.adjust(ctx, s, symbols, kick)
	}()
	for {
		u, err := s.Next(ctx)
		if err != nil {
			return err
		}
		if u.Quote != nil {
			e.Quote(*u.Quote)
		}
		if u.Gap != nil {
			e.gap(nil, e.inOwnTime(*u.Gap))
		}
	}
}

// inOwnTime is a gap in the time of the engine's clock. A stream measures by the
// computer's, which is another than that of a simulated market: then the gap is
// what lies between the last quote and now.
func (e *Engine) inOwnTime(g market.StreamGap) market.StreamGap {
	now := e.now()
	if away := now.Sub(g.To); -time.Minute < away && away < time.Minute {
		return g
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if last := e.status.LastQuote; !last.IsZero() {
		return market.StreamGap{From: last, To: now}
	}
	return market.StreamGap{From: now.Add(-g.To.Sub(g.From)), To: now}
}

// adjust has the stream carry the symbols that rules need.
func (e *Engine) adjust(ctx context.Context, s market.QuoteStream, have []market.Symbol, kick signal) {
	for {
		want := e.streamed()
		add := without(want, have)
		remove := without(have, want)
		var err error
		if len(add) > 0 {
			err = s.Add(ctx, add...)
		}
		if err == nil && len(remove) > 0 {
			err = s.Remove(ctx, remove...)
		}
		wait := time.Minute
		switch {
		case err == nil:
			have = want
		case errors.Is(err, market.ErrUnsupported):
			e.poll(add, err)
		case ctx.Err() == nil:
			e.log.Warn("symbols of the stream cannot be changed", "error", err)
			wait = 5 * time.Second
		}
		if !e.sleep(ctx, wait, kick) {
			return
		}
	}
}

// without returns what a has and b has not; both are in order.
func without(a, b []market.Symbol) []market.Symbol {
	var out []market.Symbol
	for _, s := range a {
		if _, ok := slices.BinarySearch(b, s); !ok {
			out = append(out, s)
		}
	}
	return out
}

// polls asks for the quotes that no stream carries again and again, and has each
// minute's bar looked at for what happened between two polls.
func (e *Engine) polls(ctx context.Context) {
	kick := e.kicks.listen()
	since := e.now()
	for {
		symbols := e.unstreamed()
		for chunk := range slices.Chunk(symbols, perCall) {
			call, cancel := context.WithTimeout(ctx, callTime)
			quotes, err := e.opts.Market.Quotes(call, chunk)
			cancel()
			if _, partial := errors.AsType[*market.MissingError](err); err != nil && !partial && ctx.Err() == nil {
				e.log.Warn("quotes cannot be read", "error", err)
			}
			for _, q := range quotes {
				e.Quote(q)
			}
		}
		if now := e.now(); now.Sub(since) >= time.Minute {
			until := now.Truncate(time.Minute)
			if len(symbols) > 0 && until.After(since) {
				e.gap(symbols, market.StreamGap{From: since, To: until})
			}
			since = until
		}
		if !e.sleep(ctx, e.opts.Poll, kick) {
			return
		}
	}
}

// bars gives indicators and levels their bars.
func (e *Engine) bars(ctx context.Context) {
	kick := e.kicks.listen()
	due := map[barKey]time.Time{}
	for {
		e.mu.Lock()
		needs := e.core.BarNeeds()
		e.mu.Unlock()
		wait := time.Minute
		for _, n := range needs {
			k := barKey{n.Symbol, n.Interval}
			if at, ok := due[k]; ok && n.Warm && e.now().Before(at) {
				wait = min(wait, at.Sub(e.now()))
				continue
			}
			if err := e.feedBars(ctx, n); err != nil {
				if ctx.Err() != nil {
					return
				}
				e.log.Warn("bars cannot be read", "symbol", n.Symbol, "interval", n.Interval, "error", err)
				due[k] = e.now().Add(30 * time.Second)
			} else {
				due[k] = e.nextBar(n.Interval)
			}
			wait = min(wait, max(due[k].Sub(e.now()), time.Second))
		}
		if !e.sleep(ctx, wait, kick) {
			return
		}
	}
}

// barDelay is how long after its end a bar is asked for.
const barDelay = 2 * time.Second

// nextBar is when the next bar can be had.
func (e *Engine) nextBar(i market.Interval) time.Time {
	now := e.now()
	if d := i.Duration(); d > 0 {
		return now.Truncate(d).Add(d + barDelay) // sessions open on the half hour: an hour's bar may be asked for early, and again
	}
	s, ok := e.opts.Calendar.Session(market.DateOf(now.In(e.opts.Calendar.Location())))
	if !ok || !now.Before(s.Close.Add(barDelay)) {
		s = e.opts.Calendar.Next(now)
	}
	return s.Close.Add(barDelay)
}

// feedBars reads the bars since the last one, or the history, and lets the core
// have those that are complete.
func (e *Engine) feedBars(ctx context.Context, n BarNeed) error {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	req := market.BarsRequest{Symbol: n.Symbol, Interval: n.Interval}
	if n.Warm {
		req.From = n.Last.Add(time.Second)
	} else {
		req.Limit = n.History
	}
	bars, err := e.opts.Market.Bars(ctx, req)
	if err != nil && !errors.Is(err, market.ErrNoData) {
		return err
	}
	now := e.now()
	bars = e.opts.Calendar.Complete(bars, n.Interval, now)
	if !n.Warm {
		known := len(bars)
		if asOf := e.asOf(n.Symbol); !asOf.IsZero() {
			known = len(e.opts.Calendar.Complete(bars, n.Interval, asOf))
		}
		e.decide(func(c *Core) []Firing { return c.Warm(n.Symbol, n.Interval, bars[:known], now) })
		bars = bars[known:]
	}
	for _, b := range bars {
		e.decide(func(c *Core) []Firing { return c.Bar(n.Symbol, n.Interval, b, now) })
	}
	return nil
}

// asOf is up to when the rules about a symbol were judged by an engine before this
// one; zero when none did.
func (e *Engine) asOf(symbol market.Symbol) time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	var at time.Time
	for _, m := range e.members {
		if t := m.marks.Time; !t.IsZero() && (at.IsZero() || t.Before(at)) && slices.Contains(e.core.barSymbolsOf(m.ID), symbol) {
			at = t
		}
	}
	return at
}

// metrics reads volatility figures, which no stream carries.
func (e *Engine) metrics(ctx context.Context) {
	kick := e.kicks.listen()
	had := 0
	for {
		e.mu.Lock()
		symbols := e.core.MetricSymbols()
		e.mu.Unlock()
		had = len(symbols)
		for chunk := range slices.Chunk(symbols, perCall) {
			call, cancel := context.WithTimeout(ctx, callTime)
			found, err := e.opts.Market.Metrics(call, chunk)
			cancel()
			if _, partial := errors.AsType[*market.MissingError](err); err != nil && !partial && ctx.Err() == nil {
				e.log.Warn("volatility figures cannot be read", "error", err)
			}
			for _, m := range found {
				e.decide(func(c *Core) []Firing { return c.Metrics(m, e.now()) })
			}
		}
		if !e.sleepUntilMore(ctx, e.opts.Metrics, kick, func() int { return len(e.core.MetricSymbols()) }, had) {
			return
		}
	}
}

// sleepUntilMore sleeps for d, or until there is another number of something.
func (e *Engine) sleepUntilMore(ctx context.Context, d time.Duration, kick signal, count func() int, had int) bool {
	end := e.now().Add(d)
	for {
		left := end.Sub(e.now())
		if left <= 0 {
			return ctx.Err() == nil
		}
		if !e.sleep(ctx, left, kick) {
			return false
		}
		e.mu.Lock()
		n := count()
		e.mu.Unlock()
		if n != had {
			return true
		}
	}
}

// dividends reads ex-dates, twice a day.
func (e *Engine) dividends(ctx context.Context) {
	kick := e.kicks.listen()
	for {
		e.mu.Lock()
		symbols := e.core.EventSymbols()
		e.mu.Unlock()
		today := market.DateOf(e.now().In(e.opts.Calendar.Location()))
		for _, s := range symbols {
			call, cancel := context.WithTimeout(ctx, callTime)
			events, err := e.opts.Market.Events(call, s, today, today.AddDays(maxExDays))
			cancel()
			if err != nil {
				if !errors.Is(err, market.ErrUnsupported) && ctx.Err() == nil {
					e.log.Warn("dividends cannot be read", "symbol", s, "error", err)
				}
				continue
			}
			e.decide(func(c *Core) []Firing { return c.Events(s, events, e.now()) })
		}
		if !e.sleepUntilMore(ctx, 12*time.Hour, kick, func() int { return len(e.core.EventSymbols()) }, len(symbols)) {
			return
		}
	}
}

// maxExDays is how far ahead dividends are asked for: the most that a rule takes.
const maxExDays = 60
