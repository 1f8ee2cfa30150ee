package indicators

import "math"

// Doji writes 1 into dst where a bar closed within percent of its open, 0 where
// not, and returns it.
func Doji(dst, open, close []float64, percent float64) []float64 {
	return single(dojiIndicator(), dst, [][]float64{open, close}, percent)
}

// DojiStream is [Doji] one bar at a time. It is not safe for concurrent use; make
// it with [NewDoji].
type DojiStream struct{ machine }

// NewDoji returns a stream of [Doji], or a *[FieldError] for a parameter that is
// out of range.
func NewDoji(percent float64) (*DojiStream, error) {
	m, err := open(dojiIndicator(), percent)
	if err != nil {
		return nil, err
	}
	return &DojiStream{m}, nil
}

// Update takes the next bar and returns its result, NaN during warm-up.
func (s *DojiStream) Update(open, close float64) float64 {
	s.in[0], s.in[1] = open, close
	s.machine.Update(s.in, s.out)
	return s.out[0]
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *DojiStream) Peek(open, close float64) float64 {
	s.in[0], s.in[1] = open, close
	s.machine.Peek(s.in, s.out)
	return s.out[0]
}

var dojiIndicator = once(func() Indicator {
	return describe(Indicator{Name: "Doji", Summary: "Whether a bar closed where it opened.",
		Inputs: []string{"open", "close"}, Params: []Param{number("percent", 0.1, 0, 100)}, Outputs: pane("Doji")}, warm(0), func(b *bank, p []float64) step {
		return func(in, out []float64) {
			out[0] = above(math.Abs(over(in[1], in[0], nan())-1), p[0]/100)
			out[0] = 1 - out[0]
		}
	})
})
