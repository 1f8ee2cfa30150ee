package indicators

// Kalman writes a one-dimensional Kalman filter of x into dst and returns it:
// the level walks with variance q per bar, the values measure it with variance
// r, and
//
//	P = P + q;  K = P/(P+r);  level += K·(x - level);  P = (1-K)·P
//
// It starts from the first value with P = r. Only q/r matters. No value is NaN.
func Kalman(dst, x []float64, q, r float64) []float64 {
	return single(kalmanIndicator(), dst, [][]float64{x}, q, r)
}

// KalmanStream is [Kalman] one value at a time. It is not safe for concurrent use; make
// it with [NewKalman].
type KalmanStream struct{ machine }

// NewKalman returns a stream of [Kalman], or a *[FieldError] for a parameter that is
// out of range.
func NewKalman(q, r float64) (*KalmanStream, error) {
	m, err := open(kalmanIndicator(), q, r)
	if err != nil {
		return nil, err
	}
	return &KalmanStream{m}, nil
}

// Update takes the next value and returns its result, NaN during warm-up.
func (s *KalmanStream) Update(x float64) float64 {
	s.in[0] = x
	s.machine.Update(s.in, s.out)
	return s.out[0]
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *KalmanStream) Peek(x float64) float64 {
	s.in[0] = x
	s.machine.Peek(s.in, s.out)
	return s.out[0]
}

var kalmanIndicator = once(func() Indicator {
	return describe(Indicator{Name: "Kalman", Summary: "One-dimensional Kalman filter: a level that walks and is measured with noise.",
		Inputs: closes(), Params: []Param{number("q", 0.01, 1e-12, 1e6), number("r", 1, 1e-12, 1e6)}, Outputs: overlay("Kalman")},
		warm(0), func(b *bank, p []float64) step {
			s := b.cells(2)
			return func(in, out []float64) {
				if s[0] != s[0] {
					s[0], s[1] = in[0], p[1]
				} else {
					v := s[1] + p[0]
					k := v / (v + p[1])
					s[0] += float64(k * (in[0] - s[0]))
					s[1] = (1 - k) * v
				}
				out[0] = s[0]
			}
		})
})
