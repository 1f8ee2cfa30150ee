package indicators

// MAEnvelopesValues are the outputs of [MAEnvelopes], of equal length.
type MAEnvelopesValues struct{ Upper, Middle, Lower []float64 }

// MAEnvelopesPoint is one bar of [MAEnvelopesValues].
type MAEnvelopesPoint struct{ Upper, Middle, Lower float64 }

// MAEnvelopes writes a simple moving average of closes and lines percent above
// and below it into dst and returns them. The first n-1 values are NaN.
func MAEnvelopes(dst MAEnvelopesValues, closes []float64, n int, percent float64) MAEnvelopesValues {
	out := [][]float64{dst.Upper, dst.Middle, dst.Lower}
	batch(envelopesIndicator(), out, [][]float64{closes}, float64(n), percent)
	return MAEnvelopesValues{Upper: out[0], Middle: out[1], Lower: out[2]}
}

// MAEnvelopesStream is [MAEnvelopes] one value at a time. It is not safe for concurrent use; make
// it with [NewMAEnvelopes].
type MAEnvelopesStream struct{ machine }

// NewMAEnvelopes returns a stream of [MAEnvelopes], or a *[FieldError] for a parameter that is
// out of range.
func NewMAEnvelopes(n int, percent float64) (*MAEnvelopesStream, error) {
	m, err := open(envelopesIndicator(), float64(n), percent)
	if err != nil {
		return nil, err
	}
	return &MAEnvelopesStream{m}, nil
}

// Update takes the next value and returns its result, NaN during warm-up.
func (s *MAEnvelopesStream) Update(x float64) MAEnvelopesPoint {
	s.in[0] = x
	s.machine.Update(s.in, s.out)
	return MAEnvelopesPoint{Upper: s.out[0], Middle: s.out[1], Lower: s.out[2]}
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *MAEnvelopesStream) Peek(x float64) MAEnvelopesPoint {
	s.in[0] = x
	s.machine.Peek(s.in, s.out)
	return MAEnvelopesPoint{Upper: s.out[0], Middle: s.out[1], Lower: s.out[2]}
}

var envelopesIndicator = once(func() Indicator {
	return describe(Indicator{Name: "MAEnvelopes", Aliases: []string{"Envelopes"}, Summary: "Moving average envelopes: lines a percentage either side of a simple average.",
		Inputs: closes(), Params: []Param{period("n", 20, 1), number("percent", 2.5, 0, 100)}, Outputs: overlay("Upper", "Middle", "Lower")},
		first(-1), func(b *bank, p []float64) step {
			m := b.mean(int(p[0]))
			return func(in, out []float64) {
				v := m.push(in[0])
				width := float64(v * p[1] / 100)
				out[0], out[1], out[2] = v+width, v, v-width
			}
		})
})
