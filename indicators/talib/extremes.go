package talib

import (
	"math"

	"github.com/ttai-go/ttai/indicators/internal/kernel"
)

// span is the greatest high and the least low of the last n bars, without
// their places.
type span struct{ high, low kernel.Extreme }

func newSpan(n int) span { return span{kernel.NewGreatest(n), kernel.NewLeast(n)} }

// push returns NaN before there are n bars.
func (s *span) push(high, low float64) (top, bottom float64) {
	return s.high.Push(high), s.low.Push(low)
}

func (s *span) run(tops, bottoms, high, low []float64) {
	s.high.Run(tops, high)
	s.low.Run(bottoms, low)
}

func (s *span) visit(t *kernel.Tape) {
	s.high.Visit(t)
	s.low.Visit(t)
}

// best is MIN or MAX.
type best struct{ kernel.Extreme }

func newBest(n int, least bool) *best {
	if least {
		return &best{kernel.NewLeast(n)}
	}
	return &best{kernel.NewGreatest(n)}
}

func (c *best) next(x float64) float64  { return c.Push(x) }
func (c *best) bulk1(out, in []float64) { c.Run(out, in) }
func (c *best) visit(t *kernel.Tape)    { c.Visit(t) }

// minMax is both.
type minMax struct{ span span }

func (c *minMax) nextN(in, out []float64)  { out[1], out[0] = c.span.push(in[0], in[0]) }
func (c *minMax) bulk(dst, in [][]float64) { c.span.run(dst[1], dst[0], in[0], in[0]) }
func (c *minMax) visit(t *kernel.Tape)     { c.span.visit(t) }

// bestBar is MININDEX or MAXINDEX: the number of the extreme's bar, counted
// from the first. TA-Lib moves on to a new value that equals the extreme, and
// takes the oldest when the extreme leaves the window.
//
// Then the next best are wanted. Behind an extreme, only a bar that none after
// it exceeds can be one: those up to some bar lie on a stack, the oldest and
// best on top, and of those after it the best is known. When that one becomes
// the extreme, the bars behind it are put on the stack; no bar is twice.
type bestBar struct {
	flip    int64     // -1 for the least
	values  []int64   // of the last n known bars: kernel.Rank ^ flip
	numbers []float64 // and their numbers
	slot    int       // of the next in both
	seen    int       // known bars
	all     float64   // bars
	// The extreme: its place among the known bars, its value, its number.
	at      int
	value   int64
	number  float64
	stack   []int // places
	height  int
	fresh   int64 // the best after those on the stack
	freshAt int
}

func newBestBar(n int, least bool) *bestBar {
	c := &bestBar{values: make([]int64, n), numbers: make([]float64, n), at: -1, stack: make([]int, n), fresh: math.MinInt64}
	if least {
		c.flip = -1
	}
	return c
}

func (c *bestBar) next(x float64) float64 {
	n := len(c.values)
	r := c.flip ^ kernel.Rank(x+0) // -0 equals 0
	c.values[c.slot], c.numbers[c.slot] = r, c.all
	if r > c.fresh {
		c.fresh, c.freshAt = r, c.seen
	}
	switch {
	case c.seen < n-1:
	case c.at <= c.seen-n, c.seen == n-1: // TA-Lib's first window is a search like any other
		c.renew()
	case r >= c.value:
		c.at, c.value, c.number = c.seen, r, c.all
		c.height, c.fresh = 0, math.MinInt64
	}
	c.seen++
	c.all++
	if c.slot++; c.slot == n {
		c.slot = 0
	}
	if c.seen < n {
		return math.NaN()
	}
	return c.number
}

// renew looks for the oldest of the window's extremes after the one before has
// left it.
func (c *bestBar) renew() {
	first := c.seen - len(c.values) + 1
	for c.height > 0 && c.stack[c.height-1] < first {
		c.height--
	}
	if c.height > 0 && c.values[c.slotOf(c.stack[c.height-1])] >= c.fresh {
		c.at = c.stack[c.height-1]
	} else {
		c.at = c.freshAt
		c.height = c.pile()
		c.fresh = math.MinInt64
	}
	slot := c.slotOf(c.at)
	c.value, c.number = c.values[slot], c.numbers[slot]
}

// pile makes the stack of the bars after the extreme, and returns its height.
func (c *bestBar) pile() (height int) {
	best, bar := int64(math.MinInt64), c.seen
	for slot := c.slot; bar > c.at; slot = len(c.values) - 1 {
		for ; slot >= 0 && bar > c.at; slot-- {
			v := c.values[slot]
			c.stack[height] = bar // for the next, if it is none: that takes no branch
			holds := 0
			if v >= best {
				holds = 1
			}
			height += holds
			best = max(best, v)
			bar--
		}
	}
	return height
}

// slotOf returns where a bar is kept, one of the last n known.
func (c *bestBar) slotOf(bar int) int {
	slot := c.slot - (c.seen - bar)
	if slot < 0 {
		slot += len(c.values)
	}
	return slot
}

