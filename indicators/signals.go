package indicators

import (
	"math"

	"github.com/ttai-go/ttai/indicators/internal/kernel"
	"github.com/ttai-go/ttai/internal/invalid"
)

// Crosses writes into dst, and returns, 1 where a crosses above b, -1 where it
// crosses below, and 0 elsewhere. a crosses above b at the first bar on which it
// is above, after it was last below: lines that only touch have not crossed. A
// bar on which either is unknown is 0 and is stepped over. The columns have equal
// lengths; otherwise everything is NaN.
func Crosses(dst, a, b []float64) []float64 {
	dst = resize(dst, len(a))
	if len(a) != len(b) {
		return fillNaN(dst)
	}
	var s CrossesStream
	for i := range a {
		dst[i] = s.Update(a[i], b[i])
	}
	return dst
}

// CrossesStream is [Crosses] one bar at a time. The zero value is ready for use;
// it is not safe for concurrent use.
type CrossesStream struct{ side float64 }

// Update takes the next value of each line and returns the signal.
func (s *CrossesStream) Update(a, b float64) float64 {
	d := a - b
	if !kernel.Finite(d) || d == 0 {
		return 0
	}
	now, before := math.Copysign(1, d), s.side
	s.side = now
	if before == -now {
		return now
	}
	return 0
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *CrossesStream) Peek(a, b float64) float64 {
	next := *s
	return next.Update(a, b)
}

// Reset forgets every bar.
func (s *CrossesStream) Reset() { *s = CrossesStream{} }

// Thresholds writes into dst, and returns, 1 where x rises above high, -1 where
// it falls below low, and 0 elsewhere: the bars that enter the zones of an
// oscillator. The first known value enters a zone if it is in one. Unknown values
// are 0 and are stepped over. Everything is NaN unless low ≤ high.
func Thresholds(dst, x []float64, low, high float64) []float64 {
	dst = resize(dst, len(x))
	s, err := NewThresholds(low, high)
	if err != nil {
		return fillNaN(dst)
	}
	for i, v := range x {
		dst[i] = s.Update(v)
	}
	return dst
}

// ThresholdsStream is [Thresholds] one value at a time. It is not safe for
// concurrent use; make it with [NewThresholds].
type ThresholdsStream struct{ low, high, zone float64 }

// NewThresholds returns a stream of [Thresholds], or a *[FieldError] unless low ≤ high.
func NewThresholds(low, high float64) (*ThresholdsStream, error) {
	if !(low <= high) {
		return nil, invalid.Fieldf("low", low, "a number of at most high, which is %v", high)
	}
	return &ThresholdsStream{low: low, high: high}, nil
}

// Update takes the next value and returns the signal.
func (s *ThresholdsStream) Update(x float64) float64 {
	if !kernel.Finite(x) {
		return 0
	}
	now, before := 0.0, s.zone
	if x > s.high {
		now = 1
	} else if x < s.low {
		now = -1
	}
	s.zone = now
	if now == before {
		return 0
	}
	return now
}

// Peek returns what Update(x) would, and leaves the stream as it is.
func (s *ThresholdsStream) Peek(x float64) float64 {
	next := *s
	return next.Update(x)
}

// Reset forgets every value.
func (s *ThresholdsStream) Reset() { s.zone = 0 }

// Inside writes into dst, and returns, 1 where one pair of lines lies inside the
// other, 0 where not, NaN where one is unknown: the squeeze of Bollinger bands in
// a Keltner channel. The columns have equal lengths; otherwise everything is NaN.
func Inside(dst, upper, lower, outerUpper, outerLower []float64) []float64 {
	dst = resize(dst, len(upper))
	if len(lower) != len(upper) || len(outerUpper) != len(upper) || len(outerLower) != len(upper) {
		return fillNaN(dst)
	}
	for i := range upper {
		dst[i] = nan()
		if d := (outerUpper[i] - upper[i]) + (lower[i] - outerLower[i]); d == d {
			dst[i] = 0
			if outerUpper[i] > upper[i] && lower[i] > outerLower[i] {
				dst[i] = 1
			}
		}
	}
	return dst
}

// A DivergenceKind says which way a divergence points, and whether it speaks
// against the trend (regular) or for it (hidden).
type DivergenceKind string

