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

// run tells whether it saw finite values only.
func (a *accumulation) run(out, high, low, close, volume []float64) bool {
	n, value, odd := len(out), a.value, 0.0
	high, low, close, volume = high[:n], low[:n], close[:n], volume[:n]
	for i := range out {
		h, l, c, v := high[i], low[i], close[i], volume[i]
		if span := h - l; span > 0 {
			value += ((c - l) - (h - c)) / span * v
		} else {
			odd += span + c + v
		}
		out[i] = value
	}
	a.value = value
	return kernel.Finite(value + odd)
}

func (a *accumulation) visit(t *kernel.Tape) { t.Float(&a.value) }

// chaikin is the gap between two averages of the line, both from its first value.
type chaikin struct {
	line         accumulation
	bars, from   int
	fastK, slowK float64
	// 1 less those. TA-Lib multiplies twice, and waits for one multiplication
	// and one addition a bar.
	fastKeep, slowKeep float64
	a, b               float64
	rest               scratch
}

func newChaikin(fast, slow int, e env) *chaikin {
	a, b := 2/float64(fast+1), 2/float64(slow+1)
	return &chaikin{from: emaLookback(max(fast, slow), e), fastK: a, slowK: b, fastKeep: 1 - a, slowKeep: 1 - b}
}

func (c *chaikin) next4(high, low, close, volume float64) float64 {
	v := c.line.next4(high, low, close, volume)
	if c.bars == 0 {
		c.a, c.b = v, v
	} else {
		c.a = float64(c.fastK*v) + float64(c.fastKeep*c.a)
		c.b = float64(c.slowK*v) + float64(c.slowKeep*c.b)
	}
	if c.bars++; c.bars <= c.from {
		return math.NaN()
	}
	return c.a - c.b
}

func (c *chaikin) bulk(dst, in [][]float64) {
	out, high, low, close, volume := dst[0], in[0], in[1], in[2], in[3]
	for c.bars <= c.from {
		if len(out) == 0 {
			return
		}
		out[0] = c.next4(high[0], low[0], close[0], volume[0])
		out, high, low, close, volume = out[1:], high[1:], low[1:], close[1:], volume[1:]
	}
	lines := c.rest.of(len(out))
	c.line.run(lines, high, low, close, volume)
	a, b, fast, slow, fastKeep, slowKeep := c.a, c.b, c.fastK, c.slowK, c.fastKeep, c.slowKeep
	for i, v := range lines {
		a = float64(fast*v) + float64(fastKeep*a)
		b = float64(slow*v) + float64(slowKeep*b)
		out[i] = a - b
	}
	c.bars, c.a, c.b = c.bars+len(lines), a, b
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
	if !o.begun {
		o.begun, o.value, o.prev = true, volume, close
		return volume
	}
	o.value += kernel.Where(close > o.prev, volume) - kernel.Where(close < o.prev, volume)
	o.prev = close
	return o.value
}

func (o *obv) bulk(dst, in [][]float64) {
	out, close, volume := dst[0], in[0], in[1]
	if !o.begun {
		out[0] = o.next2(close[0], volume[0])
		out, close, volume = out[1:], close[1:], volume[1:]
	}
	value, prev := o.value, o.prev
	out, volume = out[:len(close)], volume[:len(close)]
	for i, x := range close {
		v := volume[i]
		value += kernel.Where(x > prev, v) - kernel.Where(x < prev, v)
		prev = x
		out[i] = value
	}
	o.value, o.prev = value, prev
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
	columns  [4]scratch
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
	up, down := m.up.Push(kernel.Where(d > 0, flow)), m.down.Push(kernel.Where(d < 0, flow))
	switch {
	case up != up:
		return up
	case m.skip > 0:
		m.skip--
		return math.NaN()
	}
	return moneyFlow(up, down)
}

// moneyFlow is 0 below a threshold that is TA-Lib's own.
func moneyFlow(up, down float64) float64 {
	v := up / (up + down) * 100
	if up+down < 1 {
		v = 0
	}
	return v
}

func (m *mfi) bulk(dst, in [][]float64) {
	out, high, low, close, volume := dst[0], in[0], in[1], in[2], in[3]
	if !m.begun {
		out[0] = m.next4(high[0], low[0], close[0], volume[0])
		out, high, low, close, volume = out[1:], high[1:], low[1:], close[1:], volume[1:]
	}
	n := len(out)
	high, low, close, volume = high[:n], low[:n], close[:n], volume[:n]
	up, down, ups, downs := m.columns[0].of(n), m.columns[1].of(n), m.columns[2].of(n), m.columns[3].of(n)
	prev := m.prev
	for i := range up {
		typical := (high[i] + low[i] + close[i]) / 3
		d, flow := typical-prev, typical*volume[i]
		prev = typical
		up[i], down[i] = kernel.Where(d > 0, flow), kernel.Where(d < 0, flow)
	}
	m.prev = prev
	kernel.RunPair(&m.up, &m.down, ups, downs, up, down)
	for i, v := range ups {
		out[i] = moneyFlow(v, downs[i])
	}
	if m.skip > 0 {
		first := known(ups)
		k := min(m.skip, n-first)
		fillNaN(out[first : first+k])
		m.skip -= k
	}
}

func (m *mfi) visit(t *kernel.Tape) {
	m.up.Visit(t)
	m.down.Visit(t)
	t.Float(&m.prev)
	t.Bool(&m.begun)
	t.Int(&m.skip)
}
