package tastytrade

import (
	"errors"
	"fmt"
	"slices"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/internal/invalid"
)

// A ComplexOrderType says how the orders of a complex order depend on each other.
type ComplexOrderType string

// The complex order types. BLAST is in the broker's specification and documented
// as not supported; it is refused here.
const (
	OTO   ComplexOrderType = "OTO"   // the trigger order, once filled, sets off up to three others
	OCO   ComplexOrderType = "OCO"   // one filled cancels the others
	OTOCO ComplexOrderType = "OTOCO" // the trigger order, once filled, sets off two of which one cancels the other
	PAIRS ComplexOrderType = "PAIRS" // orders that are sent when the ratio of their prices reaches a threshold
	BLAST ComplexOrderType = "BLAST"
)

// A ComplexOrder is a group of orders as the broker has it.
type ComplexOrder struct {
	Object
	ID            OrderID          `json:"id"` // empty in a dry run
	AccountNumber AccountNumber    `json:"account-number"`
	Type          ComplexOrderType `json:"type"`
	// TerminalAt is when the whole came to its end, in the broker's words;
	// empty: not yet.
	TerminalAt    string         `json:"terminal-at"`
	TriggerOrder  *Order         `json:"trigger-order"`
	Orders        []Order        `json:"orders"`
	RelatedOrders []RelatedOrder `json:"related-orders"`

	// Of PAIRS.
	RatioPriceComparator                 Comparator       `json:"ratio-price-comparator"`
	RatioPriceThreshold                  *decimal.Decimal `json:"ratio-price-threshold"`
	RatioPriceIsThresholdBasedOnNotional *bool            `json:"ratio-price-is-threshold-based-on-notional"`
}

var complexOrderCodec = codecFor[ComplexOrder]()

// UnmarshalJSON keeps the JSON; see [Object].
func (c *ComplexOrder) UnmarshalJSON(data []byte) error { return complexOrderCodec.unmarshal(data, c) }

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (c ComplexOrder) MarshalJSON() ([]byte, error) { return complexOrderCodec.marshal(c) }

// Components returns the orders of the group, the trigger order first.
func (c *ComplexOrder) Components() []Order {
	if c.TriggerOrder == nil {
		return slices.Clone(c.Orders)
	}
	return append([]Order{*c.TriggerOrder}, c.Orders...)
}

// A RelatedOrder is an order that once belonged to a complex order, or replaced
// one that did.
type RelatedOrder struct {
	Object
	ID               OrderID     `json:"id"`
	ComplexOrderID   OrderID     `json:"complex-order-id"`
	ComplexOrderTag  string      `json:"complex-order-tag"`
	ReplacesOrderID  OrderID     `json:"replaces-order-id"`
	ReplacingOrderID OrderID     `json:"replacing-order-id"`
	Status           OrderStatus `json:"status"`
}

var relatedOrderCodec = codecFor[RelatedOrder]()

// UnmarshalJSON keeps the JSON; see [Object].
func (r *RelatedOrder) UnmarshalJSON(data []byte) error { return relatedOrderCodec.unmarshal(data, r) }

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (r RelatedOrder) MarshalJSON() ([]byte, error) { return relatedOrderCodec.marshal(r) }

// A NewComplexOrder is a complex order to be placed. [OneTriggersOther],
// [OneCancelsOther], [Bracket] and [Pair] make one that is valid.
type NewComplexOrder struct {
	Object
	Type         ComplexOrderType `json:"type"`
	TriggerOrder *NewOrder        `json:"trigger-order"` // of OTO and OTOCO
	Orders       []NewOrder       `json:"orders"`
	Source       string           `json:"source"`

	// Of PAIRS.
	RatioPriceComparator                 Comparator       `json:"ratio-price-comparator"`
	RatioPriceThreshold                  *decimal.Decimal `json:"ratio-price-threshold"`
	RatioPriceIsThresholdBasedOnNotional *bool            `json:"ratio-price-is-threshold-based-on-notional"`
}

var newComplexOrderCodec = codecFor[NewComplexOrder]()

// UnmarshalJSON reads an order that was kept as JSON; see [Object].
func (c *NewComplexOrder) UnmarshalJSON(data []byte) error {
	return newComplexOrderCodec.unmarshal(data, c)
}

// MarshalJSON writes what is sent to the broker.
func (c NewComplexOrder) MarshalJSON() ([]byte, error) { return newComplexOrderCodec.marshal(c) }

// OneTriggersOther makes an OTO: one to three orders that wait until the
// trigger order is filled.
func OneTriggersOther(trigger *NewOrder, orders ...*NewOrder) (*NewComplexOrder, error) {
	return newComplex(&NewComplexOrder{Type: OTO}, trigger, orders)
}

// OneCancelsOther makes an OCO: two or more closing orders of which the first
// to fill cancels the rest.
func OneCancelsOther(orders ...*NewOrder) (*NewComplexOrder, error) {
	return newComplex(&NewComplexOrder{Type: OCO}, nil, orders)
}

// Bracket makes an OTOCO: an order that opens, and once it is filled two of
// which the first to fill cancels the other, such as a profit target and a stop.
func Bracket(trigger, target, stop *NewOrder) (*NewComplexOrder, error) {
	return newComplex(&NewComplexOrder{Type: OTOCO}, trigger, []*NewOrder{target, stop})
}

