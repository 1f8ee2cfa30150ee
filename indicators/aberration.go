package indicators

// AberrationValues are the outputs of [Aberration], of equal length.
type AberrationValues struct{ Upper, Middle, Lower, ATR []float64 }

// AberrationPoint is one bar of [AberrationValues].
type AberrationPoint struct{ Upper, Middle, Lower, ATR float64 }

// Aberration writes the SMA over n of the typical price (high+low+close)/3 and
// lines one ATR(atr) either side into dst and returns them. The first
// max(n-1, atr) values are NaN.
func Aberration(dst AberrationValues, high, low, close []float64, n, atr int) AberrationValues {
	out := [][]float64{dst.Upper, dst.Middle, dst.Lower, dst.ATR}
	batch(aberrationIndicator(), out, [][]float64{high, low, close}, float64(n), float64(atr))
	return AberrationValues{Upper: out[0], Middle: out[1], Lower: out[2], ATR: out[3]}
}

// AberrationStream is [Aberration] one bar at a time. It is not safe for concurrent use; make
// it with [NewAberration].
type AberrationStream struct{ machine }

// NewAberration returns a stream of [Aberration], or a *[FieldError] for a parameter that is
// out of range.
func NewAberration(n, atr int) (*AberrationStream, error) {
	m, err := open(aberrationIndicator(), float64(n), float64(atr))
	if err != nil {
		return nil, err
	}
	return &AberrationStream{m}, nil
}

// Update takes the next bar and returns its result, NaN during warm-up.
func (s *AberrationStream) Update(high, low, close float64) AberrationPoint {
	s.in[0], s.in[1], s.in[2] = high, low, close
	s.machine.Update(s.in, s.out)
	return AberrationPoint{Upper: s.out[0], Middle: s.out[1], Lower: s.out[2], ATR: s.out[3]}
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *AberrationStream) Peek(high, low, close float64) AberrationPoint {
	s.in[0], s.in[1], s.in[2] = high, low, close
	s.machine.Peek(s.in, s.out)
	return AberrationPoint{Upper: s.out[0], Middle: s.out[1], Lower: s.out[2], ATR: s.out[3]}
}

var aberrationIndicator = once(func() Indicator {
	return describe(Indicator{Name: "Aberration", Summary: "Aberration: one average true range either side of the typical price's average.",
		Inputs: hlc(), Params: []Param{period("n", 5, 1), period("atr", 15, 1)}, Outputs: append(overlay("Upper", "Middle", "Lower"), pane("ATR")...)},
		func(p []float64) int { return int(max(p[0]-1, p[1])) }, func(b *bank, p []float64) step {
			e, a := b.mean(int(p[0])), b.atr(int(p[1]))
			return func(in, out []float64) {
				m, width := e.push((in[0]+in[1]+in[2])/3), a.push(in[0], in[1], in[2])
				out[0], out[1], out[2], out[3] = m+width, m, m-width, width
			}
		})
})
