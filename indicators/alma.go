package indicators

import "math"

// ALMA writes the Arnaud Legoux moving average of x into dst and returns it:
// weights on a Gaussian bell over the window, its top at offset (0 the oldest
// value, 1 the newest), its width n/sigma,
//
//	w(i) = exp(-(i - offset·(n-1))² / (2·(n/sigma)²)),  i = 0 … n-1
//
// (Legoux and Kouzis-Loukas, 2009). The first n-1 values are NaN.
func ALMA(dst, x []float64, n int, offset, sigma float64) []float64 {
	return single(almaIndicator(), dst, [][]float64{x}, float64(n), offset, sigma)
}

// ALMAStream is [ALMA] one value at a time. It is not safe for concurrent use; make
// it with [NewALMA].
type ALMAStream struct{ machine }

// NewALMA returns a stream of [ALMA], or a *[FieldError] for a parameter that is
// out of range.
func NewALMA(n int, offset, sigma float64) (*ALMAStream, error) {
	m, err := open(almaIndicator(), float64(n), offset, sigma)
	if err != nil {
		return nil, err
	}
	return &ALMAStream{m}, nil
}

// Update takes the next value and returns its result, NaN during warm-up.
func (s *ALMAStream) Update(x float64) float64 {
	s.in[0] = x
	s.machine.Update(s.in, s.out)
	return s.out[0]
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *ALMAStream) Peek(x float64) float64 {
	s.in[0] = x
	s.machine.Peek(s.in, s.out)
	return s.out[0]
}

var almaIndicator = once(func() Indicator {
	return weighted(Indicator{Name: "ALMA", Summary: "Arnaud Legoux moving average: Gaussian weights near the end of the window.",
		Inputs: closes(), Outputs: overlay("ALMA"),
		Params: []Param{period("n", 9, 1), number("offset", 0.85, 0, 1), number("sigma", 6, 1e-3, 1000)}},
		func(p []float64) []float64 {
			n, w := int(p[0]), make([]float64, int(p[0]))
			top, width := p[1]*(p[0]-1), p[0]/p[2]
			total := 0.0
			for i := range w {
				w[i] = math.Exp(-(float64(i) - top) * (float64(i) - top) / (2 * width * width))
				total += w[i]
			}
			if total == 0 { // a bell too narrow for any value: the nearest has it all
				w[min(n-1, int(math.Round(top)))] = 1
			}
			return w
		})
})

// weighted describes a moving average with fixed weights, oldest first.
func weighted(d Indicator, weights func(p []float64) []float64) Indicator {
	return describe(d, first(-1), func(b *bank, p []float64) step {
		f := b.filter(weights(p))
		return func(in, out []float64) { out[0] = f.push(in[0]) }
	})
}
