package indicators

// IchimokuValues are the outputs of [Ichimoku], of equal length.
type IchimokuValues struct{ Tenkan, Kijun, SenkouA, SenkouB, Chikou []float64 }

// IchimokuPoint is one bar of [IchimokuValues].
type IchimokuPoint struct{ Tenkan, Kijun, SenkouA, SenkouB, Chikou float64 }

// Ichimoku writes Hosoda's Ichimoku cloud into dst and returns it: with M(n)
// the middle between the highest high and the lowest low of n bars,
//
//	Tenkan = M(tenkan),  Kijun = M(kijun)
//	SenkouA(t) = (Tenkan + Kijun)/2 of kijun bars before
//	SenkouB(t) = M(senkou) of kijun bars before
//
// so that value t of the spans is the cloud that is drawn at t. Chikou(t) is the
// close itself, which is drawn kijun bars to the left: nothing here looks ahead.
// The first n-1 values of a middle are NaN, kijun more of the spans.
func Ichimoku(dst IchimokuValues, high, low, close []float64, tenkan, kijun, senkou int) IchimokuValues {
	out := [][]float64{dst.Tenkan, dst.Kijun, dst.SenkouA, dst.SenkouB, dst.Chikou}
	batch(ichimokuIndicator(), out, [][]float64{high, low, close}, float64(tenkan), float64(kijun), float64(senkou))
	return IchimokuValues{Tenkan: out[0], Kijun: out[1], SenkouA: out[2], SenkouB: out[3], Chikou: out[4]}
}

// IchimokuStream is [Ichimoku] one bar at a time. It is not safe for concurrent use; make
// it with [NewIchimoku].
type IchimokuStream struct{ machine }

// NewIchimoku returns a stream of [Ichimoku], or a *[FieldError] for a parameter that is
// out of range.
func NewIchimoku(tenkan, kijun, senkou int) (*IchimokuStream, error) {
	m, err := open(ichimokuIndicator(), float64(tenkan), float64(kijun), float64(senkou))
	if err != nil {
		return nil, err
	}
	return &IchimokuStream{m}, nil
}

// Update takes the next bar and returns its result, NaN during warm-up.
func (s *IchimokuStream) Update(high, low, close float64) IchimokuPoint {
	s.in[0], s.in[1], s.in[2] = high, low, close
	s.machine.Update(s.in, s.out)
	return IchimokuPoint{Tenkan: s.out[0], Kijun: s.out[1], SenkouA: s.out[2], SenkouB: s.out[3], Chikou: s.out[4]}
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *IchimokuStream) Peek(high, low, close float64) IchimokuPoint {
	s.in[0], s.in[1], s.in[2] = high, low, close
	s.machine.Peek(s.in, s.out)
	return IchimokuPoint{Tenkan: s.out[0], Kijun: s.out[1], SenkouA: s.out[2], SenkouB: s.out[3], Chikou: s.out[4]}
}

var ichimokuIndicator = once(func() Indicator {
	return describe(Indicator{Name: "Ichimoku", Summary: "Ichimoku cloud: conversion, base, leading spans and the lagging close.",
		Inputs: hlc(), Params: []Param{period("tenkan", 9, 1), period("kijun", 26, 1), period("senkou", 52, 1)},
		Outputs: overlay("Tenkan", "Kijun", "SenkouA", "SenkouB", "Chikou")},
		func(p []float64) int { return int(max(p[0], p[1], p[2])+p[1]) - 1 }, func(b *bank, p []float64) step {
			var h, l [3]extreme
			for i := range 3 {
				h[i], l[i] = b.highest(int(p[i])), b.lowest(int(p[i]))
			}
			shiftA, shiftB := b.lag(int(p[1])), b.lag(int(p[1]))
			return func(in, out []float64) {
				t := (h[0].push(in[0]) + l[0].push(in[1])) / 2
				k := (h[1].push(in[0]) + l[1].push(in[1])) / 2
				s := (h[2].push(in[0]) + l[2].push(in[1])) / 2
				out[0], out[1], out[2], out[3], out[4] = t, k, shiftA.push((t+k)/2), shiftB.push(s), in[2]
			}
		})
})
