package indicators

// ExtremesValues are the outputs of [Extremes], of equal length.
type ExtremesValues struct{ Max, Min, Midpoint []float64 }

// ExtremesPoint is one bar of [ExtremesValues].
type ExtremesPoint struct{ Max, Min, Midpoint float64 }

// Extremes writes the highest and the lowest of the last n values of x into dst
// and returns them, with their middle (the midpoint). The first n-1 values are
// NaN.
func Extremes(dst ExtremesValues, x []float64, n int) ExtremesValues {
	out := [][]float64{dst.Max, dst.Min, dst.Midpoint}
	batch(extremesIndicator(), out, [][]float64{x}, float64(n))
	return ExtremesValues{Max: out[0], Min: out[1], Midpoint: out[2]}
}

// ExtremesStream is [Extremes] one value at a time. It is not safe for concurrent use; make
// it with [NewExtremes].
type ExtremesStream struct{ machine }

// NewExtremes returns a stream of [Extremes], or a *[FieldError] for a parameter that is
// out of range.
func NewExtremes(n int) (*ExtremesStream, error) {
	m, err := open(extremesIndicator(), float64(n))
	if err != nil {
		return nil, err
	}
	return &ExtremesStream{m}, nil
}

// Update takes the next value and returns its result, NaN during warm-up.
func (s *ExtremesStream) Update(x float64) ExtremesPoint {
	s.in[0] = x
	s.machine.Update(s.in, s.out)
	return ExtremesPoint{Max: s.out[0], Min: s.out[1], Midpoint: s.out[2]}
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *ExtremesStream) Peek(x float64) ExtremesPoint {
	s.in[0] = x
	s.machine.Peek(s.in, s.out)
	return ExtremesPoint{Max: s.out[0], Min: s.out[1], Midpoint: s.out[2]}
}

var extremesIndicator = once(func() Indicator {
	return describe(Indicator{Name: "Extremes", Aliases: []string{"MAX", "MIN", "Midpoint"}, Summary: "Highest, lowest and middle of the last n values.",
		Inputs: closes(), Params: periods(20, 1), Outputs: overlay("Max", "Min", "Midpoint")},
		first(-1), func(b *bank, p []float64) step {
			h, l := b.highest(int(p[0])), b.lowest(int(p[0]))
			return func(in, out []float64) {
				out[0], out[1] = h.push(in[0]), l.push(in[0])
				out[2] = (out[0] + out[1]) / 2
			}
		})
})
