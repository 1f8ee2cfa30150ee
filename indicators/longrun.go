package indicators

// LongRunValues are the outputs of [LongRun], of equal length.
type LongRunValues struct{ Long, Short []float64 }

// LongRunPoint is one bar of [LongRunValues].
type LongRunPoint struct{ Long, Short float64 }

// LongRun writes 1 into dst where, over n bars, the fast series rose while the
// slow one did not rise, or both rose; and returns it: the gap between two
// averages opening upwards. Short is the reverse. The first n values are NaN.
func LongRun(dst LongRunValues, fast, slow []float64, n int) LongRunValues {
	out := [][]float64{dst.Long, dst.Short}
	batch(runIndicator(), out, [][]float64{fast, slow}, float64(n))
	return LongRunValues{Long: out[0], Short: out[1]}
}

// LongRunStream is [LongRun] one bar at a time. It is not safe for concurrent use; make
// it with [NewLongRun].
type LongRunStream struct{ machine }

// NewLongRun returns a stream of [LongRun], or a *[FieldError] for a parameter that is
// out of range.
func NewLongRun(n int) (*LongRunStream, error) {
	m, err := open(runIndicator(), float64(n))
	if err != nil {
		return nil, err
	}
	return &LongRunStream{m}, nil
}

// Update takes the next bar and returns its result, NaN during warm-up.
func (s *LongRunStream) Update(fast, slow float64) LongRunPoint {
	s.in[0], s.in[1] = fast, slow
	s.machine.Update(s.in, s.out)
	return LongRunPoint{Long: s.out[0], Short: s.out[1]}
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *LongRunStream) Peek(fast, slow float64) LongRunPoint {
	s.in[0], s.in[1] = fast, slow
	s.machine.Peek(s.in, s.out)
	return LongRunPoint{Long: s.out[0], Short: s.out[1]}
}

var runIndicator = once(func() Indicator {
	return describe(Indicator{Name: "LongRun", Aliases: []string{"ShortRun"}, Summary: "Whether a fast and a slow series rise (Long) or fall (Short) over n bars.",
		Inputs: []string{"high", "low"}, Params: periods(2, 1), Outputs: pane("Long", "Short")},
		first(0), func(b *bank, p []float64) step {
			f, s := b.lag(int(p[0])), b.lag(int(p[0]))
			return func(in, out []float64) {
				df, ds := in[0]-f.push(in[0]), in[1]-s.push(in[1])
				out[0], out[1] = above(df, 0), above(0, df)
				if ds != ds {
					out[0], out[1] = nan(), nan()
				}
			}
		})
})
