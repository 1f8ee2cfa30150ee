package indicators_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/indicators"
)

func ExampleChain() {
	var streams []indicators.Stream
	for _, step := range []struct {
		name string
		n    float64
	}{{"EMA", 2}, {"Momentum", 1}} {
		d, err := indicators.Find(step.name)
		if err != nil {
			fmt.Println(err)
			return
		}
		stream, err := d.Stream([]float64{step.n})
		if err != nil {
			fmt.Println(err)
			return
		}
		streams = append(streams, stream)
	}
	momentumOfAverage, err := indicators.Chain(streams...)
	if err != nil {
		fmt.Println(err)
		return
	}
	out := make([]float64, 1)
	for _, v := range []float64{1, 3, 5} {
		momentumOfAverage.Update([]float64{v}, out)
		fmt.Println(out[0])
	}
	// Output:
	// NaN
	// NaN
	// 2
}

func TestAChainIsTheIndicatorOfTheIndicator(t *testing.T) {
	s := readBars(t, "spy502.csv")
	ema, err := indicators.Find("EMA")
	require.NoError(t, err)
	rsi, err := indicators.Find("RSI")
	require.NoError(t, err)
	first, err := ema.Stream([]float64{10})
	require.NoError(t, err)
	second, err := rsi.Stream(nil)
	require.NoError(t, err)
	chain, err := indicators.Chain(first, second)
	require.NoError(t, err)
	want := indicators.RSI(nil, indicators.EMA(nil, s.Close, 10), 14)
	out, peek := make([]float64, 1), make([]float64, 1)
	for i, v := range s.Close {
		chain.Peek([]float64{v}, peek)
		chain.Update([]float64{v}, out)
		require.Equal(t, bits(want[i]), bits(out[0]))
		require.Equal(t, bits(out[0]), bits(peek[0]))
		require.Equal(t, i < chain.Warmup(), math.IsNaN(out[0]))
	}
	_, err = indicators.Chain()
	require.Error(t, err)
}
