package broker

import (
	"fmt"

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

// rank orders the states by how far an order has come: brokers skip states, so each
// can become every one of a higher rank, and what ended stays as it is. 0 is a state
// that is not known.
func (s Status) rank() int {
	switch s {
	case Contingent, Received:
		return 1
	case Routed:
		return 2
	case Live, ReplaceRequested:
		return 3
	case CancelRequested:
		return 4
	case Filled, Cancelled, Replaced, Expired, Rejected:
		return ended
	}
	return 0
}

// ended is the rank of the states that are final.
const ended = 5

// Known tells whether s is one of the states above.
func (s Status) Known() bool { return s.rank() != 0 }

// Terminal tells whether the order has ended. An unknown state has not: what is
// not understood is not taken for done.
func (s Status) Terminal() bool { return s.rank() == ended }

// CanFill tells whether the order may fill now or later.
func (s Status) CanFill() bool { return !s.Terminal() }

// CanBecome tells whether an order in state s can be seen in state t next. Staying
// the same is possible; leaving a state that ended is not. Beside going on, an order
// that was received can come to wait for a condition and the other way round, and
// one whose cancellation or replacement was asked for can be live as before.
func (s Status) CanBecome(t Status) bool {
	if s == t {
		return true
	}
	from, to := s.rank(), t.rank()
	switch {
	case from == 0 || to == 0 || from == ended:
		return false
	case from < to:
		return true
	}
	return from == to && from < ended || s == CancelRequested && t == Live
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
	if err := s.Follow(&later); err != nil {
		return s, err
	}
	return later, nil
}

// Follow puts the order's next state in the place of this one, or returns the error
// of [OrderState.Become] and leaves it as it is. Lists are shared with the later
// state.
func (s *OrderState) Follow(later *OrderState) error {
	if s.ID != later.ID {
		return invalid.Field("ID", later.ID, fmt.Sprintf("the order's own, %s", s.ID))
	}
	if !later.Status.Known() {
		return invalid.Field("Status", string(later.Status), "a known state")
	}
	if !s.Status.CanBecome(later.Status) {
		return &TransitionError{Order: s.ID, From: s.Status, To: later.Status}
	}
	if len(s.Legs) != len(later.Legs) && len(s.Legs) > 0 {
		return invalid.Field("Legs", len(later.Legs), "the order's own legs")
	}
	for i := range s.Legs {
		leg, got := &s.Legs[i], &later.Legs[i]
		if got.Symbol != leg.Symbol || got.Filled.LessThan(leg.Filled) {
			return invalid.Field(fmt.Sprintf("Legs[%d].Filled", i), got.Filled, "no less than was filled before: "+leg.Filled.String())
		}
	}
	*s = *later
	return nil
}
