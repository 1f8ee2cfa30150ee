package strategy

import (
	"context"
	"errors"
	"time"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

// ApprovalOptions say how long an approval is waited for.
type ApprovalOptions struct {
	// Wait is the longest; zero: as long as the preview is valid.
	Wait time.Duration
	// Every is how often it is looked whether somebody approved; zero: 5 seconds.
	Every time.Duration
	// Asked is told of each order that waits. Nil: nobody.
	Asked func(broker.Prepared)
	// Clock is the real one when nil.
	Clock market.Clock
}

// AwaitApproval returns the guard as a broker for a strategy whose orders people
// approve: Place, Replace and Cancel prepare the order, wait until somebody has
// approved it by one of the guard's approvers, and submit it. The strategy stands
// still meanwhile. When nobody approves in time the preview is declined, and the
// error is an ErrApprovalRequired: nothing was sent, and nothing will be by it.
//
// An approver that answers by itself, such as a broker.PolicyApprover with a
// budget, does not let it wait: then the guard itself is enough.
func AwaitApproval(guard *broker.Guard, opts *ApprovalOptions) (broker.Broker, error) {
	if guard == nil {
		return nil, invalid.Missing("guard", "a guard")
	}
	a := &awaiting{Guard: guard}
	if opts != nil {
		a.opts = *opts
	}
	if a.opts.Wait < 0 || a.opts.Every < 0 {
		return nil, invalid.Field("Wait", min(a.opts.Wait, a.opts.Every), "durations of at least 0")
	}
	if a.opts.Every == 0 {
		a.opts.Every = 5 * time.Second
	}
	if a.opts.Clock == nil {
		a.opts.Clock = market.SystemClock()
	}
	return a, nil
}

type awaiting struct {
	*broker.Guard
	opts ApprovalOptions
}

// Place prepares, waits and submits.
func (a *awaiting) Place(ctx context.Context, account broker.AccountID, ticket broker.Ticket) ([]broker.OrderState, error) {
	return a.walk(ctx, account, broker.Intent{Kind: broker.IntentPlace, Ticket: ticket})
}

// Replace prepares, waits and submits.
func (a *awaiting) Replace(ctx context.Context, account broker.AccountID, id broker.OrderID, with broker.Order) (*broker.OrderState, error) {
	return one(a.walk(ctx, account, broker.Intent{Kind: broker.IntentReplace, Order: id, With: with}))
}

// Cancel prepares, waits when a cancel needs an approval, and submits.
func (a *awaiting) Cancel(ctx context.Context, account broker.AccountID, id broker.OrderID) (*broker.OrderState, error) {
	return one(a.walk(ctx, account, broker.Intent{Kind: broker.IntentCancel, Order: id}))
}

func one(states []broker.OrderState, err error) (*broker.OrderState, error) {
	if len(states) == 0 {
		return nil, err
	}
	return &states[0], err
}

func (a *awaiting) walk(ctx context.Context, account broker.AccountID, intent broker.Intent) ([]broker.OrderState, error) {
	prepared, err := a.Prepare(ctx, account, intent)
	if err != nil {
		return nil, err
	}
	until := prepared.Expires
	if a.opts.Wait > 0 {
		if t := a.opts.Clock.Now().Add(a.opts.Wait); t.Before(until) {
			until = t
		}
	}
	asked := false
	for {
		out, err := a.Submit(ctx, prepared.ID)
		if !errors.Is(err, broker.ErrApprovalRequired) {
			if out == nil {
				return nil, err
			}
			return out.Orders, err
		}
		if !asked && a.opts.Asked != nil {
			a.opts.Asked(*prepared)
		}
		asked = true
		left := until.Sub(a.opts.Clock.Now())
		if left <= 0 {
			return nil, a.giveUp(ctx, prepared.ID, err)
		}
		if stopped := pause(ctx, a.opts.Clock, min(a.opts.Every, left)); stopped != nil {
			return nil, a.giveUp(context.WithoutCancel(ctx), prepared.ID, err)
		}
	}
}

// giveUp voids a preview, so that a late approval sends nothing.
func (a *awaiting) giveUp(ctx context.Context, id string, reason error) error {
	if err := a.Decline(ctx, id, "strategy: nobody approved in time"); err != nil && !errors.Is(err, broker.ErrUnknownPreview) {
		return errors.Join(reason, err)
	}
	return reason
}
