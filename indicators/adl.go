package indicators

// ADLValues are the outputs of [ADL], of equal length.
type ADLValues struct{ ADL, Multiplier, MoneyFlow []float64 }

// ADLPoint is one bar of [ADLValues].
type ADLPoint struct{ ADL, Multiplier, MoneyFlow float64 }

// ADL writes Chaikin's accumulation/distribution line into dst and returns it:
// the running sum of volume times ((close-low)-(high-close))/(high-low), with
// that multiplier and that product. A bar without range counts as 0. No value
// is NaN.
func ADL(dst ADLValues, high, low, close, volume []float64) ADLValues {
	out := [][]float64{dst.ADL, dst.Multiplier, dst.MoneyFlow}
	batch(adlIndicator(), out, [][]float64{high, low, close, volume})
	return ADLValues{ADL: out[0], Multiplier: out[1], MoneyFlow: out[2]}
}

// ADLStream is [ADL] one bar at a time. It is not safe for concurrent use; make
// it with [NewADL].
type ADLStream struct{ machine }

// NewADL returns a stream of [ADL].
func NewADL() (*ADLStream, error) {
	m, err := open(adlIndicator())
	if err != nil {
		return nil, err
	}
	return &ADLStream{m}, nil
}

// Update takes the next bar and returns its result, NaN during warm-up.
func (s *ADLStream) Update(high, low, close, volume float64) ADLPoint {
	s.in[0], s.in[1], s.in[2], s.in[3] = high, low, close, volume
	s.machine.Update(s.in, s.out)
	return ADLPoint{ADL: s.out[0], Multiplier: s.out[1], MoneyFlow: s.out[2]}
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *ADLStream) Peek(high, low, close, volume float64) ADLPoint {
	s.in[0], s.in[1], s.in[2], s.in[3] = high, low, close, volume
	s.machine.Peek(s.in, s.out)
	return ADLPoint{ADL: s.out[0], Multiplier: s.out[1], MoneyFlow: s.out[2]}
}

var adlIndicator = once(func() Indicator {
	return describe(Indicator{Name: "ADL", Aliases: []string{"AD"}, Summary: "Accumulation/distribution line.",
		Inputs: hlcv(), Outputs: pane("ADL", "Multiplier", "MoneyFlow")}, warm(0), func(b *bank, p []float64) step {
		total := b.take(1)
		return func(in, out []float64) {
			m := flow(in[0], in[1], in[2])
			total[0] += float64(m * in[3])
			out[0], out[1], out[2] = total[0], m, m*in[3]
		}
	})
})

// flow returns the money flow multiplier of a bar, -1 to 1: 0 without range.
func flow(high, low, close float64) float64 {
	return over((close-low)-(high-close), high-low, 0)
}
