package strategy

import (
	"encoding/json"
	"math"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/internal/sums"
	"github.com/ttai-go/ttai/market"
)

// stateVersion is that of the snapshots which are read.
const stateVersion = 1

// A snapshot is the state of a session and its strategy.
type snapshot struct {
	Version  int                       `json:"version"`
	Name     string                    `json:"name"`
	Run      string                    `json:"run"`
	Account  string                    `json:"account"`
	Time     time.Time                 `json:"time"`
	Counter  int                       `json:"counter"`
	Day      string                    `json:"day,omitempty"`
	Orders   int                       `json:"orders,omitempty"`
	Halted   string                    `json:"halted,omitempty"`
	Timers   []timer                   `json:"timers,omitempty"`
	Flow     decimal.Decimal           `json:"flow"`
	Base     market.Float              `json:"base"`
	Seen     []string                  `json:"seen,omitempty"`
	Holdings []holdingState            `json:"positions,omitempty"`
	Working  []orderState              `json:"working,omitempty"`
	Later    []followUp                `json:"later,omitempty"`
	Goals    map[market.Symbol]float64 `json:"goals,omitempty"`
	Strategy json.RawMessage           `json:"strategy"`
}

type holdingState struct {
	Symbol     market.Symbol   `json:"symbol"`
	Quantity   decimal.Decimal `json:"quantity"`
	Average    market.Float    `json:"average"`
	Mark       market.Float    `json:"mark"`
	Multiplier float64         `json:"multiplier"`
	Realized   float64         `json:"realized"`
}

type orderState struct {
	State     broker.OrderState `json:"state"`
	Booked    []decimal.Decimal `json:"booked"`
	Child     bool              `json:"child,omitempty"`
	Uncertain bool              `json:"uncertain,omitempty"`
	Sent      time.Time         `json:"sent"`
}

// Snapshot returns the state of the session and of its strategy as JSON, for
// [Session.Start]. It is for drivers, between two events.
func (s *Session) Snapshot() (json.RawMessage, error) {
	state, err := s.strategy.Snapshot()
	if err != nil {
		return nil, err
	}
	out := snapshot{
		Version: stateVersion, Name: s.opts.Name, Run: s.opts.Run, Account: string(s.opts.Account), Time: s.now, Counter: s.orders.counter,
		Orders: s.dayOrders, Halted: s.halted, Timers: s.timers.list, Flow: s.book.flow.Decimal(), Base: market.Float(s.book.base), Strategy: state, Later: s.orders.later, Goals: s.orders.goals,
	}
	if !s.day.IsZero() {
		out.Day = s.day.String()
	}
	for _, id := range slices.Concat(s.book.order[s.book.next:], s.book.order[:s.book.next]) {
		out.Seen = append(out.Seen, id.String())
	}
	for _, p := range s.book.list {
		out.Holdings = append(out.Holdings, holdingState{p.Symbol, p.Exact(), market.Float(p.Average), market.Float(p.mark), p.Multiplier, p.Realized})
	}
	for _, o := range s.orders.working {
		out.Working = append(out.Working, orderState{o.state, decimals(o.booked), o.child, o.uncertain, o.sent})
	}
	return json.Marshal(out)
}

// restore takes up what Snapshot returned.
func (s *Session) restore(data json.RawMessage) error {
	var in snapshot
	if err := json.Unmarshal(data, &in); err != nil {
		return invalid.Fieldf("state", string(data), "a snapshot of a session (%v)", err)
	}
	switch {
	case in.Version != stateVersion:
		return invalid.Fieldf("state.version", in.Version, "%d", stateVersion)
	case in.Name != s.opts.Name:
		return invalid.Fieldf("state.name", in.Name, "the session's own, %s", s.opts.Name)
	case in.Account != string(s.opts.Account):
		return invalid.Missing("state.account", "the session's own account")
	}
	if err := in.sane(); err != nil {
		return err
	}
	if err := s.strategy.Restore(in.Strategy); err != nil {
		return err
	}
	if in.Run == s.opts.Run {
		s.orders.counter = in.Counter
	}
	s.dayOrders, s.halted = in.Orders, in.Halted
	if in.Day != "" {
		day, err := market.ParseDate(in.Day)
		if err != nil {
			return invalid.Field("state.day", in.Day, "a date")
		}
		s.day = day
	}
	s.timers.list, s.orders.later, s.orders.goals = in.Timers, in.Later, in.Goals
	s.book.flow, s.book.base = sums.Of(in.Flow), float64(in.Base)
	for _, id := range in.Seen {
		if id != "" {
			s.book.first(id[0], id[1:])
		}
	}
	for _, h := range in.Holdings {
		p := s.position(h.Symbol)
		p.exact, p.Quantity = sums.Of(h.Quantity), h.Quantity.InexactFloat64()
		p.Average, p.mark, p.Multiplier, p.Realized = float64(h.Average), float64(h.Mark), h.Multiplier, h.Realized
	}
	for _, w := range in.Working {
		if len(w.Booked) != len(w.State.Order.Legs) {
			return invalid.Field("state.working", len(w.Booked), "one quantity for each leg")
		}
		o := &own{state: w.State, child: w.Child, uncertain: w.Uncertain, sent: w.Sent}
		for _, booked := range w.Booked {
			o.booked = append(o.booked, sums.Of(booked))
		}
		s.orders.add(o)
	}
	for _, f := range in.Later {
		if len(f.Order.Legs) != 1 {
			return invalid.Field("state.later", len(f.Order.Legs), "orders of one leg")
		}
	}
	if math.IsNaN(s.book.base) {
		s.book.base = 0
	}
	return nil
}

func decimals(numbers []sums.Number) []decimal.Decimal {
	out := make([]decimal.Decimal, len(numbers))
	for i, n := range numbers {
		out[i] = n.Decimal()
	}
	return out
}

// sane refuses amounts that no account has, and which would take for ever to
// count with.
func (in *snapshot) sane() error {
	amounts := []decimal.Decimal{in.Flow}
	for _, h := range in.Holdings {
		amounts = append(amounts, h.Quantity)
	}
	order := func(o *broker.Order) {
		for _, l := range o.Legs {
			amounts = append(amounts, l.Quantity)
		}
		for _, d := range []*decimal.Decimal{o.Limit, o.Stop, o.Notional} {
			if d != nil {
				amounts = append(amounts, *d)
			}
		}
	}
	for i := range in.Working {
		w := &in.Working[i]
		order(&w.State.Order)
		amounts = append(amounts, w.Booked...)
		for _, l := range w.State.Legs {
			amounts = append(amounts, l.Filled)
		}
	}
	for i := range in.Later {
		order(&in.Later[i].Order)
	}
	for _, d := range amounts {
		if d.Exponent() > 20 || d.Exponent() < -40 || d.NumDigits() > 80 {
			return invalid.Missing("state", "amounts of at most 80 digits and of a usual size")
		}
	}
	return nil
}
