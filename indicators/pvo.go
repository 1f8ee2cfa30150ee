package indicators

// PVOValues are the outputs of [PVO], of equal length.
type PVOValues struct{ PVO, Signal, Histogram []float64 }

// PVOPoint is one bar of [PVOValues].
type PVOPoint struct{ PVO, Signal, Histogram float64 }

// PVO is [PPO] of volumes: the percentage volume oscillator.
func PVO(dst PVOValues, volume []float64, fast, slow, signal int) PVOValues {
	out := [][]float64{dst.PVO, dst.Signal, dst.Histogram}
	batch(pvoIndicator(), out, [][]float64{volume}, float64(fast), float64(slow), float64(signal))
	return PVOValues{PVO: out[0], Signal: out[1], Histogram: out[2]}
}

// PVOStream is [PVO] one value at a time. It is not safe for concurrent use; make
// it with [NewPVO].
type PVOStream struct{ machine }

// NewPVO returns a stream of [PVO], or a *[FieldError] for a parameter that is
// out of range.
func NewPVO(fast, slow, signal int) (*PVOStream, error) {
	m, err := open(pvoIndicator(), float64(fast), float64(slow), float64(signal))
	if err != nil {
		return nil, err
	}
	return &PVOStream{m}, nil
}

// Update takes the next value and returns its result, NaN during warm-up.
func (s *PVOStream) Update(volume float64) PVOPoint {
	s.in[0] = volume
	s.machine.Update(s.in, s.out)
	return PVOPoint{PVO: s.out[0], Signal: s.out[1], Histogram: s.out[2]}
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *PVOStream) Peek(volume float64) PVOPoint {
	s.in[0] = volume
	s.machine.Peek(s.in, s.out)
	return PVOPoint{PVO: s.out[0], Signal: s.out[1], Histogram: s.out[2]}
}

var pvoIndicator = once(func() Indicator {
	return difference(Indicator{Name: "PVO", Summary: "Percentage volume oscillator.",
		Inputs: []string{"volume"}, Outputs: pane("PVO", "Signal", "Histogram")},
		func(fast, slow float64) float64 { return over(100*(fast-slow), slow, nan()) })
})
