package talib

import (
	"math"

	"github.com/ttai-go/ttai/indicators/internal/kernel"
)

// extreme finds the greatest of the last n values, or with sign -1 the least,
// in constant time per value on average. The ring holds the values that are
// still candidates, none followed by a better one, so the front is the answer.
type extreme struct {
	values []float64 // times sign
	bars   []int
	head   int
	count  int
	n      int
	sign   float64
}

func newExtreme(n int, sign float64) extreme {
	size := 1
	for size < n {
		size *= 2
	}
	return extreme{values: make([]float64, size), bars: make([]int, size), n: n, sign: sign}
}

// push adds the value of a bar. Of equal candidates the oldest stays in front.
func (e *extreme) push(x float64, bar int) {
	x *= e.sign
	mask := len(e.values) - 1
	e.expire(bar)
	for e.count > 0 && e.values[(e.head+e.count-1)&mask] < x {
		e.count--
	}
	e.add(x, bar)
}

// pushLatest is push, but of equal candidates only the latest stays.
func (e *extreme) pushLatest(x float64, bar int) {
	x *= e.sign
	mask := len(e.values) - 1
	e.expire(bar)
	for e.count > 0 && e.values[(e.head+e.count-1)&mask] <= x {
		e.count--
	}
	e.add(x, bar)
}

func (e *extreme) expire(bar int) {
	if e.count > 0 && e.bars[e.head] <= bar-e.n {
		e.head = (e.head + 1) & (len(e.values) - 1)
		e.count--
	}
}

func (e *extreme) add(x float64, bar int) {
	tail := (e.head + e.count) & (len(e.values) - 1)
	e.values[tail], e.bars[tail] = x, bar
	e.count++
}

func (e *extreme) value() float64 { return e.values[e.head] * e.sign }
func (e *extreme) bar() int       { return e.bars[e.head] }

func (e *extreme) visit(t *kernel.Tape) {
	t.Floats(e.values)
	t.Ints(e.bars)
	t.Int(&e.head)
	t.Int(&e.count)
}

// span is the greatest high and the least low of the last n bars, without
// their places. It works in blocks like kernel.Sum: when a block of n bars is
// full, each cell is replaced by the extremes from it to the block's end, and a
// window is one such cell and the extremes of the block in progress.
type span struct {
	cells     []spanCell
	pos       int
	high, low float64 // of the block in progress
	filled    bool
}

type spanCell struct{ high, low float64 }

func newSpan(n int) span {
	return span{cells: make([]spanCell, n), high: math.Inf(-1), low: math.Inf(1)}
}

// push reports whether there have been n bars.
func (s *span) push(high, low float64) (top, bottom float64, ok bool) {
	s.high, s.low = max(s.high, high), min(s.low, low)
	s.cells[s.pos] = spanCell{high, low}
	s.pos++
	if s.pos < len(s.cells) {
		c := s.cells[s.pos]
		return max(s.high, c.high), min(s.low, c.low), s.filled
	}
	top, bottom = s.high, s.low
	s.turn()
	return top, bottom, true
}

func (s *span) turn() {
	high, low := math.Inf(-1), math.Inf(1)
	for i := len(s.cells) - 1; i >= 0; i-- {
		c := &s.cells[i]
		high, low = max(high, c.high), min(low, c.low)
		c.high, c.low = high, low
	}
	s.pos, s.filled = 0, true
	s.high, s.low = math.Inf(-1), math.Inf(1)
}

func (s *span) visit(t *kernel.Tape) {
	for i := range s.cells {
		t.Float(&s.cells[i].high)
		t.Float(&s.cells[i].low)
	}
	t.Int(&s.pos)
	t.Float(&s.high)
	t.Float(&s.low)
	t.Bool(&s.filled)
}

// best is MIN or MAX.
type best struct {
	span  span
	least bool
}

func newBest(n int, least bool) *best { return &best{newSpan(n), least} }

func (c *best) next(x float64) float64 {
	top, bottom, ok := c.span.push(x, x)
	switch {
	case !ok:
		return math.NaN()
	case c.least:
		return bottom
	default:
		return top
	}
}

func (c *best) visit(t *kernel.Tape) { c.span.visit(t) }

// minMax is both.
type minMax struct{ span span }

func (c *minMax) nextN(in, out []float64) {
	top, bottom, ok := c.span.push(in[0], in[0])
	if !ok {
		top, bottom = math.NaN(), math.NaN()
	}
	out[0], out[1] = bottom, top
}

func (c *minMax) visit(t *kernel.Tape) { c.span.visit(t) }

// bestBar is MININDEX or MAXINDEX: the number of the extreme's bar, counted
// from the first. TA-Lib moves on to a new value that equals the extreme, and
// takes the oldest when the extreme leaves the window.
type bestBar struct {
	e       extreme
	seen    int // known bars
	all     int // bars
	numbers []int
	at      int // the chosen one's place among the known
	value   float64
}

