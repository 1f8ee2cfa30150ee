package indicators

// AOBVValues are the outputs of [AOBV], of equal length.
type AOBVValues struct{ OBV, Fast, Slow, Max, Min []float64 }

// AOBVPoint is one bar of [AOBVValues].
type AOBVPoint struct{ OBV, Fast, Slow, Max, Min float64 }

// AOBV writes on-balance volume with its fast and slow EMAs and its extremes
// over span bars into dst and returns them (Archer's on-balance volume). The
// first max(fast, slow, span)-1 values are NaN.
func AOBV(dst AOBVValues, close, volume []float64, fast, slow, span int) AOBVValues {
	out := [][]float64{dst.OBV, dst.Fast, dst.Slow, dst.Max, dst.Min}
	batch(aobvIndicator(), out, [][]float64{close, volume}, float64(fast), float64(slow), float64(span))
	return AOBVValues{OBV: out[0], Fast: out[1], Slow: out[2], Max: out[3], Min: out[4]}
}

// AOBVStream is [AOBV] one bar at a time. It is not safe for concurrent use; make
// it with [NewAOBV].
type AOBVStream struct{ machine }

// NewAOBV returns a stream of [AOBV], or a *[FieldError] for a parameter that is
// out of range.
func NewAOBV(fast, slow, span int) (*AOBVStream, error) {
	m, err := open(aobvIndicator(), float64(fast), float64(slow), float64(span))
	if err != nil {
		return nil, err
	}
	return &AOBVStream{m}, nil
}

// Update takes the next bar and returns its result, NaN during warm-up.
func (s *AOBVStream) Update(close, volume float64) AOBVPoint {
	s.in[0], s.in[1] = close, volume
	s.machine.Update(s.in, s.out)
	return AOBVPoint{OBV: s.out[0], Fast: s.out[1], Slow: s.out[2], Max: s.out[3], Min: s.out[4]}
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *AOBVStream) Peek(close, volume float64) AOBVPoint {
	s.in[0], s.in[1] = close, volume
	s.machine.Peek(s.in, s.out)
	return AOBVPoint{OBV: s.out[0], Fast: s.out[1], Slow: s.out[2], Max: s.out[3], Min: s.out[4]}
}

var aobvIndicator = once(func() Indicator {
	return describe(Indicator{Name: "AOBV", Summary: "Archer's on-balance volume: OBV with averages and extremes.",
		Inputs: cv(), Params: []Param{period("fast", 4, 1), period("slow", 12, 1), period("span", 2, 1)}, Outputs: pane("OBV", "Fast", "Slow", "Max", "Min")},
		func(p []float64) int { return int(max(p[0], p[1], p[2])) - 1 }, func(b *bank, p []float64) step {
			o, f, s, h, l := b.obv(), b.ema(int(p[0])), b.ema(int(p[1])), b.highest(int(p[2])), b.lowest(int(p[2]))
			return func(in, out []float64) {
				v := o.push(in[0], in[1])
				out[0], out[1], out[2], out[3], out[4] = v, f.push(v), s.push(v), h.push(v), l.push(v)
			}
		})
})
