package talib

import (
	"math"

	"github.com/ttai-go/ttai/indicators/internal/kernel"
)

// movement is Wilder's directional movement: sums, not averages, of upward and
// downward movement and of the true range. TA-Lib's first sum has n-1 bars.
type movement struct {
	n                 int
	count             int // changes seen
	high, low, close  float64
	plus, minus, span float64
	decay             float64 // 1 - 1/n
}

func newMovement(n int) movement { return movement{n: n, count: -1, decay: float64(n-1) / float64(n)} }

// update takes a bar and returns how many changes there have been.
func (m *movement) update(high, low, close float64) int {
	up, down := high-m.high, m.low-low
	prev := m.close
	m.high, m.low, m.close = high, low, close
	if m.count++; m.count == 0 {
		return 0
	}
	if m.count >= m.n {
		m.plus = float64(m.plus * m.decay)
		m.minus = float64(m.minus * m.decay)
		m.span = float64(m.span * m.decay)
	}
	m.plus += kernel.Where(up > down, kernel.Positive(up))
	m.minus += kernel.Where(down > up, kernel.Positive(down))
	m.span += kernel.TrueRange(high, low, prev)
	return m.count
}

// index returns the directional movement index; ok is false when nothing moved.
func (m *movement) index() (dx float64, ok bool) { return index(m.plus, m.minus, m.span) }

func index(plus, minus, span float64) (dx float64, ok bool) {
	sum := plus + minus
	// TA-Lib asks whether a hundred times the sum by the span is zero.
	ok = !isZero(span) && sum >= epsilon/100*span
	return 100 * math.Abs(minus-plus) / sum, ok
}

// run is update over columns, once there have been n-1 changes.
func (m *movement) run(plusses, minuses, spans, high, low, close []float64) {
	n := len(plusses)
	minuses, spans, high, low, close = minuses[:n], spans[:n], high[:n], low[:n], close[:n]
	h, l, c, plus, minus, span, decay := m.high, m.low, m.close, m.plus, m.minus, m.span, m.decay
	for i := range plusses {
		up, down := high[i]-h, l-low[i]
		h, l = high[i], low[i]
		plus = float64(plus*decay) + kernel.Where(up > down, kernel.Positive(up))
		minus = float64(minus*decay) + kernel.Where(down > up, kernel.Positive(down))
		span = float64(span*decay) + kernel.TrueRange(h, l, c)
		c = close[i]
		plusses[i], minuses[i], spans[i] = plus, minus, span
	}
	m.high, m.low, m.close, m.plus, m.minus, m.span = h, l, c, plus, minus, span
	m.count += n
}

func (m *movement) visit(t *kernel.Tape) {
	t.Int(&m.count)
	for _, p := range []*float64{&m.high, &m.low, &m.close, &m.plus, &m.minus, &m.span} {
		t.Float(p)
	}
}

// directional is PLUS_DI, MINUS_DI or DX.
type directional struct {
	m    movement
	skip int
	form directionalForm
	last float64
	rest [3]scratch
}

type directionalForm int

const (
	formPlus directionalForm = iota
	formMinus
	formIndex
)

func newDirectional(n int, form directionalForm, e env) *directional {
	d := &directional{m: newMovement(n), form: form, skip: n + e.unstable}
	if n == 1 {
		d.skip = 1
	}
	return d
}

func (d *directional) next3(high, low, close float64) float64 {
	if d.m.update(high, low, close) < d.m.n {
		return math.NaN()
	}
	v := d.value(d.m.plus, d.m.minus, d.m.span)
	if d.m.count < d.skip {
		return math.NaN()
	}
	return v
}

func (d *directional) value(plus, minus, span float64) float64 {
	if d.form == formIndex {
		if dx, ok := index(plus, minus, span); ok {
			d.last = dx
		}
		return d.last
	}
	scale := 100.0
	if d.m.n == 1 {
		scale = 1
	}
	if d.form == formMinus {
		plus = minus
	}
	v := plus / span * scale
	if isZero(span) {
		v = 0
	}
	return v
}

