package tastytrade

import (
	"time"

	"github.com/shopspring/decimal"
)

// An OrderID names an order, or a complex order. The broker gives a new one to
// an order that takes another's place.
type OrderID = ID

// An OrderType says at which price an order may trade.
type OrderType string

// The order types.
const (
	Limit           OrderType = "Limit"
	Market          OrderType = "Market"
	MarketableLimit OrderType = "Marketable Limit"
	NotionalMarket  OrderType = "Notional Market" // for an amount of dollars, not a quantity
	Stop            OrderType = "Stop"
	StopLimit       OrderType = "Stop Limit"
)

// A TimeInForce says how long an order works.
type TimeInForce string

// The times in force. Ext is with the extended sessions, overnight with the
// night between them.
const (
	Day             TimeInForce = "Day"
	Ext             TimeInForce = "Ext"
	ExtOvernight    TimeInForce = "Ext Overnight"
	GTC             TimeInForce = "GTC"
	GTCExt          TimeInForce = "GTC Ext"
	GTCExtOvernight TimeInForce = "GTC Ext Overnight"
	GTD             TimeInForce = "GTD" // until the order's GTCDate
	IOC             TimeInForce = "IOC"
)

// An OrderAction is what one leg of an order does.
type OrderAction string

// The actions. Buy and Sell are for outright futures only.
const (
	BuyToOpen   OrderAction = "Buy to Open"
	BuyToClose  OrderAction = "Buy to Close"
	SellToOpen  OrderAction = "Sell to Open"
	SellToClose OrderAction = "Sell to Close"
	Buy         OrderAction = "Buy"
	Sell        OrderAction = "Sell"
	Allocate    OrderAction = "Allocate"
)

// IsBuy reports whether the action buys.
func (a OrderAction) IsBuy() bool { return a == Buy || a == BuyToOpen || a == BuyToClose }

// IsSell reports whether the action sells.
func (a OrderAction) IsSell() bool { return a == Sell || a == SellToOpen || a == SellToClose }

// IsOpening reports whether the action says that it opens a position. Buy and
// Sell of futures say neither.
func (a OrderAction) IsOpening() bool { return a == BuyToOpen || a == SellToOpen }

// IsClosing reports whether the action says that it closes a position.
func (a OrderAction) IsClosing() bool { return a == BuyToClose || a == SellToClose }

// An OrderStatus says where an order is. Partly filled is not a status: see
// [OrderLeg.Filled].
type OrderStatus string

// The order statuses.
const (
	StatusReceived         OrderStatus = "Received"
	StatusRouted           OrderStatus = "Routed"
	StatusInFlight         OrderStatus = "In Flight"
	StatusLive             OrderStatus = "Live"
	StatusContingent       OrderStatus = "Contingent" // waits for a condition or for another order
	StatusCancelRequested  OrderStatus = "Cancel Requested"
	StatusReplaceRequested OrderStatus = "Replace Requested"
	StatusRemovePending    OrderStatus = "Remove Pending"
	StatusFilled           OrderStatus = "Filled"
	StatusCancelled        OrderStatus = "Cancelled"
	StatusExpired          OrderStatus = "Expired"
	StatusRejected         OrderStatus = "Rejected"
	StatusRemoved          OrderStatus = "Removed"
	StatusPartiallyRemoved OrderStatus = "Partially Removed"
	StatusDead             OrderStatus = "Dead"
)

// Terminal reports whether an order of this status has come to its end. A
// status that is not known is not an end.
func (s OrderStatus) Terminal() bool {
	switch s {
	case StatusFilled, StatusCancelled, StatusExpired, StatusRejected, StatusRemoved, StatusPartiallyRemoved, StatusDead:
		return true
	}
	return false
}

