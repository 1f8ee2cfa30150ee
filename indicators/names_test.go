package indicators_test

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/indicators"
)

// What other libraries have, by their own names. Left out are what is no
// indicator: of pandas-ta tsignals, xsignals (Thresholds and Crosses make them),
// vp (package levels has volume profiles) and the 62 patterns behind cdl_pattern
// (package candles); of Stock.Indicators basic-quotes, renko (Renko makes bricks,
// not one value a bar) and pivot-points (package levels).
const (
	tulipNames = `abs acos ad add adosc adx adxr ao apo aroon aroonosc asin atan atr avgprice bbands bop cci ceil cmo cos cosh crossany crossover
		cvi decay dema di div dm dpo dx edecay ema emv exp floor fisher fosc hma kama kvo lag linreg linregintercept linregslope ln log10 macd
		marketfi mass max md medprice mfi min mom msw mult natr nvi obv ppo psar pvi qstick roc rocr round rsi sin sinh sma sqrt stddev stderr
		stoch stochrsi sub sum tan tanh tema todeg torad tr trima trix trunc tsf typprice ultosc var vhf vidya volatility vosc vwma wad wcprice
		wilders willr wma zlema`
	pandasTANames = `cdl_z ha ebsw ao apo bias bop brar cci cfo cg cmo coppock cti dm er eri fisher inertia kdj kst macd mom pgo ppo psl pvo qqe
		roc rsi rsx rvgi slope smi squeeze squeeze_pro stc stoch stochrsi td_seq trix tsi uo willr alma dema ema fwma hilo hl2 hlc3 hma hwma
		ichimoku jma kama linreg mcgd midpoint midprice ohlc4 pwma rma sinwma sma ssf supertrend swma t3 tema trima vidya vwap vwma wcp wma zlma
		drawdown log_return percent_return entropy kurtosis mad median quantile skew stdev tos_stdevall variance zscore adx amat aroon chop cksp
		decay decreasing dpo increasing long_run psar qstick short_run ttm_trend vhf vortex aberration accbands atr bbands donchian hwc kc massi
		natr pdist rvi thermo true_range ui ad adosc aobv cmf efi eom kvo mfi nvi obv pvi pvol pvr pvt`
	stockIndicatorsNames = `adl adx alligator alma aroon atr atr-stop awesome beta bollinger-bands bop cci chaikin-osc chandelier chop cmf cmo
		connors-rsi correlation dema doji donchian dpo dynamic elder-ray ema epma fcb fisher-transform force-index fractal gator heikin-ashi hma
		ht-trendline hurst ichimoku kama keltner kvo ma-envelopes macd mama marubozu mfi obv parabolic-sar pivots pmo prs pvo roc rolling-pivots
		rsi slope sma sma-analysis smi smma starc-bands stc stdev stdev-channels stoch stoch-rsi super-trend t3 tema tr trix tsi ulcer-index
		ultimate vol-stop vortex vwap vwma williams-r wma zig-zag`
	// The union beyond TA-Lib's list that people ask for.
	wanted = `HMA VWMA ZLEMA ALMA SMMA RMA VIDYA McGinley FWMA SINWMA PWMA SWMA JMA HWMA SSF EPMA Alligator GMMA EVWMA LSMA Envelopes Dynamic
		GaussianHann Kalman SuperTrend Ichimoku Vortex ChandeKroll ChandelierExit ATRStop VolatilityStop Choppiness VHF TTMTrend QStick AMAT Decay
		MassIndex DPO TDSequential LongRun ShortRun UTBot StochRSI KDJ TSI SMI CRSI QQE RSX STC KST Coppock AO AC Fisher RVGI Squeeze SqueezePro
		PMO PGO CTI CG ElderRay BIAS BRAR PSL ER Inertia CFO IBS ConnorsRSI SpecialK PVO Keltner Donchian BB Ulcer HistoricalVolatility Parkinson
		GarmanKlass RogersSatchell YangZhang RVI STARC Aberration Thermo Hurst CVI ACCBANDS PDist StdDevChannels VWAP RollingVWAP CMF EFI EOM EMV
		KVO NVI PVI PVT VPT PVOL PVR ADL AOBV MarketFacilitation WAD VOSC VWMACD Median Quantile Skew Kurtosis Entropy ZScore MAD Slope Beta
		Correlation PRS HeikinAshi ZigZag Fractal Pivots RollingPivots Doji Marubozu`
)

