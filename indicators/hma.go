package indicators

import "math"

// HMA writes Hull's moving average of x into dst and returns it:
//
//	HMA = WMA(2·WMA(x, n/2) - WMA(x, n), √n)
//
// with n/2 and √n rounded down (Alan Hull, 2005). The first
// n-1 + ⌊√n⌋-1 values are NaN; n is at least 2.
func HMA(dst, x []float64, n int) []float64 {
	return single(hmaIndicator(), dst, [][]float64{x}, float64(n))
}

// HMAStream is [HMA] one value at a time. It is not safe for concurrent use; make
// it with [NewHMA].
type HMAStream struct{ machine }

// NewHMA returns a stream of [HMA], or a *[FieldError] for a parameter that is
// out of range.
func NewHMA(n int) (*HMAStream, error) {
	m, err := open(hmaIndicator(), float64(n))
	if err != nil {
		return nil, err
	}
	return &HMAStream{m}, nil
}

// Update takes the next value and returns its result, NaN during warm-up.
func (s *HMAStream) Update(x float64) float64 {
	s.in[0] = x
	s.machine.Update(s.in, s.out)
	return s.out[0]
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *HMAStream) Peek(x float64) float64 {
	s.in[0] = x
	s.machine.Peek(s.in, s.out)
	return s.out[0]
}

var hmaIndicator = once(func() Indicator {
	return describe(Indicator{Name: "HMA", Aliases: []string{"HullMA"}, Summary: "Hull's moving average: weighted averages combined to follow closely.",
		Inputs: closes(), Params: periods(14, 2), Outputs: overlay("HMA")},
		func(p []float64) int { return int(p[0]) + int(math.Sqrt(p[0])) - 2 },
		func(b *bank, p []float64) step {
			n := int(p[0])
			half, full, smooth := b.wma(n/2), b.wma(n), b.wma(int(math.Sqrt(p[0])))
			return func(in, out []float64) {
				out[0] = smooth.push(float64(2*half.push(in[0])) - full.push(in[0]))
			}
		})
})
