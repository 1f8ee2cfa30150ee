package indicators

import "math"

// VortexValues are the outputs of [Vortex], of equal length.
type VortexValues struct{ Plus, Minus []float64 }

// VortexPoint is one bar of [VortexValues].
type VortexPoint struct{ Plus, Minus float64 }

// Vortex writes the vortex indicator into dst and returns it: over the last n
// bars,
//
//	Plus = Σ|high(t) - low(t-1)| / ΣTR,  Minus = Σ|low(t) - high(t-1)| / ΣTR
//
// (Botes and Siepman, Technical Analysis of Stocks & Commodities, January 2010).
// NaN where nothing moved; the first n values are NaN.
func Vortex(dst VortexValues, high, low, close []float64, n int) VortexValues {
	out := [][]float64{dst.Plus, dst.Minus}
	batch(vortexIndicator(), out, [][]float64{high, low, close}, float64(n))
	return VortexValues{Plus: out[0], Minus: out[1]}
}

// VortexStream is [Vortex] one bar at a time. It is not safe for concurrent use; make
// it with [NewVortex].
type VortexStream struct{ machine }

// NewVortex returns a stream of [Vortex], or a *[FieldError] for a parameter that is
// out of range.
func NewVortex(n int) (*VortexStream, error) {
	m, err := open(vortexIndicator(), float64(n))
	if err != nil {
		return nil, err
	}
	return &VortexStream{m}, nil
}

// Update takes the next bar and returns its result, NaN during warm-up.
func (s *VortexStream) Update(high, low, close float64) VortexPoint {
	s.in[0], s.in[1], s.in[2] = high, low, close
	s.machine.Update(s.in, s.out)
	return VortexPoint{Plus: s.out[0], Minus: s.out[1]}
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *VortexStream) Peek(high, low, close float64) VortexPoint {
	s.in[0], s.in[1], s.in[2] = high, low, close
	s.machine.Peek(s.in, s.out)
	return VortexPoint{Plus: s.out[0], Minus: s.out[1]}
}

var vortexIndicator = once(func() Indicator {
	return describe(Indicator{Name: "Vortex", Summary: "Vortex indicator: upward and downward movement against the true range.",
		Inputs: hlc(), Params: periods(14, 1), Outputs: pane("Plus", "Minus")},
		first(0), func(b *bank, p []float64) step {
			n := int(p[0])
			r, tr, plus, minus, h, l := b.ranges(), b.sum(n), b.sum(n), b.sum(n), b.lag(1), b.lag(1)
			return func(in, out []float64) {
				total := tr.push(r.push(in[0], in[1], in[2]))
				hp, lp := h.push(in[0]), l.push(in[1])
				out[0] = over(plus.push(math.Abs(in[0]-lp)), total, nan())
				out[1] = over(minus.push(math.Abs(in[1]-hp)), total, nan())
			}
		})
})
