package indicators

// ForceIndex writes Elder's force index into dst and returns it: the EMA over n
// of the close's change times volume. The first n values are NaN.
// (Trading for a Living, 1993.)
func ForceIndex(dst, close, volume []float64, n int) []float64 {
	return single(forceIndicator(), dst, [][]float64{close, volume}, float64(n))
}

// ForceIndexStream is [ForceIndex] one bar at a time. It is not safe for concurrent use; make
// it with [NewForceIndex].
type ForceIndexStream struct{ machine }

// NewForceIndex returns a stream of [ForceIndex], or a *[FieldError] for a parameter that is
// out of range.
func NewForceIndex(n int) (*ForceIndexStream, error) {
	m, err := open(forceIndicator(), float64(n))
	if err != nil {
		return nil, err
	}
	return &ForceIndexStream{m}, nil
}

// Update takes the next bar and returns its result, NaN during warm-up.
func (s *ForceIndexStream) Update(close, volume float64) float64 {
	s.in[0], s.in[1] = close, volume
	s.machine.Update(s.in, s.out)
	return s.out[0]
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *ForceIndexStream) Peek(close, volume float64) float64 {
	s.in[0], s.in[1] = close, volume
	s.machine.Peek(s.in, s.out)
	return s.out[0]
}

var forceIndicator = once(func() Indicator {
	return describe(Indicator{Name: "ForceIndex", Aliases: []string{"EFI", "Force"}, Summary: "Elder's force index: changes times volume.",
		Inputs: cv(), Params: periods(13, 1), Outputs: pane("Force")},
		first(0), func(b *bank, p []float64) step {
			last, e := b.lag(1), b.ema(int(p[0]))
			return func(in, out []float64) { out[0] = e.push((in[0] - last.push(in[0])) * in[1]) }
		})
})
