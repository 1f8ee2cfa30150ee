package broker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

// A Budget is what an operator allows without being asked each time, in writing.
// Every cap that is left out is a cap of nothing. It stands beside [Limits] and
// never widens them. An [IntentClose] is within it like any other order, caps
// included, as long as it only closes what is held and no working order closes yet.
type Budget struct {
	// Words say in the operator's own words what the budget is for. They stand in
	// the journal beside every order that it approved, and must not be empty.
	Words string `json:"words"`
	// Until is when the budget ends.
	Until time.Time `json:"until"`
	// Accounts and Symbols are as in [Limits].
	Accounts []AccountID     `json:"accounts"`
	Symbols  []market.Symbol `json:"symbols"`
	// OrderLoss and OrderNotional are of one order.
	OrderLoss     Cap `json:"order_loss"`
	OrderNotional Cap `json:"order_notional"`
	// DailyOrders, DailyLoss (the sum of worst cases) and DailyNotional are of all
	// orders that the budget approves on one day of New York, over all processes.
	DailyOrders   Cap `json:"daily_orders"`
	DailyLoss     Cap `json:"daily_loss"`
	DailyNotional Cap `json:"daily_notional"`
	// CancelStops lets it cancel and replace orders that protect a position.
	CancelStops bool `json:"cancel_stops,omitempty"`
}

// A Budgeted approver has a budget whose daily part the guard counts, together
// with its other limits.
type Budgeted interface {
	Approver
	Budget() Budget
}

// PolicyApprover approves what a written budget allows, and nobody looks at the
// order. Its grade is [GradePolicy], which suffices for accounts without real
// money, and for real money only where the operator lowered the grade in writing.
type PolicyApprover struct {
	budget Budget
	clock  market.Clock
}

var _ Budgeted = (*PolicyApprover)(nil)

// NewPolicyApprover returns an approver by a budget. Clock is the real one when
// nil.
func NewPolicyApprover(b Budget, clock market.Clock) (*PolicyApprover, error) {
	var errs []error
	if b.Words == "" {
		errs = append(errs, invalid.Missing("words", "what the budget is for, in the operator's words"))
	}
	if b.Until.IsZero() {
		errs = append(errs, invalid.Missing("until", "when the budget ends"))
	}
	if len(b.Accounts) == 0 {
		errs = append(errs, invalid.Missing("accounts", `account numbers, or "*" for all`))
	}
	if len(b.Symbols) == 0 {
		errs = append(errs, invalid.Missing("symbols", `underlyings, or "*" for all`))
	}
	if clock == nil {
		clock = market.SystemClock()
	}
	b.Accounts, b.Symbols = slices.Clone(b.Accounts), slices.Clone(b.Symbols)
	return &PolicyApprover{b, clock}, errors.Join(errs...)
}

// Method is "policy".
func (*PolicyApprover) Method() string { return "policy" }

// Grade is [GradePolicy].
func (*PolicyApprover) Grade() Grade { return GradePolicy }

// Budget returns the budget.
func (p *PolicyApprover) Budget() Budget { return p.budget }

// Fingerprint is the budget as JSON.
func (p *PolicyApprover) Fingerprint() string {
	data, err := json.Marshal(p.budget)
	if err != nil { // a year beyond 9999
		return fmt.Sprintf("%+v", p.budget)
	}
	return string(data)
}

// Approve approves what is within the budget. What is not is left to another
// approver: ErrApprovalRequired. Evidence is not looked at.
func (p *PolicyApprover) Approve(_ context.Context, r ApprovalRequest, _ *Evidence) (Decision, error) {
	b := &p.budget
	no := func(why string) (Decision, error) {
		return Decision{}, fmt.Errorf("%w: %s", ErrApprovalRequired, why)
	}
	switch r.Kind {
	case IntentPlace:
	case IntentClose:
		// What it would close is held, and no other order closes it already: else it
		// would open, or turn the position round.
		if r.RiskIncreasing {
			return no("it would do more than close what is held and not being closed")
		}
	case IntentReplace:
		if r.Protects && !b.CancelStops {
			return no("the budget does not replace what protects a position")
		}
	case IntentCancel:
		if r.RiskIncreasing && !b.CancelStops {
			return no("the budget does not cancel what protects a position")
		}
	default:
		return no("no budget lifts the kill switch or changes settings")
	}
	if !p.clock.Now().Before(b.Until) {
		return no("the budget has ended")
	}
	if !slices.Contains(b.Accounts, r.Account) && !slices.Contains(b.Accounts, "*") {
		return no("the budget is not for this account")
	}
	for _, o := range r.Ticket.Orders {
		for _, l := range o.Legs {
			if !slices.Contains(b.Symbols, contractUnderlying(l.Symbol)) && !slices.Contains(b.Symbols, "*") {
				return no("the budget is not for " + string(contractUnderlying(l.Symbol)))
			}
		}
	}
	if r.Kind != IntentCancel {
		if !b.OrderLoss.Allows(r.MaxLoss) {
			return no("its worst-case loss is beyond the budget's for one order")
		}
		if !b.OrderNotional.Allows(r.Notional) {
			return no("its notional is beyond the budget's for one order")
		}
	}
	return Decision{By: "the operator's budget", Note: b.Words}, nil
}
