package tasty

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/tastytrade"
)

// Capabilities tells what tastytrade takes through its API: no trailing stops, no
// orders for the auctions, and no cryptocurrencies, which it switched off. A
// market order has one leg, the extended sessions take single shares for the day
// or until cancelled, and the orders of an OCO close positions; what is beyond
// that is [broker.ErrUnsupported] too, by its own words.
func (a *Adapter) Capabilities() broker.Capabilities {
	return broker.Capabilities{
		Instruments:  []market.InstrumentKind{market.KindEquity, market.KindOption, market.KindFuture, market.KindFutureOption},
		Types:        []broker.OrderType{broker.Market, broker.Limit, broker.Stop, broker.StopLimit},
		TimesInForce: []broker.TimeInForce{broker.Day, broker.GTC, broker.GTD, broker.IOC},
		Groups:       []broker.GroupKind{broker.Single, broker.OTO, broker.OCO, broker.Bracket},
		MaxLegs:      4, Mixed: true, Fractional: true, Notional: true, ExtendedHours: true,
		DryRun: true, Replace: true, Events: a.streams(),
	}
}

// streams tells whether the address of the account streamer is known.
func (a *Adapter) streams() bool {
	return a.opts.AccountStreamer != "" || a.opts.Environment != broker.Simulator
}

// check refuses a ticket before anything is sent.
func (a *Adapter) check(ticket broker.Ticket) error {
	if err := ticket.Validate(); err != nil {
		return err
	}
	if err := a.Capabilities().Check(ticket); err != nil {
		return err
	}
	var errs []error
	lacks := func(i int, field, what string) {
		errs = append(errs, &broker.UnsupportedError{Field: fmt.Sprintf("Orders[%d].%s", i, field), What: what})
	}
	for i := range ticket.Orders {
		o := &ticket.Orders[i]
		single := len(o.Legs) == 1 && o.Legs[0].Symbol.Kind() == market.KindEquity
		switch tif := o.Duration(); {
		case o.Type == broker.Market && len(o.Legs) > 1:
			lacks(i, "Type", "market orders of several legs")
		case o.ExtendedHours && !single:
			lacks(i, "ExtendedHours", "anything but one share outside the regular session")
		case o.ExtendedHours && tif != broker.Day && tif != broker.GTC:
			lacks(i, "TimeInForce", string(tif)+" orders outside the regular session")
		case o.Limit != nil && o.Limit.IsZero():
			lacks(i, "Limit", "a limit of 0")
		case o.Notional != nil && !single:
			lacks(i, "Notional", "an amount of money for anything but a share")
		}
		if ticket.Kind == broker.OCO && o.Opens() {
			lacks(i, "Legs", "opening a position in an OCO")
		}
	}
	return errors.Join(errs...)
}

// newOrder is an order as the broker wants it. strict has it reject a closing leg
// that has nothing to close; otherwise it would open a position.
func newOrder(o *broker.Order, index int, strict bool) *tastytrade.NewOrder {
	out := &tastytrade.NewOrder{
		Type: wireTypes[o.Type], TimeInForce: wireDuration(o), GTCDate: o.GoodTill,
		Price: o.Limit, StopTrigger: o.Stop, ExternalIdentifier: o.Tag, PreflightID: strconv.Itoa(index),
	}
	closes := false
	for _, leg := range o.Legs {
		wire := tastytrade.OrderLeg{InstrumentType: wireInstrument(leg.Symbol), Symbol: string(leg.Symbol), Action: wireAction(leg)}
		if o.Notional == nil {
			quantity := leg.Quantity
			wire.Quantity = &quantity
		}
		closes = closes || wire.Action.IsClosing()
		out.Legs = append(out.Legs, wire)
	}
	if o.Notional != nil {
		value := *o.Notional
		if o.Legs[0].Action.Sign() > 0 {
			value = value.Neg()
		}
		out.Type, out.Value = tastytrade.NotionalMarket, &value
	}
	if strict && closes {
		out.AdvancedInstructions = &tastytrade.AdvancedInstructions{StrictPositionEffectValidation: true}
	}
	return out
}

