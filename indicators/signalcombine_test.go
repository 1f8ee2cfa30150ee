package indicators_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/indicators"
)

func ExampleSlopes() {
	fmt.Println(indicators.Slopes(nil, []float64{1, 2, 4, 4, 3, 2}, 2, 0))
	// Output: [NaN NaN 1 1 -1 -1]
}

func ExampleChanges() {
	squeeze := []float64{math.NaN(), 0, 1, 1, 0}
	fmt.Println(indicators.Changes(nil, squeeze)) // begins on the third bar, lets go on the fifth
	// Output: [0 0 1 0 -1]
}

// A cross counts when a threshold was passed the same way at most two bars before.
func ExampleWithin() {
	cross := []float64{0, 1, 0, 0, -1, 0, 1}
	oversold := []float64{1, 0, 0, 0, 0, 0, 0}
	fmt.Println(indicators.Within(nil, cross, oversold, 2))
	// Output: [0 1 0 0 0 0 0]
}

func TestSignalsAreCombinedByDirection(t *testing.T) {
	a := []float64{1, -1, 1, 0, nan, 2, nan}
	b := []float64{1, -1, -1, -1, 1, 0, nan}
	assert.Equal(t, bitsOf([]float64{1, -1, 0, 0, nan, 0, nan}), bitsOf(indicators.Both(nil, a, b)))
	assert.Equal(t, bitsOf([]float64{1, -1, 0, -1, 1, 1, nan}), bitsOf(indicators.Either(nil, a, b)))
	assert.Equal(t, bitsOf([]float64{nan, 0, 1, 2, 0, 1}), bitsOf(indicators.Since(nil, []float64{0, -1, 0, nan, 1, 0})))
	assert.Equal(t, []float64{1, 0, -1}, indicators.Changes(nil, []float64{1, 1, 0}))
	assert.Equal(t, []float64{0, 0, -1, 0}, indicators.Within(nil, []float64{1, 0, -1, -1}, []float64{-1, -1, 0, nan}, 1))
	requireAllNaN(t, 1, "lengths", indicators.Both(nil, []float64{1}, nil))
	requireAllNaN(t, 1, "lengths", indicators.Either(nil, []float64{1}, nil))
	requireAllNaN(t, 1, "lengths", indicators.Within(nil, []float64{1}, nil, 1))
	requireAllNaN(t, 1, "n", indicators.Within(nil, []float64{1}, []float64{1}, -1))
	requireAllNaN(t, 1, "n", indicators.Slopes(nil, []float64{1}, 0, 0))
	requireAllNaN(t, 1, "least", indicators.Slopes(nil, []float64{1}, 1, -1))
	assert.Equal(t, bitsOf([]float64{nan, 0, 1}), bitsOf(indicators.Slopes(nil, []float64{1, 1.5, 2.25}, 1, 0.5)), "by more than least")
	found := []indicators.Divergence{{Kind: indicators.HiddenBullish, Confirmed: 1}, {Kind: indicators.RegularBearish, Confirmed: 2}, {Kind: indicators.HiddenBearish, Confirmed: 9}}
	assert.Equal(t, []float64{0, 1, -1}, indicators.DivergenceSignals(nil, 3, found))
	assert.Equal(t, []float64{0, 0, -1}, indicators.DivergenceSignals([]float64{7, 7, 7}, 3, found, indicators.RegularBearish))
}

// A squeeze of Bollinger bands in a Keltner channel, an RSI that has left a zone
// and a divergence: signals made of real bars do not change when later bars are
// cut off.
func TestNoSignalLooksAhead(t *testing.T) {
	s := readBars(t, "spy502.csv")
	signals := func(n int) map[string][]float64 {
		high, low, closes := s.High[:n], s.Low[:n], s.Close[:n]
		rsi := indicators.RSI(nil, closes, 14)
		bb := indicators.Bollinger(indicators.BollingerValues{}, closes, 20, 2)
		k := indicators.Keltner(indicators.KeltnerValues{}, high, low, closes, 20, 1.5, 10)
		found, err := indicators.Divergences(high, low, rsi, nil)
		require.NoError(t, err)
		all := map[string][]float64{
			"cross":      indicators.Crosses(nil, closes, bb.Middle),
			"zone":       indicators.Thresholds(nil, rsi, 40, 60),
			"inside":     indicators.Inside(nil, bb.Upper, bb.Lower, k.Upper, k.Lower),
			"slope":      indicators.Slopes(nil, bb.Middle, 3, 0.2),
			"divergence": indicators.DivergenceSignals(nil, n, found),
		}
		all["squeeze"] = indicators.Changes(nil, all["inside"])
		all["both"] = indicators.Both(nil, all["cross"], all["slope"])
		all["either"] = indicators.Either(nil, all["zone"], all["divergence"])
		all["within"] = indicators.Within(nil, all["cross"], all["either"], 10)
		all["since"] = indicators.Since(nil, all["within"])
		return all
	}
	whole := signals(s.Len())
	for name, values := range whole {
		kinds := map[float64]bool{}
		for _, v := range values {
			kinds[v] = true
		}
		require.Greater(t, len(kinds), 1, "%s never changes", name)
	}
	for cut := 0; cut < s.Len(); cut += 13 {
		for name, part := range signals(cut) {
			require.Equal(t, bitsOf(whole[name][:cut]), bitsOf(part), "%s cut at %d", name, cut)
		}
	}
}

func TestSignalStreamsAreTheFunctionsOneBarAtATime(t *testing.T) {
	for round := range 30 {
		r := trial{t, rand.New(rand.NewPCG(31, uint64(round)))}
		s := drawSeries(r, true)
		n, least := r.between(1, 9), r.within(0, 50)
		crosses, zones, slopes := indicators.Crosses(nil, s.Close, s.Open), indicators.Thresholds(nil, s.Close, 100, 5e4), indicators.Slopes(nil, s.Close, n, least)
		var cross indicators.CrossesStream
		zone, err := indicators.NewThresholds(100, 5e4)
		require.NoError(t, err)
		slope, err := indicators.NewSlopes(n, least)
		require.NoError(t, err)
		require.Equal(t, n, slope.Warmup())
		for range 2 {
			for i := range s.Len() {
				cross.Peek(s.Open[i], s.Close[i])
				require.Equal(t, bits(crosses[i]), bits(cross.Peek(s.Close[i], s.Open[i])))
				require.Equal(t, bits(crosses[i]), bits(cross.Update(s.Close[i], s.Open[i])))
				zone.Peek(7)
				require.Equal(t, bits(zones[i]), bits(zone.Peek(s.Close[i])))
				require.Equal(t, bits(zones[i]), bits(zone.Update(s.Close[i])))
				slope.Peek(7)
				require.Equal(t, bits(slopes[i]), bits(slope.Peek(s.Close[i])))
				require.Equal(t, bits(slopes[i]), bits(slope.Update(s.Close[i])))
				if i == s.Len()/2 {
					kept, err := indicators.Snapshot(slope)
					require.NoError(t, err)
					slope.Reset()
					require.NoError(t, indicators.Restore(slope, kept))
				}
			}
			cross.Reset()
			zone.Reset()
			slope.Reset()
		}
	}
	_, err := indicators.NewThresholds(2, 1)
	require.Error(t, err)
	_, err = indicators.NewSlopes(0, 0)
	require.Error(t, err)
	_, err = indicators.NewSlopes(1, math.Inf(1))
	require.Error(t, err)
}
