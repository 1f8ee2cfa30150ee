package indicators

// Accelerator writes Williams's accelerator oscillator into dst and returns it:
// the awesome oscillator less its SMA over fast. The first slow-1 + fast-1
// values are NaN.
func Accelerator(dst, high, low []float64, fast, slow int) []float64 {
	return single(acceleratorIndicator(), dst, [][]float64{high, low}, float64(fast), float64(slow))
}

// AcceleratorStream is [Accelerator] one bar at a time. It is not safe for concurrent use; make
// it with [NewAccelerator].
type AcceleratorStream struct{ machine }

// NewAccelerator returns a stream of [Accelerator], or a *[FieldError] for a parameter that is
// out of range.
func NewAccelerator(fast, slow int) (*AcceleratorStream, error) {
	m, err := open(acceleratorIndicator(), float64(fast), float64(slow))
	if err != nil {
		return nil, err
	}
	return &AcceleratorStream{m}, nil
}

// Update takes the next bar and returns its result, NaN during warm-up.
func (s *AcceleratorStream) Update(high, low float64) float64 {
	s.in[0], s.in[1] = high, low
	s.machine.Update(s.in, s.out)
	return s.out[0]
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *AcceleratorStream) Peek(high, low float64) float64 {
	s.in[0], s.in[1] = high, low
	s.machine.Peek(s.in, s.out)
	return s.out[0]
}

var acceleratorIndicator = once(func() Indicator {
	return describe(Indicator{Name: "Accelerator", Aliases: []string{"AC"}, Summary: "Accelerator oscillator: the awesome oscillator less its average.",
		Inputs: hl(), Params: []Param{period("fast", 5, 1), period("slow", 34, 1)}, Outputs: pane("AC")},
		func(p []float64) int { return int(max(p[0], p[1])+p[0]) - 2 }, func(b *bank, p []float64) step {
			f, s, a := b.mean(int(p[0])), b.mean(int(p[1])), b.mean(int(p[0]))
			return func(in, out []float64) {
				m := (in[0] + in[1]) / 2
				ao := f.push(m) - s.push(m)
				out[0] = ao - a.push(ao)
			}
		})
})
