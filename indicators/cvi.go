package indicators

// CVI writes Chaikin's volatility into dst and returns it: the percentage
// change over n bars of the EMA of high-low over n. The EMA starts from the
// first range; the first 2n-1 values are NaN.
func CVI(dst, high, low []float64, n int) []float64 {
	return single(cviIndicator(), dst, [][]float64{high, low}, float64(n))
}

// CVIStream is [CVI] one bar at a time. It is not safe for concurrent use; make
// it with [NewCVI].
type CVIStream struct{ machine }

// NewCVI returns a stream of [CVI], or a *[FieldError] for a parameter that is
// out of range.
func NewCVI(n int) (*CVIStream, error) {
	m, err := open(cviIndicator(), float64(n))
	if err != nil {
		return nil, err
	}
	return &CVIStream{m}, nil
}

// Update takes the next bar and returns its result, NaN during warm-up.
func (s *CVIStream) Update(high, low float64) float64 {
	s.in[0], s.in[1] = high, low
	s.machine.Update(s.in, s.out)
	return s.out[0]
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *CVIStream) Peek(high, low float64) float64 {
	s.in[0], s.in[1] = high, low
	s.machine.Peek(s.in, s.out)
	return s.out[0]
}

var cviIndicator = once(func() Indicator {
	return describe(Indicator{Name: "CVI", Aliases: []string{"ChaikinVolatility"}, Summary: "Chaikin's volatility: change of the average range.",
		Inputs: hl(), Params: periods(10, 1), Outputs: pane("CVI")},
		func(p []float64) int { return 2*int(p[0]) - 1 }, func(b *bank, p []float64) step {
			e, before, count := b.emaFrom(2/(p[0]+1), 1), b.lag(int(p[0])), b.counters(1)
			return func(in, out []float64) {
				v := e.push(in[0] - in[1])
				if count[0]++; count[0] < int(p[0]) {
					out[0] = nan()
					return
				}
				count[0] = int(p[0])
				old := before.push(v)
				out[0] = over(100*(v-old), old, nan())
			}
		})
})
