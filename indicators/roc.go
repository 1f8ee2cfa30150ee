package indicators

// ROCValues are the outputs of [ROC], of equal length.
type ROCValues struct{ ROC, Momentum []float64 }

// ROCPoint is one bar of [ROCValues].
type ROCPoint struct{ ROC, Momentum float64 }

// ROC writes the rate of change of x over n bars into dst and returns it, with
// the change itself:
//
//	ROC(t) = 100·(x(t)/x(t-n) - 1),  Momentum(t) = x(t) - x(t-n)
//
// The first n values are NaN.
func ROC(dst ROCValues, x []float64, n int) ROCValues {
	out := [][]float64{dst.ROC, dst.Momentum}
	batch(rocIndicator(), out, [][]float64{x}, float64(n))
	return ROCValues{ROC: out[0], Momentum: out[1]}
}

// ROCStream is [ROC] one value at a time. It is not safe for concurrent use; make
// it with [NewROC].
type ROCStream struct{ machine }

// NewROC returns a stream of [ROC], or a *[FieldError] for a parameter that is
// out of range.
func NewROC(n int) (*ROCStream, error) {
	m, err := open(rocIndicator(), float64(n))
	if err != nil {
		return nil, err
	}
	return &ROCStream{m}, nil
}

// Update takes the next value and returns its result, NaN during warm-up.
func (s *ROCStream) Update(x float64) ROCPoint {
	s.in[0] = x
	s.machine.Update(s.in, s.out)
	return ROCPoint{ROC: s.out[0], Momentum: s.out[1]}
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *ROCStream) Peek(x float64) ROCPoint {
	s.in[0] = x
	s.machine.Peek(s.in, s.out)
	return ROCPoint{ROC: s.out[0], Momentum: s.out[1]}
}

var rocIndicator = once(func() Indicator {
	return describe(Indicator{Name: "ROC", Summary: "Rate of change over n bars, in percent, and the change itself.",
		Inputs: closes(), Params: periods(14, 1), Outputs: pane("ROC", "Momentum")},
		first(0), func(b *bank, p []float64) step {
			before := b.lag(int(p[0]))
			return func(in, out []float64) {
				old := before.push(in[0])
				out[1] = in[0] - old
				out[0] = over(100*out[1], old, nan())
			}
		})
})
