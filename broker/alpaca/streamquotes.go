package alpaca

import (
	"context"
	"errors"
	"slices"
	"sync"

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
	s := &quoteStream{adapter: a, latest: map[market.Symbol]market.Quote{}, wake: make(chan struct{}, 1), left: make(chan struct{})}
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
	wake    chan struct{}

	mu     sync.Mutex
	latest map[market.Symbol]market.Quote // of the symbols in order
	order  []quoteItem
	err    error
}

// A quoteItem is a symbol with news, or a gap before them.
type quoteItem struct {
	symbol market.Symbol
	gap    *market.StreamGap
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
	defer s.mu.Unlock()
	if s.err != nil {
		return
	}
	if _, waits := s.latest[q.Symbol]; !waits {
		s.order = append(s.order, quoteItem{symbol: q.Symbol})
	}
	s.latest[q.Symbol] = q
	s.ring()
}

// gap tells the reader of a gap. One that waits is made longer.
func (s *quoteStream) gap(g market.StreamGap) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return
	}
	for _, item := range s.order {
		if item.gap != nil {
			item.gap.To = latest(item.gap.To, g.To)
			return
		}
	}
	s.order = append(s.order, quoteItem{gap: &g})
	s.ring()
}

// end lets the reader take what is there, and then err.
func (s *quoteStream) end(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.err = err
	}
	s.ring()
}

// ring wakes the reader. The mutex is held.
func (s *quoteStream) ring() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Next waits for the next quote or gap. It is for one reader.
func (s *quoteStream) Next(ctx context.Context) (market.Update, error) {
	for {
		s.mu.Lock()
		for len(s.order) > 0 {
			item := s.order[0]
			s.order = s.order[1:]
			if item.gap != nil {
				s.mu.Unlock()
				return market.Update{Gap: item.gap}, nil
			}
			if q, ok := s.latest[item.symbol]; ok { // it may have been removed meanwhile
				delete(s.latest, item.symbol)
				s.mu.Unlock()
				return market.Update{Quote: &q}, nil
			}
		}
		err := s.err
		s.mu.Unlock()
		if err != nil {
			return market.Update{}, s.adapter.failure("streaming quotes", err)
		}
		select {
		case <-s.wake:
		case <-ctx.Done():
			return market.Update{}, ctx.Err()
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
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.adapter.failure("streaming quotes", s.err)
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
		s.order = without(s.order, symbol)
	}
	return nil
}

// without is a queue that has nothing of a symbol.
func without(order []quoteItem, symbol market.Symbol) []quoteItem {
	for i, item := range order {
		if item.gap == nil && item.symbol == symbol {
			return append(order[:i:i], order[i+1:]...)
		}
	}
	return order
}

// Close ends the stream. The connection stays for others that use it; the last to
// close waits until it has ended.
func (s *quoteStream) Close() error {
	s.closing.Do(func() {
		if !s.stop() {
			<-s.left
		}
		s.end(ErrClosed)
		s.mu.Lock()
		s.order = nil
		s.mu.Unlock()
		s.leave()
	})
	return nil
}
