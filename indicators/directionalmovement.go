package indicators

// DMValues are the outputs of [DM], of equal length.
type DMValues struct{ Plus, Minus []float64 }

// DMPoint is one bar of [DMValues].
type DMPoint struct{ Plus, Minus float64 }

// DM writes Wilder's directional movement into dst and returns it: his sums over
// n of how far highs exceeded the highs before, and lows fell below the lows
// before, each where it was the larger of the two and positive. A sum loses an
// n-th of itself with every bar. The first n values are NaN. (Wilder, New Concepts
// in Technical Trading Systems, 1978.)
func DM(dst DMValues, high, low []float64, n int) DMValues {
	out := [][]float64{dst.Plus, dst.Minus}
	batch(dMIndicator(), out, [][]float64{high, low}, float64(n))
	return DMValues{Plus: out[0], Minus: out[1]}
}

// DMStream is [DM] one bar at a time. It is not safe for concurrent use; make
// it with [NewDM].
type DMStream struct{ machine }

// NewDM returns a stream of [DM], or a *[FieldError] for a parameter that is
// out of range.
func NewDM(n int) (*DMStream, error) {
	m, err := open(dMIndicator(), float64(n))
	if err != nil {
		return nil, err
	}
	return &DMStream{m}, nil
}

// Update takes the next bar and returns its result, NaN during warm-up.
func (s *DMStream) Update(high, low float64) DMPoint {
	s.in[0], s.in[1] = high, low
	s.machine.Update(s.in, s.out)
	return DMPoint{Plus: s.out[0], Minus: s.out[1]}
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *DMStream) Peek(high, low float64) DMPoint {
	s.in[0], s.in[1] = high, low
	s.machine.Peek(s.in, s.out)
	return DMPoint{Plus: s.out[0], Minus: s.out[1]}
}

var dMIndicator = once(func() Indicator {
	return describe(Indicator{Name: "DM", Aliases: []string{"DirectionalMovement"}, Summary: "Wilder's sums of upward and downward movement.",
		Inputs: hl(), Params: periods(14, 1), Outputs: pane("Plus", "Minus")},
		first(0), func(b *bank, p []float64) step {
			before, plus, minus := b.cells(2), b.wilder(int(p[0])), b.wilder(int(p[0]))
			return func(in, out []float64) {
				up, down := in[0]-before[0], before[1]-in[1]
				before[0], before[1] = in[0], in[1]
				if up != up {
					out[0], out[1] = nan(), nan()
					return
				}
				rise, fall := 0.0, 0.0
				if up > down && up > 0 {
					rise = up
				} else if down > up && down > 0 {
					fall = down
				}
				out[0], out[1] = p[0]*plus.push(rise), p[0]*minus.push(fall)
			}
		})
})
