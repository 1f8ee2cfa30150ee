package monitor

import (
	"container/heap"
	"math"
	"slices"
	"time"
)

// A trail keeps the trailing rules of one symbol and side. It works on x, the
// price for falls from a high and the price with its sign changed for rises from a
// low, so that there is only one side.
//
// Rules that began at different times have different highs, but once price is
// above the highs of two of them they share one for good. So rules lie in groups
// of one high, the group of the oldest rules with the greatest; a new high melds
// the groups it passes, each at most once. Within a group the rule with the
// smallest distance fires first, and groups stand in a heap by the x at which
// their first rule fires: a price costs O(log groups) and the rules it fires.
type trail struct {
	core *Core
	sign float64
	// stack has the groups by age, highs strictly falling.
	stack []*group
	queue groupQueue
	// waiting have no price yet to trail from.
	waiting []entry
}

type group struct {
	high          float64
	since         int64 // when the oldest of its rules began
	share, amount *node // heaps by distance
	fire          float64
	at            int // in the queue
}

// A node is a rule in a pairing heap (Fredman, Sedgewick, Sleator, Tarjan, "The
// pairing heap", Algorithmica 1986), in which two heaps are melded in one step.
type node struct {
	distance    float64
	watch, gen  uint32
	child, next *node
}

func meld(a, b *node) *node {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	case b.distance < a.distance:
		a, b = b, a
	}
	b.next = a.child
	a.child = b
	return a
}

// rest returns the heap without its first node.
func (n *node) rest() *node {
	var pairs *node
	for c := n.child; c != nil; {
		a, b := c, c.next
		if b == nil {
			a.next = pairs
			pairs = a
			break
		}
		c = b.next
		a.next, b.next = nil, nil
		m := meld(a, b)
		m.next = pairs
		pairs = m
	}
	var all *node
	for pairs != nil {
		p := pairs
		pairs = p.next
		p.next = nil
		all = meld(all, p)
	}
	return all
}

type groupQueue []*group

func (q groupQueue) Len() int           { return len(q) }
func (q groupQueue) Less(i, j int) bool { return q[i].fire > q[j].fire }
func (q groupQueue) Swap(i, j int)      { q[i], q[j] = q[j], q[i]; q[i].at, q[j].at = i, j }
func (q *groupQueue) Push(x any) {
	g := x.(*group)
	g.at = len(*q)
	*q = append(*q, g)
}
func (q *groupQueue) Pop() any {
	old := *q
	g := old[len(old)-1]
	old[len(old)-1] = nil
	*q = old[:len(old)-1]
	return g
}

// fireAt returns the x at which a rule of that distance fires.
func fireAt(high, distance float64, byAmount bool) float64 {
	if byAmount {
		return high - distance
	}
	return high - math.Abs(high)*distance
}

// settle drops dead rules from the top of a group's heaps and finds where its
// first rule fires.
func (t *trail) settle(g *group) {
	for _, h := range []**node{&g.share, &g.amount} {
		for *h != nil && !t.core.live(entry{0, (*h).watch, (*h).gen}) {
			*h = (*h).rest()
		}
	}
	g.fire = math.Inf(-1)
	if g.share != nil {
		g.fire = fireAt(g.high, g.share.distance, false)
	}
	if g.amount != nil {
		g.fire = math.Max(g.fire, fireAt(g.high, g.amount.distance, true))
	}
	heap.Fix(&t.queue, g.at)
}

// join returns the group of rules that begin now at x.
func (t *trail) join(x float64, now int64) *group {
	if n := len(t.stack); n > 0 && t.stack[n-1].high <= x {
		t.raise(x)
		if g := t.stack[len(t.stack)-1]; g.high == x {
			return g
		}
	}
	return t.open(x, now)
}

func (t *trail) open(high float64, since int64) *group {
	g := &group{high: high, since: since, fire: math.Inf(-1)}
	t.stack = append(t.stack, g)
	heap.Push(&t.queue, g)
	return g
}

// add lets a watch trail from x on. The core has bumped its generation.
func (t *trail) add(n uint32, x float64) {
	t.into(t.join(x, t.core.watches[n].since), n)
}

