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
	keep              float64 // 1 - 1/n
}

func newMovement(n int) movement { return movement{n: n, count: -1, keep: 1 / float64(n)} }

// update takes a bar and returns how many changes there have been.
func (m *movement) update(high, low, close float64) int {
	up, down := high-m.high, m.low-low
	prev := m.close
	m.high, m.low, m.close = high, low, close
	if m.count++; m.count == 0 {
		return 0
	}
	if m.count >= m.n {
		m.plus -= float64(m.plus * m.keep)
		m.minus -= float64(m.minus * m.keep)
		m.span -= float64(m.span * m.keep)
	}
	if up > down && up > 0 {
		m.plus += up
	} else if down > up && down > 0 {
		m.minus += down
	}
	m.span += trueRange(high, low, prev)
	return m.count
}

// index returns the directional movement index; ok is false when nothing moved.
func (m *movement) index() (dx float64, ok bool) {
	if isZero(m.span) {
		return 0, false
	}
	plus, minus := m.plus/m.span, m.minus/m.span
	if isZero(100 * (plus + minus)) {
		return 0, false
	}
	return 100 * math.Abs(minus-plus) / (plus + minus), true
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
	v := 0.0
	switch {
	case d.form == formIndex:
		if dx, ok := d.m.index(); ok {
			v = dx
		} else {
			v = d.last
		}
		d.last = v
	case isZero(d.m.span):
	case d.form == formPlus:
		v = d.m.plus / d.m.span
	default:
		v = d.m.minus / d.m.span
	}
	if d.m.count < d.skip {
		if d.form == formIndex {
			d.last = v
		}
		return math.NaN()
	}
	if d.form != formIndex && d.m.n > 1 {
		v *= 100
	}
	return v
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

func (c *rawMovement) visit(t *kernel.Tape) { c.m.visit(t) }

// adx is Wilder's average of DX.
type adx struct {
	m     movement
	value float64
	from  int
}

func newADX(n int, e env) *adx { return &adx{m: newMovement(n), from: 2*n - 1 + e.unstable} }

func (a *adx) next3(high, low, close float64) float64 {
	count, n := a.m.update(high, low, close), a.m.n
	if count < n {
		return math.NaN()
	}
	dx, ok := a.m.index()
	switch {
	case count < 2*n:
		a.value += dx
		if count == 2*n-1 {
			a.value /= float64(n)
		}
	case ok:
		a.value += float64(a.m.keep * (dx - a.value))
	}
	if count < a.from {
		return math.NaN()
	}
	return a.value
}

func (a *adx) visit(t *kernel.Tape) {
	a.m.visit(t)
	t.Float(&a.value)
}

// adxr is the mean of ADX and of ADX n-1 bars ago.
type adxr struct {
	adx  *adx
	past past
}

func newADXR(n int, e env) *adxr { return &adxr{newADX(n, e), newPast(n - 1)} }

func (a *adxr) next3(high, low, close float64) float64 {
	v := a.adx.next3(high, low, close)
	if v != v {
		return v
	}
	return (v + a.past.push(v)) / 2
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
	span := trueRange(high, low, a.prev)
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

func (a *atr) visit(t *kernel.Tape) {
	t.Int(&a.count)
	t.Int(&a.skip)
	t.Float(&a.prev)
	t.Float(&a.value)
}
