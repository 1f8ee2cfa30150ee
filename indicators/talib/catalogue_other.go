package talib

import (
	"math"

	"github.com/ttai-go/ttai/indicators/internal/spec"
	"github.com/ttai-go/ttai/internal/invalid"
)

// maxVariablePeriod bounds MAVP, which keeps an average for every period.
const maxVariablePeriod = 1000

func checkMAVP(p []float64) error {
	if p[0] > p[1] {
		return invalid.Fieldf("MinPeriod", p[0], "at most MaxPeriod, %v", p[1])
	}
	return nil
}

// volumes are TA-Lib's volume and volatility indicators.
func volumes() []function {
	return []function{
		{name: "AD", summary: "Chaikin's accumulation/distribution line: volume weighted by where the close stands in the bar.",
			inputs: hlcv(), outputs: pane(), open: func(env) core { return &accumulation{} }},
		{name: "ADOSC", summary: "Chaikin's oscillator: a fast average of the accumulation/distribution line less a slow one.",
			inputs: hlcv(), params: []spec.Param{periodNamed("FastPeriod", 3, 2), periodNamed("SlowPeriod", 10, 2)}, outputs: pane(),
			lookback: func(e env) int { return emaLookback(max(e.int(0), e.int(1)), e) },
			open:     func(e env) core { return newChaikin(e.int(0), e.int(1), e) }},
		{name: "OBV", summary: "On-balance volume, from the first bar's volume.",
			inputs: []string{"close", "volume"}, outputs: pane(), open: func(env) core { return &obv{} }},
		{name: "ATR", summary: "Wilder's average true range, without the first bar's.",
			inputs: hlc(), params: period(14, 1), outputs: pane(), lookback: nUnstable,
			open: func(e env) core { return newATR(e.int(0), false, e) }},
		{name: "NATR", summary: "Average true range in percent of the close; with TimePeriod 1 the true range itself.",
			inputs: hlc(), params: period(14, 1), outputs: pane(), lookback: nUnstable,
			open: func(e env) core { return newATR(e.int(0), true, e) }},
		{name: "TRANGE", summary: "True range: the bar's reach, with the gap from the close before.",
			inputs: hlc(), outputs: pane(), lookback: oneBar, open: func(env) core { return &trange{} }},
	}
}

// cycles are TA-Lib's cycle indicators, after Ehlers.
func cycles() []function {
	short := func(e env) int { return periodLookback + e.unstable }
	long := func(e env) int { return cycleLookback + e.unstable }
	return []function{
		{name: "HT_DCPERIOD", summary: "The dominant cycle's period in bars, by Hilbert transform.",
			inputs: closes(), outputs: pane(), lookback: short,
			open: func(e env) core { return &htPeriod{newHilbert(periodStart), short(e)} }},
		{name: "HT_DCPHASE", summary: "The dominant cycle's phase in degrees, -45 to 315.",
			inputs: closes(), outputs: pane(), lookback: long,
			open: func(e env) core { return &htPhase{newCycle(e.unstable)} }},
		{name: "HT_PHASOR", summary: "The in-phase and quadrature parts of the price.",
			inputs: closes(), outputs: pane("InPhase", "Quadrature"), lookback: short,
			open: func(e env) core { return &htPhasor{newHilbert(periodStart), short(e)} }},
		{name: "HT_SINE", summary: "The sine of the dominant cycle's phase, and the same 45 degrees ahead.",
			inputs: closes(), outputs: pane("Sine", "LeadSine"), lookback: long,
			open: func(e env) core { return &htSine{cycle: newCycle(e.unstable)} }},
		{name: "HT_TRENDMODE", summary: "1 when the market trends, 0 when it cycles.",
			inputs: closes(), outputs: pane("Integer"), lookback: long,
			open: func(e env) core { return &htTrendMode{newCycle(e.unstable)} }},
	}
}

// statistics are TA-Lib's statistic functions and price transforms.
func statistics() []function {
	return []function{
		{name: "AVGPRICE", summary: "The mean of open, high, low and close.", inputs: ohlc(), outputs: overlay(),
			open: func(env) core {
				return fused4{f: func(o, h, l, c float64) float64 { return (h + l + c + o) / 4 }, whole: averagePrice}
			}},
		{name: "MEDPRICE", summary: "The mean of high and low.", inputs: pair(), outputs: overlay(),
			open: func(env) core {
				return fused2{f: func(h, l float64) float64 { return (h + l) / 2 }, whole: medianPrice}
			}},
		{name: "TYPPRICE", summary: "The mean of high, low and close.", inputs: hlc(), outputs: overlay(),
			open: func(env) core {
				return fused3{f: func(h, l, c float64) float64 { return (h + l + c) / 3 }, whole: typicalPrice}
			}},
		{name: "WCLPRICE", summary: "The mean of high, low and twice the close.", inputs: hlc(), outputs: overlay(),
			open: func(env) core {
				return fused3{f: func(h, l, c float64) float64 { return (h + l + c*2) / 4 }, whole: weightedClose}
			}},
		{name: "AVGDEV", summary: "The mean distance from the period's mean.",
			inputs: closes(), params: period(14, 2), outputs: pane(), lookback: nLessOne,
			open: func(e env) core { return newAvgDev(e.int(0)) }},
		{name: "BETA", summary: "The slope of the second series' returns on those of the first.",
			inputs: pair(), params: period(5, 1), outputs: pane(), lookback: nBars,
			open: func(e env) core { return newBeta(e.int(0)) }},
		{name: "CORREL", summary: "Pearson's correlation of two series, -1 to 1.",
			inputs: pair(), params: period(30, 1), outputs: pane(), lookback: nLessOne,
			open: func(e env) core { return newCorrelation(e.int(0)) }},
		lineFunction("LINEARREG", "The end of the least-squares line through the period.", lineEnd, true),
		lineFunction("LINEARREG_ANGLE", "The angle of the least-squares line, in degrees.", lineAngle, false),
		lineFunction("LINEARREG_INTERCEPT", "The start of the least-squares line through the period.", lineIntercept, true),
		lineFunction("LINEARREG_SLOPE", "The slope of the least-squares line, per bar.", lineSlope, false),
		{name: "STDDEV", summary: "The population's standard deviation, times NbDev.",
			inputs: closes(), params: append(period(5, 2), number("NbDev", 1, -huge, huge)), outputs: pane(), lookback: nLessOne,
			open: func(e env) core { return newVariance(e.int(0), e.p[1], true) }},
		lineFunction("TSF", "The least-squares line one bar ahead.", lineForecast, true),
		{name: "VAR", summary: "The population's variance; NbDev does nothing.",
			inputs: closes(), params: append(period(5, 1), number("NbDev", 1, -huge, huge)), outputs: pane(), lookback: nLessOne,
			open: func(e env) core { return newVariance(e.int(0), e.p[1], false) }},
	}
}

