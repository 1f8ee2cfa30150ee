package indicators

import (
	"math"

	"github.com/ttai-go/ttai/indicators/internal/kernel"
)

// ADXValues are the outputs of [ADX], of equal length, each from 0 to 100.
type ADXValues struct{ ADX, PlusDI, MinusDI []float64 }

// ADXPoint is one bar of [ADXValues].
type ADXPoint struct{ ADX, PlusDI, MinusDI float64 }

// ADX writes Wilder's average directional index and its two directional
// indicators into dst and returns them. With +DM the rise of the high where it
// is positive and exceeds the fall of the low, -DM the reverse, and W Wilder's
// average over n,
//
//	PlusDI = 100·W(+DM)/W(TR),  MinusDI = 100·W(-DM)/W(TR)
//	ADX = W(100·|PlusDI-MinusDI|/(PlusDI+MinusDI))
//
// Averages start from the plain average of their first n values: the first n
// values of the indicators and the first 2n-1 of ADX are NaN. A market that
// does not move has all three at 0. The columns have equal lengths.
func ADX(dst ADXValues, high, low, close []float64, n int) ADXValues {
	dst.ADX = resize(dst.ADX, len(close))
	dst.PlusDI = resize(dst.PlusDI, len(close))
	dst.MinusDI = resize(dst.MinusDI, len(close))
	if !validPeriod(n) || len(high) != len(close) || len(low) != len(close) {
		fillNaN(dst.ADX)
		fillNaN(dst.PlusDI)
		fillNaN(dst.MinusDI)
		return dst
	}
	s := newADX(n)
	for i := range close {
		p := s.Update(high[i], low[i], close[i])
		dst.ADX[i], dst.PlusDI[i], dst.MinusDI[i] = p.ADX, p.PlusDI, p.MinusDI
	}
	return dst
}

// ADXStream is [ADX] one bar at a time. It is not safe for concurrent use;
// make it with [NewADX].
type ADXStream struct {
	tr, plus, minus, average kernel.EMA
	high, low, close         float64 // of the bar before, NaN before the first
	n                        int
}

// NewADX returns a stream of the index over n bars, 1 to [MaxPeriod].
func NewADX(n int) (*ADXStream, error) {
	if err := checkPeriod("n", n); err != nil {
		return nil, err
	}
	s := newADX(n)
	return &s, nil
}

func newADX(n int) ADXStream {
	w := kernel.NewWilder(n)
	return ADXStream{tr: w, plus: w, minus: w, average: w, high: nan(), low: nan(), close: nan(), n: n}
}

// Update takes the next bar and returns the lines, NaN during warm-up.
func (s *ADXStream) Update(high, low, close float64) ADXPoint {
	if !kernel.Finite3(high, low, close) {
		return ADXPoint{nan(), nan(), nan()}
	}
	rise, fall, previous := high-s.high, s.low-low, s.close
	s.high, s.low, s.close = high, low, close
	if previous != previous {
		return ADXPoint{nan(), nan(), nan()}
	}
	var plus, minus float64
	if rise > fall && rise > 0 {
		plus = rise
	} else if fall > rise && fall > 0 {
		minus = fall
	}
	tr := s.tr.Push(trueRange(high, low, previous))
	plus, minus = s.plus.Push(plus), s.minus.Push(minus)
	if tr != tr {
		return ADXPoint{nan(), nan(), nan()}
	}
	var p ADXPoint
	if tr > 0 {
		p.PlusDI, p.MinusDI = 100*plus/tr, 100*minus/tr
	}
	var dx float64
	if sum := plus + minus; sum > 0 {
		dx = 100 * math.Abs(plus-minus) / sum
	}
	p.ADX = s.average.Push(dx)
	return p
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *ADXStream) Peek(high, low, close float64) ADXPoint {
	next := *s
	return next.Update(high, low, close)
}

// Reset forgets every bar.
func (s *ADXStream) Reset() { *s = newADX(s.n) }

// Warmup returns how many leading bars have a NaN: 2n-1.
func (s *ADXStream) Warmup() int { return 2*s.n - 1 }
