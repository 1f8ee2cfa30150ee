package strategy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/internal/rooms"
	"github.com/ttai-go/ttai/internal/sums"
	"github.com/ttai-go/ttai/market"
)

// mostEnded is how many orders that have ended are kept for what is told late.
const mostEnded = 256

// An own order is one that the strategy sent.
type own struct {
	state     broker.OrderState
	booked    []sums.Number // of each leg: the fills in the book
	credit    []sums.Number // of each leg: what of booked was read and is still to be told
	late      bool          // it was found by its tag
	child     bool          // of a group: it waits for another order, or only takes back
	uncertain bool          // its outcome is not known
	sent      time.Time

	roomBooked [1]sums.Number // for booked
}

// expect makes room for the fills of so many legs.
func (o *own) expect(legs int) {
	if legs == len(o.roomBooked) {
		o.booked = o.roomBooked[:]
		o.booked[0] = sums.Number{}
		return
	}
	o.booked = make([]sums.Number, legs)
}

// nets tells whether what is left of the order will change positions.
func (o *own) nets() bool {
	return !o.child && o.state.Status != broker.Contingent && (o.state.Order.Type == broker.Market || o.state.Order.Type == broker.Limit)
}

// left is the quantity of a leg that is not in the book and will be.
func (o *own) left(leg int) sums.Number {
	if o.state.Status.Terminal() {
		if leg < len(o.state.Legs) {
			return sums.Of(o.state.Legs[leg].Filled).Minus(o.booked[leg])
		}
		return sums.Number{}
	}
	return sums.Of(o.state.Order.Legs[leg].Quantity).Minus(o.booked[leg])
}

// done tells that nothing more will come of it.
func (o *own) done() bool {
	if !o.state.Status.Terminal() || o.uncertain {
		return false
	}
	for i := range o.booked {
		if o.left(i).Sign() > 0 {
			return false
		}
	}
	return true
}

// mostOrphans is how many fills of orders that are not known are kept, in case
// the order turns out to be one whose outcome was not known.
const mostOrphans = 64

// A followUp is an order that is sent when another one has filled.
type followUp struct {
	After string       `json:"after"` // the other's tag
	Order broker.Order `json:"order"`
}

type orderBook struct {
	counter int
	later   []followUp
	goals   map[market.Symbol]float64 // of Target, while orders of the other side end
	orphans []broker.Fill
	working []*own // oldest first
	ended   []*own // the last that have, in the order of their end
	spare   []*own // of which nobody asks any more
	// Those that work, by their names. Those that have ended are few and seldom asked
	// for.
	byTag rooms.Index[string, *own]
	byID  rooms.Index[broker.OrderID, *own]
}

// fresh is an order to fill in: one that was forgotten, if there is one.
func (b *orderBook) fresh() *own {
	n := len(b.spare)
	if n == 0 {
		return &own{}
	}
	o := b.spare[n-1]
	b.spare = b.spare[:n-1]
	*o = own{}
	return o
}

func (b *orderBook) add(o *own) {
	b.working = append(b.working, o)
	b.byTag.Set(o.state.Order.Tag, o)
	if o.state.ID != "" {
		b.byID.Set(o.state.ID, o)
	}
}

// remove forgets an order that does not exist.
func (b *orderBook) remove(o *own) {
	b.working = slices.DeleteFunc(b.working, func(p *own) bool { return p == o })
	b.unname(o)
}

// unname takes an order's names back.
func (b *orderBook) unname(o *own) {
	if named, _ := b.byTag.Get(o.state.Order.Tag); named == o {
		b.byTag.Delete(o.state.Order.Tag)
	}
	if named, _ := b.byID.Get(o.state.ID); named == o {
		b.byID.Delete(o.state.ID)
	}
}

// of is the order of an id; nil when it is none of the strategy's, or ended long
// ago.
func (b *orderBook) of(id broker.OrderID) *own {
	if o, ok := b.byID.Get(id); ok || id == "" {
		return o
	}
	for _, o := range slices.Backward(b.ended) {
		if o.state.ID == id {
			return o
		}
	}
	return nil
}

