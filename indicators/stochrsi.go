package indicators

// StochRSIValues are the outputs of [StochRSI], of equal length.
type StochRSIValues struct{ K, D []float64 }

// StochRSIPoint is one bar of [StochRSIValues].
type StochRSIPoint struct{ K, D float64 }

// StochRSI writes the stochastic oscillator of the RSI of closes into dst and
// returns it, as TradingView draws it: K = SMA(raw, smooth), D = SMA(K, signal)
// (Chande and Kroll, The New Technical Trader, 1994). The first
// rsi + n-1 + smooth-1 + signal-1 values are NaN.
func StochRSI(dst StochRSIValues, closes []float64, rsi, n, smooth, signal int) StochRSIValues {
	out := [][]float64{dst.K, dst.D}
	batch(stochRSIIndicator(), out, [][]float64{closes}, float64(rsi), float64(n), float64(smooth), float64(signal))
	return StochRSIValues{K: out[0], D: out[1]}
}

// StochRSIStream is [StochRSI] one value at a time. It is not safe for concurrent use; make
// it with [NewStochRSI].
type StochRSIStream struct{ machine }

// NewStochRSI returns a stream of [StochRSI], or a *[FieldError] for a parameter that is
// out of range.
func NewStochRSI(rsi, n, smooth, signal int) (*StochRSIStream, error) {
	m, err := open(stochRSIIndicator(), float64(rsi), float64(n), float64(smooth), float64(signal))
	if err != nil {
		return nil, err
	}
	return &StochRSIStream{m}, nil
}

// Update takes the next value and returns its result, NaN during warm-up.
func (s *StochRSIStream) Update(x float64) StochRSIPoint {
	s.in[0] = x
	s.machine.Update(s.in, s.out)
	return StochRSIPoint{K: s.out[0], D: s.out[1]}
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *StochRSIStream) Peek(x float64) StochRSIPoint {
	s.in[0] = x
	s.machine.Peek(s.in, s.out)
	return StochRSIPoint{K: s.out[0], D: s.out[1]}
}

var stochRSIIndicator = once(func() Indicator {
	return describe(Indicator{Name: "StochRSI", Summary: "Stochastic oscillator of the RSI.",
		Inputs: closes(), Params: []Param{period("rsi", 14, 1), period("n", 14, 1), period("smooth", 3, 1), period("signal", 3, 1)}, Outputs: pane("K", "D")},
		func(p []float64) int { return int(p[0]+p[1]+p[2]+p[3]) - 3 }, func(b *bank, p []float64) step {
			r, s, k, d := b.rsi(int(p[0])), b.stochastic(int(p[1])), b.mean(int(p[2])), b.mean(int(p[3]))
			return func(in, out []float64) {
				x := r.push(in[0])
				out[0] = k.push(s.push(x, x, x))
				out[1] = d.push(out[0])
			}
		})
})
