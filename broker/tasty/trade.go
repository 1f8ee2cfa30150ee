package tasty

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/tastytrade"
)

// Preview asks the broker's dry run. Cash is nil for futures and their options, for
// shares beside options, and for an OCO, of which nobody knows which order fills;
// of an OTO and a bracket it is that of the first order.
//
// The change of buying power is the broker's own count and has the fees in it.
func (a *Adapter) Preview(ctx context.Context, account broker.AccountID, ticket broker.Ticket) (*broker.Preview, error) {
	if err := errors.Join(checkAccount(account), a.check(ticket)); err != nil {
		return nil, err
	}
	ctx, cancel := a.bounded(ctx)
	defer cancel()
	var result *tastytrade.OrderResult
	var err error
	number := tastytrade.AccountNumber(account)
	if ticket.Kind == broker.Single {
		result, err = a.client.Orders.DryRun(ctx, number, newOrder(&ticket.Orders[0], 0, true))
	} else {
		result, err = a.client.ComplexOrders.DryRun(ctx, number, newComplexOrder(ticket))
	}
	preview := &broker.Preview{Ticket: normalised(ticket)}
	if err != nil {
		notices, refused := a.refusal(ctx, account, ticket.Kind, err)
		if !refused {
			return nil, a.orderFailure(ctx, "previewing an order", account, "", inTicket(err, ticket.Kind))
		}
		preview.Refusals = notices
		return preview, nil
	}
	if e := result.BuyingPowerEffect; e != nil {
		preview.BuyingPower, preview.BuyingPowerAfter = e.ChangeInBuyingPower, e.NewBuyingPower
		if e.ChangeInMarginRequirement != nil {
			grows := e.ChangeInMarginRequirement.Neg() // a requirement that grows is a debit there
			preview.Margin = &grows
		}
	}
	preview.Fees = feesOf(result.Fees)
	preview.Warnings = append(messages(result.Warnings), messages(result.Notes)...)
	preview.Refusals = messages(result.Errors)
	if result.Order != nil && result.Order.Status == tastytrade.StatusRejected && len(preview.Refusals) == 0 {
		preview.Refusals = []broker.Notice{{Code: "rejected", Message: cmp.Or(result.Order.RejectReason, "the broker would reject it")}}
	}
	if ticket.Kind != broker.OCO {
		preview.Cash = a.cashOf(ctx, &ticket.Orders[0])
	}
	return preview, nil
}

// normalised is the ticket with its defaults written out.
func normalised(ticket broker.Ticket) broker.Ticket {
	ticket.Orders = slices.Clone(ticket.Orders)
	for i := range ticket.Orders {
		ticket.Orders[i].TimeInForce = ticket.Orders[i].Duration()
	}
	return ticket
}

// cashOf is what changes hands when the order fills at its limit or at the quote,
// nil when that is not known.
func (a *Adapter) cashOf(ctx context.Context, o *broker.Order) *decimal.Decimal {
	if mixed(o) {
		return nil // what a unit of it is worth is the broker's to say
	}
	multiplier := decimal.NewFromInt(1)
	for _, leg := range o.Legs {
		switch leg.Symbol.Kind() {
		case market.KindEquity:
		case market.KindOption:
			multiplier = decimal.NewFromInt(100)
		default:
			return nil
		}
	}
	side := decimal.NewFromInt(int64(-o.Legs[0].Action.Sign()))
	switch {
	case o.Notional != nil:
		v := o.Notional.Mul(side)
		return &v
	case o.Limit != nil:
		v := o.Limit.Mul(o.Units()).Mul(multiplier)
		return &v
	case len(o.Legs) != 1:
		return nil
	}
	price := o.Stop
	if price == nil {
		quotes, err := a.Quotes(ctx, []market.Symbol{o.Legs[0].Symbol})
		if err != nil || len(quotes) != 1 {
			return nil
		}
		at := quotes[0].Ask
		if o.Legs[0].Action.Sign() < 0 {
			at = quotes[0].Bid
		}
		if !(at > 0) {
			return nil
		}
		d := decimal.NewFromFloat(at)
		price = &d
	}
	v := price.Mul(o.Legs[0].Quantity).Mul(multiplier).Mul(side)
	return &v
}

// mixed tells whether shares and options stand in one order.
func mixed(o *broker.Order) bool {
	return slices.ContainsFunc(o.Legs, func(l broker.Leg) bool { return l.Symbol.Kind() != o.Legs[0].Symbol.Kind() })
}

func feesOf(f *tastytrade.FeeCalculation) *broker.Fees {
	if f == nil {
		return nil
	}
	fees := broker.Fees{
		Commission: amount(f.Commission), Clearing: amount(f.ClearingFees), Regulatory: amount(f.RegulatoryFees),
		Exchange: amount(f.ProprietaryIndexOptionFees).Add(amount(f.Rebates)),
	}
	if f.TotalFees != nil {
		fees.Exchange = fees.Exchange.Add(f.TotalFees.Sub(fees.Total())) // what has no name of its own
	}
	return &fees
}

func amount(d *decimal.Decimal) decimal.Decimal {
	if d == nil {
		return decimal.Zero
	}
	return *d
}