// newComplexOrder is a group as the broker wants it. Of the orders that wait for
// another one the position to close is not there yet.
func newComplexOrder(ticket broker.Ticket) *tastytrade.NewComplexOrder {
	out := &tastytrade.NewComplexOrder{Type: wireGroups[ticket.Kind]}
	for i := range ticket.Orders {
		first := i == 0 && ticket.Kind != broker.OCO
		order := newOrder(&ticket.Orders[i], i, first || ticket.Kind == broker.OCO)
		if first {
			out.TriggerOrder = order
		} else {
			out.Orders = append(out.Orders, *order)
		}
	}
	return out
}

var wireTypes = map[broker.OrderType]tastytrade.OrderType{
	broker.Market: tastytrade.Market, broker.Limit: tastytrade.Limit, broker.Stop: tastytrade.Stop, broker.StopLimit: tastytrade.StopLimit,
}

var wireGroups = map[broker.GroupKind]tastytrade.ComplexOrderType{
	broker.OTO: tastytrade.OTO, broker.OCO: tastytrade.OCO, broker.Bracket: tastytrade.OTOCO,
}

func wireDuration(o *broker.Order) tastytrade.TimeInForce {
	switch tif := o.Duration(); {
	case tif == broker.Day && o.ExtendedHours:
		return tastytrade.Ext
	case tif == broker.GTC && o.ExtendedHours:
		return tastytrade.GTCExt
	case tif == broker.GTC:
		return tastytrade.GTC
	case tif == broker.GTD:
		return tastytrade.GTD
	case tif == broker.IOC:
		return tastytrade.IOC
	}
	return tastytrade.Day
}

func wireInstrument(symbol market.Symbol) tastytrade.InstrumentType {
	switch symbol.Kind() {
	case market.KindOption:
		return tastytrade.TypeEquityOption
	case market.KindFuture:
		return tastytrade.TypeFuture
	case market.KindFutureOption:
		return tastytrade.TypeFutureOption
	}
	return tastytrade.TypeEquity
}

// wireAction is what a leg does. An outright future is bought or sold, and whether
// that opens is the broker's to know.
func wireAction(leg broker.Leg) tastytrade.OrderAction {
	if leg.Symbol.Kind() == market.KindFuture {
		if leg.Action.Sign() > 0 {
			return tastytrade.Buy
		}
		return tastytrade.Sell
	}
	switch leg.Action {
	case broker.BuyToOpen:
		return tastytrade.BuyToOpen
	case broker.SellToOpen:
		return tastytrade.SellToOpen
	case broker.BuyToClose:
		return tastytrade.BuyToClose
	}
	return tastytrade.SellToClose
}

// newChange is a replacement as the broker wants it.
func newChange(o *broker.Order) *tastytrade.OrderChange {
	order := newOrder(o, 0, false)
	return &tastytrade.OrderChange{
		Type: order.Type, TimeInForce: order.TimeInForce, GTCDate: order.GTCDate, Price: order.Price, StopTrigger: order.StopTrigger,
		Value: order.Value, ExternalIdentifier: order.ExternalIdentifier, Legs: order.Legs,
	}
}

// inTicket gives what the client refused the names that a ticket has.
func inTicket(err error, group broker.GroupKind) error {
	problems := tastytrade.Problems(err)
	if len(problems) == 0 {
		return err
	}
	var errs []error
	for _, p := range problems {
		errs = append(errs, &FieldError{Field: ticketField(p.Field, group), Value: p.Value, Allowed: p.Allowed})
	}
	return errors.Join(errs...)
}

var (
	wireOrderIndex = regexp.MustCompile(`^orders\[(\d+)\]\.`)
	wireLegIndex   = regexp.MustCompile(`^legs\[(\d+)\]\.?`)
)

