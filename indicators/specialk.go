package indicators

// SpecialK writes Pring's special K of closes into dst and returns it: twelve
// rates of change from 10 to 530 bars, smoothed by SMA and weighted 1 to 4 (in
// threes of four), the short, intermediate and long cycle together (StockCharts
// and Pring, 2008). The first 724 values are NaN.
func SpecialK(dst, closes []float64) []float64 {
	return single(specialKIndicator(), dst, [][]float64{closes})
}

// SpecialKStream is [SpecialK] one value at a time. It is not safe for concurrent use; make
// it with [NewSpecialK].
type SpecialKStream struct{ machine }

// NewSpecialK returns a stream of [SpecialK].
func NewSpecialK() (*SpecialKStream, error) {
	m, err := open(specialKIndicator())
	if err != nil {
		return nil, err
	}
	return &SpecialKStream{m}, nil
}

// Update takes the next value and returns its result, NaN during warm-up.
func (s *SpecialKStream) Update(x float64) float64 {
	s.in[0] = x
	s.machine.Update(s.in, s.out)
	return s.out[0]
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *SpecialKStream) Peek(x float64) float64 {
	s.in[0] = x
	s.machine.Peek(s.in, s.out)
	return s.out[0]
}

var specialKIndicator = once(func() Indicator {
	return describe(Indicator{Name: "SpecialK", Summary: "Pring's special K: KST over the short, the intermediate and the long cycle.",
		Inputs: closes(), Outputs: pane("SpecialK")},
		warm(724), func(b *bank, p []float64) step {
			k := b.pring([]int{10, 15, 20, 30, 40, 65, 75, 100, 195, 265, 390, 530},
				[]int{10, 10, 10, 15, 50, 65, 75, 100, 130, 130, 130, 195}, []float64{1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4})
			return func(in, out []float64) { out[0] = k.push(in[0]) }
		})
})

// pring is a weighted sum of smoothed rates of change.
type pring struct {
	before  []lag
	smooth  []mean
	weights []float64
}

func (b *bank) pring(rates, smooth []int, weights []float64) pring {
	p := pring{weights: weights}
	for i := range rates {
		p.before, p.smooth = append(p.before, b.lag(rates[i])), append(p.smooth, b.mean(smooth[i]))
	}
	return p
}

func (p pring) push(x float64) float64 {
	total := 0.0
	for i := range p.before {
		old := p.before[i].push(x)
		total += float64(p.weights[i] * p.smooth[i].push(over(100*(x-old), old, nan())))
	}
	return total
}
