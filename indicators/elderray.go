package indicators

// ElderRayValues are the outputs of [ElderRay], of equal length.
type ElderRayValues struct{ EMA, Bull, Bear []float64 }

// ElderRayPoint is one bar of [ElderRayValues].
type ElderRayPoint struct{ EMA, Bull, Bear float64 }

// ElderRay writes Elder's ray into dst and returns it: the EMA of closes over
// n, Bull the high less it, Bear the low less it (Trading for a Living, 1993).
// The first n-1 values are NaN.
func ElderRay(dst ElderRayValues, high, low, close []float64, n int) ElderRayValues {
	out := [][]float64{dst.EMA, dst.Bull, dst.Bear}
	batch(elderIndicator(), out, [][]float64{high, low, close}, float64(n))
	return ElderRayValues{EMA: out[0], Bull: out[1], Bear: out[2]}
}

// ElderRayStream is [ElderRay] one bar at a time. It is not safe for concurrent use; make
// it with [NewElderRay].
type ElderRayStream struct{ machine }

// NewElderRay returns a stream of [ElderRay], or a *[FieldError] for a parameter that is
// out of range.
func NewElderRay(n int) (*ElderRayStream, error) {
	m, err := open(elderIndicator(), float64(n))
	if err != nil {
		return nil, err
	}
	return &ElderRayStream{m}, nil
}

// Update takes the next bar and returns its result, NaN during warm-up.
func (s *ElderRayStream) Update(high, low, close float64) ElderRayPoint {
	s.in[0], s.in[1], s.in[2] = high, low, close
	s.machine.Update(s.in, s.out)
	return ElderRayPoint{EMA: s.out[0], Bull: s.out[1], Bear: s.out[2]}
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *ElderRayStream) Peek(high, low, close float64) ElderRayPoint {
	s.in[0], s.in[1], s.in[2] = high, low, close
	s.machine.Peek(s.in, s.out)
	return ElderRayPoint{EMA: s.out[0], Bull: s.out[1], Bear: s.out[2]}
}

var elderIndicator = once(func() Indicator {
	return describe(Indicator{Name: "ElderRay", Aliases: []string{"ERI"}, Summary: "Elder ray: bull and bear power around an EMA.",
		Inputs: hlc(), Params: periods(13, 1), Outputs: append(overlay("EMA"), pane("Bull", "Bear")...)},
		first(-1), func(b *bank, p []float64) step {
			e := b.ema(int(p[0]))
			return func(in, out []float64) {
				v := e.push(in[2])
				out[0], out[1], out[2] = v, in[0]-v, in[1]-v
			}
		})
})