// Place sends a ticket once. When no answer comes, the account's orders are looked
// through for its tags, as Options.Reconcile says; an order found there is
// returned like one that was answered, and [broker.ErrUncertain] is only for what
// was not found. The broker does not look at tags: this adapter refuses one that
// it has sent before, and what other programs sent is the guard's to know.
func (a *Adapter) Place(ctx context.Context, account broker.AccountID, ticket broker.Ticket) ([]broker.OrderState, error) {
	if err := errors.Join(checkAccount(account), a.check(ticket)); err != nil {
		return nil, err
	}
	ctx, cancel := a.bounded(ctx)
	defer cancel()
	const doing = "placing an order"
	if err := a.tags.claim(account, ticket); err != nil {
		return nil, fmt.Errorf("tasty: %s: %w", doing, err)
	}
	result, err := a.send(ctx, account, ticket)
	if err == nil {
		return a.placed(ctx, account, ticket, result)
	}
	unknown, uncertain := errors.AsType[*tastytrade.UnknownOutcomeError](err)
	if !uncertain {
		a.tags.release(account, ticket) // there is no such order
		if notices, refused := a.refusal(ctx, account, ticket.Kind, err); refused {
			return nil, fmt.Errorf("tasty: %s: %w", doing, &broker.RejectedError{Notices: notices})
		}
		return nil, a.orderFailure(ctx, doing, account, "", inTicket(err, ticket.Kind))
	}
	found, lookErr := a.lookFor(ctx, account, ticket, unknown)
	if lookErr != nil {
		a.opts.Logger.Warn("an order's outcome is unknown", "tag", ticket.Orders[0].Tag, "error", lookErr)
		return nil, fmt.Errorf("tasty: %s: %w", doing, &broker.UncertainError{Tags: tagsOf(ticket), Cause: err})
	}
	for _, state := range found {
		if state.Status == broker.Rejected {
			return nil, fmt.Errorf("tasty: %s: %w", doing, &broker.RejectedError{Notices: []broker.Notice{{Code: "rejected", Message: cmp.Or(state.Reason, "rejected")}}})
		}
	}
	return found, nil
}

func (a *Adapter) send(ctx context.Context, account broker.AccountID, ticket broker.Ticket) (*tastytrade.OrderResult, error) {
	number := tastytrade.AccountNumber(account)
	if ticket.Kind == broker.Single {
		return a.client.Orders.Place(ctx, number, newOrder(&ticket.Orders[0], 0, true))
	}
	return a.client.ComplexOrders.Place(ctx, number, newComplexOrder(ticket))
}

// placed reads the answer to a ticket that the broker took.
func (a *Adapter) placed(ctx context.Context, account broker.AccountID, ticket broker.Ticket, result *tastytrade.OrderResult) ([]broker.OrderState, error) {
	if result.ComplexOrder == nil {
		return []broker.OrderState{stateOf(account, result.Order)}, nil
	}
	group := result.ComplexOrder
	if states, ok := inOrder(account, ticket, group); ok {
		return states, nil
	}
	// The answer does not show the orders: they are read.
	whole, err := a.client.ComplexOrders.Get(ctx, tastytrade.AccountNumber(account), group.ID)
	if err == nil {
		if states, ok := inOrder(account, ticket, whole); ok {
			return states, nil
		}
		err = fmt.Errorf("the broker's group %s does not have the ticket's orders", group.ID)
	}
	return nil, fmt.Errorf("tasty: placing an order: %w", &broker.UncertainError{Tags: tagsOf(ticket), Cause: err})
}

// inOrder returns a group's orders in the ticket's order: by their tags, or by
// where they stand when the broker does not show those.
func inOrder(account broker.AccountID, ticket broker.Ticket, group *tastytrade.ComplexOrder) ([]broker.OrderState, bool) {
	parts := group.Components()
	if len(parts) != len(ticket.Orders) {
		return nil, false
	}
	states := make([]broker.OrderState, len(parts))
	for i := range ticket.Orders {
		part := slices.IndexFunc(parts, func(o tastytrade.Order) bool { return o.ExternalIdentifier == ticket.Orders[i].Tag })
		if part < 0 && parts[i].ExternalIdentifier == "" {
			part = i
			parts[i].ExternalIdentifier = ticket.Orders[i].Tag
		}
		if part < 0 || parts[part].ID == "" {
			return nil, false
		}
		states[i] = stateOf(account, &parts[part])
		states[i].Group = cmp.Or(states[i].Group, string(group.ID))
	}
	return states, true
}

// lookFor finds the orders of a ticket whose placing went unanswered.
func (a *Adapter) lookFor(ctx context.Context, account broker.AccountID, ticket broker.Ticket, unknown *tastytrade.UnknownOutcomeError) ([]broker.OrderState, error) {
	opts := a.opts.Reconcile
	opts.Since = unknown.SentAt
	number := tastytrade.AccountNumber(account)
	if ticket.Kind == broker.Single {
		order, err := a.client.Orders.Reconcile(ctx, number, ticket.Orders[0].Tag, &opts)
		if err != nil {
			return nil, err
		}
		return []broker.OrderState{stateOf(account, order)}, nil
	}
	group, err := a.client.ComplexOrders.Reconcile(ctx, number, ticket.Orders[0].Tag, &opts)
	if err != nil {
		return nil, err
	}
	states, ok := inOrder(account, ticket, group)
	if !ok {
		return nil, fmt.Errorf("the broker's group %s does not have the ticket's orders", group.ID)
	}
	return states, nil
}