// ticketField is the name in a ticket of a field on the wire:
// "orders[0].legs[1].quantity" of a bracket is "Orders[1].Legs[1].Quantity".
func ticketField(wire string, group broker.GroupKind) string {
	index := 0
	if rest, ok := strings.CutPrefix(wire, "trigger-order."); ok {
		wire = rest
	} else if found := wireOrderIndex.FindStringSubmatch(wire); found != nil {
		index, _ = strconv.Atoi(found[1])
		if group == broker.OTO || group == broker.Bracket {
			index++
		}
		wire = wire[len(found[0]):]
	}
	at := fmt.Sprintf("Orders[%d].", index)
	if found := wireLegIndex.FindStringSubmatch(wire); found != nil {
		at += "Legs[" + found[1] + "]."
		wire = wire[len(found[0]):]
	}
	if name, ok := ticketNames[wire]; ok {
		return at + name
	}
	if wire == "" {
		return strings.TrimSuffix(at, ".")
	}
	return at + wire
}

var ticketNames = map[string]string{
	"price": "Limit", "price-effect": "Limit", "stop-trigger": "Stop", "value": "Notional", "value-effect": "Notional",
	"gtc-date": "GoodTill", "time-in-force": "TimeInForce", "order-type": "Type", "legs": "Legs", "external-identifier": "Tag",
	"symbol": "Symbol", "action": "Action", "quantity": "Quantity", "instrument-type": "Symbol",
}

// stateOf is an order as this module has it. What it does not know of types,
// times in force and states is kept, in lower case.
func stateOf(account broker.AccountID, o *tastytrade.Order) broker.OrderState {
	if o.AccountNumber != "" {
		account = broker.AccountID(o.AccountNumber)
	}
	out := broker.OrderState{
		ID: broker.OrderID(o.ID), Account: account, Group: string(o.ComplexOrderID), Status: statusOf(o), Reason: o.RejectReason,
		Replaces: broker.OrderID(o.ReplacesOrderID), ReplacedBy: broker.OrderID(o.ReplacingOrderID),
		Received: o.ReceivedAt, Updated: o.UpdatedAt, Ended: o.TerminalAt,
		Order: broker.Order{Tag: o.ExternalIdentifier, Type: typeOf(o.Type), Limit: o.Price, Stop: o.StopTrigger, GoodTill: o.GTCDate},
	}
	out.Order.TimeInForce, out.Order.ExtendedHours = durationOf(o.TimeInForce)
	if o.Value != nil {
		out.Order.Notional = absolute(o.Value)
	}
	if out.Ended.IsZero() && out.Status.Terminal() {
		out.Ended = o.CancelledAt
	}
	if out.Reason == "" && out.Status.Known() && out.Status.Terminal() && statuses[o.Status] != out.Status || o.Status == tastytrade.StatusDead {
		out.Reason = string(o.Status)
	}
	for _, leg := range o.Legs {
		symbol := normal(leg.Symbol)
		action := actionOf(leg.Action)
		asked := decimal.Zero
		if leg.Quantity != nil && out.Order.Notional == nil {
			asked = *leg.Quantity
		}
		out.Order.Legs = append(out.Order.Legs, broker.Leg{Symbol: symbol, Action: action, Quantity: asked})
		out.Legs = append(out.Legs, broker.LegState{Symbol: symbol, Filled: filledOf(leg, out.Status), Average: leg.AveragePrice()})
		for _, f := range leg.Fills {
			if f.Quantity == nil || f.Price == nil {
				continue
			}
			out.Fills = append(out.Fills, broker.Fill{
				ID: fillID(o, leg, f), Order: out.ID, Account: account, Symbol: symbol, Action: action,
				Quantity: *f.Quantity, Price: f.Price.Abs(), Time: f.FilledAt,
			})
		}
	}
	sortFills(out.Fills)
	return out
}

// fillID names a fill. One without a name is told from others by what it says.
func fillID(o *tastytrade.Order, leg tastytrade.OrderLeg, f tastytrade.Fill) string {
	switch {
	case f.ID != "":
		return f.ID
	case f.ExtExecID != "":
		return string(o.ID) + "/" + string(f.ExtExecID)
	}
	return fmt.Sprintf("%s/%s/%s/%s/%s", o.ID, leg.Symbol, f.FilledAt.UTC().Format("20060102T150405.000000000"), f.Quantity, f.Price)
}

