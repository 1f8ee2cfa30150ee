package indicators

import (
	"math"

	"github.com/ttai-go/ttai/indicators/internal/kernel"
)

// SuperSmoother writes Ehlers's two-pole super smoother of x into dst and
// returns it: with a = exp(-√2·π/n) and b = 2a·cos(√2·π/n),
//
//	y(t) = (1-b+a²)·(x(t)+x(t-1))/2 + b·y(t-1) - a²·y(t-2)
//
// (Cybernetic Analysis, and "Predictive and Successful Indicators", 2014). It
// starts from the first value. No value is NaN.
func SuperSmoother(dst, x []float64, n int) []float64 {
	return single(smootherIndicator(), dst, [][]float64{x}, float64(n))
}

// SuperSmootherStream is [SuperSmoother] one value at a time. It is not safe for concurrent use; make
// it with [NewSuperSmoother].
type SuperSmootherStream struct{ machine }

// NewSuperSmoother returns a stream of [SuperSmoother], or a *[FieldError] for a parameter that is
// out of range.
func NewSuperSmoother(n int) (*SuperSmootherStream, error) {
	m, err := open(smootherIndicator(), float64(n))
	if err != nil {
		return nil, err
	}
	return &SuperSmootherStream{m}, nil
}

// Update takes the next value and returns its result, NaN during warm-up.
func (s *SuperSmootherStream) Update(x float64) float64 {
	s.in[0] = x
	s.machine.Update(s.in, s.out)
	return s.out[0]
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *SuperSmootherStream) Peek(x float64) float64 {
	s.in[0] = x
	s.machine.Peek(s.in, s.out)
	return s.out[0]
}

var smootherIndicator = once(func() Indicator {
	return describe(Indicator{Name: "SuperSmoother", Aliases: []string{"SSF"}, Summary: "Ehlers's two-pole super smoother.",
		Inputs: closes(), Params: periods(10, 2), Outputs: overlay("SSF")},
		warm(0), func(b *bank, p []float64) step {
			s := b.smoother(p[0])
			return func(in, out []float64) { out[0] = s.push(in[0]) }
		})
})

type smoother struct {
	c1, c2, c3 float64
	state      []float64
}

func (b *bank) smoother(n float64) smoother {
	a := math.Exp(-math.Sqrt2 * math.Pi / n)
	c2 := 2 * a * math.Cos(math.Sqrt2*math.Pi/n)
	c3 := -a * a
	return smoother{1 - c2 - c3, c2, c3, b.cells(3)}
}

func (f smoother) push(x float64) float64 {
	if !kernel.Finite(x) {
		return nan()
	}
	s := f.state // x and y of the bar before, y of two bars ago
	if s[0] != s[0] {
		s[0], s[1], s[2] = x, x, x
	}
	y := float64(f.c1*(x+s[0])/2) + float64(f.c2*s[1]) + float64(f.c3*s[2])
	s[0], s[1], s[2] = x, y, s[1]
	return y
}
