package indicators

// MFI writes the money flow index into dst and returns it, 0 to 100: an RSI by
// plain sums of typical price times volume, over n changes of the typical price.
// 100 without any fall, 50 where nothing flowed. The first n values are NaN.
// (Quong and Soudack, Technical Analysis of Stocks & Commodities, March 1989.)
func MFI(dst, high, low, close, volume []float64, n int) []float64 {
	return single(mfiIndicator(), dst, [][]float64{high, low, close, volume}, float64(n))
}

// MFIStream is [MFI] one bar at a time. It is not safe for concurrent use; make
// it with [NewMFI].
type MFIStream struct{ machine }

// NewMFI returns a stream of [MFI], or a *[FieldError] for a parameter that is
// out of range.
func NewMFI(n int) (*MFIStream, error) {
	m, err := open(mfiIndicator(), float64(n))
	if err != nil {
		return nil, err
	}
	return &MFIStream{m}, nil
}

// Update takes the next bar and returns its result, NaN during warm-up.
func (s *MFIStream) Update(high, low, close, volume float64) float64 {
	s.in[0], s.in[1], s.in[2], s.in[3] = high, low, close, volume
	s.machine.Update(s.in, s.out)
	return s.out[0]
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *MFIStream) Peek(high, low, close, volume float64) float64 {
	s.in[0], s.in[1], s.in[2], s.in[3] = high, low, close, volume
	s.machine.Peek(s.in, s.out)
	return s.out[0]
}

var mfiIndicator = once(func() Indicator {
	return describe(Indicator{Name: "MFI", Summary: "Money flow index: an RSI weighted by volume.",
		Inputs: hlcv(), Params: periods(14, 1), Outputs: pane("MFI")},
		first(0), func(b *bank, p []float64) step {
			last, up, down := b.lag(1), b.sum(int(p[0])), b.sum(int(p[0]))
			return func(in, out []float64) {
				tp := (in[0] + in[1] + in[2]) / 3
				before := last.push(tp)
				var u, d float64
				switch {
				case before != before:
					u, d = nan(), nan()
				case tp > before:
					u = tp * in[3]
				case tp < before:
					d = tp * in[3]
				}
				u, d = up.push(u), down.push(d)
				out[0] = over(100*u, u+d, 50)
			}
		})
})
