package talib

import (
	"math"
	"sync"

	"github.com/ttai-go/ttai/indicators/internal/kernel"
)

// cycle adds the phase of the dominant cycle and the trendline to a hilbert.
//
// A bar's period waits for that of the bar before, its phase and its trendline
// for no more than the period: over columns they come in a second loop, where
// the processor works on several bars at a time.
type cycle struct {
	h            hilbert
	from         int
	smooth       history // smoothed prices since the start
	raw          history
	phase        float64
	trend        [3]float64
	waves        *[longest + 1]wave
	smoothPeriod scratch // of the bars of a column
	trending
}

// trending is what HT_TRENDMODE remembers.
type trending struct {
	days                   int
	prevSine, prevLeadSine float64
}

func newCycle(unstable int) cycle {
	return cycle{h: newHilbert(cycleStart), from: cycleLookback + unstable,
		smooth: newHistory(), raw: newHistory(), waves: waves()}
}

func (c *cycle) visit(t *kernel.Tape) {
	c.h.visit(t)
	c.smooth.visit(t)
	c.raw.visit(t)
	t.Float(&c.phase)
	t.Floats(c.trend[:])
	t.Int(&c.days)
	t.Float(&c.prevSine)
	t.Float(&c.prevLeadSine)
}

// A cycle has at most so many bars.
const longest = 50

// kept is longest in whole fours.
const kept = 52

// history holds the last kept values in one piece, whichever was the last.
type history struct {
	values []float64
	end    int
}

func newHistory() history { return history{make([]float64, kept+chunk), kept} }

// reserve makes room for n values, at most chunk.
func (h *history) reserve(n int) {
	if h.end+n > len(h.values) {
		copy(h.values, h.values[h.end-kept:h.end])
		h.end = kept
	}
}

func (h *history) push(x float64) {
	h.reserve(1)
	h.values[h.end] = x
	h.end++
}

func (h *history) visit(t *kernel.Tape) { t.Floats(h.values[h.end-kept : h.end]) }

// push takes a price; begun tells whether the transform has.
func (c *cycle) push(x float64) (begun bool) {
	c.raw.push(x)
	begun = c.h.next(x)
	if begun {
		c.smooth.push(c.h.smoothed())
	}
	return begun
}

// pushAll takes a column of prices and returns the smoothed periods of those
// for which the transform has begun, the last of in.
func (c *cycle) pushAll(in []float64) (periods []float64) {
	c.raw.reserve(len(in))
	c.smooth.reserve(len(in))
	periods = c.smoothPeriod.of(len(in))
	begun := 0
	for _, x := range in {
		if c.push(x) {
			periods[begun] = c.h.smoothPeriod
			begun++
		}
	}
	return periods[:begun]
}

// length returns a cycle in whole bars.
func length(period float64) int { return min(int(period+0.5), longest) }

// A wave is one turn of a circle in some number of bars, the oldest first,
// after as many zeros as make it whole fours.
type wave struct{ sines, cosines []float64 }

// waves are by their number of bars; they are made once and never written to.
var waves = sync.OnceValue(func() *[longest + 1]wave {
	t := &[longest + 1]wave{}
	for n := range t {
		size := (n + 3) &^ 3
		w := wave{make([]float64, size), make([]float64, size)}
		for i := range n {
			w.sines[size-1-i], w.cosines[size-1-i] = math.Sincos(2 * math.Pi * float64(i) / float64(n))
		}
		t[n] = w
	}
	return t
})

// phasor is the part of a wave that is in the last values before end.
func (c *cycle) phasor(end int, period float64) (real, imag float64) {
	w := &c.waves[length(period)]
	s := w.sines
	cos, v := w.cosines[:len(s)], c.smooth.values[end-len(s):end]
	var real2, imag2, real3, imag3, real4, imag4 float64
	for len(s) >= 4 && len(cos) >= 4 && len(v) >= 4 {
		real += float64(s[0] * v[0])
		imag += float64(cos[0] * v[0])
		real2 += float64(s[1] * v[1])
		imag2 += float64(cos[1] * v[1])
		real3 += float64(s[2] * v[2])
		imag3 += float64(cos[2] * v[2])
		real4 += float64(s[3] * v[3])
		imag4 += float64(cos[3] * v[3])
		s, cos, v = s[4:], cos[4:], v[4:]
	}
	return (real + real2) + (real3 + real4), (imag + imag2) + (imag3 + imag4)
}

