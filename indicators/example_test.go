package indicators_test

import (
	"fmt"

	"github.com/ttai-go/ttai/indicators"
)

func ExampleSMA() {
	fmt.Println(indicators.SMA(nil, []float64{1, 2, 3, 4}, 3))
	// Output: [NaN NaN 2 3]
}

func ExampleRSIStream() {
	rsi, err := indicators.NewRSI(3)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, close := range []float64{10, 11, 10.5, 11.5} {
		rsi.Update(close)
	}
	fmt.Printf("if the bar closed at 12: %.1f\n", rsi.Peek(12))
	fmt.Printf("it closed at 11: %.1f\n", rsi.Update(11))
	// Output:
	// if the bar closed at 12: 84.6
	// it closed at 11: 61.5
}

func ExampleMACD() {
	closes := make([]float64, 40)
	for i := range closes {
		closes[i] = 100 + float64(i)
	}
	var v indicators.MACDValues
	for range 2 { // the second time nothing is allocated
		v = indicators.MACD(v, closes, 12, 26, 9)
	}
	fmt.Printf("%.2f %.2f %.2f\n", v.MACD[39], v.Signal[39], v.Histogram[39])
	// Output: 7.00 7.00 0.00
}

func ExampleFind() {
	d, err := indicators.Find("atr")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(d.Name, d.Inputs, d.Params[0].Name, d.Params[0].Default)
	out, err := d.Batch(nil, [][]float64{{11, 12, 13}, {9, 10, 11}, {10, 11, 12}}, []float64{2})
	fmt.Println(out, err)

	_, err = indicators.Find("atrr")
	fmt.Println(err)
	// Output:
	// ATR [high low close] n 14
	// [[NaN NaN 2]] <nil>
	// indicator: "atrr" is not allowed; want the name of an indicator; did you mean ATR?
}
