package indicators

// NVI writes Fosback's negative volume index into dst and returns it: from 1000,
// the close's returns on bars with less volume than the bar before (Stock Market
// Logic, 1976). No value is NaN.
func NVI(dst, close, volume []float64) []float64 {
	return single(nviIndicator(), dst, [][]float64{close, volume})
}

// NVIStream is [NVI] one bar at a time. It is not safe for concurrent use; make
// it with [NewNVI].
type NVIStream struct{ machine }

// NewNVI returns a stream of [NVI].
func NewNVI() (*NVIStream, error) {
	m, err := open(nviIndicator())
	if err != nil {
		return nil, err
	}
	return &NVIStream{m}, nil
}

// Update takes the next bar and returns its result, NaN during warm-up.
func (s *NVIStream) Update(close, volume float64) float64 {
	s.in[0], s.in[1] = close, volume
	s.machine.Update(s.in, s.out)
	return s.out[0]
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *NVIStream) Peek(close, volume float64) float64 {
	s.in[0], s.in[1] = close, volume
	s.machine.Peek(s.in, s.out)
	return s.out[0]
}

var nviIndicator = once(func() Indicator {
	return volumeIndex("NVI", "Negative volume index: returns on days of falling volume.", func(v, before float64) bool { return v < before })
})

// volumeIndex describes the indices that follow the close on some bars only.
func volumeIndex(name, summary string, counts func(volume, before float64) bool) Indicator {
	return describe(Indicator{Name: name, Summary: summary, Inputs: cv(), Outputs: pane(name)}, warm(0), func(b *bank, p []float64) step {
		s := b.cells(3)
		return func(in, out []float64) {
			if s[0] != s[0] {
				s[2] = 1000
			} else if counts(in[1], s[1]) && s[0] != 0 {
				s[2] *= in[0] / s[0]
			}
			s[0], s[1], out[0] = in[0], in[1], s[2]
		}
	})
}
