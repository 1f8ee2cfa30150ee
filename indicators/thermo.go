package indicators

import "math"

// ThermoValues are the outputs of [Thermo], of equal length.
type ThermoValues struct{ Thermo, EMA, Long, Short []float64 }

// ThermoPoint is one bar of [ThermoValues].
type ThermoPoint struct{ Thermo, EMA, Long, Short float64 }

// Thermo writes Elder's market thermometer into dst and returns it: how far the
// bar reached outside the one before, max(|high - high before|, |low before -
// low|), its EMA over n, and whether it is below long times that average (Long)
// or above short times it (Short). The first n values are NaN.
// (Come into My Trading Room, 2002.)
func Thermo(dst ThermoValues, high, low []float64, n int, long, short float64) ThermoValues {
	out := [][]float64{dst.Thermo, dst.EMA, dst.Long, dst.Short}
	batch(thermoIndicator(), out, [][]float64{high, low}, float64(n), long, short)
	return ThermoValues{Thermo: out[0], EMA: out[1], Long: out[2], Short: out[3]}
}

// ThermoStream is [Thermo] one bar at a time. It is not safe for concurrent use; make
// it with [NewThermo].
type ThermoStream struct{ machine }

// NewThermo returns a stream of [Thermo], or a *[FieldError] for a parameter that is
// out of range.
func NewThermo(n int, long, short float64) (*ThermoStream, error) {
	m, err := open(thermoIndicator(), float64(n), long, short)
	if err != nil {
		return nil, err
	}
	return &ThermoStream{m}, nil
}

// Update takes the next bar and returns its result, NaN during warm-up.
func (s *ThermoStream) Update(high, low float64) ThermoPoint {
	s.in[0], s.in[1] = high, low
	s.machine.Update(s.in, s.out)
	return ThermoPoint{Thermo: s.out[0], EMA: s.out[1], Long: s.out[2], Short: s.out[3]}
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *ThermoStream) Peek(high, low float64) ThermoPoint {
	s.in[0], s.in[1] = high, low
	s.machine.Peek(s.in, s.out)
	return ThermoPoint{Thermo: s.out[0], EMA: s.out[1], Long: s.out[2], Short: s.out[3]}
}

var thermoIndicator = once(func() Indicator {
	return describe(Indicator{Name: "Thermo", Summary: "Elder's market thermometer.",
		Inputs: hl(), Params: []Param{period("n", 20, 1), number("long", 2, 0, 1000), number("short", 0.5, 0, 1000)}, Outputs: pane("Thermo", "EMA", "Long", "Short")},
		first(0), func(b *bank, p []float64) step {
			h, l, e := b.lag(1), b.lag(1), b.ema(int(p[0]))
			return func(in, out []float64) {
				t := max(math.Abs(in[0]-h.push(in[0])), math.Abs(l.push(in[1])-in[1]))
				m := e.push(t)
				out[0], out[1], out[2], out[3] = t, m, above(m*p[1], t), above(t, m*p[2])
			}
		})
})
