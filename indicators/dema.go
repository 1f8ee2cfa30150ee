package indicators

// DEMA writes Mulloy's double exponential moving average of x into dst and
// returns it: with e1 the EMA of x and e2 the EMA of e1,
//
//	DEMA = 2·e1 - e2
//
// (Technical Analysis of Stocks & Commodities, January 1994). Both start at bar
// n-1 from the simple average of the first n values; the values before are NaN.
func DEMA(dst, x []float64, n int) []float64 {
	return single(demaIndicator(), dst, [][]float64{x}, float64(n))
}

// DEMAStream is [DEMA] one value at a time. It is not safe for concurrent use; make
// it with [NewDEMA].
type DEMAStream struct{ machine }

// NewDEMA returns a stream of [DEMA], or a *[FieldError] for a parameter that is
// out of range.
func NewDEMA(n int) (*DEMAStream, error) {
	m, err := open(demaIndicator(), float64(n))
	if err != nil {
		return nil, err
	}
	return &DEMAStream{m}, nil
}

// Update takes the next value and returns its result, NaN during warm-up.
func (s *DEMAStream) Update(x float64) float64 {
	s.in[0] = x
	s.machine.Update(s.in, s.out)
	return s.out[0]
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *DEMAStream) Peek(x float64) float64 {
	s.in[0] = x
	s.machine.Peek(s.in, s.out)
	return s.out[0]
}

var demaIndicator = once(func() Indicator {
	return describe(Indicator{Name: "DEMA", Summary: "Double exponential moving average: an EMA with part of its lag taken off.",
		Inputs: closes(), Params: periods(20, 1), Outputs: overlay("DEMA")},
		first(-1), func(b *bank, p []float64) step {
			e := b.nested(2, int(p[0]))
			v := b.take(2)
			return func(in, out []float64) {
				e.push(in[0], v)
				out[0] = float64(2*v[0]) - v[1]
			}
		})
})

// nested is n EMAs of each other that all start at the same bar, from the
// simple average of the first values.
type nested []ema

func (b *bank) nested(depth, n int) nested {
	e := nested{b.ema(n)}
	for len(e) < depth {
		e = append(e, b.emaFrom(2/float64(n+1), 1))
	}
	return e
}

func (e nested) push(x float64, out []float64) {
	for i := range e {
		x = e[i].push(x)
		out[i] = x
	}
}
