package talib

import (
	"math"

	"github.com/ttai-go/ttai/indicators/internal/kernel"
)

// hilbert measures the dominant cycle with Ehlers' homodyne discriminator
// (Rocket Science for Traders, 2001, chapter 7): the price is smoothed over
// four bars, split into an in-phase and a quadrature part by a Hilbert
// transform, and the angle between successive phasors gives the period.
type hilbert struct {
	bars, start  int // the transform begins with zero history at bar start
	price        [3]float64
	at           int // of the newest value in these rings
	smooth       [16]float64
	detrend      [16]float64 // three bars ago it is the in-phase part
	q1           [16]float64
	i2, q2       float64
	re, im       float64
	period       float64
	smoothPeriod float64
}

func (h *hilbert) visit(t *kernel.Tape) {
	t.Int(&h.bars)
	t.Floats(h.price[:])
	t.Int(&h.at)
	t.Floats(h.smooth[:])
	t.Floats(h.detrend[:])
	t.Floats(h.q1[:])
	for _, p := range []*float64{&h.i2, &h.q2, &h.re, &h.im, &h.period, &h.smoothPeriod} {
		t.Float(p)
	}
}

// transform is Ehlers' Hilbert transform of the values up to place at.
func transform(s *[16]float64, at int, gain float64) float64 {
	return (float64(0.0962*(s[at&15]-s[(at-6)&15])) + float64(0.5769*(s[(at-2)&15]-s[(at-4)&15]))) * gain
}

func (h *hilbert) inPhase() float64    { return h.detrend[(h.at-3)&15] }
func (h *hilbert) quadrature() float64 { return h.q1[h.at&15] }
func (h *hilbert) smoothed() float64   { return h.smooth[h.at&15] }

// next takes a price and reports whether the transform has begun.
func (h *hilbert) next(x float64) bool {
	smooth := (4*x + 3*h.price[0] + 2*h.price[1] + h.price[2]) / 10
	h.price[2], h.price[1], h.price[0] = h.price[1], h.price[0], x
	h.bars++
	if h.bars <= h.start {
		return false
	}
	gain := 0.075*h.period + 0.54
	h.at = (h.at + 1) & 15
	at := h.at
	h.smooth[at] = smooth
	h.detrend[at] = transform(&h.smooth, at, gain)
	h.q1[at] = transform(&h.detrend, at, gain)
	i2 := float64(0.2*(h.inPhase()-transform(&h.q1, at, gain))) + float64(0.8*h.i2)
	q2 := float64(0.2*(h.q1[at]+transform(&h.detrend, at-3, gain))) + float64(0.8*h.q2)
	h.re = float64(0.2*(float64(i2*h.i2)+float64(q2*h.q2))) + float64(0.8*h.re)
	h.im = float64(0.2*(float64(i2*h.q2)-float64(q2*h.i2))) + float64(0.8*h.im)
	h.i2, h.q2 = i2, q2
	before := h.period
	if h.im != 0 && h.re != 0 {
		h.period = 2 * math.Pi / math.Atan(h.im/h.re)
	}
	h.period = min(h.period, 1.5*before)
	h.period = max(h.period, 0.67*before)
	h.period = min(max(h.period, 6), 50)
	h.period = float64(0.2*h.period) + float64(0.8*before)
	h.smoothPeriod = float64(0.33*h.period) + float64(0.67*h.smoothPeriod)
	return true
}

// The bar at which the transform begins, and the first value of the functions
// that need only the period and of those that need a whole cycle.
const (
	periodStart, periodLookback = 12, 32
	cycleStart, cycleLookback   = 37, 63
)

type htPeriod struct {
	h    hilbert
	from int
}

func (c *htPeriod) next(x float64) float64 {
	if c.h.next(x); c.h.bars <= c.from {
		return math.NaN()
	}
	return c.h.smoothPeriod
}
func (c *htPeriod) visit(t *kernel.Tape) { c.h.visit(t) }

type htPhasor struct {
	h    hilbert
	from int
}