func TestEveryNameOfOtherLibrariesIsFound(t *testing.T) {
	for library, row := range map[string]struct {
		names string
		count int
	}{
		"Tulip": {tulipNames, 103}, "pandas-ta": {pandasTANames, 125}, "Stock.Indicators": {stockIndicatorsNames, 80}, "wanted": {wanted, 0},
	} {
		names := strings.Fields(row.names)
		if row.count > 0 {
			require.GreaterOrEqual(t, len(names), row.count, library)
		}
		for _, name := range names {
			d, ok := indicators.Lookup(name)
			if !ok {
				t.Errorf("%s: %s is not found", library, name)
				continue
			}
			for _, spelling := range []string{strings.ToUpper(name), strings.ReplaceAll(name, "-", " ")} {
				again, ok := indicators.Lookup(spelling)
				require.True(t, ok, spelling)
				require.Equal(t, d.Name, again.Name)
			}
		}
	}
}

// Wilder counts no movement where both sides moved as far, as TA-Lib does and
// Tulip does not. TA-Lib's first sum has one movement less, which fades.
func TestDirectionalMovementIsTALibsAfterItsStart(t *testing.T) {
	s := readBars(t, "spy502.csv")
	v := indicators.DM(indicators.DMValues{}, s.High, s.Low, 14)
	adx, atr := indicators.ADX(indicators.ADXValues{}, s.High, s.Low, s.Close, 14), indicators.ATR(nil, s.High, s.Low, s.Close, 14)
	plus, minus := compute(t, s, "talib:PLUS_DM", "Real", 14), compute(t, s, "talib:MINUS_DM", "Real", 14)
	for i := 14; i < s.Len(); i++ {
		require.InDelta(t, adx.PlusDI[i], 100*v.Plus[i]/14/atr[i], 1e-9, "what the indicators of ADX are made of")
		require.InDelta(t, adx.MinusDI[i], 100*v.Minus[i]/14/atr[i], 1e-9)
		if i >= 450 {
			require.InDelta(t, plus[i], v.Plus[i], 1e-9)
			require.InDelta(t, minus[i], v.Minus[i], 1e-9)
		}
	}
}

func TestTransformsAndDrawdownsOfKnownNumbers(t *testing.T) {
	v := indicators.Transforms(indicators.TransformsValues{}, []float64{-2.5, 180, math.Pi})
	require.Equal(t, []float64{2.5, 180, math.Pi}, v.Abs)
	require.Equal(t, []float64{-3, 180, 3}, v.Round)
	require.Equal(t, []float64{-2, 180, 3}, v.Trunc)
	require.InDelta(t, 180, v.Degrees[2], 1e-12)
	require.InDelta(t, math.Pi, v.Radians[1], 1e-15)
	d := indicators.Drawdown(indicators.DrawdownValues{}, []float64{4, 3, 5, 2.5, -1})
	require.Equal(t, []float64{0, 1, 0, 2.5, 6}, d.Drawdown)
	require.Equal(t, bitsOf([]float64{0, 0.25, 0, 0.5, nan}), bitsOf(d.Fraction))
	require.InDelta(t, math.Log(2), d.Log[3], 1e-15)
}

func TestANameThatOnlyTALibHasNeedsNoPrefix(t *testing.T) {
	for name, want := range map[string]string{"ht_sine": "talib:HT_SINE", "CDLDOJI": "talib:CDLDOJI", "minus_dm": "talib:MINUS_DM", "RSI": "RSI", "talib:RSI": "talib:RSI", "MFI": "MFI"} {
		d, ok := indicators.Lookup(name)
		require.True(t, ok, name)
		require.Equal(t, want, d.Name)
	}
}
