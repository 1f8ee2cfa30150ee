package indicators

import "math"

// Skew writes the sample skewness of the last n values of x, adjusted for bias
// (G1), into dst and returns it; 0 where they are all equal. The first n-1
// values are NaN; n is at least 3.
func Skew(dst, x []float64, n int) []float64 {
	return single(skewIndicator(), dst, [][]float64{x}, float64(n))
}

// SkewStream is [Skew] one value at a time. It is not safe for concurrent use; make
// it with [NewSkew].
type SkewStream struct{ machine }

// NewSkew returns a stream of [Skew], or a *[FieldError] for a parameter that is
// out of range.
func NewSkew(n int) (*SkewStream, error) {
	m, err := open(skewIndicator(), float64(n))
	if err != nil {
		return nil, err
	}
	return &SkewStream{m}, nil
}

// Update takes the next value and returns its result, NaN during warm-up.
func (s *SkewStream) Update(x float64) float64 {
	s.in[0] = x
	s.machine.Update(s.in, s.out)
	return s.out[0]
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *SkewStream) Peek(x float64) float64 {
	s.in[0] = x
	s.machine.Peek(s.in, s.out)
	return s.out[0]
}

var skewIndicator = once(func() Indicator {
	return describe(Indicator{Name: "Skew", Summary: "Skewness of the last n values.",
		Inputs: closes(), Params: periods(30, 3), Outputs: pane("Skew")},
		first(-1), func(b *bank, p []float64) step {
			w := b.powers(int(p[0]))
			n := p[0]
			scale := math.Sqrt(n*(n-1)) / (n - 2)
			return func(in, out []float64) {
				m2, m3, _ := w.push(in[0])
				out[0] = over(m3, m2*math.Sqrt(m2), 0) * scale
			}
		})
})
