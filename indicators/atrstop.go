package indicators

// ATRStopValues are the outputs of [ATRStop], of equal length.
type ATRStopValues struct{ Stop, Trend, Buy, Sell, ATR []float64 }

// ATRStopPoint is one bar of [ATRStopValues].
type ATRStopPoint struct{ Stop, Trend, Buy, Sell, ATR float64 }

// ATRStop writes a stop that trails the close by multiplier average true
// ranges into dst and returns it: below a rising market, above a falling one.
// Trend is 1 or -1; Buy is the stop while the market falls (buying back there),
// Sell while it rises. The first n values are NaN.
func ATRStop(dst ATRStopValues, high, low, close []float64, n int, multiplier float64) ATRStopValues {
	out := [][]float64{dst.Stop, dst.Trend, dst.Buy, dst.Sell, dst.ATR}
	batch(atrStopIndicator(), out, [][]float64{high, low, close}, float64(n), multiplier)
	return ATRStopValues{Stop: out[0], Trend: out[1], Buy: out[2], Sell: out[3], ATR: out[4]}
}

// ATRStopStream is [ATRStop] one bar at a time. It is not safe for concurrent use; make
// it with [NewATRStop].
type ATRStopStream struct{ machine }

// NewATRStop returns a stream of [ATRStop], or a *[FieldError] for a parameter that is
// out of range.
func NewATRStop(n int, multiplier float64) (*ATRStopStream, error) {
	m, err := open(atrStopIndicator(), float64(n), multiplier)
	if err != nil {
		return nil, err
	}
	return &ATRStopStream{m}, nil
}

// Update takes the next bar and returns its result, NaN during warm-up.
func (s *ATRStopStream) Update(high, low, close float64) ATRStopPoint {
	s.in[0], s.in[1], s.in[2] = high, low, close
	s.machine.Update(s.in, s.out)
	return ATRStopPoint{Stop: s.out[0], Trend: s.out[1], Buy: s.out[2], Sell: s.out[3], ATR: s.out[4]}
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *ATRStopStream) Peek(high, low, close float64) ATRStopPoint {
	s.in[0], s.in[1], s.in[2] = high, low, close
	s.machine.Peek(s.in, s.out)
	return ATRStopPoint{Stop: s.out[0], Trend: s.out[1], Buy: s.out[2], Sell: s.out[3], ATR: s.out[4]}
}

var atrStopIndicator = once(func() Indicator {
	return describe(Indicator{Name: "ATRStop", Summary: "ATR trailing stop from the close.",
		Inputs: hlc(), Params: []Param{period("n", 21, 1), number("multiplier", 3, 1e-3, 1000)},
		Outputs: []Output{{Name: "Stop", Overlay: true}, {Name: "Trend"}, {Name: "Buy", Overlay: true, Sparse: true}, {Name: "Sell", Overlay: true, Sparse: true}, {Name: "ATR"}}},
		first(0), func(b *bank, p []float64) step {
			a, s := b.atr(int(p[0])), b.stops()
			return func(in, out []float64) {
				out[4] = a.push(in[0], in[1], in[2])
				s.write(in[2], float64(p[1]*out[4]), in[2], out)
			}
		})
})
