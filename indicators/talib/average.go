package talib

import (
	"math"

	"github.com/ttai-go/ttai/indicators/internal/kernel"
)

// sma is the mean, or with scale 1 the sum, of the last n values.
type sma struct {
	sum   kernel.Sum
	scale float64
}

func newSMA(n int) *sma { return &sma{kernel.NewSum(nil, n), float64(n)} }

func (s *sma) next(x float64) float64 { return s.sum.Push(x) / s.scale }

func (s *sma) nexts(out, in []float64) { s.sum.Run(out, in, s.scale) }
func (s *sma) visit(t *kernel.Tape)    { s.sum.Visit(t) }

// ema starts from the mean of its first n values, or in Metastock's way from
// its first value, and keeps skip further values to itself.
type ema struct {
	k, value float64
	n, count int
	skip     int
	first    bool // start from the first value
}

func newEMA(n int, e env) *ema {
	return &ema{k: 2 / float64(n+1), n: n, skip: e.unstable, first: e.metastock}
}

func (e *ema) next(x float64) float64 {
	if e.count >= e.n {
		e.value += float64(e.k * (x - e.value))
		if e.skip == 0 {
			return e.value
		}
		e.skip--
		return math.NaN()
	}
	return e.seed(x)
}

func (e *ema) nexts(out, in []float64) {
	i := 0
	for i < len(in) && (e.count < e.n || e.skip > 0) {
		out[i] = e.next(in[i])
		i++
	}
	value, k := e.value, e.k
	for ; i < len(in); i++ {
		value += float64(k * (in[i] - value))
		out[i] = value
	}
	e.value = value
}

func (e *ema) seed(x float64) float64 {
	e.count++
	switch {
	case !e.first:
		e.value += x
		if e.count == e.n {
			e.value /= float64(e.n)
		}
	case e.count == 1:
		e.value = x
	default:
		e.value += float64(e.k * (x - e.value))
	}
	if e.count < e.n {
		return math.NaN()
	}
	if e.skip > 0 {
		e.skip--
		return math.NaN()
	}
	return e.value
}

func (e *ema) visit(t *kernel.Tape) {
	t.Float(&e.value)
	t.Int(&e.count)
	t.Int(&e.skip)
}

// wma weights the last n values 1 … n.
type wma struct {
	line  lineSums
	scale float64
}

func newWMA(n int) *wma {
	return &wma{newLineSums(n), float64(n) * float64(n+1) / 2}
}

func (w *wma) next(x float64) float64 {
	sum, weighted := w.line.push(x)
	// Deviations are weighted 0 … n-1 and taken from the origin.
	return w.line.base + (weighted+sum)/w.scale
}

func (w *wma) visit(t *kernel.Tape) { w.line.visit(t) }

// nested is DEMA (two averages) or TEMA (three).
type nested struct {
	e      [3]*ema
	levels int
}

func newNested(n, levels int, e env) *nested {
	c := &nested{levels: levels}
	for i := range levels {
		c.e[i] = newEMA(n, e)
	}
	return c
}

func (c *nested) next(x float64) float64 {
	var v [3]float64
	for i := range c.levels {
		if x = c.e[i].next(x); x != x {
			return x
		}
		v[i] = x
	}
	if c.levels == 2 {
		return 2*v[0] - v[1]
	}
	return 3*v[0] - 3*v[1] + v[2]
}

func (c *nested) visit(t *kernel.Tape) {
	for _, e := range c.e[:c.levels] {
		e.visit(t)
	}
}

// t3 is Tillson's: six nested averages in one polynomial of the volume factor v.
type t3 struct {
	e          [6]ema
	c1, c2     float64
	c3, c4     float64
	skip, seen int
}

func newT3(n int, v float64, unstable int) *t3 {
	c := &t3{skip: unstable, c1: -v * v * v, c2: 3*v*v + 3*v*v*v, c3: -6*v*v - 3*v - 3*v*v*v, c4: 1 + 3*v + v*v*v + 3*v*v}
	for i := range c.e {
		c.e[i] = *newEMA(n, env{})
	}
	return c
}

func (c *t3) next(x float64) float64 {
	for i := range c.e {
		if x = c.e[i].next(x); x != x {
			return x
		}
	}
	if c.seen < c.skip {
		c.seen++
		return math.NaN()
	}
	return float64(c.c1*c.e[5].value) + float64(c.c2*c.e[4].value) + float64(c.c3*c.e[3].value) + float64(c.c4*c.e[2].value)
}

func (c *t3) visit(t *kernel.Tape) {
	for i := range c.e {
		c.e[i].visit(t)
	}
	t.Int(&c.seen)
}

// newTRIMA is a simple average of a simple average.
func newTRIMA(n int) core1 {
	if n%2 == 1 {
		return &chain{newSMA((n + 1) / 2), newSMA((n + 1) / 2)}
	}
	return &chain{newSMA(n / 2), newSMA(n/2 + 1)}
}

