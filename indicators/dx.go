package indicators

// DX writes Wilder's directional movement index into dst and returns it, 0 to
// 100: 100·|PlusDI-MinusDI|/(PlusDI+MinusDI) of [ADX], before it is averaged. 0
// where nothing moved; the first n values are NaN.
func DX(dst, high, low, close []float64, n int) []float64 {
	return single(dxIndicator(), dst, [][]float64{high, low, close}, float64(n))
}

// DXStream is [DX] one bar at a time. It is not safe for concurrent use; make
// it with [NewDX].
type DXStream struct{ machine }

// NewDX returns a stream of [DX], or a *[FieldError] for a parameter that is
// out of range.
func NewDX(n int) (*DXStream, error) {
	m, err := open(dxIndicator(), float64(n))
	if err != nil {
		return nil, err
	}
	return &DXStream{m}, nil
}

// Update takes the next bar and returns its result, NaN during warm-up.
func (s *DXStream) Update(high, low, close float64) float64 {
	s.in[0], s.in[1], s.in[2] = high, low, close
	s.machine.Update(s.in, s.out)
	return s.out[0]
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *DXStream) Peek(high, low, close float64) float64 {
	s.in[0], s.in[1], s.in[2] = high, low, close
	s.machine.Peek(s.in, s.out)
	return s.out[0]
}

var dxIndicator = once(func() Indicator {
	return describe(Indicator{Name: "DX", Summary: "Directional movement index, not averaged.",
		Inputs: hlc(), Params: periods(14, 1), Outputs: pane("DX")},
		first(0), func(b *bank, p []float64) step {
			d := b.directional(int(p[0]))
			return func(in, out []float64) { out[0] = d.push(in[0], in[1], in[2]) }
		})
})
