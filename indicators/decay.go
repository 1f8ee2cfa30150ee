package indicators

// Decay writes the linear decay of x into dst and returns it: the last peak,
// less 1/n of it for every bar since, and never below x:
//
//	D(t) = max(x(t), D(t-1) - 1/n)
//
// No value is NaN.
func Decay(dst, x []float64, n int) []float64 {
	return single(decayIndicator(), dst, [][]float64{x}, float64(n))
}

// DecayStream is [Decay] one value at a time. It is not safe for concurrent use; make
// it with [NewDecay].
type DecayStream struct{ machine }

// NewDecay returns a stream of [Decay], or a *[FieldError] for a parameter that is
// out of range.
func NewDecay(n int) (*DecayStream, error) {
	m, err := open(decayIndicator(), float64(n))
	if err != nil {
		return nil, err
	}
	return &DecayStream{m}, nil
}

// Update takes the next value and returns its result, NaN during warm-up.
func (s *DecayStream) Update(x float64) float64 {
	s.in[0] = x
	s.machine.Update(s.in, s.out)
	return s.out[0]
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *DecayStream) Peek(x float64) float64 {
	s.in[0] = x
	s.machine.Peek(s.in, s.out)
	return s.out[0]
}

var decayIndicator = once(func() Indicator {
	return describe(Indicator{Name: "Decay", Summary: "Linear decay: a peak that sinks by 1/n a bar.",
		Inputs: closes(), Params: periods(5, 1), Outputs: overlay("Decay")},
		warm(0), func(b *bank, p []float64) step {
			d := b.cells(1)
			return func(in, out []float64) {
				if next := d[0] - 1/p[0]; next > in[0] {
					d[0] = next
				} else {
					d[0] = in[0]
				}
				out[0] = d[0]
			}
		})
})
