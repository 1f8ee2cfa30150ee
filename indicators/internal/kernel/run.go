package kernel

import "math"

// Run is Push of every value of in: it writes the sums, divided by scale, to
// out, which is as long. The values must be finite; out may be in.
func (s *Sum) Run(out, in []float64, scale float64) {
	n := len(s.cells)
	for len(in) > 0 {
		k := min(n-s.pos, len(in))
		cells, results, values := s.cells[s.pos:s.pos+k], out[:k], in[:k]
		head := s.head
		if s.pos+k < n {
			tails := s.cells[s.pos+1 : s.pos+1+k]
			for i, x := range values {
				head += x
				cells[i] = x
				results[i] = (head + tails[i]) / scale
			}
		} else {
			tails := s.cells[s.pos+1 : n]
			for i, tail := range tails {
				x := values[i]
				head += x
				cells[i] = x
				results[i] = (head + tail) / scale
			}
			x := values[k-1]
			head += x
			cells[k-1] = x
			results[k-1] = head / scale
		}
		if !s.filled {
			for i := range results {
				if s.pos+i < n-1 {
					results[i] = math.NaN()
				}
			}
		}
		s.pos, s.head = s.pos+k, head
		if s.pos == n {
			for i := n - 2; i >= 0; i-- {
				s.cells[i] += s.cells[i+1]
			}
			s.pos, s.head, s.filled = 0, 0, true
		}
		out, in = out[k:], in[k:]
	}
}