// tagged is the order of a tag, as of is that of an id.
func (b *orderBook) tagged(tag string) *own {
	if o, ok := b.byTag.Get(tag); ok {
		return o
	}
	for _, o := range slices.Backward(b.ended) {
		if o.state.Order.Tag == tag {
			return o
		}
	}
	return nil
}

// sweep moves what is done out of the way.
func (b *orderBook) sweep() {
	kept := b.working[:0]
	for _, o := range b.working {
		if !o.done() {
			kept = append(kept, o)
			continue
		}
		b.unname(o)
		b.ended = append(b.ended, o)
	}
	clear(b.working[len(kept):])
	b.working = kept
	if over := len(b.ended) - mostEnded; over >= mostEnded/8 {
		for _, o := range b.ended[:over] {
			b.unname(o)
			b.spare = append(b.spare, o)
		}
		left := append(b.ended[:0], b.ended[over:]...)
		clear(b.ended[len(left):])
		b.ended = left
	}
}

func (b *orderBook) find(s *broker.OrderState) *own {
	if o := b.of(s.ID); o != nil {
		return o
	}
	if o := b.tagged(s.Order.Tag); o != nil && (o.state.ID == "" || s.Replaces == o.state.ID) {
		return o
	}
	return nil
}

// update takes a later state of an order.
func (b *orderBook) update(o *own, later *broker.OrderState) {
	if o.state.ID == "" || o.state.ID != later.ID {
		if o.state.ID != "" {
			b.byID.Delete(o.state.ID)
		}
		o.late = o.late || o.uncertain
		o.state, o.uncertain = *later, false
		b.byID.Set(later.ID, o)
		if len(o.booked) != len(later.Order.Legs) {
			o.expect(len(later.Order.Legs))
		}
		for i := range b.orphans {
			if b.orphans[i].Order == later.ID {
				o.count(&b.orphans[i])
			}
		}
		if len(b.orphans) > 0 {
			b.orphans = slices.DeleteFunc(b.orphans, func(f broker.Fill) bool { return f.Order == later.ID })
		}
		return
	}
	if o.state.Status.CanBecome(later.Status) {
		_ = o.state.Follow(later) // what comes late or twice changes nothing
	}
	o.uncertain = false
}

// fills tells whether a fill is of an order of the strategy.
func (b *orderBook) fills(f *broker.Fill) bool { return b.of(f.Order) != nil }

// book counts a fill for its order.
func (b *orderBook) book(f *broker.Fill) {
	o := b.of(f.Order)
	if o == nil {
		if len(b.orphans) == mostOrphans {
			b.orphans = slices.Delete(b.orphans, 0, 1)
		}
		b.orphans = append(b.orphans, *f)
		return
	}
	o.count(f)
	b.sweep()
}

func (o *own) count(f *broker.Fill) {
	for i := range o.state.Order.Legs {
		if o.state.Order.Legs[i].Symbol == f.Symbol && i < len(o.booked) {
			o.booked[i] = o.booked[i].Plus(sums.Of(f.Quantity))
		}
	}
}

// tagBegin is what all tags of a name begin with.
func (s *Session) tagBegin() string { return s.opts.Name + "_" }

func (s *Session) newTag() string {
	s.orders.counter++
	return s.tags.Of(uint64(s.orders.counter))
}

// Place sends a ticket, once, and returns its orders in the ticket's order.
// Orders without a Tag get one. What it opens must be within the budget
// (ErrBudget) and the session not halted (ErrHalted); the other errors are those
// of [broker.Placer] and of [broker.Guard]. None of them ends the run.
//
// After ErrUncertain the order counts as pending until the driver has found out
// what became of it: it is never sent again, and the strategy should not either.
func (s *Session) Place(ticket broker.Ticket) ([]broker.OrderState, error) {
	orders := s.ticketRoom.Take(len(ticket.Orders))
	copy(orders, ticket.Orders)
	return s.place(broker.Ticket{Kind: ticket.Kind, Orders: orders})
}

