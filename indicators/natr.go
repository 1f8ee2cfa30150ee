package indicators

// NATR writes [ATR] in percent of the close into dst and returns it. The first
// n values are NaN.
func NATR(dst, high, low, close []float64, n int) []float64 {
	return single(natrIndicator(), dst, [][]float64{high, low, close}, float64(n))
}

// NATRStream is [NATR] one bar at a time. It is not safe for concurrent use; make
// it with [NewNATR].
type NATRStream struct{ machine }

// NewNATR returns a stream of [NATR], or a *[FieldError] for a parameter that is
// out of range.
func NewNATR(n int) (*NATRStream, error) {
	m, err := open(natrIndicator(), float64(n))
	if err != nil {
		return nil, err
	}
	return &NATRStream{m}, nil
}

// Update takes the next bar and returns its result, NaN during warm-up.
func (s *NATRStream) Update(high, low, close float64) float64 {
	s.in[0], s.in[1], s.in[2] = high, low, close
	s.machine.Update(s.in, s.out)
	return s.out[0]
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *NATRStream) Peek(high, low, close float64) float64 {
	s.in[0], s.in[1], s.in[2] = high, low, close
	s.machine.Peek(s.in, s.out)
	return s.out[0]
}

var natrIndicator = once(func() Indicator {
	return describe(Indicator{Name: "NATR", Aliases: []string{"ATRP"}, Summary: "Average true range in percent of the close.",
		Inputs: hlc(), Params: periods(14, 1), Outputs: pane("NATR")},
		first(0), func(b *bank, p []float64) step {
			a := b.atr(int(p[0]))
			return func(in, out []float64) { out[0] = over(100*a.push(in[0], in[1], in[2]), in[2], nan()) }
		})
})
