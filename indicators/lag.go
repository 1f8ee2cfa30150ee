package indicators

// Lag writes the value of n bars ago into dst and returns it. The first n values
// are NaN.
func Lag(dst, x []float64, n int) []float64 {
	return single(lagIndicator(), dst, [][]float64{x}, float64(n))
}

// LagStream is [Lag] one value at a time. It is not safe for concurrent use; make
// it with [NewLag].
type LagStream struct{ machine }

// NewLag returns a stream of [Lag], or a *[FieldError] for a parameter that is
// out of range.
func NewLag(n int) (*LagStream, error) {
	m, err := open(lagIndicator(), float64(n))
	if err != nil {
		return nil, err
	}
	return &LagStream{m}, nil
}

// Update takes the next value and returns its result, NaN during warm-up.
func (s *LagStream) Update(x float64) float64 {
	s.in[0] = x
	s.machine.Update(s.in, s.out)
	return s.out[0]
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *LagStream) Peek(x float64) float64 {
	s.in[0] = x
	s.machine.Peek(s.in, s.out)
	return s.out[0]
}

var lagIndicator = once(func() Indicator {
	return describe(Indicator{Name: "Lag", Summary: "The value of n bars ago.",
		Inputs: closes(), Params: periods(5, 1), Outputs: overlay("Lag")},
		first(0), func(b *bank, p []float64) step {
			l := b.lag(int(p[0]))
			return func(in, out []float64) { out[0] = l.push(in[0]) }
		})
})
