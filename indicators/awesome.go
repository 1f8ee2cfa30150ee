package indicators

// AwesomeValues are the outputs of [Awesome], of equal length.
type AwesomeValues struct{ AO, Normalized []float64 }

// AwesomePoint is one bar of [AwesomeValues].
type AwesomePoint struct{ AO, Normalized float64 }

// Awesome writes Williams's awesome oscillator into dst and returns it: the SMA
// of the median price (high+low)/2 over fast less that over slow, and the same
// in percent of the median price. The first slow-1 values are NaN.
func Awesome(dst AwesomeValues, high, low []float64, fast, slow int) AwesomeValues {
	out := [][]float64{dst.AO, dst.Normalized}
	batch(awesomeIndicator(), out, [][]float64{high, low}, float64(fast), float64(slow))
	return AwesomeValues{AO: out[0], Normalized: out[1]}
}

// AwesomeStream is [Awesome] one bar at a time. It is not safe for concurrent use; make
// it with [NewAwesome].
type AwesomeStream struct{ machine }

// NewAwesome returns a stream of [Awesome], or a *[FieldError] for a parameter that is
// out of range.
func NewAwesome(fast, slow int) (*AwesomeStream, error) {
	m, err := open(awesomeIndicator(), float64(fast), float64(slow))
	if err != nil {
		return nil, err
	}
	return &AwesomeStream{m}, nil
}

// Update takes the next bar and returns its result, NaN during warm-up.
func (s *AwesomeStream) Update(high, low float64) AwesomePoint {
	s.in[0], s.in[1] = high, low
	s.machine.Update(s.in, s.out)
	return AwesomePoint{AO: s.out[0], Normalized: s.out[1]}
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *AwesomeStream) Peek(high, low float64) AwesomePoint {
	s.in[0], s.in[1] = high, low
	s.machine.Peek(s.in, s.out)
	return AwesomePoint{AO: s.out[0], Normalized: s.out[1]}
}

var awesomeIndicator = once(func() Indicator {
	return describe(Indicator{Name: "Awesome", Aliases: []string{"AO"}, Summary: "Awesome oscillator: two averages of the median price.",
		Inputs: hl(), Params: []Param{period("fast", 5, 1), period("slow", 34, 1)}, Outputs: pane("AO", "Normalized")},
		func(p []float64) int { return int(max(p[0], p[1])) - 1 }, func(b *bank, p []float64) step {
			f, s := b.mean(int(p[0])), b.mean(int(p[1]))
			return func(in, out []float64) {
				m := (in[0] + in[1]) / 2
				out[0] = f.push(m) - s.push(m)
				out[1] = over(100*out[0], m, nan())
			}
		})
})