// place is Place for a ticket that is the session's own.
func (s *Session) place(ticket broker.Ticket) ([]broker.OrderState, error) {
	opens := false
	for i := range ticket.Orders {
		opens = opens || ticket.Orders[i].Opens()
	}
	if opens {
		if err := s.allow(&ticket); err != nil {
			return nil, err
		}
	}
	var room [4]*own // most tickets have no more orders
	sent := room[:0]
	for i := range ticket.Orders {
		o := &ticket.Orders[i]
		if o.Tag == "" {
			o.Tag = s.newTag()
		}
		next := s.orders.fresh()
		next.state.Account, next.state.Order, next.state.Status = s.opts.Account, *o, broker.Received
		next.child = ticket.Kind == broker.OCO || i > 0 && ticket.Kind != broker.Single
		next.sent = s.now
		next.expect(len(o.Legs))
		s.orders.add(next)
		sent = append(sent, next)
	}
	s.count(len(ticket.Orders))
	states, err := s.opts.Broker.Place(s.ctx, s.opts.Account, ticket)
	if err != nil && len(states) == len(sent) { // sent and answered, but not written down
		for i := range states {
			s.learn(sent[i], &states[i])
		}
		return states, err
	}
	if err != nil {
		if certain(err) {
			for _, o := range sent {
				s.orders.remove(o)
			}
			return nil, err
		}
		for _, o := range sent {
			o.uncertain = o.state.ID == "" // an event may have told of it already
		}
		return nil, err
	}
	for i := range states {
		if i < len(sent) {
			s.learn(sent[i], &states[i])
		}
	}
	return states, nil
}

// count counts orders for the day.
func (s *Session) count(n int) {
	if today := s.Date(); s.day != today {
		s.day, s.dayOrders = today, 0
	}
	s.dayOrders += n
}

// certain tells that an error means that nothing was sent or that the broker
// refused.
func certain(err error) bool {
	if errors.Is(err, broker.ErrUncertain) {
		return false
	}
	for _, known := range []error{
		broker.ErrRejected, broker.ErrUnsupported, broker.ErrUnauthorized, broker.ErrUnavailable, broker.ErrUnknownAccount, broker.ErrUnknownOrder,
		broker.ErrTooLate, broker.ErrRefused, broker.ErrKilled, broker.ErrTradingOff, broker.ErrSettingsChanged, broker.ErrApprovalRequired, broker.ErrDeclined,
		broker.ErrUnknownPreview,
	} {
		if errors.Is(err, known) {
			return true
		}
	}
	_, field := errors.AsType[*broker.FieldError](err)
	return field
}

// learn takes what the broker answered about an order, its fills included.
func (s *Session) learn(o *own, state *broker.OrderState) {
	s.orders.update(o, state)
	for i := range state.Fills {
		s.fill(&state.Fills[i])
	}
	s.orders.sweep()
}

// Cancel asks for one of the strategy's orders to end. It has ended when an
// OrderEvent says so.
func (s *Session) Cancel(id broker.OrderID) error {
	state, err := s.opts.Broker.Cancel(s.ctx, s.opts.Account, id)
	if err != nil {
		return err
	}
	if o := s.orders.of(id); o != nil {
		s.learn(o, state)
	}
	return nil
}

// Replace puts an order with another price, quantity or duration in the place of
// a working one, once. Without a Tag it gets one.
func (s *Session) Replace(id broker.OrderID, with broker.Order) (*broker.OrderState, error) {
	old := s.orders.of(id)
	if old == nil {
		return nil, fmt.Errorf("strategy: order %s is none of the strategy's: %w", id, broker.ErrUnknownOrder)
	}
	if with.Opens() {
		grows := broker.NewTicket(with)
		child := old.child
		old.child = true // what it would do, the new one does in its place
		err := s.allow(&grows)
		if old.child = child; err != nil {
			return nil, err
		}
	}
	if with.Tag == "" {
		with.Tag = s.newTag()
	}
	s.count(1)
	state, err := s.opts.Broker.Replace(s.ctx, s.opts.Account, id, with)
	if err != nil {
		if !certain(err) {
			unknown := &own{
				state: broker.OrderState{Account: s.opts.Account, Order: with, Status: broker.Received, Replaces: id},
				child: true, uncertain: true, sent: s.now,
			}
			unknown.expect(len(with.Legs))
			s.orders.add(unknown)
		}
		return nil, err
	}
	if state.ID == id {
		s.learn(old, state)
		return state, nil
	}
	next := s.orders.of(state.ID)
	if next == nil {
		next = &own{state: broker.OrderState{Order: with}, child: old.child, sent: s.now}
		next.expect(len(with.Legs))
		s.orders.add(next)
	}
	old.state.Status, old.state.ReplacedBy = broker.Replaced, state.ID
	s.learn(next, state)
	return state, nil
}

