package tastytrade

import (
	"context"
	"errors"
	"iter"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/internal/invalid"
)

// ComplexOrdersService places, changes and lists complex orders. What its
// writes return is as that of [OrdersService].
type ComplexOrdersService struct{ client *Client }

// List returns one page of an account's complex orders.
//
// GET /accounts/{account}/complex-orders
func (s *ComplexOrdersService) List(ctx context.Context, account AccountNumber, opts *PageOptions) (*Page[ComplexOrder], error) {
	q, err := opts.query()
	if err != nil {
		return nil, err
	}
	return paged[ComplexOrder](ctx, s.client, get("/accounts/{account}/complex-orders", string(account)).with(q), complexOrderCodec)
}

// All is List for as many pages as the loop needs.
//
// GET /accounts/{account}/complex-orders
func (s *ComplexOrdersService) All(ctx context.Context, account AccountNumber) iter.Seq2[ComplexOrder, error] {
	return pages(func(offset int) (*Page[ComplexOrder], error) {
		return s.List(ctx, account, &PageOptions{PageOffset: offset})
	}, 0)
}

// Live returns the complex orders of which an order was placed today.
//
// GET /accounts/{account}/complex-orders/live
func (s *ComplexOrdersService) Live(ctx context.Context, account AccountNumber) ([]ComplexOrder, error) {
	out, _, err := many[ComplexOrder](ctx, s.client, get("/accounts/{account}/complex-orders/live", string(account)), complexOrderCodec)
	return out, err
}

// Get returns one complex order.
//
// GET /accounts/{account}/complex-orders/{id}
func (s *ComplexOrdersService) Get(ctx context.Context, account AccountNumber, id OrderID) (*ComplexOrder, error) {
	return one[ComplexOrder](ctx, s.client, get("/accounts/{account}/complex-orders/{id}", string(account), string(id)), complexOrderCodec)
}

// DryRun asks what placing a complex order would do. Nothing is placed.
//
// POST /accounts/{account}/complex-orders/dry-run
func (s *ComplexOrdersService) DryRun(ctx context.Context, account AccountNumber, order *NewComplexOrder) (*OrderResult, error) {
	if order == nil {
		return nil, invalid.Missing("order", "a complex order")
	}
	if err := order.Validate(); err != nil {
		return nil, err
	}
	out, err := one[OrderResult](ctx, s.client, post("/accounts/{account}/complex-orders/dry-run", string(account)).sending(order), orderResultCodec)
	return out, harmless(err)
}

// Place places a complex order: from then on its orders can trade. Every order
// that has no external identifier is given one, and a preflight id that names
// it in errors.
//
// POST /accounts/{account}/complex-orders
func (s *ComplexOrdersService) Place(ctx context.Context, account AccountNumber, order *NewComplexOrder) (*OrderResult, error) {
	if order == nil {
		return nil, invalid.Missing("order", "a complex order")
	}
	if err := order.Validate(); err != nil {
		return nil, err
	}
	tagged := order.tagged()
	w := write{call: post("/accounts/{account}/complex-orders", string(account)).sending(tagged), account: account, identifier: tagged.identifier()}
	sent := s.client.opts.Now()
	out, err := send[OrderResult](ctx, s.client, w, orderResultCodec)
	if err != nil {
		return nil, err
	}
	return w.placed(out, sent)
}

// A PairChange is a new ratio for a PAIRS order.
type PairChange struct {
	Comparator Comparator
	Threshold  decimal.Decimal
}

func (p PairChange) validate() error {
	return errors.Join(checkPair(p.Comparator, &p.Threshold)...)
}

func (p PairChange) body() map[string]string {
	return map[string]string{"ratio-price-comparator": string(p.Comparator), "ratio-price-threshold": p.Threshold.String()}
}

// DryRunChange asks what changing the ratio of a PAIRS order would do.
//
// POST /accounts/{account}/complex-orders/{id}/dry-run
func (s *ComplexOrdersService) DryRunChange(ctx context.Context, account AccountNumber, id OrderID, change PairChange) (*OrderResult, error) {
	if err := change.validate(); err != nil {
		return nil, err
	}
	out, err := one[OrderResult](ctx, s.client, post("/accounts/{account}/complex-orders/{id}/dry-run", string(account), string(id)).sending(change.body()), orderResultCodec)
	return out, harmless(err)
}

// Edit changes the ratio of a PAIRS order. Other complex orders are changed
// through their orders.
//
// PATCH /accounts/{account}/complex-orders/{id}
func (s *ComplexOrdersService) Edit(ctx context.Context, account AccountNumber, id OrderID, change PairChange) (*OrderResult, error) {
	if err := change.validate(); err != nil {
		return nil, err
	}
	w := write{call: patch("/accounts/{account}/complex-orders/{id}", string(account), string(id)).sending(change.body()), account: account, order: id}
	sent := s.client.opts.Now()
	out, err := send[OrderResult](ctx, s.client, w, orderResultCodec)
	if err != nil {
		return nil, err
	}
	return w.placed(out, sent)
}

// Cancel asks for the cancellation of every order of a complex order that has
// not ended. Fills may still arrive first.
//
// DELETE /accounts/{account}/complex-orders/{id}
func (s *ComplexOrdersService) Cancel(ctx context.Context, account AccountNumber, id OrderID) (*ComplexOrder, error) {
	w := write{call: del("/accounts/{account}/complex-orders/{id}", string(account), string(id)), account: account, order: id}
	sent := s.client.opts.Now()
	out, err := send[ComplexOrder](ctx, s.client, w, complexOrderCodec)
	if err != nil {
		return nil, err
	}
	if out.ID == "" {
		return nil, w.unknown(w.unclear("the answer names no order"), sent)
	}
	return out, nil
}
