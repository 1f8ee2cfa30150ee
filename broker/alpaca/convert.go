package alpaca

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
)

var wireTypes = map[broker.OrderType]string{
	broker.Market: "market", broker.Limit: "limit", broker.Stop: "stop", broker.StopLimit: "stop_limit", broker.TrailingStop: "trailing_stop",
}

var wireActions = map[broker.Action]string{
	broker.BuyToOpen: "buy_to_open", broker.SellToOpen: "sell_to_open", broker.BuyToClose: "buy_to_close", broker.SellToClose: "sell_to_close",
}

func side(a broker.Action) string {
	if a.Sign() > 0 {
		return "buy"
	}
	return "sell"
}

// request is what a valid ticket looks like on the wire.
func request(t *broker.Ticket) OrderRequest {
	lead, rest := leader(t)
	r := orderRequest(lead)
	if t.Kind != broker.Single {
		r.OrderClass = string(t.Kind)
		r.TimeInForce = string(groupDuration(lead, rest))
	}
	if t.Kind == broker.OCO {
		r.TakeProfit = &ExitRequest{LimitPrice: r.LimitPrice}
		r.LimitPrice = nil
	}
	for _, exit := range rest {
		if exit.Type == broker.Limit {
			r.TakeProfit = &ExitRequest{LimitPrice: magnitude(exit.Limit)}
		} else {
			r.StopLoss = &ExitRequest{StopPrice: exit.Stop, LimitPrice: magnitude(exit.Limit)}
		}
	}
	return r
}

// leader splits a ticket into the order that Alpaca takes as the parent and those
// that become its legs. The parent of an OCO is its limit order.
func leader(t *broker.Ticket) (*broker.Order, []*broker.Order) {
	first := 0
	if t.Kind == broker.OCO {
		first = max(0, slices.IndexFunc(t.Orders, func(o broker.Order) bool { return o.Type == broker.Limit }))
	}
	var rest []*broker.Order
	for i := range t.Orders {
		if i != first {
			rest = append(rest, &t.Orders[i])
		}
	}
	return &t.Orders[first], rest
}

func orderRequest(o *broker.Order) OrderRequest {
	r := OrderRequest{
		Type: wireTypes[o.Type], TimeInForce: string(o.Duration()), StopPrice: o.Stop, ExtendedHours: o.ExtendedHours, ClientOrderID: o.Tag,
		Notional: o.Notional,
	}
	if o.Trail != nil {
		r.TrailPrice, r.TrailPercent = o.Trail.Amount, o.Trail.Percent
	}
	if o.Notional == nil {
		units := o.Units()
		r.Qty = &units
	}
	if len(o.Legs) > 1 {
		r.OrderClass = "mleg"
		if o.Limit != nil {
			net := o.Limit.Neg() // ours: credit positive; theirs: debit positive
			r.LimitPrice = &net
		}
		for _, leg := range o.Legs {
			r.Legs = append(r.Legs, LegRequest{
				Symbol: wireSymbol(leg.Symbol), RatioQty: leg.Quantity.Div(*r.Qty), Side: side(leg.Action), PositionIntent: wireActions[leg.Action],
			})
		}
		return r
	}
	leg := o.Legs[0]
	r.Symbol, r.Side, r.LimitPrice = wireSymbol(leg.Symbol), side(leg.Action), magnitude(o.Limit)
	if leg.Symbol.Kind() != market.KindCrypto { // crypto knows no intent
		r.PositionIntent = wireActions[leg.Action]
	}
	return r
}

// replaceRequest is what changes with an order that keeps its legs.
func replaceRequest(o *broker.Order) ReplaceRequest {
	r := ReplaceRequest{TimeInForce: string(o.Duration()), StopPrice: o.Stop, ClientOrderID: o.Tag}
	units := o.Units()
	r.Qty = &units
	switch {
	case o.Limit != nil && len(o.Legs) > 1:
		net := o.Limit.Neg()
		r.LimitPrice = &net
	case o.Limit != nil:
		r.LimitPrice = magnitude(o.Limit)
	}
	if o.Trail != nil {
		r.Trail = cmp.Or(o.Trail.Amount, o.Trail.Percent)
	}
	return r
}

func magnitude(d *decimal.Decimal) *decimal.Decimal {
	if d == nil {
		return nil
	}
	v := d.Abs()
	return &v
}

var statuses = map[OrderStatus]broker.Status{
	StatusNew: broker.Live, StatusPartiallyFilled: broker.Live, StatusFilled: broker.Filled,
	StatusDoneForDay: broker.Live, // it works on the next day, or expires and then says so
	StatusCanceled:   broker.Cancelled, StatusExpired: broker.Expired, StatusReplaced: broker.Replaced,
	StatusPendingCancel: broker.CancelRequested, StatusPendingReplace: broker.ReplaceRequested,
	StatusPendingReview: broker.Received, StatusAccepted: broker.Received,
	StatusPendingNew: broker.Routed, StatusAcceptedForBidding: broker.Routed,
	StatusStopped: broker.Live, StatusSuspended: broker.Live, StatusCalculated: broker.Live, // each can still fill or change
	StatusRejected: broker.Rejected, StatusHeld: broker.Contingent,
}