// turn sets the phase.
func (c *cycle) turn(real, imag, period float64) {
	if size := math.Abs(imag); size > 0 {
		c.phase = math.Atan(real/imag) * (180 / math.Pi)
	} else if real < 0 {
		c.phase -= 90
	} else if real > 0 {
		c.phase += 90
	}
	c.phase += 90
	// The smoothing lags by about one bar.
	c.phase += 360 / period
	if imag < 0 {
		c.phase += 180
	}
	if c.phase > 315 {
		c.phase -= 360
	}
}

// trendline is that of the bar before end in raw.
func (c *cycle) trendline(end int, period float64) float64 {
	n := length(period)
	mean := kernel.Total(c.raw.values[end-n : end])
	if n > 0 {
		mean /= float64(n)
	}
	line := (4*mean + 3*c.trend[0] + 2*c.trend[1] + c.trend[2]) / 10
	c.trend[2], c.trend[1], c.trend[0] = c.trend[1], c.trend[0], mean
	return line
}

// sinesOf returns the sine of the phase and that of 45 degrees further. The phase
// is the angle of a phasor and that of one bar more, whose sines and cosines
// are at hand, so that the angle itself need not be known; ok tells whether
// that will do.
func sinesOf(real, imag, period float64) (sine, lead float64, ok bool) {
	square := float64(real*real) + float64(imag*imag)
	if !(period >= shortestQuick && square > 1e-280 && square < 1e280) || imag == 0 {
		return 0, 0, false
	}
	size := 1 / math.Sqrt(square)
	real, imag = real*size, imag*size
	s, c := sincos(2 * math.Pi / period)
	sine = float64(imag*c) - float64(real*s)
	cosine := -float64(real*c) - float64(imag*s)
	return sine, (sine + cosine) * (math.Sqrt2 / 2), true
}

// shortestQuick is the shortest period, in bars, whose angle sincos takes.
const shortestQuick = 5.75

// sincos is math.Sincos for angles from 0 to 1.1, by their Taylor series to 1e-16.
func sincos(x float64) (sine, cosine float64) {
	z := x * x
	s := 1 / 6227020800. * (1 - float64(z*(1./210-float64(z*(1./57120)))))
	s = -1/39916800. + float64(z*s)
	s = 1/362880. + float64(z*s)
	s = -1/5040. + float64(z*s)
	s = 1/120. + float64(z*s)
	s = -1/6. + float64(z*s)
	c := -1 / 87178291200. * (1 - float64(z*(1./240-float64(z*(1./73440)))))
	c = 1/479001600. + float64(z*c)
	c = -1/3628800. + float64(z*c)
	c = 1/40320. + float64(z*c)
	c = -1/720. + float64(z*c)
	c = 1/24. + float64(z*c)
	c = -1/2. + float64(z*c)
	return x + float64(float64(x*z)*s), 1 + float64(z*c)
}

func (c *cycle) slowSines() (sine, lead float64) {
	const degree = math.Pi / 180
	return math.Sin(c.phase * degree), math.Sin((c.phase + 45) * degree)
}

type htPhase struct{ cycle }

func (c *htPhase) next(x float64) float64 {
	if c.push(x) {
		real, imag := c.phasor(c.smooth.end, c.h.smoothPeriod)
		c.turn(real, imag, c.h.smoothPeriod)
	}
	if c.h.bars <= c.from {
		return math.NaN()
	}
	return c.phase
}

func (c *htPhase) bulk1(out, in []float64) {
	periods := c.pushAll(in)
	results := out[len(in)-len(periods):]
	for i, period := range periods {
		real, imag := c.phasor(c.smooth.end-len(periods)+1+i, period)
		c.turn(real, imag, period)
		results[i] = c.phase
	}
	c.hide(out)
}

