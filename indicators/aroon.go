package indicators

// AroonValues are the outputs of [Aroon], of equal length.
type AroonValues struct{ Up, Down, Oscillator []float64 }

// AroonPoint is one bar of [AroonValues].
type AroonPoint struct{ Up, Down, Oscillator float64 }

// Aroon writes Chande's Aroon into dst and returns it: with the extremes of
// the last n+1 bars,
//
//	Up = 100·(n - bars since the highest high)/n
//	Down = 100·(n - bars since the lowest low)/n
//	Oscillator = Up - Down
//
// The earliest of equal extremes counts, as in Stock.Indicators. The first n values are NaN.
func Aroon(dst AroonValues, high, low []float64, n int) AroonValues {
	out := [][]float64{dst.Up, dst.Down, dst.Oscillator}
	batch(aroonIndicator(), out, [][]float64{high, low}, float64(n))
	return AroonValues{Up: out[0], Down: out[1], Oscillator: out[2]}
}

// AroonStream is [Aroon] one bar at a time. It is not safe for concurrent use; make
// it with [NewAroon].
type AroonStream struct{ machine }

// NewAroon returns a stream of [Aroon], or a *[FieldError] for a parameter that is
// out of range.
func NewAroon(n int) (*AroonStream, error) {
	m, err := open(aroonIndicator(), float64(n))
	if err != nil {
		return nil, err
	}
	return &AroonStream{m}, nil
}

// Update takes the next bar and returns its result, NaN during warm-up.
func (s *AroonStream) Update(high, low float64) AroonPoint {
	s.in[0], s.in[1] = high, low
	s.machine.Update(s.in, s.out)
	return AroonPoint{Up: s.out[0], Down: s.out[1], Oscillator: s.out[2]}
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *AroonStream) Peek(high, low float64) AroonPoint {
	s.in[0], s.in[1] = high, low
	s.machine.Peek(s.in, s.out)
	return AroonPoint{Up: s.out[0], Down: s.out[1], Oscillator: s.out[2]}
}

var aroonIndicator = once(func() Indicator {
	return describe(Indicator{Name: "Aroon", Summary: "Aroon: how recent the highest high and the lowest low are.",
		Inputs: hl(), Params: periods(25, 1), Outputs: pane("Up", "Down", "Oscillator")},
		first(0), func(b *bank, p []float64) step {
			h, l := b.highest(int(p[0])+1), b.lowest(int(p[0])+1)
			return func(in, out []float64) {
				high, up := h.age(in[0])
				_, down := l.age(in[1])
				if high != high {
					out[0], out[1], out[2] = nan(), nan(), nan()
					return
				}
				out[0], out[1] = 100*(p[0]-float64(up))/p[0], 100*(p[0]-float64(down))/p[0]
				out[2] = out[0] - out[1]
			}
		})
})
