package indicators

// IBS writes the internal bar strength (close-low)/(high-low), 0 to 1, into dst
// and returns it; NaN for a bar without range.
func IBS(dst, high, low, close []float64) []float64 {
	return single(ibsIndicator(), dst, [][]float64{high, low, close})
}

// IBSStream is [IBS] one bar at a time. It is not safe for concurrent use; make
// it with [NewIBS].
type IBSStream struct{ machine }

// NewIBS returns a stream of [IBS].
func NewIBS() (*IBSStream, error) {
	m, err := open(ibsIndicator())
	if err != nil {
		return nil, err
	}
	return &IBSStream{m}, nil
}

// Update takes the next bar and returns its result, NaN during warm-up.
func (s *IBSStream) Update(high, low, close float64) float64 {
	s.in[0], s.in[1], s.in[2] = high, low, close
	s.machine.Update(s.in, s.out)
	return s.out[0]
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *IBSStream) Peek(high, low, close float64) float64 {
	s.in[0], s.in[1], s.in[2] = high, low, close
	s.machine.Peek(s.in, s.out)
	return s.out[0]
}

var ibsIndicator = once(func() Indicator {
	return describe(Indicator{Name: "IBS", Summary: "Internal bar strength: where in its range a bar closes, 0 to 1.",
		Inputs: hlc(), Outputs: pane("IBS")}, warm(0), func(b *bank, p []float64) step {
		return func(in, out []float64) { out[0] = over(in[2]-in[1], in[0]-in[1], nan()) }
	})
})
