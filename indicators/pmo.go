package indicators

// PMOValues are the outputs of [PMO], of equal length.
type PMOValues struct{ PMO, Signal []float64 }

// PMOPoint is one bar of [PMOValues].
type PMOPoint struct{ PMO, Signal float64 }

// PMO writes Swenlin's price momentum oscillator of closes into dst and returns
// it: the one-bar rate of change in percent, smoothed with 2/first, times 10,
// smoothed with 2/second; Signal is its EMA. Averages start from simple ones.
// The first first + second-1 + signal-1 values are NaN.
func PMO(dst PMOValues, closes []float64, first, second, signal int) PMOValues {
	out := [][]float64{dst.PMO, dst.Signal}
	batch(pmoIndicator(), out, [][]float64{closes}, float64(first), float64(second), float64(signal))
	return PMOValues{PMO: out[0], Signal: out[1]}
}

// PMOStream is [PMO] one value at a time. It is not safe for concurrent use; make
// it with [NewPMO].
type PMOStream struct{ machine }

// NewPMO returns a stream of [PMO], or a *[FieldError] for a parameter that is
// out of range.
func NewPMO(first, second, signal int) (*PMOStream, error) {
	m, err := open(pmoIndicator(), float64(first), float64(second), float64(signal))
	if err != nil {
		return nil, err
	}
	return &PMOStream{m}, nil
}

// Update takes the next value and returns its result, NaN during warm-up.
func (s *PMOStream) Update(x float64) PMOPoint {
	s.in[0] = x
	s.machine.Update(s.in, s.out)
	return PMOPoint{PMO: s.out[0], Signal: s.out[1]}
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *PMOStream) Peek(x float64) PMOPoint {
	s.in[0] = x
	s.machine.Peek(s.in, s.out)
	return PMOPoint{PMO: s.out[0], Signal: s.out[1]}
}

var pmoIndicator = once(func() Indicator {
	return describe(Indicator{Name: "PMO", Summary: "Price momentum oscillator.",
		Inputs: closes(), Params: []Param{period("first", 35, 2), period("second", 20, 2), period("signal", 10, 1)}, Outputs: pane("PMO", "Signal")},
		func(p []float64) int { return int(p[0]+p[1]+p[2]) - 2 }, func(b *bank, p []float64) step {
			last, e1, e2, s := b.lag(1), b.emaFrom(2/p[0], int(p[0])), b.emaFrom(2/p[1], int(p[1])), b.ema(int(p[2]))
			return func(in, out []float64) {
				old := last.push(in[0])
				out[0] = e2.push(10 * e1.push(over(100*(in[0]-old), old, nan())))
				out[1] = s.push(out[0])
			}
		})
})
