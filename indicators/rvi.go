package indicators

// RVI writes Dorsey's relative volatility index of closes into dst and returns
// it, 0 to 100: an RSI whose rises and falls are the population deviations over
// `deviation` bars, averaged by EMA over n. 50 where nothing moved. The first
// max(deviation-1, 1) + n-1 values are NaN. (Technical Analysis of Stocks &
// Commodities, June 1993.)
func RVI(dst, closes []float64, n, deviation int) []float64 {
	return single(rviIndicator(), dst, [][]float64{closes}, float64(n), float64(deviation))
}

// RVIStream is [RVI] one value at a time. It is not safe for concurrent use; make
// it with [NewRVI].
type RVIStream struct{ machine }

// NewRVI returns a stream of [RVI], or a *[FieldError] for a parameter that is
// out of range.
func NewRVI(n, deviation int) (*RVIStream, error) {
	m, err := open(rviIndicator(), float64(n), float64(deviation))
	if err != nil {
		return nil, err
	}
	return &RVIStream{m}, nil
}

// Update takes the next value and returns its result, NaN during warm-up.
func (s *RVIStream) Update(x float64) float64 {
	s.in[0] = x
	s.machine.Update(s.in, s.out)
	return s.out[0]
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *RVIStream) Peek(x float64) float64 {
	s.in[0] = x
	s.machine.Peek(s.in, s.out)
	return s.out[0]
}

var rviIndicator = once(func() Indicator {
	return describe(Indicator{Name: "RVI", Summary: "Relative volatility index: how much of the volatility comes with rises.",
		Inputs: closes(), Params: []Param{period("n", 14, 1), period("deviation", 10, 1)}, Outputs: pane("RVI")},
		func(p []float64) int { return int(max(p[1]-1, 1)+p[0]) - 1 }, func(b *bank, p []float64) step {
			r := b.rvi(int(p[1]), int(p[0]))
			return func(in, out []float64) { out[0] = r.push(in[0]) }
		})
})

// rvi is Dorsey's relative volatility index.
type rvi struct {
	m        moments
	last     lag
	up, down ema
}

func (b *bank) rvi(deviation, n int) rvi {
	return rvi{b.moments(deviation), b.lag(1), b.ema(n), b.ema(n)}
}

func (r rvi) push(x float64) float64 {
	_, d := r.m.deviation(x)
	before := r.last.push(x)
	up, down := 0.0, 0.0
	if d != d || before != before {
		up, down = nan(), nan()
	} else if x > before {
		up = d
	} else if x < before {
		down = d
	}
	up, down = r.up.push(up), r.down.push(down)
	return over(100*up, up+down, 50)
}
