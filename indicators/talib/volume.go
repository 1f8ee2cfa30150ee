package talib

import (
	"math"

	"github.com/ttai-go/ttai/indicators/internal/kernel"
)

// accumulation is Chaikin's accumulation/distribution line.
type accumulation struct{ value float64 }

func (a *accumulation) next4(high, low, close, volume float64) float64 {
	if span := high - low; span > 0 {
		a.value += ((close - low) - (high - close)) / span * volume
	}
	return a.value
}

func (a *accumulation) visit(t *kernel.Tape) { t.Float(&a.value) }

// chaikin is the gap between two averages of the line, both from its first value.
type chaikin struct {
	line         accumulation
	bars, from   int
	fastK, slowK float64
	a, b         float64
}

func newChaikin(fast, slow int, e env) *chaikin {
	return &chaikin{from: emaLookback(max(fast, slow), e), fastK: 2 / float64(fast+1), slowK: 2 / float64(slow+1)}
}

func (c *chaikin) next4(high, low, close, volume float64) float64 {
	v := c.line.next4(high, low, close, volume)
	if c.bars == 0 {
		c.a, c.b = v, v
	} else {
		c.a += float64(c.fastK * (v - c.a))
		c.b += float64(c.slowK * (v - c.b))
	}
	if c.bars++; c.bars <= c.from {
		return math.NaN()
	}
	return c.a - c.b
}

func (c *chaikin) visit(t *kernel.Tape) {
	c.line.visit(t)
	t.Int(&c.bars)
	t.Float(&c.a)
	t.Float(&c.b)
}

// obv is on-balance volume, which begins with the first bar's.
type obv struct {
	prev, value float64
	begun       bool
}

func (o *obv) next2(close, volume float64) float64 {
	switch {
	case !o.begun:
		o.begun, o.value = true, volume
	case close > o.prev:
		o.value += volume
	case close < o.prev:
		o.value -= volume
	}
	o.prev = close
	return o.value
}

func (o *obv) visit(t *kernel.Tape) {
	t.Float(&o.prev)
	t.Float(&o.value)
	t.Bool(&o.begun)
}

// mfi is the money flow index.
type mfi struct {
	up, down kernel.Sum
	prev     float64
	begun    bool
	skip     int
}

func newMFI(n int, e env) *mfi {
	return &mfi{up: kernel.NewSum(nil, n), down: kernel.NewSum(nil, n), skip: e.unstable}
}

func (m *mfi) next4(high, low, close, volume float64) float64 {
	typical := (high + low + close) / 3
	d := typical - m.prev
	m.prev = typical
	if !m.begun {
		m.begun = true
		return math.NaN()
	}
	flow := typical * volume
	up, down := 0.0, 0.0
	if d > 0 {
		up = flow
	} else if d < 0 {
		down = flow
	}
	up, down = m.up.Push(up), m.down.Push(down)
	switch {
	case up != up:
		return up
	case m.skip > 0:
		m.skip--
		return math.NaN()
	case up+down < 1: // TA-Lib's own threshold
		return 0
	}
	return up / (up + down) * 100
}

func (m *mfi) visit(t *kernel.Tape) {
	m.up.Visit(t)
	m.down.Visit(t)
	t.Float(&m.prev)
	t.Bool(&m.begun)
	t.Int(&m.skip)
}