// Pending is the signed quantity of a symbol that working market and limit orders
// of the strategy will trade if they fill: with the position it is what will be
// held. Stops, and orders that wait for another one, do not count.
func (s *Session) Pending(symbol market.Symbol) float64 {
	if len(s.orders.working) == 0 && len(s.orders.later) == 0 {
		return 0
	}
	var sum sums.Number
	for i := range s.orders.later {
		if l := &s.orders.later[i].Order.Legs[0]; l.Symbol == symbol {
			sum = sum.Plus(sums.Of(l.Quantity).Signed(l.Action.Sign()))
		}
	}
	for _, o := range s.orders.working {
		if !o.nets() {
			continue
		}
		for i := range o.state.Order.Legs {
			if l := &o.state.Order.Legs[i]; l.Symbol == symbol {
				sum = sum.Plus(o.left(i).Signed(l.Action.Sign()))
			}
		}
	}
	return sum.Float()
}

// held is what the account holds for certain: the position, and what orders that
// have ended filled whose fills were not told yet.
func (s *Session) held(symbol market.Symbol) float64 {
	sum := s.Position(symbol).Quantity
	for _, o := range s.orders.working {
		if !o.state.Status.Terminal() {
			continue
		}
		for i, l := range o.state.Order.Legs {
			if l.Symbol == symbol {
				sum += o.left(i).Float() * float64(l.Action.Sign())
			}
		}
	}
	return sum
}

// Busy tells whether any order of the strategy works, or may.
func (s *Session) Busy() bool { return len(s.orders.working) > 0 }

// Working returns the strategy's orders that may still fill, oldest first.
func (s *Session) Working() []broker.OrderState {
	var out []broker.OrderState
	for _, o := range s.orders.working {
		if !o.state.Status.Terminal() && !o.uncertain {
			out = append(out, o.state)
		}
	}
	return out
}

// Uncertain returns the tags of orders whose outcome is not known.
func (s *Session) Uncertain() []string {
	var tags []string
	for _, o := range s.orders.working {
		if o.uncertain {
			tags = append(tags, o.state.Order.Tag)
		}
	}
	return tags
}

// Resolve looks for the orders whose outcome is not known by their tags. One that
// is found is the strategy's again; one that is not found and was sent longer ago
// than patience does not exist. It is for drivers.
func (s *Session) Resolve(ctx context.Context, now time.Time, patience time.Duration) error {
	for _, o := range slices.Clone(s.orders.working) {
		if !o.uncertain {
			continue
		}
		found, err := s.opts.Broker.Orders(ctx, s.opts.Account, broker.OrdersQuery{Tag: o.state.Order.Tag})
		if err != nil {
			return fmt.Errorf("strategy: looking for order %s: %w", o.state.Order.Tag, err)
		}
		switch {
		case len(found) > 0:
			if o.state.Replaces != "" {
				if old := s.orders.of(o.state.Replaces); old != nil && found[0].ID != old.state.ID {
					old.state.Status, old.state.ReplacedBy = broker.Replaced, found[0].ID
					o.child = old.child
				}
			}
			s.learn(o, &found[0])
		case now.Sub(o.sent) > patience:
			s.orders.remove(o)
			s.Log("order %s was never received", o.state.Order.Tag)
		}
	}
	return nil
}