func newBestBar(n int, sign float64) *bestBar {
	return &bestBar{e: newExtreme(n, sign), numbers: make([]int, n), at: -1}
}

func (c *bestBar) next(x float64) float64 {
	c.e.push(x, c.seen)
	c.numbers[c.seen%c.e.n] = c.all
	switch {
	case c.at <= c.seen-c.e.n || c.at < 0:
		c.at = c.e.bar()
	case x*c.e.sign >= c.value*c.e.sign:
		c.at = c.seen
	}
	c.value = c.e.value()
	c.seen++
	c.all++
	if c.seen < c.e.n {
		return math.NaN()
	}
	if c.seen == c.e.n {
		// TA-Lib's first window is a search like any other.
		c.at = c.e.bar()
	}
	return float64(c.numbers[c.at%c.e.n])
}

func (c *bestBar) skip() { c.all++ }

func (c *bestBar) visit(t *kernel.Tape) {
	c.e.visit(t)
	t.Int(&c.seen)
	t.Int(&c.all)
	t.Ints(c.numbers)
	t.Int(&c.at)
	t.Float(&c.value)
}

// both is MINMAXINDEX.
type both struct{ low, high *bestBar }

func (c *both) nextN(in, out []float64) { out[0], out[1] = c.low.next(in[0]), c.high.next(in[0]) }

func (c *both) visit(t *kernel.Tape) {
	c.low.visit(t)
	c.high.visit(t)
}

func (c *both) skip() {
	c.low.skip()
	c.high.skip()
}

// middle is MIDPRICE: halfway between the highest high and the lowest low.
type middle struct{ span span }

func newMiddle(n int) *middle { return &middle{newSpan(n)} }

func (c *middle) next2(high, low float64) float64 {
	top, bottom, ok := c.span.push(high, low)
	if !ok {
		return math.NaN()
	}
	return (top + bottom) / 2
}

func (c *middle) visit(t *kernel.Tape) { c.span.visit(t) }

// midpoint is middle of one series.
type midpoint struct{ m *middle }

func (c midpoint) next(x float64) float64 { return c.m.next2(x, x) }
func (c midpoint) visit(t *kernel.Tape)   { c.m.visit(t) }

// aroon tells how recent the highest high and the lowest low are, 100 for now.
// Of equal ones the latest counts.
type aroon struct {
	high, low extreme
	bars      int
}

func newAroon(n int) *aroon { return &aroon{high: newExtreme(n+1, 1), low: newExtreme(n+1, -1)} }

func (c *aroon) update(high, low float64) (down, up float64) {
	c.high.pushLatest(high, c.bars)
	c.low.pushLatest(low, c.bars)
	n, today := c.high.n-1, c.bars
	if c.bars++; c.bars <= n {
		return math.NaN(), math.NaN()
	}
	factor := 100 / float64(n)
	return factor * float64(n-(today-c.low.bar())), factor * float64(n-(today-c.high.bar()))
}

func (c *aroon) visit(t *kernel.Tape) {
	c.high.visit(t)
	c.low.visit(t)
	t.Int(&c.bars)
}

type aroonLines struct{ *aroon }

func (c aroonLines) nextN(in, out []float64) { out[0], out[1] = c.update(in[0], in[1]) }

type aroonOsc struct{ *aroon }

func (c aroonOsc) next2(high, low float64) float64 {
	down, up := c.update(high, low)
	return up - down
}

// place tells where the close stands between the lowest low and the highest
// high of n bars: fastK from 0 to 100, or WILLR from -100 to 0.
type place struct {
	span     span
	fromHigh bool
}

func newPlace(n int, fromHigh bool) *place { return &place{newSpan(n), fromHigh} }

func (c *place) next3(high, low, close float64) float64 {
	top, bottom, ok := c.span.push(high, low)
	reach := top - bottom
	switch {
	case !ok:
		return math.NaN()
	case reach == 0:
		return 0
	case c.fromHigh:
		return (top - close) / (reach / -100)
	default:
		return (close - bottom) / (reach / 100)
	}
}

func (c *place) visit(t *kernel.Tape) { c.span.visit(t) }

// stoch is fastK, up to two averages of it, and the last two of the three.
type stoch struct {
	k    *place
	slow core1 // nil for the fast form
	d    core1
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
}

func (c *stochRSI) nextN(in, out []float64) {
	v := c.rsi.next(in[0])
	if v == v {
		out[0], out[1] = c.stoch.next32(v, v, v)
		return
	}
	fillNaN(out)
}

func (c *stochRSI) visit(t *kernel.Tape) {
	c.rsi.visit(t)
	c.stoch.visit(t)
}
