package broker

import (
	"context"
	"fmt"
	"iter"
)

// Place walks the whole path in one call and returns the orders. It is for
// programs whose approver answers by itself; otherwise it returns
// ErrApprovalRequired, and the error's PreviewID is to be submitted once somebody
// approved. An order that was refused is an ErrRefused, and nothing was sent.
func (g *Guard) Place(ctx context.Context, account AccountID, ticket Ticket) ([]OrderState, error) {
	return g.walk(ctx, account, Intent{Kind: IntentPlace, Ticket: ticket})
}

// Replace is Place for a replacement. The limits count the order that is replaced
// beside the one that takes its place, since it may fill first.
func (g *Guard) Replace(ctx context.Context, account AccountID, id OrderID, with Order) (*OrderState, error) {
	return first(g.walk(ctx, account, Intent{Kind: IntentReplace, Order: id, With: with}))
}

// Cancel is Place for a cancel. No limit holds for it, and the kill switch does
// not block it; whether it needs an approval is for [Limits].FreeCancels to say.
func (g *Guard) Cancel(ctx context.Context, account AccountID, id OrderID) (*OrderState, error) {
	return first(g.walk(ctx, account, Intent{Kind: IntentCancel, Order: id}))
}

func (g *Guard) walk(ctx context.Context, account AccountID, intent Intent) ([]OrderState, error) {
	prepared, err := g.Prepare(ctx, account, intent)
	if err != nil {
		return nil, err
	}
	out, err := g.Submit(ctx, prepared.ID)
	if out == nil {
		return nil, err
	}
	return out.Orders, err
}

func first(orders []OrderState, err error) (*OrderState, error) {
	if len(orders) == 0 {
		return nil, err
	}
	return &orders[0], err
}

// A Desk is the part of a guard that a model may have: it prepares, submits,
// stops and looks, and has no way to approve, to lift the kill switch or to change
// settings. A code that a person read out is the only evidence that goes through
// it.
type Desk struct {
	g     *Guard
	codes string // the method of the approver that takes codes; empty when there is none
}

// Desk returns the guard's desk. Codes is the method of the approver whose codes a
// person may read out to the model, [CodeApprover]'s "code"; empty for none.
func (g *Guard) Desk(codes string) *Desk { return &Desk{g, codes} }

// Reader returns the reading half of the guard's broker, and no more of it.
func (d *Desk) Reader() Reader { return ReadOnly(d.g) }

// Order returns one order.
func (d *Desk) Order(ctx context.Context, account AccountID, id OrderID) (*OrderState, error) {
	return d.g.Order(ctx, account, id)
}

// Orders returns orders.
func (d *Desk) Orders(ctx context.Context, account AccountID, query OrdersQuery) ([]OrderState, error) {
	return d.g.Orders(ctx, account, query)
}

// Audit is [Guard.Audit].
func (d *Desk) Audit(ctx context.Context, from uint64) iter.Seq2[AuditEntry, error] {
	return d.g.Audit(ctx, from)
}

// Limits is [Guard.Limits].
func (d *Desk) Limits() Limits { return d.g.Limits() }

// Prepare is [Guard.Prepare].
func (d *Desk) Prepare(ctx context.Context, account AccountID, intent Intent) (*Prepared, error) {
	return d.g.Prepare(ctx, account, intent)
}

// orderAlone refuses what is not for models to send, whoever prepared and approved
// it.
func (d *Desk) orderAlone(ctx context.Context, previewID string) error {
	r, err := d.g.load(ctx, previewID)
	if err == nil && (r.Kind == IntentLift || r.Kind == IntentSettings) {
		return fmt.Errorf("broker: only the operator's own programs submit a preview of kind %q: %w", r.Kind, ErrUnsupported)
	}
	return err
}

// Submit is [Guard.Submit] without evidence: it goes on once somebody approved
// elsewhere. Previews of the kill switch and of settings are an ErrUnsupported.
func (d *Desk) Submit(ctx context.Context, previewID string) (*Outcome, error) {
	if err := d.orderAlone(ctx, previewID); err != nil {
		return nil, err
	}
	return d.g.Submit(ctx, previewID)
}

// SubmitCode is Submit with the code that a person read out. A wrong one voids
// the preview.
func (d *Desk) SubmitCode(ctx context.Context, previewID, code string) (*Outcome, error) {
	if d.codes == "" {
		return nil, ErrUnsupported
	}
	if err := d.orderAlone(ctx, previewID); err != nil {
		return nil, err
	}
	return d.g.Submit(ctx, previewID, Evidence{Method: d.codes, Data: []byte(code)})
}

// Prepared is [Guard.Prepared].
func (d *Desk) Prepared(ctx context.Context, previewID string) (*Prepared, error) {
	return d.g.Prepared(ctx, previewID)
}

// Outcome is [Guard.Outcome].
func (d *Desk) Outcome(ctx context.Context, previewID string) (*Outcome, error) {
	return d.g.Outcome(ctx, previewID)
}

// Decline is [Guard.Decline].
func (d *Desk) Decline(ctx context.Context, previewID, by string) error {
	return d.g.Decline(ctx, previewID, by)
}

// Stop is [Guard.Stop].
func (d *Desk) Stop(ctx context.Context, by, reason string, accounts ...AccountID) (*Stopped, error) {
	return d.g.Stop(ctx, by, reason, accounts...)
}

// Killed is [Guard.Killed].
func (d *Desk) Killed(ctx context.Context) (Kill, error) { return d.g.Killed(ctx) }
