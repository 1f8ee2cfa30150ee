package indicators

import "math"

// Entropy writes the entropy, in bits, of the shares that the last n values of
// x have in their sum into dst and returns it; NaN unless all are positive. The
// first n-1 values are NaN.
func Entropy(dst, x []float64, n int) []float64 {
	return single(entropyIndicator(), dst, [][]float64{x}, float64(n))
}

// EntropyStream is [Entropy] one value at a time. It is not safe for concurrent use; make
// it with [NewEntropy].
type EntropyStream struct{ machine }

// NewEntropy returns a stream of [Entropy], or a *[FieldError] for a parameter that is
// out of range.
func NewEntropy(n int) (*EntropyStream, error) {
	m, err := open(entropyIndicator(), float64(n))
	if err != nil {
		return nil, err
	}
	return &EntropyStream{m}, nil
}

// Update takes the next value and returns its result, NaN during warm-up.
func (s *EntropyStream) Update(x float64) float64 {
	s.in[0] = x
	s.machine.Update(s.in, s.out)
	return s.out[0]
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *EntropyStream) Peek(x float64) float64 {
	s.in[0] = x
	s.machine.Peek(s.in, s.out)
	return s.out[0]
}

var entropyIndicator = once(func() Indicator {
	return describe(Indicator{Name: "Entropy", Summary: "Entropy of the last n values' shares, in bits.",
		Inputs: closes(), Params: periods(10, 1), Outputs: pane("Entropy")},
		first(-1), func(b *bank, p []float64) step {
			s, logs := b.sum(int(p[0])), b.sum(int(p[0]))
			return func(in, out []float64) {
				x := in[0]
				l := logs.push(x * math.Log(max(x, 0)))
				total := s.push(x)
				out[0] = (math.Log(total) - over(l, total, nan())) / math.Ln2
			}
		})
})
