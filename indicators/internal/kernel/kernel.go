// Package kernel has the recurrences that indicators are made of, one value at
// a time. Its types take only finite values; their callers keep the others out.
//
// Products that are added are wrapped in float64(…), which forbids the compiler
// to fuse them: the same input gives the same bits on every architecture.
package kernel

import "math"

// Finite reports whether every value is a number and no infinity.
func Finite(x float64) bool { return x-x == 0 }

// Finite3 is Finite for a bar's high, low and close.
func Finite3(a, b, c float64) bool { return (a-a)+(b-b)+(c-c) == 0 }

// Sum is the sum of the last n values.
//
// It never subtracts, so nothing drifts and a spike leaves no trace once it is
// out of the window. Values come in blocks of n; when a block is full, its
// cells are replaced by the sums from each cell to the block's end. A window
// is then one such sum and the sum of the block in progress.
type Sum struct {
	cells  []float64 // raw values before pos, sums to the end of the last block from pos on
	pos    int
	head   float64 // sum of the raw values
	filled bool    // a block has been full
}

// NewSum returns the sum of n ≥ 1 values; it lives in buf when that is large enough.
func NewSum(buf []float64, n int) Sum {
	if cap(buf) < n {
		buf = make([]float64, n)
	}
	return Sum{cells: buf[:n]}
}

// Push adds x and returns the sum of the last n values, NaN before there are n.
func (s *Sum) Push(x float64) float64 {
	s.head += x
	s.cells[s.pos] = x
	s.pos++
	if s.pos < len(s.cells) {
		if !s.filled {
			return math.NaN()
		}
		return s.head + s.cells[s.pos]
	}
	sum := s.head
	for i := len(s.cells) - 2; i >= 0; i-- {
		s.cells[i] += s.cells[i+1]
	}
	s.pos, s.head, s.filled = 0, 0, true
	return sum
}

// Peek returns what Push(x) would.
func (s *Sum) Peek(x float64) float64 {
	head := s.head + x
	switch {
	case s.pos+1 == len(s.cells):
		return head
	case !s.filled:
		return math.NaN()
	}
	return head + s.cells[s.pos+1]
}

// Reset forgets every value.
func (s *Sum) Reset() { *s = Sum{cells: s.cells} }

// EMA is an exponential moving average that starts from the plain average of
// its first n values: m += k·(x-m).
type EMA struct {
	n, count int
	k        float64
	value    float64 // the sum of the values until there are n
}

// NewEMA returns the average over n ≥ 1 values with k = 2/(n+1).
func NewEMA(n int) EMA { return EMA{n: n, k: 2 / float64(n+1)} }

// NewWilder returns Wilder's average over n ≥ 1 values: k = 1/n.
func NewWilder(n int) EMA { return EMA{n: n, k: 1 / float64(n)} }

// Push adds x and returns the average, NaN before there are n values.
func (e *EMA) Push(x float64) float64 {
	if e.count == e.n {
		e.value += float64(e.k * (x - e.value))
		return e.value
	}
	return e.seed(x)
}

func (e *EMA) seed(x float64) float64 {
	e.value += x
	e.count++
	if e.count < e.n {
		return math.NaN()
	}
	e.value /= float64(e.n)
	return e.value
}

// Reset forgets every value.
func (e *EMA) Reset() { e.count, e.value = 0, 0 }
