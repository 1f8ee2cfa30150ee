package indicators

import "math"

// SMIErgodicValues are the outputs of [SMIErgodic], of equal length.
type SMIErgodicValues struct{ SMI, Signal, Oscillator []float64 }

// SMIErgodicPoint is one bar of [SMIErgodicValues].
type SMIErgodicPoint struct{ SMI, Signal, Oscillator float64 }

// SMIErgodic writes Blau's ergodic oscillator of closes into dst and returns
// it: the TSI as a fraction (-1 to 1), its EMA, and the gap between the two. The
// first slow + fast-1 + signal-1 values are NaN.
func SMIErgodic(dst SMIErgodicValues, closes []float64, fast, slow, signal int) SMIErgodicValues {
	out := [][]float64{dst.SMI, dst.Signal, dst.Oscillator}
	batch(ergodicIndicator(), out, [][]float64{closes}, float64(fast), float64(slow), float64(signal))
	return SMIErgodicValues{SMI: out[0], Signal: out[1], Oscillator: out[2]}
}

// SMIErgodicStream is [SMIErgodic] one value at a time. It is not safe for concurrent use; make
// it with [NewSMIErgodic].
type SMIErgodicStream struct{ machine }

// NewSMIErgodic returns a stream of [SMIErgodic], or a *[FieldError] for a parameter that is
// out of range.
func NewSMIErgodic(fast, slow, signal int) (*SMIErgodicStream, error) {
	m, err := open(ergodicIndicator(), float64(fast), float64(slow), float64(signal))
	if err != nil {
		return nil, err
	}
	return &SMIErgodicStream{m}, nil
}

// Update takes the next value and returns its result, NaN during warm-up.
func (s *SMIErgodicStream) Update(x float64) SMIErgodicPoint {
	s.in[0] = x
	s.machine.Update(s.in, s.out)
	return SMIErgodicPoint{SMI: s.out[0], Signal: s.out[1], Oscillator: s.out[2]}
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *SMIErgodicStream) Peek(x float64) SMIErgodicPoint {
	s.in[0] = x
	s.machine.Peek(s.in, s.out)
	return SMIErgodicPoint{SMI: s.out[0], Signal: s.out[1], Oscillator: s.out[2]}
}

var ergodicIndicator = once(func() Indicator {
	return describe(Indicator{Name: "SMIErgodic", Aliases: []string{"SMIO"}, Summary: "SMI ergodic oscillator: TSI with a signal line.",
		Inputs: closes(), Params: []Param{period("fast", 5, 1), period("slow", 20, 1), period("signal", 5, 1)}, Outputs: pane("SMI", "Signal", "Oscillator")},
		func(p []float64) int { return int(p[0]+p[1]+p[2]) - 2 }, func(b *bank, p []float64) step {
			last, a, c, d, e, s := b.lag(1), b.ema(int(p[1])), b.ema(int(p[0])), b.ema(int(p[1])), b.ema(int(p[0])), b.ema(int(p[2]))
			return func(in, out []float64) {
				m := in[0] - last.push(in[0])
				out[0] = over(c.push(a.push(m)), e.push(d.push(math.Abs(m))), 0)
				out[1] = s.push(out[0])
				out[2] = out[0] - out[1]
			}
		})
})
