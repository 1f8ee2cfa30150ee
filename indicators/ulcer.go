package indicators

import "math"

// Ulcer writes Martin's ulcer index of closes into dst and returns it: the root
// mean square of the percentage retracements of the last n closes, each from
// the highest close of that window up to it (The Investor's Guide to Fidelity
// Funds, 1989). The first n-1 values are NaN.
func Ulcer(dst, closes []float64, n int) []float64 {
	return single(ulcerIndicator(), dst, [][]float64{closes}, float64(n))
}

// UlcerStream is [Ulcer] one value at a time. It is not safe for concurrent use; make
// it with [NewUlcer].
type UlcerStream struct{ machine }

// NewUlcer returns a stream of [Ulcer], or a *[FieldError] for a parameter that is
// out of range.
func NewUlcer(n int) (*UlcerStream, error) {
	m, err := open(ulcerIndicator(), float64(n))
	if err != nil {
		return nil, err
	}
	return &UlcerStream{m}, nil
}

// Update takes the next value and returns its result, NaN during warm-up.
func (s *UlcerStream) Update(x float64) float64 {
	s.in[0] = x
	s.machine.Update(s.in, s.out)
	return s.out[0]
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *UlcerStream) Peek(x float64) float64 {
	s.in[0] = x
	s.machine.Peek(s.in, s.out)
	return s.out[0]
}

var ulcerIndicator = once(func() Indicator {
	return describe(Indicator{Name: "Ulcer", Aliases: []string{"UI"}, Summary: "Ulcer index: depth and length of drawdowns.",
		Inputs: closes(), Params: periods(14, 1), Outputs: pane("Ulcer")},
		first(-1), func(b *bank, p []float64) step {
			w := b.window(int(p[0]))
			return func(in, out []float64) {
				out[0] = nan()
				values := w.push(in[0])
				if values == nil {
					return
				}
				top, squares := math.Inf(-1), 0.0
				for _, v := range values {
					top = max(top, v)
					d := over(100*(v-top), top, nan())
					squares += float64(d * d)
				}
				out[0] = math.Sqrt(squares / p[0])
			}
		})
})
