package indicators

import "math"

// ZigZagValues are the outputs of [ZigZag], of equal length.
type ZigZagValues struct{ Turn, Age, Direction []float64 }

// ZigZagPoint is one bar of [ZigZagValues].
type ZigZagPoint struct{ Turn, Age, Direction float64 }

// ZigZag writes the swings of closes of at least percent into dst and returns
// them: Turn is a swing's last extreme on the bar that confirms it (which has
// moved percent away from it), NaN elsewhere; Age how many bars ago it was;
// Direction the swing under way, 1 up, -1 down, NaN before the first turn.
// Nothing is redrawn.
func ZigZag(dst ZigZagValues, closes []float64, percent float64) ZigZagValues {
	out := [][]float64{dst.Turn, dst.Age, dst.Direction}
	batch(zigZagIndicator(), out, [][]float64{closes}, percent)
	return ZigZagValues{Turn: out[0], Age: out[1], Direction: out[2]}
}

// ZigZagStream is [ZigZag] one value at a time. It is not safe for concurrent use; make
// it with [NewZigZag].
type ZigZagStream struct{ machine }

// NewZigZag returns a stream of [ZigZag], or a *[FieldError] for a parameter that is
// out of range.
func NewZigZag(percent float64) (*ZigZagStream, error) {
	m, err := open(zigZagIndicator(), percent)
	if err != nil {
		return nil, err
	}
	return &ZigZagStream{m}, nil
}

// Update takes the next value and returns its result, NaN during warm-up.
func (s *ZigZagStream) Update(x float64) ZigZagPoint {
	s.in[0] = x
	s.machine.Update(s.in, s.out)
	return ZigZagPoint{Turn: s.out[0], Age: s.out[1], Direction: s.out[2]}
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *ZigZagStream) Peek(x float64) ZigZagPoint {
	s.in[0] = x
	s.machine.Peek(s.in, s.out)
	return ZigZagPoint{Turn: s.out[0], Age: s.out[1], Direction: s.out[2]}
}

var zigZagIndicator = once(func() Indicator {
	return describe(Indicator{Name: "ZigZag", Summary: "Swings of at least a percentage, at the bars that confirm them.",
		Inputs: closes(), Params: []Param{number("percent", 5, 1e-6, 1000)},
		Outputs: []Output{{Name: "Turn", Overlay: true, Sparse: true}, {Name: "Age", Sparse: true}, {Name: "Direction", Sparse: true}}},
		warm(1), func(b *bank, p []float64) step {
			s, n := b.cells(3), b.counters(2) // high, low, direction; bars since each
			return func(in, out []float64) {
				x, k := in[0], p[0]/100
				out[0], out[1], out[2] = nan(), nan(), s[2]
				if s[0] != s[0] {
					s[0], s[1] = x, x
					return
				}
				n[0]++
				n[1]++
				if x >= s[0] {
					s[0], n[0] = x, 0
				}
				if x <= s[1] {
					s[1], n[1] = x, 0
				}
				switch {
				case s[2] != 1 && x-s[1] >= float64(k*math.Abs(s[1])) && n[1] > 0:
					out[0], out[1] = s[1], float64(n[1])
					s[2], s[0], n[0] = 1, x, 0
				case s[2] != -1 && s[0]-x >= float64(k*math.Abs(s[0])) && n[0] > 0:
					out[0], out[1] = s[0], float64(n[0])
					s[2], s[1], n[1] = -1, x, 0
				}
				out[2] = s[2]
			}
		})
})
