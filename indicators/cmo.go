package indicators

// CMO writes Chande's momentum oscillator of closes into dst and returns it,
// -100 to 100: with U and D the sums of the rises and of the falls of the last n
// changes, 100·(U-D)/(U+D); 0 where nothing moved. The first n values are NaN.
// (The New Technical Trader, 1994; TA-Lib smooths the sums as the RSI does.)
func CMO(dst, closes []float64, n int) []float64 {
	return single(cmoIndicator(), dst, [][]float64{closes}, float64(n))
}

// CMOStream is [CMO] one value at a time. It is not safe for concurrent use; make
// it with [NewCMO].
type CMOStream struct{ machine }

// NewCMO returns a stream of [CMO], or a *[FieldError] for a parameter that is
// out of range.
func NewCMO(n int) (*CMOStream, error) {
	m, err := open(cmoIndicator(), float64(n))
	if err != nil {
		return nil, err
	}
	return &CMOStream{m}, nil
}

// Update takes the next value and returns its result, NaN during warm-up.
func (s *CMOStream) Update(x float64) float64 {
	s.in[0] = x
	s.machine.Update(s.in, s.out)
	return s.out[0]
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *CMOStream) Peek(x float64) float64 {
	s.in[0] = x
	s.machine.Peek(s.in, s.out)
	return s.out[0]
}

var cmoIndicator = once(func() Indicator {
	return describe(Indicator{Name: "CMO", Summary: "Chande momentum oscillator, -100 to 100.",
		Inputs: closes(), Params: periods(14, 1), Outputs: pane("CMO")},
		first(0), func(b *bank, p []float64) step {
			c := b.cmo(int(p[0]))
			return func(in, out []float64) { out[0] = c.push(in[0]) }
		})
})

// cmo is Chande's momentum oscillator.
type cmo struct {
	last     lag
	up, down sum
}

func (b *bank) cmo(n int) cmo { return cmo{b.lag(1), b.sum(n), b.sum(n)} }

func (c cmo) push(x float64) float64 {
	d := x - c.last.push(x)
	rise := max(d, 0)
	up, down := c.up.push(rise), c.down.push(rise-d)
	return over(100*(up-down), up+down, 0)
}
