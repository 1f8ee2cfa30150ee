package options_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ttai-go/ttai/options"
)

func TestBlack76AndDisplacedAreBSMInOtherWords(t *testing.T) {
	p := options.BSM{Spot: 90, Strike: 100, Years: 0.7, Rate: 0.05, Yield: 0.05, Vol: 0.3}
	require.Equal(t, p.Price(options.Put), options.Black76(options.Put, 90, 100, 0.7, 0.05, 0.3))
	require.Equal(t, options.Black76(options.Call, 1.5, 1, 2, 0.01, 0.4), options.Displaced(options.Call, -0.5, -1, 2, 2, 0.01, 0.4), "below zero")
	v := options.Displaced(options.Call, 0.01, 0.02, 0.03, 2, 0.01, 0.4)
	require.InEpsilon(t, 0.4, options.ImpliedVolDisplaced(options.Call, v, 0.01, 0.02, 0.03, 2, 0.01), 1e-13)
	require.True(t, math.IsNaN(options.Displaced(options.Call, -4, 1, 3, 2, 0.01, 0.4)))
}

// h and φ(h) - h·Φ(-h), computed with 60 digits.
func TestBachelierKeepsItsDigits(t *testing.T) {
	for _, row := range [][2]float64{
		{0, 0.39894228040143267794},
		{0.5, 0.19779655740130603},
		{1, 0.083315470587686298},
		{3, 0.0003821543170477236},
		{8, 7.5502624119464989e-17},
		{12, 1.4605201169845548e-34},
	} {
		got := options.Bachelier(options.Call, 100, 100+2*row[0], 4, 0, 1)
		assert.InEpsilon(t, 2*row[1], got, 1e-15, "h=%v", row[0])
	}
}

func TestBachelierEdges(t *testing.T) {
	assert.Equal(t, 10.0, options.Bachelier(options.Put, -5, 5, 0, 0.1, 3), "expired, below zero")
	assert.Equal(t, 0.0, options.Bachelier(options.Call, 1, 5, 1, 0, 0))
	assert.Equal(t, inf, options.Bachelier(options.Call, 1, 5, 1, 0, inf))
	assert.InDelta(t, math.Exp(-0.1)*(105-100), options.Bachelier(options.Call, 105, 100, 1, 0.1, 1e-9), 1e-12)
	for _, v := range []float64{
		options.Bachelier(0, 1, 1, 1, 0, 1), options.Bachelier(options.Call, nan, 1, 1, 0, 1), options.Bachelier(options.Call, 1, 1, -1, 0, 1),
		options.Bachelier(options.Call, 1, 1, 1, 0, -1), options.Bachelier(options.Call, 1, inf, 1, 0, 1), options.Bachelier(options.Call, 1, 1, 1, nan, 1),
	} {
		assert.True(t, math.IsNaN(v))
	}
}

func TestImpliedVolBachelierFindsTheVolatilityAgain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		forward := rapid.Float64Range(-100, 100).Draw(t, "forward")
		vol, years := rapid.Float64Range(0.01, 100).Draw(t, "vol"), rapid.Float64Range(0.01, 10).Draw(t, "years")
		h := rapid.Float64Range(0, 30).Draw(t, "h")
		strike := forward + h*vol*math.Sqrt(years)
		price := options.Bachelier(options.Call, forward, strike, years, 0, vol)
		got, err := options.ImpliedVolBachelier(options.Call, price, forward, strike, years, 0)
		require.NoError(t, err)
		// The strike's rounding matters as much as the price's.
		require.InEpsilon(t, vol, got, 1e-14+0x1p-51*(1+math.Abs(forward)+math.Abs(strike))/max(vol*math.Sqrt(years), strike-forward))
	})
}

func TestImpliedVolBachelierSaysWhyThereIsNone(t *testing.T) {
	_, err := options.ImpliedVolBachelier(options.Call, 4.9, 105, 100, 1, 0)
	require.ErrorIs(t, err, options.ErrBelowIntrinsic)
	_, err = options.ImpliedVolBachelier(options.Call, 5, 105, 100, 1, 0)
	require.ErrorIs(t, err, options.ErrNoTimeValue)
	for field, try := range map[string]func() (float64, error){
		"kind":    func() (float64, error) { return options.ImpliedVolBachelier(0, 1, 1, 1, 1, 0) },
		"price":   func() (float64, error) { return options.ImpliedVolBachelier(options.Put, -1, 1, 1, 1, 0) },
		"years":   func() (float64, error) { return options.ImpliedVolBachelier(options.Put, 1, 1, 1, 0, 0) },
		"forward": func() (float64, error) { return options.ImpliedVolBachelier(options.Put, 1, nan, 1, 1, 0) },
	} {
		vol, err := try()
		var refused *options.FieldError
		require.ErrorAs(t, err, &refused, field)
		assert.Equal(t, field, refused.Field)
		assert.True(t, math.IsNaN(vol))
	}
}

func TestColumnsEqualSingleCallsAndAllocateNothing(t *testing.T) {
	c := options.Columns{
		Kind: []options.Kind{options.Call, options.Put}, Spot: []float64{100, 100}, Strike: []float64{95, 110},
		Years: []float64{1, 0.5}, Rate: []float64{0.05, 0.02}, Vol: []float64{0.2, 0.4},
	}
	prices, vols, greeks := make([]float64, 2), make([]float64, 2), make([]options.Greeks, 2)
	require.Zero(t, testing.AllocsPerRun(10, func() {
		_ = c.Prices(prices)
		_ = c.Greeks(greeks)
		_ = c.ImpliedVols(vols, prices)
	}))
	for i := range prices {
		p := options.BSM{Spot: c.Spot[i], Strike: c.Strike[i], Years: c.Years[i], Rate: c.Rate[i], Vol: c.Vol[i]}
		require.Equal(t, p.Price(c.Kind[i]), prices[i])
		require.Equal(t, p.Greeks(c.Kind[i]), greeks[i])
		require.InDelta(t, p.Vol, vols[i], 1e-14)
	}
	var refused *options.FieldError
	require.ErrorAs(t, c.Prices(prices[:1]), &refused)
	require.ErrorAs(t, c.ImpliedVols(vols, prices[:1]), &refused)
	c.Rate = c.Rate[:1]
	require.ErrorAs(t, c.Greeks(greeks), &refused)
}

func TestInParallelCoversEveryIndexOnce(t *testing.T) {
	for _, n := range []int{0, 1, 7, 1000} {
		seen := make([]int, n)
		options.InParallel(n, 3, func(from, to int) {
			for i := from; i < to; i++ {
				seen[i]++
			}
		})
		for i, times := range seen {
			require.Equal(t, 1, times, "index %d of %d", i, n)
		}
	}
}
