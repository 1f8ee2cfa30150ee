package indicators

import "math"

// VHF writes White's vertical horizontal filter of closes into dst and returns
// it: the range of the closes of n bars over the sum of their n changes. High
// in trends; NaN where nothing moved; the first n values are NaN.
func VHF(dst, closes []float64, n int) []float64 {
	return single(vhfIndicator(), dst, [][]float64{closes}, float64(n))
}

// VHFStream is [VHF] one value at a time. It is not safe for concurrent use; make
// it with [NewVHF].
type VHFStream struct{ machine }

// NewVHF returns a stream of [VHF], or a *[FieldError] for a parameter that is
// out of range.
func NewVHF(n int) (*VHFStream, error) {
	m, err := open(vhfIndicator(), float64(n))
	if err != nil {
		return nil, err
	}
	return &VHFStream{m}, nil
}

// Update takes the next value and returns its result, NaN during warm-up.
func (s *VHFStream) Update(x float64) float64 {
	s.in[0] = x
	s.machine.Update(s.in, s.out)
	return s.out[0]
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *VHFStream) Peek(x float64) float64 {
	s.in[0] = x
	s.machine.Peek(s.in, s.out)
	return s.out[0]
}

var vhfIndicator = once(func() Indicator {
	return describe(Indicator{Name: "VHF", Summary: "Vertical horizontal filter: high in trends, low in ranges.",
		Inputs: closes(), Params: periods(28, 1), Outputs: pane("VHF")},
		first(0), func(b *bank, p []float64) step {
			n := int(p[0])
			last, s, h, l := b.lag(1), b.sum(n), b.highest(n), b.lowest(n)
			return func(in, out []float64) {
				moved := s.push(math.Abs(in[0] - last.push(in[0])))
				out[0] = over(h.push(in[0])-l.push(in[0]), moved, nan())
			}
		})
})
