package storage

import (
	"errors"
	"fmt"
)

// Unsupported refuses every capability with an error that wraps ErrUnsupported.
// Tenants of engines that lack some embed it and declare what they have.
type Unsupported struct {
	// Tenant is what ID returns.
	Tenant TenantID
	// Engine names the engine in errors: "redis".
	Engine string
}

var _ Tenant = Unsupported{}

func (u Unsupported) no(what string) error {
	if u.Engine == "" {
		return fmt.Errorf("%s: %w", what, ErrUnsupported)
	}
	return fmt.Errorf("%s of %s: %w", what, u.Engine, ErrUnsupported)
}

// ID returns the tenant.
func (u Unsupported) ID() TenantID { return u.Tenant }

// KV returns an ErrUnsupported.
func (u Unsupported) KV(string) (KV, error) { return nil, u.no("key-value spaces") }

// Objects returns an ErrUnsupported.
func (u Unsupported) Objects(string) (Objects, error) { return nil, u.no("objects") }

// Vectors returns an ErrUnsupported.
func (u Unsupported) Vectors(string, int) (Vectors, error) { return nil, u.no("vectors") }

// Queue returns an ErrUnsupported.
func (u Unsupported) Queue(string, *QueueOptions) (Queue, error) { return nil, u.no("queues") }

// PubSub returns an ErrUnsupported.
func (u Unsupported) PubSub() (PubSub, error) { return nil, u.no("events") }

// Locks returns an ErrUnsupported.
func (u Unsupported) Locks() (Locks, error) { return nil, u.no("locks") }

// Limiter returns an ErrUnsupported.
func (u Unsupported) Limiter() (Limiter, error) { return nil, u.no("limits") }

// Records returns an ErrUnsupported.
func (u Unsupported) Records() (Records, error) { return nil, u.no("records") }

// Journal returns an ErrUnsupported.
func (u Unsupported) Journal(string) (Journal, error) { return nil, u.no("journals") }

// Directory returns an ErrUnsupported. It makes Unsupported serve stores too.
func (u Unsupported) Directory() (Directory, error) { return nil, u.no("a directory") }

// Parts are the stores that [Combine] takes capabilities from instead of the base
// store. Nil means the base.
type Parts struct {
	KV, Objects, Vectors, Queue, PubSub, Locks, Limiter, Records, Journal, Directory Store
}

// Combine returns a store whose tenants take each capability from the part that
// is given for it, and everything else from base: caches and limits from Redis,
// queues from NATS, objects from S3, the rest from one database. It stays opened
// per tenant: every part is asked for the same one. Closing it closes base and all
// parts, each once.
//
// There is no transaction across parts: writes of records are atomic among
// themselves only.
func Combine(base Store, parts Parts) Store {
	for _, p := range parts.all() {
		if *p == nil {
			*p = base
		}
	}
	return &combined{base: base, parts: parts}
}

func (p *Parts) all() []*Store {
	return []*Store{&p.KV, &p.Objects, &p.Vectors, &p.Queue, &p.PubSub, &p.Locks, &p.Limiter, &p.Records, &p.Journal, &p.Directory}
}

type combined struct {
	base  Store
	parts Parts
}

func (c *combined) For(id TenantID) (Tenant, error) {
	if err := id.Validate(); err != nil {
		return nil, err
	}
	if _, err := c.base.For(id); err != nil {
		return nil, err // closed, for one
	}
	return &combinedTenant{id: id, parts: &c.parts}, nil
}

func (c *combined) Directory() (Directory, error) { return c.parts.Directory.Directory() }

func (c *combined) Close() error {
	closed := map[Store]bool{}
	var failed []error
	for _, s := range append(c.parts.all(), &c.base) {
		if !closed[*s] {
			closed[*s] = true
			failed = append(failed, (*s).Close())
		}
	}
	return errors.Join(failed...)
}

type combinedTenant struct {
	id    TenantID
	parts *Parts
}

// part asks the tenant of one store for one capability.
func part[T any](s Store, id TenantID, get func(Tenant) (T, error)) (T, error) {
	t, err := s.For(id)
	if err != nil {
		var none T
		return none, err
	}
	return get(t)
}

func (t *combinedTenant) ID() TenantID { return t.id }

func (t *combinedTenant) KV(space string) (KV, error) {
	return part(t.parts.KV, t.id, func(x Tenant) (KV, error) { return x.KV(space) })
}

func (t *combinedTenant) Objects(bucket string) (Objects, error) {
	return part(t.parts.Objects, t.id, func(x Tenant) (Objects, error) { return x.Objects(bucket) })
}

func (t *combinedTenant) Vectors(collection string, dims int) (Vectors, error) {
	return part(t.parts.Vectors, t.id, func(x Tenant) (Vectors, error) { return x.Vectors(collection, dims) })
}

func (t *combinedTenant) Queue(name string, opts *QueueOptions) (Queue, error) {
	return part(t.parts.Queue, t.id, func(x Tenant) (Queue, error) { return x.Queue(name, opts) })
}

func (t *combinedTenant) PubSub() (PubSub, error) {
	return part(t.parts.PubSub, t.id, Tenant.PubSub)
}

func (t *combinedTenant) Locks() (Locks, error) { return part(t.parts.Locks, t.id, Tenant.Locks) }

func (t *combinedTenant) Limiter() (Limiter, error) {
	return part(t.parts.Limiter, t.id, Tenant.Limiter)
}

func (t *combinedTenant) Records() (Records, error) {
	return part(t.parts.Records, t.id, Tenant.Records)
}

func (t *combinedTenant) Journal(name string) (Journal, error) {
	return part(t.parts.Journal, t.id, func(x Tenant) (Journal, error) { return x.Journal(name) })
}
