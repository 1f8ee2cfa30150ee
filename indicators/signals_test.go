package indicators_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/indicators"
)

func ExampleCrosses() {
	fast := []float64{1, 2, 3, 3, 2, math.NaN(), 1}
	slow := []float64{2, 2, 2, 3, 3, 3, 3}
	fmt.Println(indicators.Crosses(nil, fast, slow))
	// Output: [0 0 1 0 -1 0 0]
}

func ExampleThresholds() {
	rsi := []float64{50, 71, 75, 60, 29, 20, 35, 80}
	fmt.Println(indicators.Thresholds(nil, rsi, 30, 70))
	// Output: [0 1 0 0 -1 0 0 1]
}

func ExampleDivergences() {
	low := []float64{5, 4, 3, 4, 5, 4, 2, 4, 5}
	high := []float64{6, 5, 4, 5, 6, 5, 3, 5, 6}
	momentum := []float64{0, 0, -9, 0, 0, 0, -4, 0, 0}
	found, err := indicators.Divergences(high, low, momentum, &indicators.DivergenceOptions{Left: 2, Right: 2})
	fmt.Println(found, err)
	// Output: [{regular_bullish 2 6 8}] <nil>
}

func TestATouchIsNoCross(t *testing.T) {
	assert.Equal(t, []float64{0, 0, 0, 0}, indicators.Crosses(nil, []float64{3, 2, 2, 3}, []float64{2, 2, 2, 2}))
	assert.Equal(t, []float64{0, 0, 0, -1}, indicators.Crosses(nil, []float64{3, 2, 2, 1}, []float64{2, 2, 2, 2}), "through a touch")
	requireAllNaN(t, 2, "lengths", indicators.Crosses(nil, []float64{1, 2}, []float64{1}))
	requireAllNaN(t, 1, "limits", indicators.Thresholds(nil, []float64{1}, 2, 1))
}

func TestInsideIsTheSqueezeIndicator(t *testing.T) {
	s := readBars(t, "spy502.csv")
	bb := indicators.Bollinger(indicators.BollingerValues{}, s.Close, 20, 2)
	n := s.Len()
	upper, lower := make([]float64, n), make([]float64, n)
	tr := indicators.TrueRange(indicators.TrueRangeValues{}, s.High, s.Low, s.Close)
	mean := indicators.SMA(nil, tr.TR, 20)
	for i := range upper {
		upper[i], lower[i] = bb.Middle[i]+1.5*mean[i], bb.Middle[i]-1.5*mean[i]
	}
	got := indicators.Inside(nil, bb.Upper, bb.Lower, upper, lower)
	require.Equal(t, bitsOf(indicators.Squeeze(indicators.SqueezeValues{}, s.High, s.Low, s.Close, 20, 2, 20, 1.5).On), bitsOf(got))
	require.Contains(t, got, 1.0)
}

func TestDivergencesDoNotLookAhead(t *testing.T) {
	s := readBars(t, "spy502.csv")
	rsi := indicators.RSI(nil, s.Close, 14)
	all, err := indicators.Divergences(s.High, s.Low, rsi, nil)
	require.NoError(t, err)
	kinds := map[indicators.DivergenceKind]int{}
	for _, d := range all {
		kinds[d.Kind]++
		assert.Equal(t, d.Second+5, d.Confirmed)
	}
	require.Len(t, kinds, 4, "each kind occurs: %v", kinds)
	for cut := 0; cut <= s.Len(); cut += 7 {
		part, err := indicators.Divergences(s.High[:cut], s.Low[:cut], rsi[:cut], nil)
		require.NoError(t, err)
		for i, d := range part {
			require.Equal(t, all[i], d)
		}
		if len(part) < len(all) {
			require.GreaterOrEqual(t, all[len(part)].Confirmed, cut)
		}
	}
	_, err = indicators.Divergences(s.High, s.Low[1:], rsi, nil)
	var refused *indicators.FieldError
	require.ErrorAs(t, err, &refused)
	_, err = indicators.Divergences(nil, nil, nil, &indicators.DivergenceOptions{Left: -1})
	require.ErrorAs(t, err, &refused)
	require.Equal(t, "Left", refused.Field)
}
