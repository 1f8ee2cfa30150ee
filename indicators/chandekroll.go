package indicators

// ChandeKrollValues are the outputs of [ChandeKroll], of equal length.
type ChandeKrollValues struct{ Long, Short []float64 }

// ChandeKrollPoint is one bar of [ChandeKrollValues].
type ChandeKrollPoint struct{ Long, Short float64 }

// ChandeKroll writes the Chande Kroll stops into dst and returns them: the
// highest high of n bars less multiplier average true ranges, its highest value
// of q bars (Short), and the lowest low plus them, its lowest value (Long)
// (The New Technical Trader, 1994). The first n+q-1 values are NaN.
func ChandeKroll(dst ChandeKrollValues, high, low, close []float64, n int, multiplier float64, q int) ChandeKrollValues {
	out := [][]float64{dst.Long, dst.Short}
	batch(chandeKrollIndicator(), out, [][]float64{high, low, close}, float64(n), multiplier, float64(q))
	return ChandeKrollValues{Long: out[0], Short: out[1]}
}

// ChandeKrollStream is [ChandeKroll] one bar at a time. It is not safe for concurrent use; make
// it with [NewChandeKroll].
type ChandeKrollStream struct{ machine }

// NewChandeKroll returns a stream of [ChandeKroll], or a *[FieldError] for a parameter that is
// out of range.
func NewChandeKroll(n int, multiplier float64, q int) (*ChandeKrollStream, error) {
	m, err := open(chandeKrollIndicator(), float64(n), multiplier, float64(q))
	if err != nil {
		return nil, err
	}
	return &ChandeKrollStream{m}, nil
}

// Update takes the next bar and returns its result, NaN during warm-up.
func (s *ChandeKrollStream) Update(high, low, close float64) ChandeKrollPoint {
	s.in[0], s.in[1], s.in[2] = high, low, close
	s.machine.Update(s.in, s.out)
	return ChandeKrollPoint{Long: s.out[0], Short: s.out[1]}
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *ChandeKrollStream) Peek(high, low, close float64) ChandeKrollPoint {
	s.in[0], s.in[1], s.in[2] = high, low, close
	s.machine.Peek(s.in, s.out)
	return ChandeKrollPoint{Long: s.out[0], Short: s.out[1]}
}

var chandeKrollIndicator = once(func() Indicator {
	return describe(Indicator{Name: "ChandeKroll", Aliases: []string{"CKSP"}, Summary: "Chande Kroll stops.",
		Inputs: hlc(), Params: []Param{period("n", 10, 1), number("multiplier", 1, 1e-3, 1000), period("q", 9, 1)}, Outputs: overlay("Long", "Short")},
		func(p []float64) int { return int(p[0] + p[2] - 1) }, func(b *bank, p []float64) step {
			n := int(p[0])
			a, h, l, hh, ll := b.atr(n), b.highest(n), b.lowest(n), b.highest(int(p[2])), b.lowest(int(p[2]))
			return func(in, out []float64) {
				width := float64(p[1] * a.push(in[0], in[1], in[2]))
				out[0] = ll.push(l.push(in[1]) + width)
				out[1] = hh.push(h.push(in[0]) - width)
			}
		})
})
