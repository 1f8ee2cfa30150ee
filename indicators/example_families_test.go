package indicators_test

import (
	"fmt"
	"math"

	"github.com/ttai-go/ttai/indicators"
)

// rising has a trend up, a turn in the middle and the same trend down.
func rising(n int) (high, low, closes, volume []float64) {
	for i := range n {
		c := 100 + float64(min(i, n-i))
		high, low, closes = append(high, c+1), append(low, c-1), append(closes, c)
		volume = append(volume, 1000)
	}
	return high, low, closes, volume
}

// Trend: SuperTrend turns from 1 to -1 when the close reaches its stop.
func ExampleSuperTrend() {
	high, low, closes, _ := rising(60)
	v := indicators.SuperTrend(indicators.SuperTrendValues{}, high, low, closes, 10, 3)
	for i := 1; i < len(v.Trend); i++ {
		if v.Trend[i] < v.Trend[i-1] {
			fmt.Printf("turns down at bar %d, close %.0f, the stop was %.0f\n", i, closes[i], v.SuperTrend[i-1])
		}
	}
	// Output: turns down at bar 36, close 124, the stop was 124
}

// Momentum: where prices close in the range of the last bars.
func ExampleStochastic() {
	high, low, closes, _ := rising(40)
	v := indicators.Stochastic(indicators.StochasticValues{}, high, low, closes, 14, 3, 3)
	fmt.Printf("rising %.0f, falling %.0f\n", v.K[18], v.K[39])
	// Output: rising 93, falling 7
}

// Volatility: bands two deviations either side of an average.
func ExampleBollinger() {
	closes := []float64{1, 3, 1, 3, 1, 3}
	v := indicators.Bollinger(indicators.BollingerValues{}, closes, 4, 2)
	fmt.Println(v.Lower[5], v.Middle[5], v.Upper[5], v.PercentB[5])
	// Output: 0 2 4 0.75
}

// Volume: the average price paid, weighted by volume, with bands.
func ExampleVWAP() {
	v := indicators.VWAP(indicators.VWAPValues{}, []float64{11, 13}, []float64{9, 11}, []float64{10, 12}, []float64{100, 300}, 1)
	fmt.Println(v.VWAP)
	// Output: [10 11.5]
}

// Cycles: Ehlers's dominant period of a pure wave of 20 bars.
func ExampleHilbertTrendline() {
	var wave []float64
	for i := range 200 {
		wave = append(wave, 100+5*math.Sin(2*math.Pi*float64(i)/20))
	}
	v := indicators.HilbertTrendline(indicators.HilbertTrendlineValues{}, wave, wave)
	fmt.Printf("%.0f bars\n", v.Period[199])
	// Output: 20 bars
}

// Statistics: how unusual a value is among those before it.
func ExampleZScore() {
	fmt.Printf("%.2f\n", indicators.ZScore(nil, []float64{10, 11, 9, 10, 10, 14}, 6)[5])
	// Output: 2.09
}
