package indicators_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/indicators"
	"github.com/ttai-go/ttai/market"
)

// compute runs an indicator of the registry and returns one of its outputs.
func compute(t testing.TB, s market.Series, name, output string, params ...float64) []float64 {
	t.Helper()
	d, err := indicators.Find(name)
	require.NoError(t, err)
	in, err := indicators.Columns(s, d.Inputs)
	require.NoError(t, err)
	out, err := d.Batch(nil, in, params)
	require.NoError(t, err)
	for i, o := range d.Outputs {
		if o.Name == output {
			return out[i]
		}
	}
	require.FailNow(t, "no such output", "%s %s", name, output)
	return nil
}

type p = []float64

// Every file but those named in TestStockIndicatorsFilesThatDiffer and those of
// two series, by registry name. The parameters are those of that library's tests.
var stockIndicatorsRows = []struct {
	file, column, name, output string
	params                     p
}{
	{"adl", "adl", "ADL", "ADL", nil},
	{"adl", "moneyFlowMultiplier", "ADL", "Multiplier", nil},
	{"adl", "moneyFlowVolume", "ADL", "MoneyFlow", nil},
	{"alligator", "jaw", "Alligator", "Jaw", nil},
	{"alligator", "teeth", "Alligator", "Teeth", nil},
	{"alligator", "lips", "Alligator", "Lips", nil},
	{"alma", "alma", "ALMA", "ALMA", p{9, 0.85, 6}},
	{"aroon", "aroonUp", "Aroon", "Up", p{25}},
	{"aroon", "aroonDown", "Aroon", "Down", p{25}},
	{"aroon", "oscillator", "Aroon", "Oscillator", p{25}},
	{"atr-stop", "atrStop", "ATRStop", "Stop", p{21, 3}},
	{"atr-stop", "buyStop", "ATRStop", "Buy", p{21, 3}},
	{"atr-stop", "sellStop", "ATRStop", "Sell", p{21, 3}},
	{"atr-stop", "atr", "ATRStop", "ATR", p{21, 3}},
	{"atr", "tr", "TrueRange", "TR", nil},
	{"atr", "atr", "ATR", "ATR", p{14}},
	{"atr", "atrp", "NATR", "NATR", p{14}},
	{"tr", "tr", "TrueRange", "TR", nil},
	{"awesome", "oscillator", "Awesome", "AO", nil},
	{"awesome", "normalized", "Awesome", "Normalized", nil},
	{"bb", "zScore", "ZScore", "ZScore", p{20}},
	{"bop", "bop", "BOP", "BOP", p{14}},
	{"cci", "cci", "CCI", "CCI", p{20}},
	{"chaikin-osc", "oscillator", "ChaikinOscillator", "Oscillator", nil},
	{"chexit", "chandelierExit", "Chandelier", "Long", p{22, 3}},
	{"chop", "chop", "Choppiness", "CHOP", p{14}},
	{"cmf", "cmf", "CMF", "CMF", p{20}},
	{"cmo", "cmo", "CMO", "CMO", p{14}},
	{"crsi", "rsi", "ConnorsRSI", "RSI", p{3, 2, 100}},
	{"crsi", "connorsRsi", "ConnorsRSI", "ConnorsRSI", p{3, 2, 100}},
	{"dema", "dema", "DEMA", "DEMA", p{14}},
	{"donchian", "upperBand", "Donchian", "Upper", p{20}},
	{"donchian", "centerline", "Donchian", "Middle", p{20}},
	{"donchian", "lowerBand", "Donchian", "Lower", p{20}},
	{"donchian", "width", "Donchian", "Width", p{20}},
	{"dynamic", "dynamic", "McGinley", "McGinley", p{14}},
	{"elder-ray", "ema", "ElderRay", "EMA", p{13}},
	{"elder-ray", "bullPower", "ElderRay", "Bull", p{13}},
	{"elder-ray", "bearPower", "ElderRay", "Bear", p{13}},
	{"epma", "epma", "LinearRegression", "LinReg", p{10}},
	{"fcb", "upperBand", "FractalChaosBands", "Upper", p{2}},
	{"fcb", "lowerBand", "FractalChaosBands", "Lower", p{2}},
	{"fisher", "fisher", "Fisher", "Fisher", p{10}},
	{"force", "forceIndex", "ForceIndex", "Force", p{2}},
	{"gator", "upper", "Gator", "Upper", nil},
	{"gator", "lower", "Gator", "Lower", nil},
	{"gator", "upperIsExpanding", "Gator", "UpperExpanding", nil},
	{"gator", "lowerIsExpanding", "Gator", "LowerExpanding", nil},
	{"heikinashi", "open", "HeikinAshi", "Open", nil},
	{"heikinashi", "high", "HeikinAshi", "High", nil},
	{"heikinashi", "low", "HeikinAshi", "Low", nil},
	{"heikinashi", "close", "HeikinAshi", "Close", nil},
	{"hma", "hma", "HMA", "HMA", p{14}},
	{"htl", "trendline", "HilbertTrendline", "Trendline", nil},
	{"htl", "smoothPrice", "HilbertTrendline", "SmoothPrice", nil},
	{"htl", "dcPeriods", "HilbertTrendline", "Period", nil},
	{"hurst", "hurstExponent", "Hurst", "Hurst", p{100}},
	{"hurst", "hurstExponentAL", "Hurst", "AnisLloyd", p{100}},
	{"ichimoku", "tenkanSen", "Ichimoku", "Tenkan", nil},
	{"ichimoku", "kijunSen", "Ichimoku", "Kijun", nil},
	{"ichimoku", "senkouSpanA", "Ichimoku", "SenkouA", nil},
	{"ichimoku", "senkouSpanB", "Ichimoku", "SenkouB", nil},
	{"kama", "kama", "KAMA", "KAMA", p{10, 2, 30}},
	{"kama", "er", "EfficiencyRatio", "ER", p{10}},
	{"keltner", "upperBand", "Keltner", "Upper", p{20, 2, 10}},
	{"keltner", "centerline", "Keltner", "Middle", p{20, 2, 10}},
	{"keltner", "lowerBand", "Keltner", "Lower", p{20, 2, 10}},
	{"keltner", "width", "Keltner", "Width", p{20, 2, 10}},
	{"kvo", "oscillator", "Klinger", "Oscillator", p{34, 55, 13}},
	{"kvo", "signal", "Klinger", "Signal", p{34, 55, 13}},
	{"ma-env", "centerline", "MAEnvelopes", "Middle", p{20, 2.5}},
	{"ma-env", "upperEnvelope", "MAEnvelopes", "Upper", p{20, 2.5}},
	{"ma-env", "lowerEnvelope", "MAEnvelopes", "Lower", p{20, 2.5}},
	{"macd", "fastEma", "EMA", "EMA", p{12}},
	{"macd", "slowEma", "EMA", "EMA", p{26}},
	{"mama", "mama", "MAMA", "MAMA", nil},
	{"mama", "fama", "MAMA", "FAMA", nil},
	{"mfi", "mfi", "MFI", "MFI", p{14}},
	{"obv", "obv", "OBV", "OBV", nil},
	{"pmo", "pmo", "PMO", "PMO", p{35, 20, 10}},
	{"pmo", "signal", "PMO", "Signal", p{35, 20, 10}},
	{"pvo", "pvo", "PVO", "PVO", nil},
	{"pvo", "signal", "PVO", "Signal", nil},
	{"pvo", "histogram", "PVO", "Histogram", nil},
	{"roc-wb", "roc", "ROCBands", "ROC", p{20, 5, 5}},
	{"roc-wb", "rocEma", "ROCBands", "EMA", p{20, 5, 5}},
	{"roc-wb", "upperBand", "ROCBands", "Upper", p{20, 5, 5}},
	{"roc-wb", "lowerBand", "ROCBands", "Lower", p{20, 5, 5}},
	{"roc", "roc", "ROC", "ROC", p{14}},
	{"roc", "momentum", "ROC", "Momentum", p{14}},
	{"rolling-pivots", "pp", "RollingPivots", "PP", p{20, 0}},
	{"rolling-pivots", "s1", "RollingPivots", "S1", p{20, 0}},
	{"rolling-pivots", "s2", "RollingPivots", "S2", p{20, 0}},
	{"rolling-pivots", "s3", "RollingPivots", "S3", p{20, 0}},
	{"rolling-pivots", "r1", "RollingPivots", "R1", p{20, 0}},
	{"rolling-pivots", "r2", "RollingPivots", "R2", p{20, 0}},
	{"rolling-pivots", "r3", "RollingPivots", "R3", p{20, 0}},
	{"slope", "slope", "Slope", "Slope", p{14}},
	{"slope", "stdDev", "Slope", "StdDev", p{14}},
	{"slope", "rSquared", "Slope", "RSquared", p{14}},
	{"sma-analysis", "mad", "MeanDeviation", "MAD", p{20}},
	{"sma-analysis", "mse", "MeanDeviation", "MSE", p{20}},
	{"sma-analysis", "mape", "MeanDeviation", "MAPE", p{20}},
	{"sma-analysis", "sma", "SMA", "SMA", p{20}},
	{"smi", "smi", "SMI", "SMI", p{13, 25, 2, 3}},
	{"smi", "signal", "SMI", "Signal", p{13, 25, 2, 3}},
	{"smma", "smma", "SMMA", "SMMA", p{20}},
	{"starc", "upperBand", "STARC", "Upper", p{5, 2, 10}},
	{"starc", "centerline", "STARC", "Middle", p{5, 2, 10}},
	{"starc", "lowerBand", "STARC", "Lower", p{5, 2, 10}},
	{"stc", "stc", "STC", "STC", p{10, 23, 50}},
	{"stdev", "stdDev", "StdDev", "StdDev", p{14}},
	{"stdev", "mean", "StdDev", "Mean", p{14}},
	{"stdev", "zScore", "ZScore", "ZScore", p{14}},
	{"stoch-rsi", "stochRsi", "StochRSI", "K", p{14, 14, 1, 3}},
	{"stoch-rsi", "signal", "StochRSI", "D", p{14, 14, 1, 3}},
	{"stoch", "oscillator", "Stochastic", "K", p{14, 3, 3}},
	{"stoch", "signal", "Stochastic", "D", p{14, 3, 3}},
	{"stoch", "percentJ", "Stochastic", "J", p{14, 3, 3}},
	{"supertrend", "superTrend", "SuperTrend", "SuperTrend", p{10, 3}},
	{"supertrend", "upperBand", "SuperTrend", "Upper", p{10, 3}},
	{"supertrend", "lowerBand", "SuperTrend", "Lower", p{10, 3}},
	{"t3", "t3", "T3", "T3", p{5, 0.7}},
	{"tema", "tema", "TEMA", "TEMA", p{20}},
	{"trix", "trix", "TRIX", "TRIX", p{14}},
	{"tsi", "tsi", "TSI", "TSI", p{25, 13, 7}},
	{"tsi", "signal", "TSI", "Signal", p{25, 13, 7}},
	{"ulcer", "ulcerIndex", "Ulcer", "Ulcer", p{14}},
	{"uo", "ultimate", "Ultimate", "UO", p{7, 14, 28}},
	{"vortex", "pvi", "Vortex", "Plus", p{14}},
	{"vortex", "nvi", "Vortex", "Minus", p{14}},
	{"vwap", "vwap", "VWAP", "VWAP", nil},
	{"vwma", "vwma", "VWMA", "VWMA", p{14}},
	{"willr", "williamsR", "WilliamsR", "WilliamsR", p{14}},
	{"wma", "wma", "WMA", "WMA", p{14}},
}

