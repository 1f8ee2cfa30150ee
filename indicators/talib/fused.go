package talib

import (
	"math"

	"github.com/ttai-go/ttai/indicators/internal/kernel"
)

// A trier is a core that finds out while it computes whether its inputs, at
// most chunk bars, are finite. It returns false, and has its state as it was,
// where one is not; it may do so where all are, for the bars are then fed to it
// one by one. The columns of dst are none of those of in.
//
// A sum or an average that goes on from bar to bar is never finite again once
// a term was not: most tell by it.
type trier interface {
	try(dst, in [][]float64) bool
}

// allFinite is kernel.AllFinite of every column.
func allFinite(columns [][]float64) bool {
	for _, c := range columns {
		if !kernel.AllFinite(c) {
			return false
		}
	}
	return true
}

func (e *ema) try(dst, in [][]float64) bool {
	if !e.steady() && !kernel.AllFinite(in[0]) {
		return false
	}
	before := *e
	e.bulk1(dst[0], in[0])
	if kernel.Finite(e.value) {
		return true
	}
	*e = before
	return false
}

func (c *t3) try(dst, in [][]float64) bool {
	if (c.seen < c.skip || !c.e[5].steady()) && !kernel.AllFinite(in[0]) {
		return false
	}
	before := *c
	c.bulk1(dst[0], in[0])
	if kernel.Finite(c.e[5].value) {
		return true
	}
	*c = before
	return false
}

func (c *trange) try(dst, in [][]float64) bool {
	out, high, low, close := dst[0], in[0], in[1], in[2]
	prev := c.prev
	if !c.begun {
		if !kernel.Finite3(high[0], low[0], close[0]) {
			return false
		}
		prev, out[0] = close[0], unknown(nil)
		out, high, low, close = out[1:], high[1:], low[1:], close[1:]
	}
	n, sum := len(out), 0.0
	high, low, close = high[:n], low[:n], close[:n]
	for i := range out {
		h, l := high[i], low[i]
		v := h - l
		if !(l <= prev && prev <= h) { // few bars leave a gap
			v = kernel.TrueRange(h, l, prev)
		}
		sum += v
		prev = close[i]
		out[i] = v
	}
	if !kernel.Finite(sum + prev) {
		return false
	}
	c.prev, c.begun = prev, true
	return true
}

func (a *accumulation) try(dst, in [][]float64) bool {
	before := *a
	if a.run(dst[0], in[0], in[1], in[2], in[3]) {
		return true
	}
	*a = before
	return false
}

func (c *chaikin) try(dst, in [][]float64) bool {
	if c.bars <= c.from {
		if !allFinite(in) {
			return false
		}
		c.bulk(dst, in)
		return true
	}
	out, high, low, close, volume := dst[0], in[0], in[1], in[2], in[3]
	n, line, a, b, fast, slow, odd := len(out), c.line.value, c.a, c.b, c.fastK, c.slowK, 0.0
	fastKeep, slowKeep := c.fastKeep, c.slowKeep
	high, low, close, volume = high[:n], low[:n], close[:n], volume[:n]
	for i := range out {
		h, l, x, v := high[i], low[i], close[i], volume[i]
		if span := h - l; span > 0 {
			line += ((x - l) - (h - x)) / span * v
		} else {
			odd += span + x + v
		}
		a = float64(fast*line) + float64(fastKeep*a)
		b = float64(slow*line) + float64(slowKeep*b)
		out[i] = a - b
	}
	if !kernel.Finite(a + b + odd) {
		return false
	}
	c.line.value, c.a, c.b, c.bars = line, a, b, c.bars+n
	return true
}

func (c *change) try(dst, in [][]float64) bool {
	ring, pos := c.past.ring, c.past.pos
	rest, now := dst[0], in[0]
	for _, old := range [3][]float64{ring[pos:], ring[:pos], in[0]} {
		k := min(len(old), len(now))
		if !c.rates(rest[:k], now[:k], old[:k]) {
			if !kernel.AllFinite(in[0]) {
				return false
			}
			for i, x := range now[:k] { // an old value may have been 0
				rest[i] = c.of(x, old[i])
			}
		}
		rest, now = rest[k:], now[k:]
	}
	c.past.take(in[0])
	return true
}

// rates is against, but for the values that are 0, and tells whether all that
// it saw and wrote is finite.
func (c *change) rates(out, now, old []float64) bool {
	out, old = out[:len(now)], old[:len(now)]
	var sum, total float64
	switch c.form {
	case changeMOM:
		return differences(out, now, old)
	case changeROC:
		for i, x := range now {
			v := (x/old[i] - 1) * 100
			sum += x
			total += v
			out[i] = v
		}
	case changeROCP:
		for i, x := range now {
			before := old[i]
			v := (x - before) / before
			sum += x
			total += v
			out[i] = v
		}
	case changeROCR:
		for i, x := range now {
			v := x / old[i]
			sum += x
			total += v
			out[i] = v
		}
	default:
		for i, x := range now {
			v := x / old[i] * 100
			sum += x
			total += v
			out[i] = v
		}
	}
	return kernel.Finite(sum) && kernel.Finite(total)
}

