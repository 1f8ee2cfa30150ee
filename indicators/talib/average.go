package talib

import (
	"math"

	"github.com/ttai-go/ttai/indicators/internal/kernel"
)

// sma is the mean of the last n values.
type sma struct{ mean kernel.Mean }

func newSMA(n int) *sma { return &sma{kernel.NewMean(nil, n)} }

func (s *sma) next(x float64) float64  { return s.mean.Push(x) }
func (s *sma) bulk1(out, in []float64) { s.mean.Each(out, in) }
func (s *sma) visit(t *kernel.Tape)    { s.mean.Visit(t) }

func (s *sma) room() int { return math.MaxInt }

func (s *sma) try(dst, in [][]float64) bool {
	s.mean.Each(dst[0], in[0])
	return true
}

// total is the sum of the last n values.
type total struct{ sum kernel.Sum }

func newTotal(n int) *total { return &total{kernel.NewSum(nil, n)} }

func (s *total) next(x float64) float64  { return s.sum.Push(x) }
func (s *total) bulk1(out, in []float64) { s.sum.Each(out, in, 1) }
func (s *total) visit(t *kernel.Tape)    { s.sum.Visit(t) }

func (s *total) room() int { return math.MaxInt }

func (s *total) try(dst, in [][]float64) bool {
	s.sum.Each(dst[0], in[0], 1)
	return true
}

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

func (e *ema) bulk1(out, in []float64) {
	i := 0
	for i < len(in) && (e.count < e.n || e.skip > 0) {
		out[i] = e.next(in[i])
		i++
	}
	value, k := e.value, e.k
	in, out = in[i:], out[i:]
	out = out[:len(in)]
	for i, x := range in {
		value += float64(k * (x - value))
		out[i] = value
	}
	e.value = value
}

// steady reports whether every further value is one.
func (e *ema) steady() bool { return e.count >= e.n && e.skip == 0 }