func TestBookDefinitionsMatchStockIndicators(t *testing.T) {
	s := readBars(t, "spy502.csv")
	for _, row := range stockIndicatorsRows {
		t.Run(row.file+" "+row.column, func(t *testing.T) {
			want := stockIndicators(t, row.file, row.column)
			requireEqual(t, want, compute(t, s, row.name, row.output, row.params...), 1e-9, row.name+" "+row.output)
		})
	}
}

// requireFrom compares columns from a bar on, values that are NaN in want
// excepted.
func requireFrom(t *testing.T, bar int, want, got []float64, what string) {
	t.Helper()
	known := 0
	for i := bar; i < len(want); i++ {
		if !math.IsNaN(want[i]) {
			known++
			require.InDelta(t, want[i], got[i], 1e-9*max(1, math.Abs(want[i])), "%s at bar %d", what, i)
		}
	}
	require.Positive(t, known, what)
}

// shifted returns the column as it is n bars later.
func shifted(column []float64, n int) []float64 {
	out := make([]float64, len(column))
	for i := range out {
		out[i] = nan
		if i >= n {
			out[i] = column[i-n]
		}
	}
	return out
}

// Where that library looks ahead, redraws, or leaves out values that are known,
// the values are the same where both have them.
func TestBookDefinitionsMatchStockIndicatorsWhereConventionsDiffer(t *testing.T) {
	s := readBars(t, "spy502.csv")
	n := s.Len()
	column := func(file, name string) []float64 { return stockIndicators(t, file, name) }

	requireFrom(t, 0, column("trix", "ema3"), compute(t, s, "TRIX", "EMA3", 14), "known a bar earlier too")
	requireFrom(t, 101, column("crsi", "percentRank"), compute(t, s, "ConnorsRSI", "PercentRank", 3, 2, 100), "rank")
	requireFrom(t, 0, column("crsi", "rsiStreak"), compute(t, s, "ConnorsRSI", "StreakRSI", 3, 2, 100), "streak")
	requireFrom(t, 1, column("fisher", "trigger"), compute(t, s, "Fisher", "Trigger", 10), "trigger")
	requireFrom(t, 0, column("psar", "sar"), compute(t, s, "ParabolicSAR", "SAR"), "known before its first reversal too")
	requireFrom(t, 14, column("psar", "isReversal"), compute(t, s, "ParabolicSAR", "IsReversal"), "reversal")
	requireFrom(t, 0, column("vol-stop", "sar"), compute(t, s, "VolatilityStop", "Stop", 7, 3), "known before its first stop too")
	requireFrom(t, 54, column("vol-stop", "isStop"), compute(t, s, "VolatilityStop", "IsStop", 7, 3), "stop")

	requireFrom(t, 0, shifted(column("fractal", "fractalBear"), 2), compute(t, s, "Fractal", "Bear", 2, 2), "two bars later")
	requireFrom(t, 0, shifted(column("fractal", "fractalBull"), 2), compute(t, s, "Fractal", "Bull", 2, 2), "two bars later")
	requireFrom(t, 0, shifted(column("pivots", "highPoint"), 2), compute(t, s, "Fractal", "Bear", 2, 2), "two bars later")
	requireFrom(t, 0, shifted(column("pivots", "lowPoint"), 2), compute(t, s, "Fractal", "Bull", 2, 2), "two bars later")
	requireFrom(t, 0, shifted(column("dpo", "dpo"), 8), compute(t, s, "DPO", "DPO", 14), "eight bars later")
	requireFrom(t, 0, shifted(column("ichimoku", "chikouSpan"), 26), compute(t, s, "Ichimoku", "Chikou"), "26 bars later")

	slope := compute(t, s, "Slope", "Slope", 14)
	end := compute(t, s, "LinearRegression", "LinReg", 14)
	start := compute(t, s, "Slope", "Intercept", 14)
	for i, v := range column("slope", "intercept") { // at bar 0 of a count that starts with 1
		if !math.IsNaN(v) {
			require.InDelta(t, v, end[i]-slope[i]*float64(i+1), 1e-8)
		}
	}
	for i, v := range column("slope", "line") { // the last bar's line, drawn back
		if !math.IsNaN(v) {
			require.InDelta(t, v, start[n-1]+slope[n-1]*float64(i-(n-14)), 1e-9)
		}
	}
	for output, file := range map[string]string{"Upper": "upperChannel", "Center": "centerline", "Lower": "lowerChannel"} {
		want, got := column("stdev-channels", file), compute(t, s, "StdDevChannels", output, 20, 2)
		for i := n - 1; i >= 19; i -= 20 { // drawn in pieces of 20 bars from the last one back
			require.InDelta(t, want[i], got[i], 1e-9, "%s at %d", output, i)
		}
	}

	adx := compute(t, s, "ADX", "ADX", 14)
	for i, v := range column("adx", "adxr") {
		if !math.IsNaN(v) {
			require.InDelta(t, v, (adx[i]+adx[i-14])/2, 1e-9, "bar %d", i)
		}
	}
	requireFrom(t, 0, column("adx", "dx"), compute(t, s, "DX", "DX", 14), "dx")
	requireFrom(t, 0, column("adx", "adxr"), compute(t, s, "ADXR", "ADXR", 14), "adxr")

	requireFrom(t, 0, column("doji", "match"), compute(t, s, "Doji", "Doji", 0.1), "doji")
	maru := compute(t, s, "Marubozu", "Marubozu", 95)
	for i, v := range column("marubozu", "match") {
		require.Equal(t, v, 100*maru[i])
	}
	require.Equal(t, column("barpart", "value"), s.Close)

	for _, file := range []string{"zigzag", "zigzag-close"} {
		turns, ages := compute(t, s, "ZigZag", "Turn", 5), compute(t, s, "ZigZag", "Age", 5)
		var got []float64
		for i, v := range turns {
			if !math.IsNaN(v) {
				at := i - int(ages[i])
				require.Equal(t, s.Close[at], v)
				got = append(got, v)
			}
		}
		var want []float64
		points, zz := pointTypes(t, file), column(file, "zigZag")
		for i, kind := range points {
			if kind != "" {
				want = append(want, zz[i])
			}
		}
		require.Equal(t, want, got[1:], "the first turn is the start")
	}
}

