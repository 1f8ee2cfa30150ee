package broker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Reconcile finds out what became of orders whose outcome is not known: those
// without an answer, and those that a process left when it died. It looks them up
// by their tags and never sends anything. Call it when a program starts, and every
// minute or so while outcomes are uncertain; it is safe beside others that do. It
// returns what it found out, oldest first.
func (g *Guard) Reconcile(ctx context.Context) ([]Outcome, error) {
	b, err := g.readBook(ctx)
	if err != nil {
		return nil, err
	}
	var out []Outcome
	var errs []error
	for _, e := range b.Entries {
		if e.Stage == entryWorking {
			errs = append(errs, g.settleOne(ctx, e))
			continue
		}
		o, err := g.reconcile(ctx, e)
		if o != nil {
			out = append(out, *o)
		}
		errs = append(errs, err)
	}
	return out, errors.Join(errs...)
}

func (g *Guard) settleOne(ctx context.Context, e entry) error {
	works, _, err := g.works(ctx, e, nil)
	if works || err != nil {
		return err
	}
	return g.change(ctx, func(b *book) (bool, error) {
		b.drop(e.Preview)
		return true, nil
	})
}

func (g *Guard) reconcile(ctx context.Context, e entry) (*Outcome, error) {
	age := g.clock.Now().Sub(e.Time)
	r, err := g.load(ctx, e.Preview)
	if errors.Is(err, ErrUnknownPreview) {
		// Forgotten after a month, when no order can be under way any more.
		return nil, g.change(ctx, func(b *book) (bool, error) {
			b.drop(e.Preview)
			return true, nil
		})
	}
	if err != nil {
		return nil, err
	}
	m, err := r.message()
	if err != nil {
		return nil, err
	}
	switch r.Stage {
	case stageEnded:
		return g.conclusion(ctx, r)
	case stageReady, stageClaimed:
		if age <= sendWindow {
			return nil, nil // somebody may be at it
		}
		// Whoever claimed it has not begun to send, and cannot any more once this
		// is stored.
		out, err := g.end(ctx, r, OutcomeNotSent, EntryNotSent, errAbandoned)
		return out, unless(err, errAbandoned)
	}
	if r.Outcome != OutcomeUncertain && g.clock.Now().Sub(r.Moved) <= sendWindow+bookkeeping {
		return nil, nil // it is being sent
	}
	orders, err := g.find(ctx, m)
	switch {
	case err != nil:
		return nil, err
	case len(orders) > 0:
		return g.done(ctx, r, EntryReconciled, orders)
	case g.clock.Now().Sub(r.Moved) <= findWindow:
		return nil, nil
	}
	out, err := g.end(ctx, r, OutcomeNotFound, EntryReconciled, errNotFound)
	return out, unless(err, errNotFound)
}

var (
	errAbandoned = errors.New("the program ended before it was sent")
	errNotFound  = errors.New("no order with its tag was found")
)

// unless drops an outcome's own reason from what went wrong while storing it.
func unless(err, reason error) error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		if err == reason {
			return nil
		}
		return err
	}
	var rest []error
	for _, e := range joined.Unwrap() {
		if e != reason {
			rest = append(rest, e)
		}
	}
	return errors.Join(rest...)
}

// conclusion stores again what could not be stored whole when an outcome came.
func (g *Guard) conclusion(ctx context.Context, r *record) (*Outcome, error) {
	orders := orderStates(r.Orders)
	switch r.Outcome {
	case OutcomeDone:
		return g.done(ctx, r, EntryReconciled, orders)
	default:
		reason := errors.New(r.Reason)
		out, err := g.end(ctx, r, r.Outcome, EntryReconciled, reason)
		return out, unless(err, reason)
	}
}

// find looks for the orders of a message at the broker. None found is no proof
// that there are none.
func (g *Guard) find(ctx context.Context, m *message) ([]OrderState, error) {
	if m.Kind == IntentCancel {
		o, err := g.broker.Order(ctx, m.Account, m.Order)
		if err != nil {
			return nil, fmt.Errorf("reading order %s: %w", m.Order, err)
		}
		if o.Status.Terminal() || o.Status == CancelRequested {
			return []OrderState{*o}, nil
		}
		return nil, nil
	}
	var found []OrderState
	for _, tag := range m.tags() {
		listed, err := g.broker.Orders(ctx, m.Account, OrdersQuery{Tag: tag, Since: time.Time{}})
		if err != nil {
			return nil, fmt.Errorf("looking for the order with tag %s: %w", tag, err)
		}
		listed = slices.DeleteFunc(slices.Clone(listed), func(o OrderState) bool { return o.Order.Tag != tag })
		if len(listed) > 0 {
			found = append(found, listed[0])
		}
	}
	return found, nil
}

// Outcome tells what is known of a submitted preview: ErrUnknownPreview when there
// is no such, ErrApprovalRequired when it was not submitted yet.
func (g *Guard) Outcome(ctx context.Context, previewID string) (*Outcome, error) {
	r, err := g.load(ctx, previewID)
	if err != nil {
		return nil, err
	}
	if r.Stage == stageReady {
		return nil, ErrApprovalRequired
	}
	return g.unstick(ctx, r), nil
}

// unstick returns the outcome of a spent preview, and ends one that was claimed
// and got no further: it is in no book, and whoever claimed it can no longer send
// it once this is stored.
func (g *Guard) unstick(ctx context.Context, r *record) *Outcome {
	if r.Stage != stageClaimed || g.clock.Now().Sub(r.Moved) <= sendWindow {
		return r.outcome()
	}
	if b, err := g.readBook(ctx); err != nil || b.find(r.ID) != nil {
		return r.outcome() // Reconcile will end it
	}
	out, _ := g.end(ctx, r, OutcomeNotSent, EntryNotSent, errAbandoned) // what fails is tried again next time
	return out
}
