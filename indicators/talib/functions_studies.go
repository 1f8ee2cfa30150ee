package talib

// ACCBANDSValues are the outputs of [ACCBANDS].
type ACCBANDSValues struct{ RealUpperBand, RealMiddleBand, RealLowerBand []float64 }

// ACCBANDS computes talib:ACCBANDS. Acceleration bands: averages of prices widened by the bar's relative range.
func ACCBANDS(dst ACCBANDSValues, high, low, close []float64, timePeriod int) ACCBANDSValues {
	out := [][]float64{dst.RealUpperBand, dst.RealMiddleBand, dst.RealLowerBand}
	call("ACCBANDS", out, [][]float64{high, low, close}, float64(timePeriod))
	return ACCBANDSValues{out[0], out[1], out[2]}
}

// BBANDSValues are the outputs of [BBANDS].
type BBANDSValues struct{ RealUpperBand, RealMiddleBand, RealLowerBand []float64 }

// BBANDS computes talib:BBANDS. Bollinger bands: population deviations either side of a moving average.
func BBANDS(dst BBANDSValues, x []float64, timePeriod int, nbDevUp, nbDevDn float64, maType int) BBANDSValues {
	out := [][]float64{dst.RealUpperBand, dst.RealMiddleBand, dst.RealLowerBand}
	call("BBANDS", out, [][]float64{x}, float64(timePeriod), nbDevUp, nbDevDn, float64(maType))
	return BBANDSValues{out[0], out[1], out[2]}
}

// DEMA computes talib:DEMA. Double exponential average: twice the average less its own average.
func DEMA(dst, x []float64, timePeriod int) []float64 {
	return call1("DEMA", dst, [][]float64{x}, float64(timePeriod))
}

// EMA computes talib:EMA. Exponential moving average from a simple average of the first values.
func EMA(dst, x []float64, timePeriod int) []float64 {
	return call1("EMA", dst, [][]float64{x}, float64(timePeriod))
}

// HT_TRENDLINE computes talib:HT_TRENDLINE. Ehlers' instantaneous trendline: the price averaged over the dominant cycle.
func HT_TRENDLINE(dst, x []float64) []float64 {
	return call1("HT_TRENDLINE", dst, [][]float64{x})
}

// KAMA computes talib:KAMA. Kaufman's adaptive average, fast where the price goes straight.
func KAMA(dst, x []float64, timePeriod int) []float64 {
	return call1("KAMA", dst, [][]float64{x}, float64(timePeriod))
}

// MA computes talib:MA. A moving average of the kind MAType: 0 SMA, 1 EMA, 2 WMA, 3 DEMA, 4 TEMA, 5 TRIMA, 6 KAMA, 7 MAMA, 8 T3.
func MA(dst, x []float64, timePeriod, maType int) []float64 {
	return call1("MA", dst, [][]float64{x}, float64(timePeriod), float64(maType))
}

// MAMAValues are the outputs of [MAMA].
type MAMAValues struct{ MAMA, FAMA []float64 }

// MAMA computes talib:MAMA. Ehlers' MESA adaptive average and the slower one that follows it.
func MAMA(dst MAMAValues, x []float64, fastLimit, slowLimit float64) MAMAValues {
	out := [][]float64{dst.MAMA, dst.FAMA}
	call("MAMA", out, [][]float64{x}, fastLimit, slowLimit)
	return MAMAValues{out[0], out[1]}
}

// MAVP computes talib:MAVP. A moving average whose period each bar states, held between MinPeriod and MaxPeriod.
func MAVP(dst, x, periods []float64, minPeriod, maxPeriod, maType int) []float64 {
	return call1("MAVP", dst, [][]float64{x, periods}, float64(minPeriod), float64(maxPeriod), float64(maType))
}

// MIDPOINT computes talib:MIDPOINT. Halfway between the highest and the lowest value of the period.
func MIDPOINT(dst, x []float64, timePeriod int) []float64 {
	return call1("MIDPOINT", dst, [][]float64{x}, float64(timePeriod))
}

