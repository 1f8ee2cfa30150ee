package indicators

// Sum writes the sum of the last n values of x into dst and returns it. The
// first n-1 values are NaN.
func Sum(dst, x []float64, n int) []float64 {
	return single(sumIndicator(), dst, [][]float64{x}, float64(n))
}

// SumStream is [Sum] one value at a time. It is not safe for concurrent use; make
// it with [NewSum].
type SumStream struct{ machine }

// NewSum returns a stream of [Sum], or a *[FieldError] for a parameter that is
// out of range.
func NewSum(n int) (*SumStream, error) {
	m, err := open(sumIndicator(), float64(n))
	if err != nil {
		return nil, err
	}
	return &SumStream{m}, nil
}

// Update takes the next value and returns its result, NaN during warm-up.
func (s *SumStream) Update(x float64) float64 {
	s.in[0] = x
	s.machine.Update(s.in, s.out)
	return s.out[0]
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *SumStream) Peek(x float64) float64 {
	s.in[0] = x
	s.machine.Peek(s.in, s.out)
	return s.out[0]
}

var sumIndicator = once(func() Indicator {
	return describe(Indicator{Name: "Sum", Summary: "Sum of the last n values.",
		Inputs: closes(), Params: periods(20, 1), Outputs: pane("Sum")},
		first(-1), func(b *bank, p []float64) step {
			s := b.sum(int(p[0]))
			return func(in, out []float64) { out[0] = s.push(in[0]) }
		})
})
