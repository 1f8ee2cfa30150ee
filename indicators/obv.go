package indicators

// OBV writes Granville's on-balance volume into dst and returns it: the running
// sum of the volumes of rising closes less those of falling ones, from 0 at the
// first bar. No value is NaN.
func OBV(dst, close, volume []float64) []float64 {
	return single(obvIndicator(), dst, [][]float64{close, volume})
}

// OBVStream is [OBV] one bar at a time. It is not safe for concurrent use; make
// it with [NewOBV].
type OBVStream struct{ machine }

// NewOBV returns a stream of [OBV].
func NewOBV() (*OBVStream, error) {
	m, err := open(obvIndicator())
	if err != nil {
		return nil, err
	}
	return &OBVStream{m}, nil
}

// Update takes the next bar and returns its result, NaN during warm-up.
func (s *OBVStream) Update(close, volume float64) float64 {
	s.in[0], s.in[1] = close, volume
	s.machine.Update(s.in, s.out)
	return s.out[0]
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *OBVStream) Peek(close, volume float64) float64 {
	s.in[0], s.in[1] = close, volume
	s.machine.Peek(s.in, s.out)
	return s.out[0]
}

var obvIndicator = once(func() Indicator {
	return describe(Indicator{Name: "OBV", Summary: "On-balance volume.",
		Inputs: cv(), Outputs: pane("OBV")}, warm(0), func(b *bank, p []float64) step {
		o := b.obv()
		return func(in, out []float64) { out[0] = o.push(in[0], in[1]) }
	})
})

type obv struct {
	last  lag
	total []float64
}

func (b *bank) obv() obv { return obv{b.lag(1), b.take(1)} }

func (o obv) push(close, volume float64) float64 {
	before := o.last.push(close)
	if close > before {
		o.total[0] += volume
	} else if close < before {
		o.total[0] -= volume
	}
	return o.total[0]
}
