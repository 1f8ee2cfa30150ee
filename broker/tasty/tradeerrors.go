package tasty

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/tastytrade"
)

// refusal returns why the broker refused a ticket, false when err is something
// else. Nothing of the ticket exists then.
func (a *Adapter) refusal(ctx context.Context, account broker.AccountID, group broker.GroupKind, err error) ([]broker.Notice, bool) {
	if rejected, ok := errors.AsType[*tastytrade.RejectedError](err); ok && rejected.Err == nil {
		notices := messages(rejected.Errors)
		if o := rejected.Order; o != nil && o.RejectReason != "" {
			notices = append(notices, broker.Notice{Code: "rejected", Message: o.RejectReason})
		}
		if len(notices) == 0 {
			notices = []broker.Notice{{Code: "rejected", Message: "the broker rejected the order without a reason"}}
		}
		return notices, true
	}
	api, ok := errors.AsType[*tastytrade.APIError](err)
	switch {
	case !ok:
		return nil, false
	case errors.Is(api, tastytrade.ErrInvalid):
	case errors.Is(api, tastytrade.ErrNotFound) && a.reaches(ctx, account): // an instrument, say
	default:
		return nil, false
	}
	var notices []broker.Notice
	for _, d := range api.Errors {
		n := broker.Notice{Code: cmp.Or(d.Code, api.Code), Message: cmp.Or(d.Message, api.Message)}
		if d.Field != "" {
			n.Field = ticketField(d.Field, group)
		} else if i, err := strconv.Atoi(d.PreflightID); err == nil && group != broker.Single {
			n.Field = fmt.Sprintf("Orders[%d]", i)
		}
		notices = append(notices, n)
	}
	if len(notices) == 0 {
		notices = []broker.Notice{{Code: api.Code, Message: cmp.Or(api.Message, api.Code)}}
	}
	return notices, true
}

func messages(list []tastytrade.OrderMessage) []broker.Notice {
	var notices []broker.Notice
	for _, m := range list {
		n := broker.Notice{Code: m.Code, Message: cmp.Or(m.Message, m.Code)}
		if i, err := strconv.Atoi(m.PreflightID); err == nil {
			n.Field = fmt.Sprintf("Orders[%d]", i)
		}
		notices = append(notices, n)
	}
	return notices
}

// orderFailure is failure for routes of orders: what is not found there may be the
// account or the order, which the list of accounts tells apart.
func (a *Adapter) orderFailure(ctx context.Context, doing string, account broker.AccountID, id broker.OrderID, err error) error {
	notFound, forbidden := errors.Is(err, tastytrade.ErrNotFound), errors.Is(err, tastytrade.ErrForbidden)
	switch {
	case (notFound || forbidden) && !a.reaches(ctx, account):
		return fmt.Errorf("tasty: %s: account %q: %w: %w", doing, account, broker.ErrUnknownAccount, err)
	case notFound && id != "":
		return fmt.Errorf("tasty: %s: order %q: %w: %w", doing, id, broker.ErrUnknownOrder, err)
	}
	return a.failure(doing, err)
}

// changeFailure is orderFailure for what changes an order, which the broker also
// refuses because it is too late.
func (a *Adapter) changeFailure(ctx context.Context, doing string, account broker.AccountID, id broker.OrderID, err error) error {
	if !errors.Is(err, tastytrade.ErrInvalid) {
		return a.orderFailure(ctx, doing, account, id, inTicket(err, broker.Single))
	}
	api, ok := errors.AsType[*tastytrade.APIError](err)
	if ok && api.Code == "cannot_update_order" || a.ended(ctx, account, id) {
		return fmt.Errorf("tasty: %s: order %s: %w: %w", doing, id, broker.ErrTooLate, err)
	}
	notices, _ := a.refusal(ctx, account, broker.Single, err)
	return fmt.Errorf("tasty: %s: order %s: %w", doing, id, &broker.RejectedError{Notices: notices})
}

// ended tells whether an order has certainly ended.
func (a *Adapter) ended(ctx context.Context, account broker.AccountID, id broker.OrderID) bool {
	order, err := a.client.Orders.Get(ctx, tastytrade.AccountNumber(account), tastytrade.OrderID(id))
	return err == nil && statusOf(order).Terminal()
}

// reaches tells whether the credentials reach an account. When that cannot be
// known, they are not thought to.
func (a *Adapter) reaches(ctx context.Context, account broker.AccountID) bool {
	list, err := a.client.Accounts.List(ctx)
	return err == nil && slices.ContainsFunc(list, func(item tastytrade.CustomerAccount) bool {
		return item.Account.Number == tastytrade.AccountNumber(account)
	})
}
