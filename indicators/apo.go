package indicators

// APO writes the absolute price oscillator of closes into dst and returns it:
// the fast EMA less the slow one. The first max(fast, slow)-1 values are NaN.
func APO(dst, closes []float64, fast, slow int) []float64 {
	return single(apoIndicator(), dst, [][]float64{closes}, float64(fast), float64(slow))
}

// APOStream is [APO] one value at a time. It is not safe for concurrent use; make
// it with [NewAPO].
type APOStream struct{ machine }

// NewAPO returns a stream of [APO], or a *[FieldError] for a parameter that is
// out of range.
func NewAPO(fast, slow int) (*APOStream, error) {
	m, err := open(apoIndicator(), float64(fast), float64(slow))
	if err != nil {
		return nil, err
	}
	return &APOStream{m}, nil
}

// Update takes the next value and returns its result, NaN during warm-up.
func (s *APOStream) Update(x float64) float64 {
	s.in[0] = x
	s.machine.Update(s.in, s.out)
	return s.out[0]
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *APOStream) Peek(x float64) float64 {
	s.in[0] = x
	s.machine.Peek(s.in, s.out)
	return s.out[0]
}

var apoIndicator = once(func() Indicator {
	return describe(Indicator{Name: "APO", Summary: "Absolute price oscillator: the fast EMA less the slow.",
		Inputs: closes(), Params: []Param{period("fast", 12, 1), period("slow", 26, 1)}, Outputs: pane("APO")},
		func(p []float64) int { return int(max(p[0], p[1])) - 1 }, func(b *bank, p []float64) step {
			f, s := b.ema(int(p[0])), b.ema(int(p[1]))
			return func(in, out []float64) { out[0] = f.push(in[0]) - s.push(in[0]) }
		})
})
