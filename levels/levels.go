// Package levels finds prices at which a market has turned, traded or closed
// before, and others that many people look at: swings and the zones they form,
// pivot points, Fibonacci ratios, volume and market profiles, volume-weighted
// averages, the ranges of earlier sessions, overnight and opening ranges, gaps,
// broken structure, order blocks, pools of liquidity, round numbers, trend
// lines, and levels of option chains passed in.
//
// An [Engine] takes bars one at a time and keeps every level with its history;
// [Find] is the engine run over a series.
//
// # What a level knows and when
//
// A level carries the bar that made it (Born) and the bar by whose end it could
// be known (Confirmed). Price, Low, High, Born and Confirmed of a level never
// depend on bars after Confirmed: computed again with only the bars up to
// Confirmed, they are the same. Touches, LastTouch, Broken, State, Filled,
// Visits and Held describe what has happened up to the last bar. Some results follow
// the last bar by nature and say so in Confirmed: profiles that are not yet
// finished, and lines, see [Kind.Moves].
//
// Functions that reproduce the conventions of other programs, which look ahead,
// take an option named Repaint or stand in types of their own; their rows carry
// the bar by whose end they were really known.
//
// Bars are taken as complete: leave out the one in progress, for example with
// market.Calendar.Complete. Bars with an unknown (NaN) high, low or close, or a high
// below the low, make and touch no level. Prices must compare over time: adjust
// bars for splits first, with market.AdjustBars.
//
// # What Strength is, and is not
//
// Strength is a probability, not a score: see [Level]. It was fitted to some
// symbols and years and tried on others, with [Evaluate], against random levels at
// the same distances. No kind did better than those beyond doubt, and touches, age
// and confluence added nothing; so the strength of a level is the base rate of a
// band of its width. docs/levels.md has the whole record, the losers in it. Use levels to
// describe where things are. [Evaluate] says what yours are worth on your own bars.
//
// Functions are pure, deterministic and safe for concurrent use; an Engine is
// not. Prices are in the unit of the bars.
package levels

