package indicators

// ZLEMA writes the zero-lag exponential moving average of x into dst and
// returns it: the EMA of x with the change over its lag added,
//
//	ZLEMA = EMA(2·x(t) - x(t-⌊(n-1)/2⌋), n)
//
// (Ehlers and Way, 2010). The average starts from the simple one of its first n
// inputs; the first n-1 + ⌊(n-1)/2⌋ values are NaN.
func ZLEMA(dst, x []float64, n int) []float64 {
	return single(zlemaIndicator(), dst, [][]float64{x}, float64(n))
}

// ZLEMAStream is [ZLEMA] one value at a time. It is not safe for concurrent use; make
// it with [NewZLEMA].
type ZLEMAStream struct{ machine }

// NewZLEMA returns a stream of [ZLEMA], or a *[FieldError] for a parameter that is
// out of range.
func NewZLEMA(n int) (*ZLEMAStream, error) {
	m, err := open(zlemaIndicator(), float64(n))
	if err != nil {
		return nil, err
	}
	return &ZLEMAStream{m}, nil
}

// Update takes the next value and returns its result, NaN during warm-up.
func (s *ZLEMAStream) Update(x float64) float64 {
	s.in[0] = x
	s.machine.Update(s.in, s.out)
	return s.out[0]
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *ZLEMAStream) Peek(x float64) float64 {
	s.in[0] = x
	s.machine.Peek(s.in, s.out)
	return s.out[0]
}

var zlemaIndicator = once(func() Indicator {
	return describe(Indicator{Name: "ZLEMA", Aliases: []string{"ZLMA"}, Summary: "Zero-lag exponential moving average.",
		Inputs: closes(), Params: periods(20, 1), Outputs: overlay("ZLEMA")},
		func(p []float64) int { return int(p[0]) - 1 + (int(p[0])-1)/2 }, func(b *bank, p []float64) step {
			n := int(p[0])
			before, e, back := b.lag((n-1)/2), b.ema(n), (n-1)/2
			return func(in, out []float64) {
				old := in[0]
				if back > 0 {
					old = before.push(in[0])
				}
				out[0] = e.push(float64(2*in[0]) - old)
			}
		})
})
