package levels

import (
	"math"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
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

// trueRanges returns Wilder's average true range at every bar. Unlike
// indicators.ATR it has a value from the first bar on: the plain mean of the
// true ranges so far, until n are there. It is 0 before the first known bar.
func trueRanges(s market.Series, n int) []float64 {
	out := make([]float64, s.Len())
	mean, seen, before := 0.0, 0, math.NaN()
	for i := range out {
		if known(s, i) {
			high, low := s.High[i], s.Low[i]
			if !math.IsNaN(before) {
				high, low = math.Max(high, before), math.Min(low, before)
			}
			seen++
			mean += (high - low - mean) / float64(min(seen, n))
			before = s.Close[i]
		}
		out[i] = mean
	}
	return out
}

// known reports whether the range and the close of bar i are numbers, and the
// high is not below the low.
func known(s market.Series, i int) bool {
	sum := s.High[i] + s.Low[i] + s.Close[i]
	return !math.IsNaN(sum) && !math.IsInf(sum, 0) && s.High[i] >= s.Low[i]
}

// finish follows candidates from their confirmation to the last bar and
// returns them as levels.
func finish(s market.Series, found []candidate, touch TouchOptions) ([]Level, error) {
	if err := follow(s, found, touch, 0); err != nil {
		return nil, err
	}
	levels := make([]Level, len(found))
	for i, c := range found {
		levels[i] = c.Level
	}
	return levels, nil
}

// follow fills what happened to each candidate after it was confirmed. It
// leaves off where one that was born before the bar oldest is broken.
func follow(s market.Series, found []candidate, touch TouchOptions, oldest int) error {
	touch, err := touch.resolve()
	if err != nil || len(found) == 0 {
		return err
	}
	atr := trueRanges(s, touch.ATR)
	blocks := newExtents(s)
	for i := range found {
		c := &found[i]
		f := follower{s: s, c: c, tolerance: touch.Tolerance * atr[c.confirmed]}
		f.begin()
		for j := c.confirmed + 1; j < s.Len() && !(c.Broken && c.born < oldest); {
			if side, size := blocks.clear(j, c.Low-f.tolerance, c.High+f.tolerance); size > 0 {
				if side != 0 {
					f.away(side)
				}
				j += size
				continue
			}
			f.step(j)
			j++
		}
		if f.visits > 0 {
			c.Strength = float64(f.held) / float64(f.visits+1)
		}
	}
	return nil
}

// A follower walks over the bars after a level's confirmation.
type follower struct {
	s            market.Series
	c            *candidate
	tolerance    float64
	inside       bool // the latest bar reached the band
	counted      bool // and the visit is one of those counted
	side, from   int  // where price was last when outside, and when the visit began
	visits, held int
}

// begin takes the confirming bar. A visit that is under way then made the
// level or preceded it, and is not counted.
func (f *follower) begin() {
	i := f.c.confirmed
	if !known(f.s, i) {
		return
	}
	if side := f.position(i); side != 0 {
		f.side = side
	} else {
		f.inside = true
	}
	f.close(f.s.Close[i])
}

// position is +1 when bar i is wholly above the widened band, -1 when below, 0
// when it reaches it.
func (f *follower) position(i int) int {
	switch {
	case f.s.Low[i] > f.c.High+f.tolerance:
		return +1
	case f.s.High[i] < f.c.Low-f.tolerance:
		return -1
	}
	return 0
}

func (f *follower) step(i int) {
	if !known(f.s, i) {
		return
	}
	if side := f.position(i); side != 0 {
		f.leave(side)
	} else {
		if !f.inside {
			f.inside, f.counted, f.from = true, true, f.side
			f.c.Touches++
		}
		f.c.LastTouch, f.c.touched = f.s.Time[i], i
	}
	f.close(f.s.Close[i])
}

// leave takes a bar outside the widened band.
func (f *follower) leave(side int) {
	if f.inside && f.counted {
		f.visits++
		if side == f.from {
			f.held++
		}
	}
	f.inside, f.counted, f.side = false, false, side
}

// away takes any number of bars that lie, closes included, on one side.
func (f *follower) away(side int) {
	f.leave(side)
	f.beyond(side)
}

func (f *follower) close(x float64) {
	switch {
	case x > f.c.High:
		f.beyond(+1)
	case x < f.c.Low:
		f.beyond(-1)
	}
}

func (f *follower) beyond(side int) {
	if f.c.home == 0 {
		f.c.home = side
	} else if side != f.c.home {
		f.c.Broken = true
	}
}

// Bars far from a level are skipped a block at a time.
const (
	block      = 64
	superblock = block * block
)

// extents holds the range of every block of bars, so that following thousands
// of levels over a long history does not look at every bar for each.
type extents struct {
	n     int
	small []extent
	large []extent
}

type extent struct{ low, high float64 }

func newExtents(s market.Series) *extents {
	e := &extents{n: s.Len()}
	none := extent{math.Inf(1), math.Inf(-1)}
	for i := range e.n {
		if i%block == 0 {
			e.small = append(e.small, none)
		}
		if i%superblock == 0 {
			e.large = append(e.large, none)
		}
		if !known(s, i) {
			continue
		}
		// Closes count too: in faulty data they lie outside the bar.
		low, high := min(s.Low[i], s.Close[i]), max(s.High[i], s.Close[i])
		for _, x := range []*extent{&e.small[len(e.small)-1], &e.large[len(e.large)-1]} {
			x.low, x.high = min(x.low, low), max(x.high, high)
		}
	}
	return e
}

// clear returns how many bars from i on lie on one side of [low, high], and
// which; size is 0 when that is not known, side 0 when all of them are unknown.
func (e *extents) clear(i int, low, high float64) (side, size int) {
	for _, level := range []struct {
		size    int
		extents []extent
	}{{superblock, e.large}, {block, e.small}} {
		if i%level.size != 0 {
			continue
		}
		x := level.extents[i/level.size]
		switch {
		case x.low > x.high:
			return 0, level.size
		case x.low > high:
			return +1, level.size
		case x.high < low:
			return -1, level.size
		}
	}
	return 0, 0
}

// stamp writes the time of bar i for people: the date of a daily or longer
// bar, with the time of day for a shorter one.
func stamp(s market.Series, i int) string {
	if s.Interval.Intraday() || s.Interval == "" && !midnight(s.Time[i]) {
		return s.Time[i].Format("2006-01-02 15:04")
	}
	return dateOf(s.Time[i], nil).String()
}

func midnight(t time.Time) bool {
	hour, minute, second := t.Clock()
	return hour == 0 && minute == 0 && second == 0 && t.Nanosecond() == 0
}
