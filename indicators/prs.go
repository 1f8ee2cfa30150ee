package indicators

// PRSValues are the outputs of [PRS], of equal length.
type PRSValues struct{ PRS, Percent []float64 }

// PRSPoint is one bar of [PRSValues].
type PRSPoint struct{ PRS, Percent float64 }

// PRS writes the price relative strength of the first series to the second into
// dst and returns it: their ratio, and the difference of their changes over n,
// as fractions. The first n values of the second are NaN.
func PRS(dst PRSValues, x, base []float64, n int) PRSValues {
	out := [][]float64{dst.PRS, dst.Percent}
	batch(prsIndicator(), out, [][]float64{x, base}, float64(n))
	return PRSValues{PRS: out[0], Percent: out[1]}
}

// PRSStream is [PRS] one bar at a time. It is not safe for concurrent use; make
// it with [NewPRS].
type PRSStream struct{ machine }

// NewPRS returns a stream of [PRS], or a *[FieldError] for a parameter that is
// out of range.
func NewPRS(n int) (*PRSStream, error) {
	m, err := open(prsIndicator(), float64(n))
	if err != nil {
		return nil, err
	}
	return &PRSStream{m}, nil
}

// Update takes the next bar and returns its result, NaN during warm-up.
func (s *PRSStream) Update(x, base float64) PRSPoint {
	s.in[0], s.in[1] = x, base
	s.machine.Update(s.in, s.out)
	return PRSPoint{PRS: s.out[0], Percent: s.out[1]}
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *PRSStream) Peek(x, base float64) PRSPoint {
	s.in[0], s.in[1] = x, base
	s.machine.Peek(s.in, s.out)
	return PRSPoint{PRS: s.out[0], Percent: s.out[1]}
}

var prsIndicator = once(func() Indicator {
	return describe(Indicator{Name: "PRS", Summary: "Price relative strength of one series to another.",
		Inputs: hl(), Params: periods(20, 1), Outputs: pane("PRS", "Percent")},
		first(0), func(b *bank, p []float64) step {
			x, y := b.lag(int(p[0])), b.lag(int(p[0]))
			return func(in, out []float64) {
				ox, oy := x.push(in[0]), y.push(in[1])
				out[0] = over(in[0], in[1], nan())
				out[1] = over(in[0]-ox, ox, nan()) - over(in[1]-oy, oy, nan())
			}
		})
})
