package dxlink

import (
	"cmp"
	"context"
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

// Candles returns the candles of a request in ascending time. Candles without
// prices are left out. Servers have a limit, about 8,000 candles, and send the
// newest.
//
// When ctx ends first (Options.Snapshot when it has no deadline) the candles
// that have arrived, which are the newest, are returned with an error. At most
// eight requests are in flight; further ones wait.
func (c *Conn) Candles(ctx context.Context, req CandleRequest) ([]Candle, error) {
	symbol, err := CandleSymbol(req.Symbol, req.Period, req.RegularHours)
	if err != nil {
		return nil, err
	}
	if !req.From.IsZero() && !req.To.IsZero() && !req.From.Before(req.To) {
		return nil, invalid.Field("To", req.To, "a time after From")
	}
	ctx, cancel := c.withDeadline(ctx)
	defer cancel()
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
	case <-ctx.Done():
		return nil, fmt.Errorf("dxlink: candles of %s: waiting for other requests: %w", symbol, ctx.Err())
	}
	snapshot := &candleSnapshot{candles: map[int64]Candle{}, done: make(chan struct{})}
	c.mu.Lock()
	if err := c.ended(); err != nil {
		c.mu.Unlock()
		return nil, err
	}
	// A channel of its own: nothing else can end or restart this snapshot.
	f := c.open(History)
	c.add(f, "Candle", []string{symbol}, fromTime(req.From), snapshot)
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		c.cancelFeed(f)
		clear(f.entries)
		c.mu.Unlock()
	}()
	select {
	case <-snapshot.done:
		err = snapshot.err
	case <-ctx.Done():
		err = ctx.Err()
	}
	candles := snapshot.sorted(req.From, req.To)
	if err != nil {
		return candles, fmt.Errorf("dxlink: candles of %s: incomplete with %d: %w", symbol, len(candles), err)
	}
	return candles, nil
}

// fromTime is never zero, because zero asks for live candles only.
func fromTime(t time.Time) int64 {
	if t.IsZero() || t.UnixMilli() < 1 {
		return 1
	}
	return t.UnixMilli()
}

// A candleSnapshot puts a snapshot together. Candles come newest first, the
// first with SNAPSHOT_BEGIN, the last with SNAPSHOT_END or SNAPSHOT_SNIP; while
// TX_PENDING is set the change is not whole. An empty snapshot is one event
// with begin, end and remove.
type candleSnapshot struct {
	mu       sync.Mutex
	candles  map[int64]Candle
	atEnd    bool
	complete bool
	err      error
	done     chan struct{}
}

func (s *candleSnapshot) offer(event any) {
	c, ok := event.(Candle)
	s.mu.Lock()
	defer s.mu.Unlock()
	if !ok || s.complete {
		return
	}
	if c.Flags.Has(SnapshotBegin) {
		clear(s.candles)
		s.atEnd = false
	}
	if c.Flags.Has(RemoveEvent) || math.IsNaN(c.Open) || math.IsNaN(c.High) || math.IsNaN(c.Low) || math.IsNaN(c.Close) {
		delete(s.candles, c.Index)
	} else {
		s.candles[c.Index] = c
	}
	if c.Flags&(SnapshotEnd|SnapshotSnip) != 0 {
		s.atEnd = true
	}
	if s.atEnd && !c.Flags.Has(TxPending) {
		s.complete = true
		close(s.done)
	}
}

// gap starts over: the next connection sends the snapshot again.
func (s *candleSnapshot) gap(Gap) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.complete {
		clear(s.candles)
		s.atEnd = false
	}
}

func (s *candleSnapshot) end(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.complete {
		s.complete, s.err = true, err
		close(s.done)
	}
}

func (s *candleSnapshot) sorted(from, to time.Time) []Candle {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Candle, 0, len(s.candles))
	for _, c := range s.candles {
		if !from.IsZero() && c.Time.Before(from) || !to.IsZero() && !c.Time.Before(to) {
			continue
		}
		c.Flags = 0
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b Candle) int {
		if d := a.Time.Compare(b.Time); d != 0 {
			return d
		}
		return cmp.Compare(a.Index, b.Index)
	})
	return out
}
