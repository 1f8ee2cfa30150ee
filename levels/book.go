package levels

import (
	"math"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
)

// TouchOptions says when price has reached a level.
type TouchOptions struct {
	ATR int // bars of the average true range; 0 means 14
	// Tolerance widens a level's band on both sides by this multiple of the
	// average true range at its confirmation; 0 means 0.1, negative means not at all.
	Tolerance float64
}

func (o TouchOptions) resolve() (TouchOptions, error) {
	var err error
	if o.ATR, err = count("touch.atr", o.ATR, 14, 100_000); err != nil {
		return o, err
	}
	switch {
	case math.IsNaN(o.Tolerance) || o.Tolerance > 100:
		return o, invalid.Field("touch.tolerance", o.Tolerance, "a multiple of the average true range, at most 100")
	case o.Tolerance == 0:
		o.Tolerance = 0.1
	case o.Tolerance < 0:
		o.Tolerance = 0
	}
	return o, nil
}

// A record is a level under observation.
type record struct {
	price, low, high float64
	bottom, top      float64 // the band widened by the tolerance
	born, confirmed  int     // bars, counted from the engine's first
	touched          int     // the latest bar that touched it; -1 when none did
	insideAt         int     // place among book.inside; -1 when price is outside
	previous, next   int32   // in order of creation, among those that age
	touches          int32
	visits, held     int32
	home             int8 // side of the last close outside the band
	side, from       int8 // where price was last when outside, and when the visit began
	counted          bool // the visit under way counts
	broken, swept    bool
	live, ages       bool
	placed           bool // stands in the ladders
	once             bool // ends with the first touch, and not before
	filling          fills
	state            State
	kind             Kind
	reach            float64 // how far price has come back into a gap, or beyond a pool
	bornAt           time.Time
	confirmedAt      time.Time
	touchedAt        time.Time
	brokenAt         time.Time
	label            *label // nil: the kind and the time it was born
}

// fills says what Filled means for a level.
type fills int8

const (
	fillsNever fills = iota
	fillsDown        // from above: price left it upward
	fillsUp          // from below
	sweptAbove       // a trade above it empties the pool
	sweptBelow
)

// A book follows levels: for every bar it does work for those that price
// reaches, leaves or jumps over, and none for the others.
type book struct {
	records []record
	free    []int32
	dead    []int32 // no more, but still on the ladders
	tops    ladder  // by top; before the cursor those wholly below the last bar
	bottoms ladder  // by bottom; after the cursor those wholly above it
	inside  []visitor
	waiting []int32 // added while no bar was known

	first, last int32 // those that age, oldest first
	aging       int
	limit       int
	oldest      int     // bars before it are beyond the lookback
	young       int32   // the first of those that age and are within the lookback
	stale       []int32 // broken by this bar and beyond the lookback

	i              int // the last known bar; -1 when there is none
	at             time.Time
	lo, hi, closed float64
	now            int // the last bar, known or not
	current        bool
}

// A visitor is a level that the last bar reached.
type visitor struct {
	low, high float64
	id        int32
	home      int8
	busy      bool // there is more to see to than the close
}

func newBook(limit int) *book {
	return &book{limit: limit, first: -1, last: -1, young: -1, i: -1}
}

// step takes the bar i, in which levels added before it may be touched.
func (b *book) step(i, oldest int, at time.Time, lo, hi, closed float64, isKnown bool) {
	b.now, b.oldest, b.current = i, oldest, isKnown
	if isKnown {
		before, beforeAt := b.i, b.at
		b.i, b.at, b.lo, b.hi, b.closed = i, at, min(lo, closed), max(hi, closed), closed
		b.cross(before, beforeAt)
		if len(b.waiting) > 0 {
			b.admit()
		}
		b.visit()
	}
	b.age()
	b.bury()
}

// cross moves the cursors to the new bar's range.
func (b *book) cross(before int, beforeAt time.Time) {
	for r := b.tops.below(); r.id >= 0 && r.key >= b.lo; r = b.tops.below() {
		b.tops.down()
		if x := &b.records[r.id]; x.live && x.bottom <= b.hi {
			b.enter(r.id, x)
		}
	}
	for r := b.tops.above(); r.id >= 0 && r.key < b.lo; r = b.tops.above() {
		b.tops.up()
		b.leave(r.id, +1, before, beforeAt)
	}
	for r := b.bottoms.below(); r.id >= 0 && r.key > b.hi; r = b.bottoms.below() {
		b.bottoms.down()
		b.leave(r.id, -1, before, beforeAt)
	}
	for r := b.bottoms.above(); r.id >= 0 && r.key <= b.hi; r = b.bottoms.above() {
		b.bottoms.up()
		if x := &b.records[r.id]; x.live && x.top >= b.lo {
			b.enter(r.id, x)
		}
	}
}