// Pair makes a PAIRS order: its orders are sent when the ratio of their prices,
// or of their notional values, reaches a threshold.
func Pair(first, second *NewOrder, comparator Comparator, threshold decimal.Decimal, notional bool) (*NewComplexOrder, error) {
	return newComplex(&NewComplexOrder{
		Type: PAIRS, RatioPriceComparator: comparator, RatioPriceThreshold: &threshold, RatioPriceIsThresholdBasedOnNotional: &notional,
	}, nil, []*NewOrder{first, second})
}

func newComplex(c *NewComplexOrder, trigger *NewOrder, orders []*NewOrder) (*NewComplexOrder, error) {
	c.TriggerOrder = trigger
	for i, o := range orders {
		if o == nil {
			return nil, invalid.Missing(fmt.Sprintf("orders[%d]", i), "an order")
		}
		c.Orders = append(c.Orders, *o)
	}
	if err := c.Validate(); err != nil {
		return nil, err
	}
	return c, nil
}

// Validate checks the group by the rules of its type and each order by its own.
// Fields are named like "orders[1].legs[0].quantity" and "trigger-order.price".
func (c *NewComplexOrder) Validate() error {
	var errs []error
	bad := func(field string, value any, allowed string) {
		errs = append(errs, invalid.Field(field, value, allowed))
	}
	needsTrigger, least, most := false, 2, 0
	switch c.Type {
	case OTO:
		needsTrigger, least, most = true, 1, 3
	case OTOCO:
		needsTrigger, most = true, 2
	case OCO, PAIRS:
	case BLAST:
		bad("type", string(c.Type), "OTO, OCO, OTOCO or PAIRS: the broker does not support BLAST")
	default:
		bad("type", string(c.Type), "OTO, OCO, OTOCO or PAIRS")
	}
	if n := len(c.Orders); n < least || most > 0 && n > most {
		allowed := fmt.Sprintf("%d or more orders", least)
		if most > 0 {
			allowed = fmt.Sprintf("%d to %d orders beside the trigger order", least, most)
		}
		bad("orders", n, allowed)
	}
	switch {
	case needsTrigger && c.TriggerOrder == nil:
		errs = append(errs, invalid.Missing("trigger-order", "the order that sets off the others"))
	case !needsTrigger && c.TriggerOrder != nil:
		bad("trigger-order", string(c.TriggerOrder.Type), "none in an "+string(c.Type))
	}
	errs = append(errs, c.checkRatio()...)
	if c.TriggerOrder != nil {
		errs = append(errs, prefixed("trigger-order.", c.TriggerOrder.Validate())...)
	}
	for i := range c.Orders {
		o := &c.Orders[i]
		prefix := fmt.Sprintf("orders[%d].", i)
		errs = append(errs, prefixed(prefix, o.Validate())...)
		for j, l := range o.Legs {
			if c.Type == OCO && l.Action.IsOpening() {
				bad(fmt.Sprintf("%slegs[%d].action", prefix, j), string(l.Action), "a closing action: the orders of an OCO close positions")
			}
		}
	}
	return errors.Join(errs...)
}

func (c *NewComplexOrder) checkRatio() (errs []error) {
	if c.Type == PAIRS {
		return checkPair(c.RatioPriceComparator, c.RatioPriceThreshold)
	}
	if c.RatioPriceComparator != "" || c.RatioPriceThreshold != nil || c.RatioPriceIsThresholdBasedOnNotional != nil {
		errs = append(errs, invalid.Field("ratio-price", string(c.Type), "PAIRS for an order with a ratio"))
	}
	return errs
}

func checkPair(comparator Comparator, threshold *decimal.Decimal) (errs []error) {
	if comparator != AtLeast && comparator != AtMost {
		errs = append(errs, invalid.Field("ratio-price-comparator", string(comparator), "gte or lte"))
	}
	if threshold == nil || !threshold.IsPositive() {
		errs = append(errs, invalid.Missing("ratio-price-threshold", "a positive ratio"))
	}
	return errs
}

// prefixed returns the field errors of err with a prefix to their fields.
func prefixed(prefix string, err error) []error {
	var out []error
	for _, p := range Problems(err) {
		out = append(out, &FieldError{Field: prefix + p.Field, Value: p.Value, Allowed: p.Allowed})
	}
	return out
}

// tagged returns a copy of which every order has an external identifier and a
// preflight id.
func (c *NewComplexOrder) tagged() *NewComplexOrder {
	out := *c
	out.Orders = slices.Clone(c.Orders)
	next := 0
	tag := func(o *NewOrder) *NewOrder {
		o = o.tagged()
		if o.PreflightID == "" {
			o.PreflightID = fmt.Sprint(next)
		}
		next++
		return o
	}
	if c.TriggerOrder != nil {
		out.TriggerOrder = tag(c.TriggerOrder)
	}
	for i := range out.Orders {
		out.Orders[i] = *tag(&out.Orders[i])
	}
	return &out
}

// identifier is the external identifier that finds the group again.
func (c *NewComplexOrder) identifier() string {
	if c.TriggerOrder != nil {
		return c.TriggerOrder.ExternalIdentifier
	}
	return c.Orders[0].ExternalIdentifier
}
