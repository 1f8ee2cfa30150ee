package indicators

// BOP writes the balance of power into dst and returns it: the SMA over n of
// (close-open)/(high-low), -1 to 1 (Igor Livshin, 2001; 1 for no smoothing). A
// bar without range counts as 0. The first n-1 values are NaN.
func BOP(dst, open, high, low, close []float64, n int) []float64 {
	return single(bopIndicator(), dst, [][]float64{open, high, low, close}, float64(n))
}

// BOPStream is [BOP] one bar at a time. It is not safe for concurrent use; make
// it with [NewBOP].
type BOPStream struct{ machine }

// NewBOP returns a stream of [BOP], or a *[FieldError] for a parameter that is
// out of range.
func NewBOP(n int) (*BOPStream, error) {
	m, err := open(bopIndicator(), float64(n))
	if err != nil {
		return nil, err
	}
	return &BOPStream{m}, nil
}

// Update takes the next bar and returns its result, NaN during warm-up.
func (s *BOPStream) Update(open, high, low, close float64) float64 {
	s.in[0], s.in[1], s.in[2], s.in[3] = open, high, low, close
	s.machine.Update(s.in, s.out)
	return s.out[0]
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *BOPStream) Peek(open, high, low, close float64) float64 {
	s.in[0], s.in[1], s.in[2], s.in[3] = open, high, low, close
	s.machine.Peek(s.in, s.out)
	return s.out[0]
}

var bopIndicator = once(func() Indicator {
	return describe(Indicator{Name: "BOP", Summary: "Balance of power: where in their ranges bars close from their opens.",
		Inputs: ohlc(), Params: periods(14, 1), Outputs: pane("BOP")},
		first(-1), func(b *bank, p []float64) step {
			m := b.mean(int(p[0]))
			return func(in, out []float64) { out[0] = m.push(over(in[3]-in[0], in[1]-in[2], 0)) }
		})
})
