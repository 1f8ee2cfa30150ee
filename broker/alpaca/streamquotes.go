package alpaca

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/ttai-go/ttai/internal/conflate"
	"github.com/ttai-go/ttai/market"
)

var _ market.Streamer = (*Adapter)(nil)

// StreamQuotes implements [market.Streamer] for shares, options and coins of the
// feeds that were configured. All streams of an adapter share one connection per
// kind of instrument, because most plans allow one: the first opens it, and the
// last to close ends it. A reader that is slow finds the latest of each symbol.
//
// The plan limits how many symbols a connection carries. Those that do not fit, the
// later ones of the call, are named by a *[market.MissingError] that wraps
// [market.ErrUnsupported] and Alpaca's *[StreamError] (405), and nothing is streamed;
// so are those of a feed that the plan does not have (409).
//
// The day's figures of shares and coins come each minute. Those of options are
// counted from their trades, upon those of the first update.
func (a *Adapter) StreamQuotes(ctx context.Context, symbols ...market.Symbol) (market.QuoteStream, error) {
	if err := checkSymbols(symbols); err != nil {
		return nil, err
	}
	s := &quoteStream{adapter: a, news: conflate.New[market.Symbol](), latest: map[market.Symbol]market.Quote{}, left: make(chan struct{})}
	if err := s.attach(ctx, symbols); err != nil {
		return nil, err
	}
	s.stop = context.AfterFunc(ctx, func() {
		defer close(s.left)
		s.end(ctx.Err())
		s.leave()
	})
	return s, nil
}

// A quoteStream is one caller's share of the connections.
type quoteStream struct {
	adapter *Adapter
	closing sync.Once
	stop    func() bool
	left    chan struct{} // closed when the end of the context has been dealt with
	news    *conflate.Queue[market.Symbol]

	mu     sync.Mutex
	latest map[market.Symbol]market.Quote // of the symbols with news
}

// attach has the connections carry symbols for this stream: all of them or none.
func (s *quoteStream) attach(ctx context.Context, symbols []market.Symbol) error {
	groups := map[Market][]market.Symbol{}
	refusal := &market.MissingError{Err: market.ErrUnsupported}
	for _, symbol := range symbols {
		if m, ok := family(symbol); ok {
			groups[m] = append(groups[m], symbol)
		} else {
			refusal.Symbols = append(refusal.Symbols, symbol)
		}
	}
	added := map[Market][]market.Symbol{}
	undo := func() {
		for m, list := range added {
			s.adapter.hubs[m].detach(s, list)
		}
	}
	for m, list := range groups {
		got, err := s.adapter.hubs[m].attach(ctx, s, list)
		added[m] = got
		if m, ok := errors.AsType[*market.MissingError](err); ok {
			refusal.Symbols, refusal.Err = append(refusal.Symbols, m.Symbols...), m.Err
		} else if err != nil {
			undo()
			return s.adapter.failure("streaming quotes", err)
		}
	}
	if len(refusal.Symbols) > 0 {
		undo()
		refused := refusal.Symbols
		refusal.Symbols = slices.DeleteFunc(slices.Clone(symbols), func(symbol market.Symbol) bool { return !slices.Contains(refused, symbol) })
		return refusal
	}
	return nil
}

// leave ends this stream's share in all connections.
func (s *quoteStream) leave() {
	for _, h := range s.adapter.hubs {
		h.leave(s)
	}
}

// put has the reader see a quote, in the place of one that waits.
func (s *quoteStream) put(q market.Quote) {
	s.mu.Lock()
	s.latest[q.Symbol] = q
	s.mu.Unlock()
	s.news.Put(q.Symbol)
}

// gap tells the reader of a gap.
func (s *quoteStream) gap(g market.StreamGap) { s.news.Gap(conflate.Gap(g)) }

// end lets the reader take what is there, and then err.
func (s *quoteStream) end(err error) { s.news.End(err) }

// Next waits for the next quote or gap. It is for one reader.
func (s *quoteStream) Next(ctx context.Context) (market.Update, error) {
	for {
		symbol, gap, err := s.news.Next(ctx)
		if err != nil && s.news.Err() == nil { // only this call ends
			return market.Update{}, err
		}
		if err != nil {
			return market.Update{}, s.adapter.failure("streaming quotes", err)
		}
		if gap != nil {
			return market.Update{Gap: (*market.StreamGap)(gap)}, nil
		}
		s.mu.Lock()
		q, ok := s.latest[symbol] // it may have been removed meanwhile
		delete(s.latest, symbol)
		s.mu.Unlock()
		if ok {
			return market.Update{Quote: &q}, nil
		}
	}
}

// Add streams more symbols.
func (s *quoteStream) Add(ctx context.Context, symbols ...market.Symbol) error {
	if len(symbols) == 0 {
		return nil
	}
	if err := checkSymbols(symbols); err != nil {
		return err
	}
	if err := s.failed(); err != nil {
		return err
	}
	err := s.attach(ctx, symbols)
	if s.failed() != nil {
		s.leave() // it ended meanwhile
	}
	return err
}

// failed is why the stream ended, nil while it lives.
func (s *quoteStream) failed() error {
	return s.adapter.failure("streaming quotes", s.news.Err())
}

// Remove streams some symbols no longer.
func (s *quoteStream) Remove(_ context.Context, symbols ...market.Symbol) error {
	groups := map[Market][]market.Symbol{}
	for _, symbol := range symbols {
		if m, ok := family(symbol); ok {
			groups[m] = append(groups[m], symbol)
		}
	}
	for m, list := range groups {
		s.adapter.hubs[m].detach(s, list)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, symbol := range symbols {
		delete(s.latest, symbol)
		s.news.Forget(symbol)
	}
	return nil
}

// Close ends the stream. The connection stays for others that use it; the last to
// close waits until it has ended.
func (s *quoteStream) Close() error {
	s.closing.Do(func() {
		if !s.stop() {
			<-s.left
		}
		s.end(ErrClosed)
		s.news.Clear()
		s.leave()
	})
	return nil
}
