package monitor

import "math"

// An entry waits in a heap for a figure to reach at. It is dead when its watch has
// another generation by then: entries are never searched for and taken out.
type entry struct {
	at         float64
	watch, gen uint32
}

// entries is a binary heap, the smallest at first.
type entries []entry

func (h *entries) push(e entry) {
	s := append(*h, e)
	i := len(s) - 1
	for i > 0 {
		up := (i - 1) / 2
		if s[up].at <= e.at {
			break
		}
		s[i] = s[up]
		i = up
	}
	s[i] = e
	*h = s
}

func (h *entries) pop() entry {
	s := *h
	top, last := s[0], s[len(s)-1]
	s = s[:len(s)-1]
	*h = s
	if len(s) > 0 {
		s.sink(0, last)
	}
	return top
}

// sink puts e at i or below.
func (h entries) sink(i int, e entry) {
	for {
		down := 2*i + 1
		if down >= len(h) {
			break
		}
		if down+1 < len(h) && h[down+1].at < h[down].at {
			down++
		}
		if e.at <= h[down].at {
			break
		}
		h[i] = h[down]
		i = down
	}
	h[i] = e
}

// keep removes the entries that live does not want, and gives back memory.
func (h *entries) keep(live func(entry) bool) {
	n := 0
	for _, e := range *h {
		if live(e) {
			n++
		}
	}
	kept := make(entries, 0, n)
	for _, e := range *h {
		if live(e) {
			kept = append(kept, e)
		}
	}
	for i := len(kept)/2 - 1; i >= 0; i-- {
		kept.sink(i, kept[i])
	}
	*h = kept
}

// A series is a figure that changes, with all who wait for it to reach something:
// rise holds thresholds above it, fall those below it with their sign changed. A
// threshold that is reached leaves its heap, so neither ever holds one that the
// present figure has reached, and a change costs the thresholds it reaches and no
// search at all.
type series struct {
	rise, fall entries
	value      float64 // NaN until known
	dead       int     // entries whose watch went away, about
}

// A phase is where a watch stands.
type phase uint8

const (
	fresh  phase = iota // no figure has told yet on which side of the threshold it is
	idle                // fired, waits for the figure to go back by the hysteresis
	rising              // waits for the figure to rise to lo
	falls               // waits for the figure to fall to hi
	done                // fired for good
)

func (p phase) String() string {
	return [...]string{"fresh", "idle", "rising", "falls", "done"}[p]
}

// A watchMode is what a watch waits for.
type watchMode uint8

const (
	watchAbove     watchMode = iota // figure ≥ lo
	watchBelow                      // figure ≤ hi
	watchCross                      // into [lo, hi] from outside
	watchCrossUp                    // to ≥ lo from below
	watchCrossDown                  // to ≤ hi from above
	watchThrough                    // beyond hi from below lo, or beyond lo from above hi
	watchMove                       // away from hi, the reference, by the share lo
	watchTrail                      // kept by a trail: lo is the share or amount
	watchValue                      // revalue positions: rule is a valuation's number
	watchExpire                     // end of the rule
)

// A watch is one thing that a rule waits for. Most rules have one.
type watch struct {
	lo, hi, back float64
	since        int64 // nanoseconds since 1970: when it came to this phase
	rule         uint32
	next         uint32 // the rule's next watch; 0 ends the list
	series       uint32
	gen          uint32
	subject      uint32 // which position, level or account: see Core.subjects
	mode         watchMode
	phase        phase
	dir          int8 // of a move: +1 up only, -1 down only, 0 either
	repeat       bool
	byAmount     bool // of a trail: lo is an amount
}

func after(x float64) float64  { return math.Nextafter(x, math.Inf(1)) }
func before(x float64) float64 { return math.Nextafter(x, math.Inf(-1)) }

// place puts a watch into the heaps where it waits in its phase.
func (c *Core) place(n uint32) {
	w := &c.watches[n]
	w.gen++
	switch w.mode {
	case watchTrail, watchMove:
		c.placeMove(n)
		return
	case watchValue:
		c.waitRise(n, w.hi)
		c.waitFall(n, w.lo)
		return
	case watchExpire:
		c.waitRise(n, w.lo)
		return
	}
	if w.phase == fresh && w.mode == watchAbove {
		w.phase = rising
	}
	if w.phase == fresh && w.mode == watchBelow {
		w.phase = falls
	}
	switch w.phase {
	case fresh, idle:
		back := w.back
		if w.phase == fresh {
			back = 0
		}
		if w.mode != watchBelow && w.mode != watchCrossDown {
			c.waitFall(n, math.Min(w.lo-back, before(w.lo)))
		}
		if w.mode != watchAbove && w.mode != watchCrossUp {
			c.waitRise(n, math.Max(w.hi+back, after(w.hi)))
		}
	case rising:
		if w.mode == watchThrough {
			c.waitRise(n, after(w.hi))
		} else {
			c.waitRise(n, w.lo)
		}
	case falls:
		if w.mode == watchThrough {
			c.waitFall(n, before(w.lo))
		} else {
			c.waitFall(n, w.hi)
		}
	}
}

// placeMove waits for a move away from the reference; without one, for any figure.
func (c *Core) placeMove(n uint32) {
	w := &c.watches[n]
	if w.mode == watchTrail || w.phase == done {
		return
	}
	if w.phase == fresh {
		c.waitRise(n, math.Inf(-1))
		return
	}
	if up := moved(w.hi, w.lo); w.dir >= 0 {
		c.waitRise(n, up)
	}
	if down := moved(w.hi, -w.lo); w.dir <= 0 {
		c.waitFall(n, down)
	}
}