// hide makes the values of a column unknown that come before the first.
func (c *cycle) hide(out []float64) {
	fillNaN(out[:min(max(c.from-c.h.bars+len(out), 0), len(out))])
}

// htSine keeps the phasor of the bar before, from which the phase comes in the
// rare case that it matters.
type htSine struct {
	cycle
	real, imag, period float64
}

func (c *htSine) visit(t *kernel.Tape) {
	c.cycle.visit(t)
	t.Float(&c.real)
	t.Float(&c.imag)
	t.Float(&c.period)
}

func (c *htSine) of(real, imag, period float64) (sine, lead float64) {
	sine, lead, ok := sinesOf(real, imag, period)
	if ok {
		c.real, c.imag, c.period = real, imag, period
		return sine, lead
	}
	if c.imag != 0 {
		c.turn(c.real, c.imag, c.period)
		c.imag = 0
	}
	c.turn(real, imag, period)
	return c.slowSines()
}

func (c *htSine) nextN(in, out []float64) {
	if c.push(in[0]) {
		real, imag := c.phasor(c.smooth.end, c.h.smoothPeriod)
		out[0], out[1] = c.of(real, imag, c.h.smoothPeriod)
	}
	if c.h.bars <= c.from {
		fillNaN(out)
	}
}

func (c *htSine) bulk(dst, in [][]float64) {
	periods := c.pushAll(in[0])
	before := len(in[0]) - len(periods)
	first, second := dst[0][before:], dst[1][before:]
	for i, period := range periods {
		real, imag := c.phasor(c.smooth.end-len(periods)+1+i, period)
		first[i], second[i] = c.of(real, imag, period)
	}
	c.hide(dst[0])
	c.hide(dst[1])
}

type htTrendline struct{ cycle }

func (c *htTrendline) next(x float64) float64 {
	line := math.NaN()
	if c.push(x) {
		line = c.trendline(c.raw.end, c.h.smoothPeriod)
	}
	if c.h.bars <= c.from {
		return math.NaN()
	}
	return line
}

func (c *htTrendline) bulk1(out, in []float64) {
	periods := c.pushAll(in)
	results := out[len(in)-len(periods):]
	for i, period := range periods {
		results[i] = c.trendline(c.raw.end-len(periods)+1+i, period)
	}
	c.hide(out)
}

type htTrendMode struct{ cycle }

func (c *htTrendMode) next(x float64) float64 {
	if !c.push(x) {
		return math.NaN()
	}
	trend := c.mode(c.smooth.end, c.raw.end, c.h.smoothPeriod)
	if c.h.bars <= c.from {
		return math.NaN()
	}
	return trend
}

func (c *htTrendMode) bulk1(out, in []float64) {
	periods := c.pushAll(in)
	results := out[len(in)-len(periods):]
	for i, period := range periods {
		back := len(periods) - 1 - i
		results[i] = c.mode(c.smooth.end-back, c.raw.end-back, period)
	}
	c.hide(out)
}

// mode is 1 for a trend and 0 for a cycle at the bar before end in smooth and
// in raw.
func (c *htTrendMode) mode(end, rawEnd int, period float64) float64 {
	before := c.phase
	real, imag := c.phasor(end, period)
	c.turn(real, imag, period)
	sine, lead, ok := sinesOf(real, imag, period)
	if !ok {
		sine, lead = c.slowSines()
	}
	line := c.trendline(rawEnd, period)
	trend := 1.0
	if sine > lead && c.prevSine <= c.prevLeadSine || sine < lead && c.prevSine >= c.prevLeadSine {
		c.days, trend = 0, 0
	}
	c.prevSine, c.prevLeadSine = sine, lead
	c.days++
	if float64(c.days) < 0.5*period {
		trend = 0
	}
	if turn := c.phase - before; period != 0 && turn > 0.67*360/period && turn < 1.5*360/period {
		trend = 0
	}
	if line != 0 && math.Abs((c.smooth.values[end-1]-line)/line) >= 0.015 {
		trend = 1
	}
	return trend
}
