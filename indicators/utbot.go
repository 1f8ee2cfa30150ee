package indicators

// UTBotValues are the outputs of [UTBot], of equal length.
type UTBotValues struct{ Stop, Signal []float64 }

// UTBotPoint is one bar of [UTBotValues].
type UTBotPoint struct{ Stop, Signal float64 }

// UTBot writes the trailing stop of the UT Bot into dst and returns it: key
// average true ranges behind the close, moved only in the trend's favour, and on
// the other side once the close crosses it; Signal is 1 on a bar that crosses
// up, -1 on one that crosses down, 0 otherwise. The first n values are NaN.
func UTBot(dst UTBotValues, high, low, close []float64, n int, key float64) UTBotValues {
	out := [][]float64{dst.Stop, dst.Signal}
	batch(utBotIndicator(), out, [][]float64{high, low, close}, float64(n), key)
	return UTBotValues{Stop: out[0], Signal: out[1]}
}

// UTBotStream is [UTBot] one bar at a time. It is not safe for concurrent use; make
// it with [NewUTBot].
type UTBotStream struct{ machine }

// NewUTBot returns a stream of [UTBot], or a *[FieldError] for a parameter that is
// out of range.
func NewUTBot(n int, key float64) (*UTBotStream, error) {
	m, err := open(utBotIndicator(), float64(n), key)
	if err != nil {
		return nil, err
	}
	return &UTBotStream{m}, nil
}

// Update takes the next bar and returns its result, NaN during warm-up.
func (s *UTBotStream) Update(high, low, close float64) UTBotPoint {
	s.in[0], s.in[1], s.in[2] = high, low, close
	s.machine.Update(s.in, s.out)
	return UTBotPoint{Stop: s.out[0], Signal: s.out[1]}
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *UTBotStream) Peek(high, low, close float64) UTBotPoint {
	s.in[0], s.in[1], s.in[2] = high, low, close
	s.machine.Peek(s.in, s.out)
	return UTBotPoint{Stop: s.out[0], Signal: s.out[1]}
}

var utBotIndicator = once(func() Indicator {
	return describe(Indicator{Name: "UTBot", Summary: "UT Bot: an ATR trailing stop with its crossings as signals.",
		Inputs: hlc(), Params: []Param{period("n", 10, 1), number("key", 1, 1e-3, 1000)}, Outputs: append(overlay("Stop"), pane("Signal")...)},
		first(0), func(b *bank, p []float64) step {
			a, s := b.atr(int(p[0])), b.cells(2)
			return func(in, out []float64) {
				x, width := in[2], float64(p[1]*a.push(in[0], in[1], in[2]))
				stop, before := s[0], s[1]
				s[1], out[0], out[1] = x, nan(), nan()
				if width != width {
					return
				}
				out[1] = 0
				switch {
				case stop == stop && x > stop && before > stop:
					s[0] = max(stop, x-width)
				case stop == stop && x < stop && before < stop:
					s[0] = min(stop, x+width)
				case stop != stop || x > stop:
					s[0] = x - width
				default:
					s[0] = x + width
				}
				if stop == stop && x > stop && before <= stop {
					out[1] = 1
				} else if stop == stop && x < stop && before >= stop {
					out[1] = -1
				}
				out[0] = s[0]
			}
		})
})
