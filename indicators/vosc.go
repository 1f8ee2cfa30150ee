package indicators

// VOSC writes the volume oscillator into dst and returns it: the percentage by
// which the SMA of volume over short exceeds that over long. The first
// max(short, long)-1 values are NaN.
func VOSC(dst, volume []float64, short, long int) []float64 {
	return single(voscIndicator(), dst, [][]float64{volume}, float64(short), float64(long))
}

// VOSCStream is [VOSC] one value at a time. It is not safe for concurrent use; make
// it with [NewVOSC].
type VOSCStream struct{ machine }

// NewVOSC returns a stream of [VOSC], or a *[FieldError] for a parameter that is
// out of range.
func NewVOSC(short, long int) (*VOSCStream, error) {
	m, err := open(voscIndicator(), float64(short), float64(long))
	if err != nil {
		return nil, err
	}
	return &VOSCStream{m}, nil
}

// Update takes the next value and returns its result, NaN during warm-up.
func (s *VOSCStream) Update(volume float64) float64 {
	s.in[0] = volume
	s.machine.Update(s.in, s.out)
	return s.out[0]
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *VOSCStream) Peek(volume float64) float64 {
	s.in[0] = volume
	s.machine.Peek(s.in, s.out)
	return s.out[0]
}

var voscIndicator = once(func() Indicator {
	return describe(Indicator{Name: "VOSC", Summary: "Volume oscillator: two averages of volume, in percent.",
		Inputs: []string{"volume"}, Params: []Param{period("short", 5, 1), period("long", 20, 1)}, Outputs: pane("VOSC")},
		func(p []float64) int { return int(max(p[0], p[1])) - 1 }, func(b *bank, p []float64) step {
			f, s := b.mean(int(p[0])), b.mean(int(p[1]))
			return func(in, out []float64) {
				slow := s.push(in[0])
				out[0] = over(100*(f.push(in[0])-slow), slow, nan())
			}
		})
})