func (d *directional) bulk(dst, in [][]float64) {
	out, high, low, close := dst[0], in[0], in[1], in[2]
	for d.m.count < max(d.m.n, d.skip) {
		if len(out) == 0 {
			return
		}
		out[0] = d.next3(high[0], low[0], close[0])
		out, high, low, close = out[1:], high[1:], low[1:], close[1:]
	}
	if d.form == formIndex {
		plusses, minuses, spans := d.rest[0].of(len(out)), d.rest[1].of(len(out)), d.rest[2].of(len(out))
		d.m.run(plusses, minuses, spans, high, low, close)
		for i, span := range spans {
			out[i] = d.value(plusses[i], minuses[i], span)
		}
		return
	}
	scale := 100.0
	if d.m.n == 1 {
		scale = 1
	}
	d.m.shares(out, high, low, close, scale, d.form == formMinus)
}

// shares writes the sum of upward movement, or of downward, by that of the true
// range. It has no columns in between.
func (m *movement) shares(out, high, low, close []float64, scale float64, downward bool) {
	n := len(out)
	high, low, close = high[:n], low[:n], close[:n]
	h, l, c, plus, minus, span, decay := m.high, m.low, m.close, m.plus, m.minus, m.span, m.decay
	for i := range out {
		up, down := high[i]-h, l-low[i]
		h, l = high[i], low[i]
		plus = float64(plus*decay) + kernel.Where(up > down, kernel.Positive(up))
		minus = float64(minus*decay) + kernel.Where(down > up, kernel.Positive(down))
		span = float64(span*decay) + kernel.TrueRange(h, l, c)
		c = close[i]
		v := plus
		if downward {
			v = minus
		}
		v = v / span * scale
		if isZero(span) {
			v = 0
		}
		out[i] = v
	}
	m.high, m.low, m.close, m.plus, m.minus, m.span = h, l, c, plus, minus, span
	m.count += n
}

func (d *directional) visit(t *kernel.Tape) {
	d.m.visit(t)
	t.Float(&d.last)
}

// rawMovement is PLUS_DM or MINUS_DM.
type rawMovement struct {
	m    movement
	skip int
	down bool
	rest [2]scratch
}

func newRawMovement(n int, down bool, e env) *rawMovement {
	return &rawMovement{m: newMovement(n), down: down, skip: dmLookback(n, e)}
}

func dmLookback(n int, e env) int {
	if n == 1 {
		return 1
	}
	return n - 1 + e.unstable
}

func (c *rawMovement) next2(high, low float64) float64 {
	if c.m.update(high, low, low) < c.skip {
		return math.NaN()
	}
	if c.down {
		return c.m.minus
	}
	return c.m.plus
}

func (c *rawMovement) bulk(dst, in [][]float64) {
	out, high, low := dst[0], in[0], in[1]
	for c.m.count < max(c.m.n, c.skip) {
		if len(out) == 0 {
			return
		}
		out[0] = c.next2(high[0], low[0])
		out, high, low = out[1:], high[1:], low[1:]
	}
	plusses, minuses, spans := out, c.rest[0].of(len(out)), c.rest[1].of(len(out))
	if c.down {
		plusses, minuses = minuses, plusses
	}
	c.m.run(plusses, minuses, spans, high, low, low)
}

func (c *rawMovement) visit(t *kernel.Tape) { c.m.visit(t) }

// adx is Wilder's average of DX.
type adx struct {
	m     movement
	value float64
	k     float64 // 1/n
	from  int
	rest  [2]scratch
}

func newADX(n int, e env) *adx {
	return &adx{m: newMovement(n), k: 1 / float64(n), from: 2*n - 1 + e.unstable}
}

func (a *adx) next3(high, low, close float64) float64 {
	count, n := a.m.update(high, low, close), a.m.n
	if count < n {
		return math.NaN()
	}
	dx, ok := a.m.index()
	switch {
	case count < 2*n:
		if ok {
			a.value += dx
		}
		if count == 2*n-1 {
			a.value /= float64(n)
		}
	case ok:
		a.value += float64(a.k * (dx - a.value))
	}
	if count < a.from {
		return math.NaN()
	}
	return a.value
}

