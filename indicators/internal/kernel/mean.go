package kernel

import "math"

// Mean is the average of the last n values.
//
// It works in blocks like [Sum], on deviations from the last value of the block
// before, which every window across two blocks contains: a flat stretch has
// its own price for an average, whatever the period, and no digits are lost at
// high prices.
type Mean struct {
	// Raw values before pos. From pos on, sums of the deviations after the cell
	// in the block before, and NaN while there is none.
	cells   []float64
	pos     int
	head    float64 // sum of the deviations in the block in progress
	origin  float64 // what deviations are taken from
	inverse float64 // 1/n
}

// NewMean returns the mean of n ≥ 1 values; it lives in buf when that is large enough.
func NewMean(buf []float64, n int) Mean {
	if cap(buf) < n {
		buf = make([]float64, n)
	}
	m := Mean{cells: buf[:n], inverse: 1 / float64(n)}
	m.Reset()
	return m
}

// Push adds x and returns the mean of the last n values, NaN before there are n.
func (m *Mean) Push(x float64) float64 {
	p, cells := m.pos, m.cells
	if p+1 >= len(cells) {
		return m.turn(x)
	}
	m.head += x - m.origin
	mean := m.origin + float64((m.head+cells[p])*m.inverse)
	cells[p] = x
	m.pos = p + 1
	return mean
}

// turn ends the block with x: its raw values become sums.
func (m *Mean) turn(x float64) float64 {
	m.cells[len(m.cells)-1] = x
	tail := tails(m.cells, m.cells)
	m.pos, m.head, m.origin = 0, 0, x
	return x + float64(tail*m.inverse)
}

// tails writes, for every value of a block, the sum of the deviations of those
// after it from the block's last, and returns that of all. The two may be one.
func tails(sums, block []float64) (tail float64) {
	sums = sums[:len(block)]
	last := block[len(block)-1]
	for i := len(block) - 1; i >= 0; i-- {
		x := block[i]
		sums[i] = tail
		tail += x - last
	}
	return tail
}

// Peek returns what Push(x) would.
func (m *Mean) Peek(x float64) float64 {
	if m.pos+1 < len(m.cells) {
		return m.origin + float64((m.head+(x-m.origin)+m.cells[m.pos])*m.inverse)
	}
	tail := 0.0
	for i := m.pos - 1; i >= 0; i-- {
		tail += m.cells[i] - x
	}
	return x + float64(tail*m.inverse)
}

// Each is Push of every finite value of in, to out, which is as long and is not
// in; what is not finite gives NaN and changes nothing.
func (m *Mean) Each(out, in []float64) {
	for len(in) > 0 {
		k := m.run(out, in)
		in, out = in[k:], out[k:]
		k = min(len(m.cells)-m.pos, len(in)) // something in this block is not finite
		for i, x := range in[:k] {
			if Finite(x) {
				out[i] = m.Push(x)
			} else {
				out[i] = math.NaN()
			}
		}
		in, out = in[k:], out[k:]
	}
}

// run is Push of values up to a block in which something is not finite, and
// returns how many it took.
func (m *Mean) run(out, in []float64) (taken int) {
	n := len(m.cells)
	if m.pos > 0 {
		if taken = m.part(out, in); m.pos > 0 {
			return taken
		}
		in, out = in[taken:], out[taken:]
	}
	k := m.short(out, in)
	if len(in)-k >= n {
		copy(out[k:], m.cells)
	}
	for len(in)-k >= n {
		block, next, last := in[k:k+n], m.cells, len(in)-k < 2*n
		if !last {
			next = out[k+n : k+2*n]
		} else if !AllFinite(block) {
			break
		}
		if !meanBlock(next, out[k:k+n], block, m.origin, m.inverse) && !last {
			break
		}
		k += n
		m.origin = block[n-1]
	}
	if len(in)-k >= n { // left early: the sums of the block before lie nowhere
		if k > 0 {
			tails(m.cells, in[k-n:k])
		}
		return taken + k
	}
	in, out, taken = in[k:], out[k:], taken+k
	return taken + m.part(out, in)
}

// short is run of whole blocks of the lengths that have a function of their own.
func (m *Mean) short(out, in []float64) (taken int) {
	n := len(m.cells)
	k := len(in) / max(n, 1) * n
	switch {
	case k == 0:
	case n == 3 && meanThrees(out[:k], in[:k], m.cells, m.origin, m.inverse),
		n == 5 && meanFives(out[:k], in[:k], m.cells, m.origin, m.inverse):
		m.origin = in[k-1]
		return k
	}
	return 0
}

// part is Push of values of one block, none where something is not finite.
func (m *Mean) part(out, in []float64) (taken int) {
	k := min(len(m.cells)-m.pos, len(in))
	if k == 0 || !AllFinite(in[:k]) {
		return 0
	}
	head, origin, inverse := m.head, m.origin, m.inverse
	cells, results := m.cells[m.pos:m.pos+k], out[:k]
	for i, x := range in[:k] {
		head += x - origin
		results[i] = origin + float64((head+cells[i])*inverse)
		cells[i] = x
	}
	m.pos, m.head = m.pos+k, head
	if m.pos == len(m.cells) {
		results[k-1] = m.turn(in[k-1])
	}
	return k
}

// meanBlock is Push of a block. out holds the sums of what comes after each cell
// in the block before; next gets those of this one. It goes through the block
// from both ends at once, for neither sum need wait for the other, by two values
// a turn, and reports whether all are finite.
func meanBlock(next, out, block []float64, origin, inverse float64) bool {
	n := len(block)
	out, next = out[:n], next[:n]
	last := block[n-1]
	head, tail := 0.0, 0.0
	i, j := 0, n-1
	for ; i < n-1 && j >= 1; i, j = i+2, j-2 {
		head += block[i] - origin
		out[i] = origin + float64((head+out[i])*inverse)
		next[j] = tail
		tail += block[j] - last
		head += block[i+1] - origin
		out[i+1] = origin + float64((head+out[i+1])*inverse)
		next[j-1] = tail
		tail += block[j-1] - last
	}
	if i < n {
		head += block[i] - origin
		out[i] = origin + float64((head+out[i])*inverse)
		next[0] = tail
		tail += block[0] - last
	}
	out[n-1] = last + float64(tail*inverse)
	return Finite(tail)
}

// Reset forgets every value.
func (m *Mean) Reset() {
	for i := range m.cells {
		m.cells[i] = math.NaN()
	}
	m.pos, m.head, m.origin = 0, 0, 0
}

// Visit visits the state of the mean.
func (m *Mean) Visit(t *Tape) {
	t.Floats(m.cells)
	t.Int(&m.pos)
	t.Float(&m.head)
	t.Float(&m.origin)
}
