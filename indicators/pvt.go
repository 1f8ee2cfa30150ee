package indicators

// PVT writes the price volume trend into dst and returns it: the running sum of
// volume times the close's return, from 0 at the first bar. No value is NaN.
func PVT(dst, close, volume []float64) []float64 {
	return single(pvtIndicator(), dst, [][]float64{close, volume})
}

// PVTStream is [PVT] one bar at a time. It is not safe for concurrent use; make
// it with [NewPVT].
type PVTStream struct{ machine }

// NewPVT returns a stream of [PVT].
func NewPVT() (*PVTStream, error) {
	m, err := open(pvtIndicator())
	if err != nil {
		return nil, err
	}
	return &PVTStream{m}, nil
}

// Update takes the next bar and returns its result, NaN during warm-up.
func (s *PVTStream) Update(close, volume float64) float64 {
	s.in[0], s.in[1] = close, volume
	s.machine.Update(s.in, s.out)
	return s.out[0]
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *PVTStream) Peek(close, volume float64) float64 {
	s.in[0], s.in[1] = close, volume
	s.machine.Peek(s.in, s.out)
	return s.out[0]
}

var pvtIndicator = once(func() Indicator {
	return describe(Indicator{Name: "PVT", Aliases: []string{"VPT"}, Summary: "Price volume trend.",
		Inputs: cv(), Outputs: pane("PVT")}, warm(0), func(b *bank, p []float64) step {
		last, total := b.lag(1), b.take(1)
		return func(in, out []float64) {
			if old := last.push(in[0]); old == old && old != 0 {
				total[0] += float64(in[1] * (in[0] - old) / old)
			}
			out[0] = total[0]
		}
	})
})
