package indicators

// ChaikinOscillator writes the fast EMA of the accumulation/distribution line
// less the slow one into dst and returns it. The first max(fast, slow)-1 values
// are NaN.
func ChaikinOscillator(dst, high, low, close, volume []float64, fast, slow int) []float64 {
	return single(chaikinIndicator(), dst, [][]float64{high, low, close, volume}, float64(fast), float64(slow))
}

// ChaikinOscillatorStream is [ChaikinOscillator] one bar at a time. It is not safe for concurrent use; make
// it with [NewChaikinOscillator].
type ChaikinOscillatorStream struct{ machine }

// NewChaikinOscillator returns a stream of [ChaikinOscillator], or a *[FieldError] for a parameter that is
// out of range.
func NewChaikinOscillator(fast, slow int) (*ChaikinOscillatorStream, error) {
	m, err := open(chaikinIndicator(), float64(fast), float64(slow))
	if err != nil {
		return nil, err
	}
	return &ChaikinOscillatorStream{m}, nil
}

// Update takes the next bar and returns its result, NaN during warm-up.
func (s *ChaikinOscillatorStream) Update(high, low, close, volume float64) float64 {
	s.in[0], s.in[1], s.in[2], s.in[3] = high, low, close, volume
	s.machine.Update(s.in, s.out)
	return s.out[0]
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *ChaikinOscillatorStream) Peek(high, low, close, volume float64) float64 {
	s.in[0], s.in[1], s.in[2], s.in[3] = high, low, close, volume
	s.machine.Peek(s.in, s.out)
	return s.out[0]
}

var chaikinIndicator = once(func() Indicator {
	return describe(Indicator{Name: "ChaikinOscillator", Aliases: []string{"ADOSC", "ChaikinOsc"}, Summary: "Chaikin oscillator: momentum of accumulation/distribution.",
		Inputs: hlcv(), Params: []Param{period("fast", 3, 1), period("slow", 10, 1)}, Outputs: pane("Oscillator")},
		func(p []float64) int { return int(max(p[0], p[1])) - 1 }, func(b *bank, p []float64) step {
			total, f, s := b.take(1), b.ema(int(p[0])), b.ema(int(p[1]))
			return func(in, out []float64) {
				total[0] += float64(flow(in[0], in[1], in[2]) * in[3])
				out[0] = f.push(total[0]) - s.push(total[0])
			}
		})
})
