package indicators

// STARCValues are the outputs of [STARC], of equal length.
type STARCValues struct{ Upper, Middle, Lower []float64 }

// STARCPoint is one bar of [STARCValues].
type STARCPoint struct{ Upper, Middle, Lower float64 }

// STARC writes Stoller's average range channels into dst and returns them: the
// SMA of closes over n and lines multiplier·ATR(atr) either side. The first
// max(n-1, atr) values are NaN.
func STARC(dst STARCValues, high, low, close []float64, n int, multiplier float64, atr int) STARCValues {
	out := [][]float64{dst.Upper, dst.Middle, dst.Lower}
	batch(starcIndicator(), out, [][]float64{high, low, close}, float64(n), multiplier, float64(atr))
	return STARCValues{Upper: out[0], Middle: out[1], Lower: out[2]}
}

// STARCStream is [STARC] one bar at a time. It is not safe for concurrent use; make
// it with [NewSTARC].
type STARCStream struct{ machine }

// NewSTARC returns a stream of [STARC], or a *[FieldError] for a parameter that is
// out of range.
func NewSTARC(n int, multiplier float64, atr int) (*STARCStream, error) {
	m, err := open(starcIndicator(), float64(n), multiplier, float64(atr))
	if err != nil {
		return nil, err
	}
	return &STARCStream{m}, nil
}

// Update takes the next bar and returns its result, NaN during warm-up.
func (s *STARCStream) Update(high, low, close float64) STARCPoint {
	s.in[0], s.in[1], s.in[2] = high, low, close
	s.machine.Update(s.in, s.out)
	return STARCPoint{Upper: s.out[0], Middle: s.out[1], Lower: s.out[2]}
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *STARCStream) Peek(high, low, close float64) STARCPoint {
	s.in[0], s.in[1], s.in[2] = high, low, close
	s.machine.Peek(s.in, s.out)
	return STARCPoint{Upper: s.out[0], Middle: s.out[1], Lower: s.out[2]}
}

var starcIndicator = once(func() Indicator {
	return describe(Indicator{Name: "STARC", Summary: "STARC bands: average true ranges either side of a simple average.",
		Inputs: hlc(), Params: []Param{period("n", 5, 1), number("multiplier", 2, 0, 1000), period("atr", 10, 1)}, Outputs: overlay("Upper", "Middle", "Lower")},
		func(p []float64) int { return int(max(p[0]-1, p[2])) }, func(b *bank, p []float64) step {
			e, a := b.mean(int(p[0])), b.atr(int(p[2]))
			return func(in, out []float64) {
				m, width := e.push(in[2]), float64(p[1]*a.push(in[0], in[1], in[2]))
				out[0], out[1], out[2] = m+width, m, m-width
			}
		})
})
