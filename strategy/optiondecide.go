package strategy

import (
	"fmt"
	"math"
	"slices"

	"github.com/ttai-go/ttai/market"
)

// decide asks the policies about what is open, or the plan for something to open,
// and begins a task. It tells whether it did.
func (o *optionStrategy) decide(v *view, h *holding, why news) bool {
	switch {
	case len(h.legs) > 0:
		return o.manage(v, h)
	case h.shares != 0 && (o.unwinds || !o.shares && o.m.Assigned == AssignedFlatten):
		return o.begin(v, &task{Kind: taskClose, Reason: "shares without options", Urgent: true, Target: map[market.Symbol]float64{o.p.Symbol: 0}})
	}
	return why == newsOfMarket && o.enter(v, h)
}

func (o *optionStrategy) manage(v *view, h *holding) bool {
	st := &o.state
	o.asFound(v, h)
	now := &situation{view: v, h: h, m: o.m, opened: float64(st.Entry.Delta), vol: float64(st.Entry.Vol), rolls: st.Rolls, defs: st.Defends, keeps: o.shares, broken: !o.stillOwn(h), gain: h.profit()}
	if o.unwinds {
		if math.IsNaN(float64(st.Before)) { // it was found in the account
			st.Before = market.Float(o.profit(v.s) - h.profit())
		}
		now.gain = o.profit(v.s) - float64(st.Before)
	}
	for _, p := range policies(o.stops...) {
		want, why := p.check(now)
		var t *task
		switch want {
		case closeIt:
			t = &task{Kind: taskClose, Target: map[market.Symbol]float64{}}
			for _, l := range h.legs {
				t.Target[l.symbol] = 0
			}
			if h.shares != 0 && (o.unwinds || !o.shares && o.m.Assigned == AssignedFlatten) {
				t.Target[o.p.Symbol] = 0
			}
		case rollIt:
			t = o.rollTask(v, h)
		case defendIt:
			t = o.defendTask(now)
		}
		if t != nil {
			t.Reason, t.Urgent = p.name+": "+why, p.urgent
			return o.begin(v, t)
		}
	}
	return false
}

// rollTask replaces the options by what the plan would open now with a later
// expiry; nil when there is nothing, or no credit when one is asked for.
func (o *optionStrategy) rollTask(v *view, h *holding) *task {
	if !v.now.After(o.state.Pause) || v.s.Halted() != "" {
		return nil
	}
	picks, why := o.open(v, h, h.expiry())
	units := h.units()
	if len(picks) == 0 {
		o.say(v.s, "not rolled: "+why)
		return nil
	}
	picks = slices.DeleteFunc(picks, pick.shares)
	credit := float64(units)*cashOf(picks, v.spot) + h.worth()
	if o.m.RollCredit && !(credit > 0) {
		o.say(v.s, fmt.Sprintf("not rolled: it would cost %.2f", -credit))
		return nil
	}
	t := &task{Kind: taskRoll, Entry: v.entry(picks), Target: map[market.Symbol]float64{}}
	for symbol, by := range h.changes(picks, units) {
		t.Target[symbol] = v.s.Position(symbol).Quantity - o.state.Foreign[symbol] + by
	}
	return t
}

func (o *optionStrategy) defendTask(now *situation) *task {
	if !now.now.After(o.state.Pause) || now.s.Halted() != "" {
		return nil
	}
	side, picks, why := now.untested()
	if why != "" {
		o.say(now.s, "not defended: "+why)
		return nil
	}
	part := &holding{legs: side}
	credit := float64(part.units())*cashOf(picks, now.spot) + part.worth()
	if !(credit > 0) {
		o.say(now.s, fmt.Sprintf("not defended: it would cost %.2f", -credit))
		return nil
	}
	t := &task{Kind: taskDefend, Target: map[market.Symbol]float64{}}
	for symbol, by := range part.changes(picks, part.units()) {
		t.Target[symbol] = now.s.Position(symbol).Quantity - o.state.Foreign[symbol] + by
	}
	return t
}

