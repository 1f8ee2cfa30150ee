package simulator

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
)

// prepare makes the engine ready for an account and an order: everything up to now
// has happened, and the engine knows what the order's instruments cost.
func (t *trade) prepare(ctx context.Context, now time.Time, account string, orders ...*parsedOrder) {
	symbols := t.symbols(account)
	for _, p := range orders {
		for _, leg := range p.order.Legs {
			symbols = append(symbols, leg.Symbol)
		}
		symbols = append(symbols, p.underlying)
	}
	t.announce(ctx, now, symbols)
	t.moment(ctx, now, t.sim.quotesFor(ctx, now, symbols))
}

// preview is the engine's count of what a ticket would do.
func (t *trade) preview(ctx context.Context, account string, ticket broker.Ticket) (*broker.Preview, refusal, error) {
	p, err := t.broker.Preview(ctx, broker.AccountID(account), ticket)
	if err != nil {
		f, ok := refused(err)
		if !ok {
			return nil, f, err
		}
		return nil, f, nil
	}
	var f refusal
	for _, n := range p.Refusals {
		f.notices = append(f.notices, noticeOf(n))
	}
	return p, f, nil
}

// The broker's words for what the engine says, where they are known.
var noticeCodes = map[string][2]string{
	"insufficient_buying_power": {"margin_check_failed", "Account does not have sufficient buying power available for this order."},
	"minimum_equity":            {"margin_check_failed", "Account does not have sufficient buying power available for this order."},
	"session_closed":            {"tif_next_valid_sesssion", "Your order will begin working during next valid session."},
	"expired":                   {"too_close_to_expiration", "The contract has expired or is too close to its expiration."},
	"price_increment":           {"invalid_price_increment", "The price is not a multiple of the tick size."},
}

func noticeOf(n broker.Notice) wireNotice {
	if known, ok := noticeCodes[n.Code]; ok {
		return wireNotice{Code: known[0], Message: known[1]}
	}
	return wireNotice{Code: otherwise(n.Code, "order_check_failed"), Message: n.Message}
}

// refused translates an error of the engine that is about the order; not ok for
// any other.
func refused(err error) (refusal, bool) {
	var f refusal
	if rejected, ok := errors.AsType[*broker.RejectedError](err); ok {
		for _, n := range rejected.Notices {
			f.notices = append(f.notices, noticeOf(n))
		}
		if len(f.notices) == 0 {
			f.check("order_check_failed", "The order was rejected")
		}
		return f, true
	}
	if errors.Is(err, broker.ErrUnsupported) {
		f.check("order_not_supported", err.Error())
		return f, true
	}
	errs := []error{err}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		errs = joined.Unwrap()
	}
	for _, one := range errs {
		field, ok := errors.AsType[*broker.FieldError](one)
		if !ok {
			return f, false
		}
		name := field.Field[strings.LastIndexByte(field.Field, '.')+1:]
		switch name {
		case "Limit":
			f.check("invalid_price", "The price is not allowed: "+field.Allowed)
		case "Stop":
			f.check("invalid_stop_trigger", "The stop trigger is not allowed: "+field.Allowed)
		default:
			f.check("invalid_order", "The order is not allowed: "+name+" must be "+field.Allowed)
		}
	}
	return f, true
}

// powerEffect writes what the engine counted.
func powerEffect(p *broker.Preview) *wirePowerEffect {
	zero := func(d *decimal.Decimal) decimal.Decimal {
		if d == nil {
			return decimal.Zero
		}
		return d.Round(6) // the engine's marks are floats
	}
	change, after, margin := zero(p.BuyingPower), zero(p.BuyingPowerAfter), zero(p.Margin).Neg()
	e := &wirePowerEffect{}
	e.ChangeInMargin, e.ChangeInMarginEffect = magnitude(margin)
	e.ChangeInPower, e.ChangeInPowerEffect = magnitude(change)
	e.CurrentPower, e.CurrentPowerEffect = magnitude(after.Sub(change))
	e.NewPower, e.NewPowerEffect = magnitude(after)
	isolated := decimal.Min(margin, decimal.Zero) // what is released belongs to what was there
	e.Isolated, e.IsolatedEffect = magnitude(isolated)
	e.IsSpread = len(p.Ticket.Orders) == 1 && len(p.Ticket.Orders[0].Legs) > 1
	e.Impact, e.Effect = magnitude(change)
	return e
}

