package indicators

// GannHiLoValues are the outputs of [GannHiLo], of equal length.
type GannHiLoValues struct{ HiLo, Trend []float64 }

// GannHiLoPoint is one bar of [GannHiLoValues].
type GannHiLoPoint struct{ HiLo, Trend float64 }

// GannHiLo writes the Gann high-low activator into dst and returns it: the
// average low while the close was last above the average high, the average
// high while it was last below the average low. Trend is 1 or -1. NaN until the
// first of these; at least the first max(highs, lows) values are NaN.
func GannHiLo(dst GannHiLoValues, high, low, close []float64, highs, lows int) GannHiLoValues {
	out := [][]float64{dst.HiLo, dst.Trend}
	batch(hiloIndicator(), out, [][]float64{high, low, close}, float64(highs), float64(lows))
	return GannHiLoValues{HiLo: out[0], Trend: out[1]}
}

// GannHiLoStream is [GannHiLo] one bar at a time. It is not safe for concurrent use; make
// it with [NewGannHiLo].
type GannHiLoStream struct{ machine }

// NewGannHiLo returns a stream of [GannHiLo], or a *[FieldError] for a parameter that is
// out of range.
func NewGannHiLo(highs, lows int) (*GannHiLoStream, error) {
	m, err := open(hiloIndicator(), float64(highs), float64(lows))
	if err != nil {
		return nil, err
	}
	return &GannHiLoStream{m}, nil
}

// Update takes the next bar and returns its result, NaN during warm-up.
func (s *GannHiLoStream) Update(high, low, close float64) GannHiLoPoint {
	s.in[0], s.in[1], s.in[2] = high, low, close
	s.machine.Update(s.in, s.out)
	return GannHiLoPoint{HiLo: s.out[0], Trend: s.out[1]}
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *GannHiLoStream) Peek(high, low, close float64) GannHiLoPoint {
	s.in[0], s.in[1], s.in[2] = high, low, close
	s.machine.Peek(s.in, s.out)
	return GannHiLoPoint{HiLo: s.out[0], Trend: s.out[1]}
}

var hiloIndicator = once(func() Indicator {
	return describe(Indicator{Name: "GannHiLo", Aliases: []string{"HILO"}, Summary: "Gann high-low activator.",
		Inputs: hlc(), Params: []Param{period("highs", 13, 1), period("lows", 21, 1)},
		Outputs: []Output{{Name: "HiLo", Overlay: true, Sparse: true}, {Name: "Trend", Sparse: true}}},
		func(p []float64) int { return int(max(p[0], p[1])) }, func(b *bank, p []float64) step {
			h, l, hb, lb, trend := b.mean(int(p[0])), b.mean(int(p[1])), b.lag(1), b.lag(1), b.cells(1)
			return func(in, out []float64) {
				high, low := h.push(in[0]), l.push(in[1])
				oldHigh, oldLow := hb.push(high), lb.push(low)
				if oldHigh == oldHigh && oldLow == oldLow {
					if in[2] > oldHigh {
						trend[0] = 1
					} else if in[2] < oldLow {
						trend[0] = -1
					}
				}
				out[0], out[1] = nan(), trend[0]
				if trend[0] > 0 {
					out[0] = low
				} else if trend[0] < 0 {
					out[0] = high
				}
			}
		})
})
