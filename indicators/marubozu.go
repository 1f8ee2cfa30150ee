package indicators

import "math"

// Marubozu writes 1 into dst where a bar's body was at least percent of its
// range and it rose, -1 where it fell, 0 elsewhere, and returns it. A bar
// without range has no body: 0.
func Marubozu(dst, open, high, low, close []float64, percent float64) []float64 {
	return single(marubozuIndicator(), dst, [][]float64{open, high, low, close}, percent)
}

// MarubozuStream is [Marubozu] one bar at a time. It is not safe for concurrent use; make
// it with [NewMarubozu].
type MarubozuStream struct{ machine }

// NewMarubozu returns a stream of [Marubozu], or a *[FieldError] for a parameter that is
// out of range.
func NewMarubozu(percent float64) (*MarubozuStream, error) {
	m, err := open(marubozuIndicator(), percent)
	if err != nil {
		return nil, err
	}
	return &MarubozuStream{m}, nil
}

// Update takes the next bar and returns its result, NaN during warm-up.
func (s *MarubozuStream) Update(open, high, low, close float64) float64 {
	s.in[0], s.in[1], s.in[2], s.in[3] = open, high, low, close
	s.machine.Update(s.in, s.out)
	return s.out[0]
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *MarubozuStream) Peek(open, high, low, close float64) float64 {
	s.in[0], s.in[1], s.in[2], s.in[3] = open, high, low, close
	s.machine.Peek(s.in, s.out)
	return s.out[0]
}

var marubozuIndicator = once(func() Indicator {
	return describe(Indicator{Name: "Marubozu", Summary: "Bars that are nearly all body.",
		Inputs: ohlc(), Params: []Param{number("percent", 95, 0, 100)}, Outputs: pane("Marubozu")}, warm(0), func(b *bank, p []float64) step {
		return func(in, out []float64) {
			out[0] = 0
			if body := math.Abs(in[3] - in[0]); in[1] > in[2] && body/(in[1]-in[2]) >= p[0]/100 {
				out[0] = math.Copysign(1, in[3]-in[0])
			}
		}
	})
})
