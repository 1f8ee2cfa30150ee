package talib

import "github.com/ttai-go/ttai/indicators/internal/spec"

// momentums are TA-Lib's momentum indicators.
func momentums() []function {
	return []function{
		{name: "ADX", summary: "Wilder's average directional index: the strength of a trend, 0 to 100.",
			inputs: hlc(), params: period(14, 2), outputs: pane(),
			lookback: func(e env) int { return 2*e.int(0) - 1 + e.unstable },
			open:     func(e env) core { return newADX(e.int(0), e) }},
		{name: "ADXR", summary: "The mean of ADX and of ADX one period less a bar ago.",
			inputs: hlc(), params: period(14, 2), outputs: pane(),
			lookback: func(e env) int { return 3*e.int(0) - 2 + e.unstable },
			open:     func(e env) core { return newADXR(e.int(0), e) }},
		gapFunction("APO", "Absolute price oscillator: a fast average less a slow one.", false),
		{name: "AROON", summary: "How recent the period's low and high are, 100 for now.",
			inputs: pair(), params: period(14, 2), outputs: pane("AroonDown", "AroonUp"), lookback: nBars,
			open: func(e env) core { return aroonLines{newAroon(e.int(0))} }},
		{name: "AROONOSC", summary: "Aroon up less Aroon down.",
			inputs: pair(), params: period(14, 2), outputs: pane(), lookback: nBars,
			open: func(e env) core { return aroonOsc{newAroon(e.int(0))} }},
		{name: "BOP", summary: "Balance of power: the bar's body by its range, signed.",
			inputs: ohlc(), outputs: pane(), open: func(env) core { return fused4{f: balanceOfPower, whole: balancesOfPower} }},
		{name: "CCI", summary: "Commodity channel index: the typical price's distance from its average in mean deviations.",
			inputs: hlc(), params: period(14, 2), outputs: pane(), lookback: nLessOne,
			open: func(e env) core { return newCCI(e.int(0)) }},
		{name: "CMO", summary: "Chande's momentum oscillator with Wilder's smoothing, -100 to 100.",
			inputs: closes(), params: period(14, 2), outputs: pane(), lookback: relativeBars,
			open: func(e env) core { return newRelative(e.int(0), true, e) }},
		{name: "DX", summary: "Directional movement index: how one-sided movement is, 0 to 100.",
			inputs: hlc(), params: period(14, 2), outputs: pane(), lookback: nUnstable,
			open: func(e env) core { return newDirectional(e.int(0), formIndex, e) }},
		{name: "IMI", summary: "Intraday momentum index: the share of bodies that rose, 0 to 100.",
			inputs: []string{"open", "close"}, params: period(14, 2), outputs: pane(),
			lookback: func(e env) int { return e.int(0) - 1 + e.unstable },
			open:     func(e env) core { return newIMI(e.int(0) + e.unstable) }},
		{name: "MACD", summary: "Moving average convergence/divergence; the fast average starts late, with the slow.",
			inputs:  closes(),
			params:  []spec.Param{periodNamed("FastPeriod", 12, 2), periodNamed("SlowPeriod", 26, 2), periodNamed("SignalPeriod", 9, 1)},
			outputs: macdOutputs(),
			lookback: func(e env) int {
				return emaLookback(max(e.int(0), e.int(1)), e) + maLookback(TypeEMA, e.int(2), e)
			},
			open: func(e env) core { return newMACD(e.int(0), TypeEMA, e.int(1), TypeEMA, e.int(2), TypeEMA, e) }},
		{name: "MACDEXT", summary: "MACD with a kind of average for each of its three.",
			inputs: closes(),
			params: []spec.Param{periodNamed("FastPeriod", 12, 2), maType("FastMAType"), periodNamed("SlowPeriod", 26, 2), maType("SlowMAType"),
				periodNamed("SignalPeriod", 9, 1), maType("SignalMAType")},
			outputs: macdOutputs(),
			lookback: func(e env) int {
				return gapLookback(e.int(0), e.int(2), e.int(1), e.int(3), e) + maLookback(e.int(5), e.int(4), e)
			},
			open: func(e env) core {
				return newMACD(e.int(0), e.int(1), e.int(2), e.int(3), e.int(4), e.int(5), e)
			}},
		{name: "MACDFIX", summary: "MACD of 12 and 26 bars with the fixed factors 0.15 and 0.075.",
			inputs: closes(), params: []spec.Param{periodNamed("SignalPeriod", 9, 1)}, outputs: macdOutputs(),
			lookback: func(e env) int { return emaLookback(26, e) + maLookback(TypeEMA, e.int(0), e) },
			open:     func(e env) core { return newMACDFix(e.int(0), e) }},
		{name: "MFI", summary: "Money flow index: RSI of the typical price weighted by volume.",
			inputs: hlcv(), params: period(14, 2), outputs: pane(), lookback: nUnstable,
			open: func(e env) core { return newMFI(e.int(0), e) }},
		directionalFunction("MINUS_DI", "Wilder's minus directional indicator: downward movement by range, 0 to 100; with TimePeriod 1, 0 to 1.", formMinus),
		movementFunction("MINUS_DM", "Wilder's sum of downward movement, in price units.", true),
		changeFunction("MOM", "The change over the period, in price units.", changeMOM),
		directionalFunction("PLUS_DI", "Wilder's plus directional indicator: upward movement by range, 0 to 100; with TimePeriod 1, 0 to 1.", formPlus),
		movementFunction("PLUS_DM", "Wilder's sum of upward movement, in price units.", false),
		gapFunction("PPO", "Percentage price oscillator: a fast average less a slow one, in percent of the slow.", true),
		changeFunction("ROC", "The change over the period in percent.", changeROC),
		changeFunction("ROCP", "The change over the period as a fraction.", changeROCP),
		changeFunction("ROCR", "The ratio to the value a period ago.", changeROCR),
		changeFunction("ROCR100", "The ratio to the value a period ago, times 100.", changeROCR100),
		{name: "RSI", summary: "Wilder's relative strength index, 0 to 100; 0 where nothing moves.",
			inputs: closes(), params: period(14, 2), outputs: pane(), lookback: relativeBars,
			open: func(e env) core { return newRelative(e.int(0), false, e) }},
		{name: "STOCH", summary: "Stochastic: where the close stands in the period's range, smoothed, with its average.",
			inputs: hlc(),
			params: []spec.Param{periodNamed("FastK_Period", 5, 1), periodNamed("SlowK_Period", 3, 1), maType("SlowK_MAType"),
				periodNamed("SlowD_Period", 3, 1), maType("SlowD_MAType")},
			outputs: pane("SlowK", "SlowD"),
			lookback: func(e env) int {
				return e.int(0) - 1 + maLookback(e.int(2), e.int(1), e) + maLookback(e.int(4), e.int(3), e)
			},
			open: func(e env) core {
				return &stoch{k: newPlace(e.int(0), false), slow: newMA(e.int(2), e.int(1), e), d: newMA(e.int(4), e.int(3), e)}
			}},
		{name: "STOCHF", summary: "Fast stochastic: where the close stands in the period's range, with its average.",
			inputs:   hlc(),
			params:   []spec.Param{periodNamed("FastK_Period", 5, 1), periodNamed("FastD_Period", 3, 1), maType("FastD_MAType")},
			outputs:  pane("FastK", "FastD"),
			lookback: func(e env) int { return e.int(0) - 1 + maLookback(e.int(2), e.int(1), e) },
			open: func(e env) core {
				return &stoch{k: newPlace(e.int(0), false), d: newMA(e.int(2), e.int(1), e)}
			}},
		{name: "STOCHRSI", summary: "Fast stochastic of an RSI.",
			inputs:   closes(),
			params:   append(period(14, 2), periodNamed("FastK_Period", 5, 1), periodNamed("FastD_Period", 3, 1), maType("FastD_MAType")),
			outputs:  pane("FastK", "FastD"),
			lookback: func(e env) int { return relativeBars(e) + e.int(1) - 1 + maLookback(e.int(3), e.int(2), e) },
			open: func(e env) core {
				rsi := newRelative(e.int(0), false, e)
				rsi.faithful = true
				return &stochRSI{rsi: rsi, stoch: &stoch{k: newPlace(e.int(1), false), d: newMA(e.int(3), e.int(2), e)}}
			}},
		{name: "TRIX", summary: "One-bar change in percent of a triple exponential average.",
			inputs: closes(), params: period(30, 1), outputs: pane(),
			lookback: func(e env) int { return 3*maLookback(TypeEMA, e.int(0), e) + 1 },
			open:     func(e env) core { return newTRIX(e.int(0), e) }},
		{name: "ULTOSC", summary: "Williams' ultimate oscillator over three periods, 0 to 100.",
			inputs:   hlc(),
			params:   []spec.Param{periodNamed("TimePeriod1", 7, 1), periodNamed("TimePeriod2", 14, 1), periodNamed("TimePeriod3", 28, 1)},
			outputs:  pane(),
			lookback: func(e env) int { return max(e.int(0), e.int(1), e.int(2)) },
			open:     func(e env) core { return newUltimate(e.int(0), e.int(1), e.int(2)) }},
		{name: "WILLR", summary: "Williams' %R: the close's distance below the period's high, -100 to 0.",
			inputs: hlc(), params: period(14, 2), outputs: pane(), lookback: nLessOne,
			open: func(e env) core { return newPlace(e.int(0), true) }},
	}
}

