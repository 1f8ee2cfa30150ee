package indicators

// ReturnsValues are the outputs of [Returns], of equal length.
type ReturnsValues struct{ Return, LogReturn []float64 }

// ReturnsPoint is one bar of [ReturnsValues].
type ReturnsPoint struct{ Return, LogReturn float64 }

// Returns writes the one-bar return over n bars of closes into dst and returns
// it, as a fraction and as a logarithm: x(t)/x(t-n) - 1 and ln(x(t)/x(t-n)).
// The first n values are NaN.
func Returns(dst ReturnsValues, closes []float64, n int) ReturnsValues {
	out := [][]float64{dst.Return, dst.LogReturn}
	batch(returnsIndicator(), out, [][]float64{closes}, float64(n))
	return ReturnsValues{Return: out[0], LogReturn: out[1]}
}

// ReturnsStream is [Returns] one value at a time. It is not safe for concurrent use; make
// it with [NewReturns].
type ReturnsStream struct{ machine }

// NewReturns returns a stream of [Returns], or a *[FieldError] for a parameter that is
// out of range.
func NewReturns(n int) (*ReturnsStream, error) {
	m, err := open(returnsIndicator(), float64(n))
	if err != nil {
		return nil, err
	}
	return &ReturnsStream{m}, nil
}

// Update takes the next value and returns its result, NaN during warm-up.
func (s *ReturnsStream) Update(x float64) ReturnsPoint {
	s.in[0] = x
	s.machine.Update(s.in, s.out)
	return ReturnsPoint{Return: s.out[0], LogReturn: s.out[1]}
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *ReturnsStream) Peek(x float64) ReturnsPoint {
	s.in[0] = x
	s.machine.Peek(s.in, s.out)
	return ReturnsPoint{Return: s.out[0], LogReturn: s.out[1]}
}

var returnsIndicator = once(func() Indicator {
	return describe(Indicator{Name: "Returns", Aliases: []string{"PercentReturn", "LogReturn"}, Summary: "Return over n bars, simple and logarithmic.",
		Inputs: closes(), Params: periods(1, 1), Outputs: pane("Return", "LogReturn")},
		first(0), func(b *bank, p []float64) step {
			before := b.lag(int(p[0]))
			return func(in, out []float64) {
				then := before.push(in[0])
				out[0], out[1] = over(in[0]-then, then, nan()), nan()
				if then != 0 {
					out[1] = logReturn(then, in[0])
				}
			}
		})
})
