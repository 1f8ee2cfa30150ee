package indicators

// Quantile writes the q-quantile of the last n values of x, interpolated between
// the two nearest, into dst and returns it. The first n-1 values are NaN.
func Quantile(dst, x []float64, n int, q float64) []float64 {
	return single(quantileIndicator(), dst, [][]float64{x}, float64(n), q)
}

// QuantileStream is [Quantile] one value at a time. It is not safe for concurrent use; make
// it with [NewQuantile].
type QuantileStream struct{ machine }

// NewQuantile returns a stream of [Quantile], or a *[FieldError] for a parameter that is
// out of range.
func NewQuantile(n int, q float64) (*QuantileStream, error) {
	m, err := open(quantileIndicator(), float64(n), q)
	if err != nil {
		return nil, err
	}
	return &QuantileStream{m}, nil
}

// Update takes the next value and returns its result, NaN during warm-up.
func (s *QuantileStream) Update(x float64) float64 {
	s.in[0] = x
	s.machine.Update(s.in, s.out)
	return s.out[0]
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *QuantileStream) Peek(x float64) float64 {
	s.in[0] = x
	s.machine.Peek(s.in, s.out)
	return s.out[0]
}

var quantileIndicator = once(func() Indicator {
	return describe(Indicator{Name: "Quantile", Summary: "Quantile of the last n values.",
		Inputs: closes(), Params: []Param{period("n", 30, 1), number("q", 0.5, 0, 1)}, Outputs: overlay("Quantile")},
		first(-1), func(b *bank, p []float64) step {
			r := b.ranks(int(p[0]))
			return func(in, out []float64) { out[0] = r.quantile(in[0], p[1]) }
		})
})

func quantile(sorted []float64, q float64) float64 {
	switch len(sorted) {
	case 0:
		return nan()
	case 1:
		return sorted[0]
	}
	i, rest := place(len(sorted), q)
	return sorted[i] + float64(rest*(sorted[i+1]-sorted[i]))
}

// place returns which of n ≥ 2 values in order lies before the q-quantile, and
// how far it is on the way to the next.
func place(n int, q float64) (i int, rest float64) {
	at := q * float64(n-1)
	i = min(int(at), n-2)
	return i, at - float64(i)
}
