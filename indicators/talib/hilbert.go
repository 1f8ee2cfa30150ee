package talib

import (
	"math"
	"sync"

	"github.com/ttai-go/ttai/indicators/internal/kernel"
)

// hilbert measures the dominant cycle with Ehlers' homodyne discriminator
// (Rocket Science for Traders, 2001, chapter 7): the price is smoothed over
// four bars, split into an in-phase and a quadrature part by a Hilbert
// transform, and the angle between successive phasors gives the period.
//
// Every bar's transform waits for the period of the bar before, so what counts
// is the way from one period to the next. All that does not lie on it is added
// up beforehand, and the way itself has one division and no arctangent.
type hilbert struct {
	bars, start  int // the transform begins with zero history at bar start
	price        [3]float64
	at           int // of the newest value in these rings
	smooth       [16]float64
	detrend      [16]float64 // three bars ago it is the in-phase part
	q1           [16]float64
	i2, q2       float64
	re, im       float64
	gain         float64 // of the next transform: 0.075·period + 0.54
	period       float64
	smoothPeriod float64
	periods      *periodTable
}

func newHilbert(start int) hilbert {
	return hilbert{start: start, gain: 0.54, periods: periods()}
}

func (h *hilbert) visit(t *kernel.Tape) {
	t.Int(&h.bars)
	t.Floats(h.price[:])
	t.Int(&h.at)
	t.Floats(h.smooth[:])
	t.Floats(h.detrend[:])
	t.Floats(h.q1[:])
	for _, p := range [...]*float64{&h.i2, &h.q2, &h.re, &h.im, &h.gain, &h.period, &h.smoothPeriod} {
		t.Float(p)
	}
}

// The weights of Ehlers' Hilbert transform of values six bars apart and two.
const outer, inner = 0.0962, 0.5769

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
	h.at = (h.at + 1) & 15
	at := h.at
	s, d, q, before := &h.smooth, &h.detrend, &h.q1, h.period
	s[at] = smooth

	// Known before the gain is.
	in := d[(at-3)&15]
	whole := float64(outer*(smooth-s[(at-6)&15])) + float64(inner*(s[(at-2)&15]-s[(at-4)&15]))
	older := float64(inner*(d[(at-2)&15]-d[(at-4)&15])) - float64(outer*d[(at-6)&15])
	oldest := float64(inner*(q[(at-2)&15]-q[(at-4)&15])) - float64(outer*q[(at-6)&15])
	turned := float64(outer*(in-d[(at-9)&15])) + float64(inner*(d[(at-5)&15]-d[(at-7)&15]))
	i, r := 0.2*h.i2, 0.2*h.q2
	restI, restQ := float64(0.2*in)+4*i, 4*r
	restRe, restIm := 0.8*h.re, 0.8*h.im
	least, most := max(0.67*before, 6), min(max(1.5*before, 6), 50)
	restGain := float64(0.06*before) + 0.54

	// The way from the gain to the next: the transform of the smoothed price, of
	// that, and of both again, for the phasor smoothed over bars.
	gain := h.gain
	d[at] = whole * gain
	quadrature := (float64(outer*whole*gain) + older) * gain
	q[at] = quadrature
	i2 := (restI - float64(oldest*(0.2*gain))) - float64(quadrature*(0.2*outer*gain))
	q2 := (restQ + float64(turned*(0.2*gain))) + float64(0.2*quadrature)
	h.re = (float64(i2*i) + restRe) + float64(q2*r)
	h.im = (float64(i2*r) + restIm) - float64(q2*i)
	h.i2, h.q2 = i2, q2
	period := before
	if !kernel.Finite(h.re + h.im) {
		h.i2, h.q2, h.re, h.im = 0, 0, 0, 0 // prices beyond all measure are forgotten
	} else if h.im != 0 && h.re != 0 {
		period = h.periods.of(h.re / h.im)
	}
	period = clamp(period, least, most)
	h.gain = float64(0.015*period) + restGain
	h.period = float64(0.2*period) + float64(0.8*before)
	h.smoothPeriod = float64(0.33*h.period) + float64(0.67*h.smoothPeriod)
	return true
}

// clamp is x, no less than least and no more than most, of numbers that are not
// negative, or x below least whatever its sign: such numbers are in the order
// of their bits, and comparing those takes no branch and a third of the time.
func clamp(x, least, most float64) float64 {
	b, low, high := int64(math.Float64bits(x)), int64(math.Float64bits(least)), int64(math.Float64bits(most))
	if b < low {
		b = low
	}
	if b > high {
		b = high
	}
	return math.Float64frombits(uint64(b))
}

// A periodTable has the period of a cycle by the cotangent of the angle that it
// turns in a bar, 2π/arccot(u) for u from 0.5 (5.7 bars) to 8 (50.5 bars), as
// Taylor polynomials: 32 for each power of two, off by less than 1e-12 parts.
type periodTable [4 * perOctave][8]float64

const (
	perOctave     = 1 << octaveBits
	octaveBits    = 5
	fractionBits  = 52 - octaveBits // of a number, below the choice of a polynomial
	leastCotBits  = 0x3fe << 52
	cotLimitBits  = 0x402 << 52
	halfwayInCell = 1 << (fractionBits - 1)
)

// of returns the period; below 0.5 and for negative numbers that of 0.5, and
// that of 8 above it.
func (t *periodTable) of(u float64) float64 {
	b := int64(math.Float64bits(u))
	if b < leastCotBits {
		b = leastCotBits
	}
	if b > cotLimitBits-1 {
		b = cotLimitBits - 1
	}
	c := &t[(b-leastCotBits)>>fractionBits&(4*perOctave-1)]
	x := math.Float64frombits(uint64(b)) - c[7]
	square := x * x
	low := (c[0] + float64(c[1]*x)) + float64((c[2]+float64(c[3]*x))*square)
	high := (c[4] + float64(c[5]*x)) + float64(c[6]*square)
	return low + float64(high*(square*square))
}

// periods is made once and never written to.
var periods = sync.OnceValue(func() *periodTable {
	t := &periodTable{}
	for i := range t {
		center := math.Float64frombits(uint64(leastCotBits + i<<fractionBits + halfwayInCell))
		// The series of arccot is the integral of that of -1/(1+u²).
		var slope, angle, period [7]float64
		size := 1 + center*center
		angle[0] = math.Atan(1 / center)
		for k := range 6 {
			switch k {
			case 0:
				slope[0] = 1 / size
			case 1:
				slope[1] = -2 * center * slope[0] / size
			default:
				slope[k] = -(2*center*slope[k-1] + slope[k-2]) / size
			}
			angle[k+1] = -slope[k] / float64(k+1)
		}
		period[0] = 2 * math.Pi / angle[0]
		for k := 1; k < 7; k++ {
			sum := 0.0
			for j := 1; j <= k; j++ {
				sum += float64(angle[j] * period[k-j])
			}
			period[k] = -sum / angle[0]
		}
		copy(t[i][:], period[:])
		t[i][7] = center
	}
	return t
})

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

func (c *htPeriod) bulk1(out, in []float64) {
	for i, x := range in[:len(out)] {
		out[i] = c.next(x)
	}
}

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

func (c *htPhasor) bulk(dst, in [][]float64) {
	var pair [2]float64
	first, second := dst[0], dst[1][:len(dst[0])]
	for i := range in[0][:len(first)] {
		c.nextN(in[0][i:i+1], pair[:])
		first[i], second[i] = pair[0], pair[1]
	}
}
func (c *htPhasor) visit(t *kernel.Tape) { c.h.visit(t) }
