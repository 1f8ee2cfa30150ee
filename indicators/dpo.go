package indicators

import "math"

// DPO writes the detrended price oscillator of closes into dst and returns it:
// the close of ⌊n/2⌋+1 bars ago less the simple average over n that is centred
// on it. Charts often draw the value at that earlier bar; here it stands at the
// bar that first knows it. The first n-1 values are NaN.
func DPO(dst, closes []float64, n int) []float64 {
	return single(dpoIndicator(), dst, [][]float64{closes}, float64(n))
}

// DPOStream is [DPO] one value at a time. It is not safe for concurrent use; make
// it with [NewDPO].
type DPOStream struct{ machine }

// NewDPO returns a stream of [DPO], or a *[FieldError] for a parameter that is
// out of range.
func NewDPO(n int) (*DPOStream, error) {
	m, err := open(dpoIndicator(), float64(n))
	if err != nil {
		return nil, err
	}
	return &DPOStream{m}, nil
}

// Update takes the next value and returns its result, NaN during warm-up.
func (s *DPOStream) Update(x float64) float64 {
	s.in[0] = x
	s.machine.Update(s.in, s.out)
	return s.out[0]
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *DPOStream) Peek(x float64) float64 {
	s.in[0] = x
	s.machine.Peek(s.in, s.out)
	return s.out[0]
}

var dpoIndicator = once(func() Indicator {
	return describe(Indicator{Name: "DPO", Summary: "Detrended price oscillator: a past close against the average around it.",
		Inputs: closes(), Params: periods(20, 1), Outputs: pane("DPO")},
		func(p []float64) int { return int(max(p[0]-1, math.Floor(p[0]/2)+1)) }, func(b *bank, p []float64) step {
			m, before := b.mean(int(p[0])), b.lag(int(p[0])/2+1)
			return func(in, out []float64) { out[0] = before.push(in[0]) - m.push(in[0]) }
		})
})
