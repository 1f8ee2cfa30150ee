package indicators

// CCI writes Lambert's commodity channel index into dst and returns it: with tp
// the typical price (high+low+close)/3,
//
//	CCI = (tp - SMA(tp, n)) / (0.015·mean deviation of the last n tp)
//
// 0 in a flat market. The first n-1 values are NaN. (Commodities, October 1980.)
func CCI(dst, high, low, close []float64, n int) []float64 {
	return single(cciIndicator(), dst, [][]float64{high, low, close}, float64(n))
}

// CCIStream is [CCI] one bar at a time. It is not safe for concurrent use; make
// it with [NewCCI].
type CCIStream struct{ machine }

// NewCCI returns a stream of [CCI], or a *[FieldError] for a parameter that is
// out of range.
func NewCCI(n int) (*CCIStream, error) {
	m, err := open(cciIndicator(), float64(n))
	if err != nil {
		return nil, err
	}
	return &CCIStream{m}, nil
}

// Update takes the next bar and returns its result, NaN during warm-up.
func (s *CCIStream) Update(high, low, close float64) float64 {
	s.in[0], s.in[1], s.in[2] = high, low, close
	s.machine.Update(s.in, s.out)
	return s.out[0]
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *CCIStream) Peek(high, low, close float64) float64 {
	s.in[0], s.in[1], s.in[2] = high, low, close
	s.machine.Peek(s.in, s.out)
	return s.out[0]
}

var cciIndicator = once(func() Indicator {
	return describe(Indicator{Name: "CCI", Summary: "Commodity channel index: distance from the average in mean deviations.",
		Inputs: hlc(), Params: periods(20, 1), Outputs: pane("CCI")},
		first(-1), func(b *bank, p []float64) step {
			a := b.away(int(p[0]))
			return func(in, out []float64) {
				distance, away := a.push((in[0] + in[1] + in[2]) / 3)
				out[0] = over(distance, 0.015*away, 0)
			}
		})
})
