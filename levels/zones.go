package levels

import (
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
	loose   []swing
	bands   []band
	arrived []swing // the loose ones in order of birth, and some that have joined a zone
}

// A band is a zone that still takes swings.
type band struct {
	low, high float64
	joined    int // confirmation of the latest member
}

// Beyond so many bands, those that take no more are looked for and dropped;
// fewer go when the market comes near them.
const mostBands = 1024

func newZoneFamily(e *Engine) *zoneFamily {
	return &zoneFamily{o: e.o.Zone, source: e.swinger(e.o.Zone.Swing), atr: e.trueRange(e.o.Zone.ATR)}
}

func (f *zoneFamily) lines(_ *Engine, dst []Level) []Level { return dst }

func (f *zoneFamily) update(e *Engine) {
	for _, w := range f.source.fresh {
		f.forget(e.i)
		f.take(e, w)
	}
}

// forget drops loose swings that are too old.
func (f *zoneFamily) forget(now int) {
	n := 0
	for ; n < len(f.arrived) && now-f.arrived[n].born > f.o.Window; n++ {
		old := f.arrived[n]
		for k := f.search(old.price); k < len(f.loose) && f.loose[k].price == old.price; k++ {
			if f.loose[k].born == old.born && f.loose[k].high == old.high {
				f.loose = slices.Delete(f.loose, k, k+1)
				break
			}
		}
	}
	if n > 0 {
		f.arrived = append(f.arrived[:0], f.arrived[n:]...)
	}
}

// search returns the place of the first loose swing at price or above.
func (f *zoneFamily) search(price float64) int {
	return sort.Search(len(f.loose), func(k int) bool { return f.loose[k].price >= price })
}

func (f *zoneFamily) take(e *Engine, w swing) {
	now := e.i
	// The first band that is not wholly below the swing.
	above := sort.Search(len(f.bands), func(k int) bool { return f.bands[k].high >= w.price })
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
	f.loose = slices.Insert(f.loose, at, w)
	f.arrived = append(f.arrived, w)

	// Bands hold no loose swing, so each is wholly on one side.
	width := f.o.Width * f.atr.mean
	from, to := at, at+1
	for from > 0 && f.loose[from-1].price >= w.price-width && !(above > 0 && f.loose[from-1].price < f.bands[above-1].low) {
		from--
	}
	for to < len(f.loose) && f.loose[to].price <= w.price+width && !(above < len(f.bands) && f.loose[to].price > f.bands[above].high) {
		to++
	}
	first, last := densest(f.loose[from:to], at-from, width)
	if last-first < f.o.MinSwings {
		return
	}
	first, last = from+first, from+last
	zone := f.merge(f.loose[first:last])
	e.follow(&zone, true)
	f.loose = slices.Delete(f.loose, first, last)
	f.bands = slices.Insert(f.bands, above, band{zone.low, zone.high, now})
	if len(f.bands) > mostBands {
		f.bands = slices.DeleteFunc(f.bands, func(z band) bool { return now-z.joined > f.o.Window })
	}
}

// densest returns the bounds of the largest group of swings, which are in
// ascending order, that are at most width apart and hold the one at newest.
func densest(near []swing, newest int, width float64) (first, last int) {
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
			age -= w.born
		}
		if to-from > last-first || spread < bestSpread || spread == bestSpread && age < bestAge {
			first, last, bestSpread, bestAge = from, to, spread, age
		}
	}
	return first, last
}

// merge makes a zone of swings in ascending order.
func (f *zoneFamily) merge(members []swing) record {
	first, last := members[0], members[0]
	highs, sum := 0, 0.0
	for _, m := range members {
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
	}
	low, high := members[0].price, members[len(members)-1].price
	return record{
		// The mean of equal numbers can leave them by a rounding.
		price: min(max(sum/float64(len(members)), low), high), low: low, high: high, kind: KindZone,
		born: first.born, bornAt: first.bornAt, touched: last.born, touchedAt: last.bornAt, touches: int32(len(members)),
		label: &label{form: labelMembers, n: int32(highs), m: int32(len(members) - highs), a: first.bornAt, b: last.bornAt},
	}
}
