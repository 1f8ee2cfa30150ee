package indicators

import "math"

// ADXR writes Wilder's rating of the average directional index into dst and
// returns it: the mean of [ADX] and its value of n bars before. The first 3n-1
// values are NaN. (TA-Lib takes the value of n-1 bars before.)
func ADXR(dst, high, low, close []float64, n int) []float64 {
	return single(adxrIndicator(), dst, [][]float64{high, low, close}, float64(n))
}

// ADXRStream is [ADXR] one bar at a time. It is not safe for concurrent use; make
// it with [NewADXR].
type ADXRStream struct{ machine }

// NewADXR returns a stream of [ADXR], or a *[FieldError] for a parameter that is
// out of range.
func NewADXR(n int) (*ADXRStream, error) {
	m, err := open(adxrIndicator(), float64(n))
	if err != nil {
		return nil, err
	}
	return &ADXRStream{m}, nil
}

// Update takes the next bar and returns its result, NaN during warm-up.
func (s *ADXRStream) Update(high, low, close float64) float64 {
	s.in[0], s.in[1], s.in[2] = high, low, close
	s.machine.Update(s.in, s.out)
	return s.out[0]
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *ADXRStream) Peek(high, low, close float64) float64 {
	s.in[0], s.in[1], s.in[2] = high, low, close
	s.machine.Peek(s.in, s.out)
	return s.out[0]
}

var adxrIndicator = once(func() Indicator {
	return describe(Indicator{Name: "ADXR", Summary: "Average directional index rating.",
		Inputs: hlc(), Params: periods(14, 1), Outputs: pane("ADXR")},
		func(p []float64) int { return 3*int(p[0]) - 1 }, func(b *bank, p []float64) step {
			d, w, before := b.directional(int(p[0])), b.wilder(int(p[0])), b.lag(int(p[0]))
			return func(in, out []float64) {
				v := w.push(d.push(in[0], in[1], in[2]))
				out[0] = (v + before.push(v)) / 2
			}
		})
})

// directional is Wilder's directional movement index.
type directional struct {
	high, low   lag
	plus, minus ema
}

func (b *bank) directional(n int) directional {
	return directional{b.lag(1), b.lag(1), b.wilder(n), b.wilder(n)}
}

func (d directional) push(high, low, close float64) float64 {
	rise, fall := high-d.high.push(high), d.low.push(low)-low
	if rise != rise {
		return nan()
	}
	var plus, minus float64
	if rise > fall && rise > 0 {
		plus = rise
	} else if fall > rise && fall > 0 {
		minus = fall
	}
	plus, minus = d.plus.push(plus), d.minus.push(minus)
	return over(100*math.Abs(plus-minus), plus+minus, 0)
}
