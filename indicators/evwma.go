package indicators

// EVWMA writes Fries's elastic volume-weighted average of closes into dst and
// returns it: with V the volume of the last n bars,
//
//	E(t) = ((V - v(t))·E(t-1) + v(t)·x(t)) / V
//
// (Christian Fries, 2001). It starts at bar n-1 with the close; the values
// before are NaN.
func EVWMA(dst, close, volume []float64, n int) []float64 {
	return single(evwmaIndicator(), dst, [][]float64{close, volume}, float64(n))
}

// EVWMAStream is [EVWMA] one bar at a time. It is not safe for concurrent use; make
// it with [NewEVWMA].
type EVWMAStream struct{ machine }

// NewEVWMA returns a stream of [EVWMA], or a *[FieldError] for a parameter that is
// out of range.
func NewEVWMA(n int) (*EVWMAStream, error) {
	m, err := open(evwmaIndicator(), float64(n))
	if err != nil {
		return nil, err
	}
	return &EVWMAStream{m}, nil
}

// Update takes the next bar and returns its result, NaN during warm-up.
func (s *EVWMAStream) Update(close, volume float64) float64 {
	s.in[0], s.in[1] = close, volume
	s.machine.Update(s.in, s.out)
	return s.out[0]
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *EVWMAStream) Peek(close, volume float64) float64 {
	s.in[0], s.in[1] = close, volume
	s.machine.Peek(s.in, s.out)
	return s.out[0]
}

var evwmaIndicator = once(func() Indicator {
	return describe(Indicator{Name: "EVWMA", Summary: "Elastic volume-weighted moving average.",
		Inputs: cv(), Params: periods(20, 1), Outputs: overlay("EVWMA")},
		first(-1), func(b *bank, p []float64) step {
			volume, e := b.sum(int(p[0])), b.cells(1)
			return func(in, out []float64) {
				v := volume.push(in[1])
				switch {
				case v != v:
				case e[0] != e[0] || v == 0:
					e[0] = in[0]
				default:
					e[0] += float64(in[1] / v * (in[0] - e[0]))
				}
				out[0] = e[0]
			}
		})
})
