package indicators

import "math"

// StdDevValues are the outputs of [StdDev], of equal length.
type StdDevValues struct{ StdDev, Mean, Variance, SampleStdDev, StdErr []float64 }

// StdDevPoint is one bar of [StdDevValues].
type StdDevPoint struct{ StdDev, Mean, Variance, SampleStdDev, StdErr float64 }

// StdDev writes the population standard deviation of the last n values of x into
// dst and returns it, with their mean, variance, sample deviation (divided by
// n-1) and standard error (the deviation over √n). The first n-1 values are NaN.
func StdDev(dst StdDevValues, x []float64, n int) StdDevValues {
	out := [][]float64{dst.StdDev, dst.Mean, dst.Variance, dst.SampleStdDev, dst.StdErr}
	batch(stdDevIndicator(), out, [][]float64{x}, float64(n))
	return StdDevValues{StdDev: out[0], Mean: out[1], Variance: out[2], SampleStdDev: out[3], StdErr: out[4]}
}

// StdDevStream is [StdDev] one value at a time. It is not safe for concurrent use; make
// it with [NewStdDev].
type StdDevStream struct{ machine }

// NewStdDev returns a stream of [StdDev], or a *[FieldError] for a parameter that is
// out of range.
func NewStdDev(n int) (*StdDevStream, error) {
	m, err := open(stdDevIndicator(), float64(n))
	if err != nil {
		return nil, err
	}
	return &StdDevStream{m}, nil
}

// Update takes the next value and returns its result, NaN during warm-up.
func (s *StdDevStream) Update(x float64) StdDevPoint {
	s.in[0] = x
	s.machine.Update(s.in, s.out)
	return StdDevPoint{StdDev: s.out[0], Mean: s.out[1], Variance: s.out[2], SampleStdDev: s.out[3], StdErr: s.out[4]}
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *StdDevStream) Peek(x float64) StdDevPoint {
	s.in[0] = x
	s.machine.Peek(s.in, s.out)
	return StdDevPoint{StdDev: s.out[0], Mean: s.out[1], Variance: s.out[2], SampleStdDev: s.out[3], StdErr: s.out[4]}
}

var stdDevIndicator = once(func() Indicator {
	return describe(Indicator{Name: "StdDev", Aliases: []string{"Variance", "VAR", "StdErr"}, Summary: "Standard deviation, with mean, variance and the sample's deviation.",
		Inputs: closes(), Params: periods(20, 2), Outputs: append(pane("StdDev"), append(overlay("Mean"), pane("Variance", "SampleStdDev", "StdErr")...)...)},
		first(-1), func(b *bank, p []float64) step {
			m := b.moments(int(p[0]))
			return func(in, out []float64) {
				mean, squares := m.push(in[0])
				v := squares / p[0]
				out[0], out[1], out[2], out[3] = math.Sqrt(v), mean, v, math.Sqrt(squares/(p[0]-1))
				out[4] = out[0] / math.Sqrt(p[0])
			}
		})
})