func tagsOf(ticket broker.Ticket) []string {
	tags := make([]string, len(ticket.Orders))
	for i := range ticket.Orders {
		tags[i] = ticket.Orders[i].Tag
	}
	return tags
}

// Replace cancels an order and works another with the same legs. It is a new order
// with a new id, which is contingent until the first is cancelled. The broker keeps
// the quantities: another one is [broker.ErrUnsupported].
func (a *Adapter) Replace(ctx context.Context, account broker.AccountID, id broker.OrderID, with broker.Order) (*broker.OrderState, error) {
	ticket := broker.NewTicket(with)
	if err := errors.Join(checkAccount(account), checkOrderID(id), a.check(ticket)); err != nil {
		return nil, err
	}
	ctx, cancel := a.bounded(ctx)
	defer cancel()
	const doing = "replacing an order"
	number, orderID := tastytrade.AccountNumber(account), tastytrade.OrderID(id)
	before, err := a.client.Orders.Get(ctx, number, orderID)
	if err != nil {
		return nil, a.orderFailure(ctx, doing, account, id, err)
	}
	state := stateOf(account, before)
	if err := sameLegs(state.Order, with); err != nil {
		return nil, err
	}
	if state.Status.Terminal() {
		return nil, fmt.Errorf("tasty: %s: order %s is %s: %w", doing, id, state.Status, broker.ErrTooLate)
	}
	if err := a.tags.claim(account, ticket); err != nil {
		return nil, fmt.Errorf("tasty: %s: %w", doing, err)
	}
	after, err := a.client.Orders.Replace(ctx, number, orderID, newChange(&with))
	if err == nil {
		out := stateOf(account, after)
		return &out, nil
	}
	unknown, uncertain := errors.AsType[*tastytrade.UnknownOutcomeError](err)
	if !uncertain {
		a.tags.release(account, ticket)
		return nil, a.changeFailure(ctx, doing, account, id, err)
	}
	found, lookErr := a.lookFor(ctx, account, ticket, unknown)
	if lookErr != nil {
		a.opts.Logger.Warn("a replacement's outcome is unknown", "order", id, "error", lookErr)
		return nil, fmt.Errorf("tasty: %s: %w", doing, &broker.UncertainError{Tags: tagsOf(ticket), Order: id, Cause: err})
	}
	return &found[0], nil
}

// sameLegs refuses a replacement that is another order.
func sameLegs(was, with broker.Order) error {
	if len(was.Legs) != len(with.Legs) {
		return invalid.Field("Legs", len(with.Legs), "the legs of the order that is replaced")
	}
	var errs []error
	for i, leg := range with.Legs {
		old := was.Legs[i]
		at := fmt.Sprintf("Legs[%d].", i)
		future := leg.Symbol.Kind() == market.KindFuture
		switch {
		case leg.Symbol != old.Symbol:
			errs = append(errs, invalid.Field(at+"Symbol", leg.Symbol, "that of the order that is replaced, "+string(old.Symbol)))
		case leg.Action != old.Action && !(future && leg.Action.Sign() == old.Action.Sign()):
			errs = append(errs, invalid.Field(at+"Action", string(leg.Action), "that of the order that is replaced, "+string(old.Action)))
		case !leg.Quantity.Equal(old.Quantity):
			errs = append(errs, &broker.UnsupportedError{Field: at + "Quantity", What: "another quantity in place of " + old.Quantity.String()})
		}
	}
	return errors.Join(errs...)
}

// Cancel asks for an order to end. When no answer comes the order is read: one that
// has ended, or is about to, is returned.
func (a *Adapter) Cancel(ctx context.Context, account broker.AccountID, id broker.OrderID) (*broker.OrderState, error) {
	if err := errors.Join(checkAccount(account), checkOrderID(id)); err != nil {
		return nil, err
	}
	ctx, cancel := a.bounded(ctx)
	defer cancel()
	const doing = "cancelling an order"
	order, err := a.client.Orders.Cancel(ctx, tastytrade.AccountNumber(account), tastytrade.OrderID(id))
	if err == nil {
		out := stateOf(account, order)
		return &out, nil
	}
	if tastytrade.OutcomeOf(err) != tastytrade.Unknown {
		return nil, a.changeFailure(ctx, doing, account, id, err)
	}
	if order, readErr := a.client.Orders.Get(ctx, tastytrade.AccountNumber(account), tastytrade.OrderID(id)); readErr == nil {
		if out := stateOf(account, order); out.Status == broker.CancelRequested || out.Status.Terminal() {
			return &out, nil
		}
	}
	return nil, fmt.Errorf("tasty: %s: %w", doing, &broker.UncertainError{Order: id, Cause: err})
}
