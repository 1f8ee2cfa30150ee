// Package storage has the small interfaces through which everything the system
// keeps is kept, and the errors they share. Adapters are in subpackages: memory
// needs nothing; others put the same contracts on existing engines.
//
// A [Store] is opened for a tenant, and everything below the [Tenant] handle is
// scoped to it. No method below takes a tenant, so none can forget or mix one up.
package storage

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
)

// A FieldError says which argument was refused and what is allowed.
type FieldError = invalid.FieldError

// What callers branch on. Adapters wrap them.
var (
	// ErrNotFound: there is no value, or it has expired.
	ErrNotFound = errors.New("not found")
	// ErrConflict: the value is not what a conditional write expected.
	ErrConflict = errors.New("changed by someone else")
	// ErrClosed: the store has been closed.
	ErrClosed = errors.New("store is closed")
)

// A TenantID names a customer of the system. Any non-empty UTF-8 text of at
// most 128 bytes is valid; adapters encode it so that no two tenants, however
// hostile their names, share a key.
type TenantID string

// Local is the tenant of a program that serves one person.
const Local TenantID = "local"

// Validate returns a *FieldError unless t can name a tenant.
func (t TenantID) Validate() error {
	if t == "" || len(t) > 128 {
		return invalid.Field("tenant", string(t), "1 to 128 bytes")
	}
	return nil
}

// A Store is an opened storage engine. It is safe for concurrent use.
type Store interface {
	// For returns the handle of one tenant. It does no I/O.
	For(tenant TenantID) (Tenant, error)
	// Close releases the engine. Handles return ErrClosed afterwards.
	Close() error
}

// A Tenant is everything that is kept for one tenant. It is safe for
// concurrent use, and cheap to make and to drop.
type Tenant interface {
	// ID tells whose handle this is.
	ID() TenantID
	// KV returns a key-value space. Spaces of different names share nothing;
	// the name is 1 to 64 of a-z, 0-9, '.', '_' and '-'.
	KV(space string) (KV, error)
}

// A KV keeps values by key, with an optional time to live. Implementations are
// safe for concurrent use and pass storagetest.TestKV.
//
// Keys are 1 to 1024 bytes, any bytes. Values are copied in and out; the empty
// value is a value. A read after a completed write of the same key sees it.
type KV interface {
	// Get returns the value and its version, or ErrNotFound.
	Get(ctx context.Context, key string) (Value, error)
	// Put stores data. It expires after ttl; 0 means never, and a negative
	// ttl is refused.
	Put(ctx context.Context, key string, data []byte, ttl time.Duration) error
	// CompareAndSet stores data only when the key's current version is
	// expected, NoVersion meaning that there must be no value; otherwise it
	// returns ErrConflict. It is atomic across all users of the engine.
	CompareAndSet(ctx context.Context, key string, expected Version, data []byte, ttl time.Duration) (Version, error)
	// Delete removes a value. Deleting what is not there is no error.
	Delete(ctx context.Context, key string) error
	// Keys yields the keys that start with prefix in byte order. Keys written
	// or deleted meanwhile may or may not be seen; no other key is missed or
	// repeated.
	Keys(ctx context.Context, prefix string) iter.Seq2[string, error]
}

// A Value is what [KV.Get] returns.
type Value struct {
	Data    []byte
	Version Version
}

// A Version identifies one state of a value. Versions are compared for
// equality only, and a version never returns once its value was replaced.
type Version uint64

// NoVersion is the version of a key that has no value.
const NoVersion Version = 0
