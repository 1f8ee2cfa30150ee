package indicators

// StochasticValues are the outputs of [Stochastic], of equal length.
type StochasticValues struct{ K, D, J []float64 }

// StochasticPoint is one bar of [StochasticValues].
type StochasticPoint struct{ K, D, J float64 }

// Stochastic writes Lane's stochastic oscillator into dst and returns it: with
// raw the close's place between the lowest low and the highest high of n bars,
// in percent,
//
//	K = SMA(raw, smooth),  D = SMA(K, signal),  J = 3·K - 2·D
//
// Where the highest high is the lowest low, raw is 0. The first
// n-1 + smooth-1 + signal-1 values are NaN, those of K end signal-1 earlier.
func Stochastic(dst StochasticValues, high, low, close []float64, n, smooth, signal int) StochasticValues {
	out := [][]float64{dst.K, dst.D, dst.J}
	batch(stochasticIndicator(), out, [][]float64{high, low, close}, float64(n), float64(smooth), float64(signal))
	return StochasticValues{K: out[0], D: out[1], J: out[2]}
}

// StochasticStream is [Stochastic] one bar at a time. It is not safe for concurrent use; make
// it with [NewStochastic].
type StochasticStream struct{ machine }

// NewStochastic returns a stream of [Stochastic], or a *[FieldError] for a parameter that is
// out of range.
func NewStochastic(n, smooth, signal int) (*StochasticStream, error) {
	m, err := open(stochasticIndicator(), float64(n), float64(smooth), float64(signal))
	if err != nil {
		return nil, err
	}
	return &StochasticStream{m}, nil
}

// Update takes the next bar and returns its result, NaN during warm-up.
func (s *StochasticStream) Update(high, low, close float64) StochasticPoint {
	s.in[0], s.in[1], s.in[2] = high, low, close
	s.machine.Update(s.in, s.out)
	return StochasticPoint{K: s.out[0], D: s.out[1], J: s.out[2]}
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *StochasticStream) Peek(high, low, close float64) StochasticPoint {
	s.in[0], s.in[1], s.in[2] = high, low, close
	s.machine.Peek(s.in, s.out)
	return StochasticPoint{K: s.out[0], D: s.out[1], J: s.out[2]}
}

var stochasticIndicator = once(func() Indicator {
	return describe(Indicator{Name: "Stochastic", Aliases: []string{"STOCH"}, Summary: "Stochastic oscillator: the close's place in the range of n bars.",
		Inputs: hlc(), Params: []Param{period("n", 14, 1), period("smooth", 3, 1), period("signal", 3, 1)}, Outputs: pane("K", "D", "J")},
		func(p []float64) int { return int(p[0]+p[1]+p[2]) - 3 }, func(b *bank, p []float64) step {
			s, k, d := b.stochastic(int(p[0])), b.mean(int(p[1])), b.mean(int(p[2]))
			return func(in, out []float64) {
				out[0] = k.push(s.push(in[0], in[1], in[2]))
				out[1] = d.push(out[0])
				out[2] = float64(3*out[0]) - float64(2*out[1])
			}
		})
})

// stochastic is where a value stands between the extremes of n bars, 0 to 100,
// 0 where they meet.
type stochastic struct{ h, l extreme }

func (b *bank) stochastic(n int) stochastic { return stochastic{b.highest(n), b.lowest(n)} }

func (s stochastic) push(high, low, x float64) float64 {
	h, l := s.h.push(high), s.l.push(low)
	return over(100*(x-l), h-l, 0)
}
