package indicators

import "github.com/ttai-go/ttai/indicators/internal/kernel"

// powers gives the central moments of the last n values. It sums block by
// block, as moments does, deviations from the last value of the block before
// and their powers.
type powers struct {
	cells []float64 // of each value itself; later sums over those after it
	head  []float64 // sums over the block in progress, and the origin
	pos   []int     // next cell, and whether a block has been full
}

const powerSize = 4

func (b *bank) powers(n int) powers {
	return powers{b.take(powerSize * n), b.take(powerSize + 1), b.counters(2)}
}

// push returns the second to fourth central moment, NaN before there are n values.
func (w powers) push(x float64) (m2, m3, m4 float64) {
	if !kernel.Finite(x) {
		return nan(), nan(), nan()
	}
	next := w.pos[0]
	head, cell := (*[powerSize + 1]float64)(w.head), (*[powerSize]float64)(w.cells[next:])
	if next == 0 && w.pos[1] == 0 {
		head[powerSize] = x
	}
	sums := *cell
	d := x - head[powerSize]
	square := d * d
	head[0] += d
	head[1] += square
	head[2] += float64(square * d)
	head[3] += float64(square * square)
	for i := range sums {
		sums[i] += head[i]
	}
	cell[0] = x
	if w.pos[0] += powerSize; w.pos[0] == len(w.cells) {
		sums = w.turn(x)
	} else if w.pos[1] == 0 {
		return nan(), nan(), nan()
	}
	n := float64(len(w.cells) / powerSize)
	a, b, c, e := sums[0]/n, sums[1]/n, sums[2]/n, sums[3]/n
	m2 = max(b-float64(a*a), 0)
	m3 = c - float64(a*(3*b-float64(2*a*a)))
	m4 = e - float64(a*(4*c-float64(a*(6*b-float64(3*a*a)))))
	return m2, m3, max(m4, 0)
}

// turn makes the full block's cells sums, with its last value as the origin.
func (w powers) turn(origin float64) (tail [powerSize]float64) {
	for from := len(w.cells) - powerSize; from >= 0; from -= powerSize {
		c := (*[powerSize]float64)(w.cells[from:])
		d := c[0] - origin
		*c = tail
		square := d * d
		tail[0] += d
		tail[1] += square
		tail[2] += float64(square * d)
		tail[3] += float64(square * square)
	}
	clear(w.head)
	w.head[powerSize] = origin
	w.pos[0], w.pos[1] = 0, 1
	return tail
}
