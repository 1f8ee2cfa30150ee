package talib

import (
	"math"

	"github.com/ttai-go/ttai/indicators/internal/kernel"
)

// lineSums keeps, of the last n values, the sum of their deviations from a base
// and the same weighted by their place 0 … n-1.
//
// Like kernel.Moments it works in blocks and never subtracts what leaves the
// window: when a block of n is full, each cell is replaced by the sums from it
// to the block's end, and a window is one such sum with the block in progress.
// The base is the last value of the block before, so that every window contains
// it.
type lineSums struct {
	cells        []lineCell
	pos          int
	sum, weights float64 // of the block in progress, with weights 0 …
	origin, base float64 // base is the one that the last result is taken from
}

// A lineCell holds the sums of the values after it in the block before; NaN
// while there is no such block. Before pos, sum is the raw value.
type lineCell struct{ sum, weighted float64 }

func newLineSums(n int) lineSums {
	l := lineSums{cells: make([]lineCell, n)}
	for i := range n - 1 {
		l.cells[i] = lineCell{math.NaN(), math.NaN()}
	}
	return l
}

func (l *lineSums) push(x float64) (sum, weighted float64) {
	d, cell := x-l.origin, &l.cells[l.pos]
	l.base = l.origin
	l.weights += float64(float64(l.pos) * d)
	l.sum += d
	sum = cell.sum + l.sum
	weighted = cell.weighted + l.weights + float64(float64(len(l.cells)-1-l.pos)*l.sum)
	cell.sum = x
	if l.pos++; l.pos == len(l.cells) {
		return l.turn(x)
	}
	return sum, weighted
}

// turn makes the full block's cells sums to its end, from its last value as the
// base, and returns those of the whole block.
func (l *lineSums) turn(x float64) (sum, weighted float64) {
	l.origin, l.base = x, x
	var tail lineCell
	for i := len(l.cells) - 1; i >= 0; i-- {
		v := l.cells[i].sum
		l.cells[i] = tail
		tail.weighted += tail.sum // every later value moves up one place
		tail.sum += v - x
	}
	l.pos, l.sum, l.weights = 0, 0, 0
	return tail.sum, tail.weighted
}

// A finisher makes results of sums, in their place; they are taken from base.
type finisher interface {
	finish(sums, weighted []float64, base float64)
}

// run is push of every value of in.
func (l *lineSums) run(sums, weighted, in []float64, f finisher) {
	n := len(l.cells)
	for len(in) > 0 {
		k := min(n-l.pos, len(in))
		cells, a, b := l.cells[l.pos:l.pos+k], sums[:k], weighted[:k]
		sum, weights, origin, place, left := l.sum, l.weights, l.origin, float64(l.pos), float64(n-1-l.pos)
		for i, x := range in[:k] {
			cell := &cells[i]
			d := x - origin
			weights += float64(place * d)
			sum += d
			a[i] = cell.sum + sum
			b[i] = cell.weighted + weights + float64(left*sum)
			cell.sum = x
			place++
			left--
		}
		l.pos, l.sum, l.weights, l.base = l.pos+k, sum, weights, origin
		if l.pos < n {
			f.finish(a, b, origin)
		} else {
			f.finish(a[:k-1], b[:k-1], origin)
			a[k-1], b[k-1] = l.turn(in[k-1])
			f.finish(a[k-1:], b[k-1:], l.base)
		}
		in, sums, weighted = in[k:], sums[k:], weighted[k:]
	}
}

func (l *lineSums) visit(t *kernel.Tape) {
	for i := range l.cells {
		t.Float(&l.cells[i].sum)
		t.Float(&l.cells[i].weighted)
	}
	t.Int(&l.pos)
	t.Float(&l.sum)
	t.Float(&l.weights)
	t.Float(&l.origin)
	t.Float(&l.base)
}

// regression fits a least-squares line through the last n values and reads off
// one of its numbers.
type regression struct {
	line    lineSums
	centre  float64 // the mean place
	norm    float64 // 1 by the sum of squared distances of the places from their mean
	inverse float64 // 1/n
	read    regressionOutput
	at      float64 // the place that is read, from the centre
	rest    scratch
}

type regressionOutput int

const (
	lineEnd regressionOutput = iota
	lineSlope
	lineIntercept
	lineAngle
	lineForecast
)

func newRegression(n int, read regressionOutput) *regression {
	f := float64(n)
	r := &regression{line: newLineSums(n), centre: (f - 1) / 2, norm: 12 / (f * (f*f - 1)), inverse: 1 / f, read: read}
	switch read {
	case lineEnd:
		r.at = r.centre
	case lineIntercept:
		r.at = -r.centre
	case lineForecast:
		r.at = r.centre + 1
	}
	return r
}

func (r *regression) next(x float64) float64 {
	sum, weighted := r.line.push(x)
	slope := (weighted - float64(r.centre*sum)) * r.norm
	switch r.read {
	case lineSlope:
		return slope
	case lineAngle:
		return arctangentOf(slope) * (180 / math.Pi)
	}
	return r.line.base + float64(sum*r.inverse) + float64(slope*r.at)
}

func (r *regression) bulk1(out, in []float64) {
	r.line.run(out, r.rest.of(len(in)), in, r)
}

func (r *regression) finish(sums, weighted []float64, base float64) {
	weighted = weighted[:len(sums)]
	centre, norm, inverse, at := r.centre, r.norm, r.inverse, r.at
	switch r.read {
	case lineSlope, lineAngle:
		for i, sum := range sums {
			sums[i] = (weighted[i] - float64(centre*sum)) * norm
		}
		if r.read == lineAngle {
			eachAtan(sums, sums)
			for i, angle := range sums {
				sums[i] = angle * (180 / math.Pi)
			}
		}
	default:
		for i, sum := range sums {
			slope := (weighted[i] - float64(centre*sum)) * norm
			sums[i] = base + float64(sum*inverse) + float64(slope*at)
		}
	}
}

func (r *regression) visit(t *kernel.Tape) { r.line.visit(t) }
