package paper

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/broker"
)

// A group is orders that depend on each other.
type group struct {
	seq    uint64
	kind   broker.GroupKind
	orders []*order // in the ticket's order; a replacement takes the place of what it replaced
}

func (g *group) id() string { return "G" + strconv.FormatUint(g.seq, 10) }

// sends tells whether the group's first order sends the others.
func (g *group) sends() bool { return g.kind == broker.OTO || g.kind == broker.Bracket }

// rivals are the orders of the group of which only one may fill.
func (g *group) rivals() []*order {
	switch g.kind {
	case broker.OCO:
		return g.orders
	case broker.Bracket:
		return g.orders[1:]
	}
	return nil
}

func (g *group) has(o *order, among []*order) bool {
	for _, p := range among {
		if p == o {
			return true
		}
	}
	return false
}

// filled tells an order's group that units of it filled: its rivals may fill as
// much less, and end when nothing is left of them; what it sends is sent when it
// filled whole.
func (x *Exchange) filled(o *order, units decimal.Decimal) {
	g := o.group
	if g == nil {
		return
	}
	if g.has(o, g.rivals()) {
		for _, p := range append([]*order(nil), g.rivals()...) {
			if p != o {
				x.lessen(p, o, units)
			}
		}
	}
	if o.status.Terminal() {
		x.ended(o)
	}
}

// lessen takes what a rival filled from what an order may fill.
func (x *Exchange) lessen(p, rival *order, units decimal.Decimal) {
	if p.status.Terminal() {
		return
	}
	less := units
	if !p.total.Equal(rival.total) {
		less = units.Mul(p.total).Div(rival.total)
		if p.legs[0].book.terms.whole || p.total.IsInteger() {
			less = less.Ceil()
		}
	}
	p.allowed = p.allowed.Sub(less)
	if rival.status == broker.Filled || !p.allowed.GreaterThan(p.done) {
		x.finish(p, broker.Cancelled, fmt.Sprintf("order %s of its group filled", rival.id()))
	}
}

// ended tells an order's group that it has ended: what it was to send is sent, as
// far as it filled, or ends with it.
func (x *Exchange) ended(o *order) {
	g := o.group
	if g == nil || !g.sends() || g.orders[0] != o {
		return
	}
	for _, p := range append([]*order(nil), g.orders[1:]...) {
		if p.status != broker.Contingent && !(p.status == broker.CancelRequested && !p.live) {
			continue
		}
		x.send(p, o)
	}
}

func (x *Exchange) send(p, first *order) {
	if first.done.IsZero() {
		x.finish(p, broker.Cancelled, fmt.Sprintf("order %s, which was to send it, ended", first.id()))
		return
	}
	if first.status != broker.Filled && !first.done.Equal(first.total) {
		p.allowed = p.total.Mul(first.done).Div(first.total)
		if p.legs[0].book.terms.whole || p.total.IsInteger() {
			p.allowed = p.allowed.Floor()
		}
		if p.allowed.Sign() <= 0 {
			x.finish(p, broker.Cancelled, fmt.Sprintf("too little of order %s filled", first.id()))
			return
		}
	}
	if p.status != broker.Contingent {
		return
	}
	if first.decided && p.single() && p.spec.Notional == nil {
		p.total, p.allowed = first.done, first.done
		p.spec.Legs = slices.Clone(p.spec.Legs) // others may have seen the old ones
		p.spec.Legs[0].Quantity = first.done
	}
	x.limitTime(p)
	if p.end != 0 && p.end <= x.now {
		x.finish(p, broker.Expired, "time in force is over")
		return
	}
	if p.spec.Opens() && !x.opts.Unchecked && !x.opts.CheckAtFill {
		switch f := x.funds(p, nil); {
		case f.refusal != nil:
			x.finish(p, broker.Rejected, f.refusal.Message)
			return
		default:
			p.reserve, p.recheck = f.need, !f.known
		}
	}
	x.activate(p)
}