func macdOutputs() []spec.Output { return pane("MACD", "MACDSignal", "MACDHist") }

func gapFunction(name, summary string, percent bool) function {
	return function{name: name, summary: summary, inputs: closes(),
		params:   []spec.Param{periodNamed("FastPeriod", 12, 2), periodNamed("SlowPeriod", 26, 2), maType("MAType")},
		outputs:  pane(),
		lookback: func(e env) int { return gapLookback(e.int(0), e.int(1), e.int(2), e.int(2), e) },
		open:     func(e env) core { return newGap(e.int(0), e.int(1), e.int(2), percent, e) }}
}

func directionalFunction(name, summary string, form directionalForm) function {
	return function{name: name, summary: summary, inputs: hlc(), params: period(14, 1), outputs: pane(),
		lookback: func(e env) int {
			if e.int(0) == 1 {
				return 1
			}
			return nUnstable(e)
		},
		open: func(e env) core { return newDirectional(e.int(0), form, e) }}
}

func movementFunction(name, summary string, down bool) function {
	return function{name: name, summary: summary, inputs: pair(), params: period(14, 1), outputs: pane(),
		lookback: func(e env) int { return dmLookback(e.int(0), e) },
		open:     func(e env) core { return newRawMovement(e.int(0), down, e) }}
}

func changeFunction(name, summary string, form changeForm) function {
	return function{name: name, summary: summary, inputs: closes(), params: period(10, 1), outputs: pane(), lookback: nBars,
		open: func(e env) core { return newChange(e.int(0), form) }}
}

func balanceOfPower(open, high, low, close float64) float64 {
	if span := high - low; span >= epsilon {
		return (close - open) / span
	}
	return 0
}
