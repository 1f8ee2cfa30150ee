package broker

import (
	"context"
	"time"
)

// ReadOnly returns a broker that reads through r and cannot trade: its
// capabilities are none, and every other method of the trading half returns
// ErrUnsupported. It hides the trading half of r, if it has one.
func ReadOnly(r Reader) Broker { return readOnly{r} }

type readOnly struct{ Reader }

func (readOnly) Capabilities() Capabilities { return Capabilities{} }

func (readOnly) Preview(context.Context, AccountID, Ticket) (*Preview, error) {
	return nil, ErrUnsupported
}

func (readOnly) Place(context.Context, AccountID, Ticket) ([]OrderState, error) {
	return nil, ErrUnsupported
}

func (readOnly) Replace(context.Context, AccountID, OrderID, Order) (*OrderState, error) {
	return nil, ErrUnsupported
}

func (readOnly) Cancel(context.Context, AccountID, OrderID) (*OrderState, error) {
	return nil, ErrUnsupported
}

func (readOnly) Order(context.Context, AccountID, OrderID) (*OrderState, error) {
	return nil, ErrUnsupported
}

func (readOnly) Orders(context.Context, AccountID, OrdersQuery) ([]OrderState, error) {
	return nil, ErrUnsupported
}

func (readOnly) Transactions(context.Context, AccountID, time.Time, time.Time) ([]Transaction, error) {
	return nil, ErrUnsupported
}

func (readOnly) Events(context.Context, ...AccountID) (EventStream, error) {
	return nil, ErrUnsupported
}
