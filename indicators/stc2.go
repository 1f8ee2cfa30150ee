package indicators

// STC2 writes Schaff's trend cycle with two stochastics of closes into dst and
// returns it: the stochastic over cycle bars of MACD(fast, slow), smoothed by
// factor, and the same again, 0 to 100. A range of 0 keeps the value before.
// The first slow-1 + 2·(cycle-1) values are NaN.
func STC2(dst, closes []float64, cycle, fast, slow int, factor float64) []float64 {
	return single(stc2Indicator(), dst, [][]float64{closes}, float64(cycle), float64(fast), float64(slow), factor)
}

// STC2Stream is [STC2] one value at a time. It is not safe for concurrent use; make
// it with [NewSTC2].
type STC2Stream struct{ machine }

// NewSTC2 returns a stream of [STC2], or a *[FieldError] for a parameter that is
// out of range.
func NewSTC2(cycle, fast, slow int, factor float64) (*STC2Stream, error) {
	m, err := open(stc2Indicator(), float64(cycle), float64(fast), float64(slow), factor)
	if err != nil {
		return nil, err
	}
	return &STC2Stream{m}, nil
}

// Update takes the next value and returns its result, NaN during warm-up.
func (s *STC2Stream) Update(x float64) float64 {
	s.in[0] = x
	s.machine.Update(s.in, s.out)
	return s.out[0]
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *STC2Stream) Peek(x float64) float64 {
	s.in[0] = x
	s.machine.Peek(s.in, s.out)
	return s.out[0]
}

var stc2Indicator = once(func() Indicator {
	return describe(Indicator{Name: "STC2", Summary: "Schaff trend cycle in its form with two stochastics.",
		Inputs: closes(), Params: []Param{period("cycle", 10, 1), period("fast", 23, 1), period("slow", 50, 1), number("factor", 0.5, 1e-3, 1)}, Outputs: pane("STC")},
		func(p []float64) int { return int(max(p[1], p[2])+2*p[0]) - 3 }, func(b *bank, p []float64) step {
			f, l := b.ema(int(p[1])), b.ema(int(p[2]))
			var h, low [2]extreme
			var e [2]ema
			for i := range 2 {
				h[i], low[i], e[i] = b.highest(int(p[0])), b.lowest(int(p[0])), b.emaFrom(p[3], 1)
			}
			kept := b.take(2)
			return func(in, out []float64) {
				x := f.push(in[0]) - l.push(in[0])
				for i := range 2 {
					top, bottom := h[i].push(x), low[i].push(x)
					raw := over(100*(x-bottom), top-bottom, kept[i])
					if raw == raw {
						kept[i] = raw
					}
					x = e[i].push(raw)
				}
				out[0] = x
			}
		})
})