func (c *bestBar) bulk1(out, in []float64) {
	n := len(c.values)
	for len(in) > 0 && c.seen < n {
		out[0] = c.next(in[0])
		in, out = in[1:], out[1:]
	}
	for len(in) > 0 { // to where the values wrap around
		k := min(n-c.slot, len(in))
		c.stretch(out[:k], in[:k])
		in, out = in[k:], out[k:]
	}
}

// stretch is next of bars that lie in one piece, once there are n.
func (c *bestBar) stretch(out, in []float64) {
	n := len(in)
	values, numbers, flip := c.values[c.slot:c.slot+n], c.numbers[c.slot:c.slot+n], c.flip
	place, slot, all := c.seen, c.slot, c.all
	last, value, number := c.at+len(c.values), c.value, c.number
	fresh, freshAt := c.fresh, c.freshAt
	out = out[:n]
	for i, x := range in {
		r := flip ^ kernel.Rank(x+0)
		values[i], numbers[i] = r, all
		better := r > fresh // without a branch: nobody can guess
		if better {
			freshAt = place
		}
		if better {
			fresh = r
		}
		if place == last {
			c.seen, c.slot, c.fresh, c.freshAt = place, slot+i, fresh, freshAt
			c.renew()
			last, value, number = c.at+len(c.values), c.value, c.number
			fresh, freshAt = c.fresh, c.freshAt
		} else if r >= value {
			last, value, number = place+len(c.values), r, all
			c.height, fresh = 0, math.MinInt64
		}
		all++
		place++
		out[i] = number
	}
	c.at, c.value, c.number = last-len(c.values), value, number
	c.fresh, c.freshAt = fresh, freshAt
	c.seen, c.all = place, all
	if c.slot = slot + n; c.slot == len(c.values) {
		c.slot = 0
	}
}

func (c *bestBar) skip() { c.all++ }

func (c *bestBar) visit(t *kernel.Tape) {
	for i := range c.values {
		t.Bits(&c.values[i])
	}
	t.Floats(c.numbers)
	t.Int(&c.slot)
	t.Int(&c.seen)
	t.Float(&c.all)
	t.Int(&c.at)
	t.Bits(&c.value)
	t.Float(&c.number)
	t.Ints(c.stack)
	t.Int(&c.height)
	t.Bits(&c.fresh)
	t.Int(&c.freshAt)
}

// both is MINMAXINDEX.
type both struct{ low, high *bestBar }

func (c *both) nextN(in, out []float64) { out[0], out[1] = c.low.next(in[0]), c.high.next(in[0]) }

func (c *both) bulk(dst, in [][]float64) {
	c.low.bulk1(dst[0], in[0])
	c.high.bulk1(dst[1], in[0])
}

func (c *both) visit(t *kernel.Tape) {
	c.low.visit(t)
	c.high.visit(t)
}

func (c *both) skip() {
	c.low.skip()
	c.high.skip()
}

// middle is MIDPRICE: halfway between the highest high and the lowest low.
type middle struct {
	span span
	lows scratch
}

func newMiddle(n int) *middle { return &middle{span: newSpan(n)} }

func (c *middle) next2(high, low float64) float64 {
	top, bottom := c.span.push(high, low)
	return (top + bottom) / 2
}

func (c *middle) bulk(dst, in [][]float64) { c.halves(dst[0], in[0], in[1]) }

func (c *middle) halves(out, high, low []float64) {
	bottoms := c.lows.of(len(out))
	c.span.run(out, bottoms, high, low)
	for i, bottom := range bottoms {
		out[i] = (out[i] + bottom) / 2
	}
}

func (c *middle) visit(t *kernel.Tape) { c.span.visit(t) }

// midpoint is middle of one series.
type midpoint struct{ m *middle }

func (c midpoint) next(x float64) float64  { return c.m.next2(x, x) }
func (c midpoint) bulk1(out, in []float64) { c.m.halves(out, in, in) }
func (c midpoint) visit(t *kernel.Tape)    { c.m.visit(t) }

// aroon tells how recent the highest high and the lowest low are, 100 for now.
// Of equal ones the latest counts.
type aroon struct {
	high, low kernel.Place
	n, bars   int
	lasts     []int // of highs and of lows
	rest      scratch
}

func newAroon(n int) *aroon {
	return &aroon{high: kernel.NewGreatestPlace(n+1, true), low: kernel.NewLeastPlace(n+1, true), n: n}
}

func (c *aroon) update(high, low float64) (down, up float64) {
	_, top := c.high.Push(high, c.bars)
	_, bottom := c.low.Push(low, c.bars)
	today := c.bars
	if c.bars++; today < c.n {
		return math.NaN(), math.NaN()
	}
	factor := 100 / float64(c.n)
	return factor * float64(c.n-(today-bottom)), factor * float64(c.n-(today-top))
}

