package indicators

import "math"

// GaussianHann writes the average of x weighted by a Hann window, as Ehlers
// proposes (Technical Analysis of Stocks & Commodities, September 2021), into
// dst and returns it: w(i) = 1 - cos(2π·i/(n+1)), i = 1 … n. The first n-1
// values are NaN.
func GaussianHann(dst, x []float64, n int) []float64 {
	return single(gaussianHannIndicator(), dst, [][]float64{x}, float64(n))
}

// GaussianHannStream is [GaussianHann] one value at a time. It is not safe for concurrent use; make
// it with [NewGaussianHann].
type GaussianHannStream struct{ machine }

// NewGaussianHann returns a stream of [GaussianHann], or a *[FieldError] for a parameter that is
// out of range.
func NewGaussianHann(n int) (*GaussianHannStream, error) {
	m, err := open(gaussianHannIndicator(), float64(n))
	if err != nil {
		return nil, err
	}
	return &GaussianHannStream{m}, nil
}

// Update takes the next value and returns its result, NaN during warm-up.
func (s *GaussianHannStream) Update(x float64) float64 {
	s.in[0] = x
	s.machine.Update(s.in, s.out)
	return s.out[0]
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *GaussianHannStream) Peek(x float64) float64 {
	s.in[0] = x
	s.machine.Peek(s.in, s.out)
	return s.out[0]
}

var gaussianHannIndicator = once(func() Indicator {
	return weighted(Indicator{Name: "GaussianHann", Aliases: []string{"Hann"}, Summary: "Ehlers's Hann-window average.",
		Inputs: closes(), Params: periods(20, 1), Outputs: overlay("Hann")},
		func(p []float64) []float64 {
			w := make([]float64, int(p[0]))
			for i := range w {
				w[i] = 1 - math.Cos(2*math.Pi*float64(i+1)/(p[0]+1))
			}
			return w
		})
})
