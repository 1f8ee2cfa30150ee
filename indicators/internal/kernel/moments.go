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
	cells   []Cell
	pos     int
	head    Cell    // of the block in progress
	origin  float64 // what deviations are taken from
	inverse float64 // 1/n
}

// A Cell holds the sum of the values after it in the block before, of their
// deviations and of the squares of those; NaN while there is no such block.
// Before pos, Sum holds the raw value.
type Cell struct{ Sum, Dev, Sq float64 }

// NewMoments returns the moments of n ≥ 1 values; they live in buf when it is large enough.
func NewMoments(buf []Cell, n int) Moments {
	if cap(buf) < n {
		buf = make([]Cell, n)
	}
	m := Moments{cells: buf[:n], inverse: 1 / float64(n)}
	m.Reset()
	return m
}

// Push adds x and returns the sum of the last n values and the sum of their
// squared deviations, NaN before there are n. The sum is the same, bit for bit,
// as Sum's.
func (m *Moments) Push(x float64) (sum, squares float64) {
	d, cell := x-m.origin, &m.cells[m.pos]
	m.head.Sum += x
	m.head.Dev += d
	m.head.Sq += float64(d * d)
	sum = m.head.Sum + cell.Sum
	squares = m.squares(m.head, *cell)
	cell.Sum = x
	m.pos++
	if m.pos == len(m.cells) {
		squares = m.turn()
	}
	return sum, squares
}

// turn makes the full block's cells sums, with its last value as the origin,
// and returns the squares of the whole block.
func (m *Moments) turn() (squares float64) {
	cells := m.cells
	origin := cells[len(cells)-1].Sum
	var tail Cell
	for i := len(cells) - 1; i >= 0; i-- {
		x := cells[i].Sum
		cells[i] = tail
		d := x - origin
		tail.Sum += x
		tail.Dev += d
		tail.Sq += float64(d * d)
	}
	m.pos, m.head, m.origin = 0, Cell{}, origin
	return m.squares(tail, Cell{})
}

// Peek returns what Push(x) would.
func (m *Moments) Peek(x float64) (sum, squares float64) {
	d, cell, head := x-m.origin, m.cells[m.pos], m.head
	sum = head.Sum + x + cell.Sum
	if m.pos+1 < len(m.cells) {
		head.Dev += d
		head.Sq += float64(d * d)
		return sum, m.squares(head, cell)
	}
	var tail Cell
	for i := m.pos - 1; i >= 0; i-- {
		d := m.cells[i].Sum - x
		tail.Dev += d
		tail.Sq += float64(d * d)
	}
	return sum, m.squares(tail, Cell{})
}

// Reset forgets every value.
func (m *Moments) Reset() {
	unknown := Cell{math.NaN(), math.NaN(), math.NaN()}
	last := len(m.cells) - 1
	for i := range last {
		m.cells[i] = unknown
	}
	m.cells[last], m.pos, m.head, m.origin = Cell{}, 0, Cell{}, 0
}

// Inverse returns 1/n.
func (m *Moments) Inverse() float64 { return m.inverse }

func (m *Moments) squares(head, tail Cell) float64 {
	dev := head.Dev + tail.Dev
	squares := head.Sq + tail.Sq - float64(float64(dev*dev)*m.inverse)
	if squares < 0 {
		return 0
	}
	return squares
}
