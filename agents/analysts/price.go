package analysts

import (
	"fmt"
	"math"
	"slices"

	"github.com/ttai-go/ttai/indicators"
	"github.com/ttai-go/ttai/levels"
)

// year is the trading days that count as one.
const year = 252

// addPrice records trend, momentum and volatility, all of the daily bars.
func (f *findings) addPrice() {
	if f.series.Len() == 0 {
		for _, group := range []Group{GroupTrend, GroupMomentum, GroupVolatility} {
			f.lackAll(group, f.in.noBars)
		}
		return
	}
	s := f.series
	closes := s.Close
	last := closes[len(closes)-1]
	put := func(id string, value float64, text string) { f.put(id, value, f.end, text, fewBars) }

	put("trend.close", last, price(last))
	for _, n := range []int{20, 50, 200} {
		line := indicators.SMA(nil, closes, n)
		f.lines = append(f.lines, ChartLine{Name: fmt.Sprintf("SMA %d", n), Values: line})
		distance := last/at(line, 0) - 1
		put(fmt.Sprintf("trend.sma%d_distance", n), distance, fmt.Sprintf("%s its %d-day average", away(distance, "below", "above"), n))
	}
	sma50 := f.lines[1].Values
	slope := at(sma50, 0)/at(sma50, 20) - 1
	put("trend.sma50_slope", slope, percent(slope)+" in 20 days")
	adx := indicators.ADX(indicators.ADXValues{}, s.High, s.Low, closes, 14)
	strength, difference := at(adx.ADX, 0), at(adx.PlusDI, 0)-at(adx.MinusDI, 0)
	put("trend.adx", strength, fmt.Sprintf("%.1f, %s", strength, describeADX(strength)))
	put("trend.di_difference", difference, signed(difference, 1))
	f.addStructure()

	f.rsi = indicators.RSI(nil, closes, 14)
	rsi := at(f.rsi, 0)
	put("momentum.rsi", rsi, fmt.Sprintf("%.1f%s", rsi, describeRSI(rsi)))
	atr := at(indicators.ATR(nil, s.High, s.Low, closes, 14), 0)
	histogram := at(indicators.MACD(indicators.MACDValues{}, closes, 12, 26, 9).Histogram, 0) / atr
	put("momentum.macd_histogram", histogram, signed(histogram, 2)+" ATR")
	for _, n := range []int{5, 21, 63, year} {
		change := rateOfChange(closes, n)
		put(fmt.Sprintf("momentum.roc%d", n), change, percent(change))
	}

	put("volatility.atr", atr, price(atr))
	put("volatility.atr_percent", atr/last, share(atr/last)+" of the price a day")
	for _, n := range []int{20, 60} {
		hv := at(indicators.HistoricalVolatility(nil, closes, n, year), 0)
		put(fmt.Sprintf("volatility.hv%d", n), hv, share(hv)+" a year")
	}
	bands := indicators.Bollinger(indicators.BollingerValues{}, closes, 20, 2)
	b, width := at(bands.PercentB, 0), at(bands.Bandwidth, 0)
	put("volatility.percent_b", b, fmt.Sprintf("%.2f%s", b, describePercentB(b)))
	put("volatility.bandwidth", width, share(width)+" of the middle band")
	high, low := extremes(s.High, s.Low, 20)
	put("volatility.range20", (high-low)/atr, fmt.Sprintf("%.1f ATR", (high-low)/atr))
}

// addStructure compares the last two confirmed swing highs and lows.
func (f *findings) addStructure() {
	const id = "trend.structure"
	swings, err := levels.Swings(f.series, &levels.SwingOptions{Left: 5, Right: 5})
	if err != nil {
		f.lack(id, err.Error())
		return
	}
	slices.SortStableFunc(swings, func(a, b levels.Level) int { return a.Born.Compare(b.Born) })
	var highs, lows []float64
	for _, l := range swings {
		switch {
		case l.Confirmed.After(f.series.Time[f.series.Len()-1]): // not known yet
		case l.Kind == levels.KindSwingHigh:
			highs = append(highs, l.Price)
		case l.Kind == levels.KindSwingLow:
			lows = append(lows, l.Price)
		}
	}
	if len(highs) < 2 || len(lows) < 2 {
		f.lack(id, "fewer than two confirmed swing highs and lows")
		return
	}
	up, down := at(highs, 0)-at(highs, 1), at(lows, 0)-at(lows, 1)
	switch {
	case up > 0 && down > 0:
		f.put(id, 1, f.end, "higher highs and higher lows", "")
	case up < 0 && down < 0:
		f.put(id, -1, f.end, "lower highs and lower lows", "")
	default:
		f.put(id, 0, f.end, "mixed swings", "")
	}
}

// at returns the value back bars before the last one, NaN when there is none.
func at(x []float64, back int) float64 {
	if i := len(x) - 1 - back; i >= 0 {
		return x[i]
	}
	return math.NaN()
}

func rateOfChange(closes []float64, n int) float64 { return at(closes, 0)/at(closes, n) - 1 }

func smaDistance(closes []float64, n int) float64 {
	return at(closes, 0)/at(indicators.SMA(nil, closes, n), 0) - 1
}

// extremes returns the highest high and lowest low of the last n bars, NaN when
// there are fewer.
func extremes(high, low []float64, n int) (float64, float64) {
	if len(high) < n {
		return math.NaN(), math.NaN()
	}
	top, bottom := math.Inf(-1), math.Inf(1)
	for i := len(high) - n; i < len(high); i++ {
		top, bottom = max(top, high[i]), min(bottom, low[i])
	}
	return top, bottom
}

func describeADX(adx float64) string {
	switch {
	case adx >= 25:
		return "a strong trend"
	case adx >= 20:
		return "a trend"
	}
	return "no trend"
}

func describeRSI(rsi float64) string {
	switch {
	case rsi >= 70:
		return ", overbought"
	case rsi <= 30:
		return ", oversold"
	}
	return ""
}

func describePercentB(b float64) string {
	switch {
	case b > 1:
		return ", above the upper band"
	case b < 0:
		return ", below the lower band"
	}
	return ""
}
