package indicators

import "slices"

// VolatilityStopValues are the outputs of [VolatilityStop], of equal length.
type VolatilityStopValues struct{ Stop, Trend, IsStop []float64 }

// VolatilityStopPoint is one bar of [VolatilityStopValues].
type VolatilityStopPoint struct{ Stop, Trend, IsStop float64 }

// VolatilityStop writes Wilder's volatility system into dst and returns it: a
// stop multiplier average true ranges (of the bar before) from the most
// favourable close since the position began; a close beyond it reverses the
// position (New Concepts in Technical Trading Systems, 1978). Trend is the
// position that the bar leaves, 1 or -1, IsStop 1 on the bar that reversed it.
// The first direction is a guess from the first n closes. The first n+1 values
// are NaN.
func VolatilityStop(dst VolatilityStopValues, high, low, close []float64, n int, multiplier float64) VolatilityStopValues {
	out := [][]float64{dst.Stop, dst.Trend, dst.IsStop}
	batch(volatilityStopIndicator(), out, [][]float64{high, low, close}, float64(n), multiplier)
	return VolatilityStopValues{Stop: out[0], Trend: out[1], IsStop: out[2]}
}

// VolatilityStopStream is [VolatilityStop] one bar at a time. It is not safe for concurrent use; make
// it with [NewVolatilityStop].
type VolatilityStopStream struct{ machine }

// NewVolatilityStop returns a stream of [VolatilityStop], or a *[FieldError] for a parameter that is
// out of range.
func NewVolatilityStop(n int, multiplier float64) (*VolatilityStopStream, error) {
	m, err := open(volatilityStopIndicator(), float64(n), multiplier)
	if err != nil {
		return nil, err
	}
	return &VolatilityStopStream{m}, nil
}

// Update takes the next bar and returns its result, NaN during warm-up.
func (s *VolatilityStopStream) Update(high, low, close float64) VolatilityStopPoint {
	s.in[0], s.in[1], s.in[2] = high, low, close
	s.machine.Update(s.in, s.out)
	return VolatilityStopPoint{Stop: s.out[0], Trend: s.out[1], IsStop: s.out[2]}
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *VolatilityStopStream) Peek(high, low, close float64) VolatilityStopPoint {
	s.in[0], s.in[1], s.in[2] = high, low, close
	s.machine.Peek(s.in, s.out)
	return VolatilityStopPoint{Stop: s.out[0], Trend: s.out[1], IsStop: s.out[2]}
}

var volatilityStopIndicator = once(func() Indicator {
	return describe(Indicator{Name: "VolatilityStop", Aliases: []string{"VStop"}, Summary: "Wilder's volatility stop-and-reverse.",
		Inputs: hlc(), Params: []Param{period("n", 14, 2), number("multiplier", 3, 1e-3, 1000)},
		Outputs: append(overlay("Stop"), pane("Trend", "IsStop")...)},
		first(1), func(b *bank, p []float64) step {
			a, last, s, falling, w := b.atr(int(p[0])), b.lag(1), b.cells(1), b.counters(1), b.window(int(p[0]))
			return func(in, out []float64) {
				before := last.push(a.push(in[0], in[1], in[2]))
				out[0], out[1], out[2] = nan(), nan(), nan()
				if s[0] != s[0] { // not begun: the extreme of the first closes in their direction
					if closes := w.push(in[2]); closes != nil {
						s[0] = slices.Max(closes)
						if closes[len(closes)-1] < closes[0] {
							falling[0] = 1
							s[0] = slices.Min(closes)
						}
					}
					return
				}
				side := 1.0
				if falling[0] == 1 {
					side = -1
				}
				if before != before {
					s[0] = side * max(side*s[0], side*in[2])
					return
				}
				stop := s[0] - float64(side*p[1]*before)
				out[0], out[2] = stop, 0
				if side*in[2] < side*stop {
					out[2], s[0] = 1, in[2]
					falling[0] = 1 - falling[0]
					side = -side
				} else {
					s[0] = side * max(side*s[0], side*in[2])
				}
				out[1] = side
			}
		})
})
