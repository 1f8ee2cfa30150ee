// Package storage has the small interfaces through which everything the system
// keeps is kept, and the errors they share. Adapters are in subpackages: memory
// needs nothing, sqlite needs one file and files a folder; others put the same
// contracts on existing engines. [Combine] takes each capability from the engine
// that does it best.
//
// A [Store] is opened for a tenant, and everything below the [Tenant] handle is
// scoped to it. No method below takes a tenant, so none can forget or mix one up.
//
// What several engines need alike is written here once: limits ([GCRA]), hash
// chains ([VerifyJournal], [SignHead]), hybrid search ([Hybrid]), typed records
// ([Collection], [Open]), caches ([Cache]), lease keeping ([Hold]).
//
// Three rules hold for every interface unless its comment says otherwise. Every
// implementation is safe for concurrent use, by many goroutines and, for engines
// outside the process, by many processes. Data go in and come out as copies. A
// cancelled context ends a call with the context's error; a write that was under
// way has then either happened whole or not at all.
package storage

import (
	"context"
	"unicode"
	"unicode/utf8"

	"github.com/ttai-go/ttai/internal/invalid"
)

// A TenantID names a customer of the system. Any non-empty UTF-8 text of at
// most 128 bytes is valid; adapters encode it so that no two tenants, however
// hostile their names, share a key.
type TenantID string

// Local is the tenant of a program that serves one person.
const Local TenantID = "local"

// Validate returns a *FieldError unless t can name a tenant.
func (t TenantID) Validate() error {
	if t == "" || len(t) > 128 || !utf8.ValidString(string(t)) {
		return invalid.Field("tenant", string(t), "1 to 128 bytes of UTF-8 text")
	}
	return nil
}

// A Store is an opened storage engine. It is safe for concurrent use.
type Store interface {
	// For returns the handle of one tenant. It does no I/O.
	For(tenant TenantID) (Tenant, error)
	// Directory returns what is known across tenants, or an error that wraps
	// ErrUnsupported. It does no I/O.
	Directory() (Directory, error)
	// Close releases the engine and waits for what it started. Handles return
	// ErrClosed afterwards. Closing twice is no error.
	Close() error
}

// A Tenant is everything that is kept for one tenant. It is safe for
// concurrent use, and cheap to make and to drop.
//
// Each method returns one capability, does no I/O, and returns an error that
// wraps ErrUnsupported when the engine lacks it. Things of different names share
// nothing; asking twice for one name gives the same thing. Names of spaces,
// buckets, collections, queues and journals are 1 to 64 of a-z, 0-9, '.', '_'
// and '-'. An engine that lacks some embeds [Unsupported].
type Tenant interface {
	// ID tells whose handle this is.
	ID() TenantID
	// KV returns a key-value space.
	KV(space string) (KV, error)
	// Objects returns a bucket of files.
	Objects(bucket string) (Objects, error)
	// Vectors returns a collection of searchable documents whose vectors have
	// dims numbers, 0 to 4096; 0 is a collection searched by text alone.
	Vectors(collection string, dims int) (Vectors, error)
	// Queue returns a queue of messages. All who open a queue must give the same
	// options, which may be nil.
	Queue(name string, opts *QueueOptions) (Queue, error)
	// PubSub returns the tenant's events.
	PubSub() (PubSub, error)
	// Locks returns the tenant's locks.
	Locks() (Locks, error)
	// Limiter returns the tenant's rate limits.
	Limiter() (Limiter, error)
	// Records returns the tenant's typed documents. [Open] has them by name.
	Records() (Records, error)
	// Journal returns an append-only, hash-chained journal.
	Journal(name string) (Journal, error)
}

// A Migrator changes the layout of an engine's data from one version of the
// program to another. Its methods are safe to call while other processes use the
// data: one of them migrates, the others wait.
type Migrator interface {
	// Status lists all migrations the program knows, oldest first.
	Status(ctx context.Context) ([]Migration, error)
	// Up applies those that are missing, each in a transaction of its own. When
	// there is none it does nothing.
	Up(ctx context.Context) error
	// Down takes back the newest one that is applied, with the data that only it
	// could hold. ErrNotFound: none is applied.
	Down(ctx context.Context) error
}

// A Migration is one step of an engine's layout.
type Migration struct {
	Version int64
	Name    string
	Applied bool
}

// CheckName returns a *FieldError of that field unless name is 1 to 64 of a-z,
// 0-9, '.', '_' and '-'. Adapters call it for spaces, buckets, collections,
// queues, journals and topics.
func CheckName(field, name string) error {
	ok := name != "" && len(name) <= 64
	for i := range len(name) {
		c := name[i]
		ok = ok && (c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '.' || c == '_' || c == '-')
	}
	if !ok {
		return invalid.Field(field, name, "1 to 64 of a-z, 0-9, '.', '_' and '-'")
	}
	return nil
}

// CheckText returns a *FieldError of that field unless text is 1 to longest
// bytes of UTF-8 without control characters. Adapters call it for object keys,
// record and document ids, lock and limit names.
func CheckText(field, text string, longest int) error {
	ok := text != "" && len(text) <= longest && utf8.ValidString(text)
	if ok {
		for _, r := range text {
			if unicode.IsControl(r) {
				ok = false
				break
			}
		}
	}
	if !ok {
		return invalid.Fieldf(field, text, "1 to %d bytes of UTF-8 text without control characters", longest)
	}
	return nil
}
