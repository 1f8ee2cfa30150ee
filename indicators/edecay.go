package indicators

// EDecay is [Decay] by a factor: D(t) = max(x(t), D(t-1)·(n-1)/n). No value is
// NaN.
func EDecay(dst, x []float64, n int) []float64 {
	return single(eDecayIndicator(), dst, [][]float64{x}, float64(n))
}

// EDecayStream is [EDecay] one value at a time. It is not safe for concurrent use; make
// it with [NewEDecay].
type EDecayStream struct{ machine }

// NewEDecay returns a stream of [EDecay], or a *[FieldError] for a parameter that is
// out of range.
func NewEDecay(n int) (*EDecayStream, error) {
	m, err := open(eDecayIndicator(), float64(n))
	if err != nil {
		return nil, err
	}
	return &EDecayStream{m}, nil
}

// Update takes the next value and returns its result, NaN during warm-up.
func (s *EDecayStream) Update(x float64) float64 {
	s.in[0] = x
	s.machine.Update(s.in, s.out)
	return s.out[0]
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *EDecayStream) Peek(x float64) float64 {
	s.in[0] = x
	s.machine.Peek(s.in, s.out)
	return s.out[0]
}

var eDecayIndicator = once(func() Indicator {
	return describe(Indicator{Name: "EDecay", Summary: "Exponential decay: a peak that sinks by the factor (n-1)/n a bar.",
		Inputs: closes(), Params: periods(5, 1), Outputs: overlay("EDecay")},
		warm(0), func(b *bank, p []float64) step {
			d, k := b.cells(1), (p[0]-1)/p[0]
			return func(in, out []float64) {
				if next := d[0] * k; next > in[0] {
					d[0] = next
				} else {
					d[0] = in[0]
				}
				out[0] = d[0]
			}
		})
})