import (
	"cmp"
	"errors"
	"math"
	"slices"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

// A FieldError says which argument was refused and what is allowed.
type FieldError = invalid.FieldError

// ErrNoVolume is returned when a volume profile is asked of bars none of which
// has a known volume above zero.
var ErrNoVolume = errors.New("levels: the bars have no volume")

// A Level is a price, or a band of prices around it.
type Level struct {
	Price     float64 // between Low and High
	Low, High float64 // the band; both equal Price when the level is a single price
	Kind      Kind
	Source    string // where it comes from, for people: "R1 of the week of 2024-03-04 (standard pivots)"

	Born      time.Time // start of the bar that made it, or of the first one that did
	Confirmed time.Time // start of the bar by whose end it is known; never before Born
	LastTouch time.Time // start of the latest bar that made or touched it; zero when none did

	// Touches counts the swings that made the level (one for a swing, the
	// members of a zone or pool, otherwise none) and the separate visits of price after
	// Confirmed. A visit is a run of bars whose range reaches the band, widened
	// by the tolerance of TouchOptions.
	Touches int

	// Broken reports a close after Confirmed beyond the band, seen from the side
	// the market was on: above for a swing high, below for a swing low, and
	// otherwise away from the first close outside the band. BrokenAt is the
	// first bar that closed so, zero when none did.
	Broken   bool
	BrokenAt time.Time
	State    State // empty when there is no history: the result of a function that does not follow levels

	// Side is where the market was by its last close outside the band: +1 above
	// (the level is support), -1 below (resistance), 0 when not yet known.
	Side int

	// Filled is, for a gap and a fair value gap, the deepest share of the band
	// that price has come back through, from the side it left on, 0 to 1; for a
	// liquidity pool 1 once price has traded beyond it; 0 for other kinds.
	Filled float64

	// Slope is the change of Price per bar of a trend line or channel; 0 for other kinds.
	Slope float64

	// Visits counts the finished visits after Confirmed, and Held those of them
	// after which price left on the side it had come from.
	Visits, Held int

	// Strength is the probability that price, once it has come to the band, moves
	// back one average true range from its near edge before a bar closes half of
	// one beyond its far edge, both within ten bars. It is calibrated out of sample, see
	// the package comment; for a kind that does no better than chance it is that of a
	// random band of the same width. It is 0, not known, for levels that no
	// Engine or Find has returned.
	Strength float64
}

// Contains reports whether price lies in the band.
func (l Level) Contains(price float64) bool { return price >= l.Low && price <= l.High }

// Distance is how far price must move to reach the band, signed: positive when
// the level is above, 0 inside the band.
func (l Level) Distance(price float64) float64 {
	switch {
	case price < l.Low:
		return l.Low - price
	case price > l.High:
		return l.High - price
	}
	return 0
}

// Around returns the levels wholly below and wholly above price, each nearest
// first, at most n of each; 0 means all. Levels whose band holds price are in neither.
func Around(levels []Level, price float64, n int) (below, above []Level) {
	for _, l := range levels {
		switch {
		case l.High < price:
			below = append(below, l)
		case l.Low > price:
			above = append(above, l)
		}
	}
	nearest := func(a, b Level) int {
		return cmp.Compare(math.Abs(a.Distance(price)), math.Abs(b.Distance(price)))
	}
	slices.SortStableFunc(below, nearest)
	slices.SortStableFunc(above, nearest)
	if n > 0 {
		below, above = below[:min(n, len(below))], above[:min(n, len(above))]
	}
	return below, above
}

// sortByPrice orders levels by price, then kind, birth and source. It orders
// their places first: moving a level costs more than comparing two.
func sortByPrice(levels []Level) {
	type place struct {
		price float64
		at    int
	}
	places := make([]place, len(levels))
	for i := range levels {
		places[i] = place{levels[i].Price, i}
	}
	slices.SortFunc(places, func(x, y place) int {
		if x.price < y.price {
			return -1
		}
		if x.price > y.price {
			return +1
		}
		a, b := &levels[x.at], &levels[y.at]
		return cmp.Or(cmp.Compare(a.Price, b.Price), cmp.Compare(a.Kind, b.Kind), a.Born.Compare(b.Born), cmp.Compare(a.Source, b.Source),
			a.Confirmed.Compare(b.Confirmed), cmp.Compare(a.Low, b.Low), cmp.Compare(a.High, b.High), cmp.Compare(a.Side, b.Side), cmp.Compare(a.Touches, b.Touches), cmp.Compare(x.at, y.at))
	})
	// Each cycle of the permutation is moved along.
	for i := range places {
		if places[i].at == i || places[i].at < 0 {
			continue
		}
		first := levels[i]
		to := i
		for {
			from := places[to].at
			places[to].at = -1
			if from == i {
				levels[to] = first
				break
			}
			levels[to] = levels[from]
			to = from
		}
	}
}

// check refuses a series whose columns differ in length or whose times do not ascend.
func check(s market.Series) error {
	n := len(s.Time)
	for _, column := range []struct {
		name string
		len  int
	}{{"series.Open", len(s.Open)}, {"series.High", len(s.High)}, {"series.Low", len(s.Low)}, {"series.Close", len(s.Close)}, {"series.Volume", len(s.Volume)}} {
		if column.len != n {
			return invalid.Fieldf(column.name, column.len, "as many values as there are times, %d", n)
		}
	}
	for i := 1; i < n; i++ {
		if !s.Time[i].After(s.Time[i-1]) {
			return invalid.Field("series.Time", s.Time[i].Format(time.RFC3339), "times in ascending order without repeats")
		}
	}
	return nil
}

func positive(field string, value float64, fallback float64) (float64, error) {
	if value == 0 {
		return fallback, nil
	}
	if !(value > 0) || math.IsInf(value, 1) {
		return 0, invalid.Field(field, value, "a number above 0")
	}
	return value, nil
}

func count(field string, value, fallback, most int) (int, error) {
	if value == 0 {
		return fallback, nil
	}
	if value < 1 || value > most {
		return 0, invalid.Fieldf(field, value, "a whole number from 1 to %d", most)
	}
	return value, nil
}

// options returns *opts, or the zero value for nil.
func options[T any](opts *T) T {
	if opts == nil {
		var zero T
		return zero
	}
	return *opts
}
