package indicators

import (
	"math"

	"github.com/ttai-go/ttai/indicators/internal/kernel"
)

// HurstValues are the outputs of [Hurst], of equal length.
type HurstValues struct{ Hurst, AnisLloyd []float64 }

// HurstPoint is one bar of [HurstValues].
type HurstPoint struct{ Hurst, AnisLloyd float64 }

// Hurst writes an estimate of the Hurst exponent of the last n logarithmic
// returns of closes into dst and returns it: the slope of ln(R/S) over ln(size),
// from windows of n, n/2, n/4 … at least 8 returns, where R is the range of the
// running sum of deviations from a window's mean and S their population
// deviation. 0.5 is a random walk. AnisLloyd is the slope after what a random
// walk's R/S exceeds √(π·size/2) by in so few values is taken off (Anis and
// Lloyd, 1976; Weron, Physica A 312, 2002).
// A close that is not positive counts as unknown. The first n values are NaN; n
// is at least 20.
func Hurst(dst HurstValues, closes []float64, n int) HurstValues {
	out := [][]float64{dst.Hurst, dst.AnisLloyd}
	batch(hurstIndicator(), out, [][]float64{closes}, float64(n))
	return HurstValues{Hurst: out[0], AnisLloyd: out[1]}
}

// HurstStream is [Hurst] one value at a time. It is not safe for concurrent use; make
// it with [NewHurst].
type HurstStream struct{ machine }

// NewHurst returns a stream of [Hurst], or a *[FieldError] for a parameter that is
// out of range.
func NewHurst(n int) (*HurstStream, error) {
	m, err := open(hurstIndicator(), float64(n))
	if err != nil {
		return nil, err
	}
	return &HurstStream{m}, nil
}

// Update takes the next value and returns its result, NaN during warm-up.
func (s *HurstStream) Update(x float64) HurstPoint {
	s.in[0] = x
	s.machine.Update(s.in, s.out)
	return HurstPoint{Hurst: s.out[0], AnisLloyd: s.out[1]}
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *HurstStream) Peek(x float64) HurstPoint {
	s.in[0] = x
	s.machine.Peek(s.in, s.out)
	return HurstPoint{Hurst: s.out[0], AnisLloyd: s.out[1]}
}

var hurstIndicator = once(func() Indicator {
	return describe(Indicator{Name: "Hurst", Summary: "Hurst exponent by rescaled range: above 0.5 trends, below reverts.",
		Inputs: closes(), Params: periods(100, 20), Outputs: pane("Hurst", "AnisLloyd")},
		first(0), func(b *bank, p []float64) step {
			last := b.lag(1)
			var sizes []int
			var expected []float64
			for n := int(p[0]); n >= 8; n = int(p[0]) / (1 << len(sizes)) {
				sizes = append(sizes, n)
				expected = append(expected, randomRange(n)-math.Sqrt(math.Pi*float64(n)/2))
			}
			x, y, z := make([]float64, len(sizes)), make([]float64, len(sizes)), make([]float64, len(sizes))
			// The R/S of the window of each size that ended at each of the last bars.
			ended := make([][]float64, len(sizes))
			for i, n := range sizes {
				x[i] = math.Log(float64(n))
				ended[i] = b.take(sizes[0])
			}
			returns, at := b.take(2*sizes[0]), b.counters(2) // the next place, and whether there are enough
			return func(in, out []float64) {
				out[0], out[1] = nan(), nan()
				if !(in[0] > 0) {
					return
				}
				r := logReturn(last.push(in[0]), in[0])
				if r != r {
					return
				}
				most, now := sizes[0], at[0]
				returns[now], returns[now+most] = r, r
				end := now + 1 + most // of the last most returns
				if at[0]++; at[0] == most {
					at[0], at[1] = 0, 1
				}
				for i, n := range sizes {
					ended[i][now] = rescaledRange(returns[end-n : end])
				}
				if at[1] == 0 {
					return
				}
				for i, n := range sizes {
					parts, total := most/n, 0.0
					for k, from := 0, now; k < parts; k++ {
						total += ended[i][from]
						if from -= n; from < 0 {
							from += most
						}
					}
					rs := total / float64(parts)
					y[i], z[i] = math.Log(rs), math.Log(rs-expected[i])
				}
				out[0], out[1] = rise(x, y), rise(x, z)
			}
		})
})

// rescaledRange is R/S: how far the sum of deviations from the mean swings, in
// standard deviations.
func rescaledRange(values []float64) float64 {
	n, mean := float64(len(values)), kernel.Total(values)/float64(len(values))
	var squares, y float64
	low, high := math.Inf(1), math.Inf(-1)
	for _, v := range values {
		d := v - mean
		y += d
		squares += float64(d * d)
		if y < low {
			low = y
		}
		if y > high {
			high = y
		}
	}
	return over(high-low, math.Sqrt(squares/n), nan())
}

// randomRange is the R/S that n independent values are expected to have.
func randomRange(n int) float64 {
	total := 0.0
	for i := 1; i < n; i++ {
		total += math.Sqrt(float64(n-i) / float64(i))
	}
	a, _ := math.Lgamma(float64(n-1) / 2)
	b, _ := math.Lgamma(float64(n) / 2)
	return math.Exp(a-b) / math.Sqrt(math.Pi) * total
}

// rise is the slope of the least-squares line through the points.
func rise(x, y []float64) float64 {
	n := float64(len(x))
	var sx, sy, sxx, sxy float64
	for i := range x {
		sx, sy, sxx, sxy = sx+x[i], sy+y[i], sxx+float64(x[i]*x[i]), sxy+float64(x[i]*y[i])
	}
	return over(float64(n*sxy)-float64(sx*sy), float64(n*sxx)-float64(sx*sx), nan())
}