// MIDPRICE computes talib:MIDPRICE. Halfway between the highest high and the lowest low of the period.
func MIDPRICE(dst, high, low []float64, timePeriod int) []float64 {
	return call1("MIDPRICE", dst, [][]float64{high, low}, float64(timePeriod))
}

// SAR computes talib:SAR. Wilder's parabolic stop and reverse.
func SAR(dst, high, low []float64, acceleration, maximum float64) []float64 {
	return call1("SAR", dst, [][]float64{high, low}, acceleration, maximum)
}

// SAREXT computes talib:SAREXT. Parabolic stop with a start and factors for each side; negative while short.
func SAREXT(dst, high, low []float64, startValue, offsetOnReverse, accelerationInitLong, accelerationLong, accelerationMaxLong, accelerationInitShort, accelerationShort, accelerationMaxShort float64) []float64 {
	return call1("SAREXT", dst, [][]float64{high, low}, startValue, offsetOnReverse, accelerationInitLong, accelerationLong, accelerationMaxLong, accelerationInitShort, accelerationShort, accelerationMaxShort)
}

// SMA computes talib:SMA. Simple moving average.
func SMA(dst, x []float64, timePeriod int) []float64 {
	return call1("SMA", dst, [][]float64{x}, float64(timePeriod))
}

// T3 computes talib:T3. Tillson's T3: six exponential averages, sharpened by the volume factor.
func T3(dst, x []float64, timePeriod int, vFactor float64) []float64 {
	return call1("T3", dst, [][]float64{x}, float64(timePeriod), vFactor)
}

// TEMA computes talib:TEMA. Triple exponential average.
func TEMA(dst, x []float64, timePeriod int) []float64 {
	return call1("TEMA", dst, [][]float64{x}, float64(timePeriod))
}

// TRIMA computes talib:TRIMA. Triangular average: a simple average of a simple average.
func TRIMA(dst, x []float64, timePeriod int) []float64 {
	return call1("TRIMA", dst, [][]float64{x}, float64(timePeriod))
}

// WMA computes talib:WMA. Average with weights that rise in a line to the newest value.
func WMA(dst, x []float64, timePeriod int) []float64 {
	return call1("WMA", dst, [][]float64{x}, float64(timePeriod))
}

// ADX computes talib:ADX. Wilder's average directional index: the strength of a trend, 0 to 100.
func ADX(dst, high, low, close []float64, timePeriod int) []float64 {
	return call1("ADX", dst, [][]float64{high, low, close}, float64(timePeriod))
}

// ADXR computes talib:ADXR. The mean of ADX and of ADX one period less a bar ago.
func ADXR(dst, high, low, close []float64, timePeriod int) []float64 {
	return call1("ADXR", dst, [][]float64{high, low, close}, float64(timePeriod))
}

// APO computes talib:APO. Absolute price oscillator: a fast average less a slow one.
func APO(dst, x []float64, fastPeriod, slowPeriod, maType int) []float64 {
	return call1("APO", dst, [][]float64{x}, float64(fastPeriod), float64(slowPeriod), float64(maType))
}

// AROONValues are the outputs of [AROON].
type AROONValues struct{ AroonDown, AroonUp []float64 }

// AROON computes talib:AROON. How recent the period's low and high are, 100 for now.
func AROON(dst AROONValues, high, low []float64, timePeriod int) AROONValues {
	out := [][]float64{dst.AroonDown, dst.AroonUp}
	call("AROON", out, [][]float64{high, low}, float64(timePeriod))
	return AROONValues{out[0], out[1]}
}

// AROONOSC computes talib:AROONOSC. Aroon up less Aroon down.
func AROONOSC(dst, high, low []float64, timePeriod int) []float64 {
	return call1("AROONOSC", dst, [][]float64{high, low}, float64(timePeriod))
}

// BOP computes talib:BOP. Balance of power: the bar's body by its range, signed.
func BOP(dst, open, high, low, close []float64) []float64 {
	return call1("BOP", dst, [][]float64{open, high, low, close})
}

// CCI computes talib:CCI. Commodity channel index: the typical price's distance from its average in mean deviations.
func CCI(dst, high, low, close []float64, timePeriod int) []float64 {
	return call1("CCI", dst, [][]float64{high, low, close}, float64(timePeriod))
}

