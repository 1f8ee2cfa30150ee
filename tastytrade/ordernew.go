package tastytrade

import (
	"crypto/rand"
	"slices"

	"github.com/shopspring/decimal"
)

// A NewOrder is an order to be placed. [Legs] and the methods that follow it
// make one that the local rules accept; a literal works too, and is validated
// when it is placed.
type NewOrder struct {
	Object
	Type        OrderType   `json:"order-type"`
	TimeInForce TimeInForce `json:"time-in-force"`
	GTCDate     Date        `json:"gtc-date"` // with GTD only: its last day
	// Price is for one unit of the order and signed: credit positive, debit
	// negative. In a ratio spread a unit is the legs with their quantities
	// divided by the greatest common divisor.
	Price       *decimal.Decimal `json:"price" sign:"price-effect"`
	StopTrigger *decimal.Decimal `json:"stop-trigger"`
	// Value is the amount of a notional order, signed: negative to buy.
	Value *decimal.Decimal `json:"value" sign:"value-effect"`
	Legs  []OrderLeg       `json:"legs"`

	Rules                *OrderRule            `json:"rules"`
	AdvancedInstructions *AdvancedInstructions `json:"advanced-instructions"`

	// ExternalIdentifier finds the order again when its placing ended without
	// an answer. When it is empty, Place makes one.
	ExternalIdentifier string `json:"external-identifier"`
	Source             string `json:"source"`
	AutomatedSource    *bool  `json:"automated-source"`
	PartitionKey       string `json:"partition-key"`
	PreflightID        string `json:"preflight-id"` // names the order in errors about a complex order

	// Facts are what is known of the instruments and the account, for the rules
	// that need to know. Nil: those rules are the broker's business. They are
	// never sent.
	Facts *OrderFacts `json:"-"`
}

var newOrderCodec = codecFor[NewOrder]()

// UnmarshalJSON reads an order that was kept as JSON; see [Object].
func (o *NewOrder) UnmarshalJSON(data []byte) error { return newOrderCodec.unmarshal(data, o) }

// MarshalJSON writes what is sent to the broker.
func (o NewOrder) MarshalJSON() ([]byte, error) { return newOrderCodec.marshal(o) }

// AdvancedInstructions change how the broker treats an order.
type AdvancedInstructions struct {
	Object
	// StrictPositionEffectValidation rejects a closing leg that has no position
	// to close. Without it the broker opens one instead, with a warning.
	StrictPositionEffectValidation bool `json:"strict-position-effect-validation"`
}

var advancedInstructionsCodec = codecFor[AdvancedInstructions]()

// UnmarshalJSON keeps the JSON; see [Object].
func (a *AdvancedInstructions) UnmarshalJSON(data []byte) error {
	return advancedInstructionsCodec.unmarshal(data, a)
}

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (a AdvancedInstructions) MarshalJSON() ([]byte, error) {
	return advancedInstructionsCodec.marshal(a)
}

// Size returns how many units the order has: the greatest common divisor of
// the whole quantities of its legs. It is 0 when a quantity is missing or, in
// an order of several legs, not whole.
func (o *NewOrder) Size() decimal.Decimal {
	if len(o.Legs) == 1 && o.Legs[0].Quantity != nil {
		return *o.Legs[0].Quantity
	}
	size := decimal.Zero
	for _, l := range o.Legs {
		if l.Quantity == nil || !l.Quantity.IsInteger() || !l.Quantity.IsPositive() {
			return decimal.Zero
		}
		a, b := size, *l.Quantity
		for !b.IsZero() {
			a, b = b, a.Mod(b)
		}
		size = a
	}
	return size
}

// tagged returns a copy that has an external identifier.
func (o *NewOrder) tagged() *NewOrder {
	out := *o
	out.Legs = slices.Clone(o.Legs)
	if out.ExternalIdentifier == "" {
		out.ExternalIdentifier = newIdentifier()
	}
	return &out
}

func newIdentifier() string { return "ttai-" + rand.Text() }

// An OrderChange takes the place of the terms of a working order: the broker
// cancels the order and works a new one with the same legs.
type OrderChange struct {
	Object
	Type        OrderType        `json:"order-type"`
	TimeInForce TimeInForce      `json:"time-in-force"`
	GTCDate     Date             `json:"gtc-date"`
	Price       *decimal.Decimal `json:"price" sign:"price-effect"` // signed as that of a NewOrder
	StopTrigger *decimal.Decimal `json:"stop-trigger"`
	Value       *decimal.Decimal `json:"value" sign:"value-effect"`
	Rules       *OrderRule       `json:"rules"`

	// ExternalIdentifier is the new order's. When it is empty, one is made.
	ExternalIdentifier string `json:"external-identifier"`
	Source             string `json:"source"`
	AutomatedSource    *bool  `json:"automated-source"`
	PartitionKey       string `json:"partition-key"`
	PreflightID        string `json:"preflight-id"`

	// Legs, when given, are the legs of the order that changes. They are used
	// to validate the change and never sent.
	Legs  []OrderLeg  `json:"-"`
	Facts *OrderFacts `json:"-"` // as those of a NewOrder
}

var orderChangeCodec = codecFor[OrderChange]()

// UnmarshalJSON reads a change that was kept as JSON; see [Object].
func (o *OrderChange) UnmarshalJSON(data []byte) error { return orderChangeCodec.unmarshal(data, o) }

// MarshalJSON writes what is sent to the broker.
func (o OrderChange) MarshalJSON() ([]byte, error) { return orderChangeCodec.marshal(o) }

// Change returns the terms of an order, to be altered and handed to Replace or
// Edit.
func (o *Order) Change() *OrderChange {
	return &OrderChange{
		Type: o.Type, TimeInForce: o.TimeInForce, GTCDate: o.GTCDate,
		Price: o.Price, StopTrigger: o.StopTrigger, Value: o.Value, Legs: slices.Clone(o.Legs),
	}
}
