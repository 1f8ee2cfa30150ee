package tasty

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/tastytrade"
)

// waitingEvents is how many of the broker's notifications wait for the reader.
const waitingEvents = 1024

// AccountEvents subscribes to what happens in accounts, all of the customer's when
// none is named: orders, fills, balances and positions.
//
// The broker repeats nothing. So the orders of today, the positions and the
// balances are read when the subscription begins, which is before this returns,
// and again after each break in the connection: the reader then gets a Gap, and
// behind it what has changed since the last that it was told, fills included.
// When the reader is slow, notifications about one object give way to later ones
// about the same; when even so 1024 of them wait, the oldest are dropped, which
// is a Gap too and is read anew in the same way. A fill is told once.
func (a *Adapter) AccountEvents(ctx context.Context, accounts ...broker.AccountID) (broker.EventStream, error) {
	for _, account := range accounts {
		if err := checkAccount(account); err != nil {
			return nil, err
		}
	}
	if !a.streams() {
		return nil, fmt.Errorf("tasty: subscribing to events: the account streamer's address is not known: %w", broker.ErrUnsupported)
	}
	short, cancel := a.bounded(ctx)
	defer cancel()
	list, err := a.Accounts(short)
	if err != nil {
		return nil, err
	}
	numbers := make([]tastytrade.AccountNumber, 0, len(list))
	for _, item := range list {
		if len(accounts) == 0 || slices.Contains(accounts, item.ID) {
			numbers = append(numbers, tastytrade.AccountNumber(item.ID))
		}
	}
	for _, account := range accounts {
		if !slices.Contains(numbers, tastytrade.AccountNumber(account)) {
			return nil, fmt.Errorf("tasty: subscribing to events: account %q: %w", account, broker.ErrUnknownAccount)
		}
	}
	if len(numbers) == 0 {
		return nil, invalid.Field("accounts", accounts, "an account: the customer has none")
	}
	s := &eventStream{adapter: a, out: make(chan broker.Event), done: make(chan struct{}), told: newLedger(a), numbers: numbers}
	s.ctx, s.cancel = context.WithCancelCause(context.WithoutCancel(ctx))
	s.endsWith(ctx, func() error { return context.Cause(ctx) })
	s.endsWith(a.ctx, func() error { return fmt.Errorf("tasty: the adapter is closed: %w", broker.ErrUnavailable) })
	if err := s.dial(short); err != nil {
		s.end(err)
		return nil, a.failure("subscribing to events", err)
	}
	return s, nil
}

// An eventStream turns the account streamer's notifications into events.
type eventStream struct {
	adapter *Adapter
	numbers []tastytrade.AccountNumber
	stream  *tastytrade.AccountStreamer
	ctx     context.Context
	cancel  context.CancelCauseFunc
	out     chan broker.Event
	done    chan struct{} // closed when nothing more comes
	told    *ledger       // of the goroutine that runs

	mu       sync.Mutex
	snapshot *tastytrade.AccountSnapshot // the latest read after a connection was made; nil when it was used
	err      error
}

// dial connects, and returns when the accounts have been read.
func (s *eventStream) dial(ctx context.Context) error {
	hydrated := make(chan struct{}, 1)
	stream, err := s.adapter.client.DialAccounts(ctx, &tastytrade.AccountStreamerOptions{
		Accounts: s.numbers, URL: s.adapter.opts.AccountStreamer, Buffer: waitingEvents,
		Rehydrate: func(ctx context.Context, _ *tastytrade.AccountGap) (*tastytrade.AccountSnapshot, error) {
			snapshot, err := s.adapter.client.AccountSnapshot(ctx, s.numbers...)
			if err != nil {
				return nil, err
			}
			s.mu.Lock()
			s.snapshot = snapshot
			s.mu.Unlock()
			select {
			case hydrated <- struct{}{}:
			default:
			}
			return snapshot, nil
		},
	})
	if err != nil {
		return err
	}
	select {
	case <-hydrated:
	case <-stream.Done():
		err = stream.Err()
	case <-ctx.Done():
		err = errors.Join(ctx.Err(), stream.LastError())
	}
	if err != nil {
		_ = stream.Close() // its only result is that it has ended
		return err
	}
	s.stream = stream
	s.told.begin(s.taken())
	go s.run()
	return nil
}

// taken returns the latest snapshot, once.
func (s *eventStream) taken() *tastytrade.AccountSnapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	snapshot := s.snapshot
	s.snapshot = nil
	return snapshot
}