// filledOf is how much of a leg is done. The fills of an order that has ended are
// all there are; of one that works they may come later than the count.
func filledOf(leg tastytrade.OrderLeg, status broker.Status) decimal.Decimal {
	filled := leg.Filled()
	if leg.Quantity == nil || leg.RemainingQuantity == nil || status.Terminal() && status != broker.Filled {
		return filled
	}
	return decimal.Max(filled, leg.Quantity.Sub(*leg.RemainingQuantity))
}

var statuses = map[tastytrade.OrderStatus]broker.Status{
	tastytrade.StatusReceived: broker.Received, tastytrade.StatusRouted: broker.Routed, tastytrade.StatusInFlight: broker.Routed,
	tastytrade.StatusLive: broker.Live, tastytrade.StatusContingent: broker.Contingent,
	tastytrade.StatusCancelRequested: broker.CancelRequested, tastytrade.StatusReplaceRequested: broker.ReplaceRequested,
	tastytrade.StatusRemovePending: broker.CancelRequested,
	tastytrade.StatusFilled:        broker.Filled, tastytrade.StatusCancelled: broker.Cancelled, tastytrade.StatusExpired: broker.Expired,
	tastytrade.StatusRejected: broker.Rejected, tastytrade.StatusRemoved: broker.Cancelled,
	tastytrade.StatusPartiallyRemoved: broker.Cancelled, tastytrade.StatusDead: broker.Cancelled,
}

// statusOf is where an order stands. The broker may say that it is filled before
// the fills of all legs have come: until then it is live. An order whose place
// another has taken ends as cancelled there, and as replaced here.
func statusOf(o *tastytrade.Order) broker.Status {
	status, ok := statuses[o.Status]
	switch {
	case !ok:
		return broker.Status(strings.ToLower(string(o.Status)))
	case status == broker.Cancelled && o.ReplacingOrderID != "":
		return broker.Replaced
	case status == broker.Filled:
		for _, leg := range o.Legs {
			if r := leg.RemainingQuantity; r != nil && !r.IsZero() {
				return broker.Live
			}
		}
	}
	return status
}

// wireStatuses are those of orders that have not ended.
var wireStatuses = []tastytrade.OrderStatus{
	tastytrade.StatusReceived, tastytrade.StatusRouted, tastytrade.StatusInFlight, tastytrade.StatusLive, tastytrade.StatusContingent,
	tastytrade.StatusCancelRequested, tastytrade.StatusReplaceRequested,
}

func typeOf(t tastytrade.OrderType) broker.OrderType {
	switch t {
	case tastytrade.Limit, tastytrade.MarketableLimit:
		return broker.Limit
	case tastytrade.Market, tastytrade.NotionalMarket:
		return broker.Market
	}
	return broker.OrderType(strings.ToLower(string(t))) // stop, stop limit, and what is not known
}

func durationOf(t tastytrade.TimeInForce) (tif broker.TimeInForce, extended bool) {
	switch t {
	case tastytrade.Ext, tastytrade.ExtOvernight:
		return broker.Day, true
	case tastytrade.GTCExt, tastytrade.GTCExtOvernight:
		return broker.GTC, true
	}
	return broker.TimeInForce(strings.ToLower(string(t))), false
}

// actionOf is what a leg does. Of a future that is bought or sold the broker does
// not say whether it opens; it is taken to, which is the more careful reading.
func actionOf(action tastytrade.OrderAction) broker.Action {
	switch action {
	case tastytrade.Buy:
		return broker.BuyToOpen
	case tastytrade.Sell:
		return broker.SellToOpen
	}
	return broker.Action(strings.ToLower(string(action)))
}

func checkOrderID(id broker.OrderID) error {
	if id == "" {
		return invalid.Missing("id", "an order's id, as Place and Orders return it")
	}
	return nil
}
