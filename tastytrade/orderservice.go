package tastytrade

import (
	"context"
	"iter"
	"net/url"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
)

// OrdersService places, changes and lists orders.
//
// The methods that write send their request once and never again. Their result
// says that the broker has the order; their error is a *[RejectedError], an
// *[UnknownOutcomeError], or one of what happened before anything was sent. See
// [OutcomeOf].
type OrdersService struct{ client *Client }

// PageOptions say which page of a list to read. Nil is the first one.
type PageOptions struct {
	PerPage    int // 0: the broker's own
	PageOffset int // index of the page
}

func (o *PageOptions) query() (url.Values, error) {
	q := url.Values{}
	if o == nil {
		return q, nil
	}
	return q, paging(q, o.PerPage, o.PageOffset, 0)
}

// OrdersOptions narrow a list of orders. The zero value is all of them, newest
// first.
type OrdersOptions struct {
	Statuses       []OrderStatus
	Underlying     string
	UnderlyingType InstrumentType
	FuturesSymbol  string
	StartDate      Date // of the days on which they were received; zero: open
	EndDate        Date
	StartAt, EndAt time.Time // the same to the instant
	Sort           SortOrder // empty: NewestFirst
	PerPage        int       // 0: the broker's own
	PageOffset     int       // index of the page
}

func (o *OrdersOptions) query() (url.Values, error) {
	q := url.Values{}
	if o == nil {
		return q, nil
	}
	list(q, "status", o.Statuses)
	set(q, "underlying-symbol", o.Underlying)
	set(q, "underlying-instrument-type", string(o.UnderlyingType))
	set(q, "futures-symbol", o.FuturesSymbol)
	set(q, "start-date", o.StartDate.String())
	set(q, "end-date", o.EndDate.String())
	instant(q, "start-at", o.StartAt)
	instant(q, "end-at", o.EndAt)
	set(q, "sort", string(o.Sort))
	return q, paging(q, o.PerPage, o.PageOffset, 0)
}

// List returns one page of an account's orders.
//
// GET /accounts/{account}/orders
func (s *OrdersService) List(ctx context.Context, account AccountNumber, opts *OrdersOptions) (*Page[Order], error) {
	q, err := opts.query()
	if err != nil {
		return nil, err
	}
	return paged[Order](ctx, s.client, get("/accounts/{account}/orders", string(account)).with(q), orderCodec)
}

// All is List for as many pages as the loop needs.
//
// GET /accounts/{account}/orders
func (s *OrdersService) All(ctx context.Context, account AccountNumber, opts *OrdersOptions) iter.Seq2[Order, error] {
	var o OrdersOptions
	if opts != nil {
		o = *opts
	}
	return pages(func(offset int) (*Page[Order], error) {
		o := o
		o.PageOffset = offset
		return s.List(ctx, account, &o)
	}, o.PageOffset)
}

// Live returns one page of the orders that were made or changed today, ended
// ones included. The broker asks not to poll it: the account streamer tells
// what changes.
//
// GET /accounts/{account}/orders/live
func (s *OrdersService) Live(ctx context.Context, account AccountNumber, opts *PageOptions) (*Page[Order], error) {
	q, err := opts.query()
	if err != nil {
		return nil, err
	}
	return paged[Order](ctx, s.client, get("/accounts/{account}/orders/live", string(account)).with(q), orderCodec)
}

// AllLive is Live for as many pages as the loop needs.
//
// GET /accounts/{account}/orders/live
func (s *OrdersService) AllLive(ctx context.Context, account AccountNumber) iter.Seq2[Order, error] {
	return pages(func(offset int) (*Page[Order], error) {
		return s.Live(ctx, account, &PageOptions{PageOffset: offset})
	}, 0)
}

// Get returns one order.
//
// GET /accounts/{account}/orders/{id}
func (s *OrdersService) Get(ctx context.Context, account AccountNumber, id OrderID) (*Order, error) {
	return one[Order](ctx, s.client, get("/accounts/{account}/orders/{id}", string(account), string(id)), orderCodec)
}

// DryRun asks what placing an order would do. Nothing is placed. A check that
// fails is an *[APIError] with one entry in Errors per check.
//
// POST /accounts/{account}/orders/dry-run
func (s *OrdersService) DryRun(ctx context.Context, account AccountNumber, order *NewOrder) (*OrderResult, error) {
	if order == nil {
		return nil, invalid.Missing("order", "an order")
	}
	if err := order.Validate(); err != nil {
		return nil, err
	}
	out, err := one[OrderResult](ctx, s.client, post("/accounts/{account}/orders/dry-run", string(account)).sending(order), orderResultCodec)
	return out, harmless(err)
}

// Place places an order: from then on it can trade. It is validated first, and
// tagged with an external identifier when it has none; order itself is not
// changed. The Order of the result has an ID and a status other than Rejected;
// warnings are for a person to read.
//
// POST /accounts/{account}/orders
func (s *OrdersService) Place(ctx context.Context, account AccountNumber, order *NewOrder) (*OrderResult, error) {
	if order == nil {
		return nil, invalid.Missing("order", "an order")
	}
	if err := order.Validate(); err != nil {
		return nil, err
	}
	tagged := order.tagged()
	w := write{call: post("/accounts/{account}/orders", string(account)).sending(tagged), account: account, identifier: tagged.ExternalIdentifier}
	sent := s.client.opts.Now()
	out, err := send[OrderResult](ctx, s.client, w, orderResultCodec)
	if err != nil {
		return nil, err
	}
	return w.placed(out, sent)
}