// enter begins a visit.
func (b *book) enter(id int32, x *record) {
	if x.insideAt >= 0 {
		return
	}
	x.from = x.side
	b.receive(id, x)
	b.count(x)
}

// count makes the visit under way one of those counted.
func (b *book) count(x *record) {
	x.counted = true
	x.touches++
	switch x.state {
	case StateFresh:
		x.state = StateTested
	case StateFlipped:
		x.state = StateRetested
	}
}

// leave takes a bar wholly on one side of the widened band; before is the known bar before it.
func (b *book) leave(id int32, side int8, before int, beforeAt time.Time) {
	x := &b.records[id]
	if !x.live {
		return
	}
	if x.insideAt >= 0 {
		if x.counted {
			x.visits++
			if side == x.from {
				x.held++
			}
		}
		if before > x.confirmed {
			x.touched, x.touchedAt = before, beforeAt
		}
		b.outside(x)
	}
	x.side = side
	b.close(id, x, side)
	if x.state == StateBroken && x.home == side {
		x.state = StateFlipped
	}
	if x.filling != fillsNever {
		x.fill(b.lo, b.hi)
	}
}

// outside takes a record from those that the last bar reached.
func (b *book) outside(x *record) {
	last := len(b.inside) - 1
	moved := b.inside[last]
	b.inside[x.insideAt] = moved
	b.records[moved.id].insideAt = x.insideAt
	b.inside = b.inside[:last]
	x.insideAt, x.counted = -1, false
}

// close takes a close beyond the band.
func (b *book) close(id int32, x *record, side int8) {
	if x.home == side {
		return
	}
	if x.home != 0 {
		if !x.broken {
			x.broken, x.brokenAt = true, b.at
		}
		x.state = StateBroken
		if x.ages && x.born < b.oldest {
			b.stale = append(b.stale, id)
		}
	}
	x.home = side
}

// receive puts a record among those that the last bar reached.
func (b *book) receive(id int32, x *record) {
	x.insideAt = len(b.inside)
	b.inside = append(b.inside, visitor{x.low, x.high, id, x.home, x.once || x.filling != fillsNever})
}

// visit looks at the close of a bar for every level that it reached.
func (b *book) visit() {
	for k := range b.inside {
		v := &b.inside[k]
		switch {
		case b.closed > v.high && v.home <= 0:
			v.home = +1
			b.close(v.id, &b.records[v.id], +1)
		case b.closed < v.low && v.home >= 0:
			v.home = -1
			b.close(v.id, &b.records[v.id], -1)
		}
		if v.busy {
			x := &b.records[v.id]
			x.fill(b.lo, b.hi)
			if !x.counted && (x.filling == fillsDown || x.filling == fillsUp) && b.i > x.confirmed && x.filled() > 0 {
				// The bar that made a gap stands at its edge: a visit begins
				// when price comes in.
				x.from = x.home
				b.count(x)
			}
			if x.once && b.i > x.confirmed {
				b.stale = append(b.stale, v.id)
			}
		}
	}
}

func (x *record) fill(lo, hi float64) {
	switch x.filling {
	case fillsDown:
		x.reach = min(x.reach, lo)
	case fillsUp:
		x.reach = max(x.reach, hi)
	case sweptAbove:
		x.swept = x.swept || hi > x.high
	case sweptBelow:
		x.swept = x.swept || lo < x.low
	}
}

func (x *record) filled() float64 {
	switch {
	case x.filling == fillsDown:
		return min(1, max(0, (x.high-x.reach)/(x.high-x.low)))
	case x.filling == fillsUp:
		return min(1, max(0, (x.reach-x.low)/(x.high-x.low)))
	case x.swept:
		return 1
	}
	return 0
}

// add follows a record from the last bar on, which confirmed it, and returns
// its number. Those that age are dropped when they are broken and older than
// the lookback, and when there are more than the limit.
func (b *book) add(x *record, tolerance float64, ages bool) int32 {
	x.bottom, x.top = x.low-tolerance, x.high+tolerance
	x.insideAt, x.live, x.ages, x.placed = -1, true, ages, false
	x.previous, x.next = -1, -1
	x.state = StateFresh
	switch x.filling {
	case fillsDown:
		x.reach = math.Inf(1)
	case fillsUp:
		x.reach = math.Inf(-1)
	}
	var id int32
	if n := len(b.free); n > 0 {
		id, b.free = b.free[n-1], b.free[:n-1]
		b.records[id] = *x
	} else {
		id = int32(len(b.records))
		b.records = append(b.records, *x)
	}
	if b.current {
		b.begin(id)
	} else {
		b.waiting = append(b.waiting, id)
	}
	if ages {
		b.chain(id)
	}
	return id
}

