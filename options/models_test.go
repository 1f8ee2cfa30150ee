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

// Forwards and strikes next to nothing lose no digits to the shift. Prices and
// volatilities of exactly these numbers, with 60 digits, and their condition numbers:
// the price's by all arguments, the volatility's by the price alone.
func TestDisplacedKeepsTheDigitsOfSmallForwards(t *testing.T) {
	for _, row := range []struct {
		k                                  options.Kind
		forward, strike, shift, years, vol float64
		price, given, implied              float64
		impliedCondition, priceCondition   float64
	}{
		{options.Call, 0.000354276035506057, 0.0005630339635194731, 0.09619292808687001, 1.0726830407485843, 0.007697045713450734, 0.0002142161798609675984582552, 0.0002142161798609676, 0.007697045713450733910413843, 0.72296572, 5.1337602},
		{options.Call, -0.00010716878154729687, -0.0001366630253342557, 0.039823227613671276, 0.01034169977825023, 0.01511959445080512, 0.00004188858865866578531051457, 4.188858865866579e-05, 0.01511959445080512222639862, 1.9330262, 5.2850377},
		{options.Call, 0.004208371627153363, 0.002590512890544499, 0.03, 2.415561899617556, 0.018997287604083226, 0.0016386494736034245268882, 0.0016386494736034245, 0.01899728760408322876195087, 16.014034, 4.091152},
		{options.Put, -0.00022278275167536554, -0.000222761663848056, 0.03, 0.0019318590644841237, 0.11307124705710993, 0.00005904883643703787242642021, 5.904883643703787e-05, 0.1130712470571099267762768, 1.0001807, 6.2801363},
		{options.Put, -0.00040112538756022914, -0.00028160849740281986, 0.06025256185518307, 0.04680619532943976, 0.004868206362156582, 0.0001202251981983369052762126, 0.0001202251981983369, 0.004868206362156578040728878, 28.713767, 5.6007322},
	} {
		price := options.Displaced(row.k, row.forward, row.strike, row.shift, row.years, 0, row.vol)
		assert.LessOrEqual(t, math.Abs(price/row.price-1)/ulp/max(1, row.priceCondition), 4.0, "%+v", row)
		vol := options.ImpliedVolDisplaced(row.k, row.given, row.forward, row.strike, row.shift, row.years, 0)
		assert.LessOrEqual(t, math.Abs(vol/row.implied-1)/ulp/max(1, row.impliedCondition), 4.0, "%+v", row)
		discount := math.Exp(-0.03 * row.years)
		assert.InEpsilon(t, discount*row.price, options.Displaced(row.k, row.forward, row.strike, row.shift, row.years, 0.03, row.vol), 1e-14)
		assert.InEpsilon(t, row.vol, options.ImpliedVolDisplaced(row.k, discount*row.given, row.forward, row.strike, row.shift, row.years, 0.03), 4*ulp*max(1, row.impliedCondition))
	}
	// No time value is left, or more than there can be; nothing to be lognormal.
	assert.True(t, math.IsNaN(options.ImpliedVolDisplaced(options.Call, 0.0001, 0.0013, 0.0012, 0.0301, 1, 0)))
	assert.True(t, math.IsNaN(options.ImpliedVolDisplaced(options.Call, 0.04, 0.0013, 0.0012, 0.0301, 1, 0)))
	assert.True(t, math.IsNaN(options.ImpliedVolDisplaced(options.Call, 0.01, -0.04, 0.0012, 0.0301, 1, 0)))
	assert.True(t, math.IsNaN(options.Displaced(0, 0.0013, 0.0012, 0.0301, 1, 0, 0.2)))
	assert.True(t, math.IsNaN(options.Displaced(options.Call, 0.0013, 0.0012, 0.0301, math.NaN(), 0, 0.2)))
	assert.InDelta(t, 0.0001, options.Displaced(options.Call, 0.0013, 0.0012, 0.0301, 1, 0, 0), 1e-17)
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
