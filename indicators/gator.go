package indicators

import "math"

// GatorValues are the outputs of [Gator], of equal length.
type GatorValues struct{ Upper, Lower, UpperExpanding, LowerExpanding []float64 }

// GatorPoint is one bar of [GatorValues].
type GatorPoint struct{ Upper, Lower, UpperExpanding, LowerExpanding float64 }

// Gator writes Williams's gator oscillator into dst and returns it: the
// distance of the [Alligator]'s jaw and teeth above zero, of its teeth and lips
// below, and whether each grew since the bar before (1) or not (0).
func Gator(dst GatorValues, high, low []float64, jaw, jawShift, teeth, teethShift, lips, lipsShift int) GatorValues {
	out := [][]float64{dst.Upper, dst.Lower, dst.UpperExpanding, dst.LowerExpanding}
	batch(gatorIndicator(), out, [][]float64{high, low}, float64(jaw), float64(jawShift), float64(teeth), float64(teethShift), float64(lips), float64(lipsShift))
	return GatorValues{Upper: out[0], Lower: out[1], UpperExpanding: out[2], LowerExpanding: out[3]}
}

// GatorStream is [Gator] one bar at a time. It is not safe for concurrent use; make
// it with [NewGator].
type GatorStream struct{ machine }

// NewGator returns a stream of [Gator], or a *[FieldError] for a parameter that is
// out of range.
func NewGator(jaw, jawShift, teeth, teethShift, lips, lipsShift int) (*GatorStream, error) {
	m, err := open(gatorIndicator(), float64(jaw), float64(jawShift), float64(teeth), float64(teethShift), float64(lips), float64(lipsShift))
	if err != nil {
		return nil, err
	}
	return &GatorStream{m}, nil
}

// Update takes the next bar and returns its result, NaN during warm-up.
func (s *GatorStream) Update(high, low float64) GatorPoint {
	s.in[0], s.in[1] = high, low
	s.machine.Update(s.in, s.out)
	return GatorPoint{Upper: s.out[0], Lower: s.out[1], UpperExpanding: s.out[2], LowerExpanding: s.out[3]}
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *GatorStream) Peek(high, low float64) GatorPoint {
	s.in[0], s.in[1] = high, low
	s.machine.Peek(s.in, s.out)
	return GatorPoint{Upper: s.out[0], Lower: s.out[1], UpperExpanding: s.out[2], LowerExpanding: s.out[3]}
}

var gatorIndicator = once(func() Indicator {
	return describe(Indicator{Name: "Gator", Summary: "Gator oscillator: how far the alligator's mouth is open.",
		Inputs: hl(), Params: alligatorParams(), Outputs: pane("Upper", "Lower", "UpperExpanding", "LowerExpanding")},
		alligatorWarmup(1), func(b *bank, p []float64) step {
			a, lines, upper, lower := b.alligator(p), b.take(3), b.lag(1), b.lag(1)
			return func(in, out []float64) {
				a.push((in[0]+in[1])/2, lines)
				out[0], out[1] = math.Abs(lines[0]-lines[1]), -math.Abs(lines[1]-lines[2])
				out[2], out[3] = above(out[0], upper.push(out[0])), above(lower.push(out[1]), out[1])
			}
		})
})

// above is 1 if a > b, 0 if not, NaN when either is unknown.
func above(a, b float64) float64 {
	switch {
	case a > b:
		return 1
	case a <= b:
		return 0
	}
	return nan()
}