func (c *aroon) run(down, up, high, low []float64) {
	n := len(down)
	if c.lasts == nil {
		c.lasts = make([]int, 2*chunk)
	}
	tops, bottoms := c.lasts[:n], c.lasts[chunk:][:n]
	c.high.Run(tops, high, c.bars)
	c.low.Run(bottoms, low, c.bars)
	factor, first := 100/float64(c.n), c.bars-c.n
	up = up[:n]
	for i, bottom := range bottoms {
		down[i], up[i] = factor*float64(bottom-first-i), factor*float64(tops[i]-first-i)
	}
	if first < 0 {
		k := min(-first, n)
		fillNaN(down[:k])
		fillNaN(up[:k])
	}
	c.bars += n
}

func (c *aroon) visit(t *kernel.Tape) {
	c.high.Visit(t)
	c.low.Visit(t)
	t.Int(&c.bars)
}

type aroonLines struct{ *aroon }

func (c aroonLines) bulk(dst, in [][]float64) { c.run(dst[0], dst[1], in[0], in[1]) }

func (c aroonLines) nextN(in, out []float64) { out[0], out[1] = c.update(in[0], in[1]) }

type aroonOsc struct{ *aroon }

func (c aroonOsc) bulk(dst, in [][]float64) {
	out, downs := dst[0], c.rest.of(len(dst[0]))
	c.run(downs, out, in[0], in[1])
	for i, down := range downs {
		out[i] -= down
	}
}

func (c aroonOsc) next2(high, low float64) float64 {
	down, up := c.update(high, low)
	return up - down
}

// place tells where the close stands between the lowest low and the highest
// high of n bars: fastK from 0 to 100, or WILLR from -100 to 0.
type place struct {
	span     span
	fromHigh bool
	lows     scratch
}

func newPlace(n int, fromHigh bool) *place { return &place{span: newSpan(n), fromHigh: fromHigh} }

func (c *place) next3(high, low, close float64) float64 {
	top, bottom := c.span.push(high, low)
	if c.fromHigh {
		return percentage(close-top, top-bottom)
	}
	return percentage(close-bottom, top-bottom)
}

// percentage is 0 of nothing.
func percentage(part, whole float64) float64 {
	if whole == 0 {
		return 0
	}
	return part / (whole / 100)
}

func (c *place) bulk(dst, in [][]float64) { c.run(dst[0], in[0], in[1], in[2]) }

func (c *place) run(out, high, low, close []float64) {
	bottoms := c.lows.of(len(out))
	c.span.run(out, bottoms, high, low)
	close, out = close[:len(bottoms)], out[:len(bottoms)]
	if c.fromHigh {
		for i, bottom := range bottoms {
			top := out[i]
			out[i] = percentage(close[i]-top, top-bottom)
		}
		return
	}
	for i, bottom := range bottoms {
		out[i] = percentage(close[i]-bottom, out[i]-bottom)
	}
}

func (c *place) visit(t *kernel.Tape) { c.span.visit(t) }

// stoch is fastK, up to two averages of it, and the last two of the three.
type stoch struct {
	k    *place
	slow core1 // nil for the fast form
	d    core1
	rest scratch
}

func (c *stoch) nextN(in, out []float64) { out[0], out[1] = c.next32(in[0], in[1], in[2]) }

func (c *stoch) next32(high, low, close float64) (k, d float64) {
	k = c.k.next3(high, low, close)
	if k == k && c.slow != nil {
		k = c.slow.next(k)
	}
	if k != k {
		return k, k
	}
	if d = c.d.next(k); d != d {
		return d, d
	}
	return k, d
}

func (c *stoch) bulk(dst, in [][]float64) { c.run(dst[0], dst[1], in[0], in[1], in[2]) }

func (c *stoch) run(k, d, high, low, close []float64) {
	if c.slow != nil {
		fast := c.rest.of(len(k))
		c.k.run(fast, high, low, close)
		follow(c.slow, k, fast)
	} else {
		c.k.run(k, high, low, close)
	}
	follow(c.d, d, k)
	fillNaN(k[:known(d)])
}

func (c *stoch) visit(t *kernel.Tape) {
	c.k.visit(t)
	if c.slow != nil {
		c.slow.visit(t)
	}
	c.d.visit(t)
}

// stochRSI is the fast stochastic of an RSI.
type stochRSI struct {
	rsi   *relative
	stoch *stoch
	rest  scratch
}

func (c *stochRSI) nextN(in, out []float64) {
	v := c.rsi.next(in[0])
	if v == v {
		out[0], out[1] = c.stoch.next32(v, v, v)
		return
	}
	fillNaN(out)
}

func (c *stochRSI) bulk(dst, in [][]float64) {
	v := c.rest.of(len(in[0]))
	c.rsi.bulk1(v, in[0])
	first := known(v)
	fillNaN(dst[0][:first])
	fillNaN(dst[1][:first])
	if v = v[first:]; len(v) > 0 {
		c.stoch.run(dst[0][first:], dst[1][first:], v, v, v)
	}
}

func (c *stochRSI) visit(t *kernel.Tape) {
	c.rsi.visit(t)
	c.stoch.visit(t)
}