// kama adapts its factor to the path's efficiency: the change over n bars by
// the sum of the changes.
//
// The sum of changes is kept as TA-Lib keeps it, by adding and subtracting: in
// a flat stretch its rounding decides whether the efficiency is 1 or 0.
type kama struct {
	past  []float64 // the last n values, a ring
	pos   int
	count int // values seen, at most n+1
	path  float64
	gone  float64 // the value that left the ring last
	value float64
	skip  int
}

func newKAMA(n, unstable int) *kama {
	return &kama{past: make([]float64, n), skip: unstable}
}

func (k *kama) next(x float64) float64 {
	n := len(k.past)
	last := k.pos - 1
	if last < 0 {
		last = n - 1
	}
	prev, old := k.past[last], k.past[k.pos]
	k.past[k.pos] = x
	if k.pos++; k.pos == n {
		k.pos = 0
	}
	if k.count > n {
		k.path -= math.Abs(k.gone - old)
	}
	k.gone = old
	if k.count > 0 {
		k.path += math.Abs(x - prev)
	}
	if k.count <= n {
		k.count++
	}
	switch k.count {
	case n:
		k.value = x
	case n + 1:
		const fastest, slowest = 2.0 / 3, 2.0 / 31
		efficiency := 1.0
		if change := x - old; k.path > change && !isZero(k.path) {
			efficiency = math.Abs(change / k.path)
		}
		factor := efficiency*(fastest-slowest) + slowest
		k.value += float64(factor*factor) * (x - k.value)
		if k.skip == 0 {
			return k.value
		}
		k.skip--
	}
	return math.NaN()
}

func (k *kama) visit(t *kernel.Tape) {
	t.Floats(k.past)
	t.Int(&k.pos)
	t.Int(&k.count)
	t.Float(&k.path)
	t.Float(&k.gone)
	t.Float(&k.value)
	t.Int(&k.skip)
}

type identity struct{ stateless }

func (identity) next(x float64) float64 { return x }

// newMA returns the moving average of TA-Lib's MAType kind.
func newMA(kind, n int, e env) core1 {
	if n <= 1 {
		return identity{}
	}
	switch kind {
	case TypeEMA:
		return newEMA(n, e)
	case TypeWMA:
		return newWMA(n)
	case TypeDEMA:
		return newNested(n, 2, e)
	case TypeTEMA:
		return newNested(n, 3, e)
	case TypeTRIMA:
		return newTRIMA(n)
	case TypeKAMA:
		return newKAMA(n, e.unstable)
	case TypeMAMA:
		return &mamaLine{newMAMA(0.5, 0.05, e.unstable)}
	case TypeT3:
		return newT3(n, 0.7, e.unstable)
	default:
		return newSMA(n)
	}
}

// maLookback returns how many leading values newMA's average leaves NaN.
func maLookback(kind, n int, e env) int {
	if n <= 1 {
		return 0
	}
	switch kind {
	case TypeEMA:
		return emaLookback(n, e)
	case TypeDEMA:
		return 2 * emaLookback(n, e)
	case TypeTEMA:
		return 3 * emaLookback(n, e)
	case TypeKAMA:
		return n + e.unstable
	case TypeMAMA:
		return 32 + e.unstable
	case TypeT3:
		return 6*(n-1) + e.unstable
	default:
		return n - 1
	}
}

func emaLookback(n int, e env) int { return n - 1 + e.unstable }

// aligned returns the average fed so late that its first value comes at bar
// start, as TA-Lib computes an average of which it needs no earlier value.
// Metastock's averages know the first bar all the same.
func aligned(kind, n, start int, e env) core1 {
	if e.metastock && (kind == TypeEMA || kind == TypeDEMA || kind == TypeTEMA) {
		return &muted{newMA(kind, n, e), start}
	}
	return delayed(newMA(kind, n, e), start-maLookback(kind, n, e))
}

// muted hides a core's first values.
type muted struct {
	core1
	wait int
}

func (m *muted) next(x float64) float64 {
	v := m.core1.next(x)
	if m.wait > 0 {
		m.wait--
		return math.NaN()
	}
	return v
}

func (m *muted) visit(t *kernel.Tape) {
	t.Int(&m.wait)
	m.core1.visit(t)
}

// mavp takes a different period at every bar.
type mavp struct {
	least int
	lines []core1 // by period, from least
	wait  int
}

func newMAVP(least, most, kind int, e env) *mavp {
	c := &mavp{least: least, wait: maLookback(kind, most, e)}
	for n := least; n <= most; n++ {
		c.lines = append(c.lines, aligned(kind, n, c.wait, e))
	}
	return c
}

func (c *mavp) next2(x, period float64) float64 {
	n := int(math.Trunc(min(max(period, float64(c.least)), float64(c.least+len(c.lines)-1))))
	value := math.NaN()
	for i, line := range c.lines {
		if v := line.next(x); i == n-c.least {
			value = v
		}
	}
	if c.wait > 0 {
		c.wait--
		return math.NaN()
	}
	return value
}

func (c *mavp) visit(t *kernel.Tape) {
	t.Int(&c.wait)
	for _, line := range c.lines {
		line.visit(t)
	}
}
