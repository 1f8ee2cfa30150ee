package indicators

import "math"

// EfficiencyRatio writes Kaufman's efficiency ratio of closes into dst and
// returns it, 0 to 1:
//
//	ER(t) = |x(t) - x(t-n)| / Σ|x(i) - x(i-1)|
//
// over the last n changes; 0 when nothing moved. The first n values are NaN.
func EfficiencyRatio(dst, closes []float64, n int) []float64 {
	return single(efficiencyIndicator(), dst, [][]float64{closes}, float64(n))
}

// EfficiencyRatioStream is [EfficiencyRatio] one value at a time. It is not safe for concurrent use; make
// it with [NewEfficiencyRatio].
type EfficiencyRatioStream struct{ machine }

// NewEfficiencyRatio returns a stream of [EfficiencyRatio], or a *[FieldError] for a parameter that is
// out of range.
func NewEfficiencyRatio(n int) (*EfficiencyRatioStream, error) {
	m, err := open(efficiencyIndicator(), float64(n))
	if err != nil {
		return nil, err
	}
	return &EfficiencyRatioStream{m}, nil
}

// Update takes the next value and returns its result, NaN during warm-up.
func (s *EfficiencyRatioStream) Update(x float64) float64 {
	s.in[0] = x
	s.machine.Update(s.in, s.out)
	return s.out[0]
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *EfficiencyRatioStream) Peek(x float64) float64 {
	s.in[0] = x
	s.machine.Peek(s.in, s.out)
	return s.out[0]
}

var efficiencyIndicator = once(func() Indicator {
	return describe(Indicator{Name: "EfficiencyRatio", Aliases: []string{"ER"}, Summary: "Kaufman's efficiency ratio, 0 (noise) to 1 (a straight line).",
		Inputs: closes(), Params: periods(10, 1), Outputs: pane("ER")},
		first(0), func(b *bank, p []float64) step {
			e := b.efficiency(int(p[0]))
			return func(in, out []float64) { out[0] = e.push(in[0]) }
		})
})

// efficiency is Kaufman's efficiency ratio: how far n bars led, of how far they went.
type efficiency struct {
	before lag
	moved  sum
	last   lag
}

func (b *bank) efficiency(n int) efficiency { return efficiency{b.lag(n), b.sum(n), b.lag(1)} }

func (e efficiency) push(x float64) float64 {
	moved := e.moved.push(math.Abs(x - e.last.push(x)))
	far := math.Abs(x - e.before.push(x))
	if far != far {
		return nan()
	}
	return min(over(far, moved, 0), 1)
}
