package strategy

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ttai-go/ttai/market"
)

// stop ends the run by its policy.
func (r *live) stop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, r.opts.StopWait+10*time.Second)
	defer cancel()
	r.session.ctx = ctx
	first := r.deliver(&Event{Kind: EndEvent, Time: r.opts.Clock.Now()})
	keep := func(err error) {
		if err != nil && first == nil {
			first = err
		}
	}
	if r.opts.Stop != LeaveOrders {
		keep(r.wind(ctx))
	}
	keep(r.save(ctx, true))
	return first
}

// wind cancels the working orders, and closes positions when asked to, reading
// the account until that has happened or takes too long.
func (r *live) wind(ctx context.Context) error {
	s := r.session
	until := r.opts.Clock.Now().Add(r.opts.StopWait)
	closing := false
	var trouble error
	for {
		if err := s.Sync(ctx); err != nil {
			return err
		}
		if len(s.Uncertain()) > 0 {
			if err := s.Resolve(ctx, r.opts.Clock.Now(), resolvePatience); err != nil {
				return err
			}
		}
		switch {
		case r.opts.Stop == CancelOrders && len(s.Working()) == 0,
			r.opts.Stop == FlattenAll && len(s.Working()) == 0 && len(s.Positions()) == 0:
			return nil
		case !closing:
			trouble = s.CancelAll()
		}
		if r.opts.Stop == FlattenAll && !closing {
			if err := s.Sync(ctx); err != nil {
				return err
			}
			if len(s.Working()) == 0 {
				closing = true
				trouble = s.Flatten()
			}
		}
		if now := r.opts.Clock.Now(); !now.Before(until) {
			return errors.Join(fmt.Errorf("strategy: %d orders and %d positions are left after %v", len(s.Working()), len(s.Positions()), r.opts.StopWait), trouble)
		}
		if err := pause(ctx, r.opts.Clock, 500*time.Millisecond); err != nil {
			return err
		}
	}
}

// pause waits for some of the clock's time.
func pause(ctx context.Context, clock market.Clock, d time.Duration) error {
	timer := clock.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C():
		return nil
	}
}
