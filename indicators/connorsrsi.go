package indicators

// ConnorsRSIValues are the outputs of [ConnorsRSI], of equal length.
type ConnorsRSIValues struct{ ConnorsRSI, RSI, StreakRSI, PercentRank []float64 }

// ConnorsRSIPoint is one bar of [ConnorsRSIValues].
type ConnorsRSIPoint struct{ ConnorsRSI, RSI, StreakRSI, PercentRank float64 }

// ConnorsRSI writes the ConnorsRSI of closes into dst and returns it, 0 to 100:
// the mean of RSI(closes, rsi), of the RSI of the streak of rises or falls over
// streak, and of the percentage of the last `rank` one-bar returns that were
// below this bar's (Connors, Alvarez and Radtke, 2012). The parts follow. The
// first max(rsi, streak, rank+1) values are NaN.
func ConnorsRSI(dst ConnorsRSIValues, closes []float64, rsi, streak, rank int) ConnorsRSIValues {
	out := [][]float64{dst.ConnorsRSI, dst.RSI, dst.StreakRSI, dst.PercentRank}
	batch(connorsIndicator(), out, [][]float64{closes}, float64(rsi), float64(streak), float64(rank))
	return ConnorsRSIValues{ConnorsRSI: out[0], RSI: out[1], StreakRSI: out[2], PercentRank: out[3]}
}

// ConnorsRSIStream is [ConnorsRSI] one value at a time. It is not safe for concurrent use; make
// it with [NewConnorsRSI].
type ConnorsRSIStream struct{ machine }

// NewConnorsRSI returns a stream of [ConnorsRSI], or a *[FieldError] for a parameter that is
// out of range.
func NewConnorsRSI(rsi, streak, rank int) (*ConnorsRSIStream, error) {
	m, err := open(connorsIndicator(), float64(rsi), float64(streak), float64(rank))
	if err != nil {
		return nil, err
	}
	return &ConnorsRSIStream{m}, nil
}

// Update takes the next value and returns its result, NaN during warm-up.
func (s *ConnorsRSIStream) Update(x float64) ConnorsRSIPoint {
	s.in[0] = x
	s.machine.Update(s.in, s.out)
	return ConnorsRSIPoint{ConnorsRSI: s.out[0], RSI: s.out[1], StreakRSI: s.out[2], PercentRank: s.out[3]}
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *ConnorsRSIStream) Peek(x float64) ConnorsRSIPoint {
	s.in[0] = x
	s.machine.Peek(s.in, s.out)
	return ConnorsRSIPoint{ConnorsRSI: s.out[0], RSI: s.out[1], StreakRSI: s.out[2], PercentRank: s.out[3]}
}

var connorsIndicator = once(func() Indicator {
	return describe(Indicator{Name: "ConnorsRSI", Aliases: []string{"CRSI"}, Summary: "ConnorsRSI: RSI, RSI of the streak, and the rank of the return.",
		Inputs: closes(), Params: []Param{period("rsi", 3, 1), period("streak", 2, 1), period("rank", 100, 1)}, Outputs: pane("ConnorsRSI", "RSI", "StreakRSI", "PercentRank")},
		func(p []float64) int { return int(max(p[0], p[1], p[2]+1)) }, func(b *bank, p []float64) step {
			r, s, sr, last, w := b.rsi(int(p[0])), b.streak(), b.rsi(int(p[1])), b.lag(1), b.window(int(p[2])+1)
			return func(in, out []float64) {
				x := in[0]
				run := s.push(x)
				if run != run {
					run = 0 // the first close has no streak
				}
				out[1], out[2], out[3] = r.push(x), sr.push(run), nan()
				old := last.push(x)
				if gains := w.push(over(x-old, old, nan())); gains != nil {
					below := 0
					for _, g := range gains[:len(gains)-1] {
						if g < gains[len(gains)-1] {
							below++
						}
					}
					out[3] = 100 * float64(below) / p[2]
				}
				out[0] = (out[1] + out[2] + out[3]) / 3
			}
		})
})
