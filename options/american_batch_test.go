package options_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/options"
)

// The rhos of a batch are those of the exact solver.
func TestAmericanBatchesKnowTheRhos(t *testing.T) {
	var p []options.BSM
	var kinds []options.Kind
	for _, terms := range [][2]float64{{0.04, 0.013}, {0.01, 0.06}, {0.05, 0}, {0.005, -0.03}, {-0.02, 0.02}} {
		some, k := chainOf(6, 7)
		for i := range some {
			some[i].Rate, some[i].Yield = terms[0], terms[1]
		}
		p, kinds = append(p, some...), append(kinds, k...)
	}
	greeks := make([]options.AmericanGreeks, len(p))
	require.NoError(t, options.AmericanGreeksBatch(greeks, p, kinds))
	for i := range p {
		want := p[i].AmericanGreeks(kinds[i], options.Accuracy1e8)
		most := 2e-3 * p[i].Spot * p[i].Years
		require.InDelta(t, want.Rho, greeks[i].Rho, most, "%+v %v", p[i], kinds[i])
		require.InDelta(t, want.RhoYield, greeks[i].RhoYield, most, "%+v %v", p[i], kinds[i])
		require.Equal(t, want.Exercise, greeks[i].Exercise)
	}
}

// One call for both gives what the two give, and leaves its arguments alone.
func TestAmericanImpliedBatchIsBothInOne(t *testing.T) {
	p, kinds := chainOf(4, 10)
	prices, vols, again := make([]float64, len(p)), make([]float64, len(p)), make([]float64, len(p))
	require.NoError(t, options.AmericanPriceBatch(prices, p, kinds))
	require.NoError(t, options.AmericanImpliedVolBatch(vols, p, kinds, prices))
	greeks := make([]options.AmericanGreeks, len(p))
	before := append([]options.BSM{}, p...)
	require.NoError(t, options.AmericanImpliedBatch(again, greeks, p, kinds, prices))
	require.Equal(t, before, p)
	known := 0
	for i := range p {
		if math.IsNaN(vols[i]) {
			require.True(t, math.IsNaN(again[i]) && math.IsNaN(greeks[i].Price) && math.IsNaN(greeks[i].Delta))
			continue
		}
		known++
		require.Equal(t, vols[i], again[i])
		require.InDelta(t, prices[i], greeks[i].Price, 1e-5)
	}
	require.Greater(t, known, len(p)/2)
	var refused *options.FieldError
	require.ErrorAs(t, options.AmericanImpliedBatch(again, greeks[1:], p, kinds, prices), &refused)
	require.Equal(t, "dst", refused.Field)
}

// Batches of any terms: no panic, no price below what exercising gives, and
// volatilities only above zero.
func FuzzAmericanBatch(f *testing.F) {
	f.Add(100.0, 1.0, 0.05, 0.02, 0.2)
	f.Add(100.0, 20.0, 0.17, 0.009, 0.07)
	f.Add(100.0, 15.0, 0.007, 0.001, 2.2)
	f.Add(100.0, 1e-5, 0.0, -0.03, 0.4)
	f.Add(100.0, 0.5, -0.01, 0.02, 0.2)
	f.Add(1e-300, 0.5, 1e-9, 1e-9, 1e-9)
	f.Fuzz(func(t *testing.T, spot, years, rate, yield, vol float64) {
		var p []options.BSM
		var kinds []options.Kind
		for i := range 8 {
			q := options.BSM{Spot: spot, Strike: spot * (0.6 + 0.2*float64(i/2)), Years: years, Rate: rate, Yield: yield, Vol: vol * (1 + 0.1*float64(i))}
			for _, k := range []options.Kind{options.Call, options.Put} {
				p, kinds = append(p, q), append(kinds, k)
			}
		}
		prices, vols, greeks := make([]float64, len(p)), make([]float64, len(p)), make([]options.AmericanGreeks, len(p))
		require.NoError(t, options.AmericanPriceBatch(prices, p, kinds))
		require.NoError(t, options.AmericanImpliedBatch(vols, greeks, p, kinds, prices))
		for i := range p {
			if european := p[i].Price(kinds[i]); math.IsNaN(european) {
				continue
			} else if !(prices[i] >= european*(1-1e-14) && prices[i] >= float64(kinds[i])*(p[i].Spot-p[i].Strike)*(1-1e-12)) {
				t.Errorf("%+v %v: %v, European %v", p[i], kinds[i], prices[i], european)
			}
			if v := vols[i]; !math.IsNaN(v) && !(v > 0) {
				t.Errorf("%+v %v: volatility %v of %v", p[i], kinds[i], v, prices[i])
			}
		}
	})
}
