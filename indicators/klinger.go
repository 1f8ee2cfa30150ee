package indicators

import "math"

// KlingerValues are the outputs of [Klinger], of equal length.
type KlingerValues struct{ Oscillator, Signal []float64 }

// KlingerPoint is one bar of [KlingerValues].
type KlingerPoint struct{ Oscillator, Signal float64 }

// Klinger writes Klinger's volume oscillator into dst and returns it: with the
// trend T 1 where high+low+close rose and -1 where not, dm = high-low, and cm
// the sum of dm since the trend last turned,
//
//	force = volume·|2·(dm/cm - 1)|·T·100
//	Oscillator = EMA(force, fast) - EMA(force, slow),  Signal = EMA(Oscillator, signal)
//
// (Technical Analysis of Stocks & Commodities, December 1997). The first
// max(fast, slow)+1 + signal-1 values are NaN.
func Klinger(dst KlingerValues, high, low, close, volume []float64, fast, slow, signal int) KlingerValues {
	out := [][]float64{dst.Oscillator, dst.Signal}
	batch(klingerIndicator(), out, [][]float64{high, low, close, volume}, float64(fast), float64(slow), float64(signal))
	return KlingerValues{Oscillator: out[0], Signal: out[1]}
}

// KlingerStream is [Klinger] one bar at a time. It is not safe for concurrent use; make
// it with [NewKlinger].
type KlingerStream struct{ machine }

// NewKlinger returns a stream of [Klinger], or a *[FieldError] for a parameter that is
// out of range.
func NewKlinger(fast, slow, signal int) (*KlingerStream, error) {
	m, err := open(klingerIndicator(), float64(fast), float64(slow), float64(signal))
	if err != nil {
		return nil, err
	}
	return &KlingerStream{m}, nil
}

// Update takes the next bar and returns its result, NaN during warm-up.
func (s *KlingerStream) Update(high, low, close, volume float64) KlingerPoint {
	s.in[0], s.in[1], s.in[2], s.in[3] = high, low, close, volume
	s.machine.Update(s.in, s.out)
	return KlingerPoint{Oscillator: s.out[0], Signal: s.out[1]}
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *KlingerStream) Peek(high, low, close, volume float64) KlingerPoint {
	s.in[0], s.in[1], s.in[2], s.in[3] = high, low, close, volume
	s.machine.Peek(s.in, s.out)
	return KlingerPoint{Oscillator: s.out[0], Signal: s.out[1]}
}

var klingerIndicator = once(func() Indicator {
	return describe(Indicator{Name: "Klinger", Aliases: []string{"KVO"}, Summary: "Klinger volume oscillator.",
		Inputs: hlcv(), Params: []Param{period("fast", 34, 1), period("slow", 55, 1), period("signal", 13, 1)}, Outputs: pane("Oscillator", "Signal")},
		func(p []float64) int { return int(max(p[0], p[1]) + p[2]) }, func(b *bank, p []float64) step {
			f, l, e, s := b.ema(int(p[0])), b.ema(int(p[1])), b.ema(int(p[2])), b.cells(5) // hlc, dm, cm, trend, force
			return func(in, out []float64) {
				hlc, dm := in[0]+in[1]+in[2], in[0]-in[1]
				oldHLC, oldDM, oldCM, oldT := s[0], s[1], s[2], s[3]
				s[0], s[1] = hlc, dm
				out[0], out[1] = nan(), nan()
				if oldHLC != oldHLC {
					return
				}
				t := -1.0
				if hlc > oldHLC {
					t = 1
				}
				s[3] = t
				if oldT != oldT {
					s[2], s[4] = 0, 0
					return
				}
				cm := oldDM + dm
				if t == oldT {
					cm = oldCM + dm
				}
				s[2] = cm
				switch {
				case dm == cm || in[3] == 0:
					s[4] = 0
				case dm == 0:
					s[4] = in[3] * 2 * t * 100
				case cm != 0:
					s[4] = in[3] * math.Abs(2*(dm/cm-1)) * t * 100
				}
				out[0] = f.push(s[4]) - l.push(s[4])
				out[1] = e.push(out[0])
			}
		})
})
