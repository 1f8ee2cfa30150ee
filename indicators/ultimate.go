package indicators

// Ultimate writes Williams's ultimate oscillator into dst and returns it, 0 to
// 100: with BP the close less the true low, and A(n) = ΣBP/ΣTR over n bars,
//
//	UO = 100·(4·A(short) + 2·A(medium) + A(long)) / 7
//
// The first max(short, medium, long) values are NaN. (Technical Analysis of
// Stocks & Commodities, 1985.)
func Ultimate(dst, high, low, close []float64, short, medium, long int) []float64 {
	return single(ultimateIndicator(), dst, [][]float64{high, low, close}, float64(short), float64(medium), float64(long))
}

// UltimateStream is [Ultimate] one bar at a time. It is not safe for concurrent use; make
// it with [NewUltimate].
type UltimateStream struct{ machine }

// NewUltimate returns a stream of [Ultimate], or a *[FieldError] for a parameter that is
// out of range.
func NewUltimate(short, medium, long int) (*UltimateStream, error) {
	m, err := open(ultimateIndicator(), float64(short), float64(medium), float64(long))
	if err != nil {
		return nil, err
	}
	return &UltimateStream{m}, nil
}

// Update takes the next bar and returns its result, NaN during warm-up.
func (s *UltimateStream) Update(high, low, close float64) float64 {
	s.in[0], s.in[1], s.in[2] = high, low, close
	s.machine.Update(s.in, s.out)
	return s.out[0]
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *UltimateStream) Peek(high, low, close float64) float64 {
	s.in[0], s.in[1], s.in[2] = high, low, close
	s.machine.Peek(s.in, s.out)
	return s.out[0]
}

var ultimateIndicator = once(func() Indicator {
	return describe(Indicator{Name: "Ultimate", Aliases: []string{"UO", "ULTOSC"}, Summary: "Ultimate oscillator: buying pressure over three periods.",
		Inputs: hlc(), Params: []Param{period("short", 7, 1), period("medium", 14, 1), period("long", 28, 1)}, Outputs: pane("UO")},
		func(p []float64) int { return int(max(p[0], p[1], p[2])) }, func(b *bank, p []float64) step {
			last := b.lag(1)
			var x, y [3]sum
			for i := range 3 {
				x[i], y[i] = b.sum(int(p[i])), b.sum(int(p[i]))
			}
			return func(in, out []float64) {
				c := last.push(in[2])
				low := min(in[1], c)
				var a [3]float64
				for i := range 3 {
					a[i] = over(x[i].push(in[2]-low), y[i].push(max(in[0], c)-low), nan())
				}
				out[0] = 100 * (float64(4*a[0]) + float64(2*a[1]) + a[2]) / 7
			}
		})
})
