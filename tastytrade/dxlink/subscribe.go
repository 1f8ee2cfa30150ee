package dxlink

import (
	"context"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
)

// A Policy says what a subscription's buffer does while its consumer is busy.
type Policy int8

// The policies.
const (
	// Conflate keeps the latest event of each symbol, of kinds that have an index
	// (candles, series, sales, orders) the latest of each symbol and index. A slow
	// consumer is never behind. Parts of snapshots and events of the symbol "*"
	// are kept apart. The oldest is dropped when the buffer is full.
	Conflate Policy = iota
	// KeepAll keeps every event and drops the oldest when the buffer is full.
	KeepAll
	// Block keeps every event and drops none: while the buffer is full the
	// connection is not read, which holds up all its subscriptions, and in the end
	// the server may close it. The buffer may exceed its size by the events of one
	// message. Use a Conn of its own.
	Block
)

// SubscriptionOptions configure a [Subscription]. The zero value works.
type SubscriptionOptions struct {
	Policy Policy
	// Size is how many events the buffer holds; 0: 65536.
	Size int
	// From asks for the history since then, newest first, before the live events.
	// Only kinds with an index have one: candles, sales, greeks and the like.
	From time.Time
	// Source is the order book asked for, such as "NTV"; for orders only.
	Source string
	// Contract puts the subscription on a channel of its own with this contract.
	// Empty: candles, series, orders and what has From or Source get a channel
	// with History, everything else shares one with Options.Contract.
	Contract Contract
	// OnGap is called within the loop over Events, in its place between the
	// events from before and after a lost connection.
	OnGap func(Gap)
	// OnRefusal is called within the loop over Events with an ERROR of the server
	// about the channel that this subscription shares with others: that there are
	// too many symbols, say. It does not tell which symbols it means, and nothing
	// arrives for those; the subscription goes on. An ERROR about a channel that
	// is the subscription's own ends it. See [Subscription.Refused].
	OnRefusal func(error)
}

// A Subscription is a stream of one kind of event for a set of symbols. Its
// methods are safe for concurrent use, but one loop at a time may run over
// Events. It survives lost connections; see [Gap].
type Subscription[T Event] struct {
	conn  *Conn
	shape shape // for what is known of the kind; its fields belong to no event
	opts  SubscriptionOptions
	buf   buffer[T]
	watch watch

	// Guarded by conn.mu.
	feed    *feed
	table   *table[T]
	own     bool // the channel has no other subscriber
	symbols map[string]bool
	closed  bool
}

// Subscribe asks for events of kind T. Events conflate per symbol; use
// [SubscribeWith] for other wishes. ctx lives as long as the stream: when it
// ends, so does the subscription. Symbols are the streamer's, and may be added
// and removed later; "*" is all of them, where the server allows it.
func Subscribe[T Event](ctx context.Context, conn *Conn, symbols ...string) (*Subscription[T], error) {
	return SubscribeWith[T](ctx, conn, nil, symbols...)
}

// SubscribeWith is [Subscribe] with options.
func SubscribeWith[T Event](ctx context.Context, conn *Conn, opts *SubscriptionOptions, symbols ...string) (*Subscription[T], error) {
	s := &Subscription[T]{conn: conn, shape: shapeOf(new(T)), symbols: map[string]bool{}}
	if opts != nil {
		s.opts = *opts
	}
	if err := s.check(symbols); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.buf.init(s.opts.Policy, s.opts.Size)
	conn.mu.Lock()
	defer conn.mu.Unlock()
	if err := conn.ended(); err != nil {
		return nil, err
	}
	switch s.shape.kind {
	case "Candle", "Series", "Order", "SpreadOrder", "AnalyticOrder":
		s.own = true
	}
	if s.own || !s.opts.From.IsZero() || s.opts.Source != "" || s.opts.Contract != "" {
		s.own = true // the start of its history, and its snapshot, are its own
		if s.opts.Contract == "" {
			s.opts.Contract = History
		}
		s.feed = conn.open(&feed{service: "FEED", contract: s.opts.Contract})
	} else {
		if conn.ticks == nil {
			conn.ticks = conn.open(&feed{service: "FEED", contract: conn.opts.Contract})
		}
		s.feed = conn.ticks
	}
	s.table = tableOf[T](s.feed)
	if s.opts.Policy == Block {
		conn.blockers[s] = struct{}{}
	}
	s.addLocked(symbols)
	s.watch.start(ctx, func() {
		s.leave()
		s.end(ctx.Err())
	})
	return s, nil
}

