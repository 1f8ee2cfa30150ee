package alpaca

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/internal/wsconn"
)

// Place sends a ticket, in one request. When its answer does not come the order is
// looked for by the ticket's tag: found as it was asked for, it is returned; and
// otherwise the error is a [broker.UncertainError].
func (a *Adapter) Place(ctx context.Context, account broker.AccountID, ticket broker.Ticket) ([]broker.OrderState, error) {
	if err := Validate(ticket); err != nil {
		return nil, err
	}
	ctx, cancel := a.bounded(ctx)
	defer cancel()
	if err := a.check(ctx, account); err != nil {
		return nil, err
	}
	a.announce(&ticket)
	order, err := a.client.PlaceOrder(ctx, request(&ticket))
	if err == nil {
		if states, ok := a.placed(account, &ticket, order); ok {
			return states, nil
		}
		err = ErrAnswer // it answered yes, and not what was placed
	}
	switch judge(err) {
	case untouched:
		return nil, a.failure("placing an order", err)
	case refused:
		return nil, rejection(err)
	}
	if states, ok := a.findPlaced(ctx, account, &ticket); ok {
		return states, nil
	}
	uncertain := &broker.UncertainError{Cause: opaque(err)}
	for i := range ticket.Orders {
		uncertain.Tags = append(uncertain.Tags, ticket.Orders[i].Tag)
	}
	return nil, fmt.Errorf("alpaca: placing an order: %w", uncertain)
}

// placed converts an answer to a placement; false when it lacks what was placed.
func (a *Adapter) placed(account broker.AccountID, ticket *broker.Ticket, order *Order) ([]broker.OrderState, bool) {
	if order.ID == "" {
		return nil, false
	}
	return a.inTicketOrder(account, ticket, order)
}

// findPlaced looks for a ticket whose answer did not come. That it is not found
// says nothing: it may still be on its way.
func (a *Adapter) findPlaced(ctx context.Context, account broker.AccountID, ticket *broker.Ticket) (states []broker.OrderState, found bool) {
	lead, _ := leader(ticket)
	a.look(ctx, func(ctx context.Context) bool {
		order, err := a.client.OrderByClientID(ctx, lead.Tag)
		if err != nil || order.ClientOrderID != lead.Tag {
			return false
		}
		states, found = a.placed(account, ticket, order)
		for i := range states {
			// An older order can bear the same tag.
			found = found && sameIntent(&states[i].Order, &ticket.Orders[i])
		}
		return true
	})
	return states, found
}

// looks is how often is looked for what a write may have done.
const looks = 3

// look calls find until it is done, a few times within Options.Reconcile, with a
// pause between for what is still on its way.
func (a *Adapter) look(ctx context.Context, find func(context.Context) bool) {
	if a.opts.Reconcile < 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, a.opts.Reconcile)
	defer cancel()
	for i := range looks {
		if i > 0 && !wsconn.Sleep(ctx, a.opts.Reconcile/20) || ctx.Err() != nil || find(ctx) {
			return
		}
	}
}

// sameIntent tells whether two orders ask for the same.
func sameIntent(x, y *broker.Order) bool {
	if x.Type != y.Type || len(x.Legs) != len(y.Legs) || (x.Limit == nil) != (y.Limit == nil) || x.Limit != nil && !x.Limit.Equal(*y.Limit) {
		return false
	}
	return slices.EqualFunc(x.Legs, y.Legs, func(p, q broker.Leg) bool {
		return p.Symbol == q.Symbol && p.Action.Sign() == q.Action.Sign() && p.Quantity.Equal(q.Quantity)
	})
}

// opaque keeps the text of a cause and hides what it wraps: broker.ErrUnavailable
// would say that nothing happened.
func opaque(err error) error { return errors.New(err.Error()) }

// The codes of notices about refused orders, where Alpaca's own says little.
const (
	codeBuyingPower = "insufficient_buying_power"
	codeQuantity    = "insufficient_quantity"
	codeShort       = "short_not_allowed"
	codeDuplicate   = "duplicate_tag"
	codeIntent      = "position_intent_mismatch"
)

// rejection turns a refusal into a [broker.RejectedError] that still wraps the
// *APIError.
func rejection(err error) error {
	api, ok := errors.AsType[*APIError](err)
	if !ok {
		return err
	}
	code := fmt.Sprint(api.Code)
	if api.Code == 0 {
		code = fmt.Sprint(api.Status)
	}
	text := strings.ToLower(api.Message)
	for part, name := range map[string]string{
		"buying power": codeBuyingPower, "insufficient qty": codeQuantity, "allowed to short": codeShort,
		"client_order_id must be unique": codeDuplicate, "position intent mismatch": codeIntent,
	} {
		if strings.Contains(text, part) {
			code = name
		}
	}
	return fmt.Errorf("alpaca: %w: %w", &broker.RejectedError{Notices: []broker.Notice{{Code: code, Message: api.Message}}}, api)
}

