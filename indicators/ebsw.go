package indicators

import (
	"math"

	"github.com/ttai-go/ttai/indicators/internal/kernel"
)

// EBSW writes Ehlers's even better sinewave of closes into dst and returns it,
// -1 to 1: a high-pass filter over n, smoothed by the super smoother over
// smooth, as the mean of three bars over the root of their mean square
// (Cycle Analytics for Traders, 2013). The first n-1 values are NaN.
func EBSW(dst, closes []float64, n, smooth int) []float64 {
	return single(ebswIndicator(), dst, [][]float64{closes}, float64(n), float64(smooth))
}

// EBSWStream is [EBSW] one value at a time. It is not safe for concurrent use; make
// it with [NewEBSW].
type EBSWStream struct{ machine }

// NewEBSW returns a stream of [EBSW], or a *[FieldError] for a parameter that is
// out of range.
func NewEBSW(n, smooth int) (*EBSWStream, error) {
	m, err := open(ebswIndicator(), float64(n), float64(smooth))
	if err != nil {
		return nil, err
	}
	return &EBSWStream{m}, nil
}

// Update takes the next value and returns its result, NaN during warm-up.
func (s *EBSWStream) Update(x float64) float64 {
	s.in[0] = x
	s.machine.Update(s.in, s.out)
	return s.out[0]
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *EBSWStream) Peek(x float64) float64 {
	s.in[0] = x
	s.machine.Peek(s.in, s.out)
	return s.out[0]
}

var ebswIndicator = once(func() Indicator {
	return describe(Indicator{Name: "EBSW", Summary: "Even better sinewave, -1 to 1.",
		Inputs: closes(), Params: []Param{period("n", 40, 3), period("smooth", 10, 2)}, Outputs: pane("EBSW")},
		first(-1), func(b *bank, p []float64) step {
			angle := 2 * math.Pi / p[0]
			alpha := (1 - math.Sin(angle)) / math.Cos(angle)
			if !kernel.Finite(alpha) {
				alpha = 0
			}
			last, hp, f, w, count := b.lag(1), b.take(1), b.smoother(p[1]), b.window(3), b.counters(1)
			return func(in, out []float64) {
				old := last.push(in[0])
				if old == old {
					hp[0] = float64(0.5*(1+alpha)*(in[0]-old)) + float64(alpha*hp[0])
				}
				values := w.push(f.push(hp[0]))
				out[0] = nan()
				if count[0]++; count[0] < int(p[0]) || values == nil {
					return
				}
				count[0] = int(p[0])
				mean := (values[0] + values[1] + values[2]) / 3
				power := (float64(values[0]*values[0]) + float64(values[1]*values[1]) + float64(values[2]*values[2])) / 3
				out[0] = over(mean, math.Sqrt(power), 0)
			}
		})
})
