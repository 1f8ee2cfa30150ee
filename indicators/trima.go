package indicators

// TRIMA writes the triangular moving average of x into dst and returns it: an
// SMA over ⌈(n+1)/2⌉ of an SMA over ⌊(n+1)/2⌋. The first n-1 values are NaN.
func TRIMA(dst, x []float64, n int) []float64 {
	return single(trimaIndicator(), dst, [][]float64{x}, float64(n))
}

// TRIMAStream is [TRIMA] one value at a time. It is not safe for concurrent use; make
// it with [NewTRIMA].
type TRIMAStream struct{ machine }

// NewTRIMA returns a stream of [TRIMA], or a *[FieldError] for a parameter that is
// out of range.
func NewTRIMA(n int) (*TRIMAStream, error) {
	m, err := open(trimaIndicator(), float64(n))
	if err != nil {
		return nil, err
	}
	return &TRIMAStream{m}, nil
}

// Update takes the next value and returns its result, NaN during warm-up.
func (s *TRIMAStream) Update(x float64) float64 {
	s.in[0] = x
	s.machine.Update(s.in, s.out)
	return s.out[0]
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *TRIMAStream) Peek(x float64) float64 {
	s.in[0] = x
	s.machine.Peek(s.in, s.out)
	return s.out[0]
}

var trimaIndicator = once(func() Indicator {
	return describe(Indicator{Name: "TRIMA", Summary: "Triangular moving average: a simple average of a simple average.",
		Inputs: closes(), Params: periods(20, 1), Outputs: overlay("TRIMA")},
		first(-1), func(b *bank, p []float64) step {
			n := int(p[0])
			one, two := b.mean((n+1)/2), b.mean(n/2+1)
			return func(in, out []float64) { out[0] = two.push(one.push(in[0])) }
		})
})
