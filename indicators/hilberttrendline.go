package indicators

import (
	"math"

	"github.com/ttai-go/ttai/indicators/internal/kernel"
)

// HilbertTrendlineValues are the outputs of [HilbertTrendline], of equal length.
type HilbertTrendlineValues struct{ Trendline, Period, SmoothPrice []float64 }

// HilbertTrendlinePoint is one bar of [HilbertTrendlineValues].
type HilbertTrendlinePoint struct{ Trendline, Period, SmoothPrice float64 }

// HilbertTrendline writes Ehlers's instantaneous trendline of the median price
// (high+low)/2 into dst and returns it: the mean price over the dominant cycle,
// weighted 4, 3, 2, 1 over four bars; with the cycle's period in bars and the
// smoothed price (Rocket Science for Traders, 2001). The trendline is the
// price itself for 11 bars; values of the first fifty or so still settle.
func HilbertTrendline(dst HilbertTrendlineValues, high, low []float64) HilbertTrendlineValues {
	out := [][]float64{dst.Trendline, dst.Period, dst.SmoothPrice}
	batch(hilbertIndicator(), out, [][]float64{high, low})
	return HilbertTrendlineValues{Trendline: out[0], Period: out[1], SmoothPrice: out[2]}
}

// HilbertTrendlineStream is [HilbertTrendline] one bar at a time. It is not safe for concurrent use; make
// it with [NewHilbertTrendline].
type HilbertTrendlineStream struct{ machine }

// NewHilbertTrendline returns a stream of [HilbertTrendline].
func NewHilbertTrendline() (*HilbertTrendlineStream, error) {
	m, err := open(hilbertIndicator())
	if err != nil {
		return nil, err
	}
	return &HilbertTrendlineStream{m}, nil
}

// Update takes the next bar and returns its result, NaN during warm-up.
func (s *HilbertTrendlineStream) Update(high, low float64) HilbertTrendlinePoint {
	s.in[0], s.in[1] = high, low
	s.machine.Update(s.in, s.out)
	return HilbertTrendlinePoint{Trendline: s.out[0], Period: s.out[1], SmoothPrice: s.out[2]}
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *HilbertTrendlineStream) Peek(high, low float64) HilbertTrendlinePoint {
	s.in[0], s.in[1] = high, low
	s.machine.Peek(s.in, s.out)
	return HilbertTrendlinePoint{Trendline: s.out[0], Period: s.out[1], SmoothPrice: s.out[2]}
}

var hilbertIndicator = once(func() Indicator {
	return describe(Indicator{Name: "HilbertTrendline", Aliases: []string{"HTL", "HTTrendline"}, Summary: "Ehlers's instantaneous trendline, with the dominant cycle's period.",
		Inputs: hl(), Outputs: append(overlay("Trendline"), append(pane("Period"), overlay("SmoothPrice")...)...)},
		warm(7), func(b *bank, p []float64) step {
			h, prices, trend := b.hilbert(), b.window(50), b.window(4)
			count := b.counters(1)
			return func(in, out []float64) {
				x := (in[0] + in[1]) / 2
				smooth, period, _, _ := h.push(x)
				prices.push(x)
				count[0] = min(count[0]+1, 50)
				n := min(int(period+0.5), count[0])
				t := x
				if n > 0 {
					t = 0
					end := prices.pos[0]
					for i := 1; i <= n; i++ {
						at := end - i
						if at < 0 {
							at += 50
						}
						t += prices.x[at]
					}
					t /= float64(n)
				}
				w := trend.push(t)
				out[0], out[1], out[2] = x, nan(), smooth
				if period >= 0.5 {
					out[1] = math.Floor(period + 0.5)
				}
				if count[0] >= 12 && w != nil {
					out[0] = (float64(4*w[3]) + float64(3*w[2]) + float64(2*w[1]) + w[0]) / 10
				}
			}
		})
})

// hilbert is the part that Ehlers's cycle indicators share: the smoothed price
// and the period of its dominant cycle, 6 to 50 bars, by the homodyne
// discriminator (Rocket Science for Traders, 2001, chapter 7).
type hilbert struct {
	price, smooth, detrended, i1, q1 window
	seen                             []int
	state                            []float64 // period, its smoothing, i2, q2, re, im
}

func (b *bank) hilbert() hilbert {
	h := hilbert{b.window(4), b.window(7), b.window(7), b.window(7), b.window(7), b.counters(1), b.take(6)}
	for _, w := range []window{h.smooth, h.detrended, h.i1, h.q1} {
		w.pos[1] = 1 // full of zeros, as in the book's code
	}
	return h
}

// transform is Ehlers's Hilbert transform of the last seven values.
func transform(w []float64, period float64) float64 {
	if w == nil {
		return nan()
	}
	return (float64(0.0962*w[6]) + float64(0.5769*w[4]) - float64(0.5769*w[2]) - float64(0.0962*w[0])) * (float64(0.075*period) + 0.54)
}

// push returns the smoothed price, the smoothed period, and the components in
// phase and in quadrature, unknown for the first six values.
func (h hilbert) push(x float64) (smooth, period, i1, q1 float64) {
	w := h.price.push(x)
	if w == nil && h.seen[0] == 6 {
		return nan(), h.state[1], nan(), nan() // too large to add up
	}
	if h.seen[0] < 6 {
		h.seen[0]++
		return nan(), 0, 0, 0
	}
	s := h.state
	smooth = (float64(4*w[3]) + float64(3*w[2]) + float64(2*w[1]) + w[0]) / 10
	dw := h.detrended.push(transform(h.smooth.push(smooth), s[0]))
	if dw == nil {
		return smooth, s[1], nan(), nan()
	}
	q1, i1 = transform(dw, s[0]), dw[3]
	ji, jq := transform(h.i1.push(i1), s[0]), transform(h.q1.push(q1), s[0])
	i2, q2 := float64(0.2*(i1-jq))+float64(0.8*s[2]), float64(0.2*(q1+ji))+float64(0.8*s[3])
	re := float64(0.2*(float64(i2*s[2])+float64(q2*s[3]))) + float64(0.8*s[4])
	im := float64(0.2*(float64(i2*s[3])-float64(q2*s[2]))) + float64(0.8*s[5])
	if !kernel.Finite3(re, im, i2+q2) {
		return smooth, s[1], i1, q1 // prices beyond all measure leave the cycle as it was
	}
	p := s[0]
	if re != 0 && im != 0 {
		p = 2 * math.Pi / math.Atan(im/re)
	}
	p = min(p, 1.5*s[0])
	p = max(p, 0.67*s[0])
	p = max(6, min(p, 50))
	p = float64(0.2*p) + float64(0.8*s[0])
	s[0], s[1], s[2], s[3], s[4], s[5] = p, float64(0.33*p)+float64(0.67*s[1]), i2, q2, re, im
	return smooth, s[1], i1, q1
}
