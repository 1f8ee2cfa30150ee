package schedule

import (
	"context"
	"sync"
	"time"

	"github.com/ttai-go/ttai/market"
)

// A remembered source asks for each company's reports once an hour, and for more
// days than it is asked for, so that a scheduler that looks every few seconds
// costs a broker nothing.
type remembered struct {
	source Events
	clock  market.Clock

	mu    sync.Mutex
	known map[market.Symbol]reports
}

type reports struct {
	from, to market.Date
	asked    time.Time
	events   []market.Event
	err      error
}

// How long answers are remembered, errors for less.
const (
	rememberAnswer = time.Hour
	rememberError  = time.Minute
	margin         = 30 // days
)

func newRemembered(source Events, clock market.Clock) *remembered {
	return &remembered{source: source, clock: clock, known: map[market.Symbol]reports{}}
}

// Events implements Events.
func (r *remembered) Events(ctx context.Context, symbol market.Symbol, from, to market.Date) ([]market.Event, error) {
	now := r.clock.Now()
	r.mu.Lock()
	k, ok := r.known[symbol]
	r.mu.Unlock()
	age, most := now.Sub(k.asked), rememberAnswer
	if k.err != nil {
		most = rememberError
	}
	if !ok || age < 0 || age >= most || from.Before(k.from) || to.After(k.to) {
		k = reports{from: from.AddDays(-margin), to: to.AddDays(margin), asked: now}
		k.events, k.err = r.source.Events(ctx, symbol, k.from, k.to)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		r.mu.Lock()
		r.known[symbol] = k
		r.mu.Unlock()
	}
	if k.err != nil {
		return nil, k.err
	}
	var all []market.Event
	for _, e := range k.events {
		if !e.Date.Before(from) && !e.Date.After(to) {
			all = append(all, e)
		}
	}
	return all, nil
}
