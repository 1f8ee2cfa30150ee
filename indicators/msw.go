package indicators

import "math"

// MSWValues are the outputs of [MSW], of equal length.
type MSWValues struct{ Sine, Lead []float64 }

// MSWPoint is one bar of [MSWValues].
type MSWPoint struct{ Sine, Lead float64 }

// MSW writes Ehlers's MESA sine wave of x into dst and returns it: the sine of
// the phase of the cycle of n bars, measured by a discrete Fourier transform of
// the last n values, and the sine 45° ahead. The first n-1 values are NaN.
func MSW(dst MSWValues, x []float64, n int) MSWValues {
	out := [][]float64{dst.Sine, dst.Lead}
	batch(mswIndicator(), out, [][]float64{x}, float64(n))
	return MSWValues{Sine: out[0], Lead: out[1]}
}

// MSWStream is [MSW] one value at a time. It is not safe for concurrent use; make
// it with [NewMSW].
type MSWStream struct{ machine }

// NewMSW returns a stream of [MSW], or a *[FieldError] for a parameter that is
// out of range.
func NewMSW(n int) (*MSWStream, error) {
	m, err := open(mswIndicator(), float64(n))
	if err != nil {
		return nil, err
	}
	return &MSWStream{m}, nil
}

// Update takes the next value and returns its result, NaN during warm-up.
func (s *MSWStream) Update(x float64) MSWPoint {
	s.in[0] = x
	s.machine.Update(s.in, s.out)
	return MSWPoint{Sine: s.out[0], Lead: s.out[1]}
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *MSWStream) Peek(x float64) MSWPoint {
	s.in[0] = x
	s.machine.Peek(s.in, s.out)
	return MSWPoint{Sine: s.out[0], Lead: s.out[1]}
}

var mswIndicator = once(func() Indicator {
	return describe(Indicator{Name: "MSW", Aliases: []string{"MesaSine"}, Summary: "MESA sine wave of a fixed period.",
		Inputs: closes(), Params: periods(10, 2), Outputs: pane("Sine", "Lead")},
		first(0), func(b *bank, p []float64) step {
			n := int(p[0])
			w := b.window(n)
			var cos, sin []float64
			for i := range n {
				cos, sin = append(cos, math.Cos(2*math.Pi*float64(i)/p[0])), append(sin, math.Sin(2*math.Pi*float64(i)/p[0]))
			}
			seen := b.counters(1)
			return func(in, out []float64) {
				out[0], out[1] = nan(), nan()
				values := w.push(in[0])
				if values == nil {
					return
				}
				if seen[0] == 0 {
					seen[0] = 1
					return
				}
				re, im := 0.0, 0.0
				for i := range n {
					v := values[n-1-i]
					re += float64(cos[i] * v)
					im += float64(sin[i] * v)
				}
				phase := math.Pi / 2
				if math.Abs(re) > 0.001 {
					phase += math.Atan(im / re)
				} else if im < 0 {
					phase -= math.Pi / 2
				} else {
					phase += math.Pi / 2
				}
				if re < 0 {
					phase += math.Pi
				}
				out[0], out[1] = math.Sin(phase), math.Sin(phase+math.Pi/4)
			}
		})
})
