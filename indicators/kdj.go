package indicators

// KDJValues are the outputs of [KDJ], of equal length.
type KDJValues struct{ K, D, J []float64 }

// KDJPoint is one bar of [KDJValues].
type KDJPoint struct{ K, D, J float64 }

// KDJ writes the stochastic oscillator of Chinese charts into dst and returns
// it: K and D are Wilder's averages over signal, J = 3·K - 2·D. The first
// n-1 + 2·(signal-1) values are NaN.
func KDJ(dst KDJValues, high, low, close []float64, n, signal int) KDJValues {
	out := [][]float64{dst.K, dst.D, dst.J}
	batch(kdjIndicator(), out, [][]float64{high, low, close}, float64(n), float64(signal))
	return KDJValues{K: out[0], D: out[1], J: out[2]}
}

// KDJStream is [KDJ] one bar at a time. It is not safe for concurrent use; make
// it with [NewKDJ].
type KDJStream struct{ machine }

// NewKDJ returns a stream of [KDJ], or a *[FieldError] for a parameter that is
// out of range.
func NewKDJ(n, signal int) (*KDJStream, error) {
	m, err := open(kdjIndicator(), float64(n), float64(signal))
	if err != nil {
		return nil, err
	}
	return &KDJStream{m}, nil
}

// Update takes the next bar and returns its result, NaN during warm-up.
func (s *KDJStream) Update(high, low, close float64) KDJPoint {
	s.in[0], s.in[1], s.in[2] = high, low, close
	s.machine.Update(s.in, s.out)
	return KDJPoint{K: s.out[0], D: s.out[1], J: s.out[2]}
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *KDJStream) Peek(high, low, close float64) KDJPoint {
	s.in[0], s.in[1], s.in[2] = high, low, close
	s.machine.Peek(s.in, s.out)
	return KDJPoint{K: s.out[0], D: s.out[1], J: s.out[2]}
}

var kdjIndicator = once(func() Indicator {
	return describe(Indicator{Name: "KDJ", Summary: "KDJ: a stochastic oscillator with Wilder's smoothing and the line J.",
		Inputs: hlc(), Params: []Param{period("n", 9, 1), period("signal", 3, 1)}, Outputs: pane("K", "D", "J")},
		func(p []float64) int { return int(p[0]+2*p[1]) - 3 }, func(b *bank, p []float64) step {
			s, k, d := b.stochastic(int(p[0])), b.wilder(int(p[1])), b.wilder(int(p[1]))
			return func(in, out []float64) {
				out[0] = k.push(s.push(in[0], in[1], in[2]))
				out[1] = d.push(out[0])
				out[2] = float64(3*out[0]) - float64(2*out[1])
			}
		})
})
