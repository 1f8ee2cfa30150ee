package indicators

import "math"

// Choppiness writes Dreiss's choppiness index into dst and returns it, 0 (a
// straight trend) to 100:
//
//	CHOP = 100·log10(ΣTR / (highest true high - lowest true low)) / log10(n)
//
// over the last n bars, true highs and lows counted with the close before. NaN
// where nothing moved; the first n values are NaN; n is at least 2.
func Choppiness(dst, high, low, close []float64, n int) []float64 {
	return single(chopIndicator(), dst, [][]float64{high, low, close}, float64(n))
}

// ChoppinessStream is [Choppiness] one bar at a time. It is not safe for concurrent use; make
// it with [NewChoppiness].
type ChoppinessStream struct{ machine }

// NewChoppiness returns a stream of [Choppiness], or a *[FieldError] for a parameter that is
// out of range.
func NewChoppiness(n int) (*ChoppinessStream, error) {
	m, err := open(chopIndicator(), float64(n))
	if err != nil {
		return nil, err
	}
	return &ChoppinessStream{m}, nil
}

// Update takes the next bar and returns its result, NaN during warm-up.
func (s *ChoppinessStream) Update(high, low, close float64) float64 {
	s.in[0], s.in[1], s.in[2] = high, low, close
	s.machine.Update(s.in, s.out)
	return s.out[0]
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *ChoppinessStream) Peek(high, low, close float64) float64 {
	s.in[0], s.in[1], s.in[2] = high, low, close
	s.machine.Peek(s.in, s.out)
	return s.out[0]
}

var chopIndicator = once(func() Indicator {
	return describe(Indicator{Name: "Choppiness", Aliases: []string{"CHOP"}, Summary: "Choppiness index, high in sideways markets.",
		Inputs: hlc(), Params: periods(14, 2), Outputs: pane("CHOP")},
		first(0), func(b *bank, p []float64) step {
			n := int(p[0])
			last, tr, h, l := b.lag(1), b.sum(n), b.highest(n), b.lowest(n)
			return func(in, out []float64) {
				c := last.push(in[2])
				high, low := max(in[0], c), min(in[1], c)
				out[0] = over(100*math.Log10(over(tr.push(high-low), h.push(high)-l.push(low), nan())), math.Log10(p[0]), nan())
			}
		})
})
