package indicators

// SqueezeProValues are the outputs of [SqueezePro], of equal length.
type SqueezeProValues struct{ Momentum, Level []float64 }

// SqueezeProPoint is one bar of [SqueezeProValues].
type SqueezeProPoint struct{ Momentum, Level float64 }

// SqueezePro is [Squeeze] with three channels: Level counts those that the
// Bollinger bands lie inside of, widths wide, normal and narrow. Momentum is the
// same.
func SqueezePro(dst SqueezeProValues, high, low, close []float64, n int, k float64, channel int, wide, normal, narrow float64) SqueezeProValues {
	out := [][]float64{dst.Momentum, dst.Level}
	batch(squeezeProIndicator(), out, [][]float64{high, low, close}, float64(n), k, float64(channel), wide, normal, narrow)
	return SqueezeProValues{Momentum: out[0], Level: out[1]}
}

// SqueezeProStream is [SqueezePro] one bar at a time. It is not safe for concurrent use; make
// it with [NewSqueezePro].
type SqueezeProStream struct{ machine }

// NewSqueezePro returns a stream of [SqueezePro], or a *[FieldError] for a parameter that is
// out of range.
func NewSqueezePro(n int, k float64, channel int, wide, normal, narrow float64) (*SqueezeProStream, error) {
	m, err := open(squeezeProIndicator(), float64(n), k, float64(channel), wide, normal, narrow)
	if err != nil {
		return nil, err
	}
	return &SqueezeProStream{m}, nil
}

// Update takes the next bar and returns its result, NaN during warm-up.
func (s *SqueezeProStream) Update(high, low, close float64) SqueezeProPoint {
	s.in[0], s.in[1], s.in[2] = high, low, close
	s.machine.Update(s.in, s.out)
	return SqueezeProPoint{Momentum: s.out[0], Level: s.out[1]}
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *SqueezeProStream) Peek(high, low, close float64) SqueezeProPoint {
	s.in[0], s.in[1], s.in[2] = high, low, close
	s.machine.Peek(s.in, s.out)
	return SqueezeProPoint{Momentum: s.out[0], Level: s.out[1]}
}

var squeezeProIndicator = once(func() Indicator {
	return describe(Indicator{Name: "SqueezePro", Summary: "Squeeze against three Keltner channels.",
		Inputs: hlc(), Params: []Param{period("n", 20, 2), number("k", 2, 0, 1000), period("channel", 20, 1), number("wide", 2, 0, 1000), number("normal", 1.5, 0, 1000), number("narrow", 1, 0, 1000)}, Outputs: pane("Momentum", "Level")},
		func(p []float64) int { return int(max(2*p[0]-2, p[2])) }, func(b *bank, p []float64) step {
			n, c := int(p[0]), int(p[2])
			m, avg, r, tr, h, l, reg := b.moments(n), b.mean(c), b.ranges(), b.mean(c), b.highest(n), b.lowest(n), b.line(n)
			return func(in, out []float64) {
				mid, deviation := m.deviation(in[2])
				base, reach := avg.push(in[2]), tr.push(r.push(in[0], in[1], in[2]))
				d := float64(p[1] * deviation)
				out[0], _ = reg.push(in[2] - ((h.push(in[0])+l.push(in[1]))/2+mid)/2)
				out[1] = nan()
				if d == d && reach == reach {
					out[1] = 0
					for _, width := range p[3:6] {
						if w := float64(width * reach); mid+d < base+w && mid-d > base-w {
							out[1]++
						}
					}
				}
			}
		})
})
