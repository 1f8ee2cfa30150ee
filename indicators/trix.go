package indicators

// TRIXValues are the outputs of [TRIX], of equal length.
type TRIXValues struct{ TRIX, EMA3 []float64 }

// TRIXPoint is one bar of [TRIXValues].
type TRIXPoint struct{ TRIX, EMA3 float64 }

// TRIX writes the rate of change of a triple EMA of x into dst and returns it,
// with that average:
//
//	EMA3 = EMA(EMA(EMA(x)))
//	TRIX(t) = 100·(EMA3(t)/EMA3(t-1) - 1)
//
// (Jack Hutson, 1983). The averages start at bar n-1 from the simple average of
// the first n values, TRIX a bar later; the values before are NaN.
func TRIX(dst TRIXValues, x []float64, n int) TRIXValues {
	out := [][]float64{dst.TRIX, dst.EMA3}
	batch(trixIndicator(), out, [][]float64{x}, float64(n))
	return TRIXValues{TRIX: out[0], EMA3: out[1]}
}

// TRIXStream is [TRIX] one value at a time. It is not safe for concurrent use; make
// it with [NewTRIX].
type TRIXStream struct{ machine }

// NewTRIX returns a stream of [TRIX], or a *[FieldError] for a parameter that is
// out of range.
func NewTRIX(n int) (*TRIXStream, error) {
	m, err := open(trixIndicator(), float64(n))
	if err != nil {
		return nil, err
	}
	return &TRIXStream{m}, nil
}

// Update takes the next value and returns its result, NaN during warm-up.
func (s *TRIXStream) Update(x float64) TRIXPoint {
	s.in[0] = x
	s.machine.Update(s.in, s.out)
	return TRIXPoint{TRIX: s.out[0], EMA3: s.out[1]}
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *TRIXStream) Peek(x float64) TRIXPoint {
	s.in[0] = x
	s.machine.Peek(s.in, s.out)
	return TRIXPoint{TRIX: s.out[0], EMA3: s.out[1]}
}

var trixIndicator = once(func() Indicator {
	return describe(Indicator{Name: "TRIX", Summary: "Rate of change of a triple EMA, in percent.",
		Inputs: closes(), Params: periods(15, 1), Outputs: []Output{{Name: "TRIX"}, {Name: "EMA3", Overlay: true}}},
		first(0), func(b *bank, p []float64) step {
			e, before := b.nested(3, int(p[0])), b.lag(1)
			v := b.take(3)
			return func(in, out []float64) {
				e.push(in[0], v)
				old := before.push(v[2])
				out[0], out[1] = 100*over(v[2]-old, old, nan()), v[2]
			}
		})
})
