package indicators

// MassIndex writes Dorsey's mass index into dst and returns it: the sum over n
// bars of EMA(high-low, 9)/EMA(EMA(high-low, 9), 9). A rise above 27 and a fall
// below 26.5 is his reversal bulge. The first n-1 + 16 values are NaN.
func MassIndex(dst, high, low []float64, n, smooth int) []float64 {
	return single(massIndicator(), dst, [][]float64{high, low}, float64(n), float64(smooth))
}

// MassIndexStream is [MassIndex] one bar at a time. It is not safe for concurrent use; make
// it with [NewMassIndex].
type MassIndexStream struct{ machine }

// NewMassIndex returns a stream of [MassIndex], or a *[FieldError] for a parameter that is
// out of range.
func NewMassIndex(n, smooth int) (*MassIndexStream, error) {
	m, err := open(massIndicator(), float64(n), float64(smooth))
	if err != nil {
		return nil, err
	}
	return &MassIndexStream{m}, nil
}

// Update takes the next bar and returns its result, NaN during warm-up.
func (s *MassIndexStream) Update(high, low float64) float64 {
	s.in[0], s.in[1] = high, low
	s.machine.Update(s.in, s.out)
	return s.out[0]
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *MassIndexStream) Peek(high, low float64) float64 {
	s.in[0], s.in[1] = high, low
	s.machine.Peek(s.in, s.out)
	return s.out[0]
}

var massIndicator = once(func() Indicator {
	return describe(Indicator{Name: "MassIndex", Aliases: []string{"MASS", "MASSI"}, Summary: "Mass index: widening ranges that announce reversals.",
		Inputs: hl(), Params: []Param{period("n", 25, 1), period("smooth", 9, 1)}, Outputs: pane("Mass")},
		func(p []float64) int { return int(p[0]+2*p[1]) - 3 }, func(b *bank, p []float64) step {
			e1, e2, s := b.ema(int(p[1])), b.ema(int(p[1])), b.sum(int(p[0]))
			return func(in, out []float64) {
				a := e1.push(in[0] - in[1])
				out[0] = s.push(over(a, e2.push(a), nan()))
			}
		})
})
