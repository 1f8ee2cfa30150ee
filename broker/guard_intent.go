package broker

import (
	"errors"
	"time"

	"github.com/shopspring/decimal"
)

// An IntentKind says what an [Intent] would do.
type IntentKind string

// The kinds of intents. The last two are not for models: see [Guard.PrepareLift]
// and [Guard.PrepareSettings].
const (
	IntentPlace    IntentKind = "place"    // Ticket
	IntentReplace  IntentKind = "replace"  // Order, With
	IntentCancel   IntentKind = "cancel"   // Order
	IntentClose    IntentKind = "close"    // Symbols, or all of an Underlying; Type and Limit as wished
	IntentLift     IntentKind = "lift"     // the kill switch
	IntentSettings IntentKind = "settings" // take the present settings for the valid ones
)

// An Intent is what somebody wants done. It is a value; the guard makes the exact
// bytes of it.
type Intent struct {
	Kind IntentKind
	// Ticket is what to place. An order without a Tag gets one.
	Ticket Ticket
	// Order is the order to cancel or replace.
	Order OrderID
	// With is what takes the place of Order. Without a Tag it gets one.
	With Order
	// Close says which positions to close.
	Close ClosePositions
}

// ClosePositions says which positions an [IntentClose] closes, whole, in one
// order of at most four legs.
type ClosePositions struct {
	// Symbols are the positions' symbols, as [Position].Symbol.
	Symbols []string
	// Type is Market or Limit; Limit when Limit is set, Market when both are empty.
	Type  OrderType
	Limit *decimal.Decimal // net per unit, signed: see [Order].Limit
	// TimeInForce is Day when empty.
	TimeInForce TimeInForce
}

// A Loss is the most that an order can lose, without fees.
type Loss struct {
	// Amount is positive, or zero when nothing can be lost; nil when the loss is
	// unbounded or not known.
	Amount *decimal.Decimal
	// Unbounded: there is no price at which the loss ends.
	Unbounded bool
}

// Prepared is a stored preview, ready to be submitted by its id.
type Prepared struct {
	// ID is random and stands for the exact bytes. Who has it can submit the
	// order, and approve nothing.
	ID          string
	Kind        IntentKind
	Account     AccountID
	Environment Environment
	// Digest is of the bytes that would be sent.
	Digest Digest
	// Challenge is what a signing approver signs: see [ApprovalRequest.Challenge].
	Challenge []byte
	// Words is the order for people. See [ApprovalRequest].
	Words string
	// Ticket is what would be sent, tags included; of a replacement the order that
	// takes the place. Empty for a cancel.
	Ticket Ticket
	// Order is the order to be cancelled or replaced.
	Order OrderID
	// MaxLoss is the worst-case loss of the order, counted conservatively: what is
	// held covers what is sold only where it certainly does.
	MaxLoss Loss
	// Notional is the money that the order moves or controls; nil when not known.
	Notional *decimal.Decimal
	// BuyingPower, BuyingPowerAfter and Fees are the broker's: see [Preview].
	BuyingPower      *decimal.Decimal
	BuyingPowerAfter *decimal.Decimal
	Fees             *Fees
	Warnings         []Notice
	// RiskIncreasing is false for what only closes, or cancels what would open.
	RiskIncreasing bool
	// Grade is what an approval must reach; GradeNone when none is needed.
	Grade Grade
	// Methods are the approvers that reach it, best first.
	Methods []string
	Created time.Time
	Expires time.Time
}

// An OutcomeState says what became of a submitted preview.
type OutcomeState string

// The outcomes.
const (
	// OutcomeSending: it was claimed, and what followed is not known here: another
	// process is at it, or one died. [Guard.Reconcile] finds out.
	OutcomeSending OutcomeState = "sending"
	// OutcomeDone: the broker took it. For a lift or settings: it holds.
	OutcomeDone OutcomeState = "done"
	// OutcomeRejected: the broker refused it, and the order does not exist.
	OutcomeRejected OutcomeState = "rejected"
	// OutcomeNotSent: nothing was sent, and nothing will be by this preview.
	OutcomeNotSent OutcomeState = "not sent"
	// OutcomeUncertain: it was sent, its answer did not come, and no order with its
	// tag was found yet. It is never sent again.
	OutcomeUncertain OutcomeState = "uncertain"
	// OutcomeNotFound: as uncertain, and no order with its tag was found for so
	// long that it certainly does not exist.
	OutcomeNotFound OutcomeState = "not found"
)

// An Outcome is what became of a submitted preview.
type Outcome struct {
	PreviewID string
	Kind      IntentKind
	Account   AccountID
	State     OutcomeState
	// Orders are what the broker answered, in the ticket's order; the last that is
	// known of them.
	Orders   []OrderState
	Reason   string // why it was not sent or rejected; empty otherwise
	Approval *Approval
	Time     time.Time
}

// An Approval is who approved what, and how.
type Approval struct {
	PreviewID string    `json:"preview_id"`
	Digest    Digest    `json:"digest"`
	Method    string    `json:"method"`
	Grade     Grade     `json:"grade"`
	By        string    `json:"by,omitempty"`
	Note      string    `json:"note,omitempty"`
	Time      time.Time `json:"time"`
}

// What callers of a [Guard] branch on. In each case nothing was sent by this call.
var (
	// ErrRefused: a limit forbids it. The error is a *[RefusedError].
	ErrRefused = errors.New("refused by the guard")
	// ErrKilled: the kill switch is engaged.
	ErrKilled = errors.New("the kill switch is engaged")
	// ErrTradingOff: trading is off, or the settings could not be read.
	ErrTradingOff = errors.New("trading is off")
	// ErrUnknownPreview: there is no such preview, or it has expired.
	ErrUnknownPreview = errors.New("unknown or expired preview")
	// ErrSpent: the preview was submitted or voided before. See the outcome beside it.
	ErrSpent = errors.New("preview already used")
	// ErrSettingsChanged: the settings are not those that hold for this account's
	// money. See [Guard.PrepareSettings].
	ErrSettingsChanged = errors.New("the guard's settings have changed")
	// ErrJournal: the journal cannot be written.
	ErrJournal = errors.New("the journal cannot be written")
)

// A Violation is one limit that an order breaks.
type Violation struct {
	// Limit is its name in the settings: "max_order_loss".
	Limit string `json:"limit"`
	// Message says what was found and what is allowed, for people.
	Message string `json:"message"`
}

// A RefusedError says which limits an order breaks. It is an ErrRefused, and also
// an ErrKilled, ErrTradingOff or ErrSettingsChanged when that is the reason.
type RefusedError struct {
	Violations []Violation
	reason     error
}

func (e *RefusedError) Error() string {
	text := ErrRefused.Error()
	for i, v := range e.Violations {
		if i == 0 {
			text += ": "
		} else {
			text += "; "
		}
		text += v.Message
	}
	return text
}

// Unwrap returns ErrRefused, and the reason if there is one.
func (e *RefusedError) Unwrap() []error {
	if e.reason == nil {
		return []error{ErrRefused}
	}
	return []error{ErrRefused, e.reason}
}

// Has tells whether a limit is among the violations.
func (e *RefusedError) Has(limit string) bool {
	for _, v := range e.Violations {
		if v.Limit == limit {
			return true
		}
	}
	return false
}

func refuse(limit, message string, reason error) *RefusedError {
	return &RefusedError{Violations: []Violation{{limit, message}}, reason: reason}
}
