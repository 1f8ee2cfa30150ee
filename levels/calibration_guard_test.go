package levels

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/market"
)

// Coca-Cola from 2012 to 2014 is among the bars that the strengths were not fitted to.
func TestShippedStrengthsAreHonestOnBarsTheyWereNotFittedTo(t *testing.T) {
	for _, f := range calibrationFiles() {
		if f.symbol != "KO" {
			continue
		}
		e, err := Evaluate([]market.Series{f.read(t)}, &EvaluateOptions{Visits: -1, Record: true, Draws: 2, Resamples: 200})
		require.NoError(t, err)
		require.Greater(t, e.All.Touches, 2000)
		given := 0.0
		for _, x := range e.Touches {
			given += x.Forecast / float64(e.All.Touches)
		}
		assert.True(t, given > e.All.RateLow && given < e.All.RateHigh, "given %.3f, reacted %.3f to %.3f", given, e.All.RateLow, e.All.RateHigh)
		assert.Less(t, e.All.Brier, 0.25, "more is known than nothing")
		return
	}
	t.Fatal("the file is gone")
}

func TestTheFitFindsWhatWasPutIn(t *testing.T) {
	want := [4]float64{-0.2, 0.6, -0.1, 0.15}
	var groups []grouped
	for k := range 31 {
		for _, side := range []int8{-1, 1} {
			w := float64(k) / 10
			p := logistic(want[0] + want[1]*w + want[2]*w*w + want[3]*float64(side))
			groups = append(groups, grouped{n: 1e6, hits: 1e6 * p, width: 1e6 * w, side: side})
		}
	}
	assert.InDeltaSlice(t, want[:], sliceOf(fitRandom(groups)), 1e-4)

	var offsets, x, hits []float64
	for k := range 2000 {
		offset, feature := math.Sin(float64(k)), float64(k%7)-3
		p := logistic(offset + 0.3*feature)
		// As many of each as the probability says, by twenty shares.
		for n := range 20 {
			h := 0.0
			if (float64(n)+0.5)/20 < p {
				h = 1
			}
			offsets, x, hits = append(offsets, offset), append(x, feature), append(hits, h)
		}
	}
	assert.InDelta(t, 0.3, fitSlope(offsets, x, hits, 1), 0.01)
	assert.InDelta(t, 0.0, fitSlope(offsets, x, hits, 1e-4), 0.01, "a narrow prior holds it")
}

func sliceOf(x [4]float64) []float64 { return x[:] }

func TestResampledBlocksHoldTheFigureTheyComeFrom(t *testing.T) {
	sums := map[int64][]float64{}
	var keys []int64
	for k := range int64(60) {
		sums[k] = []float64{10 + 3*math.Sin(float64(k)), 20 + 5*math.Cos(3*float64(k))}
		keys = append(keys, k)
	}
	value, low, high := resample(keys, func(k int64) []float64 { return sums[k] }, func(s []float64) float64 { return s[0] / s[1] }, 0.025)
	assert.InDelta(t, 0.5, value, 0.02)
	assert.True(t, low < value && value < high && high-low < 0.1)
	_, low, _ = resample(keys[:3], func(k int64) []float64 { return sums[k] }, func(s []float64) float64 { return s[0] / s[1] }, 0.025)
	assert.True(t, math.IsNaN(low), "too few")
}
