package indicators

// PPOValues are the outputs of [PPO], of equal length.
type PPOValues struct{ PPO, Signal, Histogram []float64 }

// PPOPoint is one bar of [PPOValues].
type PPOPoint struct{ PPO, Signal, Histogram float64 }

// PPO writes the percentage price oscillator of closes into dst and returns it:
// the fast EMA's distance from the slow one in percent of it, its own EMA, and
// the gap between the two. The first max(fast, slow)-1 + signal-1 values are NaN.
func PPO(dst PPOValues, closes []float64, fast, slow, signal int) PPOValues {
	out := [][]float64{dst.PPO, dst.Signal, dst.Histogram}
	batch(ppoIndicator(), out, [][]float64{closes}, float64(fast), float64(slow), float64(signal))
	return PPOValues{PPO: out[0], Signal: out[1], Histogram: out[2]}
}

// PPOStream is [PPO] one value at a time. It is not safe for concurrent use; make
// it with [NewPPO].
type PPOStream struct{ machine }

// NewPPO returns a stream of [PPO], or a *[FieldError] for a parameter that is
// out of range.
func NewPPO(fast, slow, signal int) (*PPOStream, error) {
	m, err := open(ppoIndicator(), float64(fast), float64(slow), float64(signal))
	if err != nil {
		return nil, err
	}
	return &PPOStream{m}, nil
}

// Update takes the next value and returns its result, NaN during warm-up.
func (s *PPOStream) Update(x float64) PPOPoint {
	s.in[0] = x
	s.machine.Update(s.in, s.out)
	return PPOPoint{PPO: s.out[0], Signal: s.out[1], Histogram: s.out[2]}
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *PPOStream) Peek(x float64) PPOPoint {
	s.in[0] = x
	s.machine.Peek(s.in, s.out)
	return PPOPoint{PPO: s.out[0], Signal: s.out[1], Histogram: s.out[2]}
}

var ppoIndicator = once(func() Indicator {
	return difference(Indicator{Name: "PPO", Summary: "Percentage price oscillator: MACD in percent.",
		Inputs: closes(), Outputs: pane("PPO", "Signal", "Histogram")},
		func(fast, slow float64) float64 { return over(100*(fast-slow), slow, nan()) })
})

// difference describes oscillators of two EMAs with a signal line.
func difference(d Indicator, scale func(fast, slow float64) float64) Indicator {
	d.Params = []Param{period("fast", 12, 1), period("slow", 26, 1), period("signal", 9, 1)}
	return describe(d, func(p []float64) int { return int(max(p[0], p[1])+p[2]) - 2 }, func(b *bank, p []float64) step {
		f, s, e := b.ema(int(p[0])), b.ema(int(p[1])), b.ema(int(p[2]))
		return func(in, out []float64) {
			out[0] = scale(f.push(in[0]), s.push(in[0]))
			out[1] = e.push(out[0])
			out[2] = out[0] - out[1]
		}
	})
}
