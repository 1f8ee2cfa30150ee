package indicators

// SMIValues are the outputs of [SMI], of equal length.
type SMIValues struct{ SMI, Signal []float64 }

// SMIPoint is one bar of [SMIValues].
type SMIPoint struct{ SMI, Signal float64 }

// SMI writes Blau's stochastic momentum index into dst and returns it: with M
// the middle and R the range of the highest high and the lowest low of n bars,
//
//	SMI = 100·EMA(EMA(close-M, first), second) / (EMA(EMA(R, first), second)/2)
//
// and Signal its EMA. All averages start from their first value. The first n-1
// values are NaN. (Technical Analysis of Stocks & Commodities, January 1993.)
func SMI(dst SMIValues, high, low, close []float64, n, first, second, signal int) SMIValues {
	out := [][]float64{dst.SMI, dst.Signal}
	batch(smiIndicator(), out, [][]float64{high, low, close}, float64(n), float64(first), float64(second), float64(signal))
	return SMIValues{SMI: out[0], Signal: out[1]}
}

// SMIStream is [SMI] one bar at a time. It is not safe for concurrent use; make
// it with [NewSMI].
type SMIStream struct{ machine }

// NewSMI returns a stream of [SMI], or a *[FieldError] for a parameter that is
// out of range.
func NewSMI(n, first, second, signal int) (*SMIStream, error) {
	m, err := open(smiIndicator(), float64(n), float64(first), float64(second), float64(signal))
	if err != nil {
		return nil, err
	}
	return &SMIStream{m}, nil
}

// Update takes the next bar and returns its result, NaN during warm-up.
func (s *SMIStream) Update(high, low, close float64) SMIPoint {
	s.in[0], s.in[1], s.in[2] = high, low, close
	s.machine.Update(s.in, s.out)
	return SMIPoint{SMI: s.out[0], Signal: s.out[1]}
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *SMIStream) Peek(high, low, close float64) SMIPoint {
	s.in[0], s.in[1], s.in[2] = high, low, close
	s.machine.Peek(s.in, s.out)
	return SMIPoint{SMI: s.out[0], Signal: s.out[1]}
}

var smiIndicator = once(func() Indicator {
	return describe(Indicator{Name: "SMI", Summary: "Stochastic momentum index, -100 to 100.",
		Inputs: hlc(), Params: []Param{period("n", 13, 1), period("first", 25, 1), period("second", 2, 1), period("signal", 3, 1)}, Outputs: pane("SMI", "Signal")},
		first(-1), func(b *bank, p []float64) step {
			h, l := b.highest(int(p[0])), b.lowest(int(p[0]))
			var e [5]ema
			for i, n := range []float64{p[1], p[2], p[1], p[2], p[3]} {
				e[i] = b.emaFrom(2/(n+1), 1)
			}
			return func(in, out []float64) {
				high, low := h.push(in[0]), l.push(in[1])
				d := e[1].push(e[0].push(in[2] - (high+low)/2))
				r := e[3].push(e[2].push(high - low))
				out[0] = over(100*d, r/2, 0)
				out[1] = e[4].push(out[0])
			}
		})
})
