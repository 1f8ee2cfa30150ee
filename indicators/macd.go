package indicators

import (
	"github.com/ttai-go/ttai/indicators/internal/kernel"
	"github.com/ttai-go/ttai/internal/invalid"
)

// MACDValues are the outputs of [MACD], of equal length.
type MACDValues struct{ MACD, Signal, Histogram []float64 }

// MACDPoint is one bar of [MACDValues].
type MACDPoint struct{ MACD, Signal, Histogram float64 }

// MACD writes Appel's moving average convergence/divergence into dst and
// returns it:
//
//	MACD = EMA(closes, fast) - EMA(closes, slow)
//	Signal = EMA(MACD, signal)
//	Histogram = MACD - Signal
//
// Each average starts from the simple average of its own first values, as on
// TradingView: the first slow-1 values of MACD and slow+signal-2 of the others
// are NaN. Fast must be less than slow; the usual periods are 12, 26 and 9.
func MACD(dst MACDValues, closes []float64, fast, slow, signal int) MACDValues {
	dst.MACD = resize(dst.MACD, len(closes))
	dst.Signal = resize(dst.Signal, len(closes))
	dst.Histogram = resize(dst.Histogram, len(closes))
	if checkMACD(fast, slow, signal) != nil {
		fillNaN(dst.MACD)
		fillNaN(dst.Signal)
		fillNaN(dst.Histogram)
		return dst
	}
	s := newMACD(fast, slow, signal)
	for i, v := range closes {
		p := s.Update(v)
		dst.MACD[i], dst.Signal[i], dst.Histogram[i] = p.MACD, p.Signal, p.Histogram
	}
	return dst
}

// MACDStream is [MACD] one close at a time. It is not safe for concurrent use;
// make it with [NewMACD].
type MACDStream struct {
	fast, slow, signal kernel.EMA
	periods            [3]int
	warmup             int
}

// NewMACD returns a stream for periods from 1 to [MaxPeriod], fast below slow.
func NewMACD(fast, slow, signal int) (*MACDStream, error) {
	if err := checkMACD(fast, slow, signal); err != nil {
		return nil, err
	}
	s := newMACD(fast, slow, signal)
	return &s, nil
}

func newMACD(fast, slow, signal int) MACDStream {
	return MACDStream{fast: kernel.NewEMA(fast), slow: kernel.NewEMA(slow), signal: kernel.NewEMA(signal),
		periods: [3]int{fast, slow, signal}, warmup: slow + signal - 2}
}

func checkMACD(fast, slow, signal int) error {
	if err := checkPeriod("fast", fast); err != nil {
		return err
	}
	if err := checkPeriod("slow", slow); err != nil {
		return err
	}
	if err := checkPeriod("signal", signal); err != nil {
		return err
	}
	if fast >= slow {
		return invalid.Fieldf("fast", fast, "a period below slow, which is %d", slow)
	}
	return nil
}

// Update takes the next close and returns the lines, NaN during warm-up.
func (s *MACDStream) Update(x float64) MACDPoint {
	if !kernel.Finite(x) {
		return MACDPoint{nan(), nan(), nan()}
	}
	line := s.fast.Push(x) - s.slow.Push(x)
	if line != line {
		return MACDPoint{nan(), nan(), nan()}
	}
	signal := s.signal.Push(line)
	return MACDPoint{MACD: line, Signal: signal, Histogram: line - signal}
}

// Peek returns what Update(x) would, and leaves the stream as it is.
func (s *MACDStream) Peek(x float64) MACDPoint {
	next := *s
	return next.Update(x)
}

// Reset forgets every close.
func (s *MACDStream) Reset() {
	s.fast.Reset()
	s.slow.Reset()
	s.signal.Reset()
}

// Warmup returns how many leading bars have a NaN: slow+signal-2.
func (s *MACDStream) Warmup() int { return s.warmup }
