package tastytrade

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// An Outcome is what became of a write.
type Outcome int8

// The outcomes.
const (
	// Placed: the broker has it and said so.
	Placed Outcome = iota
	// Rejected: the broker refused it. Nothing happened.
	Rejected
	// NotSent: it never left this program, or never reached the broker's
	// network: it was invalid, there was no token, no turn, no connection.
	// Nothing happened.
	NotSent
	// Unknown: it was sent and no answer that can be read came back. It may
	// have happened: reconcile, do not send it again.
	Unknown
)

// String returns the outcome's name.
func (o Outcome) String() string {
	switch o {
	case Placed:
		return "placed"
	case Rejected:
		return "rejected"
	case NotSent:
		return "not sent"
	}
	return "unknown"
}

// OutcomeOf says what became of a write that returned err. It is for errors of
// the methods that place and change orders.
func OutcomeOf(err error) Outcome {
	var unknown *UnknownOutcomeError
	var rejected *RejectedError
	switch {
	case err == nil:
		return Placed
	case errors.As(err, &unknown):
		return Unknown
	case errors.As(err, &rejected):
		return Rejected
	}
	return NotSent
}

// An UnknownOutcomeError says that a write was sent and may have happened. The
// order is not sent again by anyone but the caller: see Orders.Reconcile.
type UnknownOutcomeError struct {
	Operation string
	Account   AccountNumber
	// OrderID is the order that was to be changed or cancelled; empty when one
	// was placed.
	OrderID OrderID
	// ExternalIdentifier is what the order was sent with; empty for a
	// cancellation, of which the order's status tells.
	ExternalIdentifier string
	SentAt             time.Time // by the client's clock
	Err                error     // a *TransportError or an *APIError
}

// Error says that the outcome is unknown and why.
func (e *UnknownOutcomeError) Error() string {
	text := strings.TrimSuffix(e.Err.Error(), " (it may have happened)")
	if e.ExternalIdentifier != "" {
		return text + " (outcome unknown: look for external identifier " + e.ExternalIdentifier + " before sending it again)"
	}
	return text + " (outcome unknown: look at the order before sending it again)"
}

// Unwrap returns the cause.
func (e *UnknownOutcomeError) Unwrap() error { return e.Err }

// A RejectedError says that the broker refused an order.
type RejectedError struct {
	Operation string
	// Err is the refusal, an *APIError; nil when the broker took the request and
	// rejected the order in its answer.
	Err error
	// Order is the rejected order, when the broker made one.
	Order *Order
	// Errors are those of the answer.
	Errors []OrderMessage
}

// Error gives the broker's reasons.
func (e *RejectedError) Error() string {
	if e.Err != nil {
		return e.Err.Error()
	}
	text := "tastytrade: " + e.Operation + ": the order was rejected"
	if e.Order != nil && e.Order.RejectReason != "" {
		text += ": " + clean(e.Order.RejectReason)
	}
	for _, m := range e.Errors {
		text += fmt.Sprintf("; %s %s", clean(m.Code), clean(m.Message))
	}
	return text
}

// Unwrap returns the refusal.
func (e *RejectedError) Unwrap() error { return e.Err }

// Is reports ErrInvalid for an order that was rejected within an answer.
func (e *RejectedError) Is(target error) bool { return e.Err == nil && target == ErrInvalid }

// A write is a call that changes something at the broker.
type write struct {
	*call
	account    AccountNumber
	order      OrderID
	identifier string
}

// send makes the call once, decodes the answer and says what became of it. An
// error is as OutcomeOf reads it.
func send[T any](ctx context.Context, c *Client, w write, codec *codec) (*T, error) {
	sent := c.opts.Now()
	out, err := one[T](ctx, c, w.call, codec)
	if err != nil {
		return nil, w.outcome(err, sent)
	}
	return out, nil
}

func (w write) outcome(err error, sent time.Time) error {
	var transport *TransportError
	var api *APIError
	switch {
	case errors.As(err, &transport):
		if transport.Operation != w.operation() || !transport.MayHaveHappened {
			return err // no token, no turn, no connection
		}
	case errors.As(err, &api):
		if api.Operation != w.operation() {
			return err // no token
		}
		if refusal(api.Status) {
			return &RejectedError{Operation: w.operation(), Err: api}
		}
		api.MayHaveHappened = true
	default:
		return err // nothing was sent
	}
	return w.unknown(err, sent)
}

func (w write) unknown(err error, sent time.Time) error {
	return &UnknownOutcomeError{Operation: w.operation(), Account: w.account, OrderID: w.order, ExternalIdentifier: w.identifier, SentAt: sent, Err: err}
}

// refusal reports whether a status says that the broker took no action. A
// gateway's timeout does not.
func refusal(status int) bool {
	return status >= 400 && status < 500 && status != http.StatusRequestTimeout && status != 499
}

// unclear is the cause of an unknown outcome when an answer came that does not
// say what happened.
func (w write) unclear(message string) error {
	return &APIError{Operation: w.operation(), Status: http.StatusOK, Code: "malformed", Message: message, MayHaveHappened: true}
}

// placed checks the answer to an order that was placed.
func (w write) placed(r *OrderResult, sent time.Time) (*OrderResult, error) {
	switch {
	case r.ComplexOrder != nil && r.ComplexOrder.ID != "":
		return r, nil
	case r.Order != nil && r.Order.ID != "":
		if r.Order.Status == StatusRejected {
			return nil, &RejectedError{Operation: w.operation(), Order: r.Order, Errors: r.Errors}
		}
		return r, nil
	case len(r.Errors) > 0:
		return nil, &RejectedError{Operation: w.operation(), Errors: r.Errors}
	}
	return nil, w.unknown(w.unclear("the answer names no order"), sent)
}

// changed checks the answer to an order that was changed or cancelled.
func (w write) changed(o *Order, sent time.Time) (*Order, error) {
	if o.ID == "" {
		return nil, w.unknown(w.unclear("the answer names no order"), sent)
	}
	if o.Status == StatusRejected {
		return nil, &RejectedError{Operation: w.operation(), Order: o}
	}
	return o, nil
}

// harmless takes the warning off an error of a call that changes nothing.
func harmless(err error) error {
	var api *APIError
	var transport *TransportError
	switch {
	case errors.As(err, &api):
		api.MayHaveHappened = false
	case errors.As(err, &transport):
		transport.MayHaveHappened = false
	}
	return err
}
