package tastytrade

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/internal/wsconn"
)

// ReconcileOptions say how long to look for an order. The zero value works.
type ReconcileOptions struct {
	// Since is when the order was sent; orders received long before are not
	// listed. Zero: only the orders of today are looked through.
	Since time.Time
	// Attempts is how often the orders are listed; 0: 6.
	Attempts int
	// Wait is how long after the first attempt the second comes; each further
	// one comes after twice as long. 0: 500 ms.
	Wait time.Duration
}

func (o *ReconcileOptions) defaults() (ReconcileOptions, error) {
	var out ReconcileOptions
	if o != nil {
		out = *o
	}
	if out.Attempts < 0 {
		return out, invalid.Field("Attempts", out.Attempts, "1 or more, or 0 for the default")
	}
	if out.Wait < 0 {
		return out, invalid.Field("Wait", out.Wait.String(), "a positive duration, or 0 for the default")
	}
	if out.Attempts == 0 {
		out.Attempts = 6
	}
	if out.Wait == 0 {
		out.Wait = 500 * time.Millisecond
	}
	return out, nil
}

// Reconcile finds the order that was sent with an external identifier, after an
// *[UnknownOutcomeError]. It only reads. An order that has just been taken may
// not be listed yet, so that it looks several times with growing waits; ctx
// bounds the whole.
//
// The error is ErrNotFound when the last attempt listed the orders and none of
// them had the identifier: the order was not taken, as far as listing can tell.
// Any other error means that the orders could not be listed and the outcome is
// as unknown as before. Of several orders with the identifier, of which the
// later ones replace the earlier, the one received last is returned.
//
// GET /accounts/{account}/orders/live
func (s *OrdersService) Reconcile(ctx context.Context, account AccountNumber, externalIdentifier string, opts *ReconcileOptions) (*Order, error) {
	if externalIdentifier == "" {
		return nil, invalid.Missing("externalIdentifier", "the identifier that the order was sent with")
	}
	return reconcile(ctx, opts, externalIdentifier, func(ctx context.Context, o ReconcileOptions) (*Order, error) {
		found, err := newest(s.AllLive(ctx, account), externalIdentifier)
		if found != nil || err != nil || o.Since.IsZero() {
			return found, err
		}
		// What was sent before midnight is not an order of today. The clocks of
		// the two sides differ.
		return newest(s.All(ctx, account, &OrdersOptions{StartAt: o.Since.Add(-5 * time.Minute)}), externalIdentifier)
	})
}

func newest(orders func(func(Order, error) bool), identifier string) (found *Order, err error) {
	for o, err := range orders {
		if err != nil {
			return nil, err
		}
		if o.ExternalIdentifier == identifier && (found == nil || o.ReceivedAt.After(found.ReceivedAt)) {
			found = &o
		}
	}
	return found, nil
}

// Reconcile finds the complex order of which an order was sent with an external
// identifier; the rest is as for [OrdersService.Reconcile].
//
// GET /accounts/{account}/complex-orders/live
func (s *ComplexOrdersService) Reconcile(ctx context.Context, account AccountNumber, externalIdentifier string, opts *ReconcileOptions) (*ComplexOrder, error) {
	if externalIdentifier == "" {
		return nil, invalid.Missing("externalIdentifier", "the identifier that one of the orders was sent with")
	}
	has := func(c *ComplexOrder) bool {
		for _, o := range c.Components() {
			if o.ExternalIdentifier == externalIdentifier {
				return true
			}
		}
		return false
	}
	return reconcile(ctx, opts, externalIdentifier, func(ctx context.Context, o ReconcileOptions) (*ComplexOrder, error) {
		live, err := s.Live(ctx, account)
		if err != nil {
			return nil, err
		}
		for i := range live {
			if has(&live[i]) {
				return &live[i], nil
			}
		}
		if o.Since.IsZero() {
			return nil, nil
		}
		page, err := s.List(ctx, account, nil) // the newest
		if err != nil {
			return nil, err
		}
		for i := range page.Items {
			if has(&page.Items[i]) {
				return &page.Items[i], nil
			}
		}
		return nil, nil
	})
}

// reconcile looks until it finds something or has looked often enough.
func reconcile[T any](ctx context.Context, opts *ReconcileOptions, identifier string, look func(context.Context, ReconcileOptions) (*T, error)) (*T, error) {
	o, err := opts.defaults()
	if err != nil {
		return nil, err
	}
	var failed error
	for attempt := range o.Attempts {
		if attempt > 0 && !wsconn.Sleep(ctx, o.Wait<<min(attempt-1, 16)) {
			return nil, errors.Join(fmt.Errorf("tastytrade: looking for external identifier %s: %w", identifier, ctx.Err()), failed)
		}
		found, err := look(ctx, o)
		if found != nil {
			return found, nil
		}
		failed = err // an attempt that could not look says nothing; the last one decides
		if errors.Is(err, ErrUnauthorized) || errors.Is(err, ErrForbidden) {
			break
		}
	}
	if failed != nil {
		return nil, fmt.Errorf("tastytrade: looking for external identifier %s: %w", identifier, failed)
	}
	return nil, fmt.Errorf("tastytrade: no order with external identifier %s is listed: %w", identifier, ErrNotFound)
}
