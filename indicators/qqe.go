package indicators

import "math"

// QQEValues are the outputs of [QQE], of equal length.
type QQEValues struct{ QQE, RSIMA, Trend []float64 }

// QQEPoint is one bar of [QQEValues].
type QQEPoint struct{ QQE, RSIMA, Trend float64 }

// QQE writes Livshin's quantitative qualitative estimation of closes into dst
// and returns it: RSI smoothed by EMA (RSIMA), and a stop that trails it by
// factor times its mean absolute change, twice smoothed over 2n-1. Trend is 1
// while RSIMA is above the stop, -1 below. The first
// n + smooth-1 + 1 + 2·(2n-2) values are NaN.
func QQE(dst QQEValues, closes []float64, n, smooth int, factor float64) QQEValues {
	out := [][]float64{dst.QQE, dst.RSIMA, dst.Trend}
	batch(qqeIndicator(), out, [][]float64{closes}, float64(n), float64(smooth), factor)
	return QQEValues{QQE: out[0], RSIMA: out[1], Trend: out[2]}
}

// QQEStream is [QQE] one value at a time. It is not safe for concurrent use; make
// it with [NewQQE].
type QQEStream struct{ machine }

// NewQQE returns a stream of [QQE], or a *[FieldError] for a parameter that is
// out of range.
func NewQQE(n, smooth int, factor float64) (*QQEStream, error) {
	m, err := open(qqeIndicator(), float64(n), float64(smooth), factor)
	if err != nil {
		return nil, err
	}
	return &QQEStream{m}, nil
}

// Update takes the next value and returns its result, NaN during warm-up.
func (s *QQEStream) Update(x float64) QQEPoint {
	s.in[0] = x
	s.machine.Update(s.in, s.out)
	return QQEPoint{QQE: s.out[0], RSIMA: s.out[1], Trend: s.out[2]}
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *QQEStream) Peek(x float64) QQEPoint {
	s.in[0] = x
	s.machine.Peek(s.in, s.out)
	return QQEPoint{QQE: s.out[0], RSIMA: s.out[1], Trend: s.out[2]}
}

var qqeIndicator = once(func() Indicator {
	return describe(Indicator{Name: "QQE", Summary: "QQE: a smoothed RSI with a trailing stop of its own volatility.",
		Inputs: closes(), Params: []Param{period("n", 14, 1), period("smooth", 5, 1), number("factor", 4.236, 1e-3, 1000)}, Outputs: pane("QQE", "RSIMA", "Trend")},
		func(p []float64) int { return int(p[0]+p[1]) + 2*(2*int(p[0])-2) }, func(b *bank, p []float64) step {
			w := 2*int(p[0]) - 1
			r, m, last, e1, e2, st := b.rsi(int(p[0])), b.ema(int(p[1])), b.lag(1), b.ema(w), b.ema(w), b.stops()
			return func(in, out []float64) {
				x := m.push(r.push(in[0]))
				width := float64(p[2] * e2.push(e1.push(math.Abs(x-last.push(x)))))
				stop, falling := st.push(x+width, x-width, x)
				out[0], out[1], out[2] = stop, x, 1
				if falling {
					out[2] = -1
				}
				if stop != stop {
					out[2] = nan()
				}
			}
		})
})
