package monitor

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/ttai-go/ttai/market"
)

// newsOverlap is how far a poll reaches back: sources publish late, and what was
// seen is known.
const newsOverlap = 15 * time.Minute

// news has every source read.
func (e *Engine) news(ctx context.Context) {
	var all sync.WaitGroup
	for _, s := range e.opts.News {
		all.Go(func() { e.readNews(ctx, s) })
	}
	all.Wait()
}

// readNews reads one source: by its stream where it has one, otherwise by polls.
func (e *Engine) readNews(ctx context.Context, s NewsSource) {
	kick := e.kicks.listen()
	streamer, streams := s.(market.NewsStreamer)
	var since time.Time
	pause := time.Second
	for ctx.Err() == nil {
		symbols, all, wanted := e.newsWanted()
		if !wanted {
			if !e.sleep(ctx, time.Hour, kick) {
				return
			}
			continue
		}
		if since.IsZero() {
			since = e.newsSince()
		}
		at := e.now()
		if err := e.pollNews(ctx, s, symbols, since); err != nil && ctx.Err() == nil {
			e.log.Warn("news cannot be read", "error", err)
		} else {
			since = at.Add(-newsOverlap)
		}
		if !streams {
			if !e.sleep(ctx, e.opts.NewsPoll, nil) {
				return
			}
			continue
		}
		if all {
			symbols = nil
		}
		err := e.streamNews(ctx, streamer, symbols, kick)
		switch {
		case ctx.Err() != nil:
			return
		case errors.Is(err, market.ErrUnsupported):
			streams = false
		case err != nil:
			e.log.Warn("the stream of news ended", "error", err, "pause", pause)
			if !e.sleep(ctx, pause, nil) {
				return
			}
			pause = min(2*pause, time.Minute)
		}
	}
}

// newsWanted returns what rules want news about; nil symbols are everything.
func (e *Engine) newsWanted() (symbols []market.Symbol, all, wanted bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	symbols, all = e.core.NewsSymbols()
	wanted = all || len(symbols) > 0
	if all {
		symbols = nil
	}
	return symbols, all, wanted
}

// newsSince is from when stories count: since the engine before this one looked,
// a day at most.
func (e *Engine) newsSince() time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := e.now()
	since := now
	for _, m := range e.members {
		if t := m.marks.Time; !t.IsZero() && t.Before(since) {
			since = t
		}
	}
	if day := now.Add(-24 * time.Hour); since.Before(day) {
		return day
	}
	return since
}

func (e *Engine) pollNews(ctx context.Context, s NewsSource, symbols []market.Symbol, since time.Time) error {
	chunks := [][]market.Symbol{nil}
	if len(symbols) > 0 {
		chunks = slices.Collect(slices.Chunk(symbols, perCall))
	}
	for _, chunk := range chunks {
		call, cancel := context.WithTimeout(ctx, callTime)
		stories, err := s.News(call, market.NewsRequest{Symbols: chunk, From: since})
		cancel()
		for _, story := range stories {
			e.decide(func(c *Core) []Firing { return c.Story(story, e.now()) })
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// streamNews takes stories until the stream ends, or until rules want others: then
// it returns nil.
func (e *Engine) streamNews(ctx context.Context, s market.NewsStreamer, symbols []market.Symbol, kick signal) error {
	stream, err := s.StreamNews(ctx, symbols...)
	if err != nil {
		return err
	}
	inner, cancel := context.WithCancel(ctx)
	watched := make(chan struct{})
	defer func() {
		cancel()
		<-watched
		_ = stream.Close() // why it ended is known
	}()
	other := false
	go func() {
		defer close(watched)
		for e.sleep(inner, time.Hour, kick) {
			if now, _, _ := e.newsWanted(); !slices.Equal(now, symbols) {
				other = true
				cancel()
				return
			}
		}
	}()
	for {
		u, err := stream.Next(inner)
		switch {
		case err != nil && inner.Err() != nil && ctx.Err() == nil:
			cancel()
			<-watched
			if other {
				return nil
			}
			return err
		case err != nil:
			return err
		case u.Story != nil:
			e.decide(func(c *Core) []Firing { return c.Story(*u.Story, e.now()) })
		case u.Gap != nil:
			if source, ok := s.(NewsSource); ok {
				if err := e.pollNews(ctx, source, symbols, u.Gap.From.Add(-time.Minute)); err != nil {
					return err // it is asked for again when the stream is opened anew
				}
			}
		}
	}
}
