package indicators

import "math"

// MeanDeviationValues are the outputs of [MeanDeviation], of equal length.
type MeanDeviationValues struct{ MAD, MSE, MAPE []float64 }

// MeanDeviationPoint is one bar of [MeanDeviationValues].
type MeanDeviationPoint struct{ MAD, MSE, MAPE float64 }

// MeanDeviation writes the dispersion of the last n values of x around their
// mean into dst and returns it: MAD the mean absolute deviation, MSE the mean
// squared one, MAPE the mean absolute one as a fraction of each value. The
// first n-1 values are NaN.
func MeanDeviation(dst MeanDeviationValues, x []float64, n int) MeanDeviationValues {
	out := [][]float64{dst.MAD, dst.MSE, dst.MAPE}
	batch(deviationIndicator(), out, [][]float64{x}, float64(n))
	return MeanDeviationValues{MAD: out[0], MSE: out[1], MAPE: out[2]}
}

// MeanDeviationStream is [MeanDeviation] one value at a time. It is not safe for concurrent use; make
// it with [NewMeanDeviation].
type MeanDeviationStream struct{ machine }

// NewMeanDeviation returns a stream of [MeanDeviation], or a *[FieldError] for a parameter that is
// out of range.
func NewMeanDeviation(n int) (*MeanDeviationStream, error) {
	m, err := open(deviationIndicator(), float64(n))
	if err != nil {
		return nil, err
	}
	return &MeanDeviationStream{m}, nil
}

// Update takes the next value and returns its result, NaN during warm-up.
func (s *MeanDeviationStream) Update(x float64) MeanDeviationPoint {
	s.in[0] = x
	s.machine.Update(s.in, s.out)
	return MeanDeviationPoint{MAD: s.out[0], MSE: s.out[1], MAPE: s.out[2]}
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *MeanDeviationStream) Peek(x float64) MeanDeviationPoint {
	s.in[0] = x
	s.machine.Peek(s.in, s.out)
	return MeanDeviationPoint{MAD: s.out[0], MSE: s.out[1], MAPE: s.out[2]}
}

var deviationIndicator = once(func() Indicator {
	return describe(Indicator{Name: "MeanDeviation", Aliases: []string{"MAD", "MD", "SMAAnalysis"}, Summary: "Mean absolute and squared deviation from the simple average.",
		Inputs: closes(), Params: periods(20, 1), Outputs: pane("MAD", "MSE", "MAPE")},
		first(-1), func(b *bank, p []float64) step {
			w, a, m := b.window(int(p[0])), b.away(int(p[0])), b.moments(int(p[0]))
			return func(in, out []float64) {
				_, squares := m.push(in[0])
				distance, away := a.push(in[0])
				values := w.push(in[0])
				out[0], out[1], out[2] = away, squares/p[0], nan()
				if values != nil {
					out[2] = 0
					for _, v := range values {
						out[2] += over(math.Abs(v-in[0]+distance), v, nan())
					}
					out[2] /= p[0]
				}
			}
		})
})
