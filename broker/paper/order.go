package paper

import (
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/internal/sums"
)

// An order is one order of one account.
type order struct {
	seq    uint64 // its number, from 1, in the exchange's list
	name   broker.OrderID
	acct   *account
	group  *group
	spec   broker.Order
	status broker.Status
	reason string
	legs   []leg
	fills  []broker.Fill
	states []broker.LegState // of legs, as others get to see them where events are brief; nil: not written down

	total   decimal.Decimal // units; of a notional order unknown, zero, until it fills
	done    decimal.Decimal
	allowed decimal.Decimal // what it may fill in all: less than total once another of its OCO filled

	limit   float64 // one leg: the positive price; several: the least credit
	stop    float64
	extreme float64 // of a trailing stop: the best price seen; NaN before any

	triggered bool
	waiting   bool // for its venue to open, before it is routed
	live      bool // reached the book
	gated     bool // live, and out of the book while its venue is closed
	held      bool // live from the next bar on
	tried     bool // has been in the book while prices were there
	recheck   bool // its buying power was not known when it was taken
	decided   bool // Options.Units said how many units it is for

	rank  uint64 // time priority
	place place
	key   float64
	combo *combo

	replaces, replacedBy *order
	atReplace            decimal.Decimal // what the replaced order had filled when the replacement was asked for
	reserve              decimal.Decimal // buying power bound by it while it is unfilled: see bound
	debt                 *debt           // or how to count it; nil: it is counted

	received, updated, ended int64
	end                      int64 // when its time in force is over; 0: never

	// Room for what an order of one leg that fills at once needs.
	roomLegs   [1]leg
	roomSpec   [1]broker.Leg
	roomBefore [1]broker.LegState // unfilled
	roomAfter  [1]broker.LegState
	roomFills  [1]broker.Fill
	roomFees   broker.Fees
}

type leg struct {
	book   *book
	sign   int64
	ratio  decimal.Decimal // of one unit
	weight decimal.Decimal // of its price in the net price: ratio × multiplier / scale
	filled decimal.Decimal
	value  sums.Number // Σ quantity × price
	size   *float64    // of the quote that fills it now; nil: unlimited
}

func (o *order) id() broker.OrderID {
	if o.name == "" && o.seq != 0 {
		o.name = broker.OrderID(strconv.FormatUint(o.seq, 10))
	}
	return o.name
}

func (o *order) buys() bool   { return o.legs[0].sign > 0 }
func (o *order) single() bool { return len(o.legs) == 1 }

func (o *order) limited() bool {
	return o.spec.Type == broker.Limit || o.spec.Type == broker.StopLimit
}

func (o *order) stopped() bool {
	return o.spec.Type == broker.Stop || o.spec.Type == broker.StopLimit
}

func (o *order) trailing() bool { return o.spec.Type == broker.TrailingStop }

func (o *order) immediate() bool {
	return o.spec.Duration() == broker.IOC || o.spec.Duration() == broker.OnOpen
}

// scale is what a net price is multiplied with to get the money of one unit: the
// greatest multiplier of the legs. A net price is so one per share wherever
// options take part: shares at 277 with a call sold at 0.60 cost 276.40.
func (o *order) scale() decimal.Decimal {
	scale := o.legs[0].book.terms.multiplier
	for i := range o.legs {
		scale = decimal.Max(scale, o.legs[i].book.terms.multiplier)
	}
	return scale
}

// left is how many units may still fill.
func (o *order) left() decimal.Decimal {
	if o.done.Sign() == 0 {
		return o.allowed
	}
	return o.allowed.Sub(o.done)
}

// gate tells whether the order may trade in the phases its venues are in.
func (o *order) gate() bool {
	if o.spec.Duration() == broker.OnClose {
		return false // it trades at the close, and never before
	}
	return o.open()
}

// open tells whether the order can be sent on.
func (o *order) open() bool {
	least := regular
	if o.spec.ExtendedHours {
		least = extended
	}
	for i := range o.legs {
		if o.legs[i].book.venue.now.phase < least {
			return false
		}
	}
	return true
}

// follow moves a trailing stop with the price and reports whether it moved.
func (o *order) follow(price float64) bool {
	if math.IsNaN(price) || price == o.extreme || (o.buys() && price > o.extreme) || (!o.buys() && price < o.extreme) {
		return false
	}
	o.extreme = price
	o.stop = trailStop(price, o.spec.Trail, o.buys())
	return true
}

// trailStop is the stop of a trail whose best price is extreme, to a millionth.
func trailStop(extreme float64, trail *broker.Trail, buys bool) float64 {
	var distance float64
	if trail.Amount != nil {
		distance = trail.Amount.InexactFloat64()
	} else {
		distance = extreme * trail.Percent.InexactFloat64() / 100
	}
	if !buys {
		distance = -distance
	}
	return math.Round((extreme+distance)*1e6) / 1e6
}