// The other library's second series is not among the vectors, but its price
// relative strength file gives it: the quotient of the two closes.
func TestIndicatorsOfTwoSeriesMatchStockIndicators(t *testing.T) {
	s := readBars(t, "spy502.csv")
	other := make([]float64, s.Len())
	for i, v := range stockIndicators(t, "prs", "prs") {
		other[i] = math.Round(v*s.Close[i]*100) / 100
	}
	run := func(name string, a, b []float64, params p) [][]float64 {
		d, err := indicators.Find(name)
		require.NoError(t, err)
		out, err := d.Batch(nil, [][]float64{a, b}, params)
		require.NoError(t, err)
		return out
	}
	prs := run("PRS", other, s.Close, p{20})
	requireFrom(t, 0, stockIndicators(t, "prs", "prs"), prs[0], "prs")
	requireFrom(t, 0, stockIndicators(t, "prs", "prsPercent"), prs[1], "prs percent")
	corr := run("Correlation", other, s.Close, p{20})
	for i, name := range []string{"correlation", "rSquared", "covariance"} {
		requireFrom(t, 0, stockIndicators(t, "corr", name), corr[i], name)
	}
	beta := run("Beta", other, s.Close, p{50})
	requireFrom(t, 0, stockIndicators(t, "beta", "beta"), beta[0], "beta")
}

