package indicators

// StdDevChannelsValues are the outputs of [StdDevChannels], of equal length.
type StdDevChannelsValues struct{ Upper, Center, Lower []float64 }

// StdDevChannelsPoint is one bar of [StdDevChannelsValues].
type StdDevChannelsPoint struct{ Upper, Center, Lower float64 }

// StdDevChannels writes the end of the least-squares line through the last n
// values of x, and lines k population deviations of those values above and
// below it, into dst and returns them. Each bar has its own line: nothing is
// redrawn when the next one comes. The first n-1 values are NaN.
func StdDevChannels(dst StdDevChannelsValues, x []float64, n int, k float64) StdDevChannelsValues {
	out := [][]float64{dst.Upper, dst.Center, dst.Lower}
	batch(channelsIndicator(), out, [][]float64{x}, float64(n), k)
	return StdDevChannelsValues{Upper: out[0], Center: out[1], Lower: out[2]}
}

// StdDevChannelsStream is [StdDevChannels] one value at a time. It is not safe for concurrent use; make
// it with [NewStdDevChannels].
type StdDevChannelsStream struct{ machine }

// NewStdDevChannels returns a stream of [StdDevChannels], or a *[FieldError] for a parameter that is
// out of range.
func NewStdDevChannels(n int, k float64) (*StdDevChannelsStream, error) {
	m, err := open(channelsIndicator(), float64(n), k)
	if err != nil {
		return nil, err
	}
	return &StdDevChannelsStream{m}, nil
}

// Update takes the next value and returns its result, NaN during warm-up.
func (s *StdDevChannelsStream) Update(x float64) StdDevChannelsPoint {
	s.in[0] = x
	s.machine.Update(s.in, s.out)
	return StdDevChannelsPoint{Upper: s.out[0], Center: s.out[1], Lower: s.out[2]}
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *StdDevChannelsStream) Peek(x float64) StdDevChannelsPoint {
	s.in[0] = x
	s.machine.Peek(s.in, s.out)
	return StdDevChannelsPoint{Upper: s.out[0], Center: s.out[1], Lower: s.out[2]}
}

var channelsIndicator = once(func() Indicator {
	return describe(Indicator{Name: "StdDevChannels", Summary: "Standard deviation channels around the end of a regression line.",
		Inputs: closes(), Params: []Param{period("n", 20, 2), number("k", 2, 0, 1000)}, Outputs: overlay("Upper", "Center", "Lower")},
		first(-1), func(b *bank, p []float64) step {
			l, m := b.line(int(p[0])), b.moments(int(p[0]))
			return func(in, out []float64) {
				end, _ := l.push(in[0])
				_, deviation := m.deviation(in[0])
				width := float64(p[1] * deviation)
				out[0], out[1], out[2] = end+width, end, end-width
			}
		})
})
