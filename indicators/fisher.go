package indicators

import "math"

// FisherValues are the outputs of [Fisher], of equal length.
type FisherValues struct{ Fisher, Trigger []float64 }

// FisherPoint is one bar of [FisherValues].
type FisherPoint struct{ Fisher, Trigger float64 }

// Fisher writes Ehlers's Fisher transform of the median price (high+low)/2 into
// dst and returns it: with r the price's place in the range of the last n, 0 to
// 1,
//
//	v(t) = 0.66·(r - 0.5) + 0.67·v(t-1), ±0.999 if beyond ±0.99
//	Fisher(t) = ½·ln((1+v)/(1-v)) + ½·Fisher(t-1)
//
// and Trigger the value before (Technical Analysis of Stocks & Commodities,
// November 2002). The window is shorter at first; only the first Trigger is NaN.
func Fisher(dst FisherValues, high, low []float64, n int) FisherValues {
	out := [][]float64{dst.Fisher, dst.Trigger}
	batch(fisherIndicator(), out, [][]float64{high, low}, float64(n))
	return FisherValues{Fisher: out[0], Trigger: out[1]}
}

// FisherStream is [Fisher] one bar at a time. It is not safe for concurrent use; make
// it with [NewFisher].
type FisherStream struct{ machine }

// NewFisher returns a stream of [Fisher], or a *[FieldError] for a parameter that is
// out of range.
func NewFisher(n int) (*FisherStream, error) {
	m, err := open(fisherIndicator(), float64(n))
	if err != nil {
		return nil, err
	}
	return &FisherStream{m}, nil
}

// Update takes the next bar and returns its result, NaN during warm-up.
func (s *FisherStream) Update(high, low float64) FisherPoint {
	s.in[0], s.in[1] = high, low
	s.machine.Update(s.in, s.out)
	return FisherPoint{Fisher: s.out[0], Trigger: s.out[1]}
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *FisherStream) Peek(high, low float64) FisherPoint {
	s.in[0], s.in[1] = high, low
	s.machine.Peek(s.in, s.out)
	return FisherPoint{Fisher: s.out[0], Trigger: s.out[1]}
}

var fisherIndicator = once(func() Indicator {
	return describe(Indicator{Name: "Fisher", Summary: "Ehlers's Fisher transform.",
		Inputs: hl(), Params: periods(10, 1), Outputs: pane("Fisher", "Trigger")},
		warm(1), func(b *bank, p []float64) step {
			h, l, s, last := b.highest(int(p[0])), b.lowest(int(p[0])), b.take(2), b.lag(1)
			return func(in, out []float64) {
				m := (in[0] + in[1]) / 2
				top, _ := h.partial(m)
				bottom, _ := l.partial(m)
				v := 0.0
				if top > bottom {
					v = float64(0.66*((m-bottom)/(top-bottom)-0.5)) + float64(0.67*s[0])
				}
				if math.Abs(v) > 0.99 {
					v = math.Copysign(0.999, v)
				}
				s[0] = v
				s[1] = float64(0.5*math.Log((1+v)/(1-v))) + float64(0.5*s[1])
				out[0], out[1] = s[1], last.push(s[1])
			}
		})
})
