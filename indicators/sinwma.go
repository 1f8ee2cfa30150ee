package indicators

import "math"

// SINWMA writes a moving average of x with half a sine wave as weights into
// dst and returns it: w(i) = sin(π·i/(n+1)), i = 1 … n. The first n-1 values
// are NaN.
func SINWMA(dst, x []float64, n int) []float64 {
	return single(sinwmaIndicator(), dst, [][]float64{x}, float64(n))
}

// SINWMAStream is [SINWMA] one value at a time. It is not safe for concurrent use; make
// it with [NewSINWMA].
type SINWMAStream struct{ machine }

// NewSINWMA returns a stream of [SINWMA], or a *[FieldError] for a parameter that is
// out of range.
func NewSINWMA(n int) (*SINWMAStream, error) {
	m, err := open(sinwmaIndicator(), float64(n))
	if err != nil {
		return nil, err
	}
	return &SINWMAStream{m}, nil
}

// Update takes the next value and returns its result, NaN during warm-up.
func (s *SINWMAStream) Update(x float64) float64 {
	s.in[0] = x
	s.machine.Update(s.in, s.out)
	return s.out[0]
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *SINWMAStream) Peek(x float64) float64 {
	s.in[0] = x
	s.machine.Peek(s.in, s.out)
	return s.out[0]
}

var sinwmaIndicator = once(func() Indicator {
	return weighted(Indicator{Name: "SINWMA", Summary: "Sine weighted moving average.",
		Inputs: closes(), Params: periods(14, 1), Outputs: overlay("SINWMA")},
		func(p []float64) []float64 {
			w := make([]float64, int(p[0]))
			for i := range w {
				w[i] = math.Sin(math.Pi * float64(i+1) / (p[0] + 1))
			}
			return w
		})
})
