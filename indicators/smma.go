package indicators

// SMMA writes the smoothed moving average of x into dst and returns it:
// Wilder's average, known as RMA on TradingView,
//
//	SMMA(t) = SMMA(t-1) + (x(t) - SMMA(t-1))/n
//
// It starts at bar n-1 with the simple average of the first n values; the
// values before are NaN.
func SMMA(dst, x []float64, n int) []float64 {
	return single(smmaIndicator(), dst, [][]float64{x}, float64(n))
}

// SMMAStream is [SMMA] one value at a time. It is not safe for concurrent use; make
// it with [NewSMMA].
type SMMAStream struct{ machine }

// NewSMMA returns a stream of [SMMA], or a *[FieldError] for a parameter that is
// out of range.
func NewSMMA(n int) (*SMMAStream, error) {
	m, err := open(smmaIndicator(), float64(n))
	if err != nil {
		return nil, err
	}
	return &SMMAStream{m}, nil
}

// Update takes the next value and returns its result, NaN during warm-up.
func (s *SMMAStream) Update(x float64) float64 {
	s.in[0] = x
	s.machine.Update(s.in, s.out)
	return s.out[0]
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *SMMAStream) Peek(x float64) float64 {
	s.in[0] = x
	s.machine.Peek(s.in, s.out)
	return s.out[0]
}

var smmaIndicator = once(func() Indicator {
	return describe(Indicator{Name: "SMMA", Aliases: []string{"RMA", "Wilders"}, Summary: "Smoothed (Wilder's) moving average, k = 1/n.",
		Inputs: closes(), Params: periods(20, 1), Outputs: overlay("SMMA")},
		first(-1), func(b *bank, p []float64) step {
			w := b.wilder(int(p[0]))
			return func(in, out []float64) { out[0] = w.push(in[0]) }
		})
})
