package indicators

import "math"

// SlopeValues are the outputs of [Slope], of equal length.
type SlopeValues struct{ Slope, Intercept, StdDev, RSquared []float64 }

// SlopePoint is one bar of [SlopeValues].
type SlopePoint struct{ Slope, Intercept, StdDev, RSquared float64 }

// Slope writes the slope of the least-squares line through the last n values
// of x, per bar, into dst and returns it, with the line's value at the window's
// first bar, the standard deviation of the values (divided by n) and the
// coefficient of determination. The first n-1 values are NaN.
func Slope(dst SlopeValues, x []float64, n int) SlopeValues {
	out := [][]float64{dst.Slope, dst.Intercept, dst.StdDev, dst.RSquared}
	batch(slopeIndicator(), out, [][]float64{x}, float64(n))
	return SlopeValues{Slope: out[0], Intercept: out[1], StdDev: out[2], RSquared: out[3]}
}

// SlopeStream is [Slope] one value at a time. It is not safe for concurrent use; make
// it with [NewSlope].
type SlopeStream struct{ machine }

// NewSlope returns a stream of [Slope], or a *[FieldError] for a parameter that is
// out of range.
func NewSlope(n int) (*SlopeStream, error) {
	m, err := open(slopeIndicator(), float64(n))
	if err != nil {
		return nil, err
	}
	return &SlopeStream{m}, nil
}

// Update takes the next value and returns its result, NaN during warm-up.
func (s *SlopeStream) Update(x float64) SlopePoint {
	s.in[0] = x
	s.machine.Update(s.in, s.out)
	return SlopePoint{Slope: s.out[0], Intercept: s.out[1], StdDev: s.out[2], RSquared: s.out[3]}
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *SlopeStream) Peek(x float64) SlopePoint {
	s.in[0] = x
	s.machine.Peek(s.in, s.out)
	return SlopePoint{Slope: s.out[0], Intercept: s.out[1], StdDev: s.out[2], RSquared: s.out[3]}
}

var slopeIndicator = once(func() Indicator {
	return describe(Indicator{Name: "Slope", Summary: "Slope of the least-squares line, with its start, the deviation and R².",
		Inputs: closes(), Params: periods(14, 2), Outputs: pane("Slope", "Intercept", "StdDev", "RSquared")},
		first(-1), func(b *bank, p []float64) step {
			l, m := b.line(int(p[0])), b.moments(int(p[0]))
			return func(in, out []float64) {
				end, slope := l.push(in[0])
				_, squares := m.push(in[0])
				explained := min(slope*slope*p[0]*(p[0]*p[0]-1)/12, squares)
				out[0], out[1] = slope, end-float64(slope*(p[0]-1))
				out[2], out[3] = math.Sqrt(squares/p[0]), over(explained, squares, 1)
			}
		})
})
