package broker

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/market"
)

// message is what is approved and sent. Its JSON are the exact bytes: they are made
// once, stored, hashed, and read again for everything that follows.
type message struct {
	Version     int         `json:"version"`
	Kind        IntentKind  `json:"kind"`
	Environment Environment `json:"environment"`
	Account     AccountID   `json:"account,omitempty"`
	Group       GroupKind   `json:"group,omitempty"`
	Orders      []wireOrder `json:"orders,omitempty"` // of a ticket; of a replacement the one
	Order       OrderID     `json:"order,omitempty"`  // to cancel or replace
	Subject     string      `json:"subject,omitempty"`
	Protects    bool        `json:"protects,omitempty"` // what is replaced limits the loss of a position
}

func (m *message) ticket() Ticket {
	t := Ticket{Kind: m.Group}
	for _, o := range m.Orders {
		t.Orders = append(t.Orders, o.order())
	}
	return t
}

func (m *message) setTicket(t Ticket) {
	m.Group, m.Orders = t.Kind, nil
	for _, o := range t.Orders {
		m.Orders = append(m.Orders, newWireOrder(o))
	}
}

func (m *message) tags() []string {
	tags := make([]string, 0, len(m.Orders))
	for _, o := range m.Orders {
		tags = append(tags, o.Tag)
	}
	return tags
}

func (m *message) bytes() ([]byte, Digest, error) {
	data, err := json.Marshal(m)
	return data, sha256.Sum256(data), err
}

type wireOrder struct {
	Tag           string           `json:"tag"`
	Legs          []wireLeg        `json:"legs"`
	Type          OrderType        `json:"type"`
	Limit         *decimal.Decimal `json:"limit,omitempty"`
	Stop          *decimal.Decimal `json:"stop,omitempty"`
	TrailAmount   *decimal.Decimal `json:"trail_amount,omitempty"`
	TrailPercent  *decimal.Decimal `json:"trail_percent,omitempty"`
	Notional      *decimal.Decimal `json:"notional,omitempty"`
	TimeInForce   TimeInForce      `json:"time_in_force"`
	GoodTill      string           `json:"good_till,omitempty"`
	ExtendedHours bool             `json:"extended_hours,omitempty"`
}

type wireLeg struct {
	Symbol   market.Symbol   `json:"symbol"`
	Action   Action          `json:"action"`
	Quantity decimal.Decimal `json:"quantity"`
}

func newWireOrder(o Order) wireOrder {
	w := wireOrder{
		Tag: o.Tag, Type: o.Type, Limit: o.Limit, Stop: o.Stop, Notional: o.Notional,
		TimeInForce: o.Duration(), ExtendedHours: o.ExtendedHours,
	}
	for _, l := range o.Legs {
		w.Legs = append(w.Legs, wireLeg(l))
	}
	if o.Trail != nil {
		w.TrailAmount, w.TrailPercent = o.Trail.Amount, o.Trail.Percent
	}
	if !o.GoodTill.IsZero() {
		w.GoodTill = o.GoodTill.String()
	}
	return w
}

func (w wireOrder) order() Order {
	o := Order{
		Tag: w.Tag, Type: w.Type, Limit: w.Limit, Stop: w.Stop, Notional: w.Notional,
		TimeInForce: w.TimeInForce, ExtendedHours: w.ExtendedHours,
	}
	for _, l := range w.Legs {
		o.Legs = append(o.Legs, Leg(l))
	}
	if w.TrailAmount != nil || w.TrailPercent != nil {
		o.Trail = &Trail{Amount: w.TrailAmount, Percent: w.TrailPercent}
	}
	if w.GoodTill != "" {
		o.GoodTill, _ = market.ParseDate(w.GoodTill) // what it was made from
	}
	return o
}

