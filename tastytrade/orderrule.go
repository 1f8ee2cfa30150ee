package tastytrade

import (
	"time"

	"github.com/shopspring/decimal"
)

// A ConditionAction says what happens when a condition is met.
type ConditionAction string

// The actions of a condition.
const (
	RouteOrder  ConditionAction = "route"
	CancelOrder ConditionAction = "cancel"
)

// An Indicator is the price that a condition watches.
type Indicator string

// The indicators.
const (
	LastPrice    Indicator = "last"
	NaturalPrice Indicator = "nat" // what the spread costs at the bids and asks
)

// A Comparator says on which side of a threshold a condition is met.
type Comparator string

// The comparators.
const (
	AtLeast Comparator = "gte"
	AtMost  Comparator = "lte"
)

// An OrderRule says when an order is routed and cancelled. In an order to be
// placed RouteAfter, CancelAt and Conditions count; the rest is what became of
// them.
type OrderRule struct {
	Object
	RouteAfter  time.Time `json:"route-after"`  // earliest; zero: at once
	CancelAt    time.Time `json:"cancel-at"`    // latest; zero: as the time in force says
	RoutedAt    time.Time `json:"routed-at"`    // zero: not yet
	CancelledAt time.Time `json:"cancelled-at"` // zero: not yet
	// Conditions and OrderConditions are the same thing under two names; orders
	// to be placed have Conditions.
	Conditions      []OrderCondition `json:"conditions"`
	OrderConditions []OrderCondition `json:"order-conditions"`
}

var orderRuleCodec = codecFor[OrderRule]()

// UnmarshalJSON keeps the JSON; see [Object].
func (r *OrderRule) UnmarshalJSON(data []byte) error { return orderRuleCodec.unmarshal(data, r) }

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (r OrderRule) MarshalJSON() ([]byte, error) { return orderRuleCodec.marshal(r) }

// An OrderCondition routes or cancels an order when a price reaches a threshold.
type OrderCondition struct {
	Object
	ID             ID               `json:"id"` // of the broker; empty in an order to be placed
	Action         ConditionAction  `json:"action"`
	Symbol         string           `json:"symbol"`
	InstrumentType InstrumentType   `json:"instrument-type"`
	Indicator      Indicator        `json:"indicator"`
	Comparator     Comparator       `json:"comparator"`
	Threshold      *decimal.Decimal `json:"threshold"` // a price; of a spread it may be negative
	// IsThresholdBasedOnNotional is the broker's; nil in an order to be placed.
	IsThresholdBasedOnNotional *bool            `json:"is-threshold-based-on-notional"`
	TriggeredAt                time.Time        `json:"triggered-at"` // zero: not yet
	TriggeredValue             *decimal.Decimal `json:"triggered-value"`
	// PriceComponents describe the spread whose price is watched in place of
	// that of Symbol.
	PriceComponents []PriceComponent `json:"price-components"`
}

var orderConditionCodec = codecFor[OrderCondition]()

// UnmarshalJSON keeps the JSON; see [Object].
func (c *OrderCondition) UnmarshalJSON(data []byte) error {
	return orderConditionCodec.unmarshal(data, c)
}

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (c OrderCondition) MarshalJSON() ([]byte, error) { return orderConditionCodec.marshal(c) }

// A PriceComponent is one instrument of a spread that a condition watches.
type PriceComponent struct {
	Object
	Symbol            string           `json:"symbol"`
	InstrumentType    InstrumentType   `json:"instrument-type"`
	Quantity          *decimal.Decimal `json:"quantity"` // its ratio in the spread, positive
	QuantityDirection Direction        `json:"quantity-direction"`
}

var priceComponentCodec = codecFor[PriceComponent]()

// UnmarshalJSON keeps the JSON; see [Object].
func (p *PriceComponent) UnmarshalJSON(data []byte) error {
	return priceComponentCodec.unmarshal(data, p)
}

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (p PriceComponent) MarshalJSON() ([]byte, error) { return priceComponentCodec.marshal(p) }
