package indicators

// SqueezeValues are the outputs of [Squeeze], of equal length.
type SqueezeValues struct{ Momentum, On []float64 }

// SqueezePoint is one bar of [SqueezeValues].
type SqueezePoint struct{ Momentum, On float64 }

// Squeeze writes Carter's squeeze into dst and returns it: On is 1 while the
// Bollinger bands (n, k) lie inside the Keltner channel (SMA and mean true
// range over channel), 0 otherwise. Momentum is the end of the regression line
// over n of the close less the mean of its SMA and of the middle of the n bars'
// extremes. The first max(2n-2, channel) values are NaN. (Mastering the Trade, 2005.)
func Squeeze(dst SqueezeValues, high, low, close []float64, n int, k float64, channel int, width float64) SqueezeValues {
	out := [][]float64{dst.Momentum, dst.On}
	batch(squeezeIndicator(), out, [][]float64{high, low, close}, float64(n), k, float64(channel), width)
	return SqueezeValues{Momentum: out[0], On: out[1]}
}

// SqueezeStream is [Squeeze] one bar at a time. It is not safe for concurrent use; make
// it with [NewSqueeze].
type SqueezeStream struct{ machine }

// NewSqueeze returns a stream of [Squeeze], or a *[FieldError] for a parameter that is
// out of range.
func NewSqueeze(n int, k float64, channel int, width float64) (*SqueezeStream, error) {
	m, err := open(squeezeIndicator(), float64(n), k, float64(channel), width)
	if err != nil {
		return nil, err
	}
	return &SqueezeStream{m}, nil
}

// Update takes the next bar and returns its result, NaN during warm-up.
func (s *SqueezeStream) Update(high, low, close float64) SqueezePoint {
	s.in[0], s.in[1], s.in[2] = high, low, close
	s.machine.Update(s.in, s.out)
	return SqueezePoint{Momentum: s.out[0], On: s.out[1]}
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *SqueezeStream) Peek(high, low, close float64) SqueezePoint {
	s.in[0], s.in[1], s.in[2] = high, low, close
	s.machine.Peek(s.in, s.out)
	return SqueezePoint{Momentum: s.out[0], On: s.out[1]}
}

var squeezeIndicator = once(func() Indicator {
	return describe(Indicator{Name: "Squeeze", Aliases: []string{"TTMSqueeze"}, Summary: "Squeeze: Bollinger bands inside a Keltner channel, with momentum.",
		Inputs: hlc(), Params: []Param{period("n", 20, 2), number("k", 2, 0, 1000), period("channel", 20, 1), number("width", 1.5, 0, 1000)}, Outputs: pane("Momentum", "On")},
		func(p []float64) int { return int(max(2*p[0]-2, p[2])) }, func(b *bank, p []float64) step {
			n, c := int(p[0]), int(p[2])
			m, avg, r, tr, h, l, reg := b.moments(n), b.mean(c), b.ranges(), b.mean(c), b.highest(n), b.lowest(n), b.line(n)
			return func(in, out []float64) {
				mid, deviation := m.deviation(in[2])
				base, width := avg.push(in[2]), p[3]*tr.push(r.push(in[0], in[1], in[2]))
				d := float64(p[1] * deviation)
				out[0], _ = reg.push(in[2] - ((h.push(in[0])+l.push(in[1]))/2+mid)/2)
				out[1] = nan()
				if d == d && width == width {
					out[1] = 0
					if mid+d < base+width && mid-d > base-width {
						out[1] = 1
					}
				}
			}
		})
})
