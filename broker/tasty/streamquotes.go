package tasty

import (
	"cmp"
	"context"
	"math"
	"sync"
	"time"

	"github.com/ttai-go/ttai/internal/conflate"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/tastytrade/dxlink"
)

var _ market.Streamer = (*Adapter)(nil)

// StreamQuotes implements [market.Streamer] over the market data stream: quotes,
// trades of and outside regular hours, and the day's prices, joined by symbol.
// Futures and options on them are asked for by the names that the stream has for
// them; those whose product the broker does not list are in a *market.MissingError
// that wraps market.ErrUnsupported, and nothing is streamed. A symbol's first update
// comes when its quote and its trade are there.
func (a *Adapter) StreamQuotes(ctx context.Context, symbols ...market.Symbol) (market.QuoteStream, error) {
	if err := checkSymbols(symbols); err != nil {
		return nil, err
	}
	names, err := a.namesWithin(ctx, symbols)
	if err != nil {
		return nil, err
	}
	conn, err := a.stream(ctx)
	if err != nil {
		return nil, err
	}
	s := &quoteStream{conn: conn, named: a.namesWithin, names: map[market.Symbol]string{}, symbols: map[string]market.Symbol{}, joined: map[string]*joinedQuote{}, news: conflate.New[string]()}
	for i, name := range names {
		s.symbols[name], s.names[symbols[i]] = symbols[i], name
	}
	ctx, s.cancel = context.WithCancel(ctx)
	stop := context.AfterFunc(a.ctx, s.cancel)
	s.release = func() { stop() }
	s.fail = func(err error) error { return a.failure("streaming quotes", err) }
	err = begin(ctx, s, names, true, func(j *joinedQuote, q dxlink.Quote) {
		j.quoted = true
		j.q.Time, j.q.Bid, j.q.Ask, j.q.BidSize, j.q.AskSize = latest(j.q.Time, latest(q.BidTime, q.AskTime)), q.Bid, q.Ask, q.BidSize, q.AskSize
	})
	if err == nil {
		err = begin(ctx, s, names, false, func(j *joinedQuote, t dxlink.Trade) {
			j.q.Volume = t.DayVolume
			j.trade(t)
		})
	}
	if err == nil {
		err = begin(ctx, s, names, false, func(j *joinedQuote, t dxlink.TradeETH) {
			if !math.IsNaN(t.Price) && t.ExtendedHours {
				j.trade(dxlink.Trade(t))
			}
		})
	}
	if err == nil {
		err = begin(ctx, s, names, false, func(j *joinedQuote, d dxlink.Summary) {
			j.q.Open, j.q.High, j.q.Low, j.q.PrevClose = d.DayOpen, d.DayHigh, d.DayLow, d.PrevDayClose
		})
	}
	if err != nil {
		_ = s.Close() // the reason is err
		return nil, a.failure("streaming quotes", err)
	}
	return s, nil
}

// namesWithin is streamNames within the time of a call.
func (a *Adapter) namesWithin(ctx context.Context, symbols []market.Symbol) ([]string, error) {
	ctx, cancel := a.bounded(ctx)
	defer cancel()
	return a.streamNames(ctx, symbols)
}

// A quoteStream joins the stream's events by symbol. A reader that is slow finds
// the latest of each symbol.
type quoteStream struct {
	conn    *dxlink.Conn
	cancel  context.CancelFunc
	release func()
	fail    func(error) error
	named   func(context.Context, []market.Symbol) ([]string, error)
	subs    []subscription
	readers sync.WaitGroup
	news    *conflate.Queue[string] // by the stream's name

	mu      sync.Mutex
	symbols map[string]market.Symbol // by the stream's name
	names   map[market.Symbol]string // the reverse
	joined  map[string]*joinedQuote
	closed  bool
}

type joinedQuote struct {
	q              market.Quote
	traded         time.Time
	quoted, priced bool
}

// trade takes a trade unless a younger one is known.
func (j *joinedQuote) trade(t dxlink.Trade) {
	j.priced = true
	if t.Time.Before(j.traded) || math.IsNaN(t.Price) {
		return
	}
	j.traded, j.q.Last, j.q.Time = t.Time, t.Price, latest(j.q.Time, t.Time)
}

