package storage

import (
	"context"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
)

// Locks lets one of many do something: run a schedule, lead, migrate.
// Implementations are safe for concurrent use and pass storagetest.TestLocks.
//
// A lease ends by itself, so a holder that died does not block the others, and a
// holder that was merely slow may go on without having the lock. What it writes
// must therefore carry the lease's Token, and whoever takes writes must refuse a
// token smaller than one it has seen. [Hold] renews a lease while a function runs.
type Locks interface {
	// Acquire takes the lock of that name, 1 to 256 bytes of UTF-8 text without
	// control characters, for ttl, 1 ms to a day. It does not wait: ErrHeld when
	// somebody else has it, also within this process.
	Acquire(ctx context.Context, name string, ttl time.Duration) (Lease, error)
	// Renew makes a lease last for ttl from now and returns it with the same
	// Token. ErrLeaseLost: it ended, even when nobody else took it since.
	Renew(ctx context.Context, lease Lease, ttl time.Duration) (Lease, error)
	// Release frees the lock. Releasing a lease that ended frees nothing that
	// somebody else has, and is no error.
	Release(ctx context.Context, lease Lease) error
}

// A Lease is a lock that is held until it expires.
type Lease struct {
	Name string
	// Token grows with every lease of the same name, forever, whether earlier
	// leases were released or ran out. It is never 0.
	Token   uint64
	Expires time.Time // by the engine's clock
}

// CheckLock returns a *FieldError unless a lock can be taken so. Adapters call it.
func CheckLock(name string, ttl time.Duration) error {
	if err := CheckText("name", name, 256); err != nil {
		return err
	}
	if ttl < time.Millisecond || ttl > 24*time.Hour {
		return invalid.Field("ttl", ttl, "1 ms to 24 h")
	}
	return nil
}