// answerOf is a preview as the API writes it, the order left out.
func (t *trade) answerOf(ctx context.Context, p *broker.Preview, warnings []wireNotice) placedAnswer {
	a := placedAnswer{Warnings: append([]wireNotice{}, warnings...)}
	if p == nil {
		return a
	}
	a.BuyingPowerEffect, a.FeeCalculation = powerEffect(p), t.feesOf(ctx, p)
	for _, n := range p.Warnings {
		a.Warnings = append(a.Warnings, noticeOf(n))
	}
	return a
}

// writeRefusal answers 400 or 422. With a preview, its numbers stand beside the
// error.
func (s *Simulator) writeRefusal(w http.ResponseWriter, f refusal, p *broker.Preview) {
	if len(f.fields) > 0 {
		writeJSON(w, http.StatusBadRequest, map[string]errorBody{"error": {
			Code: "validation_error", Message: "Request validation failed", Errors: f.fields}})
		return
	}
	body := map[string]any{"error": map[string]any{
		"code": "preflight_check_failure", "message": "One or more preflight checks failed", "errors": f.notices}}
	if p != nil {
		body["data"] = map[string]any{"buying-power-effect": powerEffect(p)}
	}
	writeJSON(w, http.StatusUnprocessableEntity, body)
}

// waits reports whether an order is to be held here for its conditions or its
// time.
func (p *parsedOrder) waits(now time.Time) bool {
	r := p.sent.Rules
	if r == nil {
		return false
	}
	return r.RouteAfter != nil && now.Before(*r.RouteAfter) ||
		slices.ContainsFunc(r.Conditions, func(c wireCondition) bool { return c.Action == "route" })
}

// send puts an order into the engine, or holds it until its conditions are met.
func (t *trade) send(ctx context.Context, o *orderRecord, p *parsedOrder, now time.Time) error {
	if p.waits(now) {
		t.hold(o, "Pending Condition", now)
		t.touch(o, now)
		t.tell(o)
		return nil
	}
	states, err := t.broker.Place(ctx, broker.AccountID(o.Wire.AccountNumber), ticketOf(p.order, o.Wire.ID))
	if err != nil {
		return err
	}
	t.bind(o, states[0].ID)
	t.tell(o)
	t.drain(now)
	return nil
}

// unrecord forgets an order that the engine refused: it never existed.
func (t *trade) unrecord(o *orderRecord) {
	delete(t.orders, o.Wire.ID)
	delete(t.working, o.Wire.ID)
}

// release sends the orders whose conditions are met, and cancels those whose time
// is over.
func (t *trade) release(ctx context.Context, now time.Time, quotes map[market.Symbol]market.Quote) {
	for _, id := range t.workingIDs() {
		o := t.orders[id]
		if o == nil || o.ended() {
			continue
		}
		r := o.Sent.Rules
		if r != nil && r.CancelAt != nil && !now.Before(*r.CancelAt) {
			o.Wire.Rules.CancelledAt = wireTime(now)
			t.end(ctx, o, now)
			continue
		}
		if o.Held && !o.Expires.IsZero() && !now.Before(o.Expires) {
			o.Held, o.Wire.Status = false, "Expired"
			t.forget(o, now)
			t.touch(o, now)
			t.tell(o)
			continue
		}
		if r != nil {
			t.conditions(ctx, o, now, quotes)
		}
		if c := t.complex[o.Complex]; o.Held && !o.ended() && c != nil && c.Type == "PAIRS" {
			t.releasePair(ctx, c, o, now, quotes)
		}
	}
}