func TestRenkoMatchesStockIndicators(t *testing.T) {
	s := readBars(t, "spy502.csv")
	for file, size := range map[string]float64{"renko": 1, "renko-atr": indicators.ATR(nil, s.High, s.Low, s.Close, 14)[s.Len()-1]} {
		bricks, err := indicators.Renko(s, size)
		require.NoError(t, err)
		open, close := stockIndicators(t, file, "open"), stockIndicators(t, file, "close")
		high, low := stockIndicators(t, file, "high"), stockIndicators(t, file, "low")
		volume, up := stockIndicators(t, file, "volume"), stockIndicators(t, file, "isUp")
		require.Len(t, bricks, len(open), file)
		for i, b := range bricks {
			require.InDelta(t, open[i], b.Open, 1e-9, "%s %d", file, i)
			require.InDelta(t, close[i], b.Close, 1e-9, "%s %d", file, i)
			require.InDelta(t, high[i], b.High, 1e-9, "%s %d", file, i)
			require.InDelta(t, low[i], b.Low, 1e-9, "%s %d", file, i)
			require.InDelta(t, volume[i], b.Volume, 1e-2*volume[i]+1, "%s %d", file, i)
			require.Equal(t, up[i] == 1, b.Up)
		}
	}
	_, err := indicators.Renko(s, 0)
	require.Error(t, err)
	_, err = indicators.Renko(s, 1e-12)
	require.ErrorContains(t, err, "size")
}

