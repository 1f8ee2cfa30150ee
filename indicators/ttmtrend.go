package indicators

// TTMTrend writes 1 into dst where the close is above the average middle
// (high+low)/2 of the last n bars, -1 where it is not, and returns it. The
// first n-1 values are NaN.
func TTMTrend(dst, high, low, close []float64, n int) []float64 {
	return single(ttmTrendIndicator(), dst, [][]float64{high, low, close}, float64(n))
}

// TTMTrendStream is [TTMTrend] one bar at a time. It is not safe for concurrent use; make
// it with [NewTTMTrend].
type TTMTrendStream struct{ machine }

// NewTTMTrend returns a stream of [TTMTrend], or a *[FieldError] for a parameter that is
// out of range.
func NewTTMTrend(n int) (*TTMTrendStream, error) {
	m, err := open(ttmTrendIndicator(), float64(n))
	if err != nil {
		return nil, err
	}
	return &TTMTrendStream{m}, nil
}

// Update takes the next bar and returns its result, NaN during warm-up.
func (s *TTMTrendStream) Update(high, low, close float64) float64 {
	s.in[0], s.in[1], s.in[2] = high, low, close
	s.machine.Update(s.in, s.out)
	return s.out[0]
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *TTMTrendStream) Peek(high, low, close float64) float64 {
	s.in[0], s.in[1], s.in[2] = high, low, close
	s.machine.Peek(s.in, s.out)
	return s.out[0]
}

var ttmTrendIndicator = once(func() Indicator {
	return describe(Indicator{Name: "TTMTrend", Summary: "TTM trend: 1 above the average middle of the last bars, -1 below.",
		Inputs: hlc(), Params: periods(6, 1), Outputs: pane("Trend")},
		first(-1), func(b *bank, p []float64) step {
			m := b.mean(int(p[0]))
			return func(in, out []float64) {
				out[0] = 2*above(in[2], m.push((in[0]+in[1])/2)) - 1
			}
		})
})
