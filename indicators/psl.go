package indicators

// PSL writes the psychological line of closes into dst and returns it: the
// percentage of the last n changes that were rises. The first n values are NaN.
func PSL(dst, closes []float64, n int) []float64 {
	return single(pslIndicator(), dst, [][]float64{closes}, float64(n))
}

// PSLStream is [PSL] one value at a time. It is not safe for concurrent use; make
// it with [NewPSL].
type PSLStream struct{ machine }

// NewPSL returns a stream of [PSL], or a *[FieldError] for a parameter that is
// out of range.
func NewPSL(n int) (*PSLStream, error) {
	m, err := open(pslIndicator(), float64(n))
	if err != nil {
		return nil, err
	}
	return &PSLStream{m}, nil
}

// Update takes the next value and returns its result, NaN during warm-up.
func (s *PSLStream) Update(x float64) float64 {
	s.in[0] = x
	s.machine.Update(s.in, s.out)
	return s.out[0]
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *PSLStream) Peek(x float64) float64 {
	s.in[0] = x
	s.machine.Peek(s.in, s.out)
	return s.out[0]
}

var pslIndicator = once(func() Indicator {
	return describe(Indicator{Name: "PSL", Summary: "Psychological line: percentage of rising bars.",
		Inputs: closes(), Params: periods(12, 1), Outputs: pane("PSL")},
		first(0), func(b *bank, p []float64) step {
			last, s := b.lag(1), b.mean(int(p[0]))
			return func(in, out []float64) { out[0] = 100 * s.push(above(in[0], last.push(in[0]))) }
		})
})
