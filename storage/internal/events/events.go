// Package events has the subscriptions that embedded stores hand out: a bounded
// buffer per subscriber that drops the oldest event and counts it.
package events

import (
	"context"
	"slices"
	"sync"

	"github.com/ttai-go/ttai/storage"
)

// A Hub delivers events to the subscriptions of one process. Its zero value is
// ready. It is safe for concurrent use.
type Hub struct {
	mu     sync.Mutex
	subs   map[*subscription]bool
	closed bool
}

// Publish delivers an event to the subscriptions of one scope and topic.
func (h *Hub) Publish(scope, topic string, data []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for s := range h.subs {
		if s.scope == scope && slices.Contains(s.topics, topic) {
			s.push(storage.Event{Topic: topic, Data: append([]byte{}, data...)})
		}
	}
}

// Missed tells all subscriptions that something was lost for good.
func (h *Hub) Missed(n uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for s := range h.subs {
		s.mu.Lock()
		s.missed += n
		s.mu.Unlock()
	}
}

// Subscribe listens to topics of a scope.
func (h *Hub) Subscribe(scope string, topics []string) (storage.Subscription, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, storage.ErrClosed
	}
	s := &subscription{hub: h, scope: scope, topics: slices.Clone(topics), ready: make(chan struct{}, 1), done: make(chan struct{})}
	if h.subs == nil {
		h.subs = map[*subscription]bool{}
	}
	h.subs[s] = true
	return s, nil
}

// Listening tells whether there is any subscription.
func (h *Hub) Listening() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.subs) > 0
}

// Close ends all subscriptions.
func (h *Hub) Close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for s := range h.subs {
		s.end()
	}
	clear(h.subs)
}

type subscription struct {
	hub    *Hub
	scope  string
	topics []string
	ready  chan struct{} // holds a token while there may be an event
	done   chan struct{}
	once   sync.Once

	mu      sync.Mutex
	waiting []storage.Event
	missed  uint64
}

func (s *subscription) push(e storage.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.waiting) == storage.EventBuffer {
		s.missed += 1 + s.waiting[0].Missed
		s.waiting[0].Data = nil
		s.waiting = s.waiting[1:]
		s.waiting[0].Missed += s.missed
		s.missed = 0
	}
	e.Missed, s.missed = s.missed, 0
	s.waiting = append(s.waiting, e)
	s.signal()
}

func (s *subscription) signal() {
	select {
	case s.ready <- struct{}{}:
	default:
	}
}

// Receive waits for the next event.
func (s *subscription) Receive(ctx context.Context) (storage.Event, error) {
	for {
		if err := ctx.Err(); err != nil {
			return storage.Event{}, err
		}
		select {
		case <-s.done:
			return storage.Event{}, storage.ErrClosed
		default:
		}
		select {
		case <-ctx.Done():
		case <-s.done:
		case <-s.ready:
			if e, ok := s.pop(); ok {
				return e, nil
			}
		}
	}
}

func (s *subscription) pop() (storage.Event, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.waiting) == 0 {
		return storage.Event{}, false
	}
	e := s.waiting[0]
	s.waiting[0] = storage.Event{}
	s.waiting = s.waiting[1:]
	if len(s.waiting) > 0 {
		s.signal()
	}
	return e, true
}

// Close ends the subscription.
func (s *subscription) Close() error {
	s.hub.mu.Lock()
	delete(s.hub.subs, s)
	s.hub.mu.Unlock()
	s.end()
	return nil
}

func (s *subscription) end() { s.once.Do(func() { close(s.done) }) }
