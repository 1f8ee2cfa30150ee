// Package memory keeps everything in the process's memory: for tests, for
// caches, and for programs that need not remember. What it holds is gone when
// the process ends.
package memory

import (
	"container/list"
	"context"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/storage"
)

var (
	_ storage.Store  = (*Store)(nil)
	_ storage.Tenant = (*tenant)(nil)
	_ storage.KV     = (*space)(nil)
)

// Options are the settings of a [Store]. The zero value works.
type Options struct {
	// Now is the clock by which values expire; nil means time.Now.
	Now func() time.Time
	// MaxValues bounds the values that one key-value space keeps, so that a
	// cache cannot grow without end. When it is full, a new key drops the value
	// that was stored longest ago. Zero means no bound: nothing is ever dropped
	// before its time.
	MaxValues int
}

// A Store is a storage.Store in memory. It is safe for concurrent use.
type Store struct {
	now       func() time.Time
	maxValues int

	mu      sync.Mutex
	tenants map[storage.TenantID]*tenant
	closed  bool
}

// New returns an empty store. Opts may be nil. A negative bound is a
// *storage.FieldError.
func New(opts *Options) (*Store, error) {
	var o Options
	if opts != nil {
		o = *opts
	}
	if o.MaxValues < 0 {
		return nil, invalid.Field("MaxValues", o.MaxValues, "0 for no bound, or a positive number")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Store{now: o.Now, maxValues: o.MaxValues, tenants: map[storage.TenantID]*tenant{}}, nil
}

// For returns the handle of a tenant.
func (s *Store) For(id storage.TenantID) (storage.Tenant, error) {
	if err := id.Validate(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, storage.ErrClosed
	}
	t, ok := s.tenants[id]
	if !ok {
		t = &tenant{id: id, store: s, spaces: map[string]*space{}}
		s.tenants[id] = t
	}
	return t, nil
}

// Close drops everything. Closing twice is no error.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for _, t := range s.tenants {
		t.close()
	}
	clear(s.tenants)
	return nil
}

type tenant struct {
	id    storage.TenantID
	store *Store

	mu     sync.Mutex
	spaces map[string]*space
	closed bool
}

func (t *tenant) ID() storage.TenantID { return t.id }

func (t *tenant) KV(name string) (storage.KV, error) {
	if err := validSpace(name); err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return nil, storage.ErrClosed
	}
	s, ok := t.spaces[name]
	if !ok {
		s = &space{now: t.store.now, maxValues: t.store.maxValues, values: map[string]entry{}, order: list.New()}
		t.spaces[name] = s
	}
	return s, nil
}

func (t *tenant) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	for _, s := range t.spaces {
		s.close()
	}
	clear(t.spaces)
}

func validSpace(name string) error {
	ok := name != "" && len(name) <= 64
	for i := range len(name) {
		c := name[i]
		ok = ok && (c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '.' || c == '_' || c == '-')
	}
	if !ok {
		return invalid.Field("space", name, "1 to 64 of a-z, 0-9, '.', '_' and '-'")
	}
	return nil
}

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
	if err := check(ctx, key, 0); err != nil {
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
	if err := check(ctx, key, ttl); err != nil {
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
	if err := check(ctx, key, ttl); err != nil {
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
	if err := check(ctx, key, 0); err != nil {
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

func check(ctx context.Context, key string, ttl time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if key == "" || len(key) > 1024 {
		return invalid.Field("key", key, "1 to 1024 bytes")
	}
	if ttl < 0 {
		return invalid.Field("ttl", ttl, "0 for no expiry, or a positive duration")
	}
	return nil
}
