package indicators

// CFO writes Chande's forecast oscillator of closes into dst and returns it:
// the percentage by which the close is above the end of the least-squares line
// through the last n closes. The first n-1 values are NaN.
func CFO(dst, closes []float64, n int) []float64 {
	return single(cfoIndicator(), dst, [][]float64{closes}, float64(n))
}

// CFOStream is [CFO] one value at a time. It is not safe for concurrent use; make
// it with [NewCFO].
type CFOStream struct{ machine }

// NewCFO returns a stream of [CFO], or a *[FieldError] for a parameter that is
// out of range.
func NewCFO(n int) (*CFOStream, error) {
	m, err := open(cfoIndicator(), float64(n))
	if err != nil {
		return nil, err
	}
	return &CFOStream{m}, nil
}

// Update takes the next value and returns its result, NaN during warm-up.
func (s *CFOStream) Update(x float64) float64 {
	s.in[0] = x
	s.machine.Update(s.in, s.out)
	return s.out[0]
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *CFOStream) Peek(x float64) float64 {
	s.in[0] = x
	s.machine.Peek(s.in, s.out)
	return s.out[0]
}

var cfoIndicator = once(func() Indicator {
	return describe(Indicator{Name: "CFO", Summary: "Chande's forecast oscillator: percent above the regression line's end.",
		Inputs: closes(), Params: periods(9, 2), Outputs: pane("CFO")},
		first(-1), func(b *bank, p []float64) step {
			l := b.line(int(p[0]))
			return func(in, out []float64) {
				end, _ := l.push(in[0])
				out[0] = over(100*(in[0]-end), in[0], nan())
			}
		})
})
