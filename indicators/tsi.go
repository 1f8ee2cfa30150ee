package indicators

import "math"

// TSIValues are the outputs of [TSI], of equal length.
type TSIValues struct{ TSI, Signal []float64 }

// TSIPoint is one bar of [TSIValues].
type TSIPoint struct{ TSI, Signal float64 }

// TSI writes Blau's true strength index of closes into dst and returns it, -100
// to 100: with m the change of the close,
//
//	TSI = 100·EMA(EMA(m, slow), fast) / EMA(EMA(|m|, slow), fast)
//
// and Signal its EMA. Averages start from simple ones. 0 where nothing moved.
// The first slow + fast-1 + signal-1 values are NaN. (Technical Analysis of
// Stocks & Commodities, November 1991.)
func TSI(dst TSIValues, closes []float64, slow, fast, signal int) TSIValues {
	out := [][]float64{dst.TSI, dst.Signal}
	batch(tsiIndicator(), out, [][]float64{closes}, float64(slow), float64(fast), float64(signal))
	return TSIValues{TSI: out[0], Signal: out[1]}
}

// TSIStream is [TSI] one value at a time. It is not safe for concurrent use; make
// it with [NewTSI].
type TSIStream struct{ machine }

// NewTSI returns a stream of [TSI], or a *[FieldError] for a parameter that is
// out of range.
func NewTSI(slow, fast, signal int) (*TSIStream, error) {
	m, err := open(tsiIndicator(), float64(slow), float64(fast), float64(signal))
	if err != nil {
		return nil, err
	}
	return &TSIStream{m}, nil
}

// Update takes the next value and returns its result, NaN during warm-up.
func (s *TSIStream) Update(x float64) TSIPoint {
	s.in[0] = x
	s.machine.Update(s.in, s.out)
	return TSIPoint{TSI: s.out[0], Signal: s.out[1]}
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *TSIStream) Peek(x float64) TSIPoint {
	s.in[0] = x
	s.machine.Peek(s.in, s.out)
	return TSIPoint{TSI: s.out[0], Signal: s.out[1]}
}

var tsiIndicator = once(func() Indicator {
	return describe(Indicator{Name: "TSI", Summary: "True strength index: twice smoothed momentum.",
		Inputs: closes(), Params: []Param{period("slow", 25, 1), period("fast", 13, 1), period("signal", 7, 1)}, Outputs: pane("TSI", "Signal")},
		func(p []float64) int { return int(p[0]+p[1]+p[2]) - 2 }, func(b *bank, p []float64) step {
			last, a, c, d, e, s := b.lag(1), b.ema(int(p[0])), b.ema(int(p[1])), b.ema(int(p[0])), b.ema(int(p[1])), b.ema(int(p[2]))
			return func(in, out []float64) {
				m := in[0] - last.push(in[0])
				out[0] = over(100*c.push(a.push(m)), e.push(d.push(math.Abs(m))), 0)
				out[1] = s.push(out[0])
			}
		})
})
