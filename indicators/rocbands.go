package indicators

import "math"

// ROCBandsValues are the outputs of [ROCBands], of equal length.
type ROCBandsValues struct{ ROC, EMA, Upper, Lower []float64 }

// ROCBandsPoint is one bar of [ROCBandsValues].
type ROCBandsPoint struct{ ROC, EMA, Upper, Lower float64 }

// ROCBands writes the rate of change of closes over n bars in percent, its EMA
// over smooth, and bands of ± the root mean square of the last `width` rates
// into dst and returns them. The first n + max(smooth, width)-1 values are NaN.
func ROCBands(dst ROCBandsValues, closes []float64, n, smooth, width int) ROCBandsValues {
	out := [][]float64{dst.ROC, dst.EMA, dst.Upper, dst.Lower}
	batch(rocBandsIndicator(), out, [][]float64{closes}, float64(n), float64(smooth), float64(width))
	return ROCBandsValues{ROC: out[0], EMA: out[1], Upper: out[2], Lower: out[3]}
}

// ROCBandsStream is [ROCBands] one value at a time. It is not safe for concurrent use; make
// it with [NewROCBands].
type ROCBandsStream struct{ machine }

// NewROCBands returns a stream of [ROCBands], or a *[FieldError] for a parameter that is
// out of range.
func NewROCBands(n, smooth, width int) (*ROCBandsStream, error) {
	m, err := open(rocBandsIndicator(), float64(n), float64(smooth), float64(width))
	if err != nil {
		return nil, err
	}
	return &ROCBandsStream{m}, nil
}

// Update takes the next value and returns its result, NaN during warm-up.
func (s *ROCBandsStream) Update(x float64) ROCBandsPoint {
	s.in[0] = x
	s.machine.Update(s.in, s.out)
	return ROCBandsPoint{ROC: s.out[0], EMA: s.out[1], Upper: s.out[2], Lower: s.out[3]}
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *ROCBandsStream) Peek(x float64) ROCBandsPoint {
	s.in[0] = x
	s.machine.Peek(s.in, s.out)
	return ROCBandsPoint{ROC: s.out[0], EMA: s.out[1], Upper: s.out[2], Lower: s.out[3]}
}

var rocBandsIndicator = once(func() Indicator {
	return describe(Indicator{Name: "ROCBands", Aliases: []string{"ROCWB"}, Summary: "Rate of change with bands of its root mean square.",
		Inputs: closes(), Params: []Param{period("n", 20, 1), period("smooth", 5, 1), period("width", 5, 1)}, Outputs: pane("ROC", "EMA", "Upper", "Lower")},
		func(p []float64) int { return int(p[0]+max(p[1], p[2])) - 1 }, func(b *bank, p []float64) step {
			before, e, s := b.lag(int(p[0])), b.ema(int(p[1])), b.mean(int(p[2]))
			return func(in, out []float64) {
				old := before.push(in[0])
				r := over(100*(in[0]-old), old, nan())
				width := math.Sqrt(s.push(r * r))
				out[0], out[1], out[2], out[3] = r, e.push(r), width, -width
			}
		})
})
