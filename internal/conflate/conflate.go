// Package conflate hands a slow reader the latest of each thing instead of all that
// happened to it.
package conflate

import (
	"context"
	"sync"
	"time"
)

// A Gap is a span in which things may have been missed.
type Gap struct{ From, To time.Time }

// A Queue tells one reader which keys have news, each once however often it was put,
// in the order in which they were put first. It is as long as there are keys, and one
// gap. It is safe for concurrent use; make one with New.
type Queue[K comparable] struct {
	wake chan struct{}

	mu    sync.Mutex
	order []item[K]
	waits map[K]bool
	gap   *Gap // the one in order
	err   error
}

type item[K comparable] struct {
	key K
	gap *Gap
}

// New returns an empty queue.
func New[K comparable]() *Queue[K] {
	return &Queue[K]{wake: make(chan struct{}, 1), waits: map[K]bool{}}
}

// Put says that a key has news.
func (q *Queue[K]) Put(key K) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.err == nil && !q.waits[key] {
		q.waits[key] = true
		q.order = append(q.order, item[K]{key: key})
		q.ring()
	}
}

// Gap tells of a gap. One that waits is made longer.
func (q *Queue[K]) Gap(g Gap) {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.err != nil:
	case q.gap == nil:
		q.gap = &g
		q.order = append(q.order, item[K]{gap: &g})
		q.ring()
	case g.To.After(q.gap.To):
		q.gap.To = g.To
	}
}

// Forget takes the news of a key back.
func (q *Queue[K]) Forget(key K) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.waits[key] {
		return
	}
	delete(q.waits, key)
	for i, it := range q.order {
		if it.gap == nil && it.key == key {
			q.order = append(q.order[:i:i], q.order[i+1:]...)
			return
		}
	}
}

// End lets the reader take what is there, and then err. The first one counts.
func (q *Queue[K]) End(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.err == nil {
		q.err = err
	}
	q.ring()
}

// Clear forgets all that waits.
func (q *Queue[K]) Clear() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.order, q.gap = nil, nil
	clear(q.waits)
}

// Err is why the queue ended, nil while it has not.
func (q *Queue[K]) Err() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.err
}

// ring wakes the reader. The lock is held.
func (q *Queue[K]) ring() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// Next waits for the next key, or for a gap, which is not nil then. The error is that
// of End, or of ctx.
func (q *Queue[K]) Next(ctx context.Context) (key K, gap *Gap, err error) {
	for {
		q.mu.Lock()
		if len(q.order) > 0 {
			it := q.order[0]
			q.order = q.order[1:]
			if it.gap != nil {
				q.gap = nil
			} else {
				delete(q.waits, it.key)
			}
			q.mu.Unlock()
			return it.key, it.gap, nil
		}
		err := q.err
		q.mu.Unlock()
		if err != nil {
			return key, nil, err
		}
		select {
		case <-q.wake:
		case <-ctx.Done():
			return key, nil, ctx.Err()
		}
	}
}
