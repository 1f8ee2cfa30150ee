package levels

import (
	"math"
	"slices"
	"sort"

	"github.com/ttai-go/ttai/market"
)

// ZoneOptions says how swings gather into zones.
type ZoneOptions struct {
	Swing SwingOptions

	ATR       int     // bars of the average true range; 0 means 14
	Width     float64 // widest zone, as a multiple of the average true range when it forms; 0 means 0.5
	MinSwings int     // swings that make a zone; 0 means 2
	Window    int     // swings older than so many bars do not help to make a zone; 0 means 250
}

func (o ZoneOptions) resolve() (ZoneOptions, error) {
	var err error
	if o.Swing, err = o.Swing.resolve(); err != nil {
		return o, err
	}
	if o.ATR, err = count("zone.atr", o.ATR, 14, 100_000); err != nil {
		return o, err
	}
	if o.Width, err = positive("zone.width", o.Width, 0.5); err != nil {
		return o, err
	}
	if o.MinSwings, err = count("zone.minSwings", o.MinSwings, 2, 1000); err != nil {
		return o, err
	}
	o.Window, err = count("zone.window", o.Window, 250, 10_000_000)
	return o, err
}

// Zones returns the bands in which swings of s, highs and lows alike, lie most
// densely, ascending by price.
//
// Swings are taken in the order they are confirmed. One that lies in an
// existing zone belongs to it. Otherwise, among the swings of the last Window
// bars that are in no zone yet, the densest group around it that is no wider
// than Width average true ranges (of equally dense ones the narrowest, then the youngest) becomes a zone as soon as it has
// MinSwings members: Low and High are its outermost swings, Price is their
// mean, Born the first of them, and Confirmed the bar that confirms the last.
// From then on the band does not move; a zone that no swing has joined for Window bars takes no more.
//
// Touches starts with the members and is counted on with the default
// TouchOptions; [Find] takes others.
func Zones(s market.Series, opts *ZoneOptions) ([]Level, error) {
	return everyOne(s, Options{Kinds: []Kind{KindZone}, Zone: options(opts)})
}

// A zoneFamily gathers swings: those in no zone yet, and the zones that take
// more, both in ascending order of price.
type zoneFamily struct {
	o       ZoneOptions
	source  *swinger
	atr     *trueRange
	loose   []looseSwing
	bands   []band
	near    int     // the place among them that was asked for last
	most    int     // bands, before those that take no more are dropped
	arrived []swing // in order of confirmation, from the number gone on; without a price (NaN) once in a zone
	gone    int
	head    int // of arrived: those before it are too old
}

// A looseSwing is a swing in no zone.
type looseSwing struct {
	price float64
	n     int // its number among all that have arrived
}

// A band is a zone that still takes swings.
type band struct {
	low, high float64
	joined    int // confirmation of the latest member
}

// Beyond so many bands, those that take no more are looked for and dropped;
// fewer go when the market comes near them.
const fewBands = 64

func newZoneFamily(e *Engine) *zoneFamily {
	return &zoneFamily{o: e.o.Zone, source: e.swinger(e.o.Zone.Swing), atr: e.trueRange(e.o.Zone.ATR), most: fewBands}
}

func (f *zoneFamily) lines(_ *Engine, dst []Level) []Level { return dst }

func (f *zoneFamily) update(e *Engine) {
	for k := range f.source.fresh {
		f.forget(e.i)
		f.take(e, &f.source.fresh[k])
	}
}

// forget drops loose swings that are too old.
func (f *zoneFamily) forget(now int) {
	for ; f.head < len(f.arrived) && now-f.arrived[f.head].born > f.o.Window; f.head++ {
		price := f.arrived[f.head].price
		if price != price {
			continue
		}
		for k := f.search(price); k < len(f.loose) && f.loose[k].price == price; k++ {
			if f.loose[k].n == f.gone+f.head {
				f.loose = append(f.loose[:k], f.loose[k+1:]...)
				break
			}
		}
	}
	if f.head >= 32 && f.head >= len(f.arrived)/2 {
		f.gone += f.head
		f.arrived = append(f.arrived[:0], f.arrived[f.head:]...)
		f.head = 0
	}
}

// below is -1, all bits set, when x is below y, and 0 otherwise.
func below(x, y float64) int { return int(int64(math.Float64bits(x-y+0)) >> 63) } // -0 is 0

// search returns the place of the first loose swing at price or above. No jump
// hangs on a price, for none can be foretold.
func (f *zoneFamily) search(price float64) int {
	from, n := 0, len(f.loose)
	for n > 0 {
		half := (n + 1) / 2
		from += half & below(f.loose[from+half-1].price, price)
		n -= half
	}
	return from
}

