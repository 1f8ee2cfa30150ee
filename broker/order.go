package broker

import (
	"errors"
	"fmt"
	"slices"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

// An Action says which way a leg trades and whether it opens or closes.
type Action string

// The actions. Futures use the same four: an adapter whose broker knows only
// buy and sell drops the rest.
const (
	BuyToOpen   Action = "buy to open"
	SellToOpen  Action = "sell to open"
	BuyToClose  Action = "buy to close"
	SellToClose Action = "sell to close"
)

// Sign is +1 when the action buys, -1 when it sells, 0 when it is unknown.
func (a Action) Sign() int {
	switch a {
	case BuyToOpen, BuyToClose:
		return 1
	case SellToOpen, SellToClose:
		return -1
	}
	return 0
}

// Opens tells whether the action opens or adds to a position.
func (a Action) Opens() bool { return a == BuyToOpen || a == SellToOpen }

// Opposite is the action that undoes this one.
func (a Action) Opposite() Action {
	switch a {
	case BuyToOpen:
		return SellToClose
	case SellToOpen:
		return BuyToClose
	case BuyToClose:
		return SellToOpen
	case SellToClose:
		return BuyToOpen
	}
	return a
}

// An OrderType says at what price an order may fill.
type OrderType string

// The order types. Market and Limit with [OnClose] are market-on-close and
// limit-on-close.
const (
	Market       OrderType = "market"        // at whatever price there is
	Limit        OrderType = "limit"         // at Limit or better
	Stop         OrderType = "stop"          // a market order once Stop is touched
	StopLimit    OrderType = "stop limit"    // a limit order once Stop is touched
	TrailingStop OrderType = "trailing stop" // a stop that follows the price at Trail's distance
)

// A TimeInForce says how long an order works.
type TimeInForce string

// The times in force.
const (
	Day     TimeInForce = "day" // until the session's close
	GTC     TimeInForce = "gtc" // until it is cancelled
	GTD     TimeInForce = "gtd" // to the close of GoodTill
	IOC     TimeInForce = "ioc" // what can be filled at once; the rest is cancelled
	OnClose TimeInForce = "cls" // in the closing auction only
	OnOpen  TimeInForce = "opg" // in the opening auction only
)

// A Trail is the distance of a trailing stop, one of the two.
type Trail struct {
	Amount  *decimal.Decimal // in price units, positive
	Percent *decimal.Decimal // of the price, above 0 and below 100
}

// A Leg is one instrument of an order.
type Leg struct {
	Symbol market.Symbol
	Action Action
	// Quantity is what the leg trades in all, positive: contracts, shares, coins.
	Quantity decimal.Decimal
}

// MaxLegs is the most legs of one order.
const MaxLegs = 4

// An Order is an intent to trade. It is a value: adapters copy it and never
// change it.
type Order struct {
	// Tag is the sender's name for the order, 1 to 48 of A-Z, a-z, 0-9, '-' and
	// '_', unique for ever within the account. The broker keeps it, and an order
	// whose outcome is unknown is found by it. It is required to place an order.
	Tag  string
	Legs []Leg
	Type OrderType
	// Limit is the net price of one unit of the combination, signed: credit
	// positive, debit negative. A limit to buy a share at 10 is -10. One unit is
	// the legs' quantities divided by their greatest common divisor: see Units.
	// Required by Limit and StopLimit, refused by the others.
	Limit *decimal.Decimal
	// Stop is the price of the single leg that triggers, positive. Required by
	// Stop and StopLimit, refused by the others.
	Stop *decimal.Decimal
	// Trail is required by TrailingStop and refused by the others.
	Trail *Trail
	// Notional is money to be spent on a market order for one leg instead of a
	// quantity, positive; the leg's Quantity is zero then.
	Notional *decimal.Decimal
	// TimeInForce is Day when empty.
	TimeInForce TimeInForce
	// GoodTill is the last day of a GTD order, and zero otherwise.
	GoodTill market.Date
	// ExtendedHours lets the order work before and after the regular session.
	ExtendedHours bool
}

// Duration is TimeInForce with its default.
func (o *Order) Duration() TimeInForce {
	if o.TimeInForce == "" {
		return Day
	}
	return o.TimeInForce
}

// Units is how often the order trades its combination: the greatest common
// divisor of the legs' quantities, and the quantity itself for one leg. It is
// zero for a notional order and for quantities that [Order.Validate] refuses.
func (o *Order) Units() decimal.Decimal {
	if len(o.Legs) == 1 {
		return o.Legs[0].Quantity
	}
	units := decimal.Zero
	for _, leg := range o.Legs {
		if !leg.Quantity.IsInteger() || leg.Quantity.Sign() <= 0 {
			return decimal.Zero
		}
		a, b := units, leg.Quantity
		for !b.IsZero() {
			a, b = b, a.Mod(b)
		}
		units = a
	}
	return units
}

// Opens tells whether any leg opens a position.
func (o *Order) Opens() bool {
	return slices.ContainsFunc(o.Legs, func(l Leg) bool { return l.Action.Opens() })
}

// Validate checks what holds at every broker. The error joins a *FieldError for
// each thing that is wrong, named like "Legs[1].Quantity". Whether a broker can do
// it is for [Capabilities.Check], and whether it should be done for the guard.
func (o *Order) Validate() error {
	var errs []error
	refuse := func(field string, value any, allowed string) {
		errs = append(errs, invalid.Field(field, value, allowed))
	}
	if !validTag(o.Tag) {
		refuse("Tag", o.Tag, "1 to 48 of A-Z, a-z, 0-9, '-' and '_'")
	}
	o.validateLegs(refuse)
	o.validatePrices(refuse)
	o.validateTime(refuse)
	return errors.Join(errs...)
}

func validTag(tag string) bool {
	for _, c := range []byte(tag) {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return tag != "" && len(tag) <= 48
}

func (o *Order) validateLegs(refuse func(field string, value any, allowed string)) {
	if len(o.Legs) == 0 || len(o.Legs) > MaxLegs {
		refuse("Legs", len(o.Legs), "1 to 4 legs")
		return
	}
	seen := map[market.Symbol]bool{}
	for i, leg := range o.Legs {
		at := fmt.Sprintf("Legs[%d].", i)
		if normal, err := market.ParseSymbol(string(leg.Symbol)); err != nil || normal != leg.Symbol {
			refuse(at+"Symbol", leg.Symbol, "a symbol in its normal form, such as SPY or \"SPY   261218C00500000\"")
		}
		if seen[leg.Symbol] {
			refuse(at+"Symbol", leg.Symbol, "each symbol in one leg")
		}
		seen[leg.Symbol] = true
		if leg.Action.Sign() == 0 {
			refuse(at+"Action", string(leg.Action), "buy to open, sell to open, buy to close or sell to close")
		}
		_, option := leg.Symbol.Contract()
		switch {
		case o.Notional != nil:
			if !leg.Quantity.IsZero() {
				refuse(at+"Quantity", leg.Quantity, "0, because Notional says how much")
			}
		case leg.Quantity.Sign() <= 0:
			refuse(at+"Quantity", leg.Quantity, "a positive quantity")
		case (option || len(o.Legs) > 1) && !leg.Quantity.IsInteger():
			refuse(at+"Quantity", leg.Quantity, "a whole number of contracts, and of shares in an order of several legs")
		}
	}
}

func (o *Order) validatePrices(refuse func(field string, value any, allowed string)) {
	if !slices.Contains([]OrderType{Market, Limit, Stop, StopLimit, TrailingStop}, o.Type) {
		refuse("Type", string(o.Type), "market, limit, stop, stop limit or trailing stop")
		return
	}
	limited, stopped := o.Type == Limit || o.Type == StopLimit, o.Type == Stop || o.Type == StopLimit
	switch {
	case limited && o.Limit == nil:
		refuse("Limit", nil, "a net price, credit positive and debit negative")
	case !limited && o.Limit != nil:
		refuse("Limit", o.Limit, "nothing, for a "+string(o.Type)+" order")
	case limited && len(o.Legs) == 1 && o.Limit.Sign()*o.Legs[0].Action.Sign() > 0:
		refuse("Limit", o.Limit, "a debit (negative) to buy and a credit (positive) to sell one instrument")
	case limited && len(o.Legs) == 1 && o.Limit.IsZero():
		refuse("Limit", o.Limit, "a price other than 0 for one instrument")
	}
	switch {
	case stopped && (o.Stop == nil || o.Stop.Sign() <= 0):
		refuse("Stop", o.Stop, "a positive trigger price")
	case !stopped && o.Stop != nil:
		refuse("Stop", o.Stop, "nothing, for a "+string(o.Type)+" order")
	}
	if (o.Type == Stop || o.Type == StopLimit || o.Type == TrailingStop) && len(o.Legs) > 1 {
		refuse("Type", string(o.Type), "market or limit for an order of several legs")
	}
	switch {
	case o.Type == TrailingStop && !o.Trail.valid():
		refuse("Trail", o.Trail, "an amount above 0, or a percentage above 0 and below 100")
	case o.Type != TrailingStop && o.Trail != nil:
		refuse("Trail", o.Trail, "nothing, for a "+string(o.Type)+" order")
	}
	if o.Notional != nil {
		if o.Notional.Sign() <= 0 {
			refuse("Notional", o.Notional, "a positive amount of money")
		}
		if o.Type != Market || len(o.Legs) > 1 {
			refuse("Notional", o.Notional, "nothing, except for a market order of one leg")
		}
	}
}

func (t *Trail) valid() bool {
	switch {
	case t == nil || (t.Amount == nil) == (t.Percent == nil):
		return false
	case t.Amount != nil:
		return t.Amount.Sign() > 0
	}
	return t.Percent.Sign() > 0 && t.Percent.LessThan(decimal.NewFromInt(100))
}

// String says which of the two distances the trail has.
func (t *Trail) String() string {
	switch {
	case t == nil:
		return "none"
	case t.Amount != nil:
		return t.Amount.String()
	case t.Percent != nil:
		return t.Percent.String() + "%"
	}
	return "empty"
}

func (o *Order) validateTime(refuse func(field string, value any, allowed string)) {
	tif := o.Duration()
	if !slices.Contains([]TimeInForce{Day, GTC, GTD, IOC, OnClose, OnOpen}, tif) {
		refuse("TimeInForce", string(tif), "day, gtc, gtd, ioc, cls or opg")
		return
	}
	if (tif == GTD) == o.GoodTill.IsZero() {
		refuse("GoodTill", o.GoodTill, "a date for a gtd order, and none for others")
	}
	if (tif == OnClose || tif == OnOpen) && o.Type != Market && o.Type != Limit {
		refuse("TimeInForce", string(tif), "day or gtc for a "+string(o.Type)+" order")
	}
	if o.Type == Market && (tif == GTC || tif == GTD) {
		refuse("TimeInForce", string(tif), "day or ioc for a market order")
	}
	if o.ExtendedHours && o.Type != Limit {
		refuse("ExtendedHours", true, "false, except for limit orders")
	}
}

// A GroupKind says how the orders of a [Ticket] depend on each other.
type GroupKind string

// The kinds of groups.
const (
	// Single is one order.
	Single GroupKind = ""
	// OTO: the first order, once filled, sends the others.
	OTO GroupKind = "oto"
	// OCO: the first order that fills cancels the others.
	OCO GroupKind = "oco"
	// Bracket: the first order, once filled, sends the other two, of which the
	// first that fills cancels the other: a profit target and a stop.
	Bracket GroupKind = "bracket"
)

// A Ticket is what is previewed and placed: one order, or a group.
type Ticket struct {
	Kind   GroupKind
	Orders []Order
}

// NewTicket returns a ticket for one order.
func NewTicket(o Order) Ticket { return Ticket{Orders: []Order{o}} }

// Validate checks the group's form and each order. Fields of orders are named
// like "Orders[1].Limit".
func (t *Ticket) Validate() error {
	var errs []error
	least, most := 1, 1
	switch t.Kind {
	case Single:
	case OTO:
		least, most = 2, 4
	case OCO:
		least, most = 2, 4
	case Bracket:
		least, most = 3, 3
	default:
		return invalid.Field("Kind", string(t.Kind), "nothing for one order, or oto, oco, bracket")
	}
	if n := len(t.Orders); n < least || n > most {
		return invalid.Fieldf("Orders", n, "%d to %d orders", least, most)
	}
	tags := map[string]bool{}
	for i := range t.Orders {
		at := fmt.Sprintf("Orders[%d].", i)
		for _, err := range unjoin(t.Orders[i].Validate()) {
			if fe, ok := errors.AsType[*FieldError](err); ok {
				inner := *fe
				inner.Field = at + inner.Field
				err = &inner
			}
			errs = append(errs, err)
		}
		if tags[t.Orders[i].Tag] {
			errs = append(errs, invalid.Field(at+"Tag", t.Orders[i].Tag, "each tag once"))
		}
		tags[t.Orders[i].Tag] = true
	}
	return errors.Join(errs...)
}

func unjoin(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()
	}
	if err == nil {
		return nil
	}
	return []error{err}
}
