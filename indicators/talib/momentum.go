package talib

import (
	"math"

	"github.com/ttai-go/ttai/indicators/internal/kernel"
)

// past gives the value n bars ago.
type past struct {
	ring []float64
	pos  int
	seen int
}

func newPast(n int) past { return past{ring: make([]float64, n)} }

func (p *past) push(x float64) float64 {
	old := p.ring[p.pos]
	p.ring[p.pos] = x
	if p.pos++; p.pos == len(p.ring) {
		p.pos = 0
	}
	if p.seen < len(p.ring) {
		p.seen++
		return math.NaN()
	}
	return old
}

func (p *past) visit(t *kernel.Tape) {
	t.Floats(p.ring)
	t.Int(&p.pos)
	t.Int(&p.seen)
}

// change compares a value with the one n bars ago.
type change struct {
	past past
	form changeForm
}

type changeForm int

const (
	changeMOM changeForm = iota
	changeROC
	changeROCP
	changeROCR
	changeROCR100
)

func newChange(n int, form changeForm) *change { return &change{newPast(n), form} }

func (c *change) next(x float64) float64 {
	old := c.past.push(x)
	switch {
	case c.form == changeMOM || old != old:
		return x - old
	case old == 0:
		return 0
	}
	switch c.form {
	case changeROC:
		return (x/old - 1) * 100
	case changeROCP:
		return (x - old) / old
	case changeROCR:
		return x / old
	default:
		return x / old * 100
	}
}

func (c *change) visit(t *kernel.Tape) { c.past.visit(t) }

// relative is RSI, or CMO when both is set: Wilder's averages of gains and of
// losses, compared.
type relative struct {
	n, count   int
	skip       int
	k          float64
	prev       float64
	gain, loss float64
	both       bool
	extra      bool // Metastock's: one value more, from the first n-1 changes
}

func newRelative(n int, both bool, e env) *relative {
	return &relative{n: n, skip: e.unstable, k: float64(n), both: both, extra: e.metastock}
}

func (r *relative) next(x float64) float64 {
	d := x - r.prev
	r.prev = x
	if r.count <= r.n {
		return r.seed(d)
	}
	up := max(d, 0)
	r.gain = (float64(r.gain*(r.k-1)) + up) / r.k
	r.loss = (float64(r.loss*(r.k-1)) + (up - d)) / r.k
	if r.skip > 0 {
		r.skip--
		return math.NaN()
	}
	return r.value()
}

func (r *relative) seed(d float64) float64 {
	if r.count > 0 {
		if d > 0 {
			r.gain += d
		} else {
			r.loss -= d
		}
	}
	r.count++
	switch {
	case r.count == r.n && r.extra:
		if r.skip == 0 {
			return r.value()
		}
		r.skip--
	case r.count == r.n+1:
		r.gain /= float64(r.n)
		r.loss /= float64(r.n)
		if r.skip == 0 {
			return r.value()
		}
		r.skip--
	}
	return math.NaN()
}

func (r *relative) value() float64 {
	sum := r.gain + r.loss
	switch {
	case isZero(sum):
		return 0
	case r.both:
		return (r.gain - r.loss) / sum * 100
	default:
		return 100 * (r.gain / sum)
	}
}

func (r *relative) visit(t *kernel.Tape) {
	t.Int(&r.count)
	t.Int(&r.skip)
	t.Float(&r.prev)
	t.Float(&r.gain)
	t.Float(&r.loss)
}

// gap is APO, or PPO when percent is set: a fast average less a slow one.
type gap struct {
	fast, slow core1
	percent    bool
}

func newGap(fast, slow, kind int, percent bool, e env) *gap {
	fast, slow = min(fast, slow), max(fast, slow)
	return &gap{newMA(kind, fast, e), newMA(kind, slow, e), percent}
}

func gapLookback(fast, slow, fastKind, slowKind int, e env) int {
	return max(maLookback(fastKind, fast, e), maLookback(slowKind, slow, e))
}

func (c *gap) next(x float64) float64 {
	fast, slow := c.fast.next(x), c.slow.next(x)
	switch {
	case !c.percent:
		return fast - slow
	case isZero(slow):
		return 0
	default:
		return (fast - slow) / slow * 100
	}
}

func (c *gap) visit(t *kernel.Tape) {
	c.fast.visit(t)
	c.slow.visit(t)
}

// macd is a gap, an average of it, and what lies between the two.
type macd struct {
	gap    gap
	signal core1
}

func newMACD(fast, fastKind, slow, slowKind, signal, signalKind int, e env) *macd {
	if slow < fast {
		fast, fastKind, slow, slowKind = slow, slowKind, fast, fastKind
	}
	start := gapLookback(fast, slow, fastKind, slowKind, e)
	return &macd{gap{aligned(fastKind, fast, start, e), aligned(slowKind, slow, start, e), false}, newMA(signalKind, signal, e)}
}

