package indicators

// T3 writes Tillson's T3 average of x into dst and returns it: with
// GD(x) = (1+v)·EMA(x) - v·EMA(EMA(x)),
//
//	T3 = GD(GD(GD(x)))
//
// (Technical Analysis of Stocks & Commodities, January 1998). The averages
// start from the first value: there is no warm-up, and early values lean on it.
func T3(dst, x []float64, n int, v float64) []float64 {
	return single(t3Indicator(), dst, [][]float64{x}, float64(n), v)
}

// T3Stream is [T3] one value at a time. It is not safe for concurrent use; make
// it with [NewT3].
type T3Stream struct{ machine }

// NewT3 returns a stream of [T3], or a *[FieldError] for a parameter that is
// out of range.
func NewT3(n int, v float64) (*T3Stream, error) {
	m, err := open(t3Indicator(), float64(n), v)
	if err != nil {
		return nil, err
	}
	return &T3Stream{m}, nil
}

// Update takes the next value and returns its result, NaN during warm-up.
func (s *T3Stream) Update(x float64) float64 {
	s.in[0] = x
	s.machine.Update(s.in, s.out)
	return s.out[0]
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *T3Stream) Peek(x float64) float64 {
	s.in[0] = x
	s.machine.Peek(s.in, s.out)
	return s.out[0]
}

var t3Indicator = once(func() Indicator {
	return describe(Indicator{Name: "T3", Summary: "Tillson's T3: a smooth moving average with little lag.",
		Inputs: closes(), Params: []Param{period("n", 5, 1), number("v", 0.7, 0, 1)}, Outputs: overlay("T3")},
		warm(0), func(b *bank, p []float64) step {
			var e [6]ema
			for i := range e {
				e[i] = b.emaFrom(2/(p[0]+1), 1)
			}
			a := p[1]
			c1, c2, c3, c4 := -a*a*a, 3*a*a+3*a*a*a, -6*a*a-3*a-3*a*a*a, 1+3*a+a*a*a+3*a*a
			return func(in, out []float64) {
				x := in[0]
				var v [6]float64
				for i := range e {
					x = e[i].push(x)
					v[i] = x
				}
				out[0] = float64(c1*v[5]) + float64(c2*v[4]) + float64(c3*v[3]) + float64(c4*v[2])
			}
		})
})