// Replace puts an order with another price, quantity or duration in the place of
// a working one. The result has another id, and the new order's tag.
func (a *Adapter) Replace(ctx context.Context, account broker.AccountID, id broker.OrderID, with broker.Order) (*broker.OrderState, error) {
	if err := Validate(broker.NewTicket(with)); err != nil {
		return nil, err
	}
	ctx, cancel := a.bounded(ctx)
	defer cancel()
	before, err := a.Order(ctx, account, id)
	if err != nil {
		return nil, err
	}
	if err := replaceable(before, &with); err != nil {
		return nil, err
	}
	order, err := a.client.ReplaceOrder(ctx, string(id), replaceRequest(&with))
	if err == nil {
		if order.ID != "" {
			return a.replaced(account, before, order), nil
		}
		err = ErrAnswer
	}
	switch judge(err) {
	case untouched:
		return nil, a.failure("replacing an order", err)
	case refused:
		return nil, a.whyNot(ctx, account, id, err)
	}
	var found *broker.OrderState
	a.look(ctx, func(ctx context.Context) bool {
		order, err := a.client.OrderByClientID(ctx, with.Tag)
		if err == nil && order.ClientOrderID == with.Tag && order.Replaces == string(id) {
			found = a.replaced(account, before, order)
		}
		return found != nil
	})
	if found != nil {
		return found, nil
	}
	return nil, fmt.Errorf("alpaca: replacing order %s: %w", id, &broker.UncertainError{Tags: []string{with.Tag}, Order: id, Cause: opaque(err)})
}

// replaced converts the new order, which stays in its group.
func (a *Adapter) replaced(account broker.AccountID, before *broker.OrderState, order *Order) *broker.OrderState {
	state := a.state(account, order, before.Group)
	if state.Replaces == "" {
		state.Replaces = before.ID
	}
	return &state
}

// replaceable checks that an order can take the place of another.
func replaceable(before *broker.OrderState, with *broker.Order) error {
	if before.Status.Terminal() || before.Status == broker.CancelRequested {
		return fmt.Errorf("alpaca: order %s is %s: %w", before.ID, before.Status, broker.ErrTooLate)
	}
	var errs []error
	refuse := func(field string, value any, allowed string) {
		errs = append(errs, invalid.Field(field, value, allowed))
	}
	old := &before.Order
	switch {
	case with.Notional != nil || old.Notional != nil:
		refuse("Notional", with.Notional, "a quantity: orders by amount are not replaced at Alpaca")
	case len(with.Legs) != len(old.Legs):
		refuse("Legs", len(with.Legs), fmt.Sprintf("the order's own %d legs", len(old.Legs)))
	default:
		for i, leg := range with.Legs {
			at := fmt.Sprintf("Legs[%d].", i)
			j := slices.IndexFunc(old.Legs, func(l broker.Leg) bool { return l.Symbol == leg.Symbol })
			switch {
			case j < 0:
				refuse(at+"Symbol", string(leg.Symbol), "the order's own symbols")
			case old.Legs[j].Action.Sign() != leg.Action.Sign():
				refuse(at+"Action", string(leg.Action), "the order's own, "+string(old.Legs[j].Action))
			case !leg.Quantity.Mul(old.Units()).Equal(old.Legs[j].Quantity.Mul(with.Units())):
				refuse(at+"Quantity", leg.Quantity, "the order's own ratio")
			}
		}
	}
	if with.Type != old.Type {
		refuse("Type", string(with.Type), "the order's own, "+string(old.Type))
	}
	if with.Tag == old.Tag {
		refuse("Tag", with.Tag, "a tag of its own: the new order is another one at Alpaca")
	}
	if with.ExtendedHours != old.ExtendedHours {
		refuse("ExtendedHours", with.ExtendedHours, fmt.Sprint("the order's own, ", old.ExtendedHours))
	}
	return errors.Join(errs...)
}

// whyNot tells why a change of an order was refused, by what the order is now.
func (a *Adapter) whyNot(ctx context.Context, account broker.AccountID, id broker.OrderID, refusal error) error {
	if errors.Is(refusal, ErrNotFound) {
		return fmt.Errorf("alpaca: order %s: %w: %w", id, broker.ErrUnknownOrder, refusal)
	}
	state, err := a.Order(ctx, account, id)
	switch {
	case errors.Is(err, broker.ErrUnknownOrder):
		return err
	case err == nil && (state.Status.Terminal() || state.Status == broker.CancelRequested):
		return fmt.Errorf("alpaca: order %s is %s: %w: %w", id, state.Status, broker.ErrTooLate, refusal)
	}
	return rejection(refusal)
}

// Cancel asks for an order to end, and returns what it is then. An order of a
// group takes the others with it, as Alpaca does.
func (a *Adapter) Cancel(ctx context.Context, account broker.AccountID, id broker.OrderID) (*broker.OrderState, error) {
	if err := checkOrderID(id); err != nil {
		return nil, err
	}
	ctx, cancel := a.bounded(ctx)
	defer cancel()
	if err := a.check(ctx, account); err != nil {
		return nil, err
	}
	err := a.client.CancelOrder(ctx, string(id))
	if err == nil {
		state, readErr := a.Order(ctx, account, id)
		if readErr != nil {
			return &broker.OrderState{ID: id, Account: account, Status: broker.CancelRequested}, nil
		}
		return state, nil
	}
	switch judge(err) {
	case untouched:
		return nil, a.failure("cancelling an order", err)
	case refused:
		return nil, a.whyNot(ctx, account, id, err)
	}
	var found *broker.OrderState
	a.look(ctx, func(ctx context.Context) bool {
		state, err := a.Order(ctx, account, id)
		if err == nil && (state.Status == broker.Cancelled || state.Status == broker.CancelRequested) {
			found = state
		}
		return found != nil
	})
	if found != nil {
		return found, nil
	}
	return nil, fmt.Errorf("alpaca: cancelling order %s: %w", id, &broker.UncertainError{Order: id, Cause: opaque(err)})
}

func checkOrderID(id broker.OrderID) error {
	if id == "" || strings.ContainsAny(string(id), "/?#") {
		return invalid.Field("id", string(id), "an order id, as Orders lists them")
	}
	return nil
}
