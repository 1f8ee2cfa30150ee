package indicators

// FractalChaosBandsValues are the outputs of [FractalChaosBands], of equal length.
type FractalChaosBandsValues struct{ Upper, Lower []float64 }

// FractalChaosBandsPoint is one bar of [FractalChaosBandsValues].
type FractalChaosBandsPoint struct{ Upper, Lower float64 }

// FractalChaosBands writes Williams's fractal chaos bands into dst and returns
// them: the last high that was above all of the `width` highs on each side of
// it, and the last such low, from the bar that confirms them. NaN until there is
// one; at least the first 2·width values are NaN.
func FractalChaosBands(dst FractalChaosBandsValues, high, low []float64, width int) FractalChaosBandsValues {
	out := [][]float64{dst.Upper, dst.Lower}
	batch(fcbIndicator(), out, [][]float64{high, low}, float64(width))
	return FractalChaosBandsValues{Upper: out[0], Lower: out[1]}
}

// FractalChaosBandsStream is [FractalChaosBands] one bar at a time. It is not safe for concurrent use; make
// it with [NewFractalChaosBands].
type FractalChaosBandsStream struct{ machine }

// NewFractalChaosBands returns a stream of [FractalChaosBands], or a *[FieldError] for a parameter that is
// out of range.
func NewFractalChaosBands(width int) (*FractalChaosBandsStream, error) {
	m, err := open(fcbIndicator(), float64(width))
	if err != nil {
		return nil, err
	}
	return &FractalChaosBandsStream{m}, nil
}

// Update takes the next bar and returns its result, NaN during warm-up.
func (s *FractalChaosBandsStream) Update(high, low float64) FractalChaosBandsPoint {
	s.in[0], s.in[1] = high, low
	s.machine.Update(s.in, s.out)
	return FractalChaosBandsPoint{Upper: s.out[0], Lower: s.out[1]}
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *FractalChaosBandsStream) Peek(high, low float64) FractalChaosBandsPoint {
	s.in[0], s.in[1] = high, low
	s.machine.Peek(s.in, s.out)
	return FractalChaosBandsPoint{Upper: s.out[0], Lower: s.out[1]}
}

var fcbIndicator = once(func() Indicator {
	return describe(Indicator{Name: "FractalChaosBands", Aliases: []string{"FCB"}, Summary: "Fractal chaos bands: the last confirmed fractals.",
		Inputs: hl(), Params: []Param{period("width", 2, 1)},
		Outputs: []Output{{Name: "Upper", Overlay: true, Sparse: true}, {Name: "Lower", Overlay: true, Sparse: true}}},
		func(p []float64) int { return 2 * int(p[0]) }, func(b *bank, p []float64) step {
			f, s := b.fractals(int(p[0]), int(p[0])), b.cells(2)
			return func(in, out []float64) {
				high, low := f.push(in[0], in[1])
				if high == high {
					s[0] = high
				}
				if low == low {
					s[1] = low
				}
				out[0], out[1] = s[0], s[1]
			}
		})
})

type fractals struct {
	left int
	h, l window
}

func (b *bank) fractals(left, right int) fractals {
	return fractals{left, b.window(left + right + 1), b.window(left + right + 1)}
}

// push returns the high and the low that this bar confirms as extremes of all
// around them, NaN for none.
func (f fractals) push(high, low float64) (top, bottom float64) {
	hs, ls := f.h.push(high), f.l.push(low)
	if hs == nil {
		return nan(), nan()
	}
	top, bottom = hs[f.left], ls[f.left]
	for i := range hs {
		if i != f.left && hs[i] >= hs[f.left] {
			top = nan()
		}
		if i != f.left && ls[i] <= ls[f.left] {
			bottom = nan()
		}
	}
	return top, bottom
}
