package indicators

import (
	"math"

	"github.com/ttai-go/ttai/indicators/internal/kernel"
	"github.com/ttai-go/ttai/internal/invalid"
)

// maxPeriodsPerYear is a bar a second, all year.
const maxPeriodsPerYear = 365 * 24 * 3600

// HistoricalVolatility writes the close-to-close volatility of closes into dst
// and returns it, per year as a decimal (0.2 is 20 %): the sample standard
// deviation of the last n logarithmic returns, scaled by time,
//
//	HV(t) = √(periodsPerYear · Σ(r - mean)²/(n-1)),  r(t) = ln(close(t)/close(t-1))
//
// (Hull, Options, Futures, and Other Derivatives, on estimating volatility from
// historical data). Use 252 periods for daily bars. The first n values are NaN;
// n is at least 2. A close that is not positive counts as unknown.
func HistoricalVolatility(dst, closes []float64, n int, periodsPerYear float64) []float64 {
	dst = resize(dst, len(closes))
	if checkVolatility(n, periodsPerYear) != nil || n >= len(closes) {
		return fillNaN(dst)
	}
	var window [2 * onStack]float64
	s := newVolatility(kernel.NewMoments(window[:], n), n, periodsPerYear)
	for i, v := range closes {
		dst[i] = s.Update(v)
	}
	return dst
}

// HistoricalVolatilityStream is [HistoricalVolatility] one close at a time. It
// is not safe for concurrent use; make it with [NewHistoricalVolatility].
type HistoricalVolatilityStream struct {
	moments  kernel.Moments
	previous float64 // close, NaN before the first
	scale    float64
	n        int
}

// NewHistoricalVolatility returns a stream of the volatility of n returns, 2 to
// [MaxPeriod], with a positive number of periods per year.
func NewHistoricalVolatility(n int, periodsPerYear float64) (*HistoricalVolatilityStream, error) {
	if err := checkVolatility(n, periodsPerYear); err != nil {
		return nil, err
	}
	s := newVolatility(kernel.NewMoments(nil, n), n, periodsPerYear)
	return &s, nil
}

func newVolatility(m kernel.Moments, n int, periodsPerYear float64) HistoricalVolatilityStream {
	return HistoricalVolatilityStream{moments: m, previous: nan(), scale: periodsPerYear / float64(n-1), n: n}
}

func checkVolatility(n int, periodsPerYear float64) error {
	if !(periodsPerYear > 0 && periodsPerYear <= maxPeriodsPerYear) {
		return invalid.Fieldf("periodsPerYear", periodsPerYear, "a number above 0, at most %d", maxPeriodsPerYear)
	}
	return checkPeriodFrom("n", n, 2)
}

// Update takes the next close and returns the volatility, NaN during warm-up.
func (s *HistoricalVolatilityStream) Update(x float64) float64 {
	r, ok := s.change(x)
	if !ok {
		return nan()
	}
	s.previous = x
	if r != r {
		return nan()
	}
	_, squares := s.moments.Push(r)
	return math.Sqrt(squares * s.scale)
}

// Peek returns what Update(x) would, and leaves the stream as it is.
func (s *HistoricalVolatilityStream) Peek(x float64) float64 {
	r, ok := s.change(x)
	if !ok || r != r {
		return nan()
	}
	_, squares := s.moments.Peek(r)
	return math.Sqrt(squares * s.scale)
}

// change returns the logarithmic return to x, NaN for the first close; ok is
// false when x is not a price.
func (s *HistoricalVolatilityStream) change(x float64) (r float64, ok bool) {
	if !(x > 0) || !kernel.Finite(x) {
		return 0, false
	}
	return logReturn(s.previous, x), true
}

// logReturn is ln(now/before) of two prices. A small one comes from their
// difference: their ratio, next to 1, has no room for its digits.
func logReturn(before, now float64) float64 {
	r := (now - before) / before
	if math.Abs(r) < 0.25 {
		return math.Log1p(r)
	}
	return math.Log(now / before)
}

// Reset forgets every close.
func (s *HistoricalVolatilityStream) Reset() {
	s.moments.Reset()
	s.previous = nan()
}

// Warmup returns how many leading values are NaN: n.
func (s *HistoricalVolatilityStream) Warmup() int { return s.n }
