package dxlink

import (
	"context"
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"sync"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
)

// A CandleRequest asks for the history of candles of one symbol.
type CandleRequest struct {
	Symbol string // the streamer's, without braces
	// Period is a number and a unit: t ticks, s seconds, m minutes, h hours,
	// d days, w weeks, mo months, o option months, y years, v volume, p price.
	// "d" is "1d".
	Period string
	From   time.Time // the first start wanted; zero: as far back as the server goes
	To     time.Time // starts before this are wanted; zero: up to now
	// RegularHours leaves out trading before the opening and after the close.
	// Servers have a shorter history of that.
	RegularHours bool
}

var periodPattern = regexp.MustCompile(`^([1-9][0-9]{0,8})?(t|s|m|h|d|w|mo|o|y|v|p)$`)

// CandleSymbol returns the streamer's symbol of candles: "SPY{=5m,tho=true}".
func CandleSymbol(symbol, period string, regularHours bool) (string, error) {
	if err := checkSymbols([]string{symbol}); err != nil {
		return "", err
	}
	m := periodPattern.FindStringSubmatch(period)
	if m == nil {
		return "", invalid.Field("Period", period, "a number and a unit, such as 5m, 1h, d, w or mo")
	}
	if m[1] == "1" {
		period = m[2]
	}
	if regularHours {
		return symbol + "{=" + period + ",tho=true}", nil
	}
	return symbol + "{=" + period + "}", nil
}

// A CandleHistory is the answer to a [CandleRequest].
type CandleHistory struct {
	Request CandleRequest
	Symbol  string // the streamer's: "SPY{=5m}"
	// State is Complete, Snipped when the server had older candles than it sends,
	// Empty when it has none, and Incomplete when it did not finish in time.
	State   SnapshotState
	Candles []Candle // ascending in time, without those that have no prices
}

// Candles returns the candles of a request in ascending time. Candles without
// prices are left out. Servers have a limit, about 8,000 candles, and send the
// newest; [Conn.CandleHistory] says whether that was so.
//
// When ctx ends first (Options.Snapshot when it has no deadline) the candles
// that have arrived, which are the newest, are returned with an error. At most
// eight requests are in flight; further ones wait.
func (c *Conn) Candles(ctx context.Context, req CandleRequest) ([]Candle, error) {
	h, err := c.CandleHistory(ctx, req)
	return h.Candles, err
}

// CandleHistories answers several requests at once: in got those that the
// server finished by the deadline of ctx (Options.Snapshot when it has none), in
// missing the others with what arrived of them, both in the order asked. Running
// out of time is not an error; the error is the first of another kind.
func (c *Conn) CandleHistories(ctx context.Context, requests ...CandleRequest) (got, missing []CandleHistory, err error) {
	ctx, cancel := c.withDeadline(ctx)
	defer cancel()
	all := make([]CandleHistory, len(requests))
	errs := make([]error, len(requests))
	var workers sync.WaitGroup
	for i, req := range requests {
		workers.Go(func() { all[i], errs[i] = c.CandleHistory(ctx, req) })
	}
	workers.Wait()
	for i, h := range all {
		if errs[i] == nil {
			got = append(got, h)
			continue
		}
		missing = append(missing, h)
		if err == nil && !errors.Is(errs[i], context.DeadlineExceeded) {
			err = errs[i]
		}
	}
	return got, missing, err
}

// CandleHistory is [Conn.Candles] with the state of the snapshot.
func (c *Conn) CandleHistory(ctx context.Context, req CandleRequest) (CandleHistory, error) {
	h := CandleHistory{Request: req}
	symbol, err := CandleSymbol(req.Symbol, req.Period, req.RegularHours)
	if err != nil {
		return h, err
	}
	h.Symbol = symbol
	if !req.From.IsZero() && !req.To.IsZero() && !req.From.Before(req.To) {
		return h, invalid.Field("To", req.To, "a time after From")
	}
	ctx, cancel := c.withDeadline(ctx)
	defer cancel()
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
	case <-ctx.Done():
		return h, fmt.Errorf("dxlink: candles of %s: waiting for other requests: %w", symbol, ctx.Err())
	}
	snapshot := &candleSnapshot{done: make(chan struct{})}
	c.mu.Lock()
	if err := c.ended(); err != nil {
		c.mu.Unlock()
		return h, err
	}
	// A channel of its own: nothing else can end or restart this snapshot.
	f := c.open(&feed{service: "FEED", contract: History})
	c.ask(f, tableOf[Candle](f).add([]string{symbol}, fromTime(req.From), "", func(string) receiver[Candle] { return snapshot }), nil)
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		c.cancelFeed(f)
		c.mu.Unlock()
	}()
	select {
	case <-snapshot.done:
		err = snapshot.err
	case <-ctx.Done():
		err = ctx.Err()
	}
	h.State, h.Candles = snapshot.result(req.From, req.To)
	if err != nil {
		return h, fmt.Errorf("dxlink: candles of %s: incomplete with %d: %w", symbol, len(h.Candles), err)
	}
	return h, nil
}

// fromTime is never zero, because zero asks for live candles only.
func fromTime(t time.Time) int64 {
	if t.IsZero() || t.UnixMilli() < 1 {
		return 1
	}
	return t.UnixMilli()
}

// A candleSnapshot waits for one snapshot of candles.
type candleSnapshot struct {
	mu       sync.Mutex
	assembly Assembler[Candle]
	whole    Change[Candle]
	finished bool
	err      error
	done     chan struct{}
}

func (s *candleSnapshot) owner() sink             { return s }
func (s *candleSnapshot) buffer() *buffer[Candle] { return nil }

func (s *candleSnapshot) offer(e *Candle, _ place) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.finished {
		return
	}
	if change, ok := s.assembly.Add(*e); ok && change.State != Updated {
		s.whole, s.finished = change, true
		close(s.done)
	}
}

// gap starts over: the next connection sends the snapshot again.
func (s *candleSnapshot) gap(Gap) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.assembly.Reset()
}

func (s *candleSnapshot) refused(err error) { s.end(err) }

func (s *candleSnapshot) end(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.finished {
		s.finished, s.err = true, err
		close(s.done)
	}
}

// result is the candles in [from, to) and how whole they are.
func (s *candleSnapshot) result(from, to time.Time) (SnapshotState, []Candle) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.whole.Events
	if s.whole.State == Incomplete {
		all = s.assembly.Partial()
	}
	out := make([]Candle, 0, len(all))
	for _, c := range all {
		if !from.IsZero() && c.Time.Before(from) || !to.IsZero() && !c.Time.Before(to) ||
			math.IsNaN(c.Open) || math.IsNaN(c.High) || math.IsNaN(c.Low) || math.IsNaN(c.Close) {
			continue
		}
		c.Flags = 0
		out = append(out, c)
	}
	slices.SortStableFunc(out, func(a, b Candle) int { return a.Time.Compare(b.Time) })
	return s.whole.State, out
}
