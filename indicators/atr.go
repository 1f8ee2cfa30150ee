package indicators

import "github.com/ttai-go/ttai/indicators/internal/kernel"

// ATR writes Wilder's average true range into dst and returns it: Wilder's
// average over n of
//
//	TR(t) = max(high-low, |high-close(t-1)|, |low-close(t-1)|)
//
// The first bar has no close before it and no true range: the average starts
// at bar n with the plain average of the ranges of bars 1 to n, and the first n
// values are NaN. The columns have equal lengths.
func ATR(dst, high, low, close []float64, n int) []float64 {
	dst = resize(dst, len(close))
	if !validPeriod(n) || len(high) != len(close) || len(low) != len(close) {
		return fillNaN(dst)
	}
	s := newATR(n)
	for i := range close {
		dst[i] = s.Update(high[i], low[i], close[i])
	}
	return dst
}

// ATRStream is [ATR] one bar at a time. It is not safe for concurrent use;
// make it with [NewATR].
type ATRStream struct {
	average  kernel.EMA
	previous float64 // close, NaN before the first bar
	n        int
}

// NewATR returns a stream of the average over n ranges, 1 to [MaxPeriod].
func NewATR(n int) (*ATRStream, error) {
	if err := checkPeriod("n", n); err != nil {
		return nil, err
	}
	s := newATR(n)
	return &s, nil
}

func newATR(n int) ATRStream {
	return ATRStream{average: kernel.NewWilder(n), previous: nan(), n: n}
}

// Update takes the next bar and returns the average, NaN during warm-up.
func (s *ATRStream) Update(high, low, close float64) float64 {
	if !kernel.Finite3(high, low, close) {
		return nan()
	}
	previous := s.previous
	s.previous = close
	if previous != previous {
		return nan()
	}
	return s.average.Push(trueRange(high, low, previous))
}

// trueRange returns how far the bar reached, counted from the close before it:
// the same as Wilder's largest of three distances while low ≤ high.
func trueRange(high, low, previous float64) float64 {
	return max(high, previous) - min(low, previous)
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *ATRStream) Peek(high, low, close float64) float64 {
	next := *s
	return next.Update(high, low, close)
}

// Reset forgets every bar.
func (s *ATRStream) Reset() { *s = newATR(s.n) }

// Warmup returns how many leading values are NaN: n.
func (s *ATRStream) Warmup() int { return s.n }