// An Order is an order as the broker has it.
type Order struct {
	Object
	ID            OrderID       `json:"id"` // empty in a dry run
	AccountNumber AccountNumber `json:"account-number"`
	Type          OrderType     `json:"order-type"`
	TimeInForce   TimeInForce   `json:"time-in-force"`
	GTCDate       Date          `json:"gtc-date"` // last day of a GTD order
	Status        OrderStatus   `json:"status"`
	// Size is how many units the order has: the greatest common divisor of the
	// quantities of its legs.
	Size *decimal.Decimal `json:"size"`
	// Price is for one unit and signed: credit positive, debit negative. Nil
	// for orders without a price.
	Price *decimal.Decimal `json:"price" sign:"price-effect"`
	// Value is the amount of a notional order, signed like Price.
	Value       *decimal.Decimal `json:"value" sign:"value-effect"`
	StopTrigger *decimal.Decimal `json:"stop-trigger"`

	UnderlyingSymbol         string         `json:"underlying-symbol"`
	UnderlyingInstrumentType InstrumentType `json:"underlying-instrument-type"`
	LegCount                 *int           `json:"leg-count"`
	Legs                     []OrderLeg     `json:"legs"`

	// Why an order is not working.
	RejectReason       string `json:"reject-reason"`
	ContingentStatus   string `json:"contingent-status"` // "Pending Condition", "Pending Order"
	ConfirmationStatus string `json:"confirmation-status"`

	Cancellable   bool             `json:"cancellable"`
	Editable      bool             `json:"editable"`
	Edited        bool             `json:"edited"` // another order has taken its place
	CancelledSize *decimal.Decimal `json:"cancelled-size"`

	// Who replaces whom: a change makes a new order.
	ReplacesOrderID  OrderID `json:"replaces-order-id"`
	ReplacingOrderID OrderID `json:"replacing-order-id"`

	ComplexOrderID  OrderID `json:"complex-order-id"`
	ComplexOrderTag string  `json:"complex-order-tag"` // "OTOCO::trigger-order"

	// OrderRule and Rules are the same thing: the specification has one name
	// and answers have the other. See Conditions.
	OrderRule *OrderRule `json:"order-rule"`
	Rules     *OrderRule `json:"rules"`

	// ExternalIdentifier is the one that the order was placed with.
	ExternalIdentifier string `json:"external-identifier"`
	PreflightID        string `json:"preflight-id"`
	Source             string `json:"source"`
	GlobalRequestID    string `json:"global-request-id"`
	UserID             ID     `json:"user-id"`
	Username           string `json:"username"`
	CancelUserID       ID     `json:"cancel-user-id"`
	CancelUsername     string `json:"cancel-username"`

	ExtClientOrderID       ID     `json:"ext-client-order-id"`
	ExtExchangeOrderNumber ID     `json:"ext-exchange-order-number"`
	ExtGlobalOrderNumber   ID     `json:"ext-global-order-number"`
	DestinationVenue       string `json:"destination-venue"`

	ReceivedAt  time.Time `json:"received-at"`
	InFlightAt  time.Time `json:"in-flight-at"`
	LiveAt      time.Time `json:"live-at"`
	CancelledAt time.Time `json:"cancelled-at"`
	TerminalAt  time.Time `json:"terminal-at"`
	UpdatedAt   time.Time `json:"updated-at"` // zero in a dry run
}

var orderCodec = codecFor[Order]()

// UnmarshalJSON keeps the JSON; see [Object].
func (o *Order) UnmarshalJSON(data []byte) error { return orderCodec.unmarshal(data, o) }

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (o Order) MarshalJSON() ([]byte, error) { return orderCodec.marshal(o) }

// FullyFilled reports whether the order is filled and every leg shows it. The
// status can say Filled before the fills of all legs have arrived.
func (o *Order) FullyFilled() bool {
	if o.Status != StatusFilled {
		return false
	}
	for _, l := range o.Legs {
		if l.RemainingQuantity == nil || !l.RemainingQuantity.IsZero() {
			return false
		}
	}
	return len(o.Legs) > 0
}

// Conditions returns the conditions of the order's rules, whatever their name
// on the wire.
func (o *Order) Conditions() []OrderCondition {
	for _, r := range []*OrderRule{o.OrderRule, o.Rules} {
		if r == nil {
			continue
		}
		if len(r.Conditions) > 0 {
			return r.Conditions
		}
		if len(r.OrderConditions) > 0 {
			return r.OrderConditions
		}
	}
	return nil
}

// An OrderLeg is one instrument of an order.
type OrderLeg struct {
	Object
	InstrumentType InstrumentType `json:"instrument-type"`
	Symbol         string         `json:"symbol"`
	Action         OrderAction    `json:"action"`
	// Quantity is positive. Nil for a notional order that has none yet.
	Quantity          *decimal.Decimal `json:"quantity"`
	RemainingQuantity *decimal.Decimal `json:"remaining-quantity"`
	Fills             []Fill           `json:"fills"`
}

var orderLegCodec = codecFor[OrderLeg]()

// UnmarshalJSON keeps the JSON; see [Object].
func (l *OrderLeg) UnmarshalJSON(data []byte) error { return orderLegCodec.unmarshal(data, l) }

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (l OrderLeg) MarshalJSON() ([]byte, error) { return orderLegCodec.marshal(l) }

// Filled returns how much of the leg has traded according to its fills.
func (l OrderLeg) Filled() decimal.Decimal {
	sum := decimal.Zero
	for _, f := range l.Fills {
		if f.Quantity != nil {
			sum = sum.Add(*f.Quantity)
		}
	}
	return sum
}

// AveragePrice returns the mean price of the fills, weighted by quantity and
// positive whatever the action; nil when there are none.
func (l OrderLeg) AveragePrice() *decimal.Decimal {
	quantity, value := decimal.Zero, decimal.Zero
	for _, f := range l.Fills {
		if f.Quantity == nil || f.Price == nil {
			continue
		}
		quantity = quantity.Add(*f.Quantity)
		value = value.Add(f.Quantity.Mul(*f.Price))
	}
	if quantity.IsZero() {
		return nil
	}
	mean := value.DivRound(quantity, 10)
	return &mean
}

// A Fill is one execution of a leg.
type Fill struct {
	Object
	ID               string           `json:"fill-id"`
	Quantity         *decimal.Decimal `json:"quantity"`
	Price            *decimal.Decimal `json:"fill-price"`
	FilledAt         time.Time        `json:"filled-at"`
	DestinationVenue string           `json:"destination-venue"`
	ExtExecID        ID               `json:"ext-exec-id"`
	ExtGroupFillID   ID               `json:"ext-group-fill-id"`
}

var fillCodec = codecFor[Fill]()

// UnmarshalJSON keeps the JSON; see [Object].
func (f *Fill) UnmarshalJSON(data []byte) error { return fillCodec.unmarshal(data, f) }

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (f Fill) MarshalJSON() ([]byte, error) { return fillCodec.marshal(f) }
