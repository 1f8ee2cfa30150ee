package indicators

// ChandelierValues are the outputs of [Chandelier], of equal length.
type ChandelierValues struct{ Long, Short []float64 }

// ChandelierPoint is one bar of [ChandelierValues].
type ChandelierPoint struct{ Long, Short float64 }

// Chandelier writes LeBeau's chandelier exits into dst and returns them: Long is
// the highest high of n bars less multiplier average true ranges, Short the
// lowest low plus them. The first n values are NaN.
func Chandelier(dst ChandelierValues, high, low, close []float64, n int, multiplier float64) ChandelierValues {
	out := [][]float64{dst.Long, dst.Short}
	batch(chandelierIndicator(), out, [][]float64{high, low, close}, float64(n), multiplier)
	return ChandelierValues{Long: out[0], Short: out[1]}
}

// ChandelierStream is [Chandelier] one bar at a time. It is not safe for concurrent use; make
// it with [NewChandelier].
type ChandelierStream struct{ machine }

// NewChandelier returns a stream of [Chandelier], or a *[FieldError] for a parameter that is
// out of range.
func NewChandelier(n int, multiplier float64) (*ChandelierStream, error) {
	m, err := open(chandelierIndicator(), float64(n), multiplier)
	if err != nil {
		return nil, err
	}
	return &ChandelierStream{m}, nil
}

// Update takes the next bar and returns its result, NaN during warm-up.
func (s *ChandelierStream) Update(high, low, close float64) ChandelierPoint {
	s.in[0], s.in[1], s.in[2] = high, low, close
	s.machine.Update(s.in, s.out)
	return ChandelierPoint{Long: s.out[0], Short: s.out[1]}
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *ChandelierStream) Peek(high, low, close float64) ChandelierPoint {
	s.in[0], s.in[1], s.in[2] = high, low, close
	s.machine.Peek(s.in, s.out)
	return ChandelierPoint{Long: s.out[0], Short: s.out[1]}
}

var chandelierIndicator = once(func() Indicator {
	return describe(Indicator{Name: "Chandelier", Aliases: []string{"ChandelierExit"}, Summary: "Chandelier exits: ATRs below the highest high, above the lowest low.",
		Inputs: hlc(), Params: []Param{period("n", 22, 1), number("multiplier", 3, 1e-3, 1000)}, Outputs: overlay("Long", "Short")},
		first(0), func(b *bank, p []float64) step {
			n := int(p[0])
			a, h, l := b.atr(n), b.highest(n), b.lowest(n)
			return func(in, out []float64) {
				width := float64(p[1] * a.push(in[0], in[1], in[2]))
				out[0], out[1] = h.push(in[0])-width, l.push(in[1])+width
			}
		})
})
