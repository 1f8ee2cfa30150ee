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
	filled       bool
}

type lineCell struct{ sum, weighted float64 }

func newLineSums(n int) lineSums { return lineSums{cells: make([]lineCell, n)} }

func (l *lineSums) push(x float64) (sum, weighted float64) {
	d := x - l.origin
	l.base = l.origin
	l.weights += float64(float64(l.pos) * d)
	l.sum += d
	l.cells[l.pos].sum = x
	l.pos++
	n := len(l.cells)
	if l.pos < n {
		if !l.filled {
			return math.NaN(), math.NaN()
		}
		tail := l.cells[l.pos]
		return tail.sum + l.sum, tail.weighted + l.weights + float64(float64(n-l.pos)*l.sum)
	}
	// The block is full: sums to its end, from the newest value as the base.
	l.origin, l.base = x, x
	var tail lineCell
	for i := n - 1; i >= 0; i-- {
		tail.weighted += tail.sum // every later value moves up one place
		tail.sum += l.cells[i].sum - x
		l.cells[i] = tail
	}
	l.pos, l.sum, l.weights, l.filled = 0, 0, 0, true
	return tail.sum, tail.weighted
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
	t.Bool(&l.filled)
}

// regression fits a least-squares line through the last n values and reads off
// one of its numbers.
type regression struct {
	line lineSums
	n    float64
	norm float64 // the sum of squared distances of the places from their mean
	read regressionOutput
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
	return &regression{newLineSums(n), f, f * (f*f - 1) / 12, read}
}

func (r *regression) next(x float64) float64 {
	sum, weighted := r.line.push(x)
	centre := (r.n - 1) / 2
	slope := (weighted - float64(centre*sum)) / r.norm
	switch r.read {
	case lineSlope:
		return slope
	case lineAngle:
		return math.Atan(slope) * (180 / math.Pi)
	}
	mean := r.line.base + sum/r.n
	switch r.read {
	case lineIntercept:
		return mean - float64(slope*centre)
	case lineForecast:
		return mean + float64(slope*(centre+1))
	default:
		return mean + float64(slope*centre)
	}
}

func (r *regression) visit(t *kernel.Tape) { r.line.visit(t) }
