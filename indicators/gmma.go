package indicators

// GMMAValues are the outputs of [GMMA], of equal length.
type GMMAValues struct{ EMA3, EMA5, EMA8, EMA10, EMA12, EMA15, EMA30, EMA35, EMA40, EMA45, EMA50, EMA60 []float64 }

// GMMAPoint is one bar of [GMMAValues].
type GMMAPoint struct{ EMA3, EMA5, EMA8, EMA10, EMA12, EMA15, EMA30, EMA35, EMA40, EMA45, EMA50, EMA60 float64 }

// GMMA writes Guppy's multiple moving averages of closes into dst and returns
// them: EMAs of 3, 5, 8, 10, 12, 15 (traders) and 30, 35, 40, 45, 50, 60
// (investors). The first n-1 values of each are NaN.
func GMMA(dst GMMAValues, closes []float64) GMMAValues {
	out := [][]float64{dst.EMA3, dst.EMA5, dst.EMA8, dst.EMA10, dst.EMA12, dst.EMA15, dst.EMA30, dst.EMA35, dst.EMA40, dst.EMA45, dst.EMA50, dst.EMA60}
	batch(gmmaIndicator(), out, [][]float64{closes})
	return GMMAValues{EMA3: out[0], EMA5: out[1], EMA8: out[2], EMA10: out[3], EMA12: out[4], EMA15: out[5], EMA30: out[6], EMA35: out[7], EMA40: out[8], EMA45: out[9], EMA50: out[10], EMA60: out[11]}
}

// GMMAStream is [GMMA] one value at a time. It is not safe for concurrent use; make
// it with [NewGMMA].
type GMMAStream struct{ machine }

// NewGMMA returns a stream of [GMMA].
func NewGMMA() (*GMMAStream, error) {
	m, err := open(gmmaIndicator())
	if err != nil {
		return nil, err
	}
	return &GMMAStream{m}, nil
}

// Update takes the next value and returns its result, NaN during warm-up.
func (s *GMMAStream) Update(x float64) GMMAPoint {
	s.in[0] = x
	s.machine.Update(s.in, s.out)
	return GMMAPoint{EMA3: s.out[0], EMA5: s.out[1], EMA8: s.out[2], EMA10: s.out[3], EMA12: s.out[4], EMA15: s.out[5], EMA30: s.out[6], EMA35: s.out[7], EMA40: s.out[8], EMA45: s.out[9], EMA50: s.out[10], EMA60: s.out[11]}
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *GMMAStream) Peek(x float64) GMMAPoint {
	s.in[0] = x
	s.machine.Peek(s.in, s.out)
	return GMMAPoint{EMA3: s.out[0], EMA5: s.out[1], EMA8: s.out[2], EMA10: s.out[3], EMA12: s.out[4], EMA15: s.out[5], EMA30: s.out[6], EMA35: s.out[7], EMA40: s.out[8], EMA45: s.out[9], EMA50: s.out[10], EMA60: s.out[11]}
}

var gmmaIndicator = once(func() Indicator {
	lengths := []int{3, 5, 8, 10, 12, 15, 30, 35, 40, 45, 50, 60}
	return describe(Indicator{Name: "GMMA", Aliases: []string{"Guppy"}, Summary: "Guppy's twelve exponential averages: six of traders, six of investors.",
		Inputs: closes(), Outputs: overlay("EMA3", "EMA5", "EMA8", "EMA10", "EMA12", "EMA15", "EMA30", "EMA35", "EMA40", "EMA45", "EMA50", "EMA60")},
		warm(59), func(b *bank, p []float64) step {
			var e []ema
			for _, n := range lengths {
				e = append(e, b.ema(n))
			}
			return func(in, out []float64) {
				for i := range e {
					out[i] = e[i].push(in[0])
				}
			}
		})
})
