package indicators

// FWMA writes a moving average of x with Fibonacci numbers as weights, the
// largest on the newest value, into dst and returns it. The first n-1 values
// are NaN; n is at most 70.
func FWMA(dst, x []float64, n int) []float64 {
	return single(fwmaIndicator(), dst, [][]float64{x}, float64(n))
}

// FWMAStream is [FWMA] one value at a time. It is not safe for concurrent use; make
// it with [NewFWMA].
type FWMAStream struct{ machine }

// NewFWMA returns a stream of [FWMA], or a *[FieldError] for a parameter that is
// out of range.
func NewFWMA(n int) (*FWMAStream, error) {
	m, err := open(fwmaIndicator(), float64(n))
	if err != nil {
		return nil, err
	}
	return &FWMAStream{m}, nil
}

// Update takes the next value and returns its result, NaN during warm-up.
func (s *FWMAStream) Update(x float64) float64 {
	s.in[0] = x
	s.machine.Update(s.in, s.out)
	return s.out[0]
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *FWMAStream) Peek(x float64) float64 {
	s.in[0] = x
	s.machine.Peek(s.in, s.out)
	return s.out[0]
}

var fwmaIndicator = once(func() Indicator {
	return weighted(Indicator{Name: "FWMA", Summary: "Fibonacci weighted moving average.",
		Inputs: closes(), Params: []Param{whole("n", 10, 1, 70)}, Outputs: overlay("FWMA")},
		func(p []float64) []float64 {
			w := make([]float64, int(p[0]))
			a, c := 0.0, 1.0
			for i := range w {
				w[i] = c
				a, c = c, a+c
			}
			return w
		})
})
