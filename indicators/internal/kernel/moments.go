package kernel

import "math"

// Moments is the mean of the last n values and the sum of their squared
// deviations from it.
//
// It works in blocks like [Sum], with deviations from the last value of the
// block before. Every window that straddles two blocks contains that value, so
// no deviation exceeds the window's own range and what the one subtraction
// loses is bounded by the window: prices of 60,000 that move by cents keep
// their digits, and a spike leaves no trace once it is out of the window.
type Moments struct {
	cells  []Cell
	pos    int
	head   Cell    // of the block in progress
	origin float64 // what deviations are taken from
	filled bool    // a block has been full
}

// A Cell holds a sum of values, of their deviations and of the squares of
// those. Before pos, Sum holds the raw value.
type Cell struct{ Sum, Dev, Sq float64 }

// NewMoments returns the moments of n ≥ 1 values; they live in buf when it is large enough.
func NewMoments(buf []Cell, n int) Moments {
	if cap(buf) < n {
		buf = make([]Cell, n)
	}
	return Moments{cells: buf[:n]}
}

// Push adds x and returns the moments of the last n values, NaN before there
// are n. The mean is the same, bit for bit, as Sum's over n.
func (m *Moments) Push(x float64) (mean, squares float64) {
	head := m.with(x)
	m.cells[m.pos].Sum = x
	m.pos++
	if m.pos < len(m.cells) {
		m.head = head
		if !m.filled {
			return math.NaN(), math.NaN()
		}
		return m.window(head, m.cells[m.pos])
	}
	m.origin = x
	var tail Cell
	for i := len(m.cells) - 1; i >= 0; i-- {
		tail = tail.plus(m.cells[i].Sum, x)
		m.cells[i] = tail
	}
	m.pos, m.head, m.filled = 0, Cell{}, true
	return m.window(Cell{Sum: head.Sum}, Cell{Dev: tail.Dev, Sq: tail.Sq})
}

// Peek returns what Push(x) would.
func (m *Moments) Peek(x float64) (mean, squares float64) {
	head := m.with(x)
	switch {
	case m.pos+1 == len(m.cells):
		tail := Cell{}.plus(x, x)
		for i := m.pos - 1; i >= 0; i-- {
			tail = tail.plus(m.cells[i].Sum, x)
		}
		return m.window(Cell{Sum: head.Sum}, Cell{Dev: tail.Dev, Sq: tail.Sq})
	case !m.filled:
		return math.NaN(), math.NaN()
	}
	return m.window(head, m.cells[m.pos+1])
}

// Reset forgets every value.
func (m *Moments) Reset() { *m = Moments{cells: m.cells} }

func (m *Moments) with(x float64) Cell { return m.head.plus(x, m.origin) }

func (c Cell) plus(x, origin float64) Cell {
	d := x - origin
	return Cell{Sum: c.Sum + x, Dev: c.Dev + d, Sq: c.Sq + float64(d*d)}
}

func (m *Moments) window(head, tail Cell) (mean, squares float64) {
	n := float64(len(m.cells))
	dev := head.Dev + tail.Dev
	squares = head.Sq + tail.Sq - float64(dev*dev)/n
	if squares < 0 {
		squares = 0
	}
	return (head.Sum + tail.Sum) / n, squares
}
