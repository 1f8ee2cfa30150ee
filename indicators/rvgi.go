package indicators

// RVGIValues are the outputs of [RVGI], of equal length.
type RVGIValues struct{ RVGI, Signal []float64 }

// RVGIPoint is one bar of [RVGIValues].
type RVGIPoint struct{ RVGI, Signal float64 }

// RVGI writes Dorsey's relative vigor index into dst and returns it: with S the
// symmetrical average weighing the last four bars 1, 2, 2, 1,
//
//	RVGI = SMA(S(close-open), n) / SMA(S(high-low), n),  Signal = S(RVGI)
//
// (Technical Analysis of Stocks & Commodities, January 2002, by Ehlers.) The
// first n+2 values are NaN, of Signal n+5.
func RVGI(dst RVGIValues, open, high, low, close []float64, n int) RVGIValues {
	out := [][]float64{dst.RVGI, dst.Signal}
	batch(rvgiIndicator(), out, [][]float64{open, high, low, close}, float64(n))
	return RVGIValues{RVGI: out[0], Signal: out[1]}
}

// RVGIStream is [RVGI] one bar at a time. It is not safe for concurrent use; make
// it with [NewRVGI].
type RVGIStream struct{ machine }

// NewRVGI returns a stream of [RVGI], or a *[FieldError] for a parameter that is
// out of range.
func NewRVGI(n int) (*RVGIStream, error) {
	m, err := open(rvgiIndicator(), float64(n))
	if err != nil {
		return nil, err
	}
	return &RVGIStream{m}, nil
}

// Update takes the next bar and returns its result, NaN during warm-up.
func (s *RVGIStream) Update(open, high, low, close float64) RVGIPoint {
	s.in[0], s.in[1], s.in[2], s.in[3] = open, high, low, close
	s.machine.Update(s.in, s.out)
	return RVGIPoint{RVGI: s.out[0], Signal: s.out[1]}
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *RVGIStream) Peek(open, high, low, close float64) RVGIPoint {
	s.in[0], s.in[1], s.in[2], s.in[3] = open, high, low, close
	s.machine.Peek(s.in, s.out)
	return RVGIPoint{RVGI: s.out[0], Signal: s.out[1]}
}

var rvgiIndicator = once(func() Indicator {
	return describe(Indicator{Name: "RVGI", Summary: "Relative vigor index: bodies against ranges.",
		Inputs: ohlc(), Params: periods(14, 1), Outputs: pane("RVGI", "Signal")},
		first(5), func(b *bank, p []float64) step {
			w := []float64{1, 2, 2, 1}
			body, reach, signal, x, y := b.filter(w), b.filter(w), b.filter(w), b.sum(int(p[0])), b.sum(int(p[0]))
			return func(in, out []float64) {
				out[0] = over(x.push(body.push(in[3]-in[0])), y.push(reach.push(in[1]-in[2])), nan())
				out[1] = signal.push(out[0])
			}
		})
})