// set puts the order into a state and tells everyone.
func (x *Exchange) set(o *order, s broker.Status, reason string) {
	if o.status == s || !o.status.CanBecome(s) {
		return
	}
	o.status = s
	if reason != "" {
		o.reason = reason
	}
	o.updated = x.now
	if s.Terminal() {
		o.ended = x.now
		o.reserve = decimal.Zero
		x.forgive(o)
	}
	x.tellOrder(o)
}

// state is what others get to see.
func (x *Exchange) state(o *order) (s broker.OrderState) {
	x.describe(o, &s)
	return s
}

// describe writes it down.
func (x *Exchange) describe(o *order, s *broker.OrderState) {
	s.ID, s.Account, s.Order, s.Status, s.Reason = o.id(), o.acct.info.ID, x.show(o), o.status, o.reason
	s.Legs, s.Received, s.Updated = x.legStates(o), x.at(o.received), x.at(o.updated)
	s.Group, s.Fills, s.Replaces, s.ReplacedBy, s.Ended = "", nil, "", "", time.Time{}
	if o.group != nil {
		s.Group = o.group.id()
	}
	if x.opts.Brief && len(o.fills) > 0 {
		s.Fills = o.fills[:len(o.fills):len(o.fills)]
	} else {
		for _, f := range o.fills {
			s.Fills = append(s.Fills, copyFill(f))
		}
	}
	if o.replaces != nil {
		s.Replaces = o.replaces.id()
	}
	if o.replacedBy != nil {
		s.ReplacedBy = o.replacedBy.id()
	}
	if o.ended != 0 {
		s.Ended = x.at(o.ended)
	}
}

// legStates are the order's legs as others get to see them. Where events are
// brief, all that are told before the next fill share one list.
func (x *Exchange) legStates(o *order) []broker.LegState {
	if o.states != nil {
		return o.states
	}
	var states []broker.LegState
	switch {
	case !x.opts.Brief || !o.single() || len(o.fills) > 1:
		states = make([]broker.LegState, len(o.legs))
	case len(o.fills) == 1:
		states = o.roomAfter[:]
	default:
		states = o.roomBefore[:]
	}
	for i := range o.legs {
		l := &o.legs[i]
		states[i] = broker.LegState{Symbol: l.book.symbol, Filled: l.filled}
		if !l.filled.IsZero() {
			states[i].Average = o.average(l)
		}
	}
	if x.opts.Brief {
		o.states = states
		return states
	}
	for i := range states {
		states[i].Average = copyDecimal(states[i].Average)
	}
	return states
}

// show is the order as others get to see it. Where events are brief, all of them
// share its legs, which are not changed but replaced.
func (x *Exchange) show(o *order) broker.Order {
	if !x.opts.Brief {
		return copyOrder(o.spec)
	}
	return o.spec
}

// average is the price that a leg filled at: that of the fill when there is one.
func (o *order) average(l *leg) *decimal.Decimal {
	if len(o.fills) == 1 && o.single() && o.fills[0].Price.Exponent() >= -int32(decimal.DivisionPrecision) {
		return &o.fills[0].Price
	}
	average := l.value.Decimal().Div(l.filled)
	return &average
}

func copyFill(f broker.Fill) broker.Fill {
	f.Fees = copyFees(f.Fees)
	return f
}

func copyFees(f *broker.Fees) *broker.Fees {
	if f == nil {
		return nil
	}
	fees := *f
	return &fees
}

func copyOrder(o broker.Order) broker.Order {
	o.Legs = append([]broker.Leg(nil), o.Legs...)
	copyAmounts(&o)
	return o
}

// copyAmounts makes what an order points to its own.
func copyAmounts(o *broker.Order) {
	o.Limit, o.Stop, o.Notional = copyDecimal(o.Limit), copyDecimal(o.Stop), copyDecimal(o.Notional)
	if o.Trail != nil {
		o.Trail = &broker.Trail{Amount: copyDecimal(o.Trail.Amount), Percent: copyDecimal(o.Trail.Percent)}
	}
}

func copyDecimal(d *decimal.Decimal) *decimal.Decimal {
	if d == nil {
		return nil
	}
	c := *d
	return &c
}

// activate lets an order that was received take its way to the book: at once when
// there is no latency, and otherwise in stages.
func (x *Exchange) activate(o *order) {
	if !o.status.CanFill() {
		return
	}
	if o.status == broker.Contingent {
		x.set(o, broker.Received, "")
	}
	if x.cheats(o) {
		x.cheat(o)
		return
	}
	if o.waiting = !o.open() && o.spec.Duration() != broker.OnClose; o.waiting {
		x.waiting = append(x.waiting, o)
		return
	}
	x.next(o, x.opts.Latency.Route)
}

// next schedules the order's next stage, or takes it at once.
func (x *Exchange) next(o *order, after time.Duration) {
	if delay := x.delay(after); delay > 0 {
		x.schedule(event{At: x.now + int64(delay), Rank: rankStage, Kind: eventStage, Order: o.seq})
		return
	}
	x.stage(o)
}

