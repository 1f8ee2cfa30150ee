package indicators

// BIAS writes the distance of closes from their SMA over n, as a fraction of it,
// into dst and returns it. The first n-1 values are NaN.
func BIAS(dst, closes []float64, n int) []float64 {
	return single(biasIndicator(), dst, [][]float64{closes}, float64(n))
}

// BIASStream is [BIAS] one value at a time. It is not safe for concurrent use; make
// it with [NewBIAS].
type BIASStream struct{ machine }

// NewBIAS returns a stream of [BIAS], or a *[FieldError] for a parameter that is
// out of range.
func NewBIAS(n int) (*BIASStream, error) {
	m, err := open(biasIndicator(), float64(n))
	if err != nil {
		return nil, err
	}
	return &BIASStream{m}, nil
}

// Update takes the next value and returns its result, NaN during warm-up.
func (s *BIASStream) Update(x float64) float64 {
	s.in[0] = x
	s.machine.Update(s.in, s.out)
	return s.out[0]
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *BIASStream) Peek(x float64) float64 {
	s.in[0] = x
	s.machine.Peek(s.in, s.out)
	return s.out[0]
}

var biasIndicator = once(func() Indicator {
	return describe(Indicator{Name: "BIAS", Summary: "Distance from the simple average, as a fraction of it.",
		Inputs: closes(), Params: periods(26, 1), Outputs: pane("BIAS")},
		first(-1), func(b *bank, p []float64) step {
			m := b.mean(int(p[0]))
			return func(in, out []float64) { out[0] = over(in[0], m.push(in[0]), nan()) - 1 }
		})
})
