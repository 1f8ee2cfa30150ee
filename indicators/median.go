package indicators

// Median writes the median of the last n values of x into dst and returns it.
// The first n-1 values are NaN.
func Median(dst, x []float64, n int) []float64 {
	return single(medianIndicator(), dst, [][]float64{x}, float64(n))
}

// MedianStream is [Median] one value at a time. It is not safe for concurrent use; make
// it with [NewMedian].
type MedianStream struct{ machine }

// NewMedian returns a stream of [Median], or a *[FieldError] for a parameter that is
// out of range.
func NewMedian(n int) (*MedianStream, error) {
	m, err := open(medianIndicator(), float64(n))
	if err != nil {
		return nil, err
	}
	return &MedianStream{m}, nil
}

// Update takes the next value and returns its result, NaN during warm-up.
func (s *MedianStream) Update(x float64) float64 {
	s.in[0] = x
	s.machine.Update(s.in, s.out)
	return s.out[0]
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *MedianStream) Peek(x float64) float64 {
	s.in[0] = x
	s.machine.Peek(s.in, s.out)
	return s.out[0]
}

var medianIndicator = once(func() Indicator {
	return describe(Indicator{Name: "Median", Summary: "Median of the last n values.",
		Inputs: closes(), Params: periods(30, 1), Outputs: overlay("Median")},
		first(-1), func(b *bank, p []float64) step {
			r := b.ranks(int(p[0]))
			return func(in, out []float64) { out[0] = r.quantile(in[0], 0.5) }
		})
})