func (c *htPhasor) nextN(in, out []float64) {
	if c.h.next(in[0]); c.h.bars <= c.from {
		fillNaN(out)
		return
	}
	out[0], out[1] = c.h.inPhase(), c.h.quadrature()
}
func (c *htPhasor) visit(t *kernel.Tape) { c.h.visit(t) }

// mama is Ehlers' MESA adaptive moving average: its factor follows the rate of
// change of the phase.
type mama struct {
	h           hilbert
	from        int
	fast, slow  float64
	phase       float64
	line, slow2 float64
}

func newMAMA(fast, slow float64, unstable int) *mama {
	return &mama{h: hilbert{start: periodStart}, from: periodLookback + unstable, fast: fast, slow: slow}
}

func (m *mama) next(x float64) (mama, fama float64) {
	if m.h.next(x) {
		phase := 0.0
		if i1 := m.h.inPhase(); i1 != 0 {
			phase = math.Atan(m.h.quadrature()/i1) * (180 / math.Pi)
		}
		delta := max(m.phase-phase, 1)
		m.phase = phase
		alpha := m.fast
		if delta > 1 {
			alpha = max(m.fast/delta, m.slow)
		}
		m.line = float64(alpha*x) + float64((1-alpha)*m.line)
		alpha *= 0.5
		m.slow2 = float64(alpha*m.line) + float64((1-alpha)*m.slow2)
	}
	if m.h.bars <= m.from {
		return math.NaN(), math.NaN()
	}
	return m.line, m.slow2
}

func (m *mama) visit(t *kernel.Tape) {
	m.h.visit(t)
	t.Float(&m.phase)
	t.Float(&m.line)
	t.Float(&m.slow2)
}

type mamaLines struct{ *mama }

func (c mamaLines) nextN(in, out []float64) { out[0], out[1] = c.mama.next(in[0]) }

func (c mamaLines) bulk(dst, in [][]float64) {
	lines, followers := dst[0], dst[1][:len(dst[0])]
	for i, x := range in[0][:len(lines)] {
		lines[i], followers[i] = c.mama.next(x)
	}
}

// mamaLine is the first of the two, as a moving average.
type mamaLine struct{ m *mama }

func (c *mamaLine) next(x float64) float64 { v, _ := c.m.next(x); return v }
func (c *mamaLine) visit(t *kernel.Tape)   { c.m.visit(t) }

// cycle adds the phase of the dominant cycle and the trendline to a hilbert.
type cycle struct {
	h       hilbert
	from    int
	smooth  recent // smoothed prices since the start
	raw     recent
	phase   float64
	trend   [3]float64
	sines   [longest + 1][]float64 // of the phases of one cycle, by its length in bars
	cosines [longest + 1][]float64
	trending
}

// trending is what HT_TRENDMODE remembers.
type trending struct {
	days                   int
	prevPhase              float64
	prevSine, prevLeadSine float64
}

func newCycle(unstable int) cycle {
	return cycle{h: hilbert{start: cycleStart}, from: cycleLookback + unstable}
}

func (c *cycle) visit(t *kernel.Tape) {
	c.h.visit(t)
	c.smooth.visit(t)
	c.raw.visit(t)
	t.Float(&c.phase)
	t.Floats(c.trend[:])
	t.Int(&c.days)
	t.Float(&c.prevPhase)
	t.Float(&c.prevSine)
	t.Float(&c.prevLeadSine)
}

// recent holds the last values, twice, so that any number of them up to longest
// lies in one piece.
type recent struct {
	values [2 * (longest + 1)]float64
	at     int
}

const longest = 50

func (r *recent) push(x float64) {
	if r.at++; r.at > longest {
		r.at = 0
	}
	r.values[r.at], r.values[r.at+longest+1] = x, x
}

// last returns the last n values, the oldest first.
func (r *recent) last(n int) []float64 {
	end := r.at + longest + 2
	return r.values[end-n : end]
}

func (r *recent) visit(t *kernel.Tape) {
	t.Floats(r.values[:])
	t.Int(&r.at)
}

