package indicators

// KeltnerValues are the outputs of [Keltner], of equal length.
type KeltnerValues struct{ Upper, Middle, Lower, Width []float64 }

// KeltnerPoint is one bar of [KeltnerValues].
type KeltnerPoint struct{ Upper, Middle, Lower, Width float64 }

// Keltner writes Keltner channels into dst and returns them: the EMA of closes
// over n, lines multiplier·ATR(atr) either side (Linda Raschke's form), and the
// width in parts of the middle. The first max(n-1, atr) values are NaN.
func Keltner(dst KeltnerValues, high, low, close []float64, n int, multiplier float64, atr int) KeltnerValues {
	out := [][]float64{dst.Upper, dst.Middle, dst.Lower, dst.Width}
	batch(keltnerIndicator(), out, [][]float64{high, low, close}, float64(n), multiplier, float64(atr))
	return KeltnerValues{Upper: out[0], Middle: out[1], Lower: out[2], Width: out[3]}
}

// KeltnerStream is [Keltner] one bar at a time. It is not safe for concurrent use; make
// it with [NewKeltner].
type KeltnerStream struct{ machine }

// NewKeltner returns a stream of [Keltner], or a *[FieldError] for a parameter that is
// out of range.
func NewKeltner(n int, multiplier float64, atr int) (*KeltnerStream, error) {
	m, err := open(keltnerIndicator(), float64(n), multiplier, float64(atr))
	if err != nil {
		return nil, err
	}
	return &KeltnerStream{m}, nil
}

// Update takes the next bar and returns its result, NaN during warm-up.
func (s *KeltnerStream) Update(high, low, close float64) KeltnerPoint {
	s.in[0], s.in[1], s.in[2] = high, low, close
	s.machine.Update(s.in, s.out)
	return KeltnerPoint{Upper: s.out[0], Middle: s.out[1], Lower: s.out[2], Width: s.out[3]}
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *KeltnerStream) Peek(high, low, close float64) KeltnerPoint {
	s.in[0], s.in[1], s.in[2] = high, low, close
	s.machine.Peek(s.in, s.out)
	return KeltnerPoint{Upper: s.out[0], Middle: s.out[1], Lower: s.out[2], Width: s.out[3]}
}

var keltnerIndicator = once(func() Indicator {
	return describe(Indicator{Name: "Keltner", Aliases: []string{"KC"}, Summary: "Keltner channels: average true ranges either side of an EMA.",
		Inputs: hlc(), Params: []Param{period("n", 20, 1), number("multiplier", 2, 0, 1000), period("atr", 10, 1)},
		Outputs: append(overlay("Upper", "Middle", "Lower"), pane("Width")...)},
		func(p []float64) int { return int(max(p[0]-1, p[2])) }, func(b *bank, p []float64) step {
			e, a := b.ema(int(p[0])), b.atr(int(p[2]))
			return func(in, out []float64) {
				m, width := e.push(in[2]), float64(p[1]*a.push(in[0], in[1], in[2]))
				out[0], out[1], out[2], out[3] = m+width, m, m-width, over(2*width, m, nan())
			}
		})
})