// conditions looks at the conditions of one order.
func (t *trade) conditions(ctx context.Context, o *orderRecord, now time.Time, quotes map[market.Symbol]market.Quote) {
	met, routes := true, false
	for i := range o.Wire.Rules.Conditions {
		c := &o.Wire.Rules.Conditions[i]
		if c.TriggeredAt == "" {
			if value, ok := conditionValue(c, quotes); ok {
				c.TriggeredAt, c.TriggeredValue = wireTime(now), decimalText(value)
			}
		}
		switch {
		case c.Action == "cancel" && c.TriggeredAt != "":
			t.end(ctx, o, now)
			return
		case c.Action == "route":
			routes = true
			met = met && c.TriggeredAt != ""
		}
	}
	r := o.Sent.Rules
	if !o.Held || routes && !met || r.RouteAfter != nil && now.Before(*r.RouteAfter) || o.Complex != 0 {
		return
	}
	t.letGo(ctx, o, now)
}

// letGo sends an order that was held. What the engine refuses then is rejected.
func (t *trade) letGo(ctx context.Context, o *orderRecord, now time.Time) {
	held, err := t.held(ctx, o.Wire.AccountNumber)
	if err != nil {
		t.reject(o, now, err.Error())
		return
	}
	p, f := t.sim.parseOrder(ctx, o.Sent, held)
	if p == nil {
		t.reject(o, now, f.text())
		return
	}
	states, err := t.broker.Place(ctx, broker.AccountID(o.Wire.AccountNumber), ticketOf(p.order, o.Wire.ID))
	if err != nil {
		reason := err.Error()
		if f, ok := refused(err); ok {
			reason = f.text()
		}
		t.reject(o, now, reason)
		return
	}
	t.bind(o, states[0].ID)
	o.Wire.ContingentStatus = ""
	t.drain(now)
}

func (f refusal) text() string {
	var parts []string
	for _, one := range f.fields {
		parts = append(parts, one.Domain+" "+one.Reason)
	}
	for _, one := range f.notices {
		parts = append(parts, one.Message)
	}
	return strings.Join(parts, "; ")
}

func (t *trade) reject(o *orderRecord, now time.Time, reason string) {
	o.Held = false
	o.Wire.Status, o.Wire.RejectReason = "Rejected", reason
	t.forget(o, now)
	t.touch(o, now)
	t.tell(o)
}

// end cancels an order that is held here or in the engine.
func (t *trade) end(ctx context.Context, o *orderRecord, now time.Time) {
	if o.Engine == "" {
		t.cancelHeld(o, now)
		return
	}
	if _, err := t.broker.Cancel(ctx, broker.AccountID(o.Wire.AccountNumber), o.Engine); err != nil {
		t.sim.log("an order could not be cancelled", "order", o.Wire.ID, "error", err)
	}
	t.drain(now)
}

func (t *trade) cancelHeld(o *orderRecord, now time.Time) {
	for _, status := range [...]string{"Cancel Requested", "Cancelled"} {
		o.Wire.Status = status
		if status == "Cancelled" {
			o.Wire.CancelledAt = wireTime(now)
			o.Held = false
			t.forget(o, now)
		}
		t.touch(o, now)
		t.tell(o)
	}
}

// conditionValue is the price that a condition watches, when it has passed the
// threshold: of its components, the last trades or what they can be traded at.
func conditionValue(c *wireCondition, quotes map[market.Symbol]market.Quote) (decimal.Decimal, bool) {
	total := decimal.Zero
	for _, part := range c.PriceComponents {
		q, ok := quotes[market.Symbol(part.Symbol)]
		if !ok {
			return total, false
		}
		price := q.Last
		long := part.QuantityDirection == "Long"
		if c.Indicator == "nat" {
			if price = q.Bid; long {
				price = q.Ask
			}
		}
		value := number(price)
		if !value.Valid {
			return total, false
		}
		amount := value.Decimal.Mul(part.Quantity.Decimal)
		if !long {
			amount = amount.Neg()
		}
		if c.Notional && market.Symbol(part.Symbol).Kind() == market.KindOption {
			amount = amount.Mul(decimal.NewFromInt(100))
		}
		total = total.Add(amount)
	}
	if c.Comparator == "gte" {
		return total, total.GreaterThanOrEqual(c.Threshold.Decimal)
	}
	return total, total.LessThanOrEqual(c.Threshold.Decimal)
}
