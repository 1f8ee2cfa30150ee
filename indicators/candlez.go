package indicators

import "math"

// CandleZValues are the outputs of [CandleZ], of equal length.
type CandleZValues struct{ Open, High, Low, Close []float64 }

// CandleZPoint is one bar of [CandleZValues].
type CandleZPoint struct{ Open, High, Low, Close float64 }

// CandleZ writes into dst, and returns, bars in units of their own spread: each
// price less its mean over n bars, divided by its sample deviation. A price that
// has not moved is unknown; the first n-1 values are NaN. (pandas-ta's cdl_z.)
func CandleZ(dst CandleZValues, open, high, low, close []float64, n int) CandleZValues {
	out := [][]float64{dst.Open, dst.High, dst.Low, dst.Close}
	batch(candleZIndicator(), out, [][]float64{open, high, low, close}, float64(n))
	return CandleZValues{Open: out[0], High: out[1], Low: out[2], Close: out[3]}
}

// CandleZStream is [CandleZ] one bar at a time. It is not safe for concurrent use; make
// it with [NewCandleZ].
type CandleZStream struct{ machine }

// NewCandleZ returns a stream of [CandleZ], or a *[FieldError] for a parameter that is
// out of range.
func NewCandleZ(n int) (*CandleZStream, error) {
	m, err := open(candleZIndicator(), float64(n))
	if err != nil {
		return nil, err
	}
	return &CandleZStream{m}, nil
}

// Update takes the next bar and returns its result, NaN during warm-up.
func (s *CandleZStream) Update(open, high, low, close float64) CandleZPoint {
	s.in[0], s.in[1], s.in[2], s.in[3] = open, high, low, close
	s.machine.Update(s.in, s.out)
	return CandleZPoint{Open: s.out[0], High: s.out[1], Low: s.out[2], Close: s.out[3]}
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *CandleZStream) Peek(open, high, low, close float64) CandleZPoint {
	s.in[0], s.in[1], s.in[2], s.in[3] = open, high, low, close
	s.machine.Peek(s.in, s.out)
	return CandleZPoint{Open: s.out[0], High: s.out[1], Low: s.out[2], Close: s.out[3]}
}

var candleZIndicator = once(func() Indicator {
	return describe(Indicator{Name: "CandleZ", Aliases: []string{"CDLZ"}, Summary: "Candles in sample deviations from the mean of each price.",
		Inputs: ohlc(), Params: periods(30, 2), Outputs: pane("Open", "High", "Low", "Close")},
		first(-1), func(b *bank, p []float64) step {
			var m [4]moments
			for k := range m {
				m[k] = b.moments(int(p[0]))
			}
			return func(in, out []float64) {
				for k := range m {
					_, distance, squares := m[k].sumsTo(in[k])
					out[k] = over(distance, math.Sqrt(squares/(p[0]-1)), nan())
				}
			}
		})
})