// push takes a price; begun tells whether the transform has.
func (c *cycle) push(x float64) (begun bool) {
	c.raw.push(x)
	begun = c.h.next(x)
	if begun {
		c.smooth.push(c.h.smoothed())
	}
	return begun
}

// length returns the dominant cycle in whole bars.
func (c *cycle) length() int { return min(int(c.h.smoothPeriod+0.5), longest) }

func (c *cycle) updatePhase() {
	n := c.length()
	if n > 0 && c.sines[n] == nil {
		c.sines[n], c.cosines[n] = make([]float64, n), make([]float64, n)
		for i := range n { // the oldest value first
			c.sines[n][n-1-i], c.cosines[n][n-1-i] = math.Sincos(2 * math.Pi * float64(i) / float64(n))
		}
	}
	var real, imag float64
	sines, cosines := c.sines[n], c.cosines[n]
	values := c.smooth.last(n)
	for i, v := range values[:len(sines)] {
		real += float64(sines[i] * v)
		imag += float64(cosines[i] * v)
	}
	if size := math.Abs(imag); size > 0 {
		c.phase = math.Atan(real/imag) * (180 / math.Pi)
	} else if real < 0 {
		c.phase -= 90
	} else if real > 0 {
		c.phase += 90
	}
	c.phase += 90
	// The smoothing lags by about one bar.
	c.phase += 360 / c.h.smoothPeriod
	if imag < 0 {
		c.phase += 180
	}
	if c.phase > 315 {
		c.phase -= 360
	}
}

func (c *cycle) trendline() float64 {
	n, sum, other := c.length(), 0.0, 0.0
	values := c.raw.last(n)
	for len(values) >= 2 {
		sum += values[0]
		other += values[1]
		values = values[2:]
	}
	for _, v := range values {
		sum += v
	}
	sum += other
	if n > 0 {
		sum /= float64(n)
	}
	line := (4*sum + 3*c.trend[0] + 2*c.trend[1] + c.trend[2]) / 10
	c.trend[2], c.trend[1], c.trend[0] = c.trend[1], c.trend[0], sum
	return line
}

func (c *cycle) sine() (sine, lead float64) {
	const degree = math.Pi / 180
	return math.Sin(c.phase * degree), math.Sin((c.phase + 45) * degree)
}

type htPhase struct{ cycle }

func (c *htPhase) next(x float64) float64 {
	if c.push(x) {
		c.updatePhase()
	}
	if c.h.bars <= c.from {
		return math.NaN()
	}
	return c.phase
}

type htSine struct{ cycle }

func (c *htSine) nextN(in, out []float64) {
	if c.push(in[0]) {
		c.updatePhase()
	}
	if c.h.bars <= c.from {
		fillNaN(out)
		return
	}
	out[0], out[1] = c.sine()
}

type htTrendline struct{ cycle }

func (c *htTrendline) next(x float64) float64 {
	line := math.NaN()
	if c.push(x) {
		line = c.trendline()
	}
	if c.h.bars <= c.from {
		return math.NaN()
	}
	return line
}

type htTrendMode struct{ cycle }

func (c *htTrendMode) next(x float64) float64 {
	if !c.push(x) {
		return math.NaN()
	}
	c.prevPhase = c.phase
	c.updatePhase()
	sine, lead := c.sine()
	line := c.trendline()
	trend := 1.0
	if sine > lead && c.prevSine <= c.prevLeadSine || sine < lead && c.prevSine >= c.prevLeadSine {
		c.days, trend = 0, 0
	}
	c.prevSine, c.prevLeadSine = sine, lead
	c.days++
	period := c.h.smoothPeriod
	if float64(c.days) < 0.5*period {
		trend = 0
	}
	if turn := c.phase - c.prevPhase; period != 0 && turn > 0.67*360/period && turn < 1.5*360/period {
		trend = 0
	}
	if line != 0 && math.Abs((c.h.smoothed()-line)/line) >= 0.015 {
		trend = 1
	}
	if c.h.bars <= c.from {
		return math.NaN()
	}
	return trend
}
