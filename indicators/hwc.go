package indicators

import "math"

// HWCValues are the outputs of [HWC], of equal length.
type HWCValues struct{ Upper, Middle, Lower []float64 }

// HWCPoint is one bar of [HWCValues].
type HWCPoint struct{ Upper, Middle, Lower float64 }

// HWC writes a Holt-Winters channel of x into dst and returns it: the [HWMA]
// and lines width deviations either side, whose squared deviation is an
// exponential average with factor d. The first value is NaN.
func HWC(dst HWCValues, x []float64, a, b, c, d, width float64) HWCValues {
	out := [][]float64{dst.Upper, dst.Middle, dst.Lower}
	batch(hwcIndicator(), out, [][]float64{x}, a, b, c, d, width)
	return HWCValues{Upper: out[0], Middle: out[1], Lower: out[2]}
}

// HWCStream is [HWC] one value at a time. It is not safe for concurrent use; make
// it with [NewHWC].
type HWCStream struct{ machine }

// NewHWC returns a stream of [HWC], or a *[FieldError] for a parameter that is
// out of range.
func NewHWC(a, b, c, d, width float64) (*HWCStream, error) {
	m, err := open(hwcIndicator(), a, b, c, d, width)
	if err != nil {
		return nil, err
	}
	return &HWCStream{m}, nil
}

// Update takes the next value and returns its result, NaN during warm-up.
func (s *HWCStream) Update(x float64) HWCPoint {
	s.in[0] = x
	s.machine.Update(s.in, s.out)
	return HWCPoint{Upper: s.out[0], Middle: s.out[1], Lower: s.out[2]}
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *HWCStream) Peek(x float64) HWCPoint {
	s.in[0] = x
	s.machine.Peek(s.in, s.out)
	return HWCPoint{Upper: s.out[0], Middle: s.out[1], Lower: s.out[2]}
}

var hwcIndicator = once(func() Indicator {
	return describe(Indicator{Name: "HWC", Summary: "Holt-Winters channel.",
		Inputs: closes(), Params: []Param{number("a", 0.2, 0, 1), number("b", 0.1, 0, 1), number("c", 0.1, 0, 1), number("d", 0.1, 0, 1), number("width", 1, 0, 1000)}, Outputs: overlay("Upper", "Middle", "Lower")},
		warm(1), func(b *bank, p []float64) step {
			h, s := b.holt(p[0], p[1], p[2]), b.cells(2) // forecast, variance
			return func(in, out []float64) {
				x := in[0]
				v := nan()
				if s[0] == s[0] {
					if s[1] != s[1] {
						s[1] = 0
					}
					v = math.Sqrt(s[1])
					s[1] = float64((1-p[3])*s[1]) + float64(p[3]*(x-s[0])*(x-s[0]))
				}
				m := h.push(x)
				s[0] = m
				out[0], out[1], out[2] = m+float64(p[4]*v), m, m-float64(p[4]*v)
			}
		})
})
