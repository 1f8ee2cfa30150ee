package indicators

// RollingVWAP writes the volume-weighted average of the typical price of the
// last n bars into dst and returns it; NaN when nothing traded. The first n-1
// values are NaN.
func RollingVWAP(dst, high, low, close, volume []float64, n int) []float64 {
	return single(rollingVWAPIndicator(), dst, [][]float64{high, low, close, volume}, float64(n))
}

// RollingVWAPStream is [RollingVWAP] one bar at a time. It is not safe for concurrent use; make
// it with [NewRollingVWAP].
type RollingVWAPStream struct{ machine }

// NewRollingVWAP returns a stream of [RollingVWAP], or a *[FieldError] for a parameter that is
// out of range.
func NewRollingVWAP(n int) (*RollingVWAPStream, error) {
	m, err := open(rollingVWAPIndicator(), float64(n))
	if err != nil {
		return nil, err
	}
	return &RollingVWAPStream{m}, nil
}

// Update takes the next bar and returns its result, NaN during warm-up.
func (s *RollingVWAPStream) Update(high, low, close, volume float64) float64 {
	s.in[0], s.in[1], s.in[2], s.in[3] = high, low, close, volume
	s.machine.Update(s.in, s.out)
	return s.out[0]
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *RollingVWAPStream) Peek(high, low, close, volume float64) float64 {
	s.in[0], s.in[1], s.in[2], s.in[3] = high, low, close, volume
	s.machine.Peek(s.in, s.out)
	return s.out[0]
}

var rollingVWAPIndicator = once(func() Indicator {
	return describe(Indicator{Name: "RollingVWAP", Summary: "Volume-weighted average price of the last n bars.",
		Inputs: hlcv(), Params: periods(20, 1), Outputs: overlay("VWAP")},
		first(-1), func(b *bank, p []float64) step {
			m, v := b.sum(int(p[0])), b.sum(int(p[0]))
			return func(in, out []float64) {
				out[0] = over(m.push((in[0]+in[1]+in[2])/3*in[3]), v.push(in[3]), nan())
			}
		})
})
