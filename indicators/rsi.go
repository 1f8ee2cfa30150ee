package indicators

import "github.com/ttai-go/ttai/indicators/internal/kernel"

// RSI writes Wilder's relative strength index of closes into dst and returns
// it: with U and D Wilder's averages over n of the rises and of the falls from
// one close to the next,
//
//	RSI(t) = 100·U/(U+D)
//
// Both averages start at bar n with the plain average of the first n changes;
// the first n values are NaN. Without any fall, and in a market that has not
// moved at all, it is 100, as on TradingView. (Wilder, New Concepts in
// Technical Trading Systems, 1978.)
func RSI(dst, closes []float64, n int) []float64 {
	dst = resize(dst, len(closes))
	if !validPeriod(n) {
		return fillNaN(dst)
	}
	s := newRSI(n)
	for i, v := range closes {
		dst[i] = s.Update(v)
	}
	return dst
}

// RSIStream is [RSI] one close at a time. It is not safe for concurrent use;
// make it with [NewRSI].
type RSIStream struct {
	up, down kernel.EMA
	previous float64 // NaN before the first close
	n        int
}

// NewRSI returns a stream of the index over n changes, 1 to [MaxPeriod].
func NewRSI(n int) (*RSIStream, error) {
	if err := checkPeriod("n", n); err != nil {
		return nil, err
	}
	s := newRSI(n)
	return &s, nil
}

func newRSI(n int) RSIStream {
	return RSIStream{up: kernel.NewWilder(n), down: kernel.NewWilder(n), previous: nan(), n: n}
}

// Update takes the next close and returns the index, NaN during warm-up.
func (s *RSIStream) Update(x float64) float64 {
	if !kernel.Finite(x) {
		return nan()
	}
	change := x - s.previous
	s.previous = x
	if change != change {
		return nan()
	}
	rise := max(change, 0)
	up, down := s.up.Push(rise), s.down.Push(rise-change)
	if down == 0 {
		return 100
	}
	return 100 * up / (up + down)
}

// Peek returns what Update(x) would, and leaves the stream as it is.
func (s *RSIStream) Peek(x float64) float64 {
	next := *s
	return next.Update(x)
}

// Reset forgets every close.
func (s *RSIStream) Reset() { *s = newRSI(s.n) }

// Warmup returns how many leading values are NaN: n.
func (s *RSIStream) Warmup() int { return s.n }
