package levels

// endings are the prices that decide the end of levels: a close beyond the band,
// seen from the side the market was on, or for those that end with a touch the
// first trade at it. Prices above the market are negated.
type endings struct {
	below, above lookout // a close below, or above, breaks them
	between      []owner // no close was outside the band yet

	touchBelow, touchAbove lookout // a trade at or below, or above, touches them
	unplaced               []owner // the bar that confirmed them reached them, or is not known
}

// An owner is a record while it is of that age.
type owner struct{ id, age int32 }

// await watches for the end of a level that ages, which the last bar confirmed.
func (b *book) await(id int32, x *record) {
	if x.once {
		b.unplacedYet(id, x)
		return
	}
	home := x.home
	if b.current {
		switch closed := b.pages.all[len(b.pages.all)-1].close; {
		case closed > x.high && home < 0, closed < x.low && home > 0:
			x.fallen = true
			if x.born < b.oldest {
				b.stale = append(b.stale, owner{id, x.age})
			}
			return
		case closed > x.high:
			home = +1
		case closed < x.low:
			home = -1
		}
	}
	switch {
	case home > 0:
		b.sweep(&b.ends.below)
		b.ends.below.add(watched{x.low, id, x.age})
	case home < 0:
		b.sweep(&b.ends.above)
		b.ends.above.add(watched{-x.high, id, x.age})
	default:
		b.ends.between = append(b.ends.between, owner{id, x.age})
	}
}

func (b *book) unplacedYet(id int32, x *record) {
	if b.current {
		last := len(b.pages.all) - 1
		if b.aside(id, x, b.pages.all[last].low, b.pages.all[last].high) {
			return
		}
	}
	b.ends.unplaced = append(b.ends.unplaced, owner{id, x.age})
}

// aside watches for the touch of a level that a bar does not reach, and
// reports whether it does not.
func (b *book) aside(id int32, x *record, lo, hi float64) bool {
	switch p := &b.spots[id]; {
	case p.top < lo:
		b.sweep(&b.ends.touchBelow)
		b.ends.touchBelow.add(watched{p.top, id, x.age})
	case p.bottom > hi:
		b.sweep(&b.ends.touchAbove)
		b.ends.touchAbove.add(watched{-p.bottom, id, x.age})
	default:
		return false
	}
	return true
}

// sweep takes levels that are no more from a lookout, once they may be many.
func (b *book) sweep(w *lookout) {
	if w.n >= 2*b.aging+blockSize {
		w.sweep(func(x watched) bool { return b.spots[x.id].live && b.records[x.id].age == x.age })
	}
}

// look looks for levels that end with the last bar.
func (b *book) look(lo, hi, closed float64) {
	w := &b.ends
	for closed < w.below.key {
		x := w.below.next()
		w.below.drop()
		b.falls(x.id, x.age)
	}
	for -closed < w.above.key {
		x := w.above.next()
		w.above.drop()
		b.falls(x.id, x.age)
	}
	if len(w.between) > 0 {
		b.decide(closed)
	}
	if lo <= w.touchBelow.key || -hi <= w.touchAbove.key || len(w.unplaced) > 0 {
		b.touch(lo, hi)
	}
}

// falls marks a level as broken.
func (b *book) falls(id, age int32) {
	x := &b.records[id]
	if x.age != age || !b.spots[id].live {
		return
	}
	x.fallen = true
	if x.born < b.oldest {
		b.stale = append(b.stale, owner{id, x.age})
	}
}

// decide looks whether a bar has closed outside bands that none had left.
func (b *book) decide(closed float64) {
	stay := b.ends.between[:0]
	for _, o := range b.ends.between {
		x := &b.records[o.id]
		switch {
		case x.age != o.age || !b.spots[o.id].live:
		case closed > x.high:
			b.ends.below.add(watched{x.low, o.id, o.age})
		case closed < x.low:
			b.ends.above.add(watched{-x.high, o.id, o.age})
		default:
			stay = append(stay, o)
		}
	}
	b.ends.between = stay
}

// touch looks for levels that end with a touch.
func (b *book) touch(lo, hi float64) {
	w := &b.ends
	for lo <= w.touchBelow.key {
		x := w.touchBelow.next()
		w.touchBelow.drop()
		w.unplaced = append(w.unplaced, owner{x.id, x.age})
	}
	for -hi <= w.touchAbove.key {
		x := w.touchAbove.next()
		w.touchAbove.drop()
		w.unplaced = append(w.unplaced, owner{x.id, x.age})
	}
	for _, o := range w.unplaced {
		x := &b.records[o.id]
		if x.age == o.age && b.spots[o.id].live && !b.aside(o.id, x, lo, hi) {
			b.stale = append(b.stale, o)
		}
	}
	w.unplaced = w.unplaced[:0]
}
