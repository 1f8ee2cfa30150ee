package paper

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/ttai-go/ttai/broker"
)

// eventRoom is how many events a stream keeps for a slow reader.
const eventRoom = 1024

// errClosed ends a stream that was closed.
var errClosed = errors.New("paper: the event stream is closed")

// A stream is one reader of events.
type stream struct {
	exchange *Exchange
	accounts []AccountID // nil: all

	mu    sync.Mutex
	queue []broker.Event
	gap   *broker.Gap
	gapAt time.Time
	seen  time.Time     // of the last event that was read or is in the queue before a gap
	err   error         // why it ended
	ready chan struct{} // has room for one
	done  chan struct{}
	stop  func() bool // undoes the watch of the context
}

// Next waits for the next event.
func (s *stream) Next(ctx context.Context) (broker.Event, error) {
	for {
		if e, ok, err := s.take(); ok || err != nil {
			return e, err
		}
		select {
		case <-ctx.Done():
			return broker.Event{}, ctx.Err()
		case <-s.ready:
		case <-s.done:
		}
	}
}

func (s *stream) take() (broker.Event, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.err != nil:
		return broker.Event{}, false, s.err
	case s.gap != nil:
		e := broker.Event{Time: s.gapAt, Gap: s.gap}
		s.gap = nil
		return e, true, nil
	case len(s.queue) > 0:
		e := s.queue[0]
		s.queue = s.queue[1:]
		s.seen = e.Time
		return e, true, nil
	}
	return broker.Event{}, false, nil
}

func (s *stream) put(e broker.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return
	}
	if len(s.queue) >= eventRoom {
		s.queue = nil
		if s.gap == nil {
			s.gap = &broker.Gap{Since: s.seen, Reason: "the reader was slower than 1024 events"}
		}
		s.gapAt = e.Time
	}
	s.queue = append(s.queue, e)
	select {
	case s.ready <- struct{}{}:
	default:
	}
}

// Close ends the stream.
func (s *stream) Close() error {
	s.stop()
	s.end(errClosed)
	return nil
}

func (s *stream) end(err error) {
	x := s.exchange
	x.mu.Lock()
	if i := slices.Index(x.streams, s); i >= 0 {
		x.streams = slices.Delete(x.streams, i, i+1)
	}
	x.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.err = err
		s.queue = nil
		close(s.done)
	}
}

func (x *Exchange) subscribe(ctx context.Context, accounts []AccountID) *stream {
	s := &stream{exchange: x, accounts: accounts, ready: make(chan struct{}, 1), done: make(chan struct{})}
	x.lock()
	x.streams = append(x.streams, s)
	x.unlock()
	s.stop = context.AfterFunc(ctx, func() { s.end(context.Cause(ctx)) })
	return s
}

// heard tells whether anybody listens.
func (x *Exchange) heard() bool { return len(x.streams) > 0 || x.opts.Observer != nil }

func (x *Exchange) tell(e broker.Event) {
	if !x.heard() {
		return
	}
	e.Time = x.time()
	for _, s := range x.streams {
		if s.accounts == nil || slices.Contains(s.accounts, e.Account) {
			s.put(e)
		}
	}
	if x.opts.Observer != nil {
		x.unseen.events = append(x.unseen.events, e)
	}
}

// brief tells whether what events point to lasts no longer than the observer looks
// at it.
func (x *Exchange) brief() bool { return x.opts.Brief && len(x.streams) == 0 }

// A batch is events that the observer is to be told, and room for what they point
// to, which is used again when it has been told.
type batch struct {
	events       []broker.Event
	orders       reused[broker.OrderState]
	transactions reused[broker.Transaction]
}

// reused is room for values that do not last.
type reused[T any] struct {
	room []*T
	used int
}

func (r *reused[T]) take() *T {
	if r.used == len(r.room) {
		r.room = append(r.room, new(T))
	}
	r.used++
	return r.room[r.used-1]
}

// order is room for an order's state, which lasts unless it is brief.
func (b *batch) order(brief bool) *broker.OrderState {
	if !brief {
		return new(broker.OrderState)
	}
	return b.orders.take()
}

func (b *batch) transaction(brief bool) *broker.Transaction {
	if !brief {
		return new(broker.Transaction)
	}
	return b.transactions.take()
}

// empty makes the batch ready to be used again.
func (b *batch) empty() {
	clear(b.events)
	b.events, b.orders.used, b.transactions.used = b.events[:0], 0, 0
}

func (x *Exchange) tellOrder(o *order) {
	if x.heard() {
		s := x.unseen.order(x.brief())
		x.describe(o, s)
		x.tell(broker.Event{Account: o.acct.info.ID, Order: s})
	}
}

// tellFill tells of one of an order's fills.
func (x *Exchange) tellFill(o *order, i int) {
	if !x.heard() {
		return
	}
	told := &o.fills[i]
	if !x.opts.Brief {
		f := copyFill(*told)
		told = &f
	}
	x.tell(broker.Event{Account: o.acct.info.ID, Fill: told})
}

func (x *Exchange) tellPosition(a *account, b *book) {
	if x.opts.Brief || !x.heard() {
		return
	}
	if p := a.position(b); p != nil {
		v := x.see(a, p)
		x.tell(broker.Event{Account: a.info.ID, Position: &v})
	}
}

func (x *Exchange) tellBalances(a *account) {
	if x.heard() && !x.opts.Brief {
		x.tell(broker.Event{Account: a.info.ID, Balances: x.balances(a)})
	}
}

// lock takes the exchange, and on a live one lets happen what is due by its clock.
func (x *Exchange) lock() {
	x.mu.Lock()
	if x.opts.Clock != nil {
		if now := x.opts.Clock.Now().UnixNano(); now >= x.due {
			x.release()
			x.advance(now, true)
		} else if now > x.now {
			x.now = now
		}
	}
}

// unlock gives the exchange free and then tells the observer what happened.
func (x *Exchange) unlock() {
	if x.due != x.told && x.opts.Clock != nil {
		x.told = x.due
		select {
		case x.wake <- struct{}{}:
		default:
		}
	}
	if len(x.unseen.events) == 0 || x.observing {
		x.mu.Unlock()
		return
	}
	// One caller at a time observes, so that the order of events is kept; what the
	// observer itself does, and what others do meanwhile, joins the end.
	x.observing = true
	for len(x.unseen.events) > 0 {
		told := x.unseen
		x.unseen, x.spare = x.spare, nil
		if x.unseen == nil {
			x.unseen = &batch{}
		}
		x.mu.Unlock()
		for i := range told.events {
			x.opts.Observer(told.events[i])
		}
		told.empty()
		x.mu.Lock()
		x.spare = told
	}
	x.observing = false
	x.mu.Unlock()
}
