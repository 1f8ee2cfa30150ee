package indicators

// FOSC writes the forecast oscillator of closes into dst and returns it: the
// percentage by which the close is above what the least-squares line through
// the n closes before it forecast for it. The first n values are NaN.
func FOSC(dst, closes []float64, n int) []float64 {
	return single(foscIndicator(), dst, [][]float64{closes}, float64(n))
}

// FOSCStream is [FOSC] one value at a time. It is not safe for concurrent use; make
// it with [NewFOSC].
type FOSCStream struct{ machine }

// NewFOSC returns a stream of [FOSC], or a *[FieldError] for a parameter that is
// out of range.
func NewFOSC(n int) (*FOSCStream, error) {
	m, err := open(foscIndicator(), float64(n))
	if err != nil {
		return nil, err
	}
	return &FOSCStream{m}, nil
}

// Update takes the next value and returns its result, NaN during warm-up.
func (s *FOSCStream) Update(x float64) float64 {
	s.in[0] = x
	s.machine.Update(s.in, s.out)
	return s.out[0]
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *FOSCStream) Peek(x float64) float64 {
	s.in[0] = x
	s.machine.Peek(s.in, s.out)
	return s.out[0]
}

var foscIndicator = once(func() Indicator {
	return describe(Indicator{Name: "FOSC", Aliases: []string{"ForecastOscillator"}, Summary: "Forecast oscillator: percent above yesterday's forecast.",
		Inputs: closes(), Params: periods(14, 2), Outputs: pane("FOSC")},
		first(0), func(b *bank, p []float64) step {
			l, before := b.line(int(p[0])), b.lag(1)
			return func(in, out []float64) {
				end, slope := l.push(in[0])
				out[0] = over(100*(in[0]-before.push(end+slope)), in[0], nan())
			}
		})
})
