package indicators

// SuperTrendValues are the outputs of [SuperTrend], of equal length.
type SuperTrendValues struct{ SuperTrend, Trend, Upper, Lower []float64 }

// SuperTrendPoint is one bar of [SuperTrendValues].
type SuperTrendPoint struct{ SuperTrend, Trend, Upper, Lower float64 }

// SuperTrend writes Seban's SuperTrend into dst and returns it: from
// (high+low)/2 ± multiplier·ATR(n), a stop that follows below a rising market
// and above a falling one and changes sides when the close crosses it. Trend is
// 1 when the market rises, -1 when it falls; Upper is the stop while it falls,
// Lower while it rises, each NaN otherwise. The first n values are NaN.
func SuperTrend(dst SuperTrendValues, high, low, close []float64, n int, multiplier float64) SuperTrendValues {
	out := [][]float64{dst.SuperTrend, dst.Trend, dst.Upper, dst.Lower}
	batch(superTrendIndicator(), out, [][]float64{high, low, close}, float64(n), multiplier)
	return SuperTrendValues{SuperTrend: out[0], Trend: out[1], Upper: out[2], Lower: out[3]}
}

// SuperTrendStream is [SuperTrend] one bar at a time. It is not safe for concurrent use; make
// it with [NewSuperTrend].
type SuperTrendStream struct{ machine }

// NewSuperTrend returns a stream of [SuperTrend], or a *[FieldError] for a parameter that is
// out of range.
func NewSuperTrend(n int, multiplier float64) (*SuperTrendStream, error) {
	m, err := open(superTrendIndicator(), float64(n), multiplier)
	if err != nil {
		return nil, err
	}
	return &SuperTrendStream{m}, nil
}

// Update takes the next bar and returns its result, NaN during warm-up.
func (s *SuperTrendStream) Update(high, low, close float64) SuperTrendPoint {
	s.in[0], s.in[1], s.in[2] = high, low, close
	s.machine.Update(s.in, s.out)
	return SuperTrendPoint{SuperTrend: s.out[0], Trend: s.out[1], Upper: s.out[2], Lower: s.out[3]}
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *SuperTrendStream) Peek(high, low, close float64) SuperTrendPoint {
	s.in[0], s.in[1], s.in[2] = high, low, close
	s.machine.Peek(s.in, s.out)
	return SuperTrendPoint{SuperTrend: s.out[0], Trend: s.out[1], Upper: s.out[2], Lower: s.out[3]}
}

var superTrendIndicator = once(func() Indicator {
	return describe(Indicator{Name: "SuperTrend", Summary: "SuperTrend: a trailing stop of ATRs from the bar's middle that shows the trend.",
		Inputs: hlc(), Params: []Param{period("n", 10, 1), number("multiplier", 3, 1e-3, 1000)},
		Outputs: []Output{{Name: "SuperTrend", Overlay: true}, {Name: "Trend"}, {Name: "Upper", Overlay: true, Sparse: true}, {Name: "Lower", Overlay: true, Sparse: true}}},
		first(0), func(b *bank, p []float64) step {
			a, s := b.atr(int(p[0])), b.stops()
			return func(in, out []float64) {
				width := float64(p[1] * a.push(in[0], in[1], in[2]))
				mid := (in[0] + in[1]) / 2
				s.write(mid, width, in[2], out)
			}
		})
})

// stops trails a stop below a rising market and above a falling one, as
// SuperTrend and the ATR stop do: each side only moves towards the price.
type stops struct {
	v       []float64 // upper and lower side, close of the bar before
	falling []int
}

func (b *bank) stops() stops { return stops{b.cells(3), b.counters(1)} }

// push takes this bar's upper and lower side, and returns the stop and whether
// the market is falling; NaN while the sides are unknown.
func (s stops) push(upper, lower, close float64) (stop float64, falling bool) {
	v := s.v
	before := v[2]
	v[2] = close
	if upper != upper {
		return nan(), false
	}
	if v[0] != v[0] {
		v[0], v[1] = upper, lower
		if close < before {
			s.falling[0] = 1
		}
	}
	if upper < v[0] || before > v[0] {
		v[0] = upper
	}
	if lower > v[1] || before < v[1] {
		v[1] = lower
	}
	if (s.falling[0] == 0 && close <= v[1]) || (s.falling[0] == 1 && close <= v[0]) {
		s.falling[0] = 1
		return v[0], true
	}
	s.falling[0] = 0
	return v[1], false
}

func (s stops) write(from, width, close float64, out []float64) {
	stop, falling := s.push(from+width, from-width, close)
	out[0], out[1], out[2], out[3] = stop, 1, nan(), stop
	if falling {
		out[1], out[2], out[3] = -1, stop, nan()
	}
	if stop != stop {
		out[1] = nan()
	}
}