// run hands events on until the stream ends.
func (s *eventStream) run() {
	defer close(s.done)
	stop := context.AfterFunc(s.ctx, func() { _ = s.stream.Close() }) // ends the loop below
	defer stop()
	for n, err := range s.stream.Notifications() {
		if err != nil {
			s.end(s.adapter.failure("reading events", err))
			break
		}
		if !s.notified(&n) {
			break
		}
	}
	_ = s.stream.Close() // waits for it
}

// notified tells what a notification means, false when the stream has ended.
func (s *eventStream) notified(n *tastytrade.Notification) bool {
	at := n.Timestamp
	if at.IsZero() {
		at = s.adapter.opts.Clock.Now()
	}
	switch v := n.Value.(type) {
	case *tastytrade.Order:
		return s.tell(s.told.order(at, v))
	case *tastytrade.ComplexOrder:
		for _, order := range v.Components() {
			if order.ComplexOrderID == "" {
				order.ComplexOrderID = v.ID
			}
			if order.ID != "" && !s.tell(s.told.order(at, &order)) {
				return false
			}
		}
	case *tastytrade.Balance:
		return s.tell(s.told.balance(at, v))
	case *tastytrade.Position:
		return s.tell(s.told.position(at, v))
	case *tastytrade.AccountGap:
		return s.missed(v)
	case nil:
		if n.Err != nil {
			s.adapter.opts.Logger.Warn("an event that cannot be read", "type", n.Type, "error", n.Err)
		}
	}
	return true
}

// missed tells of a gap and then of what changed in it.
func (s *eventStream) missed(gap *tastytrade.AccountGap) bool {
	reason := fmt.Sprintf("%d notifications did not fit", gap.Dropped)
	if gap.Lost > 0 {
		reason = "the connection was lost"
		if gap.Err != nil {
			reason += ": " + gap.Err.Error()
		}
	}
	var events []broker.Event
	for _, number := range s.numbers {
		events = append(events, broker.Event{
			Time: gap.Until, Account: broker.AccountID(number), Gap: &broker.Gap{Since: s.told.last[broker.AccountID(number)], Reason: reason},
		})
	}
	if !s.tell(events) {
		return false
	}
	snapshot := s.taken()
	wait := 500 * time.Millisecond
	for gap.Dropped > 0 || snapshot == nil {
		// Nothing was read for what did not fit; what waits meanwhile is bounded.
		var err error
		if snapshot, err = s.adapter.client.AccountSnapshot(s.ctx, s.numbers...); err == nil {
			break
		}
		s.adapter.opts.Logger.Warn("reading accounts after a gap", "error", err)
		select {
		case <-s.ctx.Done():
			return false
		case <-time.After(wait):
			wait = min(2*wait, 30*time.Second)
		}
	}
	return s.tell(s.told.compare(s.adapter.opts.Clock.Now(), snapshot))
}

// tell hands events to the reader, false when the stream has ended.
func (s *eventStream) tell(events []broker.Event) bool {
	for _, e := range events {
		select {
		case s.out <- e:
		case <-s.ctx.Done():
			return false
		}
	}
	return true
}

// endsWith ends the stream when a context does.
func (s *eventStream) endsWith(ctx context.Context, why func() error) {
	stop := context.AfterFunc(ctx, func() { s.end(why()) })
	context.AfterFunc(s.ctx, func() { stop() })
}

// end is why the stream ends; the first reason stands.
func (s *eventStream) end(err error) {
	s.mu.Lock()
	if s.err == nil {
		s.err = err
	}
	s.mu.Unlock()
	s.cancel(err)
}

// Next waits for the next event.
func (s *eventStream) Next(ctx context.Context) (broker.Event, error) {
	select {
	case e := <-s.out:
		return e, nil
	default:
	}
	select {
	case e := <-s.out:
		return e, nil
	case <-s.done:
		s.mu.Lock()
		defer s.mu.Unlock()
		return broker.Event{}, s.err
	case <-ctx.Done():
		return broker.Event{}, ctx.Err()
	}
}

// errStreamClosed is why a stream ends that its reader has closed.
var errStreamClosed = errors.New("tasty: the event stream was closed")

// Close ends the stream and waits for it. It may be called again.
func (s *eventStream) Close() error {
	s.end(errStreamClosed)
	<-s.done
	return nil
}
