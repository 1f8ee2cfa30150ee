package levels

import (
	"slices"
	"time"

	"github.com/ttai-go/ttai/market"
)

// What each part of an engine remembers, for snapshots. What follows from the
// options is not kept, nor what settling and forgetting have cleared.

func (e *Engine) store(c *codec) {
	whole(c, &e.i, &e.needs)
	c.bar(&e.bar)
	c.bools(&e.known)
	e.bars.store(c)
	e.periods.store(c)
	e.touch.store(c)
	for _, t := range e.ranges {
		t.store(c)
	}
	for _, w := range e.swingers {
		w.store(c)
	}
	e.book.store(c)
	for _, f := range e.families {
		f.store(c)
	}
	e.guests(c)
}

// guests keeps which levels were added from outside.
func (e *Engine) guests(c *codec) {
	var names []string
	for name := range e.given {
		names = append(names, name)
	}
	slices.Sort(names)
	list(c, &names, func(name *string) {
		text(c, name)
		ids := e.given[*name]
		c.ids(&ids)
		e.given[*name] = ids
	})
}

func (c *codec) bar(b *market.Bar) {
	c.times(&b.Time)
	c.floats(&b.Open, &b.High, &b.Low, &b.Close, &b.Volume)
}

func (h *history) store(c *codec) {
	whole(c, &h.base)
	s := h.s.Slice(0, h.n)
	list(c, &s.Time, func(t *time.Time) { c.times(t) })
	for _, column := range []*[]float64{&s.Open, &s.High, &s.Low, &s.Close, &s.Volume} {
		list(c, column, func(x *float64) { c.floats(x) })
	}
	if c.reading {
		n := len(s.Time)
		for _, column := range [][]float64{s.Open, s.High, s.Low, s.Close, s.Volume} {
			if len(column) != n {
				c.short = true
				return
			}
		}
		h.s, h.n = s, n
	}
}

func (t *trueRange) store(c *codec) {
	whole(c, &t.seen)
	c.floats(&t.mean, &t.before)
}

func (k *clock) store(c *codec) {
	c.dates(&k.date)
	c.bools(&k.newDay, &k.counts, &k.started)
	whole(c, &k.now, &k.end, &k.dayTo)
	whole(c, &k.sessionFrom)
	for _, t := range k.trackers {
		t.store(c)
	}
}

// resume asks the calendar about the date that was read.
func (k *clock) resume() {
	if k.started && k.calendar != nil {
		if k.session, k.hasSession = k.calendar.Session(k.date); k.hasSession {
			k.opens, k.closes = k.session.Open.Unix(), k.session.Close.Unix()
		}
	}
}

func (k *tracker) store(c *codec) {
	c.bools(&k.open, &k.done, &k.began, &k.twice)
	k.current.store(c)
	k.finished.store(c)
	k.prior.store(c)
	c.dates(&k.until, &k.closed)
	whole(c, &k.end)
}

func (x *span) store(c *codec) {
	c.bar(&x.bar)
	c.dates(&x.begin)
	whole(c, &x.first, &x.last, &x.highI, &x.lowI, &x.closeI)
	c.times(&x.highAt, &x.lowAt, &x.closeAt)
}

func (w *swing) store(c *codec) {
	c.floats(&w.price)
	c.bools(&w.high)
	whole(c, &w.born, &w.confirmed)
	c.times(&w.bornAt)
}

func (c *codec) swings(all *[]swing) { list(c, all, func(w *swing) { w.store(c) }) }

func (w *swinger) store(c *codec) {
	c.swings(&w.fresh)
	whole(c, &w.unknown)
	if !w.turns && !w.wide {
		w.near.store(c)
	}
	w.highs.store(c)
	w.lows.store(c)
	z := &w.zigzag
	whole(c, &z.direction)
	z.high.store(c)
	z.low.store(c)
	c.bools(&z.started)
	z.atr.store(c)
	d := &z.sigma
	list(c, &d.ring, func(x *float64) { c.floats(x) })
	whole(c, &d.seen, &d.cached)
	c.floats(&d.before, &d.result)
}

func (m *surroundings) store(c *codec) {
	whole(c, &m.at)
	whole(c, &m.block.top, &m.block.bottom)
	for k := range m.parts {
		whole(c, &m.parts[k].top, &m.parts[k].bottom)
	}
}

func (w *window) store(c *codec) {
	list(c, &w.ring, func(x *peak) {
		c.floats(&x.value)
		whole(c, &x.i)
	})
	whole(c, &w.head, &w.size)
}

func (b *book) store(c *codec) {
	list(c, &b.records, func(x *record) { x.store(c) })
	list(c, &b.spots, func(x *spot) {
		c.floats(&x.bottom, &x.top)
		whole(c, &x.side)
		c.bools(&x.inside, &x.live, &x.begun)
	})
	c.ids(&b.free)
	whole(c, &b.first, &b.last, &b.young)
	whole(c, &b.aging, &b.oldest, &b.read, &b.now)
	c.bools(&b.current)
	for _, w := range []*lookout{&b.ends.below, &b.ends.above, &b.ends.touchBelow, &b.ends.touchAbove} {
		w.store(c)
	}
	for _, owners := range []*[]owner{&b.ends.between, &b.ends.unplaced, &b.stale} {
		list(c, owners, func(o *owner) { whole(c, &o.id, &o.age) })
	}
	p := &b.pages
	list(c, &p.all, func(x *page) {
		c.floats(&x.low, &x.high, &x.close)
		whole(c, &x.bar)
	})
	whole(c, &p.from)
	c.times(&p.before)
}

