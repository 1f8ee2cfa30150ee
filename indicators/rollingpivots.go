package indicators

// RollingPivotsValues are the outputs of [RollingPivots], of equal length.
type RollingPivotsValues struct{ PP, S1, S2, S3, R1, R2, R3 []float64 }

// RollingPivotsPoint is one bar of [RollingPivotsValues].
type RollingPivotsPoint struct{ PP, S1, S2, S3, R1, R2, R3 float64 }

// RollingPivots writes floor-trader pivot points of the n bars that ended
// offset bars ago, without this one, into dst and returns them: with their
// highest high H, lowest low L and last close C, PP = (H+L+C)/3, R1 = 2·PP-L,
// S1 = 2·PP-H, R2, S2 = PP ± (H-L), R3 = H+2·(PP-L), S3 = L-2·(H-PP). The first
// n+offset values are NaN.
func RollingPivots(dst RollingPivotsValues, high, low, close []float64, n, offset int) RollingPivotsValues {
	out := [][]float64{dst.PP, dst.S1, dst.S2, dst.S3, dst.R1, dst.R2, dst.R3}
	batch(rollingPivotsIndicator(), out, [][]float64{high, low, close}, float64(n), float64(offset))
	return RollingPivotsValues{PP: out[0], S1: out[1], S2: out[2], S3: out[3], R1: out[4], R2: out[5], R3: out[6]}
}

// RollingPivotsStream is [RollingPivots] one bar at a time. It is not safe for concurrent use; make
// it with [NewRollingPivots].
type RollingPivotsStream struct{ machine }

// NewRollingPivots returns a stream of [RollingPivots], or a *[FieldError] for a parameter that is
// out of range.
func NewRollingPivots(n, offset int) (*RollingPivotsStream, error) {
	m, err := open(rollingPivotsIndicator(), float64(n), float64(offset))
	if err != nil {
		return nil, err
	}
	return &RollingPivotsStream{m}, nil
}

// Update takes the next bar and returns its result, NaN during warm-up.
func (s *RollingPivotsStream) Update(high, low, close float64) RollingPivotsPoint {
	s.in[0], s.in[1], s.in[2] = high, low, close
	s.machine.Update(s.in, s.out)
	return RollingPivotsPoint{PP: s.out[0], S1: s.out[1], S2: s.out[2], S3: s.out[3], R1: s.out[4], R2: s.out[5], R3: s.out[6]}
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *RollingPivotsStream) Peek(high, low, close float64) RollingPivotsPoint {
	s.in[0], s.in[1], s.in[2] = high, low, close
	s.machine.Peek(s.in, s.out)
	return RollingPivotsPoint{PP: s.out[0], S1: s.out[1], S2: s.out[2], S3: s.out[3], R1: s.out[4], R2: s.out[5], R3: s.out[6]}
}

var rollingPivotsIndicator = once(func() Indicator {
	return describe(Indicator{Name: "RollingPivots", Summary: "Floor-trader pivot points of the last n bars.",
		Inputs: hlc(), Params: []Param{period("n", 20, 1), whole("offset", 0, 0, MaxPeriod)}, Outputs: overlay("PP", "S1", "S2", "S3", "R1", "R2", "R3")},
		func(p []float64) int { return int(p[0] + p[1]) }, func(b *bank, p []float64) step {
			n, back := int(p[0]), int(p[1])+1
			h, l, hb, lb, cb := b.highest(n), b.lowest(n), b.lag(back), b.lag(back), b.lag(back)
			return func(in, out []float64) {
				high, low, close := hb.push(h.push(in[0])), lb.push(l.push(in[1])), cb.push(in[2])
				pp := (high + low + close) / 3
				out[0] = pp
				out[1], out[2], out[3] = float64(2*pp)-high, pp-(high-low), low-float64(2*(high-pp))
				out[4], out[5], out[6] = float64(2*pp)-low, pp+(high-low), high+float64(2*(pp-low))
			}
		})
})
