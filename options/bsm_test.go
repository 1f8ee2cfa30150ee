package options_test

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ttai-go/ttai/options"
)

// Haug's printed values, and QuantLib's of his formulas.
func TestPriceMatchesHaugsTables(t *testing.T) {
	for _, row := range readTable(t, "haug_european.csv") {
		k := options.Call
		if strings.EqualFold(row["type"], "put") {
			k = options.Put
		}
		if row["table"] != "testValues" { // the other table's values are Greeks
			continue
		}
		p := options.BSM{Spot: number(t, row, "spot"), Strike: number(t, row, "strike"), Years: number(t, row, "T"),
			Rate: number(t, row, "r"), Yield: number(t, row, "div"), Vol: number(t, row, "sigma")}
		assert.InDelta(t, number(t, row, "value"), p.Price(k), number(t, row, "tol"), "%v", row)
	}
}

var inf, nan = math.Inf(1), math.NaN()

func TestPriceHasLimitsAtTheEdges(t *testing.T) {
	base := options.BSM{Spot: 100, Strike: 90, Years: 1, Rate: 0.05, Yield: 0.02, Vol: 0.2}
	with := func(change func(*options.BSM)) options.BSM {
		p := base
		change(&p)
		return p
	}
	asset, cash := 100*math.Exp(-0.02), 90*math.Exp(-0.05)
	for name, row := range map[string]struct {
		p         options.BSM
		call, put float64
	}{
		"zero volatility":     {with(func(p *options.BSM) { p.Vol = 0 }), asset - cash, 0},
		"zero time":           {with(func(p *options.BSM) { p.Years = 0 }), 10, 0},
		"zero time, any vol":  {with(func(p *options.BSM) { p.Years, p.Vol = 0, inf }), 10, 0},
		"zero strike":         {with(func(p *options.BSM) { p.Strike = 0 }), asset, 0},
		"zero spot":           {with(func(p *options.BSM) { p.Spot = 0 }), 0, cash},
		"nothing at all":      {options.BSM{}, 0, 0},
		"infinite volatility": {with(func(p *options.BSM) { p.Vol = inf }), asset, cash},
		"tiny volatility":     {with(func(p *options.BSM) { p.Vol = 1e-300 }), asset - cash, 0},
		"huge volatility":     {with(func(p *options.BSM) { p.Vol = 1e300 }), asset, cash},
	} {
		assert.InDelta(t, row.call, row.p.Price(options.Call), 1e-13, "%s, call", name)
		assert.InDelta(t, row.put, row.p.Price(options.Put), 1e-13, "%s, put", name)
	}
	for name, p := range map[string]options.BSM{
		"spot NaN":      with(func(p *options.BSM) { p.Spot = nan }),
		"spot below 0":  with(func(p *options.BSM) { p.Spot = -1 }),
		"spot Inf":      with(func(p *options.BSM) { p.Spot = inf }),
		"strike NaN":    with(func(p *options.BSM) { p.Strike = nan }),
		"strike Inf":    with(func(p *options.BSM) { p.Strike = inf }),
		"years below 0": with(func(p *options.BSM) { p.Years = -1 }),
		"years Inf":     with(func(p *options.BSM) { p.Years = inf }),
		"rate NaN":      with(func(p *options.BSM) { p.Rate = nan }),
		"rate Inf":      with(func(p *options.BSM) { p.Rate = inf }),
		"yield absurd":  with(func(p *options.BSM) { p.Yield = -1e6 }),
		"vol NaN":       with(func(p *options.BSM) { p.Vol = nan }),
		"vol below 0":   with(func(p *options.BSM) { p.Vol = -0.2 }),
	} {
		assert.True(t, math.IsNaN(p.Price(options.Call)), name)
		g := p.Greeks(options.Put)
		assert.True(t, math.IsNaN(g.Price) && math.IsNaN(g.Theta) && math.IsNaN(g.ProbTouch), name)
	}
	assert.True(t, math.IsNaN(base.Price(0)), "neither call nor put")
}

