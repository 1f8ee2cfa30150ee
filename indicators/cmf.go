package indicators

// CMF writes Chaikin's money flow into dst and returns it, -1 to 1: the money
// flow volume of n bars over their volume; NaN when nothing traded. The first
// n-1 values are NaN.
func CMF(dst, high, low, close, volume []float64, n int) []float64 {
	return single(cmfIndicator(), dst, [][]float64{high, low, close, volume}, float64(n))
}

// CMFStream is [CMF] one bar at a time. It is not safe for concurrent use; make
// it with [NewCMF].
type CMFStream struct{ machine }

// NewCMF returns a stream of [CMF], or a *[FieldError] for a parameter that is
// out of range.
func NewCMF(n int) (*CMFStream, error) {
	m, err := open(cmfIndicator(), float64(n))
	if err != nil {
		return nil, err
	}
	return &CMFStream{m}, nil
}

// Update takes the next bar and returns its result, NaN during warm-up.
func (s *CMFStream) Update(high, low, close, volume float64) float64 {
	s.in[0], s.in[1], s.in[2], s.in[3] = high, low, close, volume
	s.machine.Update(s.in, s.out)
	return s.out[0]
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *CMFStream) Peek(high, low, close, volume float64) float64 {
	s.in[0], s.in[1], s.in[2], s.in[3] = high, low, close, volume
	s.machine.Peek(s.in, s.out)
	return s.out[0]
}

var cmfIndicator = once(func() Indicator {
	return describe(Indicator{Name: "CMF", Summary: "Chaikin money flow, -1 to 1.",
		Inputs: hlcv(), Params: periods(20, 1), Outputs: pane("CMF")},
		first(-1), func(b *bank, p []float64) step {
			m, v := b.sum(int(p[0])), b.sum(int(p[0]))
			return func(in, out []float64) {
				out[0] = over(m.push(flow(in[0], in[1], in[2])*in[3]), v.push(in[3]), nan())
			}
		})
})
