package indicators

import "math"

// LinearRegressionValues are the outputs of [LinearRegression], of equal length.
type LinearRegressionValues struct{ LinReg, Slope, Intercept, Forecast, Angle, StdErr, RSquared []float64 }

// LinearRegressionPoint is one bar of [LinearRegressionValues].
type LinearRegressionPoint struct{ LinReg, Slope, Intercept, Forecast, Angle, StdErr, RSquared float64 }

// LinearRegression writes the least-squares line through the last n values of
// x into dst and returns it: LinReg its value at the last bar (the end point
// moving average, EPMA or LSMA), Slope its rise per bar, Intercept its value at
// the window's first bar, Forecast its value one bar ahead (the time series
// forecast), Angle its slope in degrees, StdErr the deviation of the values
// from the line, divided by n, and RSquared the part of their variance that it
// explains. The first n-1 values are NaN.
func LinearRegression(dst LinearRegressionValues, x []float64, n int) LinearRegressionValues {
	out := [][]float64{dst.LinReg, dst.Slope, dst.Intercept, dst.Forecast, dst.Angle, dst.StdErr, dst.RSquared}
	batch(regressionIndicator(), out, [][]float64{x}, float64(n))
	return LinearRegressionValues{LinReg: out[0], Slope: out[1], Intercept: out[2], Forecast: out[3], Angle: out[4], StdErr: out[5], RSquared: out[6]}
}

// LinearRegressionStream is [LinearRegression] one value at a time. It is not safe for concurrent use; make
// it with [NewLinearRegression].
type LinearRegressionStream struct{ machine }

// NewLinearRegression returns a stream of [LinearRegression], or a *[FieldError] for a parameter that is
// out of range.
func NewLinearRegression(n int) (*LinearRegressionStream, error) {
	m, err := open(regressionIndicator(), float64(n))
	if err != nil {
		return nil, err
	}
	return &LinearRegressionStream{m}, nil
}

// Update takes the next value and returns its result, NaN during warm-up.
func (s *LinearRegressionStream) Update(x float64) LinearRegressionPoint {
	s.in[0] = x
	s.machine.Update(s.in, s.out)
	return LinearRegressionPoint{LinReg: s.out[0], Slope: s.out[1], Intercept: s.out[2], Forecast: s.out[3], Angle: s.out[4], StdErr: s.out[5], RSquared: s.out[6]}
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *LinearRegressionStream) Peek(x float64) LinearRegressionPoint {
	s.in[0] = x
	s.machine.Peek(s.in, s.out)
	return LinearRegressionPoint{LinReg: s.out[0], Slope: s.out[1], Intercept: s.out[2], Forecast: s.out[3], Angle: s.out[4], StdErr: s.out[5], RSquared: s.out[6]}
}

var regressionIndicator = once(func() Indicator {
	return describe(Indicator{Name: "LinearRegression", Aliases: []string{"LinReg", "EPMA", "LSMA", "TSF"}, Summary: "Least-squares line through the last n values: end, slope, start, forecast, fit.",
		Inputs: closes(), Params: periods(14, 2), Outputs: append(overlay("LinReg"), append(pane("Slope"), append(overlay("Intercept", "Forecast"), pane("Angle", "StdErr", "RSquared")...)...)...)},
		first(-1), func(b *bank, p []float64) step {
			l, m := b.line(int(p[0])), b.moments(int(p[0]))
			return func(in, out []float64) {
				end, slope := l.push(in[0])
				_, squares := m.push(in[0])
				explained := min(slope*slope*p[0]*(p[0]*p[0]-1)/12, squares)
				out[0], out[1], out[2], out[3] = end, slope, end-float64(slope*(p[0]-1)), end+slope
				out[4], out[5], out[6] = math.Atan(slope)*180/math.Pi, math.Sqrt((squares-explained)/p[0]), over(explained, squares, 1)
			}
		})
})
