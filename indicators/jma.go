package indicators

import "math"

// JMA writes an average after Jurik's, as it is publicly reconstructed, of x
// into dst and returns it: two exponential smoothings, the second of the
// first's error, whose constants follow the volatility of x relative to its own
// average over 66 bars. phase (-100 to 100) trades overshoot for lag. It starts
// from the first value; the first n-1 values are NaN. Jurik's own formula is
// not published.
func JMA(dst, x []float64, n int, phase float64) []float64 {
	return single(jmaIndicator(), dst, [][]float64{x}, float64(n), phase)
}

// JMAStream is [JMA] one value at a time. It is not safe for concurrent use; make
// it with [NewJMA].
type JMAStream struct{ machine }

// NewJMA returns a stream of [JMA], or a *[FieldError] for a parameter that is
// out of range.
func NewJMA(n int, phase float64) (*JMAStream, error) {
	m, err := open(jmaIndicator(), float64(n), phase)
	if err != nil {
		return nil, err
	}
	return &JMAStream{m}, nil
}

// Update takes the next value and returns its result, NaN during warm-up.
func (s *JMAStream) Update(x float64) float64 {
	s.in[0] = x
	s.machine.Update(s.in, s.out)
	return s.out[0]
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *JMAStream) Peek(x float64) float64 {
	s.in[0] = x
	s.machine.Peek(s.in, s.out)
	return s.out[0]
}

var jmaIndicator = once(func() Indicator {
	return describe(Indicator{Name: "JMA", Summary: "Jurik-style adaptive moving average (public reconstruction).",
		Inputs: closes(), Params: []Param{period("n", 7, 1), number("phase", 0, -100, 100)}, Outputs: overlay("JMA")},
		first(-1), func(b *bank, p []float64) step {
			length := 0.5 * (p[0] - 1)
			phase := min(max(0.5, 1.5+p[1]/100), 2.5)
			length1 := max(math.Log2(math.Sqrt(max(length, 1e-9)))+2, 0)
			power := max(length1-2, 0.5)
			length2 := length1 * math.Sqrt(length)
			bet, beta := length2/(length2+1), 0.45*(p[0]-1)/(0.45*(p[0]-1)+2)
			s := b.cells(7) // upper, lower, ma1, det0, det1, jma, sum of volatility
			volatility, average, count := b.window(11), b.sum(66), b.counters(1)
			most := math.Pow(length1, 1/power)
			n := int(p[0])
			return func(in, out []float64) {
				x := in[0]
				if s[0] != s[0] {
					s[0], s[1], s[2], s[3], s[4], s[5], s[6] = x, x, x, 0, 0, x, 0
					volatility.push(0)
					average.push(0)
				} else {
					up, down := x-s[0], x-s[1]
					v := 0.0
					if a, c := math.Abs(up), math.Abs(down); a != c {
						v = max(a, c)
					}
					old := 0.0
					if w := volatility.push(v); w != nil {
						old = w[0]
					}
					s[6] += 0.1 * (v - old)
					mean := average.push(s[6]) / 66
					if mean != mean { // too few yet: the mean of all
						mean = average.head[0] / float64(average.pos[0])
					}
					ratio := 0.0
					if mean > 0 {
						ratio = v / mean
					}
					swing := math.Pow(max(1, min(ratio, most)), power)
					k := math.Pow(bet, math.Sqrt(swing))
					s[0], s[1] = x-float64(k*up), x-float64(k*down)
					if up > 0 {
						s[0] = x
					}
					if down < 0 {
						s[1] = x
					}
					alpha := math.Pow(beta, swing)
					s[2] = float64((1-alpha)*x) + float64(alpha*s[2])
					s[3] = float64((x-s[2])*(1-beta)) + float64(beta*s[3])
					s[4] = float64((s[2]+float64(phase*s[3])-s[5])*(1-alpha)*(1-alpha)) + float64(alpha*alpha*s[4])
					s[5] += s[4]
				}
				out[0] = s[5]
				if count[0]++; count[0] < n {
					out[0] = nan()
				}
				count[0] = min(count[0], n)
			}
		})
})
