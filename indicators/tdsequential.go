package indicators

// TDSequentialValues are the outputs of [TDSequential], of equal length.
type TDSequentialValues struct{ Buy, Sell []float64 }

// TDSequentialPoint is one bar of [TDSequentialValues].
type TDSequentialPoint struct{ Buy, Sell float64 }

// TDSequential writes DeMark's setup counts of closes into dst and returns
// them: Buy counts consecutive closes below the one four bars before, Sell
// those above it, from 1 again after 9. The first 4 values are NaN.
func TDSequential(dst TDSequentialValues, closes []float64) TDSequentialValues {
	out := [][]float64{dst.Buy, dst.Sell}
	batch(tdSequentialIndicator(), out, [][]float64{closes})
	return TDSequentialValues{Buy: out[0], Sell: out[1]}
}

// TDSequentialStream is [TDSequential] one value at a time. It is not safe for concurrent use; make
// it with [NewTDSequential].
type TDSequentialStream struct{ machine }

// NewTDSequential returns a stream of [TDSequential].
func NewTDSequential() (*TDSequentialStream, error) {
	m, err := open(tdSequentialIndicator())
	if err != nil {
		return nil, err
	}
	return &TDSequentialStream{m}, nil
}

// Update takes the next value and returns its result, NaN during warm-up.
func (s *TDSequentialStream) Update(x float64) TDSequentialPoint {
	s.in[0] = x
	s.machine.Update(s.in, s.out)
	return TDSequentialPoint{Buy: s.out[0], Sell: s.out[1]}
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *TDSequentialStream) Peek(x float64) TDSequentialPoint {
	s.in[0] = x
	s.machine.Peek(s.in, s.out)
	return TDSequentialPoint{Buy: s.out[0], Sell: s.out[1]}
}

var tdSequentialIndicator = once(func() Indicator {
	return describe(Indicator{Name: "TDSequential", Summary: "DeMark's setup counts, 1 to 9.",
		Inputs: closes(), Outputs: pane("Buy", "Sell")},
		warm(4), func(b *bank, p []float64) step {
			before, n := b.lag(4), b.counters(2)
			return func(in, out []float64) {
				old := before.push(in[0])
				if old != old {
					out[0], out[1] = nan(), nan()
					return
				}
				n[0], n[1] = n[0]%9+1, n[1]%9+1
				if !(in[0] < old) {
					n[0] = 0
				}
				if !(in[0] > old) {
					n[1] = 0
				}
				out[0], out[1] = float64(n[0]), float64(n[1])
			}
		})
})
