package indicators

// Coppock writes Coppock's curve of closes into dst and returns it: the WMA of
// the sum of two rates of change in percent (Barron's, 1962). The first
// max(long, short) + n-1 values are NaN.
func Coppock(dst, closes []float64, n, long, short int) []float64 {
	return single(coppockIndicator(), dst, [][]float64{closes}, float64(n), float64(long), float64(short))
}

// CoppockStream is [Coppock] one value at a time. It is not safe for concurrent use; make
// it with [NewCoppock].
type CoppockStream struct{ machine }

// NewCoppock returns a stream of [Coppock], or a *[FieldError] for a parameter that is
// out of range.
func NewCoppock(n, long, short int) (*CoppockStream, error) {
	m, err := open(coppockIndicator(), float64(n), float64(long), float64(short))
	if err != nil {
		return nil, err
	}
	return &CoppockStream{m}, nil
}

// Update takes the next value and returns its result, NaN during warm-up.
func (s *CoppockStream) Update(x float64) float64 {
	s.in[0] = x
	s.machine.Update(s.in, s.out)
	return s.out[0]
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *CoppockStream) Peek(x float64) float64 {
	s.in[0] = x
	s.machine.Peek(s.in, s.out)
	return s.out[0]
}

var coppockIndicator = once(func() Indicator {
	return describe(Indicator{Name: "Coppock", Summary: "Coppock curve: a weighted average of two rates of change.",
		Inputs: closes(), Params: []Param{period("n", 10, 1), period("long", 14, 1), period("short", 11, 1)}, Outputs: pane("Coppock")},
		func(p []float64) int { return int(max(p[1], p[2])+p[0]) - 1 }, func(b *bank, p []float64) step {
			l, s, w := b.lag(int(p[1])), b.lag(int(p[2])), b.wma(int(p[0]))
			return func(in, out []float64) {
				long, short := l.push(in[0]), s.push(in[0])
				out[0] = w.push(over(100*(in[0]-long), long, nan()) + over(100*(in[0]-short), short, nan()))
			}
		})
})
