package indicators

// WAD writes Williams's accumulation/distribution into dst and returns it: the
// running sum of close - min(low, close before) on rises and close - max(high,
// close before) on falls. The first value is NaN.
func WAD(dst, high, low, close []float64) []float64 {
	return single(wadIndicator(), dst, [][]float64{high, low, close})
}

// WADStream is [WAD] one bar at a time. It is not safe for concurrent use; make
// it with [NewWAD].
type WADStream struct{ machine }

// NewWAD returns a stream of [WAD].
func NewWAD() (*WADStream, error) {
	m, err := open(wadIndicator())
	if err != nil {
		return nil, err
	}
	return &WADStream{m}, nil
}

// Update takes the next bar and returns its result, NaN during warm-up.
func (s *WADStream) Update(high, low, close float64) float64 {
	s.in[0], s.in[1], s.in[2] = high, low, close
	s.machine.Update(s.in, s.out)
	return s.out[0]
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *WADStream) Peek(high, low, close float64) float64 {
	s.in[0], s.in[1], s.in[2] = high, low, close
	s.machine.Peek(s.in, s.out)
	return s.out[0]
}

var wadIndicator = once(func() Indicator {
	return describe(Indicator{Name: "WAD", Summary: "Williams's accumulation/distribution.",
		Inputs: hlc(), Outputs: pane("WAD")}, warm(1), func(b *bank, p []float64) step {
		last, total := b.lag(1), b.take(1)
		return func(in, out []float64) {
			old := last.push(in[2])
			out[0] = nan()
			if old != old {
				return
			}
			if in[2] > old {
				total[0] += in[2] - min(old, in[1])
			} else if in[2] < old {
				total[0] += in[2] - max(old, in[0])
			}
			out[0] = total[0]
		}
	})
})
