package indicators

// TrueRangeValues are the outputs of [TrueRange], of equal length.
type TrueRangeValues struct{ TR, Percent []float64 }

// TrueRangePoint is one bar of [TrueRangeValues].
type TrueRangePoint struct{ TR, Percent float64 }

// TrueRange writes how far each bar reached, counted from the close before it,
// into dst and returns it: max(high, close before) - min(low, close before),
// in price units and in percent of the close. The first value is NaN.
func TrueRange(dst TrueRangeValues, high, low, close []float64) TrueRangeValues {
	out := [][]float64{dst.TR, dst.Percent}
	batch(trueRangeIndicator(), out, [][]float64{high, low, close})
	return TrueRangeValues{TR: out[0], Percent: out[1]}
}

// TrueRangeStream is [TrueRange] one bar at a time. It is not safe for concurrent use; make
// it with [NewTrueRange].
type TrueRangeStream struct{ machine }

// NewTrueRange returns a stream of [TrueRange].
func NewTrueRange() (*TrueRangeStream, error) {
	m, err := open(trueRangeIndicator())
	if err != nil {
		return nil, err
	}
	return &TrueRangeStream{m}, nil
}

// Update takes the next bar and returns its result, NaN during warm-up.
func (s *TrueRangeStream) Update(high, low, close float64) TrueRangePoint {
	s.in[0], s.in[1], s.in[2] = high, low, close
	s.machine.Update(s.in, s.out)
	return TrueRangePoint{TR: s.out[0], Percent: s.out[1]}
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *TrueRangeStream) Peek(high, low, close float64) TrueRangePoint {
	s.in[0], s.in[1], s.in[2] = high, low, close
	s.machine.Peek(s.in, s.out)
	return TrueRangePoint{TR: s.out[0], Percent: s.out[1]}
}

var trueRangeIndicator = once(func() Indicator {
	return describe(Indicator{Name: "TrueRange", Aliases: []string{"TR"}, Summary: "True range.",
		Inputs: hlc(), Outputs: pane("TR", "Percent")}, warm(1), func(b *bank, p []float64) step {
		r := b.ranges()
		return func(in, out []float64) {
			out[0] = r.push(in[0], in[1], in[2])
			out[1] = over(100*out[0], in[2], nan())
		}
	})
})
