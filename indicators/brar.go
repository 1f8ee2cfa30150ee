package indicators

// BRARValues are the outputs of [BRAR], of equal length.
type BRARValues struct{ AR, BR []float64 }

// BRARPoint is one bar of [BRARValues].
type BRARPoint struct{ AR, BR float64 }

// BRAR writes the sentiment pair AR and BR into dst and returns it: over n bars,
// AR = 100·Σ(high-open)/Σ(open-low), and with C the close before, BR =
// 100·Σmax(high-C, 0)/Σmax(C-low, 0). The first n-1 values are NaN, of BR n.
func BRAR(dst BRARValues, open, high, low, close []float64, n int) BRARValues {
	out := [][]float64{dst.AR, dst.BR}
	batch(brarIndicator(), out, [][]float64{open, high, low, close}, float64(n))
	return BRARValues{AR: out[0], BR: out[1]}
}

// BRARStream is [BRAR] one bar at a time. It is not safe for concurrent use; make
// it with [NewBRAR].
type BRARStream struct{ machine }

// NewBRAR returns a stream of [BRAR], or a *[FieldError] for a parameter that is
// out of range.
func NewBRAR(n int) (*BRARStream, error) {
	m, err := open(brarIndicator(), float64(n))
	if err != nil {
		return nil, err
	}
	return &BRARStream{m}, nil
}

// Update takes the next bar and returns its result, NaN during warm-up.
func (s *BRARStream) Update(open, high, low, close float64) BRARPoint {
	s.in[0], s.in[1], s.in[2], s.in[3] = open, high, low, close
	s.machine.Update(s.in, s.out)
	return BRARPoint{AR: s.out[0], BR: s.out[1]}
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *BRARStream) Peek(open, high, low, close float64) BRARPoint {
	s.in[0], s.in[1], s.in[2], s.in[3] = open, high, low, close
	s.machine.Peek(s.in, s.out)
	return BRARPoint{AR: s.out[0], BR: s.out[1]}
}

var brarIndicator = once(func() Indicator {
	return describe(Indicator{Name: "BRAR", Summary: "Sentiment: strength above and below the open (AR) and the last close (BR).",
		Inputs: ohlc(), Params: periods(26, 1), Outputs: pane("AR", "BR")},
		first(0), func(b *bank, p []float64) step {
			n := int(p[0])
			last, w, x, y, z := b.lag(1), b.sum(n), b.sum(n), b.sum(n), b.sum(n)
			return func(in, out []float64) {
				c := last.push(in[3])
				out[0] = over(100*w.push(in[1]-in[0]), x.push(in[0]-in[2]), nan())
				out[1] = over(100*y.push(max(in[1]-c, 0)), z.push(max(c-in[2], 0)), nan())
			}
		})
})
