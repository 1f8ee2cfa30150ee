package storage

import (
	"context"
	"iter"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
)

// A KV keeps values by key, with an optional time to live. Implementations are
// safe for concurrent use and pass storagetest.TestKV.
//
// Keys are 1 to 1024 bytes, any bytes. Values are copied in and out; the empty
// value is a value, and values of at least 8 MB are taken unless the adapter
// states a lower bound. A read after a completed write of the same key sees it,
// whoever wrote. Times to live are kept to the millisecond, or as exactly as the
// adapter says.
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
	// repeated. The loop may use the store, and ends at the first error.
	Keys(ctx context.Context, prefix string) iter.Seq2[string, error]
}

// A Value is what [KV.Get] returns.
type Value struct {
	Data    []byte
	Version Version
}

// A Version identifies one state of a value or record. Versions are compared for
// equality only, and a version never returns once its value was replaced.
type Version uint64

// NoVersion is the version of a key that has no value.
const NoVersion Version = 0

// Times to live by how fast what is kept grows stale.
const (
	// Hot is for what moves with the market: quotes, Greeks.
	Hot = time.Second
	// Warm is for what moves within minutes: chains, balances, positions.
	Warm = time.Minute
	// Cool is for what moves within the session: metrics, news, bars of today.
	Cool = 15 * time.Minute
	// Cold is for what moves from day to day: contract lists, earnings dates.
	Cold = 24 * time.Hour
)

// CheckKV returns what every KV method returns for a cancelled context, a bad
// key or a negative ttl. Adapters call it first; pass 0 where there is no ttl.
func CheckKV(ctx context.Context, key string, ttl time.Duration) error {
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
