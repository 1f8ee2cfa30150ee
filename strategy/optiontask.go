package strategy

import (
	"cmp"
	"errors"
	"math"
	"slices"
	"time"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
)

// What a task is for.
const (
	taskOpen   = "open"
	taskClose  = "close"
	taskRoll   = "roll"
	taskDefend = "defend"
	taskHedge  = "hedge"
)

// pauseAfter is how long nothing is opened after an order was given up or refused.
const pauseAfter = 15 * time.Minute

const repriceTimer = "reprice"

// A task brings positions to where they should be, with one order at a time. It
// says what is to be held, not what is to be traded: what has filled, what is
// pending and what was started before a restart count by themselves, and nothing
// is traded twice.
type task struct {
	Kind   string                    `json:"kind"`
	Reason string                    `json:"reason"`
	Target map[market.Symbol]float64 `json:"target"`
	Step   int                       `json:"step,omitempty"`   // how often the price was conceded
	Urgent bool                      `json:"urgent,omitempty"` // begins at the price that fills at once
	Market bool                      `json:"market,omitempty"`
	Order  broker.OrderID            `json:"order,omitempty"` // the latest
	Giving bool                      `json:"giving,omitempty"`
	Asked  bool                      `json:"asked,omitempty"` // to cancel it
	Entry  *entry                    `json:"entry,omitempty"` // of what it opens
}

// An entry is what stops compare with later; NaN is not known.
type entry struct {
	Delta market.Float `json:"delta"` // largest delta of what is sold, without sign
	Vol   market.Float `json:"vol"`   // mean volatility
}

// yields tells whether the task gives up when the market does not come to it.
// What closes goes on.
func (t *task) yields() bool { return t.Kind != taskClose }

// left is what is still to be traded, by symbol: closings of what is held on the
// other side come before what opens. Options come first when something closes,
// shares when all opens.
func (o *optionStrategy) left(s *Session, t *task) []broker.Leg {
	type move struct {
		leg    broker.Leg
		option bool
	}
	var moves []move
	for symbol, target := range t.Target {
		held := s.Position(symbol).Quantity - o.state.Foreign[symbol]
		by := target - held - s.Pending(symbol)
		if math.Abs(by) < 1e-9 {
			continue
		}
		action := broker.BuyToOpen
		switch {
		case by < 0 && held > 0:
			action, by = broker.SellToClose, max(by, -held)
		case by < 0:
			action = broker.SellToOpen
		case held < 0:
			action, by = broker.BuyToClose, min(by, -held)
		}
		moves = append(moves, move{NewLeg(action, symbol, math.Abs(by)), symbol.Kind() == market.KindOption})
	}
	closing := slices.ContainsFunc(moves, func(m move) bool { return !m.leg.Action.Opens() && m.option })
	rank := func(m move) int {
		switch {
		case m.option && !m.leg.Action.Opens():
			return 0
		case !m.option && closing:
			return 3
		case !m.option:
			return 1
		}
		return 2
	}
	slices.SortFunc(moves, func(a, b move) int {
		return cmp.Or(rank(a)-rank(b), b.leg.Action.Sign()-a.leg.Action.Sign(), cmp.Compare(a.leg.Symbol, b.leg.Symbol))
	})
	var legs []broker.Leg
	for _, m := range moves {
		legs = append(legs, m.leg)
	}
	can := s.Broker().Capabilities()
	most := max(1, min(can.MaxLegs, broker.MaxLegs))
	mixed := slices.ContainsFunc(moves, func(m move) bool { return m.option }) && slices.ContainsFunc(moves, func(m move) bool { return !m.option })
	if len(legs) <= most && (!mixed || can.Mixed) {
		return legs
	}
	n := 1 // those that belong together: what closes, the shares, what opens
	for n < len(moves) && n < most && rank(moves[n]) == rank(moves[0]) {
		n++
	}
	return legs[:n]
}

// order returns the order for legs at the task's price, or why there is none.
func (v *view) order(t *task, legs []broker.Leg) (broker.Order, string) {
	mid, nat, most := 0.0, 0.0, 1.0
	for _, l := range legs {
		bid, ask, size := v.sides(l.Symbol)
		if unknownNumber(bid + ask) {
			return broker.Order{}, "no sound quote of " + string(l.Symbol)
		}
		n := l.Quantity.InexactFloat64() * size
		if l.Action.Sign() > 0 {
			nat += n * ask
		} else {
			n = -n
			nat += n * bid
		}
		mid += n * (bid + ask) / 2
		most = max(most, size)
	}
	if t.Market || v.p.Pricing == PriceAtMarket {
		return NetOrder(nil, legs...), ""
	}
	order := NetOrder(nil, legs...)
	part := min(1, v.p.Concession*float64(t.Step))
	if t.Urgent || v.p.Pricing == PriceAtNatural || v.s.UntilClose() < v.p.Reprice {
		part = 1
	}
	units := order.Units().InexactFloat64()
	cost := (mid + (nat-mid)*part) / (units * most)
	cost = math.Ceil(cost/v.p.Tick-1e-6) * v.p.Tick
	if len(legs) == 1 { // one instrument costs something, and brings something
		if legs[0].Action.Sign() > 0 {
			cost = max(cost, v.p.Tick)
		} else {
			cost = min(cost, -v.p.Tick)
		}
	}
	limit := -cost
	return NetOrder(&limit, legs...), ""
}

// sides returns bid and ask of a contract, or of the underlying, whose price
// stands for both when it has no quote of two sides; and its dollars per point.
func (v *view) sides(symbol market.Symbol) (bid, ask, size float64) {
	if symbol.Kind() != market.KindOption {
		if q, ok := v.s.Quote(symbol); ok && q.Bid > 0 && q.Bid <= q.Ask && v.fresh(q.Time) {
			return q.Bid, q.Ask, 1
		}
		return v.spot, v.spot, 1
	}
	q, ok := v.quote(symbol)
	if !ok {
		return math.NaN(), math.NaN(), 100
	}
	return q.Bid, q.Ask, v.s.multiplier(symbol)
}

