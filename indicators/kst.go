package indicators

// KSTValues are the outputs of [KST], of equal length.
type KSTValues struct{ KST, Signal []float64 }

// KSTPoint is one bar of [KSTValues].
type KSTPoint struct{ KST, Signal float64 }

// KST writes Pring's know sure thing of closes into dst and returns it: the sum
// of four rates of change in percent over 10, 15, 20 and 30 bars, smoothed by
// SMA over 10, 10, 10 and 15 and weighted 1, 2, 3 and 4; Signal is its SMA over
// 9 (Technical Analysis of Stocks & Commodities, 1992). The first 52 values are
// NaN with the usual signal.
func KST(dst KSTValues, closes []float64, signal int) KSTValues {
	out := [][]float64{dst.KST, dst.Signal}
	batch(kstIndicator(), out, [][]float64{closes}, float64(signal))
	return KSTValues{KST: out[0], Signal: out[1]}
}

// KSTStream is [KST] one value at a time. It is not safe for concurrent use; make
// it with [NewKST].
type KSTStream struct{ machine }

// NewKST returns a stream of [KST], or a *[FieldError] for a parameter that is
// out of range.
func NewKST(signal int) (*KSTStream, error) {
	m, err := open(kstIndicator(), float64(signal))
	if err != nil {
		return nil, err
	}
	return &KSTStream{m}, nil
}

// Update takes the next value and returns its result, NaN during warm-up.
func (s *KSTStream) Update(x float64) KSTPoint {
	s.in[0] = x
	s.machine.Update(s.in, s.out)
	return KSTPoint{KST: s.out[0], Signal: s.out[1]}
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *KSTStream) Peek(x float64) KSTPoint {
	s.in[0] = x
	s.machine.Peek(s.in, s.out)
	return KSTPoint{KST: s.out[0], Signal: s.out[1]}
}

var kstIndicator = once(func() Indicator {
	return describe(Indicator{Name: "KST", Summary: "Pring's know sure thing: four smoothed rates of change.",
		Inputs: closes(), Params: []Param{period("signal", 9, 1)}, Outputs: pane("KST", "Signal")},
		first(43), func(b *bank, p []float64) step {
			k := b.pring([]int{10, 15, 20, 30}, []int{10, 10, 10, 15}, []float64{1, 2, 3, 4})
			s := b.mean(int(p[0]))
			return func(in, out []float64) {
				out[0] = k.push(in[0])
				out[1] = s.push(out[0])
			}
		})
})