func (s *Subscription[T]) check(symbols []string) error {
	o := &s.opts
	if o.Size == 0 {
		o.Size = 65536
	}
	if o.Size < 0 {
		return invalid.Field("Size", o.Size, "1 or more, or 0 for the default")
	}
	if o.Policy < Conflate || o.Policy > Block {
		return invalid.Field("Policy", o.Policy, "Conflate, KeepAll or Block")
	}
	if !o.From.IsZero() && s.shape.index == nil {
		return invalid.Field("From", o.From, "the zero time: only kinds with an index, such as candles, have a history")
	}
	if o.Source != "" && !strings.HasSuffix(s.shape.kind, "Order") {
		return invalid.Field("Source", o.Source, "empty: only orders have sources")
	}
	switch o.Contract {
	case "", Auto, Ticker, History, Stream:
	default:
		return invalid.Field("Contract", string(o.Contract), "AUTO, TICKER, HISTORY or STREAM")
	}
	return checkSymbols(symbols)
}

// ended returns why no more can be asked of the Conn; the caller holds mu.
func (c *Conn) ended() error {
	if c.err != nil {
		return c.err
	}
	if c.ctx.Err() != nil {
		return ErrClosed
	}
	return nil
}

func checkSymbols(symbols []string) error {
	for _, s := range symbols {
		if s == "" || len(s) > 200 || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' }) {
			return invalid.Field("symbols", s, "1 to 200 printable characters each")
		}
	}
	return nil
}

// Events yields events as they come, in the order of their arrival except for
// what conflation replaced. The loop ends without an error after Close, and
// with one that says why when ctx or the connection ended.
func (s *Subscription[T]) Events() iter.Seq2[T, error] {
	return events(&s.buf, s.opts.OnGap, s.opts.OnRefusal)
}

func events[T any](b *buffer[T], onGap func(Gap), onRefusal func(error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var event T
		var gap Gap
		for {
			switch what, err := b.take(&event, &gap); what {
			case anEvent:
				if !yield(event, nil) {
					return
				}
			case aGap:
				if onGap != nil {
					onGap(gap)
				}
			case aRefusal:
				if onRefusal != nil {
					onRefusal(err)
				}
			case theEnd:
				if err != nil {
					var none T
					yield(none, err)
				}
				return
			case nothing:
				<-b.wake
			}
		}
	}
}

// Add asks for more symbols. Those already there are left alone.
func (s *Subscription[T]) Add(symbols ...string) error {
	if err := checkSymbols(symbols); err != nil {
		return err
	}
	s.conn.mu.Lock()
	defer s.conn.mu.Unlock()
	if err := s.conn.ended(); err != nil {
		return err
	}
	if s.closed {
		return ErrClosed
	}
	s.addLocked(symbols)
	return nil
}

func (s *Subscription[T]) addLocked(symbols []string) {
	var fresh []string
	for _, symbol := range symbols {
		if !s.symbols[symbol] {
			s.symbols[symbol] = true
			fresh = append(fresh, symbol)
		}
	}
	var from int64
	if !s.opts.From.IsZero() {
		from = fromTime(s.opts.From)
	}
	ask := s.table.add(fresh, from, s.opts.Source, func(symbol string) receiver[T] {
		return &link[T]{sub: s, conflate: s.opts.Policy == Conflate && symbol != "*" && !s.shape.unique, byIndex: s.shape.byIndex || from > 0}
	})
	s.conn.ask(s.feed, ask, nil)
}

