package storage

import (
	"context"
	"encoding/json"
	"errors"
	"hash/maphash"
	"sync"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
)

// A Cache keeps values of one type in the process, in front of a KV that other
// processes share. A hit costs no allocation and no copy: what is returned is
// shared, and must not be changed. It is safe for concurrent use.
type Cache[T any] struct {
	kv     KV // nil: the process alone
	opts   CacheOptions
	seed   maphash.Seed
	shards [16]shard[T]

	mu      sync.Mutex
	loading map[string]*load[T]
}

// CacheOptions are the settings of a [Cache]. The zero value works.
type CacheOptions struct {
	// Local bounds how long a value is taken from the process's memory without
	// asking the KV: how old what others wrote may be. 0 means one second.
	Local time.Duration
	// MaxValues is how many values the process keeps; 0 means 4096. Beyond it some
	// are dropped, those that ended first.
	MaxValues int
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

type shard[T any] struct {
	mu     sync.RWMutex
	values map[string]cached[T]
}

type cached[T any] struct {
	value T
	ends  time.Time
}

type load[T any] struct {
	done  chan struct{}
	value T
	err   error
}

// NewCache returns an empty cache. Kv and opts may be nil.
func NewCache[T any](kv KV, opts *CacheOptions) (*Cache[T], error) {
	c := &Cache[T]{kv: kv, seed: maphash.MakeSeed(), loading: map[string]*load[T]{}}
	if opts != nil {
		c.opts = *opts
	}
	if c.opts.Local < 0 {
		return nil, invalid.Field("Local", c.opts.Local, "0 for one second, or a positive duration")
	}
	if c.opts.MaxValues < 0 {
		return nil, invalid.Field("MaxValues", c.opts.MaxValues, "0 for 4096, or a positive number")
	}
	if c.opts.Local == 0 {
		c.opts.Local = time.Second
	}
	if c.opts.MaxValues == 0 {
		c.opts.MaxValues = 4096
	}
	if c.opts.Now == nil {
		c.opts.Now = time.Now
	}
	for i := range c.shards {
		c.shards[i].values = map[string]cached[T]{}
	}
	return c, nil
}

func (c *Cache[T]) shard(key string) *shard[T] {
	return &c.shards[maphash.String(c.seed, key)%uint64(len(c.shards))]
}

// local returns a value from the process's memory.
func (c *Cache[T]) local(key string) (T, bool) {
	s := c.shard(key)
	s.mu.RLock()
	got, ok := s.values[key]
	s.mu.RUnlock()
	if !ok || !c.opts.Now().Before(got.ends) {
		var none T
		return none, false
	}
	return got.value, true
}

func (c *Cache[T]) keep(key string, value T, ttl time.Duration) {
	now := c.opts.Now()
	local := c.opts.Local
	if ttl > 0 {
		local = min(local, ttl)
	}
	s := c.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.values[key]; !ok && len(s.values) >= max(1, c.opts.MaxValues/len(c.shards)) {
		s.makeRoom(now)
	}
	s.values[key] = cached[T]{value, now.Add(local)}
}

// makeRoom drops what has ended, or else what ends first.
func (s *shard[T]) makeRoom(now time.Time) {
	var first string
	var ends time.Time
	before := len(s.values)
	for k, v := range s.values {
		if !now.Before(v.ends) {
			delete(s.values, k)
		} else if ends.IsZero() || v.ends.Before(ends) {
			first, ends = k, v.ends
		}
	}
	if len(s.values) == before {
		delete(s.values, first)
	}
}

// Load returns the value of key: from memory, from the KV, or from fetch, which is
// called once however many ask for the key meanwhile, in this process. What fetch
// returns is kept for ttl, 0 meaning forever; its errors are returned to all who
// wait and are not kept. A KV that fails is as good as an empty one.
//
// Fetch runs until the first caller's context ends; others whose context ends
// leave earlier, and others who outlive a cancelled fetch start one of their own.
func (c *Cache[T]) Load(ctx context.Context, key string, ttl time.Duration, fetch func(context.Context) (T, error)) (T, error) {
	if v, ok := c.local(key); ok {
		return v, nil
	}
	return c.load(ctx, key, ttl, fetch)
}

func (c *Cache[T]) load(ctx context.Context, key string, ttl time.Duration, fetch func(context.Context) (T, error)) (T, error) {
	var none T
	for {
		if err := CheckKV(ctx, key, ttl); err != nil {
			return none, err
		}
		c.mu.Lock()
		l, ok := c.loading[key]
		if !ok {
			l = &load[T]{done: make(chan struct{})}
			c.loading[key] = l
			c.mu.Unlock()
			c.run(ctx, key, ttl, fetch, l)
			return l.value, l.err
		}
		c.mu.Unlock()
		select {
		case <-ctx.Done():
			return none, ctx.Err()
		case <-l.done:
		}
		if !errors.Is(l.err, context.Canceled) && !errors.Is(l.err, context.DeadlineExceeded) {
			return l.value, l.err
		}
	}
}

func (c *Cache[T]) run(ctx context.Context, key string, ttl time.Duration, fetch func(context.Context) (T, error), l *load[T]) {
	l.err = errors.New("the loader panicked") // what others see should it
	defer func() {
		c.mu.Lock()
		delete(c.loading, key)
		c.mu.Unlock()
		close(l.done)
	}()
	if v, ok := c.local(key); ok { // another load ended just now
		l.value, l.err = v, nil
		return
	}
	if c.kv != nil {
		if got, err := c.kv.Get(ctx, key); err == nil && json.Unmarshal(got.Data, &l.value) == nil {
			l.err = nil
			c.keep(key, l.value, c.opts.Local)
			return
		}
	}
	if l.value, l.err = fetch(ctx); l.err != nil {
		return
	}
	c.keep(key, l.value, ttl)
	if c.kv != nil {
		if data, err := json.Marshal(l.value); err == nil {
			_ = c.kv.Put(ctx, key, data, ttl) // the value is good without it
		}
	}
}

// Forget drops a value from memory and from the KV. Other processes may have it
// for CacheOptions.Local longer.
func (c *Cache[T]) Forget(ctx context.Context, key string) error {
	s := c.shard(key)
	s.mu.Lock()
	delete(s.values, key)
	s.mu.Unlock()
	if c.kv == nil {
		return CheckKV(ctx, key, 0)
	}
	return c.kv.Delete(ctx, key)
}
