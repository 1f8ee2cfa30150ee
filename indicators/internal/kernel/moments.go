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
	// Sums of the deviations of the values after the cell in the block before,
	// and of their squares; NaN while there is no such block. Before pos, devs
	// holds the raw values.
	devs, squares []float64
	pos           int
	dev, square   float64 // of the block in progress
	origin        float64 // what deviations are taken from
	inverse       float64 // 1/n
}

// NewMoments returns the moments of n ≥ 1 values; they live in buf when 2n
// values fit into it.
func NewMoments(buf []float64, n int) Moments {
	if cap(buf) < 2*n {
		buf = make([]float64, 2*n)
	}
	buf = buf[:2*n]
	m := Moments{devs: buf[:n:n], squares: buf[n:], inverse: 1 / float64(n)}
	m.Reset()
	return m
}

// Push adds x and returns the mean of the last n values and the sum of their
// squared deviations from it, NaN before there are n. The mean is the same, bit
// for bit, as Mean's.
func (m *Moments) Push(x float64) (mean, squares float64) {
	p := m.pos
	if p+1 >= len(m.devs) {
		return m.turn(x)
	}
	d := x - m.origin
	m.dev += d
	m.square += float64(d * d)
	mean, squares = m.of(m.dev+m.devs[p], m.square+m.squares[p])
	m.devs[p] = x
	m.pos = p + 1
	return mean, squares
}

// of returns the mean and the squares of a window of those sums.
func (m *Moments) of(dev, square float64) (mean, squares float64) {
	return m.origin + float64(dev*m.inverse), about(dev, square, m.inverse)
}

// about returns the sum of squared deviations from the mean.
func about(dev, square, inverse float64) float64 {
	square -= float64(float64(dev*dev) * inverse)
	if square < 0 {
		return 0
	}
	return square
}

// turn ends the block with x: its raw values become sums.
func (m *Moments) turn(x float64) (mean, squares float64) {
	m.devs[len(m.devs)-1] = x
	m.pos, m.dev, m.square, m.origin = 0, 0, 0, x
	return m.of(m.tails(m.devs))
}

// tails makes the sums of a block, which may be where they go, and returns
// those of all of it.
func (m *Moments) tails(block []float64) (dev, square float64) {
	devs, squares := m.devs[:len(block)], m.squares[:len(block)]
	last := block[len(block)-1]
	for i := len(block) - 1; i >= 0; i-- {
		d := block[i] - last
		devs[i], squares[i] = dev, square
		dev += d
		square += float64(d * d)
	}
	return dev, square
}

// Peek returns what Push(x) would.
func (m *Moments) Peek(x float64) (mean, squares float64) {
	if p := m.pos; p+1 < len(m.devs) {
		d := x - m.origin
		return m.of(m.dev+d+m.devs[p], m.square+float64(d*d)+m.squares[p])
	}
	var dev, square float64
	for i := m.pos - 1; i >= 0; i-- {
		d := m.devs[i] - x
		dev += d
		square += float64(d * d)
	}
	return x + float64(dev*m.inverse), about(dev, square, m.inverse)
}

// Each is Push of every finite value of in: it writes the means and the sums of
// squared deviations, which are as long and are not in; what is not finite gives
// NaN and changes nothing.
func (m *Moments) Each(means, squares, in []float64) {
	for len(in) > 0 {
		k := m.run(means, squares, in)
		in, means, squares = in[k:], means[k:], squares[k:]
		k = min(len(m.devs)-m.pos, len(in)) // something in this block is not finite
		for i, x := range in[:k] {
			if Finite(x) {
				means[i], squares[i] = m.Push(x)
			} else {
				means[i], squares[i] = math.NaN(), math.NaN()
			}
		}
		in, means, squares = in[k:], means[k:], squares[k:]
	}
}

// run is Push of values up to a block in which something is not finite, and
// returns how many it took.
func (m *Moments) run(means, squares, in []float64) (taken int) {
	n := len(m.devs)
	if m.pos > 0 {
		if taken = m.part(means, squares, in); m.pos > 0 {
			return taken
		}
		means, squares, in = means[taken:], squares[taken:], in[taken:]
	}
	k := 0
	if whole := len(in) / 5 * 5; n == 5 && whole > 0 && m.fives(means[:whole], squares[:whole], in[:whole]) {
		k = whole
	}
	if len(in)-k >= n {
		copy(means[k:], m.devs)
		copy(squares[k:], m.squares)
	}
	for len(in)-k >= n {
		block, nextDevs, nextSquares, last := in[k:k+n], m.devs, m.squares, len(in)-k < 2*n
		if !last {
			nextDevs, nextSquares = means[k+n:k+2*n], squares[k+n:k+2*n]
		} else if !AllFinite(block) {
			break
		}
		if !momentsBlock(nextDevs, nextSquares, means[k:k+n], squares[k:k+n], block, m.origin, m.inverse) && !last {
			break
		}
		k += n
		m.origin = block[n-1]
	}
	if len(in)-k >= n { // left early: the sums of the block before lie nowhere
		if k > 0 {
			m.tails(in[k-n : k])
		}
		return taken + k
	}
	return taken + k + m.part(means[k:], squares[k:], in[k:])
}

// part is Push of values of one block, none where something is not finite.
func (m *Moments) part(means, squares, in []float64) (taken int) {
	k := min(len(m.devs)-m.pos, len(in))
	if !AllFinite(in[:k]) {
		return 0
	}
	for i, x := range in[:k] {
		means[i], squares[i] = m.Push(x)
	}
	return k
}

// momentsBlock is for the moments of a block what meanBlock is for its means.
func momentsBlock(nextDevs, nextSquares, means, squares, block []float64, origin, inverse float64) bool {
	n := len(block)
	means, squares, nextDevs, nextSquares = means[:n], squares[:n], nextDevs[:n], nextSquares[:n]
	last := block[n-1]
	var dev, square, tail, tailSquare float64
	j := n - 1
	for i, x := range block {
		d := x - origin
		dev += d
		square += float64(d * d)
		sum, all := dev+means[i], square+squares[i]
		means[i] = origin + float64(sum*inverse)
		all -= float64(float64(sum*sum) * inverse)
		if all < 0 {
			all = 0
		}
		squares[i] = all
		nextDevs[j], nextSquares[j] = tail, tailSquare
		d = block[j] - last
		tail += d
		tailSquare += float64(d * d)
		j--
	}
	means[n-1], squares[n-1] = last+float64(tail*inverse), about(tail, tailSquare, inverse)
	return Finite(tailSquare)
}

// Inverse returns 1/n.
func (m *Moments) Inverse() float64 { return m.inverse }

// Reset forgets every value.
func (m *Moments) Reset() {
	for i := range m.devs {
		m.devs[i], m.squares[i] = math.NaN(), math.NaN()
	}
	m.pos, m.dev, m.square, m.origin = 0, 0, 0, 0
}

// Visit visits the state of the moments.
func (m *Moments) Visit(t *Tape) {
	t.Floats(m.devs)
	t.Floats(m.squares)
	t.Int(&m.pos)
	t.Float(&m.dev)
	t.Float(&m.square)
	t.Float(&m.origin)
}