// pending returns the working order of a task.
func (o *optionStrategy) pending(s *Session, t *task) (broker.OrderState, bool) {
	for _, w := range s.Working() {
		for _, l := range w.Order.Legs {
			if _, ok := t.Target[l.Symbol]; ok {
				return w, true
			}
		}
	}
	return broker.OrderState{}, false
}

// progress is how far a task has come.
type progress int8

const (
	waiting progress = iota
	done
	failed // it is not to be tried again before there is news
)

// work goes on with a task. While an order of it works it only waits.
func (o *optionStrategy) work(v *view, t *task) progress {
	s := v.s
	for range 16 { // each turn places an order, and at most these are needed
		if _, ok := o.pending(s, t); ok {
			return waiting
		}
		t.Asked = false
		if t.Giving {
			o.pause(s, "not filled, given up: "+t.Reason)
			return failed
		}
		legs := o.abandon(v, t, o.left(s, t))
		if len(legs) == 0 {
			return done
		}
		order, why := v.order(t, legs)
		if why != "" {
			o.say(s, why+": waiting to "+t.Kind)
			if t.yields() {
				return failed
			}
			return waiting
		}
		state, err := s.Submit(order)
		if err != nil {
			o.pause(s, "refused to "+t.Kind+": "+err.Error())
			if errors.Is(err, broker.ErrUncertain) {
				return waiting
			}
			return failed
		}
		t.Order = state.ID
		switch {
		case !state.Status.Terminal():
			if order.Type == broker.Limit && o.p.Reprice > 0 {
				s.Timer(repriceTimer, s.Now().Add(o.p.Reprice))
			}
			return waiting
		case state.Status != broker.Filled:
			o.pause(s, "refused to "+t.Kind+": "+state.Reason)
			return failed
		}
	}
	return failed
}

// abandon takes bought options that nobody bids for out of a task that closes:
// they are left to expire, and from then on none of the strategy's.
func (o *optionStrategy) abandon(v *view, t *task, legs []broker.Leg) []broker.Leg {
	if t.Kind == taskOpen {
		return legs
	}
	return slices.DeleteFunc(legs, func(l broker.Leg) bool {
		if l.Action != broker.SellToClose || l.Symbol.Kind() != market.KindOption {
			return false
		}
		if bid, ask, _ := v.sides(l.Symbol); bid != 0 || unknownNumber(ask) {
			return false
		}
		if o.state.Foreign == nil {
			o.state.Foreign = map[market.Symbol]float64{}
		}
		o.state.Foreign[l.Symbol] += l.Quantity.InexactFloat64()
		o.state.mark(l.Symbol, 0)
		delete(t.Target, l.Symbol)
		v.s.Log("nobody bids for %s: it is left to expire", l.Symbol)
		return true
	})
}

// prune forgets what is foreign and no longer there.
func (o *optionStrategy) prune(s *Session) {
	for symbol, foreign := range o.state.Foreign {
		switch held := s.Position(symbol).Quantity; {
		case held == 0:
			delete(o.state.Foreign, symbol)
			delete(o.state.Marks, symbol)
		case held*foreign < 0 || math.Abs(held) < math.Abs(foreign):
			o.state.Foreign[symbol] = held
		}
	}
}

// reprice gives up a part of the price of a limit that was left alone for long
// enough: the order is cancelled, and placed anew once it has ended.
func (o *optionStrategy) reprice(s *Session) {
	t := o.state.Task
	if t == nil {
		return
	}
	works, ok := o.pending(s, t)
	if !ok || t.Asked {
		return
	}
	again := s.Now().Add(o.p.Reprice)
	next := *t
	next.Step++
	switch order, why := look(s, o.p, o.state.Vols).order(&next, works.Order.Legs); {
	case t.yields() && t.Step >= o.p.Steps:
		t.Giving = true
	case why != "":
		o.say(s, why+": the limit stays")
		s.Timer(repriceTimer, again)
		return
	case order.Limit != nil && works.Order.Limit != nil && order.Limit.Equal(*works.Order.Limit):
		t.Step = next.Step
		s.Timer(repriceTimer, again)
		return
	default:
		t.Step = next.Step
	}
	t.Asked = true
	if err := s.Cancel(works.ID); err != nil && !errors.Is(err, broker.ErrTooLate) {
		t.Asked = false
		o.say(s, "cannot be cancelled: "+err.Error())
		s.Timer(repriceTimer, again)
	}
}

// ended looks at the end of an order that nobody here asked for.
func (o *optionStrategy) ended(s *Session, state *broker.OrderState) {
	t := o.state.Task
	if t == nil || t.Order != state.ID || t.Asked {
		return
	}
	switch state.Status {
	case broker.Rejected, broker.Cancelled, broker.Expired:
		o.state.Task = nil
		o.pause(s, string(state.Status)+" before it filled: "+cmp.Or(state.Reason, t.Reason))
	}
}

// pause opens nothing for a while, so that what was refused is not tried again at
// once.
func (o *optionStrategy) pause(s *Session, why string) {
	o.state.Pause = s.Now().Add(pauseAfter)
	o.say(s, why)
}

// say notes what happens, once a day as long as it stays the same.
func (o *optionStrategy) say(s *Session, text string) {
	today := s.Date().String()
	if o.state.Said == text && o.state.SaidOn == today {
		return
	}
	o.state.Said, o.state.SaidOn = text, today
	s.Note(text)
}