func TestGreeksHaveLimitsWithoutRandomness(t *testing.T) {
	in := options.BSM{Spot: 100, Strike: 90, Years: 2, Rate: 0.05, Yield: 0.02}
	g := in.Greeks(options.Call)
	asset, cash := 100*math.Exp(-0.04), 90*math.Exp(-0.1)
	assert.InDelta(t, asset-cash, g.Price, 1e-12)
	assert.InDelta(t, math.Exp(-0.04), g.Delta, 1e-15)
	assert.InDelta(t, -math.Exp(-0.1), g.DualDelta, 1e-15)
	assert.InDelta(t, 0.02*asset-0.05*cash, g.Theta, 1e-12)
	assert.InDelta(t, 2*cash, g.Rho, 1e-12)
	assert.InDelta(t, -2*asset, g.RhoYield, 1e-12)
	assert.Equal(t, []float64{0, 0, 1, 0}, []float64{g.Gamma, g.Vega, g.ProbITM, g.ProbTouch})

	// The same, as the limit of a small volatility.
	in.Vol = 1e-4
	small := in.Greeks(options.Call)
	assert.InDelta(t, g.Theta, small.Theta, 1e-9)
	assert.InDelta(t, g.Charm, small.Charm, 1e-9)

	// A spot that drifts through the strike touches it.
	in = options.BSM{Spot: 100, Strike: 101, Years: 1, Rate: 0.05}
	assert.Equal(t, 1.0, in.Greeks(options.Call).ProbTouch)
	assert.Equal(t, 1.0, in.Greeks(options.Call).ProbITM)

	money := options.BSM{Spot: 100, Strike: 100, Years: 1}.Greeks(options.Put)
	assert.Equal(t, -0.5, money.Delta)
	assert.Equal(t, inf, money.Gamma)
	assert.True(t, math.IsNaN(money.Vanna))
	assert.InDelta(t, 39.894228040143, money.Vega, 1e-9) // 100/√(2π)

	expired := options.BSM{Spot: 80, Strike: 100, Vol: 0.3}.Greeks(options.Put)
	assert.Equal(t, []float64{20, -1, 0, 0, 1, 0}, []float64{expired.Price, expired.Delta, expired.Gamma, expired.Vega, expired.ProbITM, expired.ProbTouch})

	wild := options.BSM{Spot: 100, Strike: 120, Years: 1, Vol: inf}.Greeks(options.Call)
	assert.Equal(t, []float64{100, 1, 0}, []float64{wild.Price, wild.Delta, wild.ProbITM})
	assert.InDelta(t, 100.0/120, wild.ProbTouch, 1e-15)
}

func TestTradersUnits(t *testing.T) {
	g := options.Greeks{Theta: -36.5, Vega: 20, Rho: 30, Charm: 3.65, Veta: 7.3, Color: 0.365, Vanna: 2, Vomma: 1e4}
	assert.Equal(t, []float64{-0.1, 0.2, 0.3, 0.01, 0.02, 0.001, 0.02, 1},
		[]float64{g.ThetaPerDay(), g.VegaPerPoint(), g.RhoPerPoint(), g.CharmPerDay(), g.VetaPerDay(), g.ColorPerDay(), g.VannaPerPoint(), g.VommaPerPoint()})
}

func drawBSM(t *rapid.T) options.BSM {
	return options.BSM{
		Spot: rapid.Float64Range(1, 1000).Draw(t, "spot"), Strike: rapid.Float64Range(1, 1000).Draw(t, "strike"),
		Years: rapid.Float64Range(0.001, 5).Draw(t, "years"), Rate: rapid.Float64Range(-0.05, 0.2).Draw(t, "rate"),
		Yield: rapid.Float64Range(-0.05, 0.2).Draw(t, "yield"), Vol: rapid.Float64Range(0.02, 3).Draw(t, "vol"),
	}
}