// above returns the first band that is not wholly below the price. It is
// mostly a few bands from the one asked for before.
func (f *zoneFamily) above(price float64) int {
	const few = 8
	at := min(f.near, len(f.bands))
	least, most := max(0, at-few), min(len(f.bands), at+few)
	for at > least && f.bands[at-1].high >= price {
		at--
	}
	for at < most && f.bands[at].high < price {
		at++
	}
	if at > 0 && f.bands[at-1].high >= price || at < len(f.bands) && f.bands[at].high < price {
		at = sort.Search(len(f.bands), func(k int) bool { return f.bands[k].high >= price })
	}
	f.near = at
	return at
}

func (f *zoneFamily) take(e *Engine, w *swing) {
	now := e.i
	above := f.above(w.price)
	for above < len(f.bands) && now-f.bands[above].joined > f.o.Window {
		f.bands = slices.Delete(f.bands, above, above+1)
	}
	if above < len(f.bands) && f.bands[above].low <= w.price {
		f.bands[above].joined = now
		return
	}
	for above > 0 && now-f.bands[above-1].joined > f.o.Window {
		above--
		f.bands = slices.Delete(f.bands, above, above+1)
	}
	at := f.search(w.price)
	for at < len(f.loose) && f.loose[at].price == w.price {
		at++
	}
	f.loose = append(f.loose, looseSwing{})
	copy(f.loose[at+1:], f.loose[at:])
	f.loose[at] = looseSwing{w.price, f.gone + len(f.arrived)}
	f.arrived = append(f.arrived, swing{})
	f.arrived[len(f.arrived)-1].set(w.price, w.high, w.born, w.confirmed, w.bornAt)

	// Bands hold no loose swing, so each is wholly on one side.
	width := f.o.Width * f.atr.mean
	lowest, highest := w.price-width, w.price+width
	from, to := at, at+1
	for from > 0 && f.loose[from-1].price >= lowest && !(above > 0 && f.loose[from-1].price < f.bands[above-1].low) {
		from--
	}
	for to < len(f.loose) && f.loose[to].price <= highest && !(above < len(f.bands) && f.loose[to].price > f.bands[above].high) {
		to++
	}
	if to-from < f.o.MinSwings {
		return
	}
	first, last := f.densest(f.loose[from:to], at-from, width)
	if last-first < f.o.MinSwings {
		return
	}
	first, last = from+first, from+last
	zone := f.merge(e.book.label(), f.loose[first:last])
	e.follow(&zone, true)
	f.loose = append(f.loose[:first], f.loose[last:]...)
	f.bands = slices.Insert(f.bands, above, band{zone.low, zone.high, now})
	if len(f.bands) > f.most {
		f.bands = slices.DeleteFunc(f.bands, func(z band) bool { return now-z.joined > f.o.Window })
		f.most = max(fewBands, 2*len(f.bands))
	}
}

// densest returns the bounds of the largest group of swings, which are in
// ascending order, that are at most width apart and hold the one at newest.
func (f *zoneFamily) densest(near []looseSwing, newest int, width float64) (first, last int) {
	var bestSpread float64
	var bestAge int
	for from, to := 0, 0; from <= newest; from++ {
		for to < len(near) && near[to].price-near[from].price <= width {
			to++
		}
		if to <= newest || to-from < last-first {
			continue
		}
		// Of as many, the narrower one; of as wide ones the younger. Neither
		// favours one direction of price.
		spread, age := near[to-1].price-near[from].price, 0
		for _, w := range near[from:to] {
			age -= f.arrived[w.n-f.gone].born
		}
		if to-from > last-first || spread < bestSpread || spread == bestSpread && age < bestAge {
			first, last, bestSpread, bestAge = from, to, spread, age
		}
	}
	return first, last
}

// merge makes a zone of swings in ascending order, and writes its label.
func (f *zoneFamily) merge(words *label, members []looseSwing) record {
	first := &f.arrived[members[0].n-f.gone]
	last := first
	highs, sum := 0, 0.0
	for _, x := range members {
		m := &f.arrived[x.n-f.gone]
		if m.born < first.born {
			first = m
		}
		if m.born > last.born {
			last = m
		}
		if m.high {
			highs++
		}
		sum += m.price
		m.price = math.NaN()
	}
	*words = label{form: labelMembers, n: int32(highs), m: int32(len(members) - highs), a: first.bornAt, b: last.bornAt}
	low, high := members[0].price, members[len(members)-1].price
	return record{
		// The mean of equal numbers can leave them by a rounding.
		price: min(max(sum/float64(len(members)), low), high), low: low, high: high, kind: KindZone,
		born: first.born, bornAt: first.bornAt, touched: last.born, touchedAt: last.bornAt, touches: int32(len(members)),
		label: words,
	}
}
