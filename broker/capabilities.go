package broker

import (
	"errors"
	"fmt"
	"slices"

	"github.com/ttai-go/ttai/market"
)

// Capabilities are what a broker can do. The zero value can do nothing.
type Capabilities struct {
	Instruments  []market.InstrumentKind
	Types        []OrderType
	TimesInForce []TimeInForce
	Groups       []GroupKind // Single included
	MaxLegs      int
	// Mixed: shares and options may stand in one order.
	Mixed         bool
	Fractional    bool // fractions of shares
	Notional      bool
	ExtendedHours bool
	DryRun        bool // the broker previews; otherwise previews are counted here
	Replace       bool
	Events        bool // pushed; otherwise Events polls
}

// Check returns nil when a broker with these capabilities can take the ticket, and
// otherwise an error that wraps ErrUnsupported and joins one *UnsupportedError for
// each thing that it cannot do. The ticket must be valid.
func (c Capabilities) Check(ticket Ticket) error {
	var errs []error
	lacks := func(field, what string) {
		errs = append(errs, &UnsupportedError{Field: field, What: what})
	}
	if !slices.Contains(c.Groups, ticket.Kind) {
		lacks("Kind", fmt.Sprintf("%q groups", ticket.Kind))
	}
	for i := range ticket.Orders {
		c.checkOrder(&ticket.Orders[i], func(field, what string) {
			lacks(fmt.Sprintf("Orders[%d].%s", i, field), what)
		})
	}
	return errors.Join(errs...)
}

func (c Capabilities) checkOrder(o *Order, lacks func(field, what string)) {
	if !slices.Contains(c.Types, o.Type) {
		lacks("Type", string(o.Type)+" orders")
	}
	if !slices.Contains(c.TimesInForce, o.Duration()) {
		lacks("TimeInForce", string(o.Duration())+" orders")
	}
	if len(o.Legs) > c.MaxLegs {
		lacks("Legs", fmt.Sprintf("orders of %d legs", len(o.Legs)))
	}
	if o.Notional != nil && !c.Notional {
		lacks("Notional", "orders by amount of money")
	}
	if o.ExtendedHours && !c.ExtendedHours {
		lacks("ExtendedHours", "orders outside the regular session")
	}
	kinds := map[market.InstrumentKind]bool{}
	for i, leg := range o.Legs {
		kind := leg.Symbol.Kind()
		kinds[kind] = true
		if !slices.Contains(c.Instruments, kind) {
			lacks(fmt.Sprintf("Legs[%d].Symbol", i), "trading a "+string(kind))
		}
		if kind == market.KindEquity && !c.Fractional && !leg.Quantity.IsInteger() {
			lacks(fmt.Sprintf("Legs[%d].Quantity", i), "fractions of shares")
		}
	}
	if len(kinds) > 1 && !c.Mixed {
		lacks("Legs", "different instruments in one order")
	}
}

// An UnsupportedError names what a broker cannot do. It is an ErrUnsupported.
type UnsupportedError struct {
	Field string // of the ticket: "Orders[0].Type"
	What  string // "trailing stop orders"
}

func (e *UnsupportedError) Error() string {
	return fmt.Sprintf("%s: %s: %v", e.Field, e.What, ErrUnsupported)
}

// Unwrap returns ErrUnsupported.
func (e *UnsupportedError) Unwrap() error { return ErrUnsupported }
