package talib

import (
	"math"

	"github.com/ttai-go/ttai/indicators/internal/kernel"
)

// mavp takes a different period at every bar.
type mavp struct {
	least int
	lines []core1 // by period, from least
	wait  int
	rest  scratch
}

func newMAVP(least, most, kind int, e env) core {
	wait := maLookback(kind, most, e)
	if kind == TypeSMA {
		return &variable{least: float64(least), ring: make([]float64, 2*most), wait: wait}
	}
	c := &mavp{least: least, wait: wait}
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

func (c *mavp) bulk(dst, in [][]float64) {
	out, x, period, values := dst[0], in[0], in[1], c.rest.of(len(dst[0]))
	least, most := float64(c.least), float64(c.least+len(c.lines)-1)
	for j, line := range c.lines {
		bulk1(line, values, x)
		n := least + float64(j)
		for i, v := range values {
			if math.Trunc(min(max(period[i], least), most)) == n {
				out[i] = v
			}
		}
	}
	k := min(c.wait, len(out))
	fillNaN(out[:k])
	c.wait -= k
}

func (c *mavp) visit(t *kernel.Tape) {
	t.Int(&c.wait)
	for _, line := range c.lines {
		line.visit(t)
	}
}

// variable is mavp of simple averages, each summed by itself: that is less work
// than keeping the sums of all periods, and nothing drifts.
type variable struct {
	least float64
	ring  []float64 // the last values twice, so that any number of them lies in one piece
	pos   int
	wait  int
}

func (c *variable) next2(x, period float64) float64 {
	most := len(c.ring) / 2
	c.ring[c.pos], c.ring[c.pos+most] = x, x
	c.pos++
	end := c.pos + most
	if c.pos == most {
		c.pos = 0
	}
	if c.wait > 0 {
		c.wait--
		return math.NaN()
	}
	n := int(math.Trunc(min(max(period, c.least), float64(most))))
	return kernel.Total(c.ring[end-n:end]) / float64(n)
}

func (c *variable) bulk(dst, in [][]float64) {
	out, x := dst[0], in[0]
	period := in[1][:len(x)]
	for i, v := range x {
		out[i] = c.next2(v, period[i])
	}
}

func (c *variable) visit(t *kernel.Tape) {
	t.Floats(c.ring)
	t.Int(&c.pos)
	t.Int(&c.wait)
}
