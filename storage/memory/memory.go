// Package memory keeps everything in the process's memory: for tests, for
// caches, and for programs that need not remember. What it holds is gone when
// the process ends.
package memory

import (
	"container/list"
	"context"
	"sync"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/storage/internal/events"
)

var (
	_ storage.Store     = (*Store)(nil)
	_ storage.Tenant    = (*tenant)(nil)
	_ storage.KV        = (*space)(nil)
	_ storage.Objects   = (*bucket)(nil)
	_ storage.Vectors   = (*collection)(nil)
	_ storage.Queue     = (*queueHandle)(nil)
	_ storage.PubSub    = (*pubsub)(nil)
	_ storage.Locks     = (*locks)(nil)
	_ storage.Limiter   = (*limiter)(nil)
	_ storage.Records   = (*records)(nil)
	_ storage.Journal   = (*journal)(nil)
	_ storage.Directory = (*directory)(nil)
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

	hub       events.Hub
	directory directory

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
		t = newTenant(id, s)
		s.tenants[id] = t
	}
	return t, nil
}

// Directory returns whose logins are whose.
func (s *Store) Directory() (storage.Directory, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, storage.ErrClosed
	}
	return &s.directory, nil
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
	s.directory.close()
	s.hub.Close()
	return nil
}

// A tenant is everything of one tenant. Each capability is made when it is first
// asked for and has a lock of its own.
type tenant struct {
	id    storage.TenantID
	store *Store

	locks   locks
	limiter limiter
	records records

	mu       sync.Mutex
	spaces   map[string]*space
	buckets  map[string]*bucket
	vectors  map[string]*collection
	queues   map[string]*queue
	journals map[string]*journal
	closed   bool
}

func newTenant(id storage.TenantID, s *Store) *tenant {
	return &tenant{
		id: id, store: s,
		locks: locks{now: s.now}, limiter: limiter{now: s.now}, records: records{now: s.now},
	}
}

func (t *tenant) ID() storage.TenantID { return t.id }

// named returns the thing of that name, made when it is new.
func named[T any](t *tenant, things *map[string]T, field, name string, create func() T) (T, error) {
	var none T
	if err := storage.CheckName(field, name); err != nil {
		return none, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return none, storage.ErrClosed
	}
	if *things == nil {
		*things = map[string]T{}
	}
	thing, ok := (*things)[name]
	if !ok {
		thing = create()
		(*things)[name] = thing
	}
	return thing, nil
}

func (t *tenant) KV(name string) (storage.KV, error) {
	return named(t, &t.spaces, "space", name, func() *space {
		return &space{now: t.store.now, maxValues: t.store.maxValues, values: map[string]entry{}, order: list.New()}
	})
}

func (t *tenant) Objects(name string) (storage.Objects, error) {
	return named(t, &t.buckets, "bucket", name, func() *bucket { return &bucket{now: t.store.now} })
}

// Vectors returns a collection. One that was opened with another number of
// dimensions is a *storage.FieldError.
func (t *tenant) Vectors(name string, dims int) (storage.Vectors, error) {
	if err := storage.CheckDims(dims); err != nil {
		return nil, err
	}
	c, err := named(t, &t.vectors, "collection", name, func() *collection { return &collection{dims: dims} })
	if err != nil {
		return nil, err
	}
	if c.dims != dims {
		return nil, invalid.Fieldf("dims", dims, "%d, as the collection was made", c.dims)
	}
	return c, nil
}

func (t *tenant) Queue(name string, opts *storage.QueueOptions) (storage.Queue, error) {
	o, err := opts.Validated()
	if err != nil {
		return nil, err
	}
	q, err := named(t, &t.queues, "queue", name, func() *queue { return newQueue(t.store.now) })
	if err != nil {
		return nil, err
	}
	return &queueHandle{queue: q, opts: o}, nil
}

func (t *tenant) Journal(name string) (storage.Journal, error) {
	return named(t, &t.journals, "journal", name, func() *journal {
		return &journal{now: t.store.now, head: storage.JournalGenesis(storage.JournalID{Tenant: t.id, Name: name})}
	})
}

func (t *tenant) PubSub() (storage.PubSub, error) {
	return open(t, storage.PubSub(&pubsub{hub: &t.store.hub, tenant: t}))
}
func (t *tenant) Locks() (storage.Locks, error)     { return open(t, storage.Locks(&t.locks)) }
func (t *tenant) Limiter() (storage.Limiter, error) { return open(t, storage.Limiter(&t.limiter)) }
func (t *tenant) Records() (storage.Records, error) { return open(t, storage.Records(&t.records)) }

// open returns thing unless the tenant's store is closed.
func open[T any](t *tenant, thing T) (T, error) {
	if t.isClosed() {
		var none T
		return none, storage.ErrClosed
	}
	return thing, nil
}

func (t *tenant) isClosed() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.closed
}

func (t *tenant) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	t.locks.close()
	t.limiter.close()
	t.records.close()
	for _, s := range t.spaces {
		s.close()
	}
	for _, b := range t.buckets {
		b.close()
	}
	for _, v := range t.vectors {
		v.close()
	}
	for _, q := range t.queues {
		q.close()
	}
	for _, j := range t.journals {
		j.close()
	}
}

// A guard is a lock that knows whether the store was closed.
type guard struct {
	mu     sync.Mutex
	closed bool
}

// enter locks, or returns why there is nothing to do here.
func (g *guard) enter(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	g.mu.Lock()
	if g.closed {
		g.mu.Unlock()
		return storage.ErrClosed
	}
	return nil
}

func (g *guard) leave() { g.mu.Unlock() }

func (g *guard) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
}
