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

// AllFinite reports whether every value is a number and no infinity.
func AllFinite(s []float64) bool {
	if len(s) < 64 { // a few are looked at before the call is made
		return finiteGo(s)
	}
	wide := len(s) &^ 15
	return finite16(s[:wide]) && finiteGo(s[wide:])
}

// finiteGo is AllFinite without wide instructions.
func finiteGo(s []float64) bool {
	// A sum is finite only where all of its terms are; where it is not, it may
	// have overflowed.
	var a, b, c, d float64
	n, i := len(s), 0
	for ; i < n-7; i += 8 {
		a += s[i] + s[i+1]
		b += s[i+2] + s[i+3]
		c += s[i+4] + s[i+5]
		d += s[i+6] + s[i+7]
	}
	for ; i < n; i++ {
		a += s[i]
	}
	if Finite((a + b) + (c + d)) {
		return true
	}
	for _, x := range s {
		if !Finite(x) {
			return false
		}
	}
	return true
}

// Sum is the sum of the last n values.
//
// It never subtracts, so nothing drifts and a spike leaves no trace once it is
// out of the window. Values come in blocks of n; when a block is full, its
// cells are replaced by the sums of the values after each cell, to the block's
// end. A window is then one such sum and the sum of the block in progress.
type Sum struct {
	// Raw values before pos. From pos on, sums of the values after the cell in
	// the block before, and NaN while there is none.
	cells []float64
	pos   int
	head  float64 // sum of the raw values
}

// NewSum returns the sum of n ≥ 1 values; it lives in buf when that is large enough.
func NewSum(buf []float64, n int) Sum {
	if cap(buf) < n {
		buf = make([]float64, n)
	}
	s := Sum{cells: buf[:n]}
	s.Reset()
	return s
}

// Push adds x and returns the sum of the last n values, NaN before there are n.
func (s *Sum) Push(x float64) float64 {
	s.head += x
	cell := &s.cells[s.pos]
	sum := s.head + *cell
	*cell = x
	s.pos++
	if s.pos == len(s.cells) {
		s.turn()
	}
	return sum
}

// turn makes the full block's raw values sums.
func (s *Sum) turn() {
	tail := 0.0
	for i := len(s.cells) - 1; i >= 0; i-- {
		x := s.cells[i]
		s.cells[i] = tail
		tail += x
	}
	s.pos, s.head = 0, 0
}

// Peek returns what Push(x) would.
func (s *Sum) Peek(x float64) float64 { return s.head + x + s.cells[s.pos] }

// Reset forgets every value.
func (s *Sum) Reset() {
	last := len(s.cells) - 1
	for i := range last {
		s.cells[i] = math.NaN()
	}
	s.cells[last], s.pos, s.head = 0, 0, 0
}

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

// Each is Push of every finite value of in, to out, which is as long and may be
// in; what is not finite gives NaN and changes nothing.
func (e *EMA) Each(out, in []float64) {
	for len(in) > 0 {
		k := min(1024, len(in))
		if e.count < e.n {
			k = 1
		}
		if section := in[:k]; e.count == e.n && AllFinite(section) {
			value, factor, results := e.value, e.k, out[:k]
			for i, x := range section {
				value += float64(factor * (x - value))
				results[i] = value
			}
			e.value = value
		} else {
			for i, x := range section {
				if Finite(x) {
					out[i] = e.Push(x)
				} else {
					out[i] = math.NaN()
				}
			}
		}
		in, out = in[k:], out[k:]
	}
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