// CMO computes talib:CMO. Chande's momentum oscillator with Wilder's smoothing, -100 to 100.
func CMO(dst, x []float64, timePeriod int) []float64 {
	return call1("CMO", dst, [][]float64{x}, float64(timePeriod))
}

// DX computes talib:DX. Directional movement index: how one-sided movement is, 0 to 100.
func DX(dst, high, low, close []float64, timePeriod int) []float64 {
	return call1("DX", dst, [][]float64{high, low, close}, float64(timePeriod))
}

// IMI computes talib:IMI. Intraday momentum index: the share of bodies that rose, 0 to 100.
func IMI(dst, open, close []float64, timePeriod int) []float64 {
	return call1("IMI", dst, [][]float64{open, close}, float64(timePeriod))
}

// MACDValues are the outputs of [MACD].
type MACDValues struct{ MACD, MACDSignal, MACDHist []float64 }

// MACD computes talib:MACD. Moving average convergence/divergence; the fast average starts late, with the slow.
func MACD(dst MACDValues, x []float64, fastPeriod, slowPeriod, signalPeriod int) MACDValues {
	out := [][]float64{dst.MACD, dst.MACDSignal, dst.MACDHist}
	call("MACD", out, [][]float64{x}, float64(fastPeriod), float64(slowPeriod), float64(signalPeriod))
	return MACDValues{out[0], out[1], out[2]}
}

// MACDEXTValues are the outputs of [MACDEXT].
type MACDEXTValues struct{ MACD, MACDSignal, MACDHist []float64 }

// MACDEXT computes talib:MACDEXT. MACD with a kind of average for each of its three.
func MACDEXT(dst MACDEXTValues, x []float64, fastPeriod, fastMAType, slowPeriod, slowMAType, signalPeriod, signalMAType int) MACDEXTValues {
	out := [][]float64{dst.MACD, dst.MACDSignal, dst.MACDHist}
	call("MACDEXT", out, [][]float64{x}, float64(fastPeriod), float64(fastMAType), float64(slowPeriod), float64(slowMAType), float64(signalPeriod), float64(signalMAType))
	return MACDEXTValues{out[0], out[1], out[2]}
}

// MACDFIXValues are the outputs of [MACDFIX].
type MACDFIXValues struct{ MACD, MACDSignal, MACDHist []float64 }

// MACDFIX computes talib:MACDFIX. MACD of 12 and 26 bars with the fixed factors 0.15 and 0.075.
func MACDFIX(dst MACDFIXValues, x []float64, signalPeriod int) MACDFIXValues {
	out := [][]float64{dst.MACD, dst.MACDSignal, dst.MACDHist}
	call("MACDFIX", out, [][]float64{x}, float64(signalPeriod))
	return MACDFIXValues{out[0], out[1], out[2]}
}

// MFI computes talib:MFI. Money flow index: RSI of the typical price weighted by volume.
func MFI(dst, high, low, close, volume []float64, timePeriod int) []float64 {
	return call1("MFI", dst, [][]float64{high, low, close, volume}, float64(timePeriod))
}

// MINUS_DI computes talib:MINUS_DI. Wilder's minus directional indicator: downward movement by range, 0 to 100; with TimePeriod 1, 0 to 1.
func MINUS_DI(dst, high, low, close []float64, timePeriod int) []float64 {
	return call1("MINUS_DI", dst, [][]float64{high, low, close}, float64(timePeriod))
}

// MINUS_DM computes talib:MINUS_DM. Wilder's sum of downward movement, in price units.
func MINUS_DM(dst, high, low []float64, timePeriod int) []float64 {
	return call1("MINUS_DM", dst, [][]float64{high, low}, float64(timePeriod))
}

// MOM computes talib:MOM. The change over the period, in price units.
func MOM(dst, x []float64, timePeriod int) []float64 {
	return call1("MOM", dst, [][]float64{x}, float64(timePeriod))
}

