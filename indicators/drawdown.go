package indicators

import "math"

// DrawdownValues are the outputs of [Drawdown], of equal length.
type DrawdownValues struct{ Drawdown, Fraction, Log []float64 }

// DrawdownPoint is one bar of [DrawdownValues].
type DrawdownPoint struct{ Drawdown, Fraction, Log float64 }

// Drawdown writes into dst, and returns, how far closes are below the highest
// close so far: in price units, as a fraction of it, and as the logarithm of the
// quotient; unknown for prices that are not positive. There is no warm-up.
func Drawdown(dst DrawdownValues, closes []float64) DrawdownValues {
	out := [][]float64{dst.Drawdown, dst.Fraction, dst.Log}
	batch(drawdownIndicator(), out, [][]float64{closes})
	return DrawdownValues{Drawdown: out[0], Fraction: out[1], Log: out[2]}
}

// DrawdownStream is [Drawdown] one close at a time. It is not safe for concurrent use; make
// it with [NewDrawdown].
type DrawdownStream struct{ machine }

// NewDrawdown returns a stream of [Drawdown].
func NewDrawdown() (*DrawdownStream, error) {
	m, err := open(drawdownIndicator())
	if err != nil {
		return nil, err
	}
	return &DrawdownStream{m}, nil
}

// Update takes the next close and returns its result, NaN during warm-up.
func (s *DrawdownStream) Update(closes float64) DrawdownPoint {
	s.in[0] = closes
	s.machine.Update(s.in, s.out)
	return DrawdownPoint{Drawdown: s.out[0], Fraction: s.out[1], Log: s.out[2]}
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *DrawdownStream) Peek(closes float64) DrawdownPoint {
	s.in[0] = closes
	s.machine.Peek(s.in, s.out)
	return DrawdownPoint{Drawdown: s.out[0], Fraction: s.out[1], Log: s.out[2]}
}

var drawdownIndicator = once(func() Indicator {
	return describe(Indicator{Name: "Drawdown", Aliases: []string{"DD"}, Summary: "Distance below the highest close so far, also as a fraction and a logarithm.",
		Inputs: closes(), Outputs: pane("Drawdown", "Fraction", "Log")},
		warm(0), func(b *bank, p []float64) step {
			top := b.take(1)
			top[0] = math.Inf(-1)
			return func(in, out []float64) {
				top[0] = max(top[0], in[0])
				out[0], out[1], out[2] = top[0]-in[0], nan(), nan()
				if in[0] > 0 {
					out[1], out[2] = out[0]/top[0], math.Log(top[0]/in[0])
				}
			}
		})
})
