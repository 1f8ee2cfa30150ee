package indicators

import "github.com/ttai-go/ttai/indicators/internal/kernel"

// McGinley writes McGinley's dynamic average of closes into dst and returns it:
//
//	D(t) = D(t-1) + (x(t) - D(t-1)) / (k·n·(x(t)/D(t-1))⁴)
//
// with k usually 0.6 (John McGinley, Journal of Technical Analysis, 1991). It
// starts from the first close; the first value is NaN.
func McGinley(dst, closes []float64, n int, k float64) []float64 {
	return single(mcginleyIndicator(), dst, [][]float64{closes}, float64(n), k)
}

// McGinleyStream is [McGinley] one value at a time. It is not safe for concurrent use; make
// it with [NewMcGinley].
type McGinleyStream struct{ machine }

// NewMcGinley returns a stream of [McGinley], or a *[FieldError] for a parameter that is
// out of range.
func NewMcGinley(n int, k float64) (*McGinleyStream, error) {
	m, err := open(mcginleyIndicator(), float64(n), k)
	if err != nil {
		return nil, err
	}
	return &McGinleyStream{m}, nil
}

// Update takes the next value and returns its result, NaN during warm-up.
func (s *McGinleyStream) Update(x float64) float64 {
	s.in[0] = x
	s.machine.Update(s.in, s.out)
	return s.out[0]
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *McGinleyStream) Peek(x float64) float64 {
	s.in[0] = x
	s.machine.Peek(s.in, s.out)
	return s.out[0]
}

var mcginleyIndicator = once(func() Indicator {
	return describe(Indicator{Name: "McGinley", Aliases: []string{"Dynamic", "MCGD"}, Summary: "McGinley's dynamic average: slower in rises, faster in falls.",
		Inputs: closes(), Params: []Param{period("n", 14, 1), number("k", 0.6, 0.01, 10)}, Outputs: overlay("McGinley")},
		warm(1), func(b *bank, p []float64) step {
			d := b.cells(1)
			return func(in, out []float64) {
				x := in[0]
				if d[0] != d[0] {
					d[0], out[0] = x, nan()
					return
				}
				r := x / d[0]
				next := d[0] + (x-d[0])/(p[1]*p[0]*r*r*r*r)
				if !kernel.Finite(next) {
					next = x
				}
				d[0], out[0] = next, next
			}
		})
})