// begin places a record by its confirming bar. A visit that is under way then
// made the level or preceded it, and is not counted.
func (b *book) begin(id int32) {
	x := &b.records[id]
	b.put(id, x)
	switch {
	case x.top < b.lo:
		x.side = +1
	case x.bottom > b.hi:
		x.side = -1
	default:
		b.receive(id, x)
	}
	switch {
	case b.closed > x.high:
		b.close(id, x, +1)
	case b.closed < x.low:
		b.close(id, x, -1)
	}
	if x.insideAt >= 0 {
		b.inside[x.insideAt].home = x.home
	}
	if x.state == StateBroken && x.home == x.side {
		x.state = StateFlipped
	}
}

func (b *book) put(id int32, x *record) {
	x.placed = true
	b.tops.insert(x.top, id, x.top < b.lo)
	b.bottoms.insert(x.bottom, id, x.bottom <= b.hi)
}

// admit places records that were confirmed by bars that are not known: for
// them this bar is the first.
func (b *book) admit() {
	for _, id := range b.waiting {
		x := &b.records[id]
		if !x.live {
			continue
		}
		b.put(id, x)
		switch {
		case x.top < b.lo:
			b.leave(id, +1, -1, time.Time{})
		case x.bottom > b.hi:
			b.leave(id, -1, -1, time.Time{})
		default:
			b.enter(id, x)
		}
	}
	b.waiting = b.waiting[:0]
}

// remove ends the observation of a record.
func (b *book) remove(id int32) {
	x := &b.records[id]
	if !x.live {
		return
	}
	if x.placed {
		b.dead = append(b.dead, id)
	} else {
		for k, w := range b.waiting {
			if w == id {
				b.waiting = append(b.waiting[:k], b.waiting[k+1:]...)
				break
			}
		}
	}
	if x.insideAt >= 0 {
		b.outside(x)
	}
	if x.ages {
		b.unchain(id)
	}
	x.live, x.label = false, nil
	if !x.placed {
		b.free = append(b.free, id)
	}
}

// bury takes those that are no more from the ladders, once they are many.
func (b *book) bury() {
	if len(b.dead) < 32+b.tops.n/3 {
		return
	}
	gone := func(id int32) bool { return !b.records[id].live }
	b.tops.drop(gone)
	b.bottoms.drop(gone)
	b.free = append(b.free, b.dead...)
	b.dead = b.dead[:0]
}

// age drops what is broken and beyond the lookback.
func (b *book) age() {
	for _, id := range b.stale {
		if x := &b.records[id]; x.live && x.ages && (x.once && b.lastTouched(x) >= 0 || !x.once && x.broken && x.born < b.oldest) {
			b.remove(id)
		}
	}
	b.stale = b.stale[:0]
	for b.young >= 0 && b.records[b.young].born < b.oldest {
		id := b.young
		b.young = b.records[id].next
		if x := &b.records[id]; x.broken && !x.once {
			b.remove(id)
		}
	}
}

func (b *book) chain(id int32) {
	x := &b.records[id]
	x.previous = b.last
	if b.young < 0 {
		b.young = id
	}
	if b.last >= 0 {
		b.records[b.last].next = id
	} else {
		b.first = id
	}
	b.last = id
	if b.aging++; b.aging > b.limit {
		b.remove(b.first)
	}
}

func (b *book) unchain(id int32) {
	x := &b.records[id]
	if b.young == id {
		b.young = x.next
	}
	if x.previous >= 0 {
		b.records[x.previous].next = x.next
	} else {
		b.first = x.next
	}
	if x.next >= 0 {
		b.records[x.next].previous = x.previous
	} else {
		b.last = x.previous
	}
	b.aging--
}

// source puts into words where a record comes from.
func (x *record) source(daily bool) string {
	if x.label == nil {
		return string(x.kind) + " of " + stamp(x.bornAt, daily)
	}
	return x.label.text(x.kind, daily)
}

// level returns the level as it stands after the last bar.
func (b *book) level(x *record, daily bool) Level {
	l := Level{
		Price: x.price, Low: x.low, High: x.high, Kind: x.kind, Source: x.source(daily),
		Born: x.bornAt, Confirmed: x.confirmedAt, LastTouch: x.touchedAt, Touches: int(x.touches),
		Broken: x.broken, BrokenAt: x.brokenAt, State: x.state, Side: int(x.home), Filled: x.filled(),
	}
	if x.insideAt >= 0 && b.i > x.confirmed {
		l.LastTouch = b.at
	}
	l.Visits, l.Held = int(x.visits), int(x.held)
	return l
}

// lastTouched is the latest bar that touched x; -1 when none did.
func (b *book) lastTouched(x *record) int {
	if x.insideAt >= 0 && b.i > x.confirmed {
		return b.i
	}
	return x.touched
}
