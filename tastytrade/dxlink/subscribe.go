package dxlink

import (
	"context"
	"errors"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
)

// A Policy says what a subscription's buffer keeps while its consumer is busy.
type Policy int8

// The policies.
const (
	// Conflate keeps the latest event of each symbol, of candles the latest of
	// each symbol and index. A slow consumer is never behind.
	Conflate Policy = iota
	// KeepAll keeps every event and drops the oldest when the buffer is full.
	KeepAll
)

// SubscriptionOptions configure a [Subscription]. The zero value works.
type SubscriptionOptions struct {
	Policy Policy
	// Size is how many events the buffer holds; the oldest is dropped when one
	// more comes. 0: 65536.
	Size int
	// From asks for the history of candles since then, newest first, before
	// the live ones. Other events have none.
	From time.Time
	// OnGap is called within the loop over Events, in its place between the
	// events from before and after a lost connection.
	OnGap func(Gap)
}

// A Subscription is a stream of one kind of event for a set of symbols. Its
// methods are safe for concurrent use, but one loop at a time may run over
// Events. It survives lost connections; see [Gap].
type Subscription[T Event] struct {
	conn *Conn
	kind string
	opts SubscriptionOptions
	stop func() bool // ends the watch on the context

	// Guarded by conn.mu. A sink is called with conn.mu held, so that mu below
	// comes after it.
	feed    *feed
	symbols map[string]bool
	closed  bool

	mu      sync.Mutex
	queue   []bufferKey
	items   map[bufferKey]item[T]
	counter int64
	dropped uint64
	gaps    uint64
	ended   bool
	err     error
	wake    chan struct{}
}

// A bufferKey names what an event replaces: the event of the same symbol and
// index, if no gap lies between the two.
type bufferKey struct {
	symbol string
	n      int64
	gaps   uint64
}

type item[T Event] struct {
	event T
	gap   *Gap
}

// Subscribe asks for events of kind T. Events conflate per symbol; use
// [SubscribeWith] for other wishes. ctx lives as long as the stream: when it
// ends, so does the subscription. Symbols are the streamer's, and may be added
// and removed later.
func Subscribe[T Event](ctx context.Context, conn *Conn, symbols ...string) (*Subscription[T], error) {
	return SubscribeWith[T](ctx, conn, nil, symbols...)
}

// SubscribeWith is [Subscribe] with options.
func SubscribeWith[T Event](ctx context.Context, conn *Conn, opts *SubscriptionOptions, symbols ...string) (*Subscription[T], error) {
	s := &Subscription[T]{conn: conn, kind: kindOf[T](), symbols: map[string]bool{}, items: map[bufferKey]item[T]{}, wake: make(chan struct{}, 1)}
	if opts != nil {
		s.opts = *opts
	}
	if s.opts.Size == 0 {
		s.opts.Size = 65536
	}
	if s.opts.Size < 0 {
		return nil, invalid.Field("Size", s.opts.Size, "1 or more, or 0 for the default")
	}
	if !s.opts.From.IsZero() && s.kind != "Candle" {
		return nil, invalid.Field("From", s.opts.From, "the zero time: only candles have a history")
	}
	if err := checkSymbols(symbols); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	conn.mu.Lock()
	defer conn.mu.Unlock()
	if err := conn.ended(); err != nil {
		return nil, err
	}
	if s.kind == "Candle" {
		s.feed = conn.open(History) // its own channel: the start of its history is its own
	} else {
		if conn.ticks == nil {
			conn.ticks = conn.open(conn.opts.Contract)
		}
		s.feed = conn.ticks
	}
	s.addLocked(symbols)
	s.stop = context.AfterFunc(ctx, func() {
		s.leave()
		s.end(ctx.Err())
	})
	return s, nil
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
	return func(yield func(T, error) bool) {
		for {
			it, ok, ended, err := s.take()
			switch {
			case ok && it.gap != nil:
				if s.opts.OnGap != nil {
					s.opts.OnGap(*it.gap)
				}
			case ok:
				if !yield(it.event, nil) {
					return
				}
			case ended:
				if err != nil {
					var none T
					yield(none, err)
				}
				return
			default:
				<-s.wake
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
		from = s.opts.From.UnixMilli()
	}
	s.conn.add(s.feed, s.kind, fresh, from, s)
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
	s.conn.remove(s.feed, s.kind, gone, s)
	return nil
}

// Close ends the subscription: when it returns nothing more is buffered, and a
// loop over Events ends. It may be called twice, and within the loop.
func (s *Subscription[T]) Close() error {
	s.stop()
	s.leave()
	s.mu.Lock()
	s.queue, s.items = nil, map[bufferKey]item[T]{}
	s.mu.Unlock()
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
	if s.kind == "Candle" {
		s.conn.cancelFeed(s.feed)
		clear(s.feed.entries)
		return
	}
	symbols := make([]string, 0, len(s.symbols))
	for symbol := range s.symbols {
		symbols = append(symbols, symbol)
	}
	slices.Sort(symbols)
	s.conn.remove(s.feed, s.kind, symbols, s)
}

// Dropped returns how many events the consumer never saw: replaced by newer
// ones of their symbol, or pushed out of a full buffer.
func (s *Subscription[T]) Dropped() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dropped
}

// Gaps returns how many times the connection was lost and found again.
func (s *Subscription[T]) Gaps() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.gaps
}

