package indicators

import "math"

// ZScore writes the distance of x from the mean of its last n values in
// population deviations into dst and returns it; NaN where they are all equal.
// The first n-1 values are NaN.
func ZScore(dst, x []float64, n int) []float64 {
	return single(zScoreIndicator(), dst, [][]float64{x}, float64(n))
}

// ZScoreStream is [ZScore] one value at a time. It is not safe for concurrent use; make
// it with [NewZScore].
type ZScoreStream struct{ machine }

// NewZScore returns a stream of [ZScore], or a *[FieldError] for a parameter that is
// out of range.
func NewZScore(n int) (*ZScoreStream, error) {
	m, err := open(zScoreIndicator(), float64(n))
	if err != nil {
		return nil, err
	}
	return &ZScoreStream{m}, nil
}

// Update takes the next value and returns its result, NaN during warm-up.
func (s *ZScoreStream) Update(x float64) float64 {
	s.in[0] = x
	s.machine.Update(s.in, s.out)
	return s.out[0]
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *ZScoreStream) Peek(x float64) float64 {
	s.in[0] = x
	s.machine.Peek(s.in, s.out)
	return s.out[0]
}

var zScoreIndicator = once(func() Indicator {
	return describe(Indicator{Name: "ZScore", Summary: "Distance from the mean in standard deviations.",
		Inputs: closes(), Params: periods(30, 2), Outputs: pane("ZScore")},
		first(-1), func(b *bank, p []float64) step {
			m := b.moments(int(p[0]))
			return func(in, out []float64) {
				_, distance, squares := m.sumsTo(in[0])
				out[0] = over(distance, math.Sqrt(squares/p[0]), nan())
			}
		})
})
