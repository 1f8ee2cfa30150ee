package kernel

// Run is Push of every value of in: it writes the sums, divided by scale, to
// out, which is as long and is not in. The values must be finite.
func (s *Sum) Run(out, in []float64, scale float64) {
	n := len(s.cells)
	for len(in) > 0 {
		if s.pos == 0 && len(in) >= n {
			head, values, sums, tails := 0.0, in[:n], out[:n], s.cells[:n]
			if scale == 1 {
				for i, x := range values {
					head += x
					sums[i] = head + tails[i]
				}
			} else {
				for i, x := range values {
					head += x
					sums[i] = (head + tails[i]) / scale
				}
			}
			tail := 0.0
			for i := n - 1; i >= 0; i-- {
				tails[i] = tail
				tail += values[i]
			}
			in, out = in[n:], out[n:]
			continue
		}
		k := min(n-s.pos, len(in))
		cells, sums, head := s.cells[s.pos:s.pos+k], out[:k], s.head
		for i, x := range in[:k] {
			head += x
			sums[i] = (head + cells[i]) / scale
			cells[i] = x
		}
		s.pos, s.head = s.pos+k, head
		if s.pos == n {
			s.turn()
		}
		in, out = in[k:], out[k:]
	}
}

// Run is Push of every value of in: it writes the sums of the windows to sums
// and those of their squared deviations to squares, which are as long and are
// not in. The values must be finite.
func (m *Moments) Run(sums, squares, in []float64) {
	n, inverse := len(m.cells), m.inverse
	for len(in) > 0 {
		k := min(n-m.pos, len(in))
		head, origin, cells, a, b := m.head, m.origin, m.cells[m.pos:m.pos+k], sums[:k], squares[:k]
		for i, x := range in[:k] {
			cell := &cells[i]
			d := x - origin
			head.Sum += x
			head.Dev += d
			head.Sq += float64(d * d)
			a[i] = head.Sum + cell.Sum
			dev := head.Dev + cell.Dev
			square := head.Sq + cell.Sq - float64(float64(dev*dev)*inverse)
			if square < 0 {
				square = 0
			}
			b[i] = square
			cell.Sum = x
		}
		m.pos, m.head = m.pos+k, head
		if m.pos == n {
			total := m.turn()
			b[k-1] = total
		}
		in, sums, squares = in[k:], sums[k:], squares[k:]
	}
}
