package indicators

// VWMACDValues are the outputs of [VWMACD], of equal length.
type VWMACDValues struct{ MACD, Signal, Histogram []float64 }

// VWMACDPoint is one bar of [VWMACDValues].
type VWMACDPoint struct{ MACD, Signal, Histogram float64 }

// VWMACD writes the difference of two volume-weighted moving averages of
// closes, its EMA, and the gap between the two into dst and returns them. The
// first slow-1 + signal-1 values are NaN.
func VWMACD(dst VWMACDValues, close, volume []float64, fast, slow, signal int) VWMACDValues {
	out := [][]float64{dst.MACD, dst.Signal, dst.Histogram}
	batch(vwmacdIndicator(), out, [][]float64{close, volume}, float64(fast), float64(slow), float64(signal))
	return VWMACDValues{MACD: out[0], Signal: out[1], Histogram: out[2]}
}

// VWMACDStream is [VWMACD] one bar at a time. It is not safe for concurrent use; make
// it with [NewVWMACD].
type VWMACDStream struct{ machine }

// NewVWMACD returns a stream of [VWMACD], or a *[FieldError] for a parameter that is
// out of range.
func NewVWMACD(fast, slow, signal int) (*VWMACDStream, error) {
	m, err := open(vwmacdIndicator(), float64(fast), float64(slow), float64(signal))
	if err != nil {
		return nil, err
	}
	return &VWMACDStream{m}, nil
}

// Update takes the next bar and returns its result, NaN during warm-up.
func (s *VWMACDStream) Update(close, volume float64) VWMACDPoint {
	s.in[0], s.in[1] = close, volume
	s.machine.Update(s.in, s.out)
	return VWMACDPoint{MACD: s.out[0], Signal: s.out[1], Histogram: s.out[2]}
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *VWMACDStream) Peek(close, volume float64) VWMACDPoint {
	s.in[0], s.in[1] = close, volume
	s.machine.Peek(s.in, s.out)
	return VWMACDPoint{MACD: s.out[0], Signal: s.out[1], Histogram: s.out[2]}
}

var vwmacdIndicator = once(func() Indicator {
	return describe(Indicator{Name: "VWMACD", Summary: "MACD of volume-weighted moving averages.",
		Inputs: cv(), Params: []Param{period("fast", 12, 1), period("slow", 26, 1), period("signal", 9, 1)}, Outputs: pane("MACD", "Signal", "Histogram")},
		func(p []float64) int { return int(max(p[0], p[1])+p[2]) - 2 }, func(b *bank, p []float64) step {
			fm, fv, sm, sv := b.sum(int(p[0])), b.sum(int(p[0])), b.sum(int(p[1])), b.sum(int(p[1]))
			e := b.ema(int(p[2]))
			return func(in, out []float64) {
				money := in[0] * in[1]
				d := over(fm.push(money), fv.push(in[1]), nan()) - over(sm.push(money), sv.push(in[1]), nan())
				out[0], out[1] = d, e.push(d)
				out[2] = d - out[1]
			}
		})
})
