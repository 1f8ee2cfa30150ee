package alpaca

import (
	"context"
	"sync"
	"time"

	"github.com/ttai-go/ttai/broker"
)

// A queue holds what arrives until its one reader takes it. When it is full, what
// comes is dropped until the reader has taken everything; then it is told of the
// gap.
type queue[T any] struct {
	size int
	gap  func(broker.Gap) T

	mu      sync.Mutex
	items   []T
	last    time.Time   // when the last item that was kept arrived
	lost    *broker.Gap // set while items are dropped
	err     error       // why nothing more comes
	changed chan struct{}
}

func newQueue[T any](size int, gap func(broker.Gap) T) *queue[T] {
	return &queue[T]{size: size, gap: gap, changed: make(chan struct{}, 1)}
}

func (q *queue[T]) put(item T, at time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.err != nil:
		return
	case q.lost != nil:
		return
	case len(q.items) >= q.size:
		q.lost = &broker.Gap{Since: q.last, Reason: "the reader was too slow"}
		return
	}
	q.items, q.last = append(q.items, item), at
	q.wake()
}

// miss tells the reader, in its turn, that something is missing.
func (q *queue[T]) miss(reason string, at time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.err != nil || q.lost != nil {
		return
	}
	gap := broker.Gap{Since: q.last, Reason: reason}
	if len(q.items) >= q.size {
		q.lost = &gap
		return
	}
	q.items, q.last = append(q.items, q.gap(gap)), at
	q.wake()
}

// end lets the reader take what is there, and then err.
func (q *queue[T]) end(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.err == nil {
		q.err = err
	}
	q.wake()
}

func (q *queue[T]) wake() {
	select {
	case q.changed <- struct{}{}:
	default:
	}
}

func (q *queue[T]) next(ctx context.Context) (T, error) {
	var none T
	for {
		q.mu.Lock()
		switch {
		case len(q.items) > 0:
			item := q.items[0]
			q.items[0] = none
			q.items = q.items[1:]
			if len(q.items) == 0 {
				q.items = nil
			}
			q.mu.Unlock()
			return item, nil
		case q.lost != nil:
			gap := *q.lost
			q.lost = nil
			q.mu.Unlock()
			return q.gap(gap), nil
		case q.err != nil:
			err := q.err
			q.wake() // for a later call
			q.mu.Unlock()
			return none, err
		}
		q.mu.Unlock()
		select {
		case <-q.changed:
		case <-ctx.Done():
			return none, ctx.Err()
		}
	}
}
