package broker

import (
	"context"
	"errors"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/market"
)

// What callers of the trading half branch on. Adapters wrap them.
var (
	// ErrUnsupported: this broker cannot do that. Nothing was sent.
	ErrUnsupported = errors.New("not supported by this broker")
	// ErrUnknownOrder: the account has no such order.
	ErrUnknownOrder = errors.New("unknown order")
	// ErrRejected: the broker refused the order, and it does not exist. The
	// error is a *[RejectedError].
	ErrRejected = errors.New("order rejected")
	// ErrUncertain: the request may have reached the broker, and its answer did
	// not come. The order may exist. It must never be sent again: look for its Tag
	// among the account's orders. The error is an *[UncertainError].
	ErrUncertain = errors.New("outcome unknown")
	// ErrTooLate: the order has ended, or can no longer be changed.
	ErrTooLate = errors.New("too late to change the order")
)

// An OrderID is the broker's name for an order.
type OrderID string

// An OrderState is an order as the broker has it.
type OrderState struct {
	ID      OrderID
	Account AccountID
	Group   string // the broker's name of the group it belongs to; empty for a single order
	Order   Order  // what was asked for
	Status  Status
	Reason  string // why it was rejected, cancelled or expired, as the broker says
	// Legs stand in the order of Order.Legs.
	Legs       []LegState
	Fills      []Fill // oldest first; empty when the broker does not list them
	Replaces   OrderID
	ReplacedBy OrderID
	Received   time.Time // zero when unknown
	Updated    time.Time
	Ended      time.Time // zero while it works
}

// A LegState says how much of a leg is done.
type LegState struct {
	Symbol market.Symbol
	Filled decimal.Decimal // from zero to the leg's quantity
	// Average is the mean price of what was filled, per unit and positive; nil
	// when nothing was.
	Average *decimal.Decimal
}

// A Fill is one execution of one leg.
type Fill struct {
	ID       string // unique within the account; the same fill reported twice has the same
	Order    OrderID
	Account  AccountID
	Symbol   market.Symbol
	Action   Action
	Quantity decimal.Decimal // positive
	Price    decimal.Decimal // per unit, positive
	Fees     *Fees           // nil when the broker says them later or elsewhere
	Time     time.Time
}

// Fees are what trading costs, in the account's currency. Each is negative when
// paid and positive when received; Total is their sum.
type Fees struct {
	Commission, Clearing, Regulatory, Exchange decimal.Decimal
}

// Total is the sum of all parts.
func (f Fees) Total() decimal.Decimal {
	return f.Commission.Add(f.Clearing).Add(f.Regulatory).Add(f.Exchange)
}

// A Notice is something the broker or a rule has to say about an order.
type Notice struct {
	Code    string // stable, for programs: "insufficient_buying_power"
	Message string // for people
	Field   string // of the ticket, when it is about one: "Orders[0].Limit"
}

// A Preview is what an order would do, by the broker's own count where it has a
// dry run. Nil amounts are not known.
type Preview struct {
	Ticket Ticket // normalised: what would be sent
	// BuyingPower is the change of buying power, negative when the order uses some.
	BuyingPower *decimal.Decimal
	// BuyingPowerAfter is what would be left.
	BuyingPowerAfter *decimal.Decimal
	// Margin is the change of the margin requirement, positive when it grows.
	Margin *decimal.Decimal
	// Cash is the money that changes hands if it fills at its limit, or at the
	// price quoted now, without fees: credit positive, debit negative.
	Cash     *decimal.Decimal
	Fees     *Fees
	Warnings []Notice
	// Refusals are why the broker would reject it. It may be placed only when
	// there are none.
	Refusals []Notice
}

// A RejectedError is a broker's refusal. The order does not exist.
type RejectedError struct {
	Notices []Notice
}

func (e *RejectedError) Error() string {
	text := ErrRejected.Error()
	for i, n := range e.Notices {
		if i == 0 {
			text += ": "
		} else {
			text += "; "
		}
		text += n.Message
	}
	return text
}

// Unwrap returns ErrRejected.
func (e *RejectedError) Unwrap() error { return ErrRejected }

// An UncertainError is a write without an answer. The order may exist.
type UncertainError struct {
	// Tags are those of the orders that were sent; for a cancel or a replacement
	// Order is set.
	Tags  []string
	Order OrderID
	Cause error
}

func (e *UncertainError) Error() string {
	if e.Cause == nil {
		return ErrUncertain.Error()
	}
	return ErrUncertain.Error() + ": " + e.Cause.Error()
}

// Unwrap returns ErrUncertain and the cause.
func (e *UncertainError) Unwrap() []error { return []error{ErrUncertain, e.Cause} }

