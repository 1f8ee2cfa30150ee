package indicators

// PGO writes Johnson's pretty good oscillator into dst and returns it: the
// close's distance from its SMA over n in EMAs of the true range over n. The
// first n values are NaN.
func PGO(dst, high, low, close []float64, n int) []float64 {
	return single(pgoIndicator(), dst, [][]float64{high, low, close}, float64(n))
}

// PGOStream is [PGO] one bar at a time. It is not safe for concurrent use; make
// it with [NewPGO].
type PGOStream struct{ machine }

// NewPGO returns a stream of [PGO], or a *[FieldError] for a parameter that is
// out of range.
func NewPGO(n int) (*PGOStream, error) {
	m, err := open(pgoIndicator(), float64(n))
	if err != nil {
		return nil, err
	}
	return &PGOStream{m}, nil
}

// Update takes the next bar and returns its result, NaN during warm-up.
func (s *PGOStream) Update(high, low, close float64) float64 {
	s.in[0], s.in[1], s.in[2] = high, low, close
	s.machine.Update(s.in, s.out)
	return s.out[0]
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *PGOStream) Peek(high, low, close float64) float64 {
	s.in[0], s.in[1], s.in[2] = high, low, close
	s.machine.Peek(s.in, s.out)
	return s.out[0]
}

var pgoIndicator = once(func() Indicator {
	return describe(Indicator{Name: "PGO", Summary: "Pretty good oscillator: distance from the average in true ranges.",
		Inputs: hlc(), Params: periods(14, 1), Outputs: pane("PGO")},
		first(0), func(b *bank, p []float64) step {
			m, r, e := b.mean(int(p[0])), b.ranges(), b.ema(int(p[0]))
			return func(in, out []float64) {
				out[0] = over(in[2]-m.push(in[2]), e.push(r.push(in[0], in[1], in[2])), nan())
			}
		})
})
