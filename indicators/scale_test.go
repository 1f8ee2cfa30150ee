package indicators_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/indicators"
	"github.com/ttai-go/ttai/market"
)

// transformed returns the series with other prices and volumes.
func transformed(s market.Series, price, volume func(float64) float64) market.Series {
	list := bars(s)
	for i, b := range list {
		list[i] = market.Bar{Open: price(b.Open), High: price(b.High), Low: price(b.Low), Close: price(b.Close), Volume: volume(b.Volume)}
	}
	return market.NewSeries("", market.Day, list)
}

func same(x float64) float64 { return x }

// behaviour says how an output answers to other units: to prices and to volumes
// four times as large, by which power of four it grows, bit for bit ("/" by the
// inverse, "?" by none, "*" when it is 0 throughout), and
// to prices that are all higher by one amount: it stays (=), rises as much (+), or
// neither (?).
func behaviour(t *testing.T, d indicators.Indicator, rounds int) []string {
	forms := make([]string, len(d.Outputs))
	for round := range rounds {
		r := trial{t, rand.New(rand.NewPCG(41, uint64(round)))}
		s := drawSeries(r, false)
		if s.Len() < 100 {
			continue
		}
		params := make([]float64, len(d.Params))
		for i, p := range d.Params {
			params[i] = p.Default
			if p.Integer && p.Default > 20 {
				params[i] = math.Max(p.Min, math.Floor(p.Default/4))
			}
		}
		if d.Name == "MACD" {
			params = []float64{4, 9, 3}
		}
		run := func(s market.Series) [][]float64 {
			out, err := d.Batch(nil, columns(t, s, d), params)
			require.NoError(t, err, d.Name)
			return out
		}
		base := run(s)
		prices := run(transformed(s, func(x float64) float64 { return 4 * x }, same))
		volumes := run(transformed(s, same, func(x float64) float64 { return 4 * x }))
		const rise = 1000
		moved := run(transformed(s, func(x float64) float64 { return x + rise }, same))
		for k := range base {
			form := power(base[k], prices[k]) + power(base[k], volumes[k]) + shift(base[k], moved[k], rise)
			if forms[k] == "" {
				forms[k] = form
			}
			for i := range 3 { // what holds must hold for each series
				if forms[k][i] != form[i] {
					forms[k] = forms[k][:i] + weaker(forms[k][i], form[i]) + forms[k][i+1:]
				}
			}
		}
	}
	return forms
}

// weaker is what two series agree on: one that shows nothing ("*") agrees with all.
func weaker(a, b byte) string {
	switch {
	case a == '*':
		return string(b)
	case b == '*':
		return string(a)
	}
	return "?"
}

func power(base, scaled []float64) string {
	nothing := true
	for _, v := range base {
		nothing = nothing && (math.IsNaN(v) || v == 0)
	}
	if nothing {
		return "*"
	}
	for form, factor := range map[string]float64{"0": 1, "1": 4, "2": 16, "/": 0.25} {
		holds := true
		for i, v := range base {
			holds = holds && bits(v*factor) == bits(scaled[i])
		}
		if holds {
			return form
		}
	}
	return "?"
}

func shift(base, moved []float64, by float64) string {
	nothing, size := true, 0.0
	for _, v := range base {
		nothing = nothing && math.IsNaN(v)
		if !math.IsNaN(v) {
			size = math.Max(size, math.Abs(v))
		}
	}
	if nothing {
		return "*"
	}
	for i, form := range []string{"=", "+"} {
		holds := true
		for k, v := range base {
			want := v + by*float64(i)
			holds = holds && (math.IsNaN(want) == math.IsNaN(moved[k])) && !(math.Abs(want-moved[k]) > 1e-7*(size+1))
		}
		if holds {
			return form
		}
	}
	return "?"
}

// Declared for every entry of the registry: what other units do to it. A change
// here is a change of the definition.
func TestOtherUnitsDoWhatIsDeclared(t *testing.T) {
	declared := map[string]string{}
	for line := range strings.Lines(units) {
		if name, forms, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			declared[name] = forms
		}
	}
	var table strings.Builder
	for _, d := range indicators.All() {
		got := strings.Join(behaviour(t, d, 12), " ")
		fmt.Fprintf(&table, "%s %s\n", d.Name, got)
		if os.Getenv("UNITS") == "" {
			require.Equal(t, declared[d.Name], got, d.Name)
		}
	}
	if name := os.Getenv("UNITS"); name != "" {
		require.NoError(t, os.WriteFile(name, []byte(table.String()), 0o600))
	}
}