// subscription is what all kinds of subscriptions have.
type subscription interface {
	Add(symbols ...string) error
	Remove(symbols ...string) error
	Close() error
}

// begin subscribes to one kind of event and reads it until the stream ends. One
// kind tells the gaps: they are the connection's.
func begin[T dxlink.Event](ctx context.Context, s *quoteStream, names []string, gaps bool, take func(*joinedQuote, T)) error {
	opts := &dxlink.SubscriptionOptions{}
	if gaps {
		opts.OnGap = func(g dxlink.Gap) { s.gap(market.StreamGap{From: g.Since, To: g.Until}) }
	}
	sub, err := dxlink.SubscribeWith[T](ctx, s.conn, opts, names...)
	if err != nil {
		return err
	}
	s.subs = append(s.subs, sub)
	s.readers.Go(func() {
		for event, err := range sub.Events() {
			if err != nil {
				s.end(err)
				return
			}
			s.put(symbolOfEvent(event), func(j *joinedQuote) { take(j, event) })
		}
		s.end(dxlink.ErrClosed)
	})
	return nil
}

// symbolOfEvent is the stream's name of what an event is about.
func symbolOfEvent(event any) string {
	switch e := event.(type) {
	case dxlink.Quote:
		return e.Symbol
	case dxlink.Trade:
		return e.Symbol
	case dxlink.TradeETH:
		return e.Symbol
	case dxlink.Summary:
		return e.Symbol
	}
	return ""
}

// put changes what is known of a symbol and has the reader see it.
func (s *quoteStream) put(name string, change func(*joinedQuote)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	symbol, ok := s.symbols[name]
	if !ok {
		return // it was removed meanwhile
	}
	j, ok := s.joined[name]
	if !ok {
		j = &joinedQuote{q: market.NewQuote(symbol)}
		s.joined[name] = j
	}
	change(j)
	if !s.closed && j.quoted && j.priced {
		s.news.Put(name)
	}
}

func (s *quoteStream) gap(g market.StreamGap) { s.news.Gap(conflate.Gap(g)) }

func (s *quoteStream) end(err error) { s.news.End(err) }

// Next waits for the next quote or gap. It is for one reader.
func (s *quoteStream) Next(ctx context.Context) (market.Update, error) {
	for {
		name, gap, err := s.news.Next(ctx)
		if err != nil && s.news.Err() == nil { // only this call ends
			return market.Update{}, err
		}
		if err != nil {
			return market.Update{}, s.fail(err)
		}
		if gap != nil {
			return market.Update{Gap: (*market.StreamGap)(gap)}, nil
		}
		s.mu.Lock()
		j, ok := s.joined[name] // it may have been removed meanwhile
		var q market.Quote
		if ok {
			q = j.q
		}
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
	names, err := s.named(ctx, symbols)
	if err != nil {
		return err
	}
	s.mu.Lock()
	for i, name := range names {
		s.symbols[name], s.names[symbols[i]] = symbols[i], name
	}
	s.mu.Unlock()
	for _, sub := range s.subs {
		err = cmp.Or(err, sub.Add(names...))
	}
	return err
}

// Remove streams some symbols no longer.
func (s *quoteStream) Remove(_ context.Context, symbols ...market.Symbol) error {
	var names []string
	s.mu.Lock()
	for _, symbol := range symbols {
		if name, ok := s.names[symbol]; ok {
			names = append(names, name)
			delete(s.names, symbol)
			delete(s.symbols, name)
			delete(s.joined, name)
			s.news.Forget(name)
		}
	}
	s.mu.Unlock()
	if len(names) == 0 {
		return nil
	}
	var err error
	for _, sub := range s.subs {
		err = cmp.Or(err, sub.Remove(names...))
	}
	return err
}

// Close ends the stream and waits for its readers. The connection stays, for
// others that use it.
func (s *quoteStream) Close() error {
	s.mu.Lock()
	closed := s.closed
	s.closed = true
	s.mu.Unlock()
	s.news.Clear()
	if closed {
		return nil
	}
	s.release()
	s.cancel()
	var err error
	for _, sub := range s.subs {
		err = cmp.Or(err, sub.Close())
	}
	s.readers.Wait()
	return err
}
