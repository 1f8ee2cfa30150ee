package levels

import (
	"math"
	"slices"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

// A SmartMoney repaints: it gives the swings, gaps, breaks, order blocks, pools
// and retracements of a whole series by the conventions of the Python package
// smart-money-concepts, so that results can be compared. Those conventions look
// ahead: a row stands at a bar from which it was not yet known. Every row
// therefore carries Confirmed, the bar by whose end it could be known; use
// [Find] and [Engine] for decisions.
//
// Bars are numbered from 0. Like the original, prices of rows, and comparisons
// with them, have single precision where the comment says so.
type SmartMoney struct {
	s      market.Series
	length int
	swings []SmartSwing
}

// A SmartSwing is a turning point.
type SmartSwing struct {
	Bar       int
	High      bool
	Price     float64
	Confirmed int
	// Invented marks the turning points that the convention puts at the first
	// and the last bar, so that the series begins and ends with one.
	Invented bool
}

// NewSmartMoney returns the conventions applied to s, with swings that have the
// extreme of length bars after and length - 1 before.
func NewSmartMoney(s market.Series, length int) (*SmartMoney, error) {
	if length < 1 || length > 100_000 {
		return nil, invalid.Field("length", length, "a whole number from 1 to 100000")
	}
	if err := check(s); err != nil {
		return nil, err
	}
	for i := range s.Time {
		if !known(s, i) {
			return nil, invalid.Fieldf("series", s.Time[i].Format(time.RFC3339), "bars with a known high, low and close")
		}
	}
	m := &SmartMoney{s: s, length: length}
	m.findSwings()
	return m, nil
}

// Swings returns the turning points, alternating between highs and lows. A bar
// that is both counts as a high; of several in a row the most extreme stays. A
// swing's confirmation is that of its window, or of the next turn's when it
// stayed because that one did not replace it.
func (m *SmartMoney) Swings() []SmartSwing { return slices.Clone(m.swings) }

func (m *SmartMoney) findSwings() {
	n := m.length
	o := SwingOptions{Left: n - 1, Right: n, Ties: TiesAll}
	highs, lows := smartExtremes(m.s.High, o, 1), smartExtremes(m.s.Low, o, -1)
	var turns []SmartSwing
	for i := 2*n - 1; i+n < m.s.Len(); i++ {
		x := SmartSwing{Bar: i, High: highs[i], Confirmed: i + n}
		switch {
		case highs[i]:
			x.Price = m.s.High[i]
		case lows[i]:
			x.Price = m.s.Low[i]
		default:
			continue
		}
		if k := len(turns) - 1; k < 0 || turns[k].High != x.High {
			turns = append(turns, x)
		} else if x.High && x.Price > turns[k].Price || !x.High && x.Price < turns[k].Price {
			turns[k] = x
		}
	}
	if len(turns) > 0 {
		last := m.s.Len() - 1
		first := SmartSwing{High: !turns[0].High, Price: m.s.Low[0], Confirmed: turns[0].Confirmed, Invented: true}
		if first.High {
			first.Price = m.s.High[0]
		}
		end := SmartSwing{Bar: last, High: !turns[len(turns)-1].High, Price: m.s.Low[last], Confirmed: last, Invented: true}
		if end.High {
			end.Price = m.s.High[last]
		}
		turns = append(append([]SmartSwing{first}, turns...), end)
	}
	m.swings = turns
}

// smartExtremes reports the bars that no other in their window is beyond.
func smartExtremes(v []float64, o SwingOptions, sign float64) []bool {
	out := make([]bool, len(v))
	w := newWindow(o)
	for i, x := range v {
		if w.update(i, sign*x) && i-o.Right >= 0 {
			out[i-o.Right] = true
		}
	}
	return out
}

// A SmartGap is a fair value gap: it stands at the middle one of three bars and
// is confirmed by the third.
type SmartGap struct {
	Bar         int
	Side        int // +1 rising, -1 falling
	Top, Bottom float64
	Mitigated   int // the first bar after the third that touches the gap; 0 when none does
	Confirmed   int
}

// FairValueGaps returns the gaps. With join, gaps of one side at successive
// bars become one, at the last of them.
func (m *SmartMoney) FairValueGaps(join bool) []SmartGap {
	s := m.s
	var gaps []SmartGap
	for i := 1; i+1 < s.Len(); i++ {
		g := SmartGap{Bar: i, Confirmed: i + 1}
		switch {
		case s.High[i-1] < s.Low[i+1] && s.Close[i] > s.Open[i]:
			g.Side, g.Top, g.Bottom = +1, s.Low[i+1], s.High[i-1]
		case s.Low[i-1] > s.High[i+1] && s.Close[i] < s.Open[i]:
			g.Side, g.Top, g.Bottom = -1, s.Low[i-1], s.High[i+1]
		default:
			continue
		}
		if k := len(gaps) - 1; join && k >= 0 && gaps[k].Bar == i-1 && gaps[k].Side == g.Side {
			g.Top, g.Bottom = max(g.Top, gaps[k].Top), min(g.Bottom, gaps[k].Bottom)
			gaps = gaps[:k]
		}
		gaps = append(gaps, g)
	}
	for k := range gaps {
		g := &gaps[k]
		for j := g.Bar + 2; j < s.Len(); j++ {
			if g.Side > 0 && s.Low[j] <= g.Top || g.Side < 0 && s.High[j] >= g.Bottom {
				g.Mitigated = j
				break
			}
		}
	}
	return gaps
}

// A SmartBreak is a break of structure or a change of character: it stands at
// the swing whose level was broken and is confirmed by the bar that breaks it
// or the one that confirms the last of the four swings, whichever is later.
type SmartBreak struct {
	Bar       int
	Side      int // +1 upward, -1 downward
	Change    bool
	Level     float64 // single precision
	Broken    int
	Confirmed int
}

// Structure returns the breaks. Four turns in a row make one: for a break
// upward low, high, higher low, higher high; for a change upward low, high,
// lower low, higher high. It counts when a later bar closes beyond the level
// (with byRange: trades beyond it), and when no later one is broken before it.
func (m *SmartMoney) Structure(byRange bool) []SmartBreak {
	s := m.s
	up, down := s.Close, s.Close
	if byRange {
		up, down = s.High, s.Low
	}
	var breaks []SmartBreak
	for k := 3; k < len(m.swings); k++ {
		a, b, c, d := m.swings[k-3], m.swings[k-2], m.swings[k-1], m.swings[k]
		x := SmartBreak{Bar: b.Bar, Level: single(b.Price), Confirmed: max(a.Confirmed, b.Confirmed, c.Confirmed, d.Confirmed)}
		switch {
		case d.High && a.Price < c.Price && c.Price < b.Price && b.Price < d.Price:
			x.Side = +1
		case !d.High && a.Price > c.Price && c.Price > b.Price && b.Price > d.Price:
			x.Side = -1
		case d.High && d.Price > b.Price && b.Price > a.Price && a.Price > c.Price:
			x.Side, x.Change = +1, true
		case !d.High && d.Price < b.Price && b.Price < a.Price && a.Price < c.Price:
			x.Side, x.Change = -1, true
		default:
			continue
		}
		for j := x.Bar + 2; j < s.Len(); j++ {
			if x.Side > 0 && up[j] > x.Level || x.Side < 0 && down[j] < x.Level {
				x.Broken = j
				break
			}
		}
		if x.Broken > 0 {
			breaks = slices.DeleteFunc(breaks, func(old SmartBreak) bool { return old.Broken >= x.Broken })
			x.Confirmed = max(x.Confirmed, x.Broken)
			breaks = append(breaks, x)
		}
	}
	return breaks
}

// A SmartBlock is an order block: it stands at the bar whose range it is and is
// confirmed by the bar that closes beyond the last turn.
type SmartBlock struct {
	Bar         int
	Side        int     // +1 below a rise, -1 above a fall
	Top, Bottom float64 // single precision
	Volume      float64 // of the confirming bar and the two before it
	// Percentage is the smaller of the volumes of the last two bars and of the
	// third, in per cent of the larger; 100 when there is none.
	Percentage float64
	Mitigated  int // the bar that ran through it, or, for Side +1, the one before that; 0 when none did
	Confirmed  int
}

// OrderBlocks returns the blocks that are left at the end of the series: one
// that was run through is dropped once price is beyond its other end. With
// byClose, a body beyond the block runs through it, otherwise a range. A swing
// makes one block.
func (m *SmartMoney) OrderBlocks(byClose bool) []SmartBlock {
	blocks := map[int]*SmartBlock{}
	broken := map[int]bool{}
	m.blocks(+1, byClose, blocks, broken)
	m.blocks(-1, byClose, blocks, broken)
	var left []SmartBlock
	for _, b := range blocks {
		left = append(left, *b)
	}
	slices.SortFunc(left, func(a, b SmartBlock) int { return a.Bar - b.Bar })
	return left
}

// blocks finds the order blocks of one side. A later block at the same bar
// takes its place, and shares what has run through it.
func (m *SmartMoney) blocks(side int, byClose bool, blocks map[int]*SmartBlock, broken map[int]bool) {
	s := m.s
	var active []*SmartBlock
	next, turn := 0, -1 // the turn of this side that lies before the bar
	crossed := -1
	for i := range s.Time {
		active = slices.DeleteFunc(active, func(b *SmartBlock) bool {
			low, high := s.Low[i], s.High[i]
			if broken[b.Bar] {
				if side > 0 && high > b.Top || side < 0 && low < b.Bottom {
					if blocks[b.Bar] == b {
						delete(blocks, b.Bar)
					}
					return true
				}
				return false
			}
			if byClose {
				low, high = min(s.Open[i], s.Close[i]), max(s.Open[i], s.Close[i])
			}
			if side > 0 && low < b.Bottom {
				broken[b.Bar], b.Mitigated = true, i-1
			} else if side < 0 && high > b.Top {
				broken[b.Bar], b.Mitigated = true, i
			}
			return false
		})
		for next < len(m.swings) && m.swings[next].Bar < i {
			if m.swings[next].High == (side > 0) {
				turn = next
			}
			next++
		}
		if turn < 0 || turn == crossed {
			continue
		}
		w := m.swings[turn]
		if side > 0 && s.Close[i] <= s.High[w.Bar] || side < 0 && s.Close[i] >= s.Low[w.Bar] {
			continue
		}
		crossed = turn
		b := m.block(side, w, i)
		blocks[b.Bar] = b
		active = append(active, b)
	}
}

// block makes the order block of a close at bar i beyond the turn w.
func (m *SmartMoney) block(side int, w SmartSwing, i int) *SmartBlock {
	s := m.s
	at := i - 1
	b := &SmartBlock{Side: side, Top: s.High[at], Bottom: s.Low[at], Confirmed: max(i, w.Confirmed)}
	if side > 0 {
		b.Top, b.Bottom = s.Low[at], s.High[at] // the convention's way when no bar lies between
	}
	for j := w.Bar + 1; j < i; j++ {
		if j == w.Bar+1 || side > 0 && s.Low[j] <= s.Low[at] || side < 0 && s.High[j] >= s.High[at] {
			at = j
			b.Top, b.Bottom = s.High[j], s.Low[j]
		}
	}
	b.Bar, b.Top, b.Bottom = at, single(b.Top), single(b.Bottom)
	volume := func(i int) float64 {
		if i < 0 {
			return 0
		}
		return s.Volume[i]
	}
	recent, older := single(volume(i)+volume(i-1)), single(volume(i-2))
	b.Volume = single(volume(i) + volume(i-1) + volume(i-2))
	b.Percentage = 100
	if most := max(recent, older); most != 0 {
		b.Percentage = single(min(recent, older) / most * 100)
	}
	return b
}

// A SmartPool is a pool of liquidity: it stands at the first of its swings.
type SmartPool struct {
	Bar       int
	High      bool
	Level     float64 // mean of the swings, single precision
	End       int     // the last of its swings
	Swept     int     // the first bar that trades beyond the pool's range; 0 when none does
	Confirmed int     // when its second swing is
}

// Liquidity returns the pools: turns of one side that lie within share of the
// whole series' range around the first of them, until a bar reaches the end of
// that range. The usual share is 0.01. Because it measures the whole series, a
// pool can change with bars after Confirmed.
func (m *SmartMoney) Liquidity(share float64) []SmartPool {
	if m.s.Len() == 0 {
		return nil
	}
	reach := (slices.Max(m.s.High) - slices.Min(m.s.Low)) * share
	used := make([]bool, len(m.swings))
	var pools []SmartPool
	for k, w := range m.swings {
		if used[k] {
			continue
		}
		x := SmartPool{Bar: w.Bar, High: w.High, End: w.Bar}
		low, high := w.Price-reach, w.Price+reach
		for j := w.Bar + 1; j < m.s.Len(); j++ {
			if w.High && m.s.High[j] >= high || !w.High && m.s.Low[j] <= low {
				x.Swept = j
				break
			}
		}
		sum, n := w.Price, 1
		for j := k + 1; j < len(m.swings) && !(x.Swept > 0 && m.swings[j].Bar >= x.Swept); j++ {
			other := m.swings[j]
			if other.High != w.High || used[j] || other.Price < low || other.Price > high {
				continue
			}
			if n++; n == 2 {
				x.Confirmed = max(w.Confirmed, other.Confirmed)
			}
			sum += other.Price
			x.End, used[j] = other.Bar, true
		}
		if n > 1 {
			x.Level = single(sum / float64(n))
			pools = append(pools, x)
		}
	}
	return pools
}

// single rounds to single precision.
func single(x float64) float64 { return float64(float32(x)) }

// A SmartRange is the range that a bar looks back at.
type SmartRange struct {
	High, Low             float64 // single precision; NaN when there is none yet
	BrokenHigh, BrokenLow bool    // price has been beyond it since it became the one looked at
}

// PreviousHighLow returns, for every bar, the range of the period before: of
// the periods that began before the bar, the last but one. Periods are
// stretches of minutes, hours or days counted from the midnight before the
// first bar, or weeks; bars count by their own clock, in their own zone. A week
// goes from after midnight on Sunday to the midnight that begins the next
// Sunday, and counts as begun when it ends; so a bar looks back at the last
// week but one. There is no look-ahead in it.
func (m *SmartMoney) PreviousHighLow(period market.Interval) ([]SmartRange, error) {
	s := m.s
	n, unit := period.Parts()
	if n == 0 || unit == market.UnitMonth || unit == market.UnitWeek && n != 1 {
		return nil, invalid.Field("period", string(period), "minutes, hours, days or one week, such as 4h, 1d, 1w")
	}
	out := make([]SmartRange, s.Len())
	if s.Len() == 0 {
		return out, nil
	}
	first := wallClock(s.Time[0])
	midnight := first - mod(first, 86_400)
	length := int64(period.Duration() / time.Second)
	if unit == market.UnitDay {
		length = int64(n) * 86_400
	}
	label := func(i int) int64 {
		t := wallClock(s.Time[i])
		if unit == market.UnitWeek {
			const sunday = 3 * 86_400 // 1970-01-04
			return t + mod(sunday-t, 7*86_400)
		}
		return t - mod(t-midnight, length)
	}
	type stretch struct {
		label     int64
		high, low float64
	}
	var all []stretch
	for i := range s.Time {
		if at := label(i); len(all) == 0 || all[len(all)-1].label != at {
			all = append(all, stretch{at, s.High[i], s.Low[i]})
		}
		x := &all[len(all)-1]
		x.high, x.low = max(x.high, s.High[i]), min(x.low, s.Low[i])
	}
	begun, looked := 0, -1
	var brokenHigh, brokenLow bool
	for i := range s.Time {
		for begun < len(all) && all[begun].label < wallClock(s.Time[i]) {
			begun++
		}
		if begun < 2 {
			out[i].High, out[i].Low = math.NaN(), math.NaN()
			continue
		}
		if looked != begun-2 {
			looked, brokenHigh, brokenLow = begun-2, false, false
		}
		x := SmartRange{High: single(all[looked].high), Low: single(all[looked].low)}
		brokenHigh, brokenLow = brokenHigh || s.High[i] > x.High, brokenLow || s.Low[i] < x.Low
		x.BrokenHigh, x.BrokenLow = brokenHigh, brokenLow
		out[i] = x
	}
	return out, nil
}

// wallClock is the reading of t's own clock, in seconds.
func wallClock(t time.Time) int64 {
	_, offset := t.Zone()
	return t.Unix() + int64(offset)
}

func mod(a, b int64) int64 { return ((a % b) + b) % b }

// A SmartSession is what a bar knows of the session it lies in.
type SmartSession struct {
	Active    bool
	High, Low float64 // of the session so far, single precision; 0 outside
}

// Session returns, for every bar, the range so far of a session between two
// times of the day, both included, on the bars' own clock: London is 7:00 to
// 16:00, New York 13:00 to 22:00, Tokyo 0:00 to 9:00, Sydney 21:00 to 6:00, all UTC.
func (m *SmartMoney) Session(from, to time.Duration) ([]SmartSession, error) {
	for _, d := range []time.Duration{from, to} {
		if d < 0 || d >= 24*time.Hour {
			return nil, invalid.Field("session", d, "times of the day, 0:00 to 23:59")
		}
	}
	out := make([]SmartSession, m.s.Len())
	begin, end := int64(from/time.Minute), int64(to/time.Minute)
	for i := range out {
		at := mod(wallClock(m.s.Time[i]), 86_400) / 60
		active := at >= begin && at <= end
		if begin >= end {
			active = at >= begin || at <= end
		}
		if !active {
			continue
		}
		x := SmartSession{Active: true, High: single(m.s.High[i]), Low: single(m.s.Low[i])}
		if i > 0 && out[i-1].Active {
			x.High, x.Low = max(x.High, out[i-1].High), min(x.Low, out[i-1].Low)
		}
		out[i] = x
	}
	return out, nil
}

// A SmartRetracement is how far price has come back, in per cent of the leg.
type SmartRetracement struct {
	Side             int // +1 down from a high, -1 up from a low, 0 before there are legs
	Current, Deepest float64
}

// Retracements returns, for every bar, what the bar before it has given back of
// the leg between the last two turns, rounded to a tenth. The first three legs
// are left out. It looks ahead: turns are taken where they stand.
func (m *SmartMoney) Retracements() []SmartRetracement {
	s := m.s
	n := s.Len()
	all := make([]SmartRetracement, n)
	var top, bottom float64
	next := 0
	for i := range all {
		x := &all[i]
		before := SmartRetracement{}
		if i > 0 {
			before = all[i-1]
		}
		x.Side = before.Side
		if next < len(m.swings) && m.swings[next].Bar == i {
			if m.swings[next].High {
				x.Side, top = +1, m.swings[next].Price
			} else {
				x.Side, bottom = -1, m.swings[next].Price
			}
			next++
		}
		if before.Side > 0 {
			x.Current = tenth(100 - (s.Low[i]-bottom)/(top-bottom)*100)
			x.Deepest = max(before.Deepest, x.Current)
		}
		if x.Side < 0 {
			x.Current = tenth(100 - (s.High[i]-top)/(bottom-top)*100)
			x.Deepest = max(0, x.Current)
			if before.Side < 0 {
				x.Deepest = max(before.Deepest, x.Current)
			}
		}
	}
	if n == 0 {
		return all
	}
	shifted := append([]SmartRetracement{all[n-1]}, all[:n-1]...)
	for i, turns := 0, 0; i+1 < n; i++ {
		if shifted[i].Side != shifted[i+1].Side {
			turns++
		}
		shifted[i] = SmartRetracement{}
		if turns == 3 {
			shifted[i+1] = SmartRetracement{}
			break
		}
	}
	return shifted
}

// tenth rounds to one decimal, half to even.
func tenth(x float64) float64 { return math.RoundToEven(x*10) / 10 }