// The divergences: what the price does against what the oscillator does.
const (
	RegularBullish DivergenceKind = "regular_bullish" // lower low, higher low
	HiddenBullish  DivergenceKind = "hidden_bullish"  // higher low, lower low
	RegularBearish DivergenceKind = "regular_bearish" // higher high, lower high
	HiddenBearish  DivergenceKind = "hidden_bearish"  // lower high, higher high
)

// A Divergence is a pair of neighbouring swings at which the price and an
// oscillator disagree. First and Second are their bars; Confirmed ≥ Second is the
// bar that knows it.
type Divergence struct {
	Kind                     DivergenceKind
	First, Second, Confirmed int
}

// DivergenceOptions says what a swing is. The zero value uses 5 bars on each
// side and at most 60 bars between swings.
type DivergenceOptions struct {
	Left, Right int // bars that a swing's price exceeds on each side; 0 is 5
	MaxBars     int // between the two swings; 0 is 60
}

// Divergences returns the divergences between prices and an oscillator by the
// bar that confirms them. Swings are those of the price, a low below the lows of
// Left bars before and Right bars after it, and a high likewise; the oscillator is
// read at their bars. Nothing looks ahead: cutting off bars after Confirmed
// changes nothing before it. It returns a *[FieldError] for columns of different
// lengths and negative options.
func Divergences(high, low, oscillator []float64, opts *DivergenceOptions) ([]Divergence, error) {
	o := DivergenceOptions{}
	if opts != nil {
		o = *opts
	}
	for _, option := range []struct {
		name  string
		value *int
		usual int
	}{{"Left", &o.Left, 5}, {"Right", &o.Right, 5}, {"MaxBars", &o.MaxBars, 60}} {
		if *option.value < 0 || *option.value > MaxPeriod {
			return nil, invalid.Fieldf(option.name, *option.value, "a whole number from 0 to %d", MaxPeriod)
		}
		if *option.value == 0 {
			*option.value = option.usual
		}
	}
	if len(low) != len(high) || len(oscillator) != len(high) {
		return nil, invalid.Fieldf("oscillator", len(oscillator), "columns of equal length, as many values as high has (%d)", len(high))
	}
	var found []Divergence
	swings := (&bank{}).fractals(o.Left, o.Right)
	lastHigh, lastLow := -1, -1
	var known []int // bars with known prices, which swings count
	for i := range high {
		if !kernel.Finite3(high[i], low[i], 0) {
			continue
		}
		known = append(known, i)
		top, bottom := swings.push(high[i], low[i])
		if len(known) <= o.Right {
			continue
		}
		at := known[len(known)-1-o.Right]
		if bottom == bottom {
			if kind := disagree(low, oscillator, lastLow, at, o.MaxBars, RegularBullish, HiddenBullish, 1); kind != "" {
				found = append(found, Divergence{kind, lastLow, at, i})
			}
			lastLow = at
		}
		if top == top {
			if kind := disagree(high, oscillator, lastHigh, at, o.MaxBars, RegularBearish, HiddenBearish, -1); kind != "" {
				found = append(found, Divergence{kind, lastHigh, at, i})
			}
			lastHigh = at
		}
	}
	return found, nil
}

// disagree names the divergence between two swings, "" for none. sign is 1 for
// lows, -1 for highs.
func disagree(price, oscillator []float64, a, b, most int, regular, hidden DivergenceKind, sign float64) DivergenceKind {
	if a < 0 || b-a > most {
		return ""
	}
	switch p, o := sign*(price[b]-price[a]), sign*(oscillator[b]-oscillator[a]); {
	case p < 0 && o > 0:
		return regular
	case p > 0 && o < 0:
		return hidden
	}
	return ""
}

var crossesIndicator = once(func() Indicator {
	return describe(Indicator{Name: "Crosses", Aliases: []string{"Cross", "CrossOver", "CrossAny"}, Summary: "Where the first series crosses above (1) or below (-1) the second.",
		Inputs: hl(), Outputs: pane("Cross")},
		warm(0), func(b *bank, _ []float64) step {
			side := b.take(1)
			return func(in, out []float64) {
				s := CrossesStream{side: side[0]}
				out[0] = s.Update(in[0], in[1])
				side[0] = s.side
			}
		})
})
