package indicators

// CG writes Ehlers's centre of gravity of x into dst and returns it: over the
// last n values, -Σ(i·x)/Σx with i = 1 for the newest (Technical Analysis of
// Stocks & Commodities, May 2002). The first n-1 values are NaN.
func CG(dst, x []float64, n int) []float64 {
	return single(cgIndicator(), dst, [][]float64{x}, float64(n))
}

// CGStream is [CG] one value at a time. It is not safe for concurrent use; make
// it with [NewCG].
type CGStream struct{ machine }

// NewCG returns a stream of [CG], or a *[FieldError] for a parameter that is
// out of range.
func NewCG(n int) (*CGStream, error) {
	m, err := open(cgIndicator(), float64(n))
	if err != nil {
		return nil, err
	}
	return &CGStream{m}, nil
}

// Update takes the next value and returns its result, NaN during warm-up.
func (s *CGStream) Update(x float64) float64 {
	s.in[0] = x
	s.machine.Update(s.in, s.out)
	return s.out[0]
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *CGStream) Peek(x float64) float64 {
	s.in[0] = x
	s.machine.Peek(s.in, s.out)
	return s.out[0]
}

var cgIndicator = once(func() Indicator {
	return describe(Indicator{Name: "CG", Aliases: []string{"CenterOfGravity"}, Summary: "Ehlers's centre of gravity.",
		Inputs: closes(), Params: periods(10, 1), Outputs: pane("CG")},
		first(-1), func(b *bank, p []float64) step {
			w := b.wma(int(p[0]))
			return func(in, out []float64) {
				plain, weighted := w.both(in[0])
				out[0] = -over(float64((p[0]+1)*plain)-weighted, plain, nan())
			}
		})
})