func TestCallLessPutIsTheForward(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawBSM(t)
		call, put := p.Greeks(options.Call), p.Greeks(options.Put)
		scale := p.Spot + p.Strike
		want := p.Spot*math.Exp(-p.Yield*p.Years) - p.Strike*math.Exp(-p.Rate*p.Years)
		require.InDelta(t, want, call.Price-put.Price, 1e-14*scale)
		require.InDelta(t, math.Exp(-p.Yield*p.Years), call.Delta-put.Delta, 1e-14)
		require.Equal(t, call.Gamma, put.Gamma)
		require.Equal(t, call.Vega, put.Vega)
		require.InDelta(t, 1, call.ProbITM+put.ProbITM, 1e-15)
		require.Equal(t, call.ProbTouch, put.ProbTouch)
		require.GreaterOrEqual(t, call.ProbTouch, max(call.ProbITM, put.ProbITM)*(1-1e-12)*b2f(touchNeeded(p, call)), "%+v", p)
	})
}

// touchNeeded reports whether the side that is out of the money now has the
// larger probability: it cannot be reached without touching the strike.
func touchNeeded(p options.BSM, call options.Greeks) bool {
	return (p.Spot < p.Strike) == (call.ProbITM > 0.5)
}

func b2f(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func TestImpliedVolFindsTheVolatilityAgain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawBSM(t)
		k := rapid.SampledFrom([]options.Kind{options.Call, options.Put}).Draw(t, "kind")
		g := p.Greeks(k)
		got, err := p.ImpliedVol(k, g.Price)
		// The price carries the volatility only as far as its last place tells.
		lost := 0x1p-52 * (p.Spot + p.Strike + g.Price) * 4 / g.Vega
		if lost > 0.01*p.Vol {
			return
		}
		require.NoError(t, err, "%+v %v", p, g.Price)
		require.InDelta(t, p.Vol, got, lost+1e-14*p.Vol, "%+v", p)
	})
}

func TestImpliedVolSaysWhyThereIsNone(t *testing.T) {
	p := options.BSM{Spot: 100, Strike: 80, Years: 0.5}
	for name, row := range map[string]struct {
		k     options.Kind
		price float64
		want  error
	}{
		"below intrinsic":  {options.Call, 19.99, options.ErrBelowIntrinsic},
		"at intrinsic":     {options.Call, 20, options.ErrNoTimeValue},
		"worthless":        {options.Put, 0, options.ErrNoTimeValue},
		"call at the spot": {options.Call, 100, options.ErrAboveMaximum},
		"put at strike":    {options.Put, 80, options.ErrAboveMaximum},
		"put above strike": {options.Put, 81, options.ErrAboveMaximum},
	} {
		vol, err := p.ImpliedVol(row.k, row.price)
		assert.ErrorIs(t, err, row.want, name)
		assert.True(t, math.IsNaN(vol), name)
		assert.True(t, math.IsNaN(options.ImpliedVolBlack(row.k, row.price, 100, 80, 0.5)), name)
	}
	for field, try := range map[string]func() (float64, error){
		"kind":  func() (float64, error) { return p.ImpliedVol(3, 21) },
		"price": func() (float64, error) { return p.ImpliedVol(options.Call, nan) },
		"spot": func() (float64, error) {
			return options.BSM{Spot: inf, Strike: 1, Years: 1}.ImpliedVol(options.Call, 1)
		},
		"strike": func() (float64, error) { return options.BSM{Spot: 1, Strike: -1, Years: 1}.ImpliedVol(options.Call, 1) },
		"years":  func() (float64, error) { return options.BSM{Spot: 1, Strike: 1}.ImpliedVol(options.Call, 1) },
		"rate": func() (float64, error) {
			return options.BSM{Spot: 1, Strike: 1, Years: 1, Rate: nan}.ImpliedVol(options.Call, 1)
		},
		"yield": func() (float64, error) {
			return options.BSM{Spot: 1, Strike: 1, Years: 1, Yield: inf}.ImpliedVol(options.Call, 1)
		},
	} {
		vol, err := try()
		var refused *options.FieldError
		require.ErrorAs(t, err, &refused, field)
		assert.Equal(t, field, refused.Field)
		assert.True(t, math.IsNaN(vol))
	}
}

