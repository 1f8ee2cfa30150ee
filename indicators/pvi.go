package indicators

// PVI writes Fosback's positive volume index into dst and returns it: from 1000,
// the close's returns on bars with more volume than the bar before. No value is
// NaN.
func PVI(dst, close, volume []float64) []float64 {
	return single(pviIndicator(), dst, [][]float64{close, volume})
}

// PVIStream is [PVI] one bar at a time. It is not safe for concurrent use; make
// it with [NewPVI].
type PVIStream struct{ machine }

// NewPVI returns a stream of [PVI].
func NewPVI() (*PVIStream, error) {
	m, err := open(pviIndicator())
	if err != nil {
		return nil, err
	}
	return &PVIStream{m}, nil
}

// Update takes the next bar and returns its result, NaN during warm-up.
func (s *PVIStream) Update(close, volume float64) float64 {
	s.in[0], s.in[1] = close, volume
	s.machine.Update(s.in, s.out)
	return s.out[0]
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *PVIStream) Peek(close, volume float64) float64 {
	s.in[0], s.in[1] = close, volume
	s.machine.Peek(s.in, s.out)
	return s.out[0]
}

var pviIndicator = once(func() Indicator {
	return volumeIndex("PVI", "Positive volume index: returns on days of rising volume.", func(v, before float64) bool { return v > before })
})