// statusOf keeps what it does not know.
func statusOf(s OrderStatus) broker.Status {
	if known, ok := statuses[s]; ok {
		return known
	}
	return broker.Status(s)
}

// states are the orders that one of Alpaca's stands for: itself, and the exits of
// a bracket, OTO or OCO, which belong to its group.
func (a *Adapter) states(account broker.AccountID, o *Order) []broker.OrderState {
	if o.OrderClass == "mleg" || len(o.Legs) == 0 {
		return []broker.OrderState{a.state(account, o, "")}
	}
	a.learn(o)
	out := []broker.OrderState{a.state(account, o, o.ID)}
	for i := range o.Legs {
		out = append(out, a.state(account, &o.Legs[i], o.ID))
	}
	return out
}

// state converts one order. Fills are nowhere in it.
func (a *Adapter) state(account broker.AccountID, o *Order, group string) broker.OrderState {
	tag, known := a.lookUp(o.ID)
	if known != "" && group == "" {
		group = known
	}
	s := broker.OrderState{
		ID: broker.OrderID(o.ID), Account: account, Group: group, Status: statusOf(o.Status), Reason: o.FailedReason,
		Replaces: broker.OrderID(o.Replaces), ReplacedBy: broker.OrderID(o.ReplacedBy),
		Received: firstTime(o.SubmittedAt, o.CreatedAt), Updated: firstTime(o.UpdatedAt, o.CreatedAt),
		Order: broker.Order{
			Tag: cmp.Or(tag, o.ClientOrderID), Type: typeOf(cmp.Or(o.Type, o.OrderType)), Stop: o.StopPrice.Pointer(),
			TimeInForce: broker.TimeInForce(cmp.Or(o.TimeInForce, o.EarlyTimeInForce)), ExtendedHours: o.ExtendedHours,
			Notional: o.Notional.Pointer(),
		},
	}
	if s.Status.Terminal() {
		s.Ended = firstTime(o.FilledAt, o.CanceledAt, o.CancelledAt, o.ExpiredAt, o.ReplacedAt, o.FailedAt, o.UpdatedAt)
	}
	if s.Order.TimeInForce == broker.GTD && !o.ExpiresAt.IsZero() {
		s.Order.GoodTill = market.DateOf(o.ExpiresAt.In(a.opts.Calendar.Location()))
	}
	if o.TrailPrice.Known() || o.TrailPercent.Known() {
		s.Order.Trail = &broker.Trail{Amount: o.TrailPrice.Pointer(), Percent: o.TrailPercent.Pointer()}
		if s.Order.Type == broker.TrailingStop {
			s.Order.Stop = nil // where the stop stands now, not what was asked for
		}
	}
	price := o.LimitPrice.Pointer()
	if o.OrderClass == "mleg" && len(o.Legs) > 0 {
		for i := range o.Legs {
			leg := &o.Legs[i]
			quantity := leg.Qty.Decimal()
			if !leg.Qty.Known() {
				quantity = leg.RatioQty.Decimal().Mul(o.Qty.Decimal())
			}
			addLeg(&s, leg, quantity)
		}
		if price != nil {
			net := price.Neg() // theirs: debit positive; ours: credit positive
			s.Order.Limit = &net
		}
		return s
	}
	addLeg(&s, o, o.Qty.Decimal())
	if s.Order.Notional != nil {
		s.Order.Legs[0].Quantity = decimal.Zero
	}
	if price != nil {
		signed := price.Abs()
		if s.Order.Legs[0].Action.Sign() > 0 {
			signed = signed.Neg()
		}
		s.Order.Limit = &signed
	}
	return s
}

// addLeg adds one instrument with what is filled of it.
func addLeg(s *broker.OrderState, o *Order, quantity decimal.Decimal) {
	symbol := symbolOf(o.Symbol, o.AssetClass)
	s.Order.Legs = append(s.Order.Legs, broker.Leg{Symbol: symbol, Action: actionOf(o), Quantity: quantity})
	leg := broker.LegState{Symbol: symbol, Filled: o.FilledQty.Decimal()}
	if leg.Filled.IsPositive() && o.FilledAvgPrice.Known() {
		average := o.FilledAvgPrice.Decimal().Abs()
		leg.Average = &average
	}
	s.Legs = append(s.Legs, leg)
}

// actionOf is the intent, where the order has one. Otherwise only the side is
// known, and it is taken that buying opens and selling closes.
func actionOf(o *Order) broker.Action {
	for action, intent := range wireActions {
		if o.PositionIntent == intent && (o.Side == "" || o.Side == side(action)) {
			return action
		}
	}
	switch o.Side {
	case "buy":
		return broker.BuyToOpen
	case "sell":
		return broker.SellToClose
	}
	return broker.Action(o.Side)
}

// typeOf keeps what it does not know.
func typeOf(wire string) broker.OrderType {
	for t, name := range wireTypes {
		if name == wire {
			return t
		}
	}
	return broker.OrderType(strings.ReplaceAll(wire, "_", " "))
}

func firstTime(times ...Time) time.Time {
	for _, t := range times {
		if !t.IsZero() {
			return t.Time
		}
	}
	return time.Time{}
}
