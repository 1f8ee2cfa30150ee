package talib_test

import (
	"fmt"

	"github.com/ttai-go/ttai/indicators/talib"
)

func ExampleSMA() {
	fmt.Println(talib.SMA(nil, []float64{1, 2, 3, 4}, 3))
	// Output: [NaN NaN 2 3]
}

func ExampleLookup() {
	ema, ok := talib.Lookup("talib:EMA")
	if !ok {
		return
	}
	// TimePeriod 3, an unstable period of 2 bars, the classic start.
	out, err := ema.Batch(nil, [][]float64{{1, 2, 3, 4, 5, 6}}, []float64{3, 2, 0})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(ema.Outputs[0].Name, out[0])
	// Output: Real [NaN NaN NaN NaN 4 5]
}
