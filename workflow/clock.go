package workflow

import (
	"context"
	"time"
)

// A Clock tells the time of runs and waits by it. Implementations are safe for
// concurrent use.
type Clock interface {
	Now() time.Time
	// Sleep returns after d of the clock's time, or earlier with the context's error.
	Sleep(ctx context.Context, d time.Duration) error
}

// RealClock is the computer's clock.
type RealClock struct{}

// Now returns the computer's time.
func (RealClock) Now() time.Time { return time.Now() }

// Sleep waits for d of real time.
func (RealClock) Sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// ClockOf returns a Clock that tells the time of c, such as a market.Clock.
func ClockOf[T interface {
	C() <-chan time.Time
	Stop() bool
}](c interface {
	Now() time.Time
	NewTimer(d time.Duration) T
}) Clock {
	return clockOf[T]{c}
}

type clockOf[T interface {
	C() <-chan time.Time
	Stop() bool
}] struct {
	c interface {
		Now() time.Time
		NewTimer(d time.Duration) T
	}
}

func (o clockOf[T]) Now() time.Time { return o.c.Now() }

func (o clockOf[T]) Sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := o.c.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C():
		return nil
	}
}
