package indicators

import "github.com/ttai-go/ttai/indicators/internal/kernel"

// BetaValues are the outputs of [Beta], of equal length.
type BetaValues struct{ Beta, Up, Down []float64 }

// BetaPoint is one bar of [BetaValues].
type BetaPoint struct{ Beta, Up, Down float64 }

// Beta writes the beta of the first series' returns to the second's, the
// market's, over n into dst and returns it: covariance over the market's
// variance. Up counts only bars on which the market rose, Down those on which
// it fell; NaN where there are fewer than two of them or the market stood
// still. The first n values are NaN.
func Beta(dst BetaValues, x, market []float64, n int) BetaValues {
	out := [][]float64{dst.Beta, dst.Up, dst.Down}
	batch(betaIndicator(), out, [][]float64{x, market}, float64(n))
	return BetaValues{Beta: out[0], Up: out[1], Down: out[2]}
}

// BetaStream is [Beta] one bar at a time. It is not safe for concurrent use; make
// it with [NewBeta].
type BetaStream struct{ machine }

// NewBeta returns a stream of [Beta], or a *[FieldError] for a parameter that is
// out of range.
func NewBeta(n int) (*BetaStream, error) {
	m, err := open(betaIndicator(), float64(n))
	if err != nil {
		return nil, err
	}
	return &BetaStream{m}, nil
}

// Update takes the next bar and returns its result, NaN during warm-up.
func (s *BetaStream) Update(x, market float64) BetaPoint {
	s.in[0], s.in[1] = x, market
	s.machine.Update(s.in, s.out)
	return BetaPoint{Beta: s.out[0], Up: s.out[1], Down: s.out[2]}
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *BetaStream) Peek(x, market float64) BetaPoint {
	s.in[0], s.in[1] = x, market
	s.machine.Peek(s.in, s.out)
	return BetaPoint{Beta: s.out[0], Up: s.out[1], Down: s.out[2]}
}

var betaIndicator = once(func() Indicator {
	return describe(Indicator{Name: "Beta", Summary: "Beta of one series' returns to another's, in rises and falls too.",
		Inputs: hl(), Params: periods(50, 2), Outputs: []Output{{Name: "Beta"}, {Name: "Up", Sparse: true}, {Name: "Down", Sparse: true}}},
		first(0), func(b *bank, p []float64) step {
			lx, ly := b.lag(1), b.lag(1)
			all, rises, falls := b.pairs(int(p[0])), b.pairs(int(p[0])), b.pairs(int(p[0]))
			return func(in, out []float64) {
				ox, oy := lx.push(in[0]), ly.push(in[1])
				rx, ry := over(in[0]-ox, ox, 0), over(in[1]-oy, oy, 0)
				if !kernel.Finite(rx + ry) {
					fillNaN(out)
					return
				}
				out[0] = all.push(rx, ry, true).slope()
				out[1], out[2] = rises.push(rx, ry, ry > 0).slope(), falls.push(rx, ry, ry < 0).slope()
			}
		})
})

// slope is that of x on y, NaN for fewer than two pairs or where y stands still.
func (s spread) slope() float64 {
	if !(s.count >= 2) {
		return nan()
	}
	return over(s.xy, s.yy, nan())
}
