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

// A record is a level under observation. Its story is as of the last bar that
// the book has been read up to.
type record struct {
	price, low, high float64
	born, confirmed  int   // bars, counted from the engine's first
	touched          int   // the latest bar that touched it before the visit under way; -1 when none did
	start            int32 // the bar among the book's that its story begins with
	age              int32 // how many levels had its place before it
	previous, next   int32 // in order of creation, among those that age
	touches          int32
	visits, held     int32
	home             int8 // side of the last close outside the band
	from             int8 // where price was before the visit under way
	counted          bool // the visit under way counts
	broken, swept    bool
	fallen           bool // broken, for those whose end depends on it; always up to date
	ages             bool
	once             bool // ends with the first touch, and not before
	unseen           bool // the bar that confirmed it is not known
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

// A spot says where price is, seen from a record.
type spot struct {
	bottom, top float64 // the band widened by the tolerance
	side        int8    // where price was last when outside
	inside      bool
	live        bool
	begun       bool // its story has begun
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

// A book follows levels. It writes the bars down and tells the levels' stories
// only when someone asks, or when so many bars have come that they would not
// fit: most levels end before that. What decides the end of a level is all
// that it looks at with every bar, and for that only at the next price that can
// bring one about.
type book struct {
	records []record
	spots   []spot // of the records
	free    []int32
	labels  []*label // of zones that are no more, to be used again

	first, last int32 // those that age, oldest first
	aging       int
	limit       int
	oldest      int   // bars before it are beyond the lookback
	young       int32 // the first of those that age and are within the lookback
	forever     bool  // there is no lookback

	ends  endings
	stale []owner // ended by this bar, or the one before

	pages   pages
	read    int // bars of the pages that the stories tell of
	now     int // the last bar, known or not
	current bool
}

func newBook(limit int, bars *history) *book {
	return &book{limit: limit, first: -1, last: -1, young: -1, now: -1, pages: pages{bars: bars}, ends: endings{below: newLookout(), above: newLookout(), touchBelow: newLookout(), touchAbove: newLookout()}}
}

// full reports whether it is time to read up the bars and forget them. More
// levels make that rarer, so that a bar never pays for all of them.
func (b *book) full() bool { return b.now-b.pages.from >= max(mostPages, len(b.records)/8) }

// step takes the bar i, in which levels added before it may be touched.
func (b *book) step(i, oldest int, lo, hi, closed float64, isKnown bool) {
	b.now, b.oldest, b.current = i, oldest, isKnown
	if isKnown {
		// A close outside the range is a rare mistake: jumps cost less than min and max.
		if closed < lo {
			lo = closed
		}
		if closed > hi {
			hi = closed
		}
		b.pages.add(i, lo, hi, closed)
		b.look(lo, hi, closed)
	}
	if len(b.stale) > 0 || b.young >= 0 && b.records[b.young].born < b.oldest {
		b.end()
	}
}

// end drops what is broken and beyond the lookback, and what ends with a touch.
func (b *book) end() {
	for _, o := range b.stale {
		if b.records[o.id].age == o.age {
			b.remove(o.id)
		}
	}
	b.stale = b.stale[:0]
	for b.young >= 0 && b.records[b.young].born < b.oldest {
		id := b.young
		b.young = b.records[id].next
		if x := &b.records[id]; x.fallen && !x.once {
			b.remove(id)
		}
	}
}

// A moment is a bar that confirms levels which may be written down later.
type moment struct {
	i         int
	at        time.Time
	start     int32
	known     bool
	tolerance float64
}

// add follows a record from a moment on and returns its number. Those that age
// are dropped when they are broken and older than the lookback, and when there
// are more than the limit; their moment must be the last bar.
func (b *book) add(r *record, m *moment, ages bool) int32 {
	id, x := b.place()
	age := x.age
	*x = *r
	x.age = age
	b.enter(id, m, ages)
	return id
}

// place returns the place for another record, with what was there before.
func (b *book) place() (int32, *record) {
	if n := len(b.free); n > 0 {
		id := b.free[n-1]
		b.free = b.free[:n-1]
		return id, &b.records[id]
	}
	id := int32(len(b.records))
	b.records, b.spots = append(b.records, record{}), append(b.spots, spot{})
	return id, &b.records[id]
}

// enter follows the record that has been written to its place.
func (b *book) enter(id int32, m *moment, ages bool) {
	x := &b.records[id]
	x.ages, x.previous, x.next, x.state = ages, -1, -1, StateFresh
	x.confirmed, x.confirmedAt, x.start, x.unseen = m.i, m.at, m.start, !m.known
	switch x.filling {
	case fillsDown:
		x.reach = math.Inf(1)
	case fillsUp:
		x.reach = math.Inf(-1)
	}
	b.spots[id] = spot{bottom: x.low - m.tolerance, top: x.high + m.tolerance, live: true}
	if ages {
		if !b.forever || x.once {
			b.await(id, x)
		}
		b.chain(id)
	}
}

// label returns a label for a zone.
func (b *book) label() *label {
	n := len(b.labels)
	if n == 0 {
		return new(label)
	}
	x := b.labels[n-1]
	b.labels = b.labels[:n-1]
	return x
}

// remove ends the observation of a record.
func (b *book) remove(id int32) {
	if !b.spots[id].live {
		return
	}
	x := &b.records[id]
	if x.ages {
		b.unchain(id)
	}
	b.spots[id].live = false
	if x.label != nil && x.label.form == labelMembers {
		b.labels = append(b.labels, x.label)
	}
	x.label = nil
	x.age++
	b.free = append(b.free, id)
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
func (b *book) level(id int, daily bool) Level {
	x := &b.records[id]
	l := Level{
		Price: x.price, Low: x.low, High: x.high, Kind: x.kind, Source: x.source(daily),
		Born: x.bornAt, Confirmed: x.confirmedAt, LastTouch: x.touchedAt, Touches: int(x.touches),
		Broken: x.broken, BrokenAt: x.brokenAt, State: x.state, Side: int(x.home), Filled: x.filled(),
	}
	if last := b.pages.last(); b.spots[id].inside && last > x.confirmed {
		l.LastTouch = b.pages.time(len(b.pages.all) - 1)
	}
	l.Visits, l.Held = int(x.visits), int(x.held)
	return l
}

// lastTouched is the latest bar that touched a record; -1 when none did.
func (b *book) lastTouched(id int) int {
	x := &b.records[id]
	if last := b.pages.last(); b.spots[id].inside && last > x.confirmed {
		return last
	}
	return x.touched
}
