package indicators

import "github.com/ttai-go/ttai/indicators/internal/spec"

// An owned stream is one without a machine that says whose it is, so that
// [Restore] refuses the snapshot of another: its state may be as large.
type owned interface{ owner() uint64 }

func identity(name string, params ...float64) uint64 { return spec.Identity(name, params) }

func (s *SMAStream) owner() uint64       { return identity("SMA", float64(s.n)) }
func (s *EMAStream) owner() uint64       { return identity("EMA", float64(s.n)) }
func (s *RSIStream) owner() uint64       { return identity("RSI", float64(s.n)) }
func (s *ATRStream) owner() uint64       { return identity("ATR", float64(s.n)) }
func (s *ADXStream) owner() uint64       { return identity("ADX", float64(s.n)) }
func (s *BollingerStream) owner() uint64 { return identity("Bollinger", float64(s.n), s.k) }
func (s *MACDStream) owner() uint64 {
	return identity("MACD", float64(s.periods[0]), float64(s.periods[1]), float64(s.periods[2]))
}
func (s *HistoricalVolatilityStream) owner() uint64 {
	return identity("HistoricalVolatility", float64(s.n), s.scale)
}
func (s *CrossesStream) owner() uint64    { return identity("Crosses") }
func (s *ThresholdsStream) owner() uint64 { return identity("Thresholds", s.low, s.high) }
func (s *SlopesStream) owner() uint64 {
	return identity("Slopes", float64(len(s.before)), s.least)
}