// delay adds the random part.
func (x *Exchange) delay(d time.Duration) time.Duration {
	if x.opts.Latency.Jitter > 0 && d > 0 {
		d += time.Duration(x.random.Int64N(int64(x.opts.Latency.Jitter)))
	}
	return d
}

// stage takes an order from received to routed, and from routed to live.
func (x *Exchange) stage(o *order) {
	switch o.status {
	case broker.Received:
		x.set(o, broker.Routed, "")
		x.next(o, x.opts.Latency.Live)
	case broker.Routed:
		x.set(o, broker.Live, "")
		x.enliven(o)
	case broker.CancelRequested, broker.ReplaceRequested:
		if !o.live { // asked for on the way: it still arrives
			x.enliven(o)
		}
	}
}

// enliven puts the order into the book, or behind the gate of its venue.
func (x *Exchange) enliven(o *order) {
	o.live = true
	o.rank = x.nextSeq()
	x.working = append(x.working, o)
	x.admit(o)
}

// admit puts a live order into the book when it may trade now.
func (x *Exchange) admit(o *order) {
	if o.place != nowhere || !o.live || o.status.Terminal() {
		return
	}
	if x.holding {
		o.held = true
		x.held = append(x.held, o)
		return
	}
	if o.held {
		return
	}
	if o.gated = !o.gate(); o.gated {
		return
	}
	x.insert(o)
}

func (x *Exchange) insert(o *order) {
	if !o.single() {
		c := x.comboOf(o)
		c.put(o)
		c.fresh = append(c.fresh, o)
		x.dirty = append(x.dirty, o.legs[0].book)
		return
	}
	b := o.legs[0].book
	if o.trailing() && !o.triggered {
		o.follow(b.reference(o.buys(), x.opts.Trigger))
	}
	b.fresh = append(b.fresh, o)
	b.put(o)
	x.dirty = append(x.dirty, b)
}

// reference is the price a trailing stop starts from.
func (b *book) reference(buy bool, t Trigger) float64 {
	if t != TriggerTrade || b.inBar {
		if p := b.touch(buy); !math.IsNaN(p) {
			return p
		}
	}
	return b.last
}

// pull takes an order out of its book.
func (x *Exchange) pull(o *order) {
	switch {
	case o.place == nowhere:
	case o.place == inCombo:
		c := o.combo
		c.take(o)
		if len(c.markets) == 0 && len(c.limits.keys) == 0 {
			delete(x.combos, c.key)
		}
	default:
		o.legs[0].book.take(o)
	}
}

// regate moves orders in and out of the books when a venue opened or closed.
func (x *Exchange) regate() {
	waiting := x.waitingOrders()
	kept := x.working[:0]
	var in []*order
	for _, o := range x.working {
		if o.status.Terminal() {
			continue
		}
		kept = append(kept, o)
		if o.gate() {
			in = append(in, o)
		} else if o.place != nowhere {
			x.pull(o)
			o.gated = true
		}
	}
	clear(x.working[len(kept):])
	x.working = kept
	for _, o := range in {
		x.admit(o)
	}
	for _, o := range waiting {
		if o.open() {
			x.activate(o)
		}
	}
}

// waitingOrders are those that wait for their venue to open, and drops the others.
func (x *Exchange) waitingOrders() []*order {
	kept := x.waiting[:0]
	for _, o := range x.waiting {
		if o.waiting && !o.status.Terminal() {
			kept = append(kept, o)
		}
	}
	clear(x.waiting[len(kept):])
	x.waiting = kept
	return append([]*order(nil), kept...)
}

// finish ends an order.
func (x *Exchange) finish(o *order, s broker.Status, reason string) {
	if o.status.Terminal() {
		return
	}
	x.pull(o)
	o.waiting, o.held, o.gated = false, false, false
	x.set(o, s, reason)
	x.ended(o)
}

// timeOver ends an order whose time in force is over.
func (x *Exchange) timeOver(o *order) {
	if o.status.Terminal() || o.end == 0 || x.now < o.end {
		return
	}
	if b := o.legs[0].book; b.venue.name == venueAlways && o.spec.Duration() == broker.Day && b.dataAt <= o.received {
		// Where days are those of the data, one without data does not count.
		o.end = b.venue.hours.segment(x.time()).until.UnixNano()
		x.scheduleEnd(o)
		return
	}
	x.finish(o, broker.Expired, "time in force is over")
}

func (x *Exchange) scheduleEnd(o *order) {
	if o.end != 0 {
		x.schedule(event{At: o.end, Rank: rankEnd, Kind: eventEnd, Order: o.seq})
	}
}

func sortByRank(list []*order) {
	slices.SortFunc(list, func(a, b *order) int {
		if a.rank < b.rank {
			return -1
		}
		return 1
	})
}
