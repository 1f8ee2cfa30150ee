package kernel

import "math"

// Away is the mean of the last n values as the last one sees it: how far it is
// from the mean, and how far the values are on average.
//
// Both are found from deviations from the last value of the block before, as in
// [Moments]: a mean at a high price has no room for their digits. Short windows
// are looked through value by value, long ones kept in order.
type Away struct {
	n       float64
	inverse float64   // 1/n
	cells   []float64 // as in Sum, of deviations
	ring    []float64 // the deviations twice, so that the last n lie in one piece
	head    []float64 // the sum of the block in progress, and the origin
	pos     []int
	ordered *Ordered
}

// scanned is the longest window for which looking at every value is faster
// than keeping them in order.
const scanned = 512

// NewAway returns the distances of n ≥ 1 values. Its state lies in what floats
// and ints return, zeros of the wanted number.
func NewAway(n int, floats func(int) []float64, ints func(int) []int) *Away {
	a := &Away{n: float64(n), inverse: 1 / float64(n)}
	if n > scanned {
		a.ordered = NewOrdered(n, floats, ints)
		return a
	}
	a.cells, a.ring, a.head, a.pos = floats(n), floats(2*n), floats(2), ints(1)
	for i := range n - 1 {
		a.cells[i] = math.NaN()
	}
	return a
}

// Push adds x and returns its distance from the mean, above it positive, and
// the mean distance; NaN before there are n values.
func (a *Away) Push(x float64) (distance, away float64) {
	if a.ordered != nil {
		if !a.ordered.Push(x) {
			return math.NaN(), math.NaN()
		}
		return a.ordered.Away(x)
	}
	n, p := len(a.cells), a.pos[0]
	d := x - a.head[1]
	a.head[0] += d
	total := a.head[0] + a.cells[p]
	a.cells[p] = x
	a.ring[p], a.ring[p+n] = d, d
	p++
	window := a.ring[p : p+n]
	if p == n {
		total, d, p = a.turn(x), 0, 0
	}
	a.pos[0] = p
	if total != total {
		return total, total
	}
	mean := total * a.inverse
	return d - mean, Distance(window, mean) * a.inverse
}

// Run is Push of every value of in: it writes the distances and the mean
// distances, which are as long. The values must be finite; aways may be in.
func (a *Away) Run(distances, aways, in []float64) {
	if a.ordered != nil {
		for i, x := range in {
			distances[i], aways[i] = a.Push(x)
		}
		return
	}
	n, inverse := len(a.cells), a.inverse
	for len(in) > 0 {
		p := a.pos[0]
		k := min(n-p, len(in))
		cells, low, high, window := a.cells[p:p+k], a.ring[p:p+k], a.ring[p+n:][:k], a.ring[p+1:]
		head, origin, last := a.head[0], a.head[1], in[k-1]
		first, second := distances[:k], aways[:k]
		for i, x := range in[:k] {
			d := x - origin
			head += d
			total := head + cells[i]
			cells[i], low[i], high[i] = x, d, d
			if i == n-1-p { // the last of the block
				break
			}
			if total != total {
				first[i], second[i] = total, total
				continue
			}
			mean := total * inverse
			first[i], second[i] = d-mean, Distance(window[i:i+n], mean)*inverse
		}
		a.head[0], a.pos[0] = head, p+k
		if p+k == n {
			mean := a.turn(last) * inverse
			first[k-1], second[k-1] = -mean, Distance(a.ring[n:], mean)*inverse
			a.pos[0] = 0
		}
		in, distances, aways = in[k:], distances[k:], aways[k:]
	}
}

// turn makes x the origin.
func (a *Away) turn(x float64) (total float64) {
	n := len(a.cells)
	low, high := a.ring[:n], a.ring[n:][:n]
	cells := a.cells[:len(low)]
	high = high[:len(low)]
	for i := len(low) - 1; i >= 0; i-- {
		d := cells[i] - x
		cells[i] = total
		low[i], high[i] = d, d
		total += d
	}
	a.head[0], a.head[1] = 0, x
	return total
}

// Visit visits the state.
func (a *Away) Visit(t *Tape) {
	if a.ordered != nil {
		a.ordered.Visit(t)
		return
	}
	t.Floats(a.cells)
	t.Floats(a.ring)
	t.Floats(a.head)
	t.Ints(a.pos)
}

// Floats and Ints make zeros for types that keep their state in slices.
func Floats(n int) []float64 { return make([]float64, n) }

// Ints is Floats for whole numbers.
func Ints(n int) []int { return make([]int, n) }
