package indicators

import "math"

// VWAPValues are the outputs of [VWAP], of equal length.
type VWAPValues struct{ VWAP, Upper, Lower []float64 }

// VWAPPoint is one bar of [VWAPValues].
type VWAPPoint struct{ VWAP, Upper, Lower float64 }

// VWAP writes the volume-weighted average of the typical price since the first
// bar into dst and returns it, with lines k deviations (weighted by volume)
// either side. Give it the bars of one session for that session's, or those from
// any bar for one anchored there. NaN until something traded.
func VWAP(dst VWAPValues, high, low, close, volume []float64, k float64) VWAPValues {
	out := [][]float64{dst.VWAP, dst.Upper, dst.Lower}
	batch(vwapIndicator(), out, [][]float64{high, low, close, volume}, k)
	return VWAPValues{VWAP: out[0], Upper: out[1], Lower: out[2]}
}

// VWAPStream is [VWAP] one bar at a time. It is not safe for concurrent use; make
// it with [NewVWAP].
type VWAPStream struct{ machine }

// NewVWAP returns a stream of [VWAP], or a *[FieldError] for a parameter that is
// out of range.
func NewVWAP(k float64) (*VWAPStream, error) {
	m, err := open(vwapIndicator(), k)
	if err != nil {
		return nil, err
	}
	return &VWAPStream{m}, nil
}

// Update takes the next bar and returns its result, NaN during warm-up.
func (s *VWAPStream) Update(high, low, close, volume float64) VWAPPoint {
	s.in[0], s.in[1], s.in[2], s.in[3] = high, low, close, volume
	s.machine.Update(s.in, s.out)
	return VWAPPoint{VWAP: s.out[0], Upper: s.out[1], Lower: s.out[2]}
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *VWAPStream) Peek(high, low, close, volume float64) VWAPPoint {
	s.in[0], s.in[1], s.in[2], s.in[3] = high, low, close, volume
	s.machine.Peek(s.in, s.out)
	return VWAPPoint{VWAP: s.out[0], Upper: s.out[1], Lower: s.out[2]}
}

var vwapIndicator = once(func() Indicator {
	return describe(Indicator{Name: "VWAP", Summary: "Volume-weighted average price from the first bar, with bands.",
		Inputs: hlcv(), Params: []Param{number("k", 1, 0, 1000)}, Outputs: overlay("VWAP", "Upper", "Lower")}, warm(0), func(b *bank, p []float64) step {
		s := b.take(3) // volume, mean, squared deviations
		return func(in, out []float64) {
			tp, v := (in[0]+in[1]+in[2])/3, in[3]
			if s[0]+v != 0 {
				s[0] += v
				d := tp - s[1]
				s[1] += float64(v / s[0] * d)
				s[2] += float64(v * d * (tp - s[1]))
			}
			m, width := over(s[1]*s[0], s[0], nan()), p[0]*math.Sqrt(max(over(s[2], s[0], nan()), 0))
			out[0], out[1], out[2] = m, m+width, m-width
		}
	})
})
