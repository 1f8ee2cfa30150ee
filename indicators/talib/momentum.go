package talib

import (
	"math"

	"github.com/ttai-go/ttai/indicators/internal/kernel"
)

// past gives the value n bars ago.
type past struct {
	ring []float64
	pos  int
}

func newPast(n int) past {
	p := past{ring: make([]float64, n)}
	fillNaN(p.ring)
	return p
}

func (p *past) push(x float64) float64 {
	old := p.ring[p.pos]
	p.ring[p.pos] = x
	if p.pos++; p.pos == len(p.ring) {
		p.pos = 0
	}
	return old
}

// run is push of every value of in, to out, which is not in.
func (p *past) run(out, in []float64) {
	k := copy(out, p.ring[p.pos:])
	k += copy(out[k:], p.ring[:p.pos])
	copy(out[k:], in)
	p.take(in)
}

// take takes the values of in, as pushes do.
func (p *past) take(in []float64) {
	n := len(p.ring)
	if len(in) >= n {
		copy(p.ring, in[len(in)-n:])
		p.pos = 0
		return
	}
	k := copy(p.ring[p.pos:], in)
	copy(p.ring, in[k:])
	if p.pos += len(in); p.pos >= n {
		p.pos -= n
	}
}

func (p *past) visit(t *kernel.Tape) {
	t.Floats(p.ring)
	t.Int(&p.pos)
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

func (c *change) next(x float64) float64 { return c.of(x, c.past.push(x)) }

func (c *change) of(x, old float64) float64 {
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

func (c *change) bulk1(out, in []float64) {
	ring, pos := c.past.ring, c.past.pos
	rest, now := out, in
	for _, old := range [3][]float64{ring[pos:], ring[:pos], in} {
		k := min(len(old), len(now))
		c.against(rest[:k], now[:k], old)
		rest, now = rest[k:], now[k:]
	}
	c.past.take(in)
}

// against compares the values of now with those of old.
func (c *change) against(out, now, old []float64) {
	out, old = out[:len(now)], old[:len(now)]
	switch c.form {
	case changeMOM:
		for i, x := range now {
			out[i] = x - old[i]
		}
		return
	case changeROC:
		for i, x := range now {
			out[i] = (x/old[i] - 1) * 100
		}
	case changeROCP:
		for i, x := range now {
			v := old[i]
			out[i] = (x - v) / v
		}
	case changeROCR:
		for i, x := range now {
			out[i] = x / old[i]
		}
	default:
		for i, x := range now {
			out[i] = x / old[i] * 100
		}
	}
	if !kernel.AllFinite(out) { // an old value may have been 0
		for i, x := range now {
			out[i] = c.of(x, old[i])
		}
	}
}

func (c *change) visit(t *kernel.Tape) { c.past.visit(t) }

// relative is RSI, or CMO when both is set: Wilder's averages of gains and of
// losses, compared.
type relative struct {
	n, count   int
	skip       int
	k, keep    float64 // 1/n and 1 - 1/n
	prev       float64
	gain, loss float64
	both       bool
	extra      bool // Metastock's: one value more, from the first n-1 changes
	// faithful makes the averages in TA-Lib's order of operations, which takes
	// longer. Their last bits count where the result's extremes are looked for.
	faithful bool
}

func newRelative(n int, both bool, e env) *relative {
	return &relative{n: n, skip: e.unstable, k: 1 / float64(n), keep: float64(n-1) / float64(n), both: both, extra: e.metastock}
}

func (r *relative) next(x float64) float64 {
	d := x - r.prev
	r.prev = x
	if r.count <= r.n {
		return r.seed(d)
	}
	if up, down := kernel.Positive(d), kernel.Positive(-d); r.faithful {
		n := float64(r.n)
		r.gain = (float64(r.gain*(n-1)) + up) / n
		r.loss = (float64(r.loss*(n-1)) + down) / n
	} else {
		r.gain = float64(r.gain*r.keep) + float64(up*r.k)
		r.loss = float64(r.loss*r.keep) + float64(down*r.k)
	}
	if r.skip > 0 {
		r.skip--
		return math.NaN()
	}
	return r.value()
}

func (r *relative) bulk1(out, in []float64) {
	for r.count <= r.n || r.skip > 0 {
		if len(in) == 0 {
			return
		}
		out[0] = r.next(in[0])
		in, out = in[1:], out[1:]
	}
	prev, gain, loss, k, keep := r.prev, r.gain, r.loss, r.k, r.keep
	out = out[:len(in)]
	switch {
	case r.faithful:
		n := float64(r.n)
		for i, x := range in {
			d := x - prev
			prev = x
			gain = (float64(gain*(n-1)) + kernel.Positive(d)) / n
			loss = (float64(loss*(n-1)) + kernel.Positive(-d)) / n
			v := 0.0
			if sum := gain + loss; !isZero(sum) {
				v = 100 * (gain / sum)
			}
			out[i] = v
		}
	case r.both:
		for i, x := range in {
			d := x - prev
			prev = x
			gain = float64(gain*keep) + float64(kernel.Positive(d)*k)
			loss = float64(loss*keep) + float64(kernel.Positive(-d)*k)
			v := 0.0
			if sum := gain + loss; !isZero(sum) {
				v = (gain - loss) / sum * 100
			}
			out[i] = v
		}
	default:
		for i, x := range in {
			d := x - prev
			prev = x
			gain = float64(gain*keep) + float64(kernel.Positive(d)*k)
			loss = float64(loss*keep) + float64(kernel.Positive(-d)*k)
			v := 0.0
			if sum := gain + loss; !isZero(sum) {
				v = 100 * (gain / sum)
			}
			out[i] = v
		}
	}
	r.prev, r.gain, r.loss = prev, gain, loss
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
	rest       scratch
	// The averages once every further value is one, nil before: they need not be
	// asked through their interfaces. The first values tell.
	steadyFast, steadySlow *ema
	asked                  bool
}

func newGap(fast, slow, kind int, percent bool, e env) *gap {
	fast, slow = min(fast, slow), max(fast, slow)
	return &gap{fast: newMA(kind, fast, e), slow: newMA(kind, slow, e), percent: percent}
}

func gapLookback(fast, slow, fastKind, slowKind int, e env) int {
	return max(maLookback(fastKind, fast, e), maLookback(slowKind, slow, e))
}

func (c *gap) next(x float64) float64 {
	var fast, slow float64
	if a, b := c.steadyFast, c.steadySlow; a != nil {
		a.value += float64(a.k * (x - a.value))
		b.value += float64(b.k * (x - b.value))
		fast, slow = a.value, b.value
	} else {
		fast, slow = c.fast.next(x), c.slow.next(x)
		if !c.asked {
			c.ask(fast + slow)
		}
	}
	if c.percent {
		return percentGap(fast, slow)
	}
	return fast - slow
}

// ask looks, once both averages have a value, whether they are steady.
func (c *gap) ask(sum float64) {
	if sum != sum {
		return
	}
	c.asked = true
	if a, b := steady(c.fast), steady(c.slow); a != nil && b != nil {
		c.steadyFast, c.steadySlow = a, b
	}
}

func percentGap(fast, slow float64) float64 {
	if isZero(slow) {
		return 0
	}
	return (fast - slow) / slow * 100
}

func (c *gap) bulk1(out, in []float64) {
	if !c.percent {
		if fast, slow := steady(c.fast), steady(c.slow); fast != nil && slow != nil {
			a, ka, b, kb := fast.value, fast.k, slow.value, slow.k
			out = out[:len(in)]
			for i, x := range in {
				a += float64(ka * (x - a))
				b += float64(kb * (x - b))
				out[i] = a - b
			}
			fast.value, slow.value = a, b
			return
		}
	}
	slows := c.rest.of(len(in))
	bulk1(c.fast, out, in)
	bulk1(c.slow, slows, in)
	out = out[:len(slows)]
	if !c.percent {
		for i, slow := range slows {
			out[i] -= slow
		}
		return
	}
	for i, slow := range slows {
		v := (out[i] - slow) / slow * 100
		if isZero(slow) {
			v = 0
		}
		out[i] = v
	}
}

func (c *gap) visit(t *kernel.Tape) {
	c.fast.visit(t)
	c.slow.visit(t)
	c.steadyFast, c.steadySlow, c.asked = nil, nil, false // for what is loaded may be of the warm-up
}

// macd is a gap, an average of it, and what lies between the two.
type macd struct {
	gap    gap
	signal core1
	steady *ema // the signal, as the averages of gap
	asked  bool
}

func newMACD(fast, fastKind, slow, slowKind, signal, signalKind int, e env) *macd {
	if slow < fast {
		fast, fastKind, slow, slowKind = slow, slowKind, fast, fastKind
	}
	start := gapLookback(fast, slow, fastKind, slowKind, e)
	return &macd{gap: gap{fast: aligned(fastKind, fast, start, e), slow: aligned(slowKind, slow, start, e)}, signal: newMA(signalKind, signal, e)}
}

// newMACDFix is MACD of 12 and 26 with the factors 0.15 and 0.075.
func newMACDFix(signal int, e env) *macd {
	slow, fast := newEMA(26, e), newEMA(12, e)
	slow.k, fast.k = 0.075, 0.15
	var first core1 = delayed(fast, 14)
	if e.metastock {
		first = &muted{fast, emaLookback(26, e)}
	}
	return &macd{gap: gap{fast: first, slow: slow}, signal: newMA(TypeEMA, signal, e)}
}

func (c *macd) next13(x float64) (line, signal, gap float64) {
	line = c.gap.next(x)
	if line != line {
		return line, line, line
	}
	if s := c.steady; s != nil {
		s.value += float64(s.k * (line - s.value))
		return line, s.value, line - s.value
	}
	if signal = c.signal.next(line); signal != signal {
		return signal, signal, signal
	}
	if !c.asked {
		c.steady, c.asked = steady(c.signal), true
	}
	return line, signal, line - signal
}

func (c *macd) nextN(in, out []float64) { out[0], out[1], out[2] = c.next13(in[0]) }

func (c *macd) bulk(dst, in [][]float64) {
	lines, signals, gaps, x := dst[0], dst[1], dst[2], in[0]
	fast, slow, signal := steady(c.gap.fast), steady(c.gap.slow), steady(c.signal)
	if fast != nil && slow != nil && signal != nil {
		a, ka, b, kb, s, ks := fast.value, fast.k, slow.value, slow.k, signal.value, signal.k
		lines, signals, gaps = lines[:len(x)], signals[:len(x)], gaps[:len(x)]
		for i, v := range x {
			a += float64(ka * (v - a))
			b += float64(kb * (v - b))
			line := a - b
			s += float64(ks * (line - s))
			lines[i], signals[i], gaps[i] = line, s, line-s
		}
		fast.value, slow.value, signal.value = a, b, s
		return
	}
	c.gap.bulk1(lines, x)
	follow(c.signal, signals, lines)
	for i, signal := range signals {
		if signal != signal {
			lines[i] = signal
		}
		gaps[i] = lines[i] - signal
	}
}

func (c *macd) visit(t *kernel.Tape) {
	c.gap.visit(t)
	c.signal.visit(t)
	c.steady, c.asked = nil, false
}

// newTRIX is the one-bar rate of change of a triple average.
func newTRIX(n int, e env) core1 {
	if n <= 1 {
		return newChange(1, changeROC)
	}
	triple := newNested(n, 3, e)
	triple.plain = true
	return &chain{a: triple, b: newChange(1, changeROC)}
}

// imi is the intraday momentum index. TA-Lib's unstable period lengthens its window.
type imi struct {
	up, down     kernel.Sum
	rise, fall   scratch
	rises, falls scratch
}

func newIMI(n int) *imi { return &imi{up: kernel.NewSum(nil, n), down: kernel.NewSum(nil, n)} }

func (c *imi) next2(open, close float64) float64 {
	up := c.up.Push(kernel.Positive(close - open))
	down := c.down.Push(kernel.Positive(open - close))
	return 100 * (up / (up + down))
}

func (c *imi) bulk(dst, in [][]float64) {
	out, open, close := dst[0], in[0], in[1][:len(in[0])]
	rise, fall := c.rise.of(len(out)), c.fall.of(len(out))
	rises, falls := c.rises.of(len(out)), c.falls.of(len(out))
	for i, o := range open {
		rise[i], fall[i] = kernel.Positive(close[i]-o), kernel.Positive(o-close[i])
	}
	kernel.RunPair(&c.up, &c.down, rises, falls, rise, fall)
	for i, up := range rises {
		out[i] = 100 * (up / (up + falls[i]))
	}
}

func (c *imi) visit(t *kernel.Tape) {
	c.up.Visit(t)
	c.down.Visit(t)
}