// That file's windows are calendar months.
func TestPivotPointsMatchStockIndicators(t *testing.T) {
	s := readBars(t, "spy502.csv")
	var months []market.Bar
	for i := range s.Len() {
		b := s.Bar(i)
		if i == 0 || b.Time.Month() != s.Bar(i-1).Time.Month() {
			months = append(months, b)
		}
		m := &months[len(months)-1]
		m.High, m.Low, m.Close = max(m.High, b.High), min(m.Low, b.Low), b.Close
	}
	pp, r2, s3 := stockIndicators(t, "pivot-points", "pp"), stockIndicators(t, "pivot-points", "r2"), stockIndicators(t, "pivot-points", "s3")
	month := -1
	for i := range s.Len() {
		if i == 0 || s.Bar(i).Time.Month() != s.Bar(i-1).Time.Month() {
			month++
		}
		if month == 0 {
			require.True(t, math.IsNaN(pp[i]))
			continue
		}
		m := months[month-1]
		// RollingPivots over one bar, of the month before.
		v := indicators.RollingPivots(indicators.RollingPivotsValues{}, []float64{m.High, 0}, []float64{m.Low, 0}, []float64{m.Close, 0}, 1, 0)
		require.InDelta(t, pp[i], v.PP[1], 1e-9, "bar %d", i)
		require.InDelta(t, r2[i], v.R2[1], 1e-9)
		require.InDelta(t, s3[i], v.S3[1], 1e-9)
	}
}
