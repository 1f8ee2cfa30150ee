package indicators

import "math"

// VIDYA writes Chande's variable index dynamic average of closes into dst and
// returns it: an EMA over n whose constant is scaled by the absolute Chande
// momentum oscillator over n,
//
//	VIDYA(t) = VIDYA(t-1) + 2/(n+1)·|CMO(t)|/100·(x(t) - VIDYA(t-1))
//
// (The New Technical Trader, 1994). It starts with the close of bar n; the
// first n values are NaN.
func VIDYA(dst, closes []float64, n int) []float64 {
	return single(vidyaIndicator(), dst, [][]float64{closes}, float64(n))
}

// VIDYAStream is [VIDYA] one value at a time. It is not safe for concurrent use; make
// it with [NewVIDYA].
type VIDYAStream struct{ machine }

// NewVIDYA returns a stream of [VIDYA], or a *[FieldError] for a parameter that is
// out of range.
func NewVIDYA(n int) (*VIDYAStream, error) {
	m, err := open(vidyaIndicator(), float64(n))
	if err != nil {
		return nil, err
	}
	return &VIDYAStream{m}, nil
}

// Update takes the next value and returns its result, NaN during warm-up.
func (s *VIDYAStream) Update(x float64) float64 {
	s.in[0] = x
	s.machine.Update(s.in, s.out)
	return s.out[0]
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *VIDYAStream) Peek(x float64) float64 {
	s.in[0] = x
	s.machine.Peek(s.in, s.out)
	return s.out[0]
}

var vidyaIndicator = once(func() Indicator {
	return describe(Indicator{Name: "VIDYA", Summary: "Chande's variable index dynamic average: an EMA that speeds up with momentum.",
		Inputs: closes(), Params: periods(14, 1), Outputs: overlay("VIDYA")},
		first(0), func(b *bank, p []float64) step {
			c, v := b.cmo(int(p[0])), b.cells(1)
			k := 2 / (p[0] + 1)
			return func(in, out []float64) {
				m := c.push(in[0])
				switch {
				case m != m:
				case v[0] != v[0]:
					v[0] = in[0]
				default:
					v[0] += float64(k * math.Abs(m) / 100 * (in[0] - v[0]))
				}
				out[0] = v[0]
			}
		})
})
