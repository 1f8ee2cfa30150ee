package indicators

// Kurtosis writes the sample excess kurtosis of the last n values of x, adjusted
// for bias (G2), into dst and returns it; NaN where they are all equal. The
// first n-1 values are NaN; n is at least 4.
func Kurtosis(dst, x []float64, n int) []float64 {
	return single(kurtosisIndicator(), dst, [][]float64{x}, float64(n))
}

// KurtosisStream is [Kurtosis] one value at a time. It is not safe for concurrent use; make
// it with [NewKurtosis].
type KurtosisStream struct{ machine }

// NewKurtosis returns a stream of [Kurtosis], or a *[FieldError] for a parameter that is
// out of range.
func NewKurtosis(n int) (*KurtosisStream, error) {
	m, err := open(kurtosisIndicator(), float64(n))
	if err != nil {
		return nil, err
	}
	return &KurtosisStream{m}, nil
}

// Update takes the next value and returns its result, NaN during warm-up.
func (s *KurtosisStream) Update(x float64) float64 {
	s.in[0] = x
	s.machine.Update(s.in, s.out)
	return s.out[0]
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *KurtosisStream) Peek(x float64) float64 {
	s.in[0] = x
	s.machine.Peek(s.in, s.out)
	return s.out[0]
}

var kurtosisIndicator = once(func() Indicator {
	return describe(Indicator{Name: "Kurtosis", Summary: "Excess kurtosis of the last n values.",
		Inputs: closes(), Params: periods(30, 4), Outputs: pane("Kurtosis")},
		first(-1), func(b *bank, p []float64) step {
			w := b.powers(int(p[0]))
			n := p[0]
			return func(in, out []float64) {
				m2, _, m4 := w.push(in[0])
				out[0] = (n - 1) / ((n - 2) * (n - 3)) * (float64((n+1)*(over(m4, m2*m2, nan())-3)) + 6)
			}
		})
})
