package memory

import (
	"container/list"
	"context"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ttai-go/ttai/storage"
)

// A space is one key-value space.
type space struct {
	now       func() time.Time
	maxValues int

	mu     sync.RWMutex
	values map[string]entry
	order  *list.List      // of keys, the one stored longest ago first
	last   storage.Version // the newest version given out
	puts   int             // since expired values were last swept out
	closed bool
}

type entry struct {
	data    []byte
	version storage.Version
	expires time.Time // zero: never
	place   *list.Element
}

func (e entry) expired(now time.Time) bool { return !e.expires.IsZero() && !now.Before(e.expires) }

func (s *space) Get(ctx context.Context, key string) (storage.Value, error) {
	if err := storage.CheckKV(ctx, key, 0); err != nil {
		return storage.Value{}, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return storage.Value{}, storage.ErrClosed
	}
	e, ok := s.values[key]
	if !ok || e.expired(s.now()) {
		return storage.Value{}, storage.ErrNotFound
	}
	return storage.Value{Data: slices.Clone(e.data), Version: e.version}, nil
}

func (s *space) Put(ctx context.Context, key string, data []byte, ttl time.Duration) error {
	if err := storage.CheckKV(ctx, key, ttl); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return storage.ErrClosed
	}
	s.put(key, data, ttl)
	return nil
}

func (s *space) CompareAndSet(ctx context.Context, key string, expected storage.Version, data []byte, ttl time.Duration) (storage.Version, error) {
	if err := storage.CheckKV(ctx, key, ttl); err != nil {
		return storage.NoVersion, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return storage.NoVersion, storage.ErrClosed
	}
	current := storage.NoVersion
	if e, ok := s.values[key]; ok && !e.expired(s.now()) {
		current = e.version
	}
	if current != expected {
		return storage.NoVersion, storage.ErrConflict
	}
	return s.put(key, data, ttl), nil
}

// put stores with the lock held.
func (s *space) put(key string, data []byte, ttl time.Duration) storage.Version {
	now := s.now()
	// A sweep costs as much as there are values, so one per that many puts keeps
	// a put cheap and the space at most twice as large as what is alive.
	if s.puts++; s.puts > len(s.values)+16 {
		s.puts = 0
		for k, e := range s.values {
			if e.expired(now) {
				s.remove(k)
			}
		}
	}
	s.remove(key)
	for s.maxValues > 0 && len(s.values) >= s.maxValues {
		s.remove(s.order.Front().Value.(string))
	}
	s.last++
	e := entry{data: append([]byte{}, data...), version: s.last, place: s.order.PushBack(key)}
	if ttl > 0 {
		e.expires = now.Add(ttl)
	}
	s.values[key] = e
	return s.last
}

// remove forgets a key with the lock held.
func (s *space) remove(key string) {
	if e, ok := s.values[key]; ok {
		s.order.Remove(e.place)
		delete(s.values, key)
	}
}

func (s *space) Delete(ctx context.Context, key string) error {
	if err := storage.CheckKV(ctx, key, 0); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return storage.ErrClosed
	}
	s.remove(key)
	return nil
}

// Keys yields a snapshot taken when the loop begins.
func (s *space) Keys(ctx context.Context, prefix string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		keys, err := s.keys(ctx, prefix)
		if err != nil {
			yield("", err)
			return
		}
		for _, k := range keys {
			if err := ctx.Err(); err != nil {
				yield("", err)
				return
			}
			if !yield(k, nil) {
				return
			}
		}
	}
}

func (s *space) keys(ctx context.Context, prefix string) ([]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return nil, storage.ErrClosed
	}
	now := s.now()
	var keys []string
	for k, e := range s.values {
		if strings.HasPrefix(k, prefix) && !e.expired(now) {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	return keys, nil
}

func (s *space) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	clear(s.values)
	s.order.Init()
}
