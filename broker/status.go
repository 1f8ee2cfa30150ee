package broker

import (
	"fmt"
	"slices"

	"github.com/ttai-go/ttai/internal/invalid"
)

// A Status is where an order stands at the broker. Adapters map the broker's own
// states to these; partly filled is no status but a matter of the legs.
type Status string

// The states.
const (
	Contingent       Status = "contingent"        // waits for a condition or for another order
	Received         Status = "received"          // the broker has it and has not sent it on
	Routed           Status = "routed"            // on its way to an exchange
	Live             Status = "live"              // can fill
	CancelRequested  Status = "cancel requested"  // may still fill
	ReplaceRequested Status = "replace requested" // may still fill
	Filled           Status = "filled"
	Cancelled        Status = "cancelled"
	Replaced         Status = "replaced" // another order took its place
	Expired          Status = "expired"
	Rejected         Status = "rejected"
)

// next lists what each state can become. Brokers skip states, so every one can
// become each of those that follow it; what ended stays as it is.
var next = map[Status][]Status{
	Contingent:       {Received, Routed, Live, CancelRequested, ReplaceRequested, Filled, Cancelled, Replaced, Expired, Rejected},
	Received:         {Contingent, Routed, Live, CancelRequested, ReplaceRequested, Filled, Cancelled, Replaced, Expired, Rejected},
	Routed:           {Live, CancelRequested, ReplaceRequested, Filled, Cancelled, Replaced, Expired, Rejected},
	Live:             {CancelRequested, ReplaceRequested, Filled, Cancelled, Replaced, Expired, Rejected},
	CancelRequested:  {Live, Filled, Cancelled, Replaced, Expired, Rejected},
	ReplaceRequested: {Live, CancelRequested, Filled, Cancelled, Replaced, Expired, Rejected},
	Filled:           nil,
	Cancelled:        nil,
	Replaced:         nil,
	Expired:          nil,
	Rejected:         nil,
}

// Known tells whether s is one of the states above.
func (s Status) Known() bool {
	_, ok := next[s]
	return ok
}

// Terminal tells whether the order has ended. An unknown state has not: what is
// not understood is not taken for done.
func (s Status) Terminal() bool {
	following, ok := next[s]
	return ok && following == nil
}

// CanFill tells whether the order may fill now or later.
func (s Status) CanFill() bool { return !s.Terminal() }

// CanBecome tells whether an order in state s can be seen in state t next. Staying
// the same is possible; leaving a state that ended is not.
func (s Status) CanBecome(t Status) bool {
	return s == t || slices.Contains(next[s], t)
}

// A TransitionError is a step that no order can take: a late or duplicated
// report, or a broker's mistake. The state before it stands.
type TransitionError struct {
	Order    OrderID
	From, To Status
}

func (e *TransitionError) Error() string {
	return fmt.Sprintf("broker: order %s cannot go from %s to %s", e.Order, e.From, e.To)
}

// Become returns the order in its next state, or a *TransitionError. A fill is
// never taken back: a state that reports less filled than is known is refused
// with a *FieldError.
func (s OrderState) Become(later OrderState) (OrderState, error) {
	if s.ID != later.ID {
		return s, invalid.Field("ID", later.ID, fmt.Sprintf("the order's own, %s", s.ID))
	}
	if !later.Status.Known() {
		return s, invalid.Field("Status", string(later.Status), "a known state")
	}
	if !s.Status.CanBecome(later.Status) {
		return s, &TransitionError{Order: s.ID, From: s.Status, To: later.Status}
	}
	if len(s.Legs) != len(later.Legs) && len(s.Legs) > 0 {
		return s, invalid.Field("Legs", len(later.Legs), "the order's own legs")
	}
	for i, leg := range s.Legs {
		if got := later.Legs[i]; got.Symbol != leg.Symbol || got.Filled.LessThan(leg.Filled) {
			return s, invalid.Field(fmt.Sprintf("Legs[%d].Filled", i), got.Filled, "no less than was filled before: "+leg.Filled.String())
		}
	}
	return later, nil
}
