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
	var window [onStack]kernel.Cell
	s := BollingerStream{moments: kernel.NewMoments(window[:], n), n: n, k: k}
	var sums, squares [onStack]float64
	for from := 0; from < len(closes); from += onStack {
		to := min(from+onStack, len(closes))
		part := closes[from:to]
		if !kernel.AllFinite(part) {
			for i, v := range part {
				s.Update(v).put(dst, from+i)
			}
			continue
		}
		s.moments.Run(sums[:len(part)], squares[:len(part)], part)
		for i, v := range part {
			s.point(v, sums[i]/float64(n), squares[i]).put(dst, from+i)
		}
	}
	return dst
}

func (p BollingerPoint) put(dst BollingerValues, i int) {
	dst.Upper[i], dst.Middle[i], dst.Lower[i] = p.Upper, p.Middle, p.Lower
	dst.PercentB[i], dst.Bandwidth[i] = p.PercentB, p.Bandwidth
}

// BollingerStream is [Bollinger] one close at a time. It is not safe for
// concurrent use; make it with [NewBollinger].
type BollingerStream struct {
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
	return &BollingerStream{moments: kernel.NewMoments(nil, n), n: n, k: k}, nil
}

func checkBollinger(n int, k float64) error {
	if !(k >= 0 && k <= maxBollingerWidth) {
		return invalid.Fieldf("k", k, "a number from 0 to %d", maxBollingerWidth)
	}
	return checkPeriod("n", n)
}

// Update takes the next close and returns the bands, NaN during warm-up.
func (s *BollingerStream) Update(x float64) BollingerPoint {
	if !kernel.Finite(x) {
		return BollingerPoint{nan(), nan(), nan(), nan(), nan()}
	}
	sum, squares := s.moments.Push(x)
	return s.point(x, sum/float64(s.n), squares)
}

// Peek returns what Update(x) would, and leaves the stream as it is.
func (s *BollingerStream) Peek(x float64) BollingerPoint {
	if !kernel.Finite(x) {
		return BollingerPoint{nan(), nan(), nan(), nan(), nan()}
	}
	sum, squares := s.moments.Peek(x)
	return s.point(x, sum/float64(s.n), squares)
}

func (s *BollingerStream) point(x, mean, squares float64) BollingerPoint {
	width := float64(s.k * math.Sqrt(squares*s.moments.Inverse()))
	p := BollingerPoint{Upper: mean + width, Middle: mean, Lower: mean - width, PercentB: nan(), Bandwidth: nan()}
	if p.Upper > p.Lower {
		p.PercentB = (x - p.Lower) / (p.Upper - p.Lower)
	}
	if mean != 0 {
		p.Bandwidth = (p.Upper - p.Lower) / mean
	}
	return p
}

// Reset forgets every close.
func (s *BollingerStream) Reset() { s.moments.Reset() }

// Warmup returns how many leading values are NaN: n-1.
func (s *BollingerStream) Warmup() int { return s.n - 1 }
