package indicators

// WilliamsR writes Williams's %R into dst and returns it, -100 to 0: how far the
// close is below the highest high, in percent of the range of n bars. NaN where
// the range is 0. The first n-1 values are NaN.
func WilliamsR(dst, high, low, close []float64, n int) []float64 {
	return single(williamsIndicator(), dst, [][]float64{high, low, close}, float64(n))
}

// WilliamsRStream is [WilliamsR] one bar at a time. It is not safe for concurrent use; make
// it with [NewWilliamsR].
type WilliamsRStream struct{ machine }

// NewWilliamsR returns a stream of [WilliamsR], or a *[FieldError] for a parameter that is
// out of range.
func NewWilliamsR(n int) (*WilliamsRStream, error) {
	m, err := open(williamsIndicator(), float64(n))
	if err != nil {
		return nil, err
	}
	return &WilliamsRStream{m}, nil
}

// Update takes the next bar and returns its result, NaN during warm-up.
func (s *WilliamsRStream) Update(high, low, close float64) float64 {
	s.in[0], s.in[1], s.in[2] = high, low, close
	s.machine.Update(s.in, s.out)
	return s.out[0]
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *WilliamsRStream) Peek(high, low, close float64) float64 {
	s.in[0], s.in[1], s.in[2] = high, low, close
	s.machine.Peek(s.in, s.out)
	return s.out[0]
}

var williamsIndicator = once(func() Indicator {
	return describe(Indicator{Name: "WilliamsR", Aliases: []string{"WILLR", "%R"}, Summary: "Williams's %R, -100 (at the low) to 0 (at the high).",
		Inputs: hlc(), Params: periods(14, 1), Outputs: pane("WilliamsR")},
		first(-1), func(b *bank, p []float64) step {
			h, l := b.highest(int(p[0])), b.lowest(int(p[0]))
			return func(in, out []float64) {
				high := h.push(in[0])
				out[0] = over(-100*(high-in[2]), high-l.push(in[1]), nan())
			}
		})
})
