package kernel

import "math"

// Extreme is the greatest of the last n values, or the least.
//
// It works in blocks like [Sum], by the method of van Herk (Pattern Recognition
// Letters 13, 1992) and of Gil and Werman: a constant number of comparisons a
// value, whatever the values. They are compared as whole numbers in the same
// order, which takes no branches.
type Extreme struct {
	cells []int64 // values before pos; from pos on, the best of those after the cell in the block before
	pos   int
	head  int64 // the best of the block in progress
	flip  int64 // -1 for the least
}

// NewGreatest returns the greatest of n ≥ 1 values.
func NewGreatest(n int) Extreme { return newExtreme(n, 0) }

// NewLeast returns the least of n ≥ 1 values.
func NewLeast(n int) Extreme { return newExtreme(n, -1) }

func newExtreme(n int, flip int64) Extreme {
	e := Extreme{cells: make([]int64, n), flip: flip}
	e.Reset()
	return e
}

// rank turns a number into a whole one of the same order, and back.
func rank(bits int64) int64 { return bits ^ int64(uint64(bits>>63)>>1) }

// Rank returns a whole number in the order of the finite numbers; -0 is below 0.
func Rank(x float64) int64 { return rank(int64(math.Float64bits(x))) }

// Ranked is the inverse of Rank.
func Ranked(r int64) float64 { return math.Float64frombits(uint64(rank(r))) }

const nothing = math.MinInt64

// unknown is better than every number, and none itself.
func (e *Extreme) unknown() int64 {
	return e.flip ^ Rank(math.Copysign(math.NaN(), float64(1+2*e.flip)))
}

// Push adds x and returns the extreme of the last n values, NaN before there are n.
func (e *Extreme) Push(x float64) float64 {
	r := e.flip ^ Rank(x)
	e.head = max(e.head, r)
	cell := &e.cells[e.pos]
	best := max(e.head, *cell)
	*cell = r
	e.pos++
	if e.pos == len(e.cells) {
		e.turn()
	}
	return Ranked(best ^ e.flip)
}

func (e *Extreme) turn() {
	best := int64(nothing)
	for i := len(e.cells) - 1; i >= 0; i-- {
		r := e.cells[i]
		e.cells[i] = best
		best = max(best, r)
	}
	e.pos, e.head = 0, nothing
}

// Run is Push of every value of in, to out, which is as long. The values must
// be finite; out may be in.
func (e *Extreme) Run(out, in []float64) {
	n, flip := len(e.cells), e.flip
	for len(in) > 0 {
		k := min(n-e.pos, len(in))
		cells, results, head := e.cells[e.pos:e.pos+k], out[:k], e.head
		for i, x := range in[:k] {
			r := flip ^ Rank(x)
			head = max(head, r)
			results[i] = Ranked(max(head, cells[i]) ^ flip)
			cells[i] = r
		}
		e.pos, e.head = e.pos+k, head
		if e.pos == n {
			e.turn()
		}
		in, out = in[k:], out[k:]
	}
}

// Reset forgets every value.
func (e *Extreme) Reset() {
	unknown, last := e.unknown(), len(e.cells)-1
	for i := range last {
		e.cells[i] = unknown
	}
	e.cells[last], e.pos, e.head = nothing, 0, nothing
}

// Visit visits the state of the extreme.
func (e *Extreme) Visit(t *Tape) {
	for i := range e.cells {
		t.Bits(&e.cells[i])
	}
	t.Int(&e.pos)
	t.Bits(&e.head)
}
