package indicators

// Momentum writes the change of x over n bars into dst and returns it. The
// first n values are NaN.
func Momentum(dst, x []float64, n int) []float64 {
	return single(momentumIndicator(), dst, [][]float64{x}, float64(n))
}

// MomentumStream is [Momentum] one value at a time. It is not safe for concurrent use; make
// it with [NewMomentum].
type MomentumStream struct{ machine }

// NewMomentum returns a stream of [Momentum], or a *[FieldError] for a parameter that is
// out of range.
func NewMomentum(n int) (*MomentumStream, error) {
	m, err := open(momentumIndicator(), float64(n))
	if err != nil {
		return nil, err
	}
	return &MomentumStream{m}, nil
}

// Update takes the next value and returns its result, NaN during warm-up.
func (s *MomentumStream) Update(x float64) float64 {
	s.in[0] = x
	s.machine.Update(s.in, s.out)
	return s.out[0]
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *MomentumStream) Peek(x float64) float64 {
	s.in[0] = x
	s.machine.Peek(s.in, s.out)
	return s.out[0]
}

var momentumIndicator = once(func() Indicator {
	return describe(Indicator{Name: "Momentum", Aliases: []string{"MOM"}, Summary: "Change over n bars.",
		Inputs: closes(), Params: periods(10, 1), Outputs: pane("Momentum")},
		first(0), func(b *bank, p []float64) step {
			before := b.lag(int(p[0]))
			return func(in, out []float64) { out[0] = in[0] - before.push(in[0]) }
		})
})
