package tasty

import (
	"cmp"
	"context"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/tastytrade"
)

// ordersPerPage is how many orders one request asks for.
const ordersPerPage = 50

// Order returns one order as the broker has it now.
func (a *Adapter) Order(ctx context.Context, account broker.AccountID, id broker.OrderID) (*broker.OrderState, error) {
	if err := cmp.Or(checkAccount(account), checkOrderID(id)); err != nil {
		return nil, err
	}
	ctx, cancel := a.bounded(ctx)
	defer cancel()
	order, err := a.client.Orders.Get(ctx, tastytrade.AccountNumber(account), tastytrade.OrderID(id))
	if err != nil {
		return nil, a.orderFailure(ctx, "reading an order", account, id, err)
	}
	out := stateOf(account, order)
	return &out, nil
}

// Orders returns the orders that the query selects, those of groups included. The
// broker asks not to poll them: Events tells what changes. A tag is looked for
// among the orders of today first, and then among all since query.Since, which are
// all that there ever were when it is zero.
func (a *Adapter) Orders(ctx context.Context, account broker.AccountID, query broker.OrdersQuery) ([]broker.OrderState, error) {
	if err := checkAccount(account); err != nil {
		return nil, err
	}
	ctx, cancel := a.bounded(ctx)
	defer cancel()
	found := map[broker.OrderID]broker.OrderState{}
	number := tastytrade.AccountNumber(account)
	take := func(orders iter.Seq2[tastytrade.Order, error]) error {
		for order, err := range orders {
			if err != nil {
				return a.orderFailure(ctx, "listing orders", account, "", err)
			}
			if state := stateOf(account, &order); selects(query, &state) {
				found[state.ID] = state
			}
			if query.Tag != "" && len(found) > 0 {
				return nil // a tag is one order's
			}
		}
		return nil
	}
	history := func(opts tastytrade.OrdersOptions) iter.Seq2[tastytrade.Order, error] {
		opts.PerPage = ordersPerPage
		return a.client.Orders.All(ctx, number, &opts)
	}
	sources := []func() iter.Seq2[tastytrade.Order, error]{
		func() iter.Seq2[tastytrade.Order, error] { return a.grouped(ctx, number) },
		func() iter.Seq2[tastytrade.Order, error] { return a.client.Orders.AllLive(ctx, number) },
	}
	switch {
	case query.Tag != "":
		sources = append(sources, func() iter.Seq2[tastytrade.Order, error] {
			return history(tastytrade.OrdersOptions{StartAt: query.Since}) // zero: all
		})
	case !query.Since.IsZero() && !query.Working:
		sources = append(sources, func() iter.Seq2[tastytrade.Order, error] {
			return history(tastytrade.OrdersOptions{StartAt: query.Since})
		})
	default:
		sources = append(sources, func() iter.Seq2[tastytrade.Order, error] {
			return history(tastytrade.OrdersOptions{Statuses: wireStatuses})
		})
	}
	for _, source := range sources {
		if err := take(source()); err != nil {
			return nil, err
		}
		if query.Tag != "" && len(found) > 0 {
			break
		}
	}
	return slices.SortedFunc(maps.Values(found), newestFirst), nil
}

// grouped yields the orders of today's groups: those that wait for another may be
// listed nowhere else.
func (a *Adapter) grouped(ctx context.Context, account tastytrade.AccountNumber) iter.Seq2[tastytrade.Order, error] {
	return func(yield func(tastytrade.Order, error) bool) {
		groups, err := a.client.ComplexOrders.Live(ctx, account)
		if err != nil {
			yield(tastytrade.Order{}, err)
			return
		}
		for i := range groups {
			for _, order := range groups[i].Components() {
				if order.ComplexOrderID == "" {
					order.ComplexOrderID = groups[i].ID
				}
				if order.ID != "" && !yield(order, nil) {
					return
				}
			}
		}
	}
}

func selects(query broker.OrdersQuery, state *broker.OrderState) bool {
	switch {
	case query.Tag != "" && state.Order.Tag != query.Tag,
		query.Working && !state.Status.CanFill(),
		!query.Since.IsZero() && state.Received.Before(query.Since):
		return false
	case query.Symbol == "":
		return true
	}
	return slices.ContainsFunc(state.Order.Legs, func(l broker.Leg) bool {
		return l.Symbol == query.Symbol || optionOn(l.Symbol) == query.Symbol
	})
}

// optionOn is the underlying of an option, empty for anything else.
func optionOn(symbol market.Symbol) market.Symbol {
	if c, ok := symbol.Contract(); ok {
		return underlyingOf(c.Root)
	}
	if symbol.Kind() == market.KindFutureOption {
		if option, err := tastytrade.ParseFutureOption(string(symbol)); err == nil {
			return market.Symbol(option.Future.String())
		}
	}
	return ""
}

