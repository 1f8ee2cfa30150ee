package memory

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/ttai-go/ttai/storage"
)

var _ storage.Custodian = (*tenant)(nil)

// filled returns the names of the things that hold something.
func filled[T any](things map[string]T, holds func(T) bool) []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(things)) {
		if holds(things[name]) {
			out = append(out, name)
		}
	}
	return out
}

// locked makes a question about a thing one that is asked under its lock.
func locked[T interface {
	lock()
	leave()
}](holds func(T) bool) func(T) bool {
	return func(thing T) bool {
		thing.lock()
		defer thing.leave()
		return holds(thing)
	}
}

func (g *guard) lock()  { g.mu.Lock() }
func (s *space) lock()  { s.mu.Lock() }
func (s *space) leave() { s.mu.Unlock() }

func (t *tenant) begin(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	t.mu.Lock()
	if t.closed {
		t.mu.Unlock()
		return storage.ErrClosed
	}
	return nil
}

// Inventory names what the tenant has.
func (t *tenant) Inventory(ctx context.Context) (storage.Inventory, error) {
	if err := t.begin(ctx); err != nil {
		return storage.Inventory{}, err
	}
	defer t.mu.Unlock()
	out := storage.Inventory{
		Spaces: filled(t.spaces, locked(func(s *space) bool {
			now := s.now()
			for _, e := range s.values {
				if !e.expired(now) {
					return true
				}
			}
			return false
		})),
		Buckets:     filled(t.buckets, locked(func(b *bucket) bool { return len(b.objects) > 0 })),
		Queues:      filled(t.queues, locked(func(q *queue) bool { return len(q.messages)+len(q.keys) > 0 })),
		Journals:    filled(t.journals, locked(func(j *journal) bool { return len(j.entries) > 0 })),
		Collections: map[string]int{},
	}
	for _, name := range filled(t.vectors, locked(func(c *collection) bool { return len(c.documents) > 0 })) {
		out.Collections[name] = t.vectors[name].dims
	}
	t.records.lock()
	defer t.records.leave()
	out.Records = filled(t.records.collections, func(c map[string]*record) bool { return len(c) > 0 })
	return out, nil
}

// Erase removes everything but journals. Each capability is erased at one moment.
func (t *tenant) Erase(ctx context.Context) error {
	if err := t.begin(ctx); err != nil {
		return err
	}
	defer t.mu.Unlock()
	for _, s := range t.spaces {
		s.lock()
		clear(s.values)
		s.order.Init()
		s.leave()
	}
	for _, b := range t.buckets {
		b.lock()
		b.objects = nil
		b.leave()
	}
	for _, c := range t.vectors {
		c.lock()
		c.documents, c.index, c.words = nil, nil, 0
		c.leave()
	}
	for _, q := range t.queues {
		q.lock()
		clear(q.messages)
		clear(q.keys)
		q.wake()
		q.leave()
	}
	t.locks.lock()
	for name, lease := range t.locks.held {
		lease.Expires = time.Time{} // its token stays, so that the next is greater
		t.locks.held[name] = lease
	}
	t.locks.leave()
	t.limiter.lock()
	clear(t.limiter.tats)
	t.limiter.leave()
	t.records.lock()
	defer t.records.leave()
	clear(t.records.collections)
	clear(t.records.owners)
	return nil
}