// enter opens what the plan says, when nothing speaks against it.
func (o *optionStrategy) enter(v *view, h *holding) bool {
	st := &o.state
	switch {
	case o.p.Entries > 0 && st.Entries >= o.p.Entries, v.s.Halted() != "", !v.now.After(st.Pause), !o.p.mayEnter(v.s):
		return false
	case st.Ended != "":
		if ended, err := market.ParseDate(st.Ended); err == nil && ended.DaysUntil(v.today) < o.p.Wait {
			return false
		}
	}
	if e, ok := v.beforeEarnings(o.m.BeforeEarnings); ok {
		o.say(v.s, "nothing is opened before earnings on "+e.Date.String())
		return false
	}
	picks, why := o.open(v, h, market.Date{})
	if len(picks) == 0 {
		o.say(v.s, "nothing to open: "+why)
		return false
	}
	size := 0
	if o.size != nil {
		size = o.size(v, h, picks)
	} else {
		size = v.units(picks)
	}
	if size == 0 {
		o.say(v.s, "nothing to open: the capital does not suffice for one unit")
		return false
	}
	t := &task{Kind: taskOpen, Entry: v.entry(picks), Reason: fmt.Sprintf("%d × %s", size, o.name), Target: map[market.Symbol]float64{}}
	for symbol, by := range (&holding{}).changes(picks, size) {
		t.Target[symbol] = v.s.Position(symbol).Quantity - o.state.Foreign[symbol] + by
	}
	st.Before = market.Float(o.profit(v.s))
	return o.begin(v, t)
}

// stillOwn is recognizes, asked anew only when the holding has changed.
func (o *optionStrategy) stillOwn(h *holding) bool {
	same := o.seenShares == h.shares && slices.EqualFunc(o.seen, h.legs, func(a, b heldLeg) bool { return a.symbol == b.symbol && a.quantity == b.quantity })
	if !same {
		o.seen, o.seenShares, o.seenOwn = slices.Clone(h.legs), h.shares, o.recognizes(h)
	}
	return o.seenOwn
}

// asFound remembers the present as the entry of a position that was found in the
// account: how it was opened is not known.
func (o *optionStrategy) asFound(v *view, h *holding) {
	if !math.IsNaN(float64(o.state.Entry.Delta)) || !math.IsNaN(float64(o.state.Entry.Vol)) {
		return
	}
	var picks []pick
	for _, l := range h.legs {
		if l.quoted {
			picks = append(picks, pick{symbol: l.symbol, ratio: int(math.Copysign(1, l.quantity)), quote: l.quote})
		}
	}
	o.state.Entry = *v.entry(picks)
}

// entry is what stops compare with.
func (v *view) entry(picks []pick) *entry {
	delta, vols, n := math.NaN(), 0.0, 0.0
	for _, p := range picks {
		if p.shares() {
			continue
		}
		if vol := v.vol(p.quote); vol > 0 {
			vols, n = vols+vol, n+1
		}
		if d := math.Abs(v.delta(p.quote)); p.ratio < 0 && !(d < delta) {
			delta = d
		}
	}
	return &entry{market.Float(delta), market.Float(vols / n)}
}

// begin starts a task and tells that it did.
func (o *optionStrategy) begin(v *view, t *task) bool {
	v.s.Log("%s: %s", t.Kind, t.Reason)
	if t.Kind == taskHedge {
		o.state.Hedge = t
	} else {
		o.state.Task = t
	}
	return true
}

// rehedge begins a hedge when the plan asks for one.
func (o *optionStrategy) rehedge(v *view, h *holding) bool {
	target, why, ok := o.hedge(o, v, h)
	held := v.s.Position(o.p.Symbol).Quantity + v.s.Pending(o.p.Symbol) - o.state.Foreign[o.p.Symbol]
	if !ok || math.Abs(target-held) < 1e-9 {
		return false
	}
	return o.begin(v, &task{Kind: taskHedge, Reason: why, Market: true, Target: map[market.Symbol]float64{o.p.Symbol: target}})
}