// units has, for each indicator, each output's answers to prices and volumes in
// other units and to higher prices; see behaviour.
const units = `
ADL 01= 00= 01=
ADX 00= 00= 00=
ADXR 00=
ALMA 10+
AMAT 00= 00=
AOBV 01= 01= 01= 01= 01=
APO 10=
ATR 10=
ATRStop 10+ 00= 10+ 10+ 10=
Aberration 10+ 10+ 10+ 10=
AccelerationBands 10? 10+ 10?
Accelerator 10=
Alligator 10+ 10+ 10+
Aroon 00= 00= 00=
Awesome 10= 00?
BIAS 00?
BOP 00=
BRAR 00= 00=
Beta 00? 00? 00?
Bollinger 10+ 10+ 10+ 00= 00?
CCI 00=
CFO 00?
CG 00?
CMF 00=
CMO 00=
CTI 00=
CVI 00=
CandleZ 00= 00= 00= 00=
ChaikinOscillator 01=
ChandeKroll 10+ 10+
Chandelier 10+ 10+
Choppiness 00=
ConnorsRSI 00? 00= 00= 00?
Coppock 00?
Correlation 00= 00= 20= 20= 20=
Crosses **=
DEMA 10+
DM 10= 10=
DPO 10=
DX 00=
Decay ?0+
Doji 00?
Donchian 10+ 10+ 10+ 00?
Drawdown 10= 00? 00?
EBSW 00=
EDecay 10+
EMA 10+
EVWMA 10+
EaseOfMovement 2/= 2/=
EfficiencyRatio 00=
ElderRay 10+ 10= 10=
Entropy ?0?
Extremes 10+ 10+ 10+
FOSC 00?
FWMA 10+
Fisher 00= 00=
ForceIndex 11=
Fractal 10+ 10+
FractalChaosBands 10+ 10+
GMMA 10+ 10+ 10+ 10+ 10+ 10+ 10+ 10+ 10+ 10+ 10+ 10+
GannHiLo 10+ 00=
Gator 10= 10= 00= 00=
GaussianHann 10+
HMA 10+
HWC 10+ 10+ 10+
HWMA 10+
HeikinAshi 10+ 10+ 10+ 10+
HilbertTrendline 10? 00? 10+
HistoricalVolatility 00?
Hurst 00? 00?
IBS 00=
Ichimoku 10+ 10+ 10+ 10+ 10+
Increasing 00= 00=
Inertia 00=
JMA 10+
KAMA 10+
KDJ 00= 00= 00=
KST 00? 00?
Kalman 10+
Keltner 10+ 10+ 10+ 00?
Klinger 01= 01=
Kurtosis 00=
Lag 10+
LinearRegression 10+ 10= 10+ 10+ ?0= 10= 00=
LongRun 00= 00=
MACD 10= 10= 10=
MAEnvelopes 10? 10+ 10?
MAMA 10? 10?
MFI 00?
MSW 00= 00=
MarketFacilitation 1/=
Marubozu 00=
MassIndex 00=
McGinley 10?
MeanDeviation 10= 20= 00?
Median 10+
Momentum 10=
NATR 00?
NVI 00?
OBV 01=
PDist 10=
PGO 00=
PMO 00? 00?
PPO 00? 00? 00?
PRS 00? 00?
PSL 00=
PVI 00?
PVO 00= 00= 00=
PVT 01?
PWMA 10+
ParabolicSAR 10+ 00=
PercentRank 00=
PriceForms 10+ 10+ 10+ 10+
PriceVolume 11? 00=
QQE 00= 00= 00=
QStick 10=
Quantile 10+
ROC 00? 10=
ROCBands 00? 00? 00? 00?
RSI 00=
RSX 00=
RVGI 00= 00=
RVI 00=
RangeVolatility 00? 00? 00? 00?
Returns 00? 00?
RollingPivots 10+ 10+ 10+ 10+ 10+ 10+ 10+
RollingVWAP 10+
SINWMA 10+
SMA 10+
SMI 00= 00=
SMIErgodic 00= 00= 00=
SMMA 10+
STARC 10+ 10+ 10+
STC 00=
STC2 00=
SWMA 10+
Skew 00=
Slope 10= 10+ 10= 00=
SpecialK ***
Squeeze 10= 00=
SqueezePro 10= 00=
StdDev 10= 10+ 20= 10= 10=
StdDevChannels 10+ 10+ 10+
StochRSI 00= 00=
Stochastic 00= 00= 00=
Streak 00=
Sum 10?
SuperSmoother 10+
SuperTrend 10+ 00= 10+ 10+
T3 10+
TDSequential 00= 00=
TEMA 10+
TRIMA 10+
TRIX 00? 10+
TSI 00= 00=
TTMTrend 00=
Thermo 10= 10= 00= 00=
Transforms 10+ ?0+ ?0+ 10? 10?
TrueRange 10= 00?
UTBot 10+ 00=
Ulcer 00?
Ultimate 00=
VHF 00=
VIDYA 10+
VOSC 00=
VWAP 10+ 10+ 10+
VWMA 10+
VWMACD 10= 10= 10=
VolatilityStop 10+ 00= 00=
Vortex 00= 00=
WAD 10=
WMA 10+
WilliamsR 00=
ZLEMA 10+
ZScore 00=
ZigZag 10? 00? 00?
`
