package indicators

import (
	"math"

	"github.com/ttai-go/ttai/indicators/internal/kernel"
	"github.com/ttai-go/ttai/internal/invalid"
)

// BollingerValues are the outputs of [Bollinger], of equal length.
type BollingerValues struct {
	Upper, Middle, Lower []float64 // in the units of the input
	PercentB             []float64 // 0 at the lower band, 1 at the upper; NaN when they meet
	Bandwidth            []float64 // (Upper-Lower)/Middle
}

// BollingerPoint is one bar of [BollingerValues].
type BollingerPoint struct{ Upper, Middle, Lower, PercentB, Bandwidth float64 }

// maxBollingerWidth bounds the number of deviations.
const maxBollingerWidth = 1000

// Bollinger writes Bollinger bands of closes into dst and returns them:
//
//	Middle = SMA(closes, n)
//	Upper, Lower = Middle ± k·deviation
//	PercentB = (close-Lower)/(Upper-Lower)
//	Bandwidth = (Upper-Lower)/Middle
//
// The deviation is the population's (divided by n) over the same n values, as
// in Bollinger on Bollinger Bands (2001) and on TradingView. It is exact to
// about n units in the last place whatever the price level. The first n-1
// values are NaN; the usual parameters are 20 and 2, k may be 0 to 1000.
func Bollinger(dst BollingerValues, closes []float64, n int, k float64) BollingerValues {
	dst.Upper = resize(dst.Upper, len(closes))
	dst.Middle = resize(dst.Middle, len(closes))
	dst.Lower = resize(dst.Lower, len(closes))
	dst.PercentB = resize(dst.PercentB, len(closes))
	dst.Bandwidth = resize(dst.Bandwidth, len(closes))
	if checkBollinger(n, k) != nil || n > len(closes) {
		for _, column := range [][]float64{dst.Upper, dst.Middle, dst.Lower, dst.PercentB, dst.Bandwidth} {
			fillNaN(column)
		}
		return dst
	}
	var window [2 * onStack]float64
	var raw [onStack]float64
	s := BollingerStream{sum: kernel.NewSum(raw[:], n), moments: kernel.NewMoments(window[:], n), n: n, k: k}
	var means, squares [onStack]float64
	for from := 0; from < len(closes); from += onStack {
		to := min(from+onStack, len(closes))
		part := closes[from:to]
		s.moments.Each(means[:len(part)], squares[:len(part)], part)
		s.sum.Means(means[:len(part)], part) // SMA's bits
		s.points(BollingerValues{dst.Upper[from:to], dst.Middle[from:to], dst.Lower[from:to], dst.PercentB[from:to], dst.Bandwidth[from:to]},
			part, means[:len(part)], squares[:len(part)])
	}
	return dst
}

// points is point of every close. A column may be where the closes are.
func (s *BollingerStream) points(dst BollingerValues, closes, means, squares []float64) {
	n, k, inverse := len(closes), s.k, s.moments.Inverse()
	uppers, middles, lowers := dst.Upper[:n], dst.Middle[:n], dst.Lower[:n]
	shares, widths := dst.PercentB[:n], dst.Bandwidth[:n]
	means, squares = means[:n], squares[:n]
	for i, x := range closes {
		mean, width := means[i], float64(k*math.Sqrt(squares[i]*inverse))
		upper, lower := mean+width, mean-width
		span, share, relative := upper-lower, nan(), nan()
		if upper > lower {
			share = (x - lower) / span
		}
		if mean != 0 {
			relative = span / mean
		}
		uppers[i], middles[i], lowers[i], shares[i], widths[i] = upper, mean, lower, share, relative
	}
}

// BollingerStream is [Bollinger] one close at a time. It is not safe for
// concurrent use; make it with [NewBollinger].
type BollingerStream struct {
	sum     kernel.Sum
	moments kernel.Moments
	n       int
	k       float64
}

// NewBollinger returns a stream of bands k deviations (0 to 1000) around the
// average of n values, 1 to [MaxPeriod].
func NewBollinger(n int, k float64) (*BollingerStream, error) {
	if err := checkBollinger(n, k); err != nil {
		return nil, err
	}
	return &BollingerStream{sum: kernel.NewSum(nil, n), moments: kernel.NewMoments(nil, n), n: n, k: k}, nil
}

func checkBollinger(n int, k float64) error {
	if !(k >= 0 && k <= maxBollingerWidth) {
		return invalid.Fieldf("k", k, "a number from 0 to %d", maxBollingerWidth)
	}
	return checkPeriod("n", n)
}

// Update takes the next close and returns the bands, NaN during warm-up.
func (s *BollingerStream) Update(x float64) (p BollingerPoint) {
	mean, squares := nan(), nan()
	if kernel.Finite(x) {
		_, squares = s.moments.Push(x)
		mean = s.sum.Push(x) / float64(s.n)
	}
	s.point(&p, x, mean, squares)
	return p
}

// Peek returns what Update(x) would, and leaves the stream as it is.
func (s *BollingerStream) Peek(x float64) (p BollingerPoint) {
	mean, squares := nan(), nan()
	if kernel.Finite(x) {
		_, squares = s.moments.Peek(x)
		mean = s.sum.Peek(x) / float64(s.n)
	}
	s.point(&p, x, mean, squares)
	return p
}

// point writes field by field: what is copied as a whole waits for all of them.
func (s *BollingerStream) point(p *BollingerPoint, x, mean, squares float64) {
	width := float64(s.k * math.Sqrt(squares*s.moments.Inverse()))
	upper, lower := mean+width, mean-width
	span, share, relative := upper-lower, nan(), nan()
	if upper > lower {
		share = (x - lower) / span
	}
	if mean != 0 {
		relative = span / mean
	}
	p.Upper, p.Middle, p.Lower, p.PercentB, p.Bandwidth = upper, mean, lower, share, relative
}

// Reset forgets every close.
func (s *BollingerStream) Reset() {
	s.sum.Reset()
	s.moments.Reset()
}

// Warmup returns how many leading values are NaN: n-1.
func (s *BollingerStream) Warmup() int { return s.n - 1 }
