package candles_test

import (
	"fmt"

	"github.com/ttai-go/ttai/indicators/candles"
)

func ExampleScan() {
	// Ten quiet bars, a fall, and a rise that swallows it.
	var open, high, low, close []float64
	bar := func(o, h, l, c float64) {
		open, high, low, close = append(open, o), append(high, h), append(low, l), append(close, c)
	}
	for range 10 {
		bar(100, 101.5, 99.5, 101)
	}
	bar(101, 101.5, 98.5, 99)
	bar(98.5, 102.5, 98, 102)
	events, err := candles.Scan(nil, open, high, low, close, &candles.Options{Patterns: []candles.Pattern{candles.Engulfing}})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, e := range events {
		fmt.Println(e.Bar, e.Pattern, e.Direction, e.Strength)
	}
	// Output:
	// 10 Engulfing down 80
	// 11 Engulfing up 100
}