func lineFunction(name, summary string, read regressionOutput, over bool) function {
	return function{name: name, summary: summary, inputs: closes(), params: period(14, 2), outputs: outputs(over, nil), lookback: nLessOne,
		open: func(e env) core { return newRegression(e.int(0), read) }}
}

// operators are TA-Lib's math transforms and operators.
func operators() []function {
	list := []function{
		operator("ADD", "The sum of two series.", func(x, y float64) float64 { return x + y }, sums),
		{name: "DIV", summary: "The first series by the second.", inputs: pair(), outputs: pane(),
			open: func(env) core { return fused2{f: func(x, y float64) float64 { return x / y }, whole: quotients} }},
		operator("MULT", "The product of two series.", func(x, y float64) float64 { return x * y }, products),
		operator("SUB", "The first series less the second.", func(x, y float64) float64 { return x - y }, differences),
		windowed("MAX", "The greatest value of the period.", overlay(), func(n int) core { return newBest(n, false) }),
		windowed("MAXINDEX", "The number of the bar of the period's greatest value, 0 for the first of all.", pane("Integer"),
			func(n int) core { return newBestBar(n, false) }),
		windowed("MIN", "The least value of the period.", overlay(), func(n int) core { return newBest(n, true) }),
		windowed("MININDEX", "The number of the bar of the period's least value, 0 for the first of all.", pane("Integer"),
			func(n int) core { return newBestBar(n, true) }),
		windowed("MINMAX", "The least and the greatest value of the period.", overlay("Min", "Max"),
			func(n int) core { return &minMax{newSpan(n)} }),
		windowed("MINMAXINDEX", "The numbers of the bars of the period's least and greatest value.", pane("MinIdx", "MaxIdx"),
			func(n int) core { return &both{newBestBar(n, true), newBestBar(n, false)} }),
		windowed("SUM", "The sum of the period's values.", pane(), func(n int) core { return newTotal(n) }),
	}
	for _, m := range []struct {
		name, summary string
		of            core
	}{
		{"ACOS", "The angle in radians with that cosine; NaN outside -1 to 1.", map1{f: arccosineOf, whole: eachAcos}},
		{"ASIN", "The angle in radians with that sine; NaN outside -1 to 1.", map1{f: arcsineOf, whole: eachAsin}},
		{"ATAN", "The angle in radians with that tangent.", map1{f: arctangentOf, whole: eachAtan}},
		{"CEIL", "The next whole number up.", map1{f: math.Ceil, whole: eachCeil}},
		{"COS", "The cosine of an angle in radians.", map1{f: cosineOf, whole: eachCos}},
		{"COSH", "The hyperbolic cosine.", map1{f: math.Cosh, whole: eachCosh}},
		{"EXP", "e to that power.", map1{f: powerOf, whole: eachExp}},
		{"FLOOR", "The next whole number down.", map1{f: math.Floor, whole: eachFloor}},
		{"LN", "The natural logarithm; NaN below 0.", map1{f: logOf, whole: eachLog}},
		{"LOG10", "The decimal logarithm; NaN below 0.", map1{f: log10Of, whole: eachLog10}},
		{"SIN", "The sine of an angle in radians.", map1{f: sineOf, whole: eachSin}},
		{"SINH", "The hyperbolic sine.", map1{f: math.Sinh, whole: eachSinh}},
		{"SQRT", "The square root; NaN below 0.", fused1{f: math.Sqrt, whole: eachSqrt}},
		{"TAN", "The tangent of an angle in radians.", map1{f: tangentOf, whole: eachTan}},
		{"TANH", "The hyperbolic tangent.", map1{f: math.Tanh, whole: eachTanh}},
	} {
		list = append(list, function{name: m.name, summary: m.summary, inputs: closes(), outputs: pane(),
			open: func(env) core { return m.of }})
	}
	return list
}

func operator(name, summary string, f func(x, y float64) float64, whole func(out, x, y []float64) bool) function {
	return function{name: name, summary: summary, inputs: pair(), outputs: pane(), open: func(env) core { return fused2{f: f, whole: whole} }}
}

func windowed(name, summary string, out []spec.Output, open func(n int) core) function {
	return function{name: name, summary: summary, inputs: closes(), params: period(30, 2), outputs: out, lookback: nLessOne,
		open: func(e env) core { return open(e.int(0)) }}
}