// newMACDFix is MACD of 12 and 26 with the factors 0.15 and 0.075.
func newMACDFix(signal int, e env) *macd {
	slow, fast := newEMA(26, e), newEMA(12, e)
	slow.k, fast.k = 0.075, 0.15
	var first core1 = delayed(fast, 14)
	if e.metastock {
		first = &muted{fast, emaLookback(26, e)}
	}
	return &macd{gap{first, slow, false}, newMA(TypeEMA, signal, e)}
}

func (c *macd) next13(x float64) (line, signal, gap float64) {
	line = c.gap.next(x)
	if line != line {
		return line, line, line
	}
	if signal = c.signal.next(line); signal != signal {
		return signal, signal, signal
	}
	return line, signal, line - signal
}

func (c *macd) nextN(in, out []float64) { out[0], out[1], out[2] = c.next13(in[0]) }

func (c *macd) visit(t *kernel.Tape) {
	c.gap.visit(t)
	c.signal.visit(t)
}

// newTRIX is the one-bar rate of change of a triple average.
func newTRIX(n int, e env) core1 {
	average := func() core1 { return newMA(TypeEMA, n, e) }
	return &chain{&chain{&chain{average(), average()}, average()}, newChange(1, changeROC)}
}

// cci is the commodity channel index.
type cci struct{ window window } // of typical prices

func newCCI(n int) *cci { return &cci{newWindow(n)} }

func (c *cci) next3(high, low, close float64) float64 {
	x := (high + low + close) / 3
	if !c.window.push(x) {
		return math.NaN()
	}
	mean, away := meanDeviation(c.window.ring)
	if x -= mean; x == 0 || away == 0 {
		return 0
	}
	return x / (0.015 * away)
}

func (c *cci) visit(t *kernel.Tape) { c.window.visit(t) }

// window holds the last values, in no particular order.
type window struct {
	ring []float64
	pos  int
	full bool
}

func newWindow(n int) window { return window{ring: make([]float64, n)} }

// push reports whether the window is full.
func (w *window) push(x float64) bool {
	w.ring[w.pos] = x
	if w.pos++; w.pos == len(w.ring) {
		w.pos, w.full = 0, true
	}
	return w.full
}

func (w *window) visit(t *kernel.Tape) {
	t.Floats(w.ring)
	t.Int(&w.pos)
	t.Bool(&w.full)
}

// meanDeviation returns the mean of s and the mean distance from it.
func meanDeviation(s []float64) (mean, away float64) {
	for _, v := range s {
		mean += v
	}
	mean /= float64(len(s))
	for _, v := range s {
		away += math.Abs(v - mean)
	}
	return mean, away / float64(len(s))
}

// avgDev is the mean distance from the mean.
type avgDev struct{ window window }

func newAvgDev(n int) *avgDev { return &avgDev{newWindow(n)} }

func (c *avgDev) next(x float64) float64 {
	if !c.window.push(x) {
		return math.NaN()
	}
	_, away := meanDeviation(c.window.ring)
	return away
}

func (c *avgDev) visit(t *kernel.Tape) { c.window.visit(t) }

// imi is the intraday momentum index. TA-Lib's unstable period lengthens its window.
type imi struct{ up, down kernel.Sum }

func newIMI(n int) *imi { return &imi{kernel.NewSum(nil, n), kernel.NewSum(nil, n)} }

func (c *imi) next2(open, close float64) float64 {
	up := c.up.Push(max(close-open, 0))
	down := c.down.Push(max(open-close, 0))
	return 100 * (up / (up + down))
}

func (c *imi) visit(t *kernel.Tape) {
	c.up.Visit(t)
	c.down.Visit(t)
}

// ultimate is Williams' ultimate oscillator over three periods.
type ultimate struct {
	buying, ranges [3]kernel.Sum
	prev           float64
	begun          bool
}

func newUltimate(a, b, c int) *ultimate {
	a, b, c = sort3(a, b, c)
	u := &ultimate{}
	for i, n := range []int{a, b, c} {
		u.buying[i], u.ranges[i] = kernel.NewSum(nil, n), kernel.NewSum(nil, n)
	}
	return u
}

func sort3(a, b, c int) (least, middle, most int) {
	least, most = min(a, b, c), max(a, b, c)
	return least, a + b + c - least - most, most
}

func (u *ultimate) next3(high, low, close float64) float64 {
	prev := u.prev
	u.prev = close
	if !u.begun {
		u.begun = true
		return math.NaN()
	}
	buying, span := close-min(low, prev), trueRange(high, low, prev)
	total := 0.0
	weight := 4.0
	for i := range u.buying {
		b, r := u.buying[i].Push(buying), u.ranges[i].Push(span)
		switch {
		case r != r:
			total = r
		case !isZero(r):
			total += float64(weight * (b / r))
		}
		weight /= 2
	}
	return total / 7 * 100
}

func (u *ultimate) visit(t *kernel.Tape) {
	for i := range u.buying {
		u.buying[i].Visit(t)
		u.ranges[i].Visit(t)
	}
	t.Float(&u.prev)
	t.Bool(&u.begun)
}

func trueRange(high, low, prev float64) float64 {
	return max(high-low, math.Abs(high-prev), math.Abs(low-prev))
}