func (x *record) store(c *codec) {
	c.floats(&x.price, &x.low, &x.high, &x.reach)
	whole(c, &x.born, &x.confirmed, &x.touched)
	whole(c, &x.start, &x.age, &x.previous, &x.next, &x.touches, &x.visits, &x.held)
	whole(c, &x.home, &x.from)
	whole(c, &x.filling)
	c.bools(&x.counted, &x.broken, &x.swept, &x.fallen, &x.ages, &x.once, &x.unseen)
	text(c, &x.state)
	text(c, &x.kind)
	c.times(&x.bornAt, &x.confirmedAt, &x.touchedAt, &x.brokenAt)
	labelled := x.label != nil
	if c.bools(&labelled); !labelled {
		return
	}
	if c.reading {
		x.label = &label{}
	}
	l := x.label
	whole(c, &l.form)
	text(c, &l.name, &l.span, &l.extra)
	c.times(&l.a, &l.b)
	c.floats(&l.x, &l.y)
	whole(c, &l.n, &l.m)
}

// store keeps the prices in order; the blocks are laid anew.
func (w *lookout) store(c *codec) {
	var all []watched
	for _, block := range w.blocks {
		all = append(all, block...)
	}
	list(c, &all, func(x *watched) {
		c.floats(&x.key)
		whole(c, &x.id, &x.age)
	})
	if c.reading {
		*w = newLookout()
		for _, x := range all {
			w.add(x)
		}
	}
}

func (l *line) store(c *codec) {
	whole(c, &l.touches, &l.visits, &l.held)
	whole(c, &l.home, &l.side, &l.from)
	c.bools(&l.inside, &l.counted, &l.broken)
	text(c, &l.state)
	c.times(&l.touchedAt, &l.brokenAt)
}

func (c *codec) bands(all *[]band) {
	list(c, all, func(z *band) {
		c.floats(&z.low, &z.high)
		whole(c, &z.joined)
	})
}

func (f *swingFamily) store(*codec) {} // the swinger has it all

func (f *zoneFamily) store(c *codec) {
	list(c, &f.loose, func(x *looseSwing) {
		c.floats(&x.price)
		whole(c, &x.n)
	})
	c.bands(&f.bands)
	c.swings(&f.arrived)
	whole(c, &f.most, &f.gone, &f.head)
}

func (f *fibonacciFamily) store(c *codec) {
	c.swings(&f.turns)
	c.ids(&f.ids)
}

func (f *structureFamily) store(c *codec) {
	whole(c, &f.trend)
	f.high.store(c)
	f.low.store(c)
	c.bools(&f.hasHigh, &f.hasLow)
}

func (f *liquidityFamily) store(c *codec) {
	for k := range f.sides {
		side := &f.sides[k]
		c.swings(&side.loose)
		c.bands(&side.pools)
		c.floats(&side.least)
		c.bools(&side.any)
	}
}

func (f *trendFamily) store(c *codec) {
	c.swings(&f.highs)
	c.swings(&f.lows)
	for k := range f.fits {
		x := &f.fits[k]
		c.bools(&x.has)
		whole(c, &x.i, &x.known)
		c.floats(&x.at, &x.slope)
		text(c, &x.kind)
		text(c, &x.name)
		c.times(&x.bornAt, &x.confirmed)
		x.follower.store(c)
	}
}

func (f *imbalanceFamily) store(c *codec) {
	c.bar(&f.first)
	c.bar(&f.next)
	whole(c, &f.have)
}

func (f *gapFamily) store(c *codec) {
	c.bar(&f.before)
	c.bools(&f.has)
}

func (f *roundFamily) store(c *codec) {
	c.floats(&f.low, &f.high)
	list(c, &f.near, func(x *roundNumber) {
		c.floats(&x.price, &x.step)
		whole(c, &x.id)
	})
}

func (f *priorFamily) store(c *codec) {
	for n := range f.ids {
		c.ids(&f.ids[n])
	}
}

func (f *pivotFamily) store(c *codec) {
	for n := range f.ids {
		c.ids(&f.ids[n])
	}
}

func (f *openingFamily) store(c *codec) {
	f.night.store(c)
	c.ids(&f.nightIDs)
	c.bools(&f.opened)
	for k := range f.ranges {
		r := &f.ranges[k]
		r.x.store(c)
		whole(c, &r.until)
		c.bools(&r.done)
		c.ids(&r.ids)
	}
}

func (f *vwapFamily) store(c *codec) {
	for _, v := range f.all {
		text(c, &v.name)
		c.bools(&v.begun)
		c.times(&v.bornAt, &v.lastAt)
		c.floats(&v.w, &v.mean, &v.m)
		for n := range v.lines {
			v.lines[n].store(c)
		}
	}
}

func (f *profileFamily) store(c *codec) {
	list(c, &f.spans, func(x *[2]int) { whole(c, &x[0], &x[1]) })
	c.ids(&f.sessions)
	c.ids(&f.composed)
}

func (f *tpoFamily) store(c *codec) {
	f.initial.store(c)
	whole(c, &f.until)
	c.bools(&f.pending)
	c.ids(&f.initials)
	c.ids(&f.ids)
}
