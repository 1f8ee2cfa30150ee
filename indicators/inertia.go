package indicators

// Inertia writes Dorsey's inertia of closes into dst and returns it: the end of
// the regression line over n of the [RVI] (Technical Analysis of Stocks &
// Commodities, September 1995). The first
// max(deviation-1, 1) + rvi-1 + n-1 values are NaN.
func Inertia(dst, closes []float64, n, rvi, deviation int) []float64 {
	return single(inertiaIndicator(), dst, [][]float64{closes}, float64(n), float64(rvi), float64(deviation))
}

// InertiaStream is [Inertia] one value at a time. It is not safe for concurrent use; make
// it with [NewInertia].
type InertiaStream struct{ machine }

// NewInertia returns a stream of [Inertia], or a *[FieldError] for a parameter that is
// out of range.
func NewInertia(n, rvi, deviation int) (*InertiaStream, error) {
	m, err := open(inertiaIndicator(), float64(n), float64(rvi), float64(deviation))
	if err != nil {
		return nil, err
	}
	return &InertiaStream{m}, nil
}

// Update takes the next value and returns its result, NaN during warm-up.
func (s *InertiaStream) Update(x float64) float64 {
	s.in[0] = x
	s.machine.Update(s.in, s.out)
	return s.out[0]
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *InertiaStream) Peek(x float64) float64 {
	s.in[0] = x
	s.machine.Peek(s.in, s.out)
	return s.out[0]
}

var inertiaIndicator = once(func() Indicator {
	return describe(Indicator{Name: "Inertia", Summary: "Inertia: the relative volatility index smoothed by regression.",
		Inputs: closes(), Params: []Param{period("n", 20, 2), period("rvi", 14, 1), period("deviation", 10, 1)}, Outputs: pane("Inertia")},
		func(p []float64) int { return int(max(p[2]-1, 1)+p[1]+p[0]) - 2 }, func(b *bank, p []float64) step {
			r, l := b.rvi(int(p[2]), int(p[1])), b.line(int(p[0]))
			return func(in, out []float64) { out[0], _ = l.push(r.push(in[0])) }
		})
})