// roomyBars is how many bars a core without columns in between takes at once.
const roomyBars = 4096

func (fused1) room() int  { return roomyBars }
func (fused2) room() int  { return roomyBars }
func (fused3) room() int  { return roomyBars }
func (fused4) room() int  { return roomyBars }
func (*change) room() int { return chunk }

// A fused1 to fused4 apply a function to each bar; whole does so over columns and
// tells whether every input is finite.
type fused1 struct {
	stateless
	f     func(x float64) float64
	whole func(out, x []float64) bool
}

func (c fused1) next(x float64) float64       { return c.f(x) }
func (c fused1) try(dst, in [][]float64) bool { return c.whole(dst[0], in[0]) }

type fused2 struct {
	stateless
	f     func(x, y float64) float64
	whole func(out, x, y []float64) bool
}

func (c fused2) next2(x, y float64) float64   { return c.f(x, y) }
func (c fused2) try(dst, in [][]float64) bool { return c.whole(dst[0], in[0], in[1]) }

type fused3 struct {
	stateless
	f     func(high, low, close float64) float64
	whole func(out, high, low, close []float64) bool
}

func (c fused3) next3(high, low, close float64) float64 { return c.f(high, low, close) }
func (c fused3) try(dst, in [][]float64) bool           { return c.whole(dst[0], in[0], in[1], in[2]) }

type fused4 struct {
	stateless
	f     func(open, high, low, close float64) float64
	whole func(out, open, high, low, close []float64) bool
}

func (c fused4) next4(open, high, low, close float64) float64 { return c.f(open, high, low, close) }
func (c fused4) try(dst, in [][]float64) bool {
	return c.whole(dst[0], in[0], in[1], in[2], in[3])
}

// The sums in these loops cost nothing: the divisions take longer.

func quotients(out, x, y []float64) bool {
	y, out = y[:len(x)], out[:len(x)]
	var s, t float64
	for i, a := range x {
		b := y[i]
		s += a
		t += b
		out[i] = a / b
	}
	return kernel.Finite(s) && kernel.Finite(t)
}

func typicalPrice(out, high, low, close []float64) bool {
	low, close, out = low[:len(high)], close[:len(high)], out[:len(high)]
	sum := 0.0
	for i, h := range high {
		v := (h + low[i] + close[i]) / 3
		sum += v
		out[i] = v
	}
	return kernel.Finite(sum)
}

func balancesOfPower(out, open, high, low, close []float64) bool {
	n := len(open)
	high, low, close, out = high[:n], low[:n], close[:n], out[:n]
	var s, t float64
	for i, o := range open {
		body, span := close[i]-o, high[i]-low[i]
		s += body
		t += span
		v := 0.0
		if span >= epsilon {
			v = body / span
		}
		out[i] = v
	}
	return kernel.Finite(s) && kernel.Finite(t)
}

func (k *kama) try(dst, in [][]float64) bool {
	out, x := dst[0], in[0]
	if k.count <= len(k.past) || k.skip > 0 {
		if !kernel.AllFinite(x) {
			return false
		}
		k.bulk1(out, x)
		return true
	}
	const fastest, slowest = 2.0 / 3, 2.0 / 31
	p := past{k.past, k.pos}
	path, gone, value := k.path, k.gone, k.value
	prev, rest, now := p.ring[(p.pos+len(p.ring)-1)%len(p.ring)], out, x
	for _, olds := range [3][]float64{p.ring[p.pos:], p.ring[:p.pos], x} {
		n := min(len(olds), len(now))
		values, results := now[:n], rest[:n]
		for i, old := range olds[:n] {
			v := values[i]
			path -= math.Abs(gone - old)
			path += math.Abs(v - prev)
			gone, prev = old, v
			change := math.Abs(v - old)
			efficiency := change / path
			if !(path > change && path >= epsilon) { // seldom
				efficiency = efficiencyOf(v-old, path)
			}
			factor := efficiency*(fastest-slowest) + slowest
			value += float64(factor*factor) * (v - value)
			results[i] = value
		}
		rest, now = rest[n:], now[n:]
	}
	if !kernel.Finite(path) || !kernel.Finite(value) {
		return false
	}
	p.take(x)
	k.pos, k.path, k.gone, k.value = p.pos, path, gone, value
	return true
}
