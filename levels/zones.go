package levels

import (
	"fmt"
	"slices"

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
	o, err := options(opts).resolve()
	if err != nil {
		return nil, err
	}
	if err := check(s); err != nil {
		return nil, err
	}
	found, err := finish(s, zones(s, o), TouchOptions{})
	sortByPrice(found)
	return found, err
}

// A zone in the making: its place among the results, and the last swing in it.
type zone struct {
	low, high float64
	joined    int // confirmation of the latest member
}

func zones(s market.Series, o ZoneOptions) []candidate {
	atr := trueRanges(s, o.ATR)
	var found []candidate
	var active []zone
	var free []candidate // swings in no zone, oldest first
	for _, swing := range swings(s, o.Swing) {
		now := swing.confirmed
		active = slices.DeleteFunc(active, func(z zone) bool { return now-z.joined > o.Window })
		free = slices.DeleteFunc(free, func(c candidate) bool { return now-c.born > o.Window })

		if i := slices.IndexFunc(active, func(z zone) bool { return swing.Price >= z.low && swing.Price <= z.high }); i >= 0 {
			active[i].joined = now
			continue
		}
		free = append(free, swing)
		members := densest(free, active, o.Width*atr[now])
		if len(members) < o.MinSwings {
			continue
		}
		z := merge(s, members)
		z.confirmed, z.Confirmed = now, s.Time[now]
		found = append(found, z)
		active = append(active, zone{z.Low, z.High, now})
		free = slices.DeleteFunc(free, func(c candidate) bool { return c.Price >= z.Low && c.Price <= z.High })
	}
	return found
}

// densest returns the largest group of swings, the newest one among them, whose
// prices are at most width apart and which no active zone parts.
func densest(free []candidate, active []zone, width float64) []candidate {
	newest := free[len(free)-1]
	low, high := newest.Price-width, newest.Price+width
	for _, z := range active {
		// Bands of active zones hold no free swing, so each is on one side.
		if z.high < newest.Price {
			low = max(low, z.high)
		} else {
			high = min(high, z.low)
		}
	}
	var near []candidate
	for _, c := range free {
		if c.Price >= low && c.Price <= high {
			near = append(near, c)
		}
	}
	slices.SortStableFunc(near, func(a, b candidate) int {
		switch {
		case a.Price < b.Price:
			return -1
		case a.Price > b.Price:
			return +1
		}
		return 0
	})
	var best []candidate
	for from, to := 0, 0; from < len(near) && near[from].Price <= newest.Price; from++ {
		for to < len(near) && near[to].Price-near[from].Price <= width {
			to++
		}
		group := near[from:to]
		if group[len(group)-1].Price < newest.Price {
			continue
		}
		if denser(group, best) {
			best = group
		}
	}
	return best
}

// denser reports whether a, sorted by price, has more swings than b, or as many
// and is narrower, or as wide and younger. It does not favour one direction of price.
func denser(a, b []candidate) bool {
	if len(a) != len(b) {
		return len(a) > len(b)
	}
	if x, y := spread(a), spread(b); x != y {
		return x < y
	}
	age := func(group []candidate) (sum int) {
		for _, c := range group {
			sum -= c.born
		}
		return sum
	}
	return age(a) < age(b)
}

func spread(sorted []candidate) float64 {
	return sorted[len(sorted)-1].Price - sorted[0].Price
}

// merge makes a zone of swings sorted by price.
func merge(s market.Series, members []candidate) candidate {
	first, last := members[0], members[0]
	highs, sum := 0, 0.0
	for _, m := range members {
		if m.born < first.born {
			first = m
		}
		if m.born > last.born {
			last = m
		}
		if m.Kind == KindSwingHigh {
			highs++
		}
		sum += m.Price
	}
	low, high := members[0].Price, members[len(members)-1].Price
	return candidate{
		Level: Level{
			// The mean of equal numbers can leave them by a rounding.
			Price: min(max(sum/float64(len(members)), low), high), Low: low, High: high, Kind: KindZone,
			Source: fmt.Sprintf("%s and %s from %s to %s", plural(highs, "swing high"), plural(len(members)-highs, "swing low"), stamp(s, first.born), stamp(s, last.born)),
			Born:   first.Born, LastTouch: last.Born, Touches: len(members),
		},
		born: first.born, touched: last.born,
	}
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
