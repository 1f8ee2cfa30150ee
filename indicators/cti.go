package indicators

import "math"

// CTI writes Ehlers's correlation trend indicator of closes into dst and
// returns it: the correlation, -1 to 1, of the last n closes with a rising
// line (Technical Analysis of Stocks & Commodities, May 2020). 0 in a flat
// market; the first n-1 values are NaN.
func CTI(dst, closes []float64, n int) []float64 {
	return single(ctiIndicator(), dst, [][]float64{closes}, float64(n))
}

// CTIStream is [CTI] one value at a time. It is not safe for concurrent use; make
// it with [NewCTI].
type CTIStream struct{ machine }

// NewCTI returns a stream of [CTI], or a *[FieldError] for a parameter that is
// out of range.
func NewCTI(n int) (*CTIStream, error) {
	m, err := open(ctiIndicator(), float64(n))
	if err != nil {
		return nil, err
	}
	return &CTIStream{m}, nil
}

// Update takes the next value and returns its result, NaN during warm-up.
func (s *CTIStream) Update(x float64) float64 {
	s.in[0] = x
	s.machine.Update(s.in, s.out)
	return s.out[0]
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *CTIStream) Peek(x float64) float64 {
	s.in[0] = x
	s.machine.Peek(s.in, s.out)
	return s.out[0]
}

var ctiIndicator = once(func() Indicator {
	return describe(Indicator{Name: "CTI", Summary: "Ehlers's correlation trend indicator, -1 to 1.",
		Inputs: closes(), Params: periods(12, 2), Outputs: pane("CTI")},
		first(-1), func(b *bank, p []float64) step {
			l, m := b.line(int(p[0])), b.moments(int(p[0]))
			return func(in, out []float64) {
				_, slope := l.push(in[0])
				_, squares := m.push(in[0])
				r := over(slope*math.Sqrt(p[0]*(p[0]*p[0]-1)/12), math.Sqrt(squares), 0)
				if squares == 0 {
					r = 0
				}
				out[0] = max(-1, min(r, 1))
			}
		})
})
