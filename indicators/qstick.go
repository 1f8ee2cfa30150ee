package indicators

// QStick writes Chande's QStick into dst and returns it: the simple average of
// close - open over n bars. The first n-1 values are NaN.
func QStick(dst, open, close []float64, n int) []float64 {
	return single(qstickIndicator(), dst, [][]float64{open, close}, float64(n))
}

// QStickStream is [QStick] one bar at a time. It is not safe for concurrent use; make
// it with [NewQStick].
type QStickStream struct{ machine }

// NewQStick returns a stream of [QStick], or a *[FieldError] for a parameter that is
// out of range.
func NewQStick(n int) (*QStickStream, error) {
	m, err := open(qstickIndicator(), float64(n))
	if err != nil {
		return nil, err
	}
	return &QStickStream{m}, nil
}

// Update takes the next bar and returns its result, NaN during warm-up.
func (s *QStickStream) Update(open, close float64) float64 {
	s.in[0], s.in[1] = open, close
	s.machine.Update(s.in, s.out)
	return s.out[0]
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *QStickStream) Peek(open, close float64) float64 {
	s.in[0], s.in[1] = open, close
	s.machine.Peek(s.in, s.out)
	return s.out[0]
}

var qstickIndicator = once(func() Indicator {
	return describe(Indicator{Name: "QStick", Summary: "QStick: the average candle body.",
		Inputs: []string{"open", "close"}, Params: periods(10, 1), Outputs: pane("QStick")},
		first(-1), func(b *bank, p []float64) step {
			m := b.mean(int(p[0]))
			return func(in, out []float64) { out[0] = m.push(in[1] - in[0]) }
		})
})
