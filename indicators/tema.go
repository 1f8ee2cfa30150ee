package indicators

// TEMA writes Mulloy's triple exponential moving average of x into dst and
// returns it: with e1, e2 and e3 the EMA of x, of e1 and of e2,
//
//	TEMA = 3·e1 - 3·e2 + e3
//
// All start at bar n-1 from the simple average of the first n values; the
// values before are NaN.
func TEMA(dst, x []float64, n int) []float64 {
	return single(temaIndicator(), dst, [][]float64{x}, float64(n))
}

// TEMAStream is [TEMA] one value at a time. It is not safe for concurrent use; make
// it with [NewTEMA].
type TEMAStream struct{ machine }

// NewTEMA returns a stream of [TEMA], or a *[FieldError] for a parameter that is
// out of range.
func NewTEMA(n int) (*TEMAStream, error) {
	m, err := open(temaIndicator(), float64(n))
	if err != nil {
		return nil, err
	}
	return &TEMAStream{m}, nil
}

// Update takes the next value and returns its result, NaN during warm-up.
func (s *TEMAStream) Update(x float64) float64 {
	s.in[0] = x
	s.machine.Update(s.in, s.out)
	return s.out[0]
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *TEMAStream) Peek(x float64) float64 {
	s.in[0] = x
	s.machine.Peek(s.in, s.out)
	return s.out[0]
}

var temaIndicator = once(func() Indicator {
	return describe(Indicator{Name: "TEMA", Summary: "Triple exponential moving average.",
		Inputs: closes(), Params: periods(20, 1), Outputs: overlay("TEMA")},
		first(-1), func(b *bank, p []float64) step {
			e := b.nested(3, int(p[0]))
			v := b.take(3)
			return func(in, out []float64) {
				e.push(in[0], v)
				out[0] = float64(3*(v[0]-v[1])) + v[2]
			}
		})
})