// steady returns the average that c is once every further value is one, nil before.
func steady(c core1) *ema {
	switch c := c.(type) {
	case *ema:
		if c.steady() {
			return c
		}
	case *late:
		if c.wait == 0 {
			return steady(c.core1)
		}
	case *muted:
		if c.wait == 0 {
			return steady(c.core1)
		}
	}
	return nil
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
type wma struct{ weighted kernel.Weighted }

func newWMA(n int) *wma { return &wma{kernel.NewWeighted(n)} }

func (w *wma) next(x float64) float64  { return w.weighted.Push(x) }
func (w *wma) bulk1(out, in []float64) { w.weighted.Each(out, in) }
func (w *wma) visit(t *kernel.Tape)    { w.weighted.Visit(t) }

func (w *wma) room() int { return math.MaxInt }

func (w *wma) try(dst, in [][]float64) bool {
	w.weighted.Each(dst[0], in[0])
	return true
}

// nested is DEMA (two averages), TEMA (three) or, with plain set, the average
// of the average of the average.
type nested struct {
	e      [3]ema
	levels int
	plain  bool
}

func newNested(n, levels int, e env) *nested {
	c := &nested{levels: levels}
	for i := range levels {
		c.e[i] = *newEMA(n, e)
	}
	return c
}

func (c *nested) next(x float64) float64 {
	for i := range c.levels {
		if x = c.e[i].next(x); x != x {
			return x
		}
	}
	return c.value()
}

func (c *nested) value() float64 {
	switch {
	case c.plain:
		return c.e[2].value
	case c.levels == 2:
		return 2*c.e[0].value - c.e[1].value
	}
	return 3*c.e[0].value - 3*c.e[1].value + c.e[2].value
}

func (c *nested) bulk1(out, in []float64) {
	for !c.e[c.levels-1].steady() {
		if len(in) == 0 {
			return
		}
		out[0] = c.next(in[0])
		in, out = in[1:], out[1:]
	}
	k, v0, v1, v2 := c.e[0].k, c.e[0].value, c.e[1].value, c.e[2].value
	out = out[:len(in)]
	switch {
	case c.levels == 2:
		for i, x := range in {
			v0 += float64(k * (x - v0))
			v1 += float64(k * (v0 - v1))
			out[i] = 2*v0 - v1
		}
	case c.plain:
		for i, x := range in {
			v0 += float64(k * (x - v0))
			v1 += float64(k * (v0 - v1))
			v2 += float64(k * (v1 - v2))
			out[i] = v2
		}
	default:
		for i, x := range in {
			v0 += float64(k * (x - v0))
			v1 += float64(k * (v0 - v1))
			v2 += float64(k * (v1 - v2))
			out[i] = 3*v0 - 3*v1 + v2
		}
	}
	c.e[0].value, c.e[1].value, c.e[2].value = v0, v1, v2
}

func (c *nested) visit(t *kernel.Tape) {
	for i := range c.levels {
		c.e[i].visit(t)
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
	if c.e[5].steady() {
		k, keep := c.e[0].k, 1-c.e[0].k
		for i := range c.e {
			x = float64(keep*c.e[i].value) + float64(k*x)
			c.e[i].value = x
		}
	} else {
		for i := range c.e {
			if x = c.e[i].next(x); x != x {
				return x
			}
		}
	}
	if c.seen < c.skip {
		c.seen++
		return math.NaN()
	}
	return (float64(c.c1*c.e[5].value) + float64(c.c2*c.e[4].value)) + (float64(c.c3*c.e[3].value) + float64(c.c4*c.e[2].value))
}

func (c *t3) bulk1(out, in []float64) {
	for c.seen < c.skip || !c.e[5].steady() {
		if len(in) == 0 {
			return
		}
		out[0] = c.next(in[0])
		in, out = in[1:], out[1:]
	}
	k, keep, c1, c2, c3, c4 := c.e[0].k, 1-c.e[0].k, c.c1, c.c2, c.c3, c.c4
	v0, v1, v2, v3, v4, v5 := c.e[0].value, c.e[1].value, c.e[2].value, c.e[3].value, c.e[4].value, c.e[5].value
	out = out[:len(in)]
	for i, x := range in {
		v0 = float64(keep*v0) + float64(k*x)
		v1 = float64(keep*v1) + float64(k*v0)
		v2 = float64(keep*v2) + float64(k*v1)
		v3 = float64(keep*v3) + float64(k*v2)
		v4 = float64(keep*v4) + float64(k*v3)
		v5 = float64(keep*v5) + float64(k*v4)
		out[i] = (float64(c1*v5) + float64(c2*v4)) + (float64(c3*v3) + float64(c4*v2))
	}
	c.e[0].value, c.e[1].value, c.e[2].value, c.e[3].value, c.e[4].value, c.e[5].value = v0, v1, v2, v3, v4, v5
}

func (c *t3) visit(t *kernel.Tape) {
	for i := range c.e {
		c.e[i].visit(t)
	}
	t.Int(&c.seen)
}

// trima is a simple average of a simple average; one multiplication does for both.
type trima struct {
	inner, outer kernel.Sum
	factor       float64
	rest         []float64
	keep         [64]float64 // for the state of an inner sum no longer than this
}

func newTRIMA(n int) *trima {
	inner, outer := (n+1)/2, n/2+1
	if n%2 != 0 {
		outer = inner
	}
	return &trima{inner: kernel.NewSum(nil, inner), outer: kernel.NewSum(nil, outer), factor: 1 / (float64(inner) * float64(outer))}
}

func (c *trima) next(x float64) float64 {
	if sum := c.inner.Push(x); kernel.Finite(sum) {
		return c.outer.Push(sum) * c.factor
	}
	return math.NaN()
}

func (c *trima) bulk1(out, in []float64) {
	if len(c.rest) < len(in) {
		c.rest = make([]float64, trimaBars)
	}
	sums := c.rest[:len(in)]
	if c.inner.Len() <= len(c.keep) && c.inner.Try(sums, in, c.keep[:]) {
		c.outer.Times(out, sums, c.factor)
		return
	}
	c.inner.Each(sums, in, 1)
	c.outer.Each(out, sums, c.factor)
}

// trimaBars is a larger step than chunk: each ends within a block, which costs.
const trimaBars = 2048

func (c *trima) room() int { return trimaBars }

func (c *trima) try(dst, in [][]float64) bool {
	c.bulk1(dst[0], in[0])
	return true
}

func (c *trima) visit(t *kernel.Tape) {
	c.inner.Visit(t)
	c.outer.Visit(t)
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
		efficiency := efficiencyOf(x-old, k.path)
		factor := efficiency*(fastest-slowest) + slowest
		k.value += float64(factor*factor) * (x - k.value)
		if k.skip == 0 {
			return k.value
		}
		k.skip--
	}
	return math.NaN()
}

// efficiencyOf is the change by the path, which rounding may leave shorter.
func efficiencyOf(change, path float64) float64 {
	if path > change && !isZero(path) {
		return math.Abs(change / path)
	}
	return 1
}

func (k *kama) bulk1(out, in []float64) {
	n := len(k.past)
	for k.count <= n || k.skip > 0 {
		if len(in) == 0 {
			return
		}
		out[0] = k.next(in[0])
		in, out = in[1:], out[1:]
	}
	const fastest, slowest = 2.0 / 3, 2.0 / 31
	past, pos, path, gone, value := k.past, k.pos, k.path, k.gone, k.value
	prev := past[(pos+n-1)%n]
	out = out[:len(in)]
	for i, x := range in {
		old := past[pos]
		past[pos] = x
		if pos++; pos == len(past) {
			pos = 0
		}
		path -= math.Abs(gone - old)
		path += math.Abs(x - prev)
		gone, prev = old, x
		efficiency := efficiencyOf(x-old, path)
		factor := efficiency*(fastest-slowest) + slowest
		value += float64(factor*factor) * (x - value)
		out[i] = value
	}
	k.pos, k.path, k.gone, k.value = pos, path, gone, value
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
