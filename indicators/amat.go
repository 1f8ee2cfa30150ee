package indicators

// AMATValues are the outputs of [AMAT], of equal length.
type AMATValues struct{ Long, Short []float64 }

// AMATPoint is one bar of [AMATValues].
type AMATPoint struct{ Long, Short float64 }

// AMAT writes the trends of Archer's moving averages of closes into dst and
// returns them: Long is 1 where, over the last `lookback` bars, the fast EMA
// rose and the slow one fell, or both rose; Short where the fast fell and the
// slow rose, or both fell; 0 otherwise. The first slow-1 + lookback values are
// NaN.
func AMAT(dst AMATValues, closes []float64, fast, slow, lookback int) AMATValues {
	out := [][]float64{dst.Long, dst.Short}
	batch(amatIndicator(), out, [][]float64{closes}, float64(fast), float64(slow), float64(lookback))
	return AMATValues{Long: out[0], Short: out[1]}
}

// AMATStream is [AMAT] one value at a time. It is not safe for concurrent use; make
// it with [NewAMAT].
type AMATStream struct{ machine }

// NewAMAT returns a stream of [AMAT], or a *[FieldError] for a parameter that is
// out of range.
func NewAMAT(fast, slow, lookback int) (*AMATStream, error) {
	m, err := open(amatIndicator(), float64(fast), float64(slow), float64(lookback))
	if err != nil {
		return nil, err
	}
	return &AMATStream{m}, nil
}

// Update takes the next value and returns its result, NaN during warm-up.
func (s *AMATStream) Update(x float64) AMATPoint {
	s.in[0] = x
	s.machine.Update(s.in, s.out)
	return AMATPoint{Long: s.out[0], Short: s.out[1]}
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *AMATStream) Peek(x float64) AMATPoint {
	s.in[0] = x
	s.machine.Peek(s.in, s.out)
	return AMATPoint{Long: s.out[0], Short: s.out[1]}
}

var amatIndicator = once(func() Indicator {
	return describe(Indicator{Name: "AMAT", Summary: "Archer moving averages trends.",
		Inputs: closes(), Params: []Param{period("fast", 8, 1), period("slow", 21, 1), period("lookback", 2, 1)}, Outputs: pane("Long", "Short")},
		func(p []float64) int { return int(max(p[0], p[1])+p[2]) - 1 }, func(b *bank, p []float64) step {
			f, s, fb, sb := b.ema(int(p[0])), b.ema(int(p[1])), b.lag(int(p[2])), b.lag(int(p[2]))
			return func(in, out []float64) {
				fast, slow := f.push(in[0]), s.push(in[0])
				df, ds := fast-fb.push(fast), slow-sb.push(slow)
				out[0], out[1] = above(df, 0), above(0, df)
				if ds != ds {
					out[0], out[1] = nan(), nan()
				}
			}
		})
})
