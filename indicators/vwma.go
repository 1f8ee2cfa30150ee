package indicators

// VWMA writes the volume-weighted moving average of closes into dst and
// returns it: Σ(close·volume)/Σ(volume) over the last n bars, NaN when nothing
// traded. The first n-1 values are NaN.
func VWMA(dst, close, volume []float64, n int) []float64 {
	return single(vwmaIndicator(), dst, [][]float64{close, volume}, float64(n))
}

// VWMAStream is [VWMA] one bar at a time. It is not safe for concurrent use; make
// it with [NewVWMA].
type VWMAStream struct{ machine }

// NewVWMA returns a stream of [VWMA], or a *[FieldError] for a parameter that is
// out of range.
func NewVWMA(n int) (*VWMAStream, error) {
	m, err := open(vwmaIndicator(), float64(n))
	if err != nil {
		return nil, err
	}
	return &VWMAStream{m}, nil
}

// Update takes the next bar and returns its result, NaN during warm-up.
func (s *VWMAStream) Update(close, volume float64) float64 {
	s.in[0], s.in[1] = close, volume
	s.machine.Update(s.in, s.out)
	return s.out[0]
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *VWMAStream) Peek(close, volume float64) float64 {
	s.in[0], s.in[1] = close, volume
	s.machine.Peek(s.in, s.out)
	return s.out[0]
}

var vwmaIndicator = once(func() Indicator {
	return describe(Indicator{Name: "VWMA", Summary: "Volume-weighted moving average.",
		Inputs: cv(), Params: periods(20, 1), Outputs: overlay("VWMA")},
		first(-1), func(b *bank, p []float64) step {
			money, volume := b.sum(int(p[0])), b.sum(int(p[0]))
			return func(in, out []float64) {
				out[0] = over(money.push(in[0]*in[1]), volume.push(in[1]), nan())
			}
		})
})
