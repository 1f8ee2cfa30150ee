package indicators

// AccelerationBandsValues are the outputs of [AccelerationBands], of equal length.
type AccelerationBandsValues struct{ Upper, Middle, Lower []float64 }

// AccelerationBandsPoint is one bar of [AccelerationBandsValues].
type AccelerationBandsPoint struct{ Upper, Middle, Lower float64 }

// AccelerationBands writes Headley's acceleration bands into dst and returns
// them: SMAs over n of closes, and of high·(1+w) and low·(1-w) with
// w = factor·(high-low)/(high+low). The first n-1 values are NaN.
func AccelerationBands(dst AccelerationBandsValues, high, low, close []float64, n int, factor float64) AccelerationBandsValues {
	out := [][]float64{dst.Upper, dst.Middle, dst.Lower}
	batch(accelerationIndicator(), out, [][]float64{high, low, close}, float64(n), factor)
	return AccelerationBandsValues{Upper: out[0], Middle: out[1], Lower: out[2]}
}

// AccelerationBandsStream is [AccelerationBands] one bar at a time. It is not safe for concurrent use; make
// it with [NewAccelerationBands].
type AccelerationBandsStream struct{ machine }

// NewAccelerationBands returns a stream of [AccelerationBands], or a *[FieldError] for a parameter that is
// out of range.
func NewAccelerationBands(n int, factor float64) (*AccelerationBandsStream, error) {
	m, err := open(accelerationIndicator(), float64(n), factor)
	if err != nil {
		return nil, err
	}
	return &AccelerationBandsStream{m}, nil
}

// Update takes the next bar and returns its result, NaN during warm-up.
func (s *AccelerationBandsStream) Update(high, low, close float64) AccelerationBandsPoint {
	s.in[0], s.in[1], s.in[2] = high, low, close
	s.machine.Update(s.in, s.out)
	return AccelerationBandsPoint{Upper: s.out[0], Middle: s.out[1], Lower: s.out[2]}
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *AccelerationBandsStream) Peek(high, low, close float64) AccelerationBandsPoint {
	s.in[0], s.in[1], s.in[2] = high, low, close
	s.machine.Peek(s.in, s.out)
	return AccelerationBandsPoint{Upper: s.out[0], Middle: s.out[1], Lower: s.out[2]}
}

var accelerationIndicator = once(func() Indicator {
	return describe(Indicator{Name: "AccelerationBands", Aliases: []string{"ACCBANDS"}, Summary: "Acceleration bands: averages of highs and lows widened by their range.",
		Inputs: hlc(), Params: []Param{period("n", 20, 1), number("factor", 4, 0, 1000)}, Outputs: overlay("Upper", "Middle", "Lower")},
		first(-1), func(b *bank, p []float64) step {
			u, m, l := b.mean(int(p[0])), b.mean(int(p[0])), b.mean(int(p[0]))
			return func(in, out []float64) {
				w := over(p[1]*(in[0]-in[1]), in[0]+in[1], 0)
				out[0], out[1], out[2] = u.push(in[0]*(1+w)), m.push(in[2]), l.push(in[1]*(1-w))
			}
		})
})
