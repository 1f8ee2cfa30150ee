package kernel

import "math"

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
			copy(out, s.cells)
			for len(in) >= 2*n {
				shareBlock(out[n:2*n], out[:n], in[:n], scale)
				in, out = in[n:], out[n:]
			}
			shareBlock(s.cells, out[:n], in[:n], scale)
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

// blocks writes the sums of the whole blocks that in starts with, at least one,
// times factor, and returns how many values it took.
func (s *Sum) blocks(out, in []float64, factor float64) (taken int) {
	n := len(s.cells)
	copy(out, s.cells)
	for len(in) >= 2*n {
		sumBlock(out[n:2*n], out[:n], in[:n], factor)
		in, out, taken = in[n:], out[n:], taken+n
	}
	sumBlock(s.cells, out[:n], in[:n], factor)
	return taken + n
}

// sumBlock is for the sums of a block what meanBlock is for its means.
func sumBlock(next, out, block []float64, factor float64) {
	n := len(block)
	out, next = out[:n], next[:n]
	head, tail := 0.0, 0.0
	j := n - 1
	for i, x := range block {
		head += x
		out[i] = (out[i] + head) * factor
		next[j] = tail
		tail += block[j]
		j--
	}
}

// shareBlock is sumBlock, divided by scale.
func shareBlock(next, out, block []float64, scale float64) {
	n := len(block)
	out, next = out[:n], next[:n]
	head, tail := 0.0, 0.0
	j := n - 1
	for i, x := range block {
		head += x
		out[i] = (out[i] + head) / scale
		next[j] = tail
		tail += block[j]
		j--
	}
}

// Means is Push of every finite value of in, divided by n, to out, which is as
// long and is not in; what is not finite gives NaN and changes nothing.
func (s *Sum) Means(out, in []float64) {
	n := float64(len(s.cells))
	for len(in) > 0 {
		k := min(1024, len(in))
		if AllFinite(in[:k]) {
			s.Run(out[:k], in[:k], n)
		} else {
			for i, x := range in[:k] {
				if Finite(x) {
					out[i] = s.Push(x) / n
				} else {
					out[i] = math.NaN()
				}
			}
		}
		in, out = in[k:], out[k:]
	}
}

// Each is Push of every finite value of in, times factor, to out, which is as
// long and is not in; what is not finite gives NaN and changes nothing.
func (s *Sum) Each(out, in []float64, factor float64) {
	for len(in) > 0 {
		k := min(len(s.cells)-s.pos, len(in))
		if s.pos == 0 && len(in) >= len(s.cells) {
			// Sections, so that one value that is not finite does not slow all.
			section := min(len(in), max(1024, len(s.cells))) / len(s.cells) * len(s.cells)
			if AllFinite(in[:section]) {
				k = s.blocks(out[:section], in[:section], factor)
				in, out = in[k:], out[k:]
				continue
			}
		}
		for i, x := range in[:k] {
			if Finite(x) {
				out[i] = s.Push(x) * factor
			} else {
				out[i] = math.NaN()
			}
		}
		in, out = in[k:], out[k:]
	}
}

// Times is Each of values that are all finite.
func (s *Sum) Times(out, in []float64, factor float64) {
	for n := len(s.cells); len(in) > 0; {
		k := min(n-s.pos, len(in))
		if k == n {
			k = s.blocks(out, in, factor)
		} else {
			for i, x := range in[:k] {
				out[i] = s.Push(x) * factor
			}
		}
		in, out = in[k:], out[k:]
	}
}

// Try is Each, with the factor 1, where all the sums turn out finite, as then
// the values are. Elsewhere it returns false and changes nothing but out and
// keep, which has room for as many values as are summed.
func (s *Sum) Try(out, in, keep []float64) bool {
	cells, pos, head := keep[:len(s.cells)], s.pos, s.head
	copy(cells, s.cells)
	if s.Times(out, in, 1); AllFinite(out[:len(in)]) {
		return true
	}
	copy(s.cells, cells)
	s.pos, s.head = pos, head
	return false
}

// Len returns how many values are summed.
func (s *Sum) Len() int { return len(s.cells) }

// RunPair is Run, with the scale 1, of two sums of the same length that have
// taken the same number of values: together they take less time.
func RunPair(a, b *Sum, outA, outB, inA, inB []float64) {
	n := len(a.cells)
	for len(inA) > 0 {
		if a.pos == 0 && len(inA) >= n {
			copy(outA, a.cells)
			copy(outB, b.cells)
			for len(inA) >= 2*n {
				sumBlocks(outA[n:2*n], outB[n:2*n], outA[:n], outB[:n], inA[:n], inB[:n])
				inA, inB, outA, outB = inA[n:], inB[n:], outA[n:], outB[n:]
			}
			sumBlocks(a.cells, b.cells, outA[:n], outB[:n], inA[:n], inB[:n])
			inA, inB, outA, outB = inA[n:], inB[n:], outA[n:], outB[n:]
			continue
		}
		k := min(n-a.pos, len(inA))
		a.run(outA[:k], inA[:k], 1)
		b.run(outB[:k], inB[:k], 1)
		inA, inB, outA, outB = inA[k:], inB[k:], outA[k:], outB[k:]
	}
}

// sumBlocks is sumBlock of two.
func sumBlocks(nextA, nextB, outA, outB, a, b []float64) {
	n := len(a)
	b, outA, outB, nextA, nextB = b[:n], outA[:n], outB[:n], nextA[:n], nextB[:n]
	var headA, headB, tailA, tailB float64
	j := n - 1
	for i, x := range a {
		headA += x
		outA[i] += headA
		headB += b[i]
		outB[i] += headB
		nextA[j], nextB[j] = tailA, tailB
		tailA += a[j]
		tailB += b[j]
		j--
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
