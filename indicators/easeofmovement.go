package indicators

// EaseOfMovementValues are the outputs of [EaseOfMovement], of equal length.
type EaseOfMovementValues struct{ EMV, Average []float64 }

// EaseOfMovementPoint is one bar of [EaseOfMovementValues].
type EaseOfMovementPoint struct{ EMV, Average float64 }

// EaseOfMovement writes Arms's ease of movement into dst and returns it: the
// change of the bar's middle times its range over volume, scaled by `scale`,
// and its SMA over n. NaN without volume. The first n values are NaN.
func EaseOfMovement(dst EaseOfMovementValues, high, low, volume []float64, n int, scale float64) EaseOfMovementValues {
	out := [][]float64{dst.EMV, dst.Average}
	batch(emvIndicator(), out, [][]float64{high, low, volume}, float64(n), scale)
	return EaseOfMovementValues{EMV: out[0], Average: out[1]}
}

// EaseOfMovementStream is [EaseOfMovement] one bar at a time. It is not safe for concurrent use; make
// it with [NewEaseOfMovement].
type EaseOfMovementStream struct{ machine }

// NewEaseOfMovement returns a stream of [EaseOfMovement], or a *[FieldError] for a parameter that is
// out of range.
func NewEaseOfMovement(n int, scale float64) (*EaseOfMovementStream, error) {
	m, err := open(emvIndicator(), float64(n), scale)
	if err != nil {
		return nil, err
	}
	return &EaseOfMovementStream{m}, nil
}

// Update takes the next bar and returns its result, NaN during warm-up.
func (s *EaseOfMovementStream) Update(high, low, volume float64) EaseOfMovementPoint {
	s.in[0], s.in[1], s.in[2] = high, low, volume
	s.machine.Update(s.in, s.out)
	return EaseOfMovementPoint{EMV: s.out[0], Average: s.out[1]}
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *EaseOfMovementStream) Peek(high, low, volume float64) EaseOfMovementPoint {
	s.in[0], s.in[1], s.in[2] = high, low, volume
	s.machine.Peek(s.in, s.out)
	return EaseOfMovementPoint{EMV: s.out[0], Average: s.out[1]}
}

var emvIndicator = once(func() Indicator {
	return describe(Indicator{Name: "EaseOfMovement", Aliases: []string{"EMV", "EOM"}, Summary: "Ease of movement: how little volume moves the price.",
		Inputs: []string{"high", "low", "volume"}, Params: []Param{period("n", 14, 1), number("scale", 10000, 1e-6, 1e12)}, Outputs: pane("EMV", "Average")},
		first(0), func(b *bank, p []float64) step {
			last, m := b.lag(1), b.mean(int(p[0]))
			return func(in, out []float64) {
				mid := (in[0] + in[1]) / 2
				out[0] = over((mid-last.push(mid))*(in[0]-in[1])*p[1], in[2], nan())
				out[1] = m.push(out[0])
			}
		})
})