func TestBatchesEqualSingleCallsAndAllocateNothing(t *testing.T) {
	p := []options.BSM{{100, 100, 1, 0.05, 0.02, 0.2}, {100, 80, 0.1, 0.05, 0, 0.4}, {50, nan, 1, 0, 0, 0.3}}
	kinds := []options.Kind{options.Call, options.Put, options.Call}
	prices, vols, greeks := make([]float64, 3), make([]float64, 3), make([]options.Greeks, 3)
	require.Zero(t, testing.AllocsPerRun(10, func() {
		_ = options.PriceBatch(prices, p, kinds)
		_ = options.GreeksBatch(greeks, p, kinds)
		_ = options.ImpliedVolBatch(vols, p, kinds, prices)
	}))
	for i := range 2 {
		require.Equal(t, p[i].Price(kinds[i]), prices[i])
		require.Equal(t, p[i].Greeks(kinds[i]), greeks[i])
		require.InDelta(t, p[i].Vol, vols[i], 1e-14)
	}
	require.True(t, math.IsNaN(prices[2]) && math.IsNaN(vols[2]) && math.IsNaN(greeks[2].Delta))

	var refused *options.FieldError
	require.ErrorAs(t, options.PriceBatch(prices[:2], p, kinds), &refused)
	require.Equal(t, "dst", refused.Field)
	require.ErrorAs(t, options.GreeksBatch(greeks, p, kinds[:1]), &refused)
	require.Equal(t, "kinds", refused.Field)
	require.ErrorAs(t, options.ImpliedVolBatch(vols, p, kinds, nil), &refused)
	require.Equal(t, "prices", refused.Field)
}

// Whatever the arguments: no panic, and prices between nothing and the most an
// option can be worth.
func FuzzBSM(f *testing.F) {
	f.Add(100.0, 100.0, 1.0, 0.05, 0.02, 0.2, 10.0)
	f.Add(1e-300, 1e300, 1e-9, -5.0, 5.0, 1e9, 1e-300)
	f.Add(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
	f.Add(inf, nan, -1.0, inf, -inf, nan, inf)
	f.Add(1.0, 1.0000000000000002, 5e-324, 0.0, 0.0, 1e300, 5e-324)
	f.Add(100.0, 50.0, 1.0, 0.0, 0.0, 1e-5, 50.000000000000007)
	f.Fuzz(func(t *testing.T, spot, strike, years, rate, yield, vol, price float64) {
		p := options.BSM{Spot: spot, Strike: strike, Years: years, Rate: rate, Yield: yield, Vol: vol}
		asset, cash := spot*math.Exp(-yield*years), strike*math.Exp(-rate*years)
		for _, k := range []options.Kind{options.Call, options.Put, 0} {
			most := asset
			if k == options.Put {
				most = cash
			}
			v := p.Price(k)
			if !math.IsNaN(v) && !(v >= 0 && v <= most*(1+1e-12)) {
				t.Errorf("%+v %v: %v", p, k, v)
			}
			g := p.Greeks(k)
			if !math.IsNaN(v) && v != g.Price {
				t.Errorf("%+v %v: %v and %v", p, k, v, g.Price)
			}
			if g.ProbITM < 0 || g.ProbITM > 1 || g.ProbTouch < 0 || g.ProbTouch > 1 {
				t.Errorf("%+v %v: %+v", p, k, g)
			}
			iv, err := p.ImpliedVol(k, price)
			if (err == nil) != (iv >= 0 && !math.IsInf(iv, 1)) {
				t.Errorf("%+v %v at %v: %v, %v", p, k, price, iv, err)
			}
		}
	})
}