// moved returns ref moved by a share of its size, and never ref itself.
func moved(ref, share float64) float64 {
	x := ref + math.Abs(ref)*share
	if share > 0 {
		return math.Max(x, after(ref))
	}
	return math.Min(x, before(ref))
}

func (c *Core) waitRise(n uint32, at float64) {
	if !math.IsNaN(at) {
		w := &c.watches[n]
		c.series[w.series].rise.push(entry{at, n, w.gen})
	}
}

func (c *Core) waitFall(n uint32, at float64) {
	if !math.IsNaN(at) {
		w := &c.watches[n]
		c.series[w.series].fall.push(entry{-at, n, w.gen})
	}
}

// live tells whether an entry still counts.
func (c *Core) live(e entry) bool { return c.watches[e.watch].gen == e.gen }

// update gives a series its new figure and lets everything that waited for it
// happen.
func (c *Core) update(s uint32, v float64) {
	if math.IsNaN(v) {
		return
	}
	if c.span == nil || !c.span.late {
		c.series[s].value = v
	}
	held := len(c.held)
	for {
		sr := &c.series[s]
		switch {
		case len(sr.rise) > 0 && sr.rise[0].at <= v:
			c.reached(sr.rise.pop(), s, v, +1)
		case len(sr.fall) > 0 && sr.fall[0].at <= -v:
			c.reached(sr.fall.pop(), s, v, -1)
		default:
			for _, h := range c.held[held:] {
				if h.dir > 0 {
					sr.rise.push(h.entry)
				} else {
					sr.fall.push(h.entry)
				}
			}
			c.held = c.held[:held]
			if sr.dead > 64 && sr.dead > (len(sr.rise)+len(sr.fall))/2 {
				sr.rise.keep(c.live)
				sr.fall.keep(c.live)
				sr.dead = 0
			}
			return
		}
	}
}

// heldEntry is an entry that a bar has reached and that is too young for it.
type heldEntry struct {
	entry
	dir int8
}

func (c *Core) reached(e entry, s uint32, v float64, dir int8) {
	if !c.live(e) {
		if sr := &c.series[s]; sr.dead > 0 {
			sr.dead--
		}
		return
	}
	if c.span != nil && !c.judges(e.watch, v) {
		c.held = append(c.held, heldEntry{e, dir})
		return
	}
	c.hit(e.watch, v, dir)
}

// twoSided tells whether a watch waits above and below.
func (w *watch) twoSided() bool {
	switch w.mode {
	case watchValue:
		return true
	case watchMove:
		return w.phase != fresh && w.dir == 0
	case watchCross, watchThrough:
		return w.phase == fresh || w.phase == idle
	}
	return false
}

// hit moves a watch on whose threshold was reached from below (dir +1) or above.
func (c *Core) hit(n uint32, v float64, dir int8) {
	w := &c.watches[n]
	if w.twoSided() {
		c.series[w.series].dead++ // the entry of the other side
	}
	switch w.mode {
	case watchValue:
		c.revalue(n, v)
		return
	case watchExpire:
		c.drop(w.rule)
		return
	case watchMove:
		if w.phase == fresh {
			if v == 0 {
				w.gen++
				c.waitRise(n, after(0))
				c.waitFall(n, before(0))
				return
			}
			c.turn(n, rising)
			c.watches[n].hi = v
			c.rules[w.rule].dirty = true
			c.place(n)
			return
		}
		ref := w.hi
		c.fire(n, v, moved(ref, float64(dir)*w.lo))
		if w = &c.watches[n]; w.phase != done {
			w.hi = v
			w.phase = rising
			c.place(n)
		}
		return
	}
	switch w.phase {
	case fresh, idle:
		c.rules[w.rule].dirty = c.rules[w.rule].dirty || w.phase == idle
		if dir < 0 {
			c.turn(n, rising)
		} else {
			c.turn(n, falls)
		}
		c.place(n)
	case rising:
		c.fire(n, v, w.lo)
		c.settle(n)
	case falls:
		c.fire(n, v, w.hi)
		c.settle(n)
	}
}

// settle lets a watch that fired wait for the way back.
func (c *Core) settle(n uint32) {
	if c.watches[n].phase != done {
		c.turn(n, idle)
		c.place(n)
	}
}

// turn brings a watch to a phase.
func (c *Core) turn(n uint32, p phase) {
	w := &c.watches[n]
	w.phase = p
	now := c.now
	if c.span != nil {
		now = c.span.start
	}
	w.since = max(w.since, now) // a rule made after the marks stands for nothing before it was made
}

// spare takes a watch out of use; its entries die.
func (c *Core) spare(n uint32) {
	w := &c.watches[n]
	if int(w.series) < len(c.series) {
		c.series[w.series].dead++
	}
	*w = watch{gen: w.gen + 1, phase: done}
	c.freeWatches = append(c.freeWatches, n)
}

// newWatch returns the number of a new watch of a rule or valuation.
func (c *Core) newWatch(w watch) uint32 {
	if k := len(c.freeWatches); k > 0 {
		n := c.freeWatches[k-1]
		c.freeWatches = c.freeWatches[:k-1]
		w.gen = c.watches[n].gen + 1
		c.watches[n] = w
		return n
	}
	c.watches = append(c.watches, w)
	return uint32(len(c.watches) - 1)
}
