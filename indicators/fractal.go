package indicators

// FractalValues are the outputs of [Fractal], of equal length.
type FractalValues struct{ Bear, Bull []float64 }

// FractalPoint is one bar of [FractalValues].
type FractalPoint struct{ Bear, Bull float64 }

// Fractal writes Williams's fractals into dst and returns them: Bear is a high
// above all of the `left` highs before and the `right` highs after it, Bull such
// a low; both stand at the bar that confirms them, right bars later, and are NaN
// elsewhere. (Trading Chaos, 1995; his are 2 and 2.)
func Fractal(dst FractalValues, high, low []float64, left, right int) FractalValues {
	out := [][]float64{dst.Bear, dst.Bull}
	batch(fractalIndicator(), out, [][]float64{high, low}, float64(left), float64(right))
	return FractalValues{Bear: out[0], Bull: out[1]}
}

// FractalStream is [Fractal] one bar at a time. It is not safe for concurrent use; make
// it with [NewFractal].
type FractalStream struct{ machine }

// NewFractal returns a stream of [Fractal], or a *[FieldError] for a parameter that is
// out of range.
func NewFractal(left, right int) (*FractalStream, error) {
	m, err := open(fractalIndicator(), float64(left), float64(right))
	if err != nil {
		return nil, err
	}
	return &FractalStream{m}, nil
}

// Update takes the next bar and returns its result, NaN during warm-up.
func (s *FractalStream) Update(high, low float64) FractalPoint {
	s.in[0], s.in[1] = high, low
	s.machine.Update(s.in, s.out)
	return FractalPoint{Bear: s.out[0], Bull: s.out[1]}
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *FractalStream) Peek(high, low float64) FractalPoint {
	s.in[0], s.in[1] = high, low
	s.machine.Peek(s.in, s.out)
	return FractalPoint{Bear: s.out[0], Bull: s.out[1]}
}

var fractalIndicator = once(func() Indicator {
	return describe(Indicator{Name: "Fractal", Aliases: []string{"Pivots"}, Summary: "Fractals: local highs and lows, at the bar that confirms them.",
		Inputs: hl(), Params: []Param{period("left", 2, 1), period("right", 2, 1)},
		Outputs: []Output{{Name: "Bear", Overlay: true, Sparse: true}, {Name: "Bull", Overlay: true, Sparse: true}}},
		func(p []float64) int { return int(p[0] + p[1]) }, func(b *bank, p []float64) step {
			f := b.fractals(int(p[0]), int(p[1]))
			return func(in, out []float64) { out[0], out[1] = f.push(in[0], in[1]) }
		})
})
