package indicators

import "github.com/ttai-go/ttai/indicators/internal/kernel"

// SMA writes the simple moving average of the last n values of x into dst and
// returns it:
//
//	SMA(t) = (x(t-n+1) + … + x(t)) / n
//
// Its first n-1 values are NaN. Windows are summed afresh block by block:
// rounding errors do not accumulate over the series.
func SMA(dst, x []float64, n int) []float64 {
	dst = resize(dst, len(x))
	if !validPeriod(n) || n > len(x) {
		return fillNaN(dst)
	}
	var window [onStack]float64
	sum := kernel.NewSum(window[:], n)
	if &x[0] != &dst[0] {
		sum.Means(dst, x)
		return dst
	}
	var copied [onStack]float64
	for from := 0; from < len(x); from += onStack {
		to := min(from+onStack, len(x))
		sum.Means(dst[from:to], copied[:copy(copied[:], x[from:to])])
	}
	return dst
}

// SMAStream is [SMA] one value at a time. It is not safe for concurrent use;
// make it with [NewSMA].
type SMAStream struct {
	sum kernel.Sum
	n   int
}

// NewSMA returns a stream of the average of n values, 1 to [MaxPeriod].
func NewSMA(n int) (*SMAStream, error) {
	if err := checkPeriod("n", n); err != nil {
		return nil, err
	}
	return &SMAStream{sum: kernel.NewSum(nil, n), n: n}, nil
}

// Update takes the next value and returns the average, NaN during warm-up.
func (s *SMAStream) Update(x float64) float64 {
	if !kernel.Finite(x) {
		return nan()
	}
	return s.sum.Push(x) / float64(s.n)
}

// Peek returns what Update(x) would, and leaves the stream as it is.
func (s *SMAStream) Peek(x float64) float64 {
	if !kernel.Finite(x) {
		return nan()
	}
	return s.sum.Peek(x) / float64(s.n)
}

// Reset forgets every value.
func (s *SMAStream) Reset() { s.sum.Reset() }

// Warmup returns how many leading values are NaN: n-1.
func (s *SMAStream) Warmup() int { return s.n - 1 }
