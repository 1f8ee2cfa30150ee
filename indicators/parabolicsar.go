package indicators

// ParabolicSARValues are the outputs of [ParabolicSAR], of equal length.
type ParabolicSARValues struct{ SAR, IsReversal []float64 }

// ParabolicSARPoint is one bar of [ParabolicSARValues].
type ParabolicSARPoint struct{ SAR, IsReversal float64 }

// ParabolicSAR writes Wilder's parabolic stop and reverse into dst and returns
// it: while the market rises,
//
//	SAR(t) = SAR(t-1) + AF·(EP - SAR(t-1)),  no higher than the last two lows
//
// with EP the highest high of the rise and AF growing by step at each new one,
// up to maximum; a low below SAR(t) begins a fall at EP, and the reverse. It
// starts as a rise from the first low, which is a guess until the first
// reversal. IsReversal is 1 on the bar that reverses. The first value is NaN.
// (New Concepts in Technical Trading Systems, 1978.)
func ParabolicSAR(dst ParabolicSARValues, high, low []float64, step, maximum float64) ParabolicSARValues {
	out := [][]float64{dst.SAR, dst.IsReversal}
	batch(psarIndicator(), out, [][]float64{high, low}, step, maximum)
	return ParabolicSARValues{SAR: out[0], IsReversal: out[1]}
}

// ParabolicSARStream is [ParabolicSAR] one bar at a time. It is not safe for concurrent use; make
// it with [NewParabolicSAR].
type ParabolicSARStream struct{ machine }

// NewParabolicSAR returns a stream of [ParabolicSAR], or a *[FieldError] for a parameter that is
// out of range.
func NewParabolicSAR(step, maximum float64) (*ParabolicSARStream, error) {
	m, err := open(psarIndicator(), step, maximum)
	if err != nil {
		return nil, err
	}
	return &ParabolicSARStream{m}, nil
}

// Update takes the next bar and returns its result, NaN during warm-up.
func (s *ParabolicSARStream) Update(high, low float64) ParabolicSARPoint {
	s.in[0], s.in[1] = high, low
	s.machine.Update(s.in, s.out)
	return ParabolicSARPoint{SAR: s.out[0], IsReversal: s.out[1]}
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *ParabolicSARStream) Peek(high, low float64) ParabolicSARPoint {
	s.in[0], s.in[1] = high, low
	s.machine.Peek(s.in, s.out)
	return ParabolicSARPoint{SAR: s.out[0], IsReversal: s.out[1]}
}

var psarIndicator = once(func() Indicator {
	return describe(Indicator{Name: "ParabolicSAR", Aliases: []string{"PSAR", "SAR"}, Summary: "Wilder's parabolic stop and reverse.",
		Inputs: hl(), Params: []Param{number("step", 0.02, 1e-6, 1), number("maximum", 0.2, 1e-6, 1)}, Outputs: append(overlay("SAR"), pane("IsReversal")...)},
		warm(1), func(b *bank, p []float64) step {
			s := b.cells(7) // SAR, EP, AF, the last two highs and lows
			falling := b.counters(1)
			return func(in, out []float64) {
				high, low := in[0], in[1]
				out[0], out[1] = nan(), nan()
				if s[0] != s[0] {
					s[0], s[1], s[2], s[3], s[4], s[5], s[6] = low, high, p[0], high, high, low, low
					return
				}
				sar := s[0] + float64(s[2]*(s[1]-s[0]))
				out[1] = 0
				if falling[0] == 0 {
					sar = min(sar, s[5], s[6])
					if low < sar {
						falling[0], sar, s[1], s[2], out[1] = 1, s[1], low, p[0], 1
					} else if high > s[1] {
						s[1], s[2] = high, min(s[2]+p[0], p[1])
					}
				} else {
					sar = max(sar, s[3], s[4])
					if high > sar {
						falling[0], sar, s[1], s[2], out[1] = 0, s[1], high, p[0], 1
					} else if low < s[1] {
						s[1], s[2] = low, min(s[2]+p[0], p[1])
					}
				}
				s[0], s[3], s[4], s[5], s[6] = sar, high, s[3], low, s[5]
				out[0] = sar
			}
		})
})
