package talib

import (
	"math"

	"github.com/ttai-go/ttai/indicators/internal/kernel"
)

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
	return &mama{h: newHilbert(periodStart), from: periodLookback + unstable, fast: fast, slow: slow}
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
