package tastytrade

import (
	"context"
	"fmt"
	"time"

	"github.com/ttai-go/ttai/internal/rest"
)

// A Take asks, in a place that several processes share, for one request of a
// family of routes that may have perSecond of them. It returns zero when the
// request may go now, and was counted; otherwise how long until it is worth
// asking again, and nothing was counted. An error means that the place cannot be
// reached.
type Take func(ctx context.Context, family string, perSecond int) (wait time.Duration, err error)

// NewSharedLimiter returns a Limiter with the rates of [NewLimiter] that are kept
// by all processes of a credential together: take counts where all of them
// reach it. Within the process turns are given in order, and a 429 answer holds
// back this process alone. While take fails the rates are kept by the process
// for itself.
func NewSharedLimiter(take Take) Limiter {
	return &sharedLimiter{local: newBuckets(), take: take}
}

type sharedLimiter struct {
	local *rest.Buckets
	take  Take
}

// Wait waits for the turn within the process, then for the one among all.
func (l *sharedLimiter) Wait(ctx context.Context, method, path string) error {
	if err := l.local.Wait(ctx, method, path); err != nil {
		return err
	}
	for _, f := range l.local.Matching(method, path) {
		if err := l.await(ctx, f.Pattern, int(f.PerSecond)); err != nil {
			return err
		}
	}
	return nil
}

func (l *sharedLimiter) await(ctx context.Context, family string, perSecond int) error {
	for {
		wait, err := l.take(ctx, family, perSecond)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil || wait <= 0 {
			return nil
		}
		if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < wait {
			return fmt.Errorf("%w: other processes of the credential use it up", rest.ErrBudget)
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
	}
}

// Pause holds a family back within the process.
func (l *sharedLimiter) Pause(method, path string, d time.Duration) {
	l.local.Pause(method, path, d)
}
