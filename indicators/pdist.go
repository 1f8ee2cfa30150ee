package indicators

import "math"

// PDist writes the distance that the price travelled within each bar,
// 2·(high-low) - |close-open| + |open - close before|, into dst and returns it.
// The first value is NaN.
func PDist(dst, open, high, low, close []float64) []float64 {
	return single(pdistIndicator(), dst, [][]float64{open, high, low, close})
}

// PDistStream is [PDist] one bar at a time. It is not safe for concurrent use; make
// it with [NewPDist].
type PDistStream struct{ machine }

// NewPDist returns a stream of [PDist].
func NewPDist() (*PDistStream, error) {
	m, err := open(pdistIndicator())
	if err != nil {
		return nil, err
	}
	return &PDistStream{m}, nil
}

// Update takes the next bar and returns its result, NaN during warm-up.
func (s *PDistStream) Update(open, high, low, close float64) float64 {
	s.in[0], s.in[1], s.in[2], s.in[3] = open, high, low, close
	s.machine.Update(s.in, s.out)
	return s.out[0]
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *PDistStream) Peek(open, high, low, close float64) float64 {
	s.in[0], s.in[1], s.in[2], s.in[3] = open, high, low, close
	s.machine.Peek(s.in, s.out)
	return s.out[0]
}

var pdistIndicator = once(func() Indicator {
	return describe(Indicator{Name: "PDist", Summary: "Price distance: how far the price travelled in the bar.",
		Inputs: ohlc(), Outputs: pane("PDist")}, warm(1), func(b *bank, p []float64) step {
		last := b.lag(1)
		return func(in, out []float64) {
			out[0] = float64(2*(in[1]-in[2])) - math.Abs(in[3]-in[0]) + math.Abs(in[0]-last.push(in[3]))
		}
	})
})
