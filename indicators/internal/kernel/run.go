package kernel

// Run is Push of every value of in: it writes the sums, divided by scale, to
// out, which is as long and is not in. The values must be finite.
func (s *Sum) Run(out, in []float64, scale float64) {
	if len(s.cells) == ten {
		k := min((ten-s.pos)%ten, len(in)) // to the end of the block
		s.run(out[:k], in[:k], scale)
		if in, out = in[k:], out[k:]; s.pos == 0 {
			k = tens(out, in, (*[ten]float64)(s.cells), scale)
			in, out = in[k:], out[k:]
		}
	}
	s.run(out, in, scale)
}

func (s *Sum) run(out, in []float64, scale float64) {
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

const ten = 10

// tens is Run of whole blocks of ten, the commonest length, and returns how
// many values it took: written out, the next block need not wait for this one.
func tens(out, in []float64, tails *[ten]float64, scale float64) (taken int) {
	for len(in) >= ten {
		v, o := (*[ten]float64)(in), (*[ten]float64)(out)
		a := v[0]
		b := a + v[1]
		c := b + v[2]
		d := c + v[3]
		e := d + v[4]
		f := e + v[5]
		g := f + v[6]
		h := g + v[7]
		i := h + v[8]
		o[0], o[1], o[2], o[3], o[4] = (a+tails[0])/scale, (b+tails[1])/scale, (c+tails[2])/scale, (d+tails[3])/scale, (e+tails[4])/scale
		o[5], o[6], o[7], o[8] = (f+tails[5])/scale, (g+tails[6])/scale, (h+tails[7])/scale, (i+tails[8])/scale
		o[9] = (i + v[9] + 0) / scale // never -0, as the sums before
		t := v[9] + 0
		tails[8] = t
		t += v[8]
		tails[7] = t
		t += v[7]
		tails[6] = t
		t += v[6]
		tails[5] = t
		t += v[5]
		tails[4] = t
		t += v[4]
		tails[3] = t
		t += v[3]
		tails[2] = t
		t += v[2]
		tails[1] = t
		tails[0] = t + v[1]
		in, out, taken = in[ten:], out[ten:], taken+ten
	}
	return taken
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