func (s *Subscription[T]) offer(event any) {
	e, ok := event.(T)
	if !ok {
		return
	}
	key := bufferKey{}
	switch x := event.(type) {
	case Quote:
		key.symbol = x.Symbol
	case Trade:
		key.symbol = x.Symbol
	case Summary:
		key.symbol = x.Symbol
	case Greeks:
		key.symbol = x.Symbol
	case Candle:
		key = bufferKey{symbol: x.Symbol, n: x.Index}
	}
	s.push(key, item[T]{event: e}, s.opts.Policy == KeepAll)
}

func (s *Subscription[T]) gap(g Gap) {
	s.mu.Lock()
	s.gaps++
	s.mu.Unlock()
	s.push(bufferKey{}, item[T]{gap: &g}, true)
}

func (s *Subscription[T]) push(key bufferKey, it item[T], unique bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return
	}
	key.gaps = s.gaps
	if unique { // no symbol is empty, so that these keys collide with nothing
		s.counter++
		key = bufferKey{n: s.counter}
	}
	if _, waiting := s.items[key]; waiting {
		s.items[key] = it
		s.dropped++
		return
	}
	if len(s.queue) >= s.opts.Size {
		delete(s.items, s.queue[0])
		s.queue = s.queue[1:]
		s.dropped++
	}
	s.queue = append(s.queue, key)
	s.items[key] = it
	s.signal()
}

func (s *Subscription[T]) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *Subscription[T]) end(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ended {
		s.ended, s.err = true, err
	}
	s.signal()
}

func (s *Subscription[T]) take() (it item[T], ok, ended bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queue) == 0 {
		if s.ended {
			s.signal() // for a loop that comes later
		}
		return it, false, s.ended, s.err
	}
	key := s.queue[0]
	s.queue = s.queue[1:]
	it = s.items[key]
	delete(s.items, key)
	return it, true, false, nil
}

// Latest returns the latest event of each symbol: what has arrived when the
// last one has, or when the deadline of ctx comes (Options.Snapshot when it has
// none), and in missing the symbols without an answer, in the order asked.
// Running out of time is not an error; the error says that ctx was cancelled or
// the connection ended for good.
func Latest[T Event](ctx context.Context, conn *Conn, symbols ...string) (got map[string]T, missing []string, err error) {
	ctx, cancel := conn.withDeadline(ctx)
	defer cancel()
	got = make(map[string]T, len(symbols))
	waiting := make(map[string]bool, len(symbols))
	for _, symbol := range symbols {
		waiting[symbol] = true
	}
	if len(waiting) == 0 {
		return got, nil, nil
	}
	s, err := Subscribe[T](ctx, conn, symbols...)
	if err != nil {
		return got, symbols, err
	}
	defer s.Close()
	for event, failed := range s.Events() {
		if failed != nil {
			if !errors.Is(failed, context.DeadlineExceeded) {
				err = failed
			}
			break
		}
		symbol := symbolOf(event)
		got[symbol] = event
		if delete(waiting, symbol); len(waiting) == 0 {
			break
		}
	}
	for _, symbol := range symbols {
		if waiting[symbol] {
			missing = append(missing, symbol)
			delete(waiting, symbol) // named once
		}
	}
	return got, missing, err
}

func symbolOf[T Event](event T) string {
	switch x := any(event).(type) {
	case Quote:
		return x.Symbol
	case Trade:
		return x.Symbol
	case Summary:
		return x.Symbol
	case Greeks:
		return x.Symbol
	case Candle:
		return x.Symbol
	}
	return ""
}