// follow sends what waits for an order, when that has filled.
func (s *Session) follow(o *own) {
	if !o.state.Status.Terminal() {
		return
	}
	if len(s.orders.goals) > 0 && len(o.state.Order.Legs) == 1 {
		symbol := o.state.Order.Legs[0].Symbol
		if goal, ok := s.orders.goals[symbol]; ok {
			if _, err := s.Target(symbol, goal); err != nil {
				s.Log("going to %v %s: %v", goal, symbol, err)
			}
		}
	}
	if len(s.orders.later) == 0 {
		return
	}
	tag := o.state.Order.Tag
	var due []followUp
	s.orders.later = slices.DeleteFunc(s.orders.later, func(f followUp) bool {
		if f.After == tag {
			due = append(due, f)
		}
		return f.After == tag
	})
	if o.state.Status != broker.Filled {
		return // what it was to close is still there
	}
	for _, f := range due {
		if _, err := s.Submit(f.Order); err != nil {
			s.Log("order for %v %s: %v", f.Order.Legs[0].Quantity, f.Order.Legs[0].Symbol, err)
		}
	}
}

// note brings the book up to date, and tells whether the strategy is to be told.
func (s *Session) note(e *Event) bool {
	switch e.Kind {
	case OrderEvent:
		o := s.orders.find(e.Order)
		if o == nil {
			return false
		}
		s.learn(o, e.Order)
		s.follow(o)
	case FillEvent:
		e.Symbol = e.Fill.Symbol
		return s.fill(e.Fill)
	case AccountEvent:
		e.Symbol = e.Transaction.Symbol
		return s.transact(e.Transaction)
	}
	return true
}

// adopt takes the broker's word for the orders: those that work and those that no
// longer do.
func (b *orderBook) adopt(ctx context.Context, s *Session, working []broker.OrderState) error {
	seen := map[*own]bool{}
	for i := range slices.Backward(working) { // oldest first
		w := &working[i]
		o := b.find(w)
		if o == nil {
			if !strings.HasPrefix(w.Order.Tag, s.tagBegin()) {
				continue
			}
			o = &own{state: broker.OrderState{Order: w.Order}, sent: w.Received}
			o.expect(len(w.Order.Legs))
			o.child = w.Status == broker.Contingent || w.Group != "" && !w.Order.Opens()
			b.add(o)
		}
		b.reread(s, o, w)
		seen[o] = true
	}
	for _, o := range slices.Clone(b.working) {
		if seen[o] || o.uncertain || o.state.ID == "" {
			continue
		}
		state, err := s.opts.Broker.Order(ctx, s.opts.Account, o.state.ID)
		if errors.Is(err, broker.ErrUnknownOrder) {
			b.remove(o)
			continue
		}
		if err != nil {
			return fmt.Errorf("strategy: reading order %s: %w", o.state.ID, err)
		}
		b.reread(s, o, state)
	}
	known := map[string]*own{}
	for _, o := range slices.Concat(b.ended, b.working) {
		known[o.state.Order.Tag] = o
	}
	b.sweep()
	for _, f := range slices.Clone(b.later) {
		if o := known[f.After]; o != nil {
			s.follow(o)
		} else {
			b.later = slices.DeleteFunc(b.later, func(g followUp) bool { return g.After == f.After })
		}
	}
	return nil
}

// reread takes a state together with positions that hold all its fills.
func (b *orderBook) reread(s *Session, o *own, state *broker.OrderState) {
	b.update(o, state)
	listed := make([]sums.Number, len(o.booked))
	for _, f := range state.Fills {
		s.book.first('f', f.ID)
		for i, l := range o.state.Order.Legs {
			if l.Symbol == f.Symbol {
				listed[i] = listed[i].Plus(sums.Of(f.Quantity))
			}
		}
	}
	o.credit = make([]sums.Number, len(o.booked))
	for i := range o.booked {
		if i >= len(state.Legs) {
			continue
		}
		filled := sums.Of(state.Legs[i].Filled)
		if !listed[i].Equal(filled) { // which ones they were is not told
			if more := filled.Minus(o.booked[i]); more.Sign() > 0 {
				o.credit[i] = more
			}
		}
		o.booked[i] = filled
	}
}