// Remove ends the events of symbols. What is in the buffer stays.
func (s *Subscription[T]) Remove(symbols ...string) error {
	s.conn.mu.Lock()
	defer s.conn.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	var gone []string
	for _, symbol := range symbols {
		if s.symbols[symbol] {
			delete(s.symbols, symbol)
			gone = append(gone, symbol)
		}
	}
	s.conn.ask(s.feed, nil, s.table.remove(gone, s.opts.Source, s))
	return nil
}

// Close ends the subscription and waits until it is off the connection: when
// it returns nothing more is buffered or will be, and a loop over Events ends
// with its next step. It may be called twice, and within the loop.
func (s *Subscription[T]) Close() error {
	s.watch.stop()
	s.leave()
	s.buf.clear()
	s.end(nil)
	return nil
}

// leave takes the subscription off its channel.
func (s *Subscription[T]) leave() {
	s.conn.mu.Lock()
	defer s.conn.mu.Unlock()
	if s.closed {
		return
	}
	s.closed = true
	delete(s.conn.blockers, s)
	if s.own {
		s.conn.cancelFeed(s.feed)
		return
	}
	symbols := make([]string, 0, len(s.symbols))
	for symbol := range s.symbols {
		symbols = append(symbols, symbol)
	}
	slices.Sort(symbols)
	s.conn.ask(s.feed, nil, s.table.remove(symbols, s.opts.Source, s))
}

// Dropped returns how many events the consumer never saw: replaced by newer
// ones of their symbol, or pushed out of a full buffer.
func (s *Subscription[T]) Dropped() uint64 {
	_, dropped, _, _ := s.buf.counts()
	return dropped
}

// Buffered returns how many events wait for the consumer.
func (s *Subscription[T]) Buffered() int {
	waiting, _, _, _ := s.buf.counts()
	return waiting
}

// Gaps returns how many times the connection was lost and found again.
func (s *Subscription[T]) Gaps() uint64 {
	_, _, _, gaps := s.buf.counts()
	return gaps
}

// Refused returns the server's latest ERROR about the channel that the
// subscription shares with others, a *[ProtocolError]; nil when there was none.
// Symbols of this subscription may be without events because of it.
func (s *Subscription[T]) Refused() error { return s.buf.lastRefusal() }

func (s *Subscription[T]) gap(g Gap)             { s.buf.gap(g) }
func (s *Subscription[T]) refused(err error)     { s.buf.refuse(err) }
func (s *Subscription[T]) end(err error)         { s.buf.end(err) }
func (s *Subscription[T]) full() <-chan struct{} { return s.buf.full() }

// A link is a subscription's interest in one symbol.
type link[T Event] struct {
	sub               *Subscription[T]
	slot              slot
	conflate, byIndex bool
}

func (l *link[T]) owner() sink        { return l.sub }
func (l *link[T]) buffer() *buffer[T] { return &l.sub.buf }

func (l *link[T]) offer(e *T, at place) {
	if !l.conflate {
		l.sub.buf.put(e, nil, false, at)
		return
	}
	l.sub.buf.put(e, &l.slot, l.byIndex, at)
}

// A watch ends a subscription with its context.
type watch struct {
	once   sync.Once
	cancel func() bool
	ended  chan struct{}
}

func (w *watch) start(ctx context.Context, end func()) {
	w.ended = make(chan struct{})
	w.cancel = context.AfterFunc(ctx, func() {
		defer close(w.ended)
		end()
	})
}

// stop waits for an end that is under way.
func (w *watch) stop() {
	w.once.Do(func() {
		if w.cancel() {
			close(w.ended)
		}
	})
	<-w.ended
}
