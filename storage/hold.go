package storage

import (
	"context"
	"errors"
	"time"
)

// Hold takes a lock, waiting until it is free, and runs f while it renews the
// lease every third of ttl. When the lease is lost, the context of f ends with
// ErrLeaseLost as its cause; what f writes should carry lease.Token all the same.
// Hold returns when f has, and releases the lock.
func Hold(ctx context.Context, locks Locks, name string, ttl time.Duration, f func(ctx context.Context, lease Lease) error) error {
	lease, err := wait(ctx, locks, name, ttl)
	if err != nil {
		return err
	}
	held, lose := context.WithCancelCause(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		renew(held, locks, lease, ttl, lose)
	}()
	err = f(held, lease)
	if cause := context.Cause(held); errors.Is(cause, ErrLeaseLost) && errors.Is(err, context.Canceled) {
		err = cause
	}
	lose(nil)
	<-done
	// The caller's context may have ended; the lock should not wait for its time.
	freeing, cancel := context.WithTimeout(context.WithoutCancel(ctx), ttl)
	defer cancel()
	return errors.Join(err, locks.Release(freeing, lease))
}

func wait(ctx context.Context, locks Locks, name string, ttl time.Duration) (Lease, error) {
	for pause := 10 * time.Millisecond; ; pause = min(2*pause, time.Second, ttl) {
		lease, err := locks.Acquire(ctx, name, ttl)
		if !errors.Is(err, ErrHeld) {
			return lease, err
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return Lease{}, ctx.Err()
		case <-timer.C:
		}
	}
}

// renew keeps the lease until ctx ends, and ends ctx when it is lost: also when
// renewing failed for so long that it must have run out.
func renew(ctx context.Context, locks Locks, lease Lease, ttl time.Duration, lose context.CancelCauseFunc) {
	last := time.Now()
	tick := time.NewTicker(max(ttl/3, time.Millisecond))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		begun := time.Now()
		trying, cancel := context.WithDeadline(ctx, last.Add(ttl))
		renewed, err := locks.Renew(trying, lease, ttl)
		cancel()
		switch {
		case err == nil:
			lease, last = renewed, begun
		case errors.Is(err, ErrLeaseLost), time.Since(last) >= ttl:
			lose(ErrLeaseLost)
			return
		}
	}
}

// WaitFor takes n under a limit, waiting until that is allowed or ctx ends.
func WaitFor(ctx context.Context, limiter Limiter, name string, limit Limit, n int) error {
	for {
		d, err := limiter.Take(ctx, name, limit, n)
		if err != nil || d.Allowed {
			return err
		}
		timer := time.NewTimer(d.Wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
		}
	}
}
