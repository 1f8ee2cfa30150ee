package indicators

// SWMA writes the symmetrically weighted moving average of x into dst and
// returns it: weights 1, 2, 3 … up to the middle of the window and down again.
// The first n-1 values are NaN.
func SWMA(dst, x []float64, n int) []float64 {
	return single(swmaIndicator(), dst, [][]float64{x}, float64(n))
}

// SWMAStream is [SWMA] one value at a time. It is not safe for concurrent use; make
// it with [NewSWMA].
type SWMAStream struct{ machine }

// NewSWMA returns a stream of [SWMA], or a *[FieldError] for a parameter that is
// out of range.
func NewSWMA(n int) (*SWMAStream, error) {
	m, err := open(swmaIndicator(), float64(n))
	if err != nil {
		return nil, err
	}
	return &SWMAStream{m}, nil
}

// Update takes the next value and returns its result, NaN during warm-up.
func (s *SWMAStream) Update(x float64) float64 {
	s.in[0] = x
	s.machine.Update(s.in, s.out)
	return s.out[0]
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *SWMAStream) Peek(x float64) float64 {
	s.in[0] = x
	s.machine.Peek(s.in, s.out)
	return s.out[0]
}

var swmaIndicator = once(func() Indicator {
	return weighted(Indicator{Name: "SWMA", Summary: "Symmetrically (triangle) weighted moving average.",
		Inputs: closes(), Params: periods(10, 1), Outputs: overlay("SWMA")},
		func(p []float64) []float64 {
			n, w := int(p[0]), make([]float64, int(p[0]))
			for i := range w {
				w[i] = float64(min(i+1, n-i))
			}
			return w
		})
})