// A Previewer tells what an order would do.
type Previewer interface {
	// Preview validates a ticket and asks the broker for a dry run, or counts
	// itself where the broker has none: Capabilities.DryRun says which. It creates
	// no order. A ticket that the broker would reject is no error: see
	// [Preview].Refusals.
	Preview(ctx context.Context, account AccountID, ticket Ticket) (*Preview, error)
}

// A Placer writes orders. Nothing here is ever repeated: each call sends at most
// one request that could change something.
//
// Errors are a *FieldError (joined) or ErrUnsupported when nothing was sent,
// ErrRejected, ErrUncertain, or ErrUnauthorized and ErrUnavailable, which both
// mean that the broker certainly did not act.
type Placer interface {
	// Place sends a ticket and returns its orders in the ticket's order.
	Place(ctx context.Context, account AccountID, ticket Ticket) ([]OrderState, error)
	// Replace puts an order with another price, quantity or duration in the place
	// of a working one; symbols and actions stay. The result may have another id.
	// A fill of the first that comes before stands. ErrTooLate when it has ended.
	Replace(ctx context.Context, account AccountID, id OrderID, with Order) (*OrderState, error)
	// Cancel asks for an order to end. It has ended only when its status says so; a
	// fill may still come first. ErrTooLate when it has ended already.
	Cancel(ctx context.Context, account AccountID, id OrderID) (*OrderState, error)
}

// An OrderReader reads orders.
type OrderReader interface {
	// Order returns one order, or ErrUnknownOrder.
	Order(ctx context.Context, account AccountID, id OrderID) (*OrderState, error)
	// Orders returns the orders that the query selects, newest first.
	Orders(ctx context.Context, account AccountID, query OrdersQuery) ([]OrderState, error)
}

// An OrdersQuery selects orders. The zero value selects those of the current day
// and all that still work.
type OrdersQuery struct {
	Tag     string        // of this tag only, however old the broker can look back
	Symbol  market.Symbol // with a leg in this symbol, or an option on it
	Working bool          // only those that can still fill
	Since   time.Time     // received at or after; zero: the current day's
}

// A HistoryReader reads what happened in an account.
type HistoryReader interface {
	// Transactions returns what happened from (included) to (excluded), oldest
	// first.
	Transactions(ctx context.Context, account AccountID, from, to time.Time) ([]Transaction, error)
}

// A TransactionKind says what happened.
type TransactionKind string

// The kinds of transactions. It is an open set.
const (
	Trade      TransactionKind = "trade"
	Exercise   TransactionKind = "exercise"
	Assignment TransactionKind = "assignment"
	Expiration TransactionKind = "expiration"
	Dividend   TransactionKind = "dividend"
	Interest   TransactionKind = "interest"
	FeeCharge  TransactionKind = "fee"
	Transfer   TransactionKind = "transfer"
	Split      TransactionKind = "split"
)

// A Transaction is one line of an account's history.
type Transaction struct {
	ID       string
	Account  AccountID
	Time     time.Time
	Kind     TransactionKind
	Symbol   market.Symbol   // empty for money alone
	Quantity decimal.Decimal // signed change of the position; zero for money alone
	Price    *decimal.Decimal
	// Amount is the change of cash including fees, signed.
	Amount decimal.Decimal
	Fees   *Fees
	Order  OrderID // empty when no order caused it
	Text   string  // as the broker says
}

// An EventSource tells what happens in accounts as it happens.
type EventSource interface {
	// Events subscribes from its return on. The stream ends with ctx or Close.
	Events(ctx context.Context, accounts ...AccountID) (EventStream, error)
}

// An EventStream yields an account's events. Nothing is dropped silently: what was
// missed while the connection was down, or because the reader was slower than 1024
// events, is told by an Event with Gap, after which orders and positions are to be
// read anew. It is for one reader.
type EventStream interface {
	// Next waits for the next event. It returns the reason when the stream has
	// ended for good.
	Next(ctx context.Context) (Event, error)
	// Close ends the stream and waits for what it started.
	Close() error
}

// An Event is something that happened in an account. Exactly one of the parts is
// set.
type Event struct {
	Time        time.Time
	Account     AccountID
	Order       *OrderState
	Fill        *Fill
	Balances    *Balances
	Position    *Position
	Transaction *Transaction
	Gap         *Gap
}

// A Gap says that events may be missing.
type Gap struct {
	Since  time.Time // of the last event that came for certain; zero when none did
	Reason string
}

// A Trader is the trading half of a broker.
type Trader interface {
	Previewer
	Placer
	OrderReader
	HistoryReader
	EventSource
	// Capabilities tells what the broker can do.
	Capabilities() Capabilities
}
