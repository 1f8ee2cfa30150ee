package indicators

// HeikinAshiValues are the outputs of [HeikinAshi], of equal length.
type HeikinAshiValues struct{ Open, High, Low, Close []float64 }

// HeikinAshiPoint is one bar of [HeikinAshiValues].
type HeikinAshiPoint struct{ Open, High, Low, Close float64 }

// HeikinAshi writes Heikin-Ashi candles into dst and returns them: Close is the
// mean of the four prices, Open the middle of the candle's body before (of the
// first bar's own body), High and Low the extremes of these and the bar. No value
// is NaN.
func HeikinAshi(dst HeikinAshiValues, open, high, low, close []float64) HeikinAshiValues {
	out := [][]float64{dst.Open, dst.High, dst.Low, dst.Close}
	batch(heikinAshiIndicator(), out, [][]float64{open, high, low, close})
	return HeikinAshiValues{Open: out[0], High: out[1], Low: out[2], Close: out[3]}
}

// HeikinAshiStream is [HeikinAshi] one bar at a time. It is not safe for concurrent use; make
// it with [NewHeikinAshi].
type HeikinAshiStream struct{ machine }

// NewHeikinAshi returns a stream of [HeikinAshi].
func NewHeikinAshi() (*HeikinAshiStream, error) {
	m, err := open(heikinAshiIndicator())
	if err != nil {
		return nil, err
	}
	return &HeikinAshiStream{m}, nil
}

// Update takes the next bar and returns its result, NaN during warm-up.
func (s *HeikinAshiStream) Update(open, high, low, close float64) HeikinAshiPoint {
	s.in[0], s.in[1], s.in[2], s.in[3] = open, high, low, close
	s.machine.Update(s.in, s.out)
	return HeikinAshiPoint{Open: s.out[0], High: s.out[1], Low: s.out[2], Close: s.out[3]}
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *HeikinAshiStream) Peek(open, high, low, close float64) HeikinAshiPoint {
	s.in[0], s.in[1], s.in[2], s.in[3] = open, high, low, close
	s.machine.Peek(s.in, s.out)
	return HeikinAshiPoint{Open: s.out[0], High: s.out[1], Low: s.out[2], Close: s.out[3]}
}

var heikinAshiIndicator = once(func() Indicator {
	return describe(Indicator{Name: "HeikinAshi", Aliases: []string{"HA"}, Summary: "Heikin-Ashi candles.",
		Inputs: ohlc(), Outputs: overlay("Open", "High", "Low", "Close")}, warm(0), func(b *bank, p []float64) step {
		s := b.cells(2)
		return func(in, out []float64) {
			if s[0] != s[0] {
				s[0], s[1] = in[0], in[3]
			}
			open, close := (s[0]+s[1])/2, (in[0]+in[1]+in[2]+in[3])/4
			s[0], s[1] = open, close
			out[0], out[1], out[2], out[3] = open, max(in[1], open, close), min(in[2], open, close), close
		}
	})
})
