package app

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/ttai-go/ttai/broker"
)

// onlyAccounts hides all accounts but the allowed ones.
type onlyAccounts struct {
	broker.Broker
	allowed []string
}

func (b onlyAccounts) allows(id broker.AccountID) bool { return slices.Contains(b.allowed, string(id)) }

func (b onlyAccounts) refuse(id broker.AccountID) error {
	return fmt.Errorf("%w: %s is not among the accounts that the settings allow", broker.ErrUnknownAccount, id)
}

// Accounts lists the allowed accounts.
func (b onlyAccounts) Accounts(ctx context.Context) ([]broker.Account, error) {
	all, err := b.Broker.Accounts(ctx)
	return slices.DeleteFunc(all, func(a broker.Account) bool { return !b.allows(a.ID) }), err
}

// Balances answers for an allowed account.
func (b onlyAccounts) Balances(ctx context.Context, id broker.AccountID) (*broker.Balances, error) {
	if !b.allows(id) {
		return nil, b.refuse(id)
	}
	return b.Broker.Balances(ctx, id)
}

// Positions answers for an allowed account.
func (b onlyAccounts) Positions(ctx context.Context, id broker.AccountID) ([]broker.Position, error) {
	if !b.allows(id) {
		return nil, b.refuse(id)
	}
	return b.Broker.Positions(ctx, id)
}

// Preview answers for an allowed account.
func (b onlyAccounts) Preview(ctx context.Context, id broker.AccountID, ticket broker.Ticket) (*broker.Preview, error) {
	if !b.allows(id) {
		return nil, b.refuse(id)
	}
	return b.Broker.Preview(ctx, id, ticket)
}

// Place sends for an allowed account.
func (b onlyAccounts) Place(ctx context.Context, id broker.AccountID, ticket broker.Ticket) ([]broker.OrderState, error) {
	if !b.allows(id) {
		return nil, b.refuse(id)
	}
	return b.Broker.Place(ctx, id, ticket)
}

// Replace sends for an allowed account.
func (b onlyAccounts) Replace(ctx context.Context, id broker.AccountID, order broker.OrderID, with broker.Order) (*broker.OrderState, error) {
	if !b.allows(id) {
		return nil, b.refuse(id)
	}
	return b.Broker.Replace(ctx, id, order, with)
}

// Cancel sends for an allowed account.
func (b onlyAccounts) Cancel(ctx context.Context, id broker.AccountID, order broker.OrderID) (*broker.OrderState, error) {
	if !b.allows(id) {
		return nil, b.refuse(id)
	}
	return b.Broker.Cancel(ctx, id, order)
}

// Order answers for an allowed account.
func (b onlyAccounts) Order(ctx context.Context, id broker.AccountID, order broker.OrderID) (*broker.OrderState, error) {
	if !b.allows(id) {
		return nil, b.refuse(id)
	}
	return b.Broker.Order(ctx, id, order)
}

// Orders answers for an allowed account.
func (b onlyAccounts) Orders(ctx context.Context, id broker.AccountID, query broker.OrdersQuery) ([]broker.OrderState, error) {
	if !b.allows(id) {
		return nil, b.refuse(id)
	}
	return b.Broker.Orders(ctx, id, query)
}

// Transactions answers for an allowed account.
func (b onlyAccounts) Transactions(ctx context.Context, id broker.AccountID, from, to time.Time) ([]broker.Transaction, error) {
	if !b.allows(id) {
		return nil, b.refuse(id)
	}
	return b.Broker.Transactions(ctx, id, from, to)
}

// Events subscribes to allowed accounts: to all of them when none is named.
func (b onlyAccounts) Events(ctx context.Context, ids ...broker.AccountID) (broker.EventStream, error) {
	for _, id := range ids {
		if !b.allows(id) {
			return nil, b.refuse(id)
		}
	}
	if len(ids) == 0 {
		for _, id := range b.allowed {
			ids = append(ids, broker.AccountID(id))
		}
	}
	return b.Broker.Events(ctx, ids...)
}
