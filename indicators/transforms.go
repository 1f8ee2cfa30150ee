package indicators

import "math"

// TransformsValues are the outputs of [Transforms], of equal length.
type TransformsValues struct{ Abs, Round, Trunc, Degrees, Radians []float64 }

// TransformsPoint is one bar of [TransformsValues].
type TransformsPoint struct{ Abs, Round, Trunc, Degrees, Radians float64 }

// Transforms writes simple functions of x into dst and returns them: its size
// without sign, the nearest whole number (halves away from 0), the whole number
// towards 0, radians in degrees and degrees in radians. There is no warm-up.
// TA-Lib's functions have the others: talib:CEIL, talib:FLOOR, talib:SQRT …
func Transforms(dst TransformsValues, x []float64) TransformsValues {
	out := [][]float64{dst.Abs, dst.Round, dst.Trunc, dst.Degrees, dst.Radians}
	batch(transformsIndicator(), out, [][]float64{x})
	return TransformsValues{Abs: out[0], Round: out[1], Trunc: out[2], Degrees: out[3], Radians: out[4]}
}

// TransformsStream is [Transforms] one value at a time. It is not safe for concurrent use; make
// it with [NewTransforms].
type TransformsStream struct{ machine }

// NewTransforms returns a stream of [Transforms].
func NewTransforms() (*TransformsStream, error) {
	m, err := open(transformsIndicator())
	if err != nil {
		return nil, err
	}
	return &TransformsStream{m}, nil
}

// Update takes the next value and returns its result, NaN during warm-up.
func (s *TransformsStream) Update(x float64) TransformsPoint {
	s.in[0] = x
	s.machine.Update(s.in, s.out)
	return TransformsPoint{Abs: s.out[0], Round: s.out[1], Trunc: s.out[2], Degrees: s.out[3], Radians: s.out[4]}
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *TransformsStream) Peek(x float64) TransformsPoint {
	s.in[0] = x
	s.machine.Peek(s.in, s.out)
	return TransformsPoint{Abs: s.out[0], Round: s.out[1], Trunc: s.out[2], Degrees: s.out[3], Radians: s.out[4]}
}

var transformsIndicator = once(func() Indicator {
	return describe(Indicator{Name: "Transforms", Aliases: []string{"Abs", "Round", "Trunc", "ToDeg", "ToRad"}, Summary: "Absolute value, rounding, and degrees from and to radians.",
		Inputs: closes(), Outputs: pane("Abs", "Round", "Trunc", "Degrees", "Radians")},
		warm(0), func(b *bank, p []float64) step {
			return func(in, out []float64) {
				x := in[0]
				out[0], out[1], out[2] = math.Abs(x), math.Round(x), math.Trunc(x)
				out[3], out[4] = x*(180/math.Pi), x*(math.Pi/180)
			}
		})
})
