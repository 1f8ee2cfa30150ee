package indicators

// PWMA writes a moving average of x with the binomial coefficients of a row of
// Pascal's triangle as weights into dst and returns it. The first n-1 values
// are NaN; n is at most 500.
func PWMA(dst, x []float64, n int) []float64 {
	return single(pwmaIndicator(), dst, [][]float64{x}, float64(n))
}

// PWMAStream is [PWMA] one value at a time. It is not safe for concurrent use; make
// it with [NewPWMA].
type PWMAStream struct{ machine }

// NewPWMA returns a stream of [PWMA], or a *[FieldError] for a parameter that is
// out of range.
func NewPWMA(n int) (*PWMAStream, error) {
	m, err := open(pwmaIndicator(), float64(n))
	if err != nil {
		return nil, err
	}
	return &PWMAStream{m}, nil
}

// Update takes the next value and returns its result, NaN during warm-up.
func (s *PWMAStream) Update(x float64) float64 {
	s.in[0] = x
	s.machine.Update(s.in, s.out)
	return s.out[0]
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *PWMAStream) Peek(x float64) float64 {
	s.in[0] = x
	s.machine.Peek(s.in, s.out)
	return s.out[0]
}

var pwmaIndicator = once(func() Indicator {
	return weighted(Indicator{Name: "PWMA", Summary: "Pascal's weighted moving average.",
		Inputs: closes(), Params: []Param{whole("n", 10, 1, 500)}, Outputs: overlay("PWMA")},
		func(p []float64) []float64 {
			n, w := int(p[0]), make([]float64, int(p[0]))
			c := 1.0
			for i := range w {
				w[i] = c
				c = c * float64(n-1-i) / float64(i+1)
			}
			return w
		})
})
