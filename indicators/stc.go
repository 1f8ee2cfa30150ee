package indicators

// STC writes a Schaff trend cycle of closes into dst and returns it: the
// stochastic oscillator over cycle bars of MACD(fast, slow), smoothed by SMA 3,
// 0 to 100. The first slow-1 + cycle-1 + 2 values are NaN. See [STC2] for the
// form with two stochastics.
func STC(dst, closes []float64, cycle, fast, slow int) []float64 {
	return single(stcIndicator(), dst, [][]float64{closes}, float64(cycle), float64(fast), float64(slow))
}

// STCStream is [STC] one value at a time. It is not safe for concurrent use; make
// it with [NewSTC].
type STCStream struct{ machine }

// NewSTC returns a stream of [STC], or a *[FieldError] for a parameter that is
// out of range.
func NewSTC(cycle, fast, slow int) (*STCStream, error) {
	m, err := open(stcIndicator(), float64(cycle), float64(fast), float64(slow))
	if err != nil {
		return nil, err
	}
	return &STCStream{m}, nil
}

// Update takes the next value and returns its result, NaN during warm-up.
func (s *STCStream) Update(x float64) float64 {
	s.in[0] = x
	s.machine.Update(s.in, s.out)
	return s.out[0]
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *STCStream) Peek(x float64) float64 {
	s.in[0] = x
	s.machine.Peek(s.in, s.out)
	return s.out[0]
}

var stcIndicator = once(func() Indicator {
	return describe(Indicator{Name: "STC", Aliases: []string{"Schaff"}, Summary: "Schaff trend cycle: a smoothed stochastic of the MACD.",
		Inputs: closes(), Params: []Param{period("cycle", 10, 1), period("fast", 23, 1), period("slow", 50, 1)}, Outputs: pane("STC")},
		func(p []float64) int { return int(max(p[1], p[2]) + p[0]) }, func(b *bank, p []float64) step {
			f, l, s, m := b.ema(int(p[1])), b.ema(int(p[2])), b.stochastic(int(p[0])), b.mean(3)
			return func(in, out []float64) {
				x := f.push(in[0]) - l.push(in[0])
				out[0] = m.push(s.push(x, x, x))
			}
		})
})
