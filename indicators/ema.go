package indicators

import "github.com/ttai-go/ttai/indicators/internal/kernel"

// EMA writes the exponential moving average of x into dst and returns it:
//
//	EMA(t) = EMA(t-1) + k·(x(t) - EMA(t-1)),  k = 2/(n+1)
//
// It starts at bar n-1 with the simple average of the first n values; the
// values before are NaN.
func EMA(dst, x []float64, n int) []float64 {
	dst = resize(dst, len(x))
	if !validPeriod(n) {
		return fillNaN(dst)
	}
	e := kernel.NewEMA(n)
	e.Each(dst, x)
	return dst
}

// EMAStream is [EMA] one value at a time. It is not safe for concurrent use;
// make it with [NewEMA].
type EMAStream struct {
	ema kernel.EMA
	n   int
}

// NewEMA returns a stream of the average with k = 2/(n+1), n from 1 to [MaxPeriod].
func NewEMA(n int) (*EMAStream, error) {
	if err := checkPeriod("n", n); err != nil {
		return nil, err
	}
	return &EMAStream{ema: kernel.NewEMA(n), n: n}, nil
}

// Update takes the next value and returns the average, NaN during warm-up.
func (s *EMAStream) Update(x float64) float64 {
	if !kernel.Finite(x) {
		return nan()
	}
	return s.ema.Push(x)
}

// Peek returns what Update(x) would, and leaves the stream as it is.
func (s *EMAStream) Peek(x float64) float64 {
	next := *s
	return next.Update(x)
}

// Reset forgets every value.
func (s *EMAStream) Reset() { s.ema.Reset() }

// Warmup returns how many leading values are NaN: n-1.
func (s *EMAStream) Warmup() int { return s.n - 1 }
