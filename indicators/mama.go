package indicators

import "math"

// MAMAValues are the outputs of [MAMA], of equal length.
type MAMAValues struct{ MAMA, FAMA []float64 }

// MAMAPoint is one bar of [MAMAValues].
type MAMAPoint struct{ MAMA, FAMA float64 }

// MAMA writes Ehlers's adaptive averages of the median price (high+low)/2 into
// dst and returns them: MAMA moves by fast over the phase's change in degrees,
// no less than slow and no more than fast; FAMA follows it at half that speed
// (Technical Analysis of Stocks & Commodities, September 2001). They start from
// the mean price; the first 5 values are NaN.
func MAMA(dst MAMAValues, high, low []float64, fast, slow float64) MAMAValues {
	out := [][]float64{dst.MAMA, dst.FAMA}
	batch(mamaIndicator(), out, [][]float64{high, low}, fast, slow)
	return MAMAValues{MAMA: out[0], FAMA: out[1]}
}

// MAMAStream is [MAMA] one bar at a time. It is not safe for concurrent use; make
// it with [NewMAMA].
type MAMAStream struct{ machine }

// NewMAMA returns a stream of [MAMA], or a *[FieldError] for a parameter that is
// out of range.
func NewMAMA(fast, slow float64) (*MAMAStream, error) {
	m, err := open(mamaIndicator(), fast, slow)
	if err != nil {
		return nil, err
	}
	return &MAMAStream{m}, nil
}

// Update takes the next bar and returns its result, NaN during warm-up.
func (s *MAMAStream) Update(high, low float64) MAMAPoint {
	s.in[0], s.in[1] = high, low
	s.machine.Update(s.in, s.out)
	return MAMAPoint{MAMA: s.out[0], FAMA: s.out[1]}
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *MAMAStream) Peek(high, low float64) MAMAPoint {
	s.in[0], s.in[1] = high, low
	s.machine.Peek(s.in, s.out)
	return MAMAPoint{MAMA: s.out[0], FAMA: s.out[1]}
}

var mamaIndicator = once(func() Indicator {
	return describe(Indicator{Name: "MAMA", Summary: "Ehlers's MESA adaptive moving averages.",
		Inputs: hl(), Params: []Param{number("fast", 0.5, 0.01, 0.99), number("slow", 0.05, 0.001, 0.99)}, Outputs: overlay("MAMA", "FAMA")},
		warm(5), func(b *bank, p []float64) step {
			h, s, count := b.hilbert(), b.take(4), b.counters(1) // sum, mama, fama, phase
			return func(in, out []float64) {
				x := (in[0] + in[1]) / 2
				_, _, i1, q1 := h.push(x)
				out[0], out[1] = nan(), nan()
				if count[0] < 6 {
					count[0]++
					s[0] += x
					s[1] = s[0] / float64(count[0])
					s[2] = s[1]
					if count[0] == 6 {
						out[0], out[1] = s[1], s[2]
					}
					return
				}
				phase := 0.0
				if i1 != 0 {
					phase = math.Atan(q1/i1) * 180 / math.Pi
				}
				alpha := max(p[0]/max(s[3]-phase, 1), p[1])
				s[3] = phase
				s[1] += float64(alpha * (x - s[1]))
				s[2] += float64(0.5 * alpha * (s[1] - s[2]))
				out[0], out[1] = s[1], s[2]
			}
		})
})