// DryRunChange asks what replacing or editing an order would do. Nothing is
// changed.
//
// POST /accounts/{account}/orders/{id}/dry-run
func (s *OrdersService) DryRunChange(ctx context.Context, account AccountNumber, id OrderID, change *OrderChange) (*OrderResult, error) {
	if change == nil {
		return nil, invalid.Missing("change", "the new terms")
	}
	if err := change.Validate(); err != nil {
		return nil, err
	}
	out, err := one[OrderResult](ctx, s.client, post("/accounts/{account}/orders/{id}/dry-run", string(account), string(id)).sending(change), orderResultCodec)
	return out, harmless(err)
}

// Replace cancels an order and works a new one with the same legs and new
// terms. The result is the new order, with another ID; it waits as Contingent
// until the old one is cancelled. A fill of the old order in between ends the
// replacement.
//
// PUT /accounts/{account}/orders/{id}
func (s *OrdersService) Replace(ctx context.Context, account AccountNumber, id OrderID, change *OrderChange) (*Order, error) {
	return s.change(ctx, put("/accounts/{account}/orders/{id}", string(account), string(id)), account, id, change)
}

// Edit changes the price and the terms of an order. For the broker it is a
// replacement too: the result is a new order with another ID.
//
// PATCH /accounts/{account}/orders/{id}
func (s *OrdersService) Edit(ctx context.Context, account AccountNumber, id OrderID, change *OrderChange) (*Order, error) {
	return s.change(ctx, patch("/accounts/{account}/orders/{id}", string(account), string(id)), account, id, change)
}

func (s *OrdersService) change(ctx context.Context, r *call, account AccountNumber, id OrderID, change *OrderChange) (*Order, error) {
	if change == nil {
		return nil, invalid.Missing("change", "the new terms")
	}
	if err := change.Validate(); err != nil {
		return nil, err
	}
	tagged := *change
	if tagged.ExternalIdentifier == "" {
		tagged.ExternalIdentifier = newIdentifier()
	}
	return s.write(ctx, write{call: r.sending(&tagged), account: account, order: id, identifier: tagged.ExternalIdentifier})
}

// Cancel asks the exchange to cancel an order. The order is gone only when its
// status says so; a fill may still arrive first. An order that has ended is
// refused with the code cannot_update_order.
//
// DELETE /accounts/{account}/orders/{id}
func (s *OrdersService) Cancel(ctx context.Context, account AccountNumber, id OrderID) (*Order, error) {
	return s.write(ctx, write{call: del("/accounts/{account}/orders/{id}", string(account), string(id)), account: account, order: id})
}

// Reconfirm confirms an order again that the broker holds until then, such as a
// GTC order after a corporate action. The route is not documented.
//
// POST /accounts/{account}/orders/{id}/reconfirm
func (s *OrdersService) Reconfirm(ctx context.Context, account AccountNumber, id OrderID) (*Order, error) {
	return s.write(ctx, write{call: post("/accounts/{account}/orders/{id}/reconfirm", string(account), string(id)), account: account, order: id})
}

func (s *OrdersService) write(ctx context.Context, w write) (*Order, error) {
	sent := s.client.opts.Now()
	out, err := send[Order](ctx, s.client, w, orderCodec)
	if err != nil {
		return nil, err
	}
	return w.changed(out, sent)
}

// CustomerList returns one page of the orders of several accounts of the
// customer.
//
// GET /customers/me/orders
func (s *OrdersService) CustomerList(ctx context.Context, accounts []AccountNumber, opts *OrdersOptions) (*Page[Order], error) {
	q, err := opts.query()
	if err != nil {
		return nil, err
	}
	if err := accountNumbers(q, accounts); err != nil {
		return nil, err
	}
	return paged[Order](ctx, s.client, get("/customers/me/orders").with(q), orderCodec)
}

// CustomerAll is CustomerList for as many pages as the loop needs.
//
// GET /customers/me/orders
func (s *OrdersService) CustomerAll(ctx context.Context, accounts []AccountNumber, opts *OrdersOptions) iter.Seq2[Order, error] {
	var o OrdersOptions
	if opts != nil {
		o = *opts
	}
	return pages(func(offset int) (*Page[Order], error) {
		o := o
		o.PageOffset = offset
		return s.CustomerList(ctx, accounts, &o)
	}, o.PageOffset)
}

// CustomerLive is Live for several accounts of the customer.
//
// GET /customers/me/orders/live
func (s *OrdersService) CustomerLive(ctx context.Context, accounts []AccountNumber, opts *PageOptions) (*Page[Order], error) {
	q, err := opts.query()
	if err != nil {
		return nil, err
	}
	if err := accountNumbers(q, accounts); err != nil {
		return nil, err
	}
	return paged[Order](ctx, s.client, get("/customers/me/orders/live").with(q), orderCodec)
}

func accountNumbers(q url.Values, accounts []AccountNumber) error {
	if len(accounts) == 0 {
		return invalid.Missing("accounts", "one account number or more")
	}
	for _, a := range accounts {
		if a == "" {
			return invalid.Field("accounts", accounts, "account numbers that are not empty")
		}
		q.Add("account-numbers[]", string(a))
	}
	return nil
}