// PLUS_DI computes talib:PLUS_DI. Wilder's plus directional indicator: upward movement by range, 0 to 100; with TimePeriod 1, 0 to 1.
func PLUS_DI(dst, high, low, close []float64, timePeriod int) []float64 {
	return call1("PLUS_DI", dst, [][]float64{high, low, close}, float64(timePeriod))
}

// PLUS_DM computes talib:PLUS_DM. Wilder's sum of upward movement, in price units.
func PLUS_DM(dst, high, low []float64, timePeriod int) []float64 {
	return call1("PLUS_DM", dst, [][]float64{high, low}, float64(timePeriod))
}

// PPO computes talib:PPO. Percentage price oscillator: a fast average less a slow one, in percent of the slow.
func PPO(dst, x []float64, fastPeriod, slowPeriod, maType int) []float64 {
	return call1("PPO", dst, [][]float64{x}, float64(fastPeriod), float64(slowPeriod), float64(maType))
}

// ROC computes talib:ROC. The change over the period in percent.
func ROC(dst, x []float64, timePeriod int) []float64 {
	return call1("ROC", dst, [][]float64{x}, float64(timePeriod))
}

// ROCP computes talib:ROCP. The change over the period as a fraction.
func ROCP(dst, x []float64, timePeriod int) []float64 {
	return call1("ROCP", dst, [][]float64{x}, float64(timePeriod))
}

// ROCR computes talib:ROCR. The ratio to the value a period ago.
func ROCR(dst, x []float64, timePeriod int) []float64 {
	return call1("ROCR", dst, [][]float64{x}, float64(timePeriod))
}

// ROCR100 computes talib:ROCR100. The ratio to the value a period ago, times 100.
func ROCR100(dst, x []float64, timePeriod int) []float64 {
	return call1("ROCR100", dst, [][]float64{x}, float64(timePeriod))
}

// RSI computes talib:RSI. Wilder's relative strength index, 0 to 100; 0 where nothing moves.
func RSI(dst, x []float64, timePeriod int) []float64 {
	return call1("RSI", dst, [][]float64{x}, float64(timePeriod))
}

// STOCHValues are the outputs of [STOCH].
type STOCHValues struct{ SlowK, SlowD []float64 }

// STOCH computes talib:STOCH. Stochastic: where the close stands in the period's range, smoothed, with its average.
func STOCH(dst STOCHValues, high, low, close []float64, fastKPeriod, slowKPeriod, slowKMAType, slowDPeriod, slowDMAType int) STOCHValues {
	out := [][]float64{dst.SlowK, dst.SlowD}
	call("STOCH", out, [][]float64{high, low, close}, float64(fastKPeriod), float64(slowKPeriod), float64(slowKMAType), float64(slowDPeriod), float64(slowDMAType))
	return STOCHValues{out[0], out[1]}
}

// STOCHFValues are the outputs of [STOCHF].
type STOCHFValues struct{ FastK, FastD []float64 }

// STOCHF computes talib:STOCHF. Fast stochastic: where the close stands in the period's range, with its average.
func STOCHF(dst STOCHFValues, high, low, close []float64, fastKPeriod, fastDPeriod, fastDMAType int) STOCHFValues {
	out := [][]float64{dst.FastK, dst.FastD}
	call("STOCHF", out, [][]float64{high, low, close}, float64(fastKPeriod), float64(fastDPeriod), float64(fastDMAType))
	return STOCHFValues{out[0], out[1]}
}

// STOCHRSIValues are the outputs of [STOCHRSI].
type STOCHRSIValues struct{ FastK, FastD []float64 }

// STOCHRSI computes talib:STOCHRSI. Fast stochastic of an RSI.
func STOCHRSI(dst STOCHRSIValues, x []float64, timePeriod, fastKPeriod, fastDPeriod, fastDMAType int) STOCHRSIValues {
	out := [][]float64{dst.FastK, dst.FastD}
	call("STOCHRSI", out, [][]float64{x}, float64(timePeriod), float64(fastKPeriod), float64(fastDPeriod), float64(fastDMAType))
	return STOCHRSIValues{out[0], out[1]}
}

// TRIX computes talib:TRIX. One-bar change in percent of a triple exponential average.
func TRIX(dst, x []float64, timePeriod int) []float64 {
	return call1("TRIX", dst, [][]float64{x}, float64(timePeriod))
}

