package kernel

// What follows are blocks of the commonest short lengths, written out: what the
// cells of a block hold stays in registers, and the next block need not wait
// for this one. The sums are the same, in the same order.

// meanThrees is meanBlock for all the blocks of three that in is made of, and
// leaves the sums of the last in cells; or reports that not all is finite, and
// leaves them as they were.
func meanThrees(out, in, cells []float64, origin, inverse float64) bool {
	first, second, all := cells[0], cells[1], 0.0
	for len(in) >= 3 && len(out) >= 3 {
		a, b, c := in[0], in[1], in[2]
		head := a - origin
		out[0] = origin + float64((head+first)*inverse)
		head += b - origin
		out[1] = origin + float64((head+second)*inverse)
		origin = c
		first, second = b-c, 0
		tail := first + (a - c)
		out[2] = c + float64(tail*inverse)
		all += tail
		in, out = in[3:], out[3:]
	}
	if !Finite(all) {
		return false
	}
	cells[0], cells[1], cells[2] = first, second, 0
	return true
}

// meanFives is meanThrees for blocks of five.
func meanFives(out, in, cells []float64, origin, inverse float64) bool {
	t0, t1, t2, t3, all := cells[0], cells[1], cells[2], cells[3], 0.0
	for len(in) >= 5 && len(out) >= 5 {
		a, b, c, d, e := in[0], in[1], in[2], in[3], in[4]
		head := a - origin
		out[0] = origin + float64((head+t0)*inverse)
		head += b - origin
		out[1] = origin + float64((head+t1)*inverse)
		head += c - origin
		out[2] = origin + float64((head+t2)*inverse)
		head += d - origin
		out[3] = origin + float64((head+t3)*inverse)
		origin = e
		t3, t2 = 0, d-e
		t1 = t2 + (c - e)
		t0 = t1 + (b - e)
		tail := t0 + (a - e)
		out[4] = e + float64(tail*inverse)
		all += tail
		in, out = in[5:], out[5:]
	}
	if !Finite(all) {
		return false
	}
	cells[0], cells[1], cells[2], cells[3], cells[4] = t0, t1, t2, t3, 0
	return true
}

// fives is momentsBlock for all the blocks of five that in is made of, with the
// moments' cells; or reports that not all is finite, and leaves them as they were.
func (m *Moments) fives(means, squares, in []float64) bool {
	origin, inverse, all := m.origin, m.inverse, 0.0
	devs, tails := (*[5]float64)(m.devs), (*[5]float64)(m.squares)
	t0, t1, t2, t3 := devs[0], devs[1], devs[2], devs[3]
	q0, q1, q2, q3 := tails[0], tails[1], tails[2], tails[3]
	for len(in) >= 5 && len(means) >= 5 && len(squares) >= 5 {
		a, b, c, d, e := in[0], in[1], in[2], in[3], in[4]
		x := a - origin
		dev, square := x, float64(x*x)
		sum := dev + t0
		means[0], squares[0] = origin+float64(sum*inverse), about(sum, square+q0, inverse)
		x = b - origin
		dev += x
		square += float64(x * x)
		sum = dev + t1
		means[1], squares[1] = origin+float64(sum*inverse), about(sum, square+q1, inverse)
		x = c - origin
		dev += x
		square += float64(x * x)
		sum = dev + t2
		means[2], squares[2] = origin+float64(sum*inverse), about(sum, square+q2, inverse)
		x = d - origin
		dev += x
		square += float64(x * x)
		sum = dev + t3
		means[3], squares[3] = origin+float64(sum*inverse), about(sum, square+q3, inverse)
		origin = e
		t3, q3 = 0, 0
		x = d - e
		t2, q2 = x, float64(x*x)
		x = c - e
		t1, q1 = t2+x, q2+float64(x*x)
		x = b - e
		t0, q0 = t1+x, q1+float64(x*x)
		x = a - e
		sum, square = t0+x, q0+float64(x*x)
		means[4], squares[4] = e+float64(sum*inverse), about(sum, square, inverse)
		all += square
		in, means, squares = in[5:], means[5:], squares[5:]
	}
	if !Finite(all) {
		return false
	}
	*devs, *tails = [5]float64{t0, t1, t2, t3, 0}, [5]float64{q0, q1, q2, q3, 0}
	m.origin = origin
	return true
}
