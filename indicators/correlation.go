package indicators

import "math"

// CorrelationValues are the outputs of [Correlation], of equal length.
type CorrelationValues struct{ Correlation, RSquared, Covariance, VarianceA, VarianceB []float64 }

// CorrelationPoint is one bar of [CorrelationValues].
type CorrelationPoint struct{ Correlation, RSquared, Covariance, VarianceA, VarianceB float64 }

// Correlation writes the correlation of two series over n into dst and returns
// it, with the square of it, their covariance and their variances (population).
// NaN where one does not move. The first n-1 values are NaN.
func Correlation(dst CorrelationValues, a, b []float64, n int) CorrelationValues {
	out := [][]float64{dst.Correlation, dst.RSquared, dst.Covariance, dst.VarianceA, dst.VarianceB}
	batch(correlationIndicator(), out, [][]float64{a, b}, float64(n))
	return CorrelationValues{Correlation: out[0], RSquared: out[1], Covariance: out[2], VarianceA: out[3], VarianceB: out[4]}
}

// CorrelationStream is [Correlation] one bar at a time. It is not safe for concurrent use; make
// it with [NewCorrelation].
type CorrelationStream struct{ machine }

// NewCorrelation returns a stream of [Correlation], or a *[FieldError] for a parameter that is
// out of range.
func NewCorrelation(n int) (*CorrelationStream, error) {
	m, err := open(correlationIndicator(), float64(n))
	if err != nil {
		return nil, err
	}
	return &CorrelationStream{m}, nil
}

// Update takes the next bar and returns its result, NaN during warm-up.
func (s *CorrelationStream) Update(a, b float64) CorrelationPoint {
	s.in[0], s.in[1] = a, b
	s.machine.Update(s.in, s.out)
	return CorrelationPoint{Correlation: s.out[0], RSquared: s.out[1], Covariance: s.out[2], VarianceA: s.out[3], VarianceB: s.out[4]}
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *CorrelationStream) Peek(a, b float64) CorrelationPoint {
	s.in[0], s.in[1] = a, b
	s.machine.Peek(s.in, s.out)
	return CorrelationPoint{Correlation: s.out[0], RSquared: s.out[1], Covariance: s.out[2], VarianceA: s.out[3], VarianceB: s.out[4]}
}

var correlationIndicator = once(func() Indicator {
	return describe(Indicator{Name: "Correlation", Aliases: []string{"CORREL", "CORR"}, Summary: "Correlation of two series over the last n values.",
		Inputs: hl(), Params: periods(20, 2), Outputs: pane("Correlation", "RSquared", "Covariance", "VarianceA", "VarianceB")},
		first(-1), func(b *bank, p []float64) step {
			w, n := b.pairs(int(p[0])), p[0]
			return func(in, out []float64) {
				s := w.push(in[0], in[1], true)
				vx, vy, c := s.xx/n, s.yy/n, s.xy/n
				r := over(c, math.Sqrt(vx*vy), nan())
				out[0], out[1], out[2], out[3], out[4] = r, r*r, c, vx, vy
			}
		})
})