// ULTOSC computes talib:ULTOSC. Williams' ultimate oscillator over three periods, 0 to 100.
func ULTOSC(dst, high, low, close []float64, timePeriod1, timePeriod2, timePeriod3 int) []float64 {
	return call1("ULTOSC", dst, [][]float64{high, low, close}, float64(timePeriod1), float64(timePeriod2), float64(timePeriod3))
}

// WILLR computes talib:WILLR. Williams' %R: the close's distance below the period's high, -100 to 0.
func WILLR(dst, high, low, close []float64, timePeriod int) []float64 {
	return call1("WILLR", dst, [][]float64{high, low, close}, float64(timePeriod))
}

// AD computes talib:AD. Chaikin's accumulation/distribution line: volume weighted by where the close stands in the bar.
func AD(dst, high, low, close, volume []float64) []float64 {
	return call1("AD", dst, [][]float64{high, low, close, volume})
}

// ADOSC computes talib:ADOSC. Chaikin's oscillator: a fast average of the accumulation/distribution line less a slow one.
func ADOSC(dst, high, low, close, volume []float64, fastPeriod, slowPeriod int) []float64 {
	return call1("ADOSC", dst, [][]float64{high, low, close, volume}, float64(fastPeriod), float64(slowPeriod))
}

// OBV computes talib:OBV. On-balance volume, from the first bar's volume.
func OBV(dst, close, volume []float64) []float64 {
	return call1("OBV", dst, [][]float64{close, volume})
}

// ATR computes talib:ATR. Wilder's average true range, without the first bar's.
func ATR(dst, high, low, close []float64, timePeriod int) []float64 {
	return call1("ATR", dst, [][]float64{high, low, close}, float64(timePeriod))
}

// NATR computes talib:NATR. Average true range in percent of the close; with TimePeriod 1 the true range itself.
func NATR(dst, high, low, close []float64, timePeriod int) []float64 {
	return call1("NATR", dst, [][]float64{high, low, close}, float64(timePeriod))
}

// TRANGE computes talib:TRANGE. True range: the bar's reach, with the gap from the close before.
func TRANGE(dst, high, low, close []float64) []float64 {
	return call1("TRANGE", dst, [][]float64{high, low, close})
}

// HT_DCPERIOD computes talib:HT_DCPERIOD. The dominant cycle's period in bars, by Hilbert transform.
func HT_DCPERIOD(dst, x []float64) []float64 {
	return call1("HT_DCPERIOD", dst, [][]float64{x})
}

// HT_DCPHASE computes talib:HT_DCPHASE. The dominant cycle's phase in degrees, -45 to 315.
func HT_DCPHASE(dst, x []float64) []float64 {
	return call1("HT_DCPHASE", dst, [][]float64{x})
}

// HTPHASORValues are the outputs of [HT_PHASOR].
type HTPHASORValues struct{ InPhase, Quadrature []float64 }

// HT_PHASOR computes talib:HT_PHASOR. The in-phase and quadrature parts of the price.
func HT_PHASOR(dst HTPHASORValues, x []float64) HTPHASORValues {
	out := [][]float64{dst.InPhase, dst.Quadrature}
	call("HT_PHASOR", out, [][]float64{x})
	return HTPHASORValues{out[0], out[1]}
}

// HTSINEValues are the outputs of [HT_SINE].
type HTSINEValues struct{ Sine, LeadSine []float64 }

// HT_SINE computes talib:HT_SINE. The sine of the dominant cycle's phase, and the same 45 degrees ahead.
func HT_SINE(dst HTSINEValues, x []float64) HTSINEValues {
	out := [][]float64{dst.Sine, dst.LeadSine}
	call("HT_SINE", out, [][]float64{x})
	return HTSINEValues{out[0], out[1]}
}

// HT_TRENDMODE computes talib:HT_TRENDMODE. 1 when the market trends, 0 when it cycles.
func HT_TRENDMODE(dst, x []float64) []float64 {
	return call1("HT_TRENDMODE", dst, [][]float64{x})
}