// newestFirst orders by when an order was received, and then by its number.
func newestFirst(x, y broker.OrderState) int {
	return cmp.Or(y.Received.Compare(x.Received), cmp.Compare(len(y.ID), len(x.ID)), cmp.Compare(y.ID, x.ID))
}

func sortFills(fills []broker.Fill) {
	slices.SortStableFunc(fills, func(x, y broker.Fill) int { return x.Time.Compare(y.Time) })
}

// Transactions returns an account's history. What the broker calls something that
// has no kind here keeps its name, in lower case: "mark to market".
func (a *Adapter) Transactions(ctx context.Context, account broker.AccountID, from, to time.Time) ([]broker.Transaction, error) {
	if err := checkAccount(account); err != nil {
		return nil, err
	}
	if !to.After(from) {
		return nil, invalid.Field("to", to, "a time after from")
	}
	ctx, cancel := a.bounded(ctx)
	defer cancel()
	var list []broker.Transaction
	for t, err := range a.client.Transactions.All(ctx, tastytrade.AccountNumber(account), &tastytrade.TransactionsOptions{
		Sort: tastytrade.OldestFirst, StartAt: from.Truncate(time.Second), EndAt: to.Truncate(time.Second).Add(time.Second), // in whole seconds
	}) {
		if err != nil {
			return nil, a.accountFailure("reading transactions", account, err)
		}
		if at := t.ExecutedAt; !at.Before(from) && at.Before(to) {
			list = append(list, transactionOf(account, &t))
		}
	}
	slices.SortStableFunc(list, func(x, y broker.Transaction) int { return x.Time.Compare(y.Time) })
	return list, nil
}

func transactionOf(account broker.AccountID, t *tastytrade.Transaction) broker.Transaction {
	out := broker.Transaction{
		ID: string(t.ID), Account: account, Time: t.ExecutedAt, Kind: transactionKind(t),
		Price: t.Price, Amount: amount(t.NetValue), Order: broker.OrderID(t.OrderID), Text: t.Description,
	}
	if t.Symbol != "" {
		out.Symbol = normal(t.Symbol)
	}
	if t.NetValue == nil {
		out.Amount = amount(t.Value)
	}
	if t.Quantity != nil {
		switch {
		case t.Action.IsBuy():
			out.Quantity = t.Quantity.Abs()
		case t.Action.IsSell():
			out.Quantity = t.Quantity.Abs().Neg()
		}
	}
	if out.Kind == broker.Trade || t.Commission != nil || t.ClearingFees != nil || t.RegulatoryFees != nil {
		out.Fees = &broker.Fees{
			Commission: amount(t.Commission), Clearing: amount(t.ClearingFees), Regulatory: amount(t.RegulatoryFees),
			Exchange: amount(t.ProprietaryIndexOptionFees).Add(amount(t.CurrencyConversionFees)).Add(amount(t.OtherCharge)),
		}
	}
	return out
}

var transactionKinds = map[tastytrade.TransactionSubType]broker.TransactionKind{
	tastytrade.SubTypeAssignment: broker.Assignment, tastytrade.SubTypeCashSettledAssign: broker.Assignment,
	tastytrade.SubTypeExercise: broker.Exercise, tastytrade.SubTypeCashSettledExer: broker.Exercise,
	tastytrade.SubTypeExpiration: broker.Expiration,
	tastytrade.SubTypeDividend:   broker.Dividend, tastytrade.SubTypeSpecialDividend: broker.Dividend,
	tastytrade.SubTypeCreditInterest: broker.Interest, tastytrade.SubTypeDebitInterest: broker.Interest,
	tastytrade.SubTypeFee: broker.FeeCharge, tastytrade.SubTypeForwardSplit: broker.Split, tastytrade.SubTypeReverseSplit: broker.Split,
	tastytrade.SubTypeACAT: broker.Transfer, tastytrade.SubTypeDeposit: broker.Transfer,
	tastytrade.SubTypeTransfer: broker.Transfer, tastytrade.SubTypeWithdrawal: broker.Transfer,
}

// transactionKind says what happened. The shares that an exercise or an assignment
// delivers are a line of their own, whose sub-type is an action: they have the
// broker's "receive deliver".
func transactionKind(t *tastytrade.Transaction) broker.TransactionKind {
	if kind, ok := transactionKinds[t.SubType]; ok {
		return kind
	}
	switch {
	case t.Type == tastytrade.TransactionTrade:
		return broker.Trade
	case t.Type == tastytrade.TransactionAdministrativeTransfer:
		return broker.Transfer
	case tastytrade.OrderAction(t.SubType).IsBuy(), tastytrade.OrderAction(t.SubType).IsSell():
		return broker.TransactionKind(strings.ToLower(string(t.Type)))
	}
	return broker.TransactionKind(strings.ToLower(cmp.Or(string(t.SubType), string(t.Type))))
}