func (t *trail) into(g *group, n uint32) {
	w := &t.core.watches[n]
	w.phase = falls
	w.gen++
	new := &node{distance: w.lo, watch: n, gen: w.gen}
	if w.byAmount {
		g.amount = meld(g.amount, new)
	} else {
		g.share = meld(g.share, new)
	}
	t.settle(g)
}

// restore puts a watch that began at since into the group that had its high, and
// reports whether there is one.
func (t *trail) restore(n uint32, since int64) bool {
	for _, g := range slices.Backward(t.stack) {
		if g.since <= since {
			t.into(g, n)
			return true
		}
	}
	return false
}

// raise melds the groups that x has reached. What a bar of the past shows is no
// high of rules that began after it: their groups, the youngest, stay.
func (t *trail) raise(x float64) {
	n := len(t.stack)
	if span := t.core.span; span != nil {
		for n > 0 && t.stack[n-1].since > span.start {
			n--
		}
	}
	if n == 0 || t.stack[n-1].high >= x {
		return
	}
	last, from := t.stack[n-1], n-1
	for from > 0 && t.stack[from-1].high <= x {
		from--
		older := t.stack[from]
		last.share, last.amount = meld(older.share, last.share), meld(older.amount, last.amount)
		last.since = older.since
		heap.Remove(&t.queue, older.at)
	}
	t.stack[n-1] = last
	t.stack = slices.Delete(t.stack, from, n-1)
	last.high = x
	t.settle(last)
}

// begin lets those that waited for a first price trail from it.
func (t *trail) begin(x float64) {
	c := t.core
	t.waiting = slices.DeleteFunc(t.waiting, func(e entry) bool {
		switch {
		case !c.live(e):
			return true
		case c.span != nil && !c.span.covers(c.watches[e.watch].since):
			return false
		}
		c.turn(e.watch, falls)
		t.add(e.watch, x)
		c.rules[c.watches[e.watch].rule].dirty = true
		return true
	})
}

// update takes a price.
func (t *trail) update(price float64) {
	x := t.sign * price
	if len(t.waiting) > 0 {
		t.begin(x)
	}
	t.raise(x)
	var fired []uint32
	var held []*node
	var heldIn []*group
	for len(t.queue) > 0 && t.queue[0].fire >= x {
		g := t.queue[0]
		t.settle(g)
		if g.fire < x {
			continue
		}
		h := &g.share
		if g.share == nil || fireAt(g.high, g.share.distance, false) < x {
			h = &g.amount
		}
		first := *h
		*h = first.rest()
		first.child, first.next = nil, nil
		if c := t.core; c.span != nil && !c.judges(first.watch, price) {
			held, heldIn = append(held, first), append(heldIn, g)
		} else {
			w := &c.watches[first.watch]
			w.hi = t.sign * g.high
			fired = append(fired, first.watch)
			c.fire(first.watch, price, t.sign*fireAt(g.high, w.lo, w.byAmount))
		}
		t.settle(g)
	}
	for i, n := range held {
		g := heldIn[i]
		if t.core.watches[n.watch].byAmount {
			g.amount = meld(g.amount, n)
		} else {
			g.share = meld(g.share, n)
		}
		t.settle(g)
	}
	t.prune()
	for _, n := range fired {
		if t.core.watches[n].phase == done {
			continue
		}
		from := x
		if k := len(t.stack); t.core.span != nil && k > 0 && t.stack[k-1].since > t.core.span.start {
			from = math.Max(x, t.stack[k-1].high) // younger groups are there: it goes on with them
		}
		t.core.turn(n, falls)
		t.add(n, from)
	}
}

// prune removes empty groups from the young end of the stack.
func (t *trail) prune() {
	for n := len(t.stack); n > 0; n-- {
		g := t.stack[n-1]
		if g.share != nil || g.amount != nil {
			return
		}
		heap.Remove(&t.queue, g.at)
		t.stack[n-1] = nil
		t.stack = t.stack[:n-1]
	}
}

// A Peak is the highest price since a time, or the lowest, while trailing rules
// that began then wait.
type Peak struct {
	Since time.Time `json:"since"`
	Price float64   `json:"price"`
}

func (t *trail) peaks() []Peak {
	var out []Peak
	for _, g := range t.stack {
		if g.share != nil || g.amount != nil {
			out = append(out, Peak{time.Unix(0, g.since).UTC(), t.sign * g.high})
		}
	}
	return out
}
