package indicators

import "math"

// RSX writes a smooth relative strength after Jurik's, as it is publicly
// reconstructed, of closes into dst and returns it, 0 to 100: changes and their
// sizes pass three double exponential smoothings with constant 3/(n+2). 50 where
// nothing moved. The first n values are NaN.
func RSX(dst, closes []float64, n int) []float64 {
	return single(rsxIndicator(), dst, [][]float64{closes}, float64(n))
}

// RSXStream is [RSX] one value at a time. It is not safe for concurrent use; make
// it with [NewRSX].
type RSXStream struct{ machine }

// NewRSX returns a stream of [RSX], or a *[FieldError] for a parameter that is
// out of range.
func NewRSX(n int) (*RSXStream, error) {
	m, err := open(rsxIndicator(), float64(n))
	if err != nil {
		return nil, err
	}
	return &RSXStream{m}, nil
}

// Update takes the next value and returns its result, NaN during warm-up.
func (s *RSXStream) Update(x float64) float64 {
	s.in[0] = x
	s.machine.Update(s.in, s.out)
	return s.out[0]
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *RSXStream) Peek(x float64) float64 {
	s.in[0] = x
	s.machine.Peek(s.in, s.out)
	return s.out[0]
}

var rsxIndicator = once(func() Indicator {
	return describe(Indicator{Name: "RSX", Summary: "RSX: an RSI without noise (public reconstruction).",
		Inputs: closes(), Params: periods(14, 1), Outputs: pane("RSX")},
		first(0), func(b *bank, p []float64) step {
			k := 3 / (p[0] + 2)
			last, s, count := b.lag(1), b.take(12), b.counters(1)
			smooth := func(x float64, s []float64) float64 {
				for i := 0; i < 6; i += 2 {
					s[i] += float64(k * (x - s[i]))
					s[i+1] += float64(k * (s[i] - s[i+1]))
					x = float64(1.5*s[i]) - float64(0.5*s[i+1])
				}
				return x
			}
			return func(in, out []float64) {
				d := in[0] - last.push(in[0])
				out[0] = nan()
				if d != d {
					return
				}
				up, all := smooth(d, s[:6]), smooth(math.Abs(d), s[6:])
				if count[0]++; count[0] < int(p[0]) {
					return
				}
				count[0] = int(p[0])
				out[0] = 50
				if all > 0 {
					out[0] = max(0, min(50*(up/all+1), 100))
				}
			}
		})
})
