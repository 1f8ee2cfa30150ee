package indicators

// PriceVolumeValues are the outputs of [PriceVolume], of equal length.
type PriceVolumeValues struct{ PVOL, PVR []float64 }

// PriceVolumePoint is one bar of [PriceVolumeValues].
type PriceVolumePoint struct{ PVOL, PVR float64 }

// PriceVolume writes close times volume (PVOL) into dst and returns it, with the
// price volume rank (PVR): 1 where price and volume rose or held, 2 price only,
// 3 volume only, 4 neither. The first PVR is NaN.
func PriceVolume(dst PriceVolumeValues, close, volume []float64) PriceVolumeValues {
	out := [][]float64{dst.PVOL, dst.PVR}
	batch(priceVolumeIndicator(), out, [][]float64{close, volume})
	return PriceVolumeValues{PVOL: out[0], PVR: out[1]}
}

// PriceVolumeStream is [PriceVolume] one bar at a time. It is not safe for concurrent use; make
// it with [NewPriceVolume].
type PriceVolumeStream struct{ machine }

// NewPriceVolume returns a stream of [PriceVolume].
func NewPriceVolume() (*PriceVolumeStream, error) {
	m, err := open(priceVolumeIndicator())
	if err != nil {
		return nil, err
	}
	return &PriceVolumeStream{m}, nil
}

// Update takes the next bar and returns its result, NaN during warm-up.
func (s *PriceVolumeStream) Update(close, volume float64) PriceVolumePoint {
	s.in[0], s.in[1] = close, volume
	s.machine.Update(s.in, s.out)
	return PriceVolumePoint{PVOL: s.out[0], PVR: s.out[1]}
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *PriceVolumeStream) Peek(close, volume float64) PriceVolumePoint {
	s.in[0], s.in[1] = close, volume
	s.machine.Peek(s.in, s.out)
	return PriceVolumePoint{PVOL: s.out[0], PVR: s.out[1]}
}

var priceVolumeIndicator = once(func() Indicator {
	return describe(Indicator{Name: "PriceVolume", Aliases: []string{"PVOL", "PVR"}, Summary: "Price times volume, and the rank of their changes.",
		Inputs: cv(), Outputs: pane("PVOL", "PVR")}, warm(1), func(b *bank, p []float64) step {
		c, v := b.lag(1), b.lag(1)
		return func(in, out []float64) {
			oc, ov := c.push(in[0]), v.push(in[1])
			out[0], out[1] = in[0]*in[1], nan()
			switch {
			case oc != oc:
			case in[0] >= oc && in[1] >= ov:
				out[1] = 1
			case in[0] >= oc:
				out[1] = 2
			case in[1] >= ov:
				out[1] = 3
			default:
				out[1] = 4
			}
		}
	})
})