func (a *adx) bulk(dst, in [][]float64) { a.run(dst[0], in[0], in[1], in[2]) }

func (a *adx) run(out, high, low, close []float64) {
	for a.m.count < max(2*a.m.n, a.from) {
		if len(out) == 0 {
			return
		}
		out[0] = a.next3(high[0], low[0], close[0])
		out, high, low, close = out[1:], high[1:], low[1:], close[1:]
	}
	minuses, spans := a.rest[0].of(len(out)), a.rest[1].of(len(out))
	a.m.run(out, minuses, spans, high, low, close)
	value, k := a.value, a.k
	for i, span := range spans {
		if dx, ok := index(out[i], minuses[i], span); ok {
			value += float64(k * (dx - value))
		}
		out[i] = value
	}
	a.value = value
}

func (a *adx) visit(t *kernel.Tape) {
	a.m.visit(t)
	t.Float(&a.value)
}

// adxr is the mean of ADX and of ADX n-1 bars ago.
type adxr struct {
	adx  *adx
	past past
	rest scratch
}

func newADXR(n int, e env) *adxr { return &adxr{adx: newADX(n, e), past: newPast(n - 1)} }

func (a *adxr) next3(high, low, close float64) float64 {
	v := a.adx.next3(high, low, close)
	if v != v {
		return v
	}
	return (v + a.past.push(v)) / 2
}

func (a *adxr) bulk(dst, in [][]float64) {
	values := a.rest.of(len(in[0]))
	a.adx.run(values, in[0], in[1], in[2])
	first := known(values)
	out := dst[0]
	fillNaN(out[:first])
	out, values = out[first:], values[first:]
	a.past.run(out, values)
	for i, v := range values {
		out[i] = (v + out[i]) / 2
	}
}

func (a *adxr) visit(t *kernel.Tape) {
	a.adx.visit(t)
	a.past.visit(t)
}

// atr is Wilder's average of the true range from the second bar on; normal
// makes it a percentage of the close.
type atr struct {
	n, count, skip int
	k              float64
	prev, value    float64
	normal         bool
}

func newATR(n int, normal bool, e env) *atr {
	return &atr{n: n, skip: e.unstable, k: 1 / float64(n), normal: normal, count: -1}
}

func (a *atr) next3(high, low, close float64) float64 {
	span := kernel.TrueRange(high, low, a.prev)
	a.prev = close
	if a.count >= a.n {
		a.value += float64(a.k * (span - a.value))
	} else {
		if a.count++; a.count > 0 {
			a.value += span
		}
		if a.count < a.n {
			return math.NaN()
		}
		a.value /= float64(a.n)
	}
	switch {
	case a.skip > 0:
		a.skip--
		return math.NaN()
	case !a.normal || a.n == 1:
		return a.value
	case isZero(close):
		return 0
	default:
		return a.value / close * 100
	}
}

func (a *atr) bulk(dst, in [][]float64) {
	out, high, low, close := dst[0], in[0], in[1], in[2]
	for a.count < a.n || a.skip > 0 {
		if len(out) == 0 {
			return
		}
		out[0] = a.next3(high[0], low[0], close[0])
		out, high, low, close = out[1:], high[1:], low[1:], close[1:]
	}
	n, k, value, prev := len(out), a.k, a.value, a.prev
	high, low, close = high[:n], low[:n], close[:n]
	if !a.normal || a.n == 1 {
		for i := range out {
			value += float64(k * (kernel.TrueRange(high[i], low[i], prev) - value))
			prev = close[i]
			out[i] = value
		}
	} else {
		for i := range out {
			value += float64(k * (kernel.TrueRange(high[i], low[i], prev) - value))
			prev = close[i]
			v := value / prev * 100
			if isZero(prev) {
				v = 0
			}
			out[i] = v
		}
	}
	a.value, a.prev = value, prev
}

func (a *atr) visit(t *kernel.Tape) {
	t.Int(&a.count)
	t.Int(&a.skip)
	t.Float(&a.prev)
	t.Float(&a.value)
}