// wireState is an [OrderState] in a record or the journal.
type wireState struct {
	ID         OrderID    `json:"id"`
	Account    AccountID  `json:"account,omitempty"`
	Group      string     `json:"group,omitempty"`
	Order      wireOrder  `json:"order"`
	Status     Status     `json:"status"`
	Reason     string     `json:"reason,omitempty"`
	Legs       []LegState `json:"legs,omitempty"`
	Replaces   OrderID    `json:"replaces,omitempty"`
	ReplacedBy OrderID    `json:"replaced_by,omitempty"`
	Received   time.Time  `json:"received,omitzero"`
	Updated    time.Time  `json:"updated,omitzero"`
	Ended      time.Time  `json:"ended,omitzero"`
}

func newWireStates(states []OrderState) []wireState {
	out := make([]wireState, 0, len(states))
	for _, s := range states {
		out = append(out, wireState{
			ID: s.ID, Account: s.Account, Group: s.Group, Order: newWireOrder(s.Order), Status: s.Status, Reason: s.Reason,
			Legs: s.Legs, Replaces: s.Replaces, ReplacedBy: s.ReplacedBy, Received: s.Received, Updated: s.Updated, Ended: s.Ended,
		})
	}
	return out
}

func orderStates(wire []wireState) []OrderState {
	out := make([]OrderState, 0, len(wire))
	for _, s := range wire {
		out = append(out, OrderState{
			ID: s.ID, Account: s.Account, Group: s.Group, Order: s.Order.order(), Status: s.Status, Reason: s.Reason,
			Legs: s.Legs, Replaces: s.Replaces, ReplacedBy: s.ReplacedBy, Received: s.Received, Updated: s.Updated, Ended: s.Ended,
		})
	}
	return out
}

// A stage is where a preview stands. It moves forward only, by compare-and-set.
type stage string

const (
	stageReady   stage = "ready"
	stageClaimed stage = "claimed" // spent; nothing was sent while it is this
	stageSending stage = "sending" // from here on it may have been sent
	stageEnded   stage = "ended"   // Outcome says how
)

// record is a preview in the shared state.
type record struct {
	ID       string       `json:"id"`
	Kind     IntentKind   `json:"kind"`
	Account  AccountID    `json:"account,omitempty"`
	Bytes    []byte       `json:"bytes"`
	Created  time.Time    `json:"created"`
	Expires  time.Time    `json:"expires"`
	Shown    shown        `json:"shown"`
	Stage    stage        `json:"stage"`
	Moved    time.Time    `json:"moved"` // when Stage was reached
	Evidence *Evidence    `json:"evidence,omitempty"`
	Approval *Approval    `json:"approval,omitempty"`
	Outcome  OutcomeState `json:"outcome,omitempty"`
	Orders   []wireState  `json:"orders,omitempty"`
	Reason   string       `json:"reason,omitempty"`

	version uint64
}

// shown is what a person was told, to be compared with what holds when the order
// is sent.
type shown struct {
	Loss           *decimal.Decimal `json:"loss,omitempty"`
	Unbounded      bool             `json:"unbounded,omitempty"`
	Notional       *decimal.Decimal `json:"notional,omitempty"`
	BuyingPower    *decimal.Decimal `json:"buying_power,omitempty"`
	After          *decimal.Decimal `json:"buying_power_after,omitempty"`
	Fees           *Fees            `json:"fees,omitempty"`
	Warnings       []Notice         `json:"warnings,omitempty"`
	RiskIncreasing bool             `json:"risk_increasing"`
	Grade          Grade            `json:"grade"`
}

func (r *record) digest() Digest { return sha256.Sum256(r.Bytes) }

func (r *record) message() (*message, error) {
	var m message
	if err := json.Unmarshal(r.Bytes, &m); err != nil {
		return nil, fmt.Errorf("broker: stored preview %s is damaged: %w", r.ID, err)
	}
	return &m, nil
}

func (r *record) outcome() *Outcome {
	out := &Outcome{
		PreviewID: r.ID, Kind: r.Kind, Account: r.Account, State: r.Outcome,
		Orders: orderStates(r.Orders), Reason: r.Reason, Approval: r.Approval, Time: r.Moved,
	}
	if r.Stage != stageEnded && r.Outcome != OutcomeUncertain {
		out.State = OutcomeSending
	}
	return out
}
