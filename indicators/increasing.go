package indicators

// IncreasingValues are the outputs of [Increasing], of equal length.
type IncreasingValues struct{ Increasing, Decreasing []float64 }

// IncreasingPoint is one bar of [IncreasingValues].
type IncreasingPoint struct{ Increasing, Decreasing float64 }

// Increasing writes into dst, and returns, 1 where x is above its value of n bars
// ago and, in Decreasing, 1 where it is below; 0 elsewhere. The first n values are
// NaN.
func Increasing(dst IncreasingValues, x []float64, n int) IncreasingValues {
	out := [][]float64{dst.Increasing, dst.Decreasing}
	batch(increasingIndicator(), out, [][]float64{x}, float64(n))
	return IncreasingValues{Increasing: out[0], Decreasing: out[1]}
}

// IncreasingStream is [Increasing] one value at a time. It is not safe for concurrent use; make
// it with [NewIncreasing].
type IncreasingStream struct{ machine }

// NewIncreasing returns a stream of [Increasing], or a *[FieldError] for a parameter that is
// out of range.
func NewIncreasing(n int) (*IncreasingStream, error) {
	m, err := open(increasingIndicator(), float64(n))
	if err != nil {
		return nil, err
	}
	return &IncreasingStream{m}, nil
}

// Update takes the next value and returns its result, NaN during warm-up.
func (s *IncreasingStream) Update(x float64) IncreasingPoint {
	s.in[0] = x
	s.machine.Update(s.in, s.out)
	return IncreasingPoint{Increasing: s.out[0], Decreasing: s.out[1]}
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *IncreasingStream) Peek(x float64) IncreasingPoint {
	s.in[0] = x
	s.machine.Peek(s.in, s.out)
	return IncreasingPoint{Increasing: s.out[0], Decreasing: s.out[1]}
}

var increasingIndicator = once(func() Indicator {
	return describe(Indicator{Name: "Increasing", Aliases: []string{"Decreasing"}, Summary: "Whether a value is above, or below, that of n bars ago.",
		Inputs: closes(), Params: periods(1, 1), Outputs: pane("Increasing", "Decreasing")},
		first(0), func(b *bank, p []float64) step {
			l := b.lag(int(p[0]))
			return func(in, out []float64) {
				before := l.push(in[0])
				if out[0], out[1] = nan(), nan(); before == before {
					out[0], out[1] = 0, 0
				}
				if in[0] > before {
					out[0] = 1
				} else if in[0] < before {
					out[1] = 1
				}
			}
		})
})
