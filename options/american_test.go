package options_test

import (
	"math"
	"math/rand"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ttai-go/ttai/options"
)

type americanRow struct {
	p                                              options.BSM
	kind                                           options.Kind
	price, delta, gamma, theta, boundary, european float64
}

func americanRows(t testing.TB) []americanRow {
	var rows []americanRow
	for _, r := range readTable(t, "american_ref.csv") {
		n := func(column string) float64 { return number(t, r, column) }
		rows = append(rows, americanRow{
			options.BSM{Spot: n("S"), Strike: n("K"), Years: n("T"), Rate: n("r"), Yield: n("div"), Vol: n("sigma")},
			sign(t, r), n("price"), n("delta"), n("gamma"), n("theta"), n("boundary"), n("european"),
		})
	}
	return rows
}

// The reference prices come from two grids of another implementation of the
// integral equation that agree to 3e-10.
func TestAmericanReachesItsAccuracy(t *testing.T) {
	rows := americanRows(t)
	for _, want := range []struct {
		a            options.Accuracy
		stride       int
		median, most float64
	}{
		{options.Accuracy1e4, 1, 1e-5, 1e-4},
		{options.Accuracy1e6, 1, 1e-6, 1e-5},
		{options.Accuracy1e8, 1, 1e-8, 1e-8},
		{options.Accuracy1e10, 10, 1e-11, 3e-10},
	} {
		var errs spread
		for i := 0; i < len(rows); i += want.stride {
			r := rows[i]
			errs = append(errs, math.Abs(r.p.American(r.kind, want.a)/r.price-1))
		}
		errs.log(t, "american")
		require.LessOrEqual(t, errs.at(0.5), want.median, "accuracy %d", want.a)
		require.LessOrEqual(t, errs.at(1), want.most, "accuracy %d", want.a)
	}
}

// The reference's own Greeks are good to 1e-9 for delta and 1e-7 for gamma.
func TestAmericanGreeksMatchTheReference(t *testing.T) {
	var delta, gamma, theta, boundary spread
	for i, r := range americanRows(t) {
		if i%3 != 0 {
			continue
		}
		g := r.p.AmericanGreeks(r.kind, options.Accuracy1e8)
		require.InEpsilon(t, r.price, g.Price, 1e-7)
		delta = append(delta, math.Abs(g.Delta-r.delta))
		gamma = append(gamma, math.Abs(g.Gamma-r.gamma))
		theta = append(theta, math.Abs(g.Theta-r.theta)/max(1, math.Abs(r.theta)))
		if r.boundary > 0 {
			got := g.Boundary
			if r.kind == options.Call { // the table has the symmetric put's
				got = r.p.Strike * r.p.Spot / got
			}
			boundary = append(boundary, math.Abs(got/r.boundary-1))
		}
	}
	for name, s := range map[string]spread{"delta": delta, "gamma": gamma, "theta": theta, "boundary": boundary} {
		s.log(t, name)
		require.LessOrEqual(t, s.at(0.9), 2e-7, name)
	}
	require.LessOrEqual(t, delta.at(1), 1e-6)
	require.LessOrEqual(t, gamma.at(0.99), 1e-6)
}

// Haug's and Ju and Zhong's printed values belong to the approximations.
func TestNamedApproximationsMatchTheirTables(t *testing.T) {
	for _, row := range readTable(t, "haug_american.csv") {
		p := options.BSM{Spot: number(t, row, "spot"), Strike: number(t, row, "strike"), Years: number(t, row, "T"),
			Rate: number(t, row, "r"), Yield: number(t, row, "div"), Vol: number(t, row, "sigma")}
		k := options.Call
		if row["type"] == "Put" {
			k = options.Put
		}
		want := number(t, row, "value")
		switch row["table"] {
		case "juValues":
			assert.InDelta(t, want, p.AmericanJuZhong(k), 1e-3, "%v", row)
		case "testBaroneAdesiWhaleyValues":
			assert.InDelta(t, want, p.AmericanBaroneAdesiWhaley(k), 3e-3, "%v", row)
		case "testBjerksundStenslandValues":
			// The first edition's: one flat boundary.
			assert.InDelta(t, want, p.AmericanBjerksundStensland1993(k), 5e-5, "%v", row)
		default:
			t.Fatalf("unknown table %q", row["table"])
		}
		exact := p.American(k, options.Accuracy1e6)
		lower, two := p.AmericanBjerksundStensland1993(k), p.AmericanBjerksundStensland(k)
		require.LessOrEqual(t, lower, two*(1+1e-6), "two boundaries are better than one: %v", row)
		require.LessOrEqual(t, two, exact*(1+1e-6)+1e-9, "a lower bound: %v", row)
	}
}

// binomial is Cox, Ross and Rubinstein's tree with the last step by formula
// (Broadie and Detemple 1996), extrapolated: slow, and wholly unlike the rest.
func binomial(p options.BSM, k options.Kind) float64 {
	tree := func(steps int) float64 {
		dt := p.Years / float64(steps)
		up := math.Exp(p.Vol * math.Sqrt(dt))
		grow, discount := math.Exp((p.Rate-p.Yield)*dt), math.Exp(-p.Rate*dt)
		q := (grow - 1/up) / (up - 1/up)
		v := make([]float64, steps)
		for i := range v {
			last := p
			last.Spot, last.Years = p.Spot*math.Pow(up, float64(2*i-steps+1)), dt
			v[i] = max(last.Price(k), float64(k)*(last.Spot-p.Strike))
		}
		for n := steps - 1; n > 0; n-- {
			for i := range n {
				spot := p.Spot * math.Pow(up, float64(2*i-n+1))
				v[i] = max(discount*(q*v[i+1]+(1-q)*v[i]), float64(k)*(spot-p.Strike))
			}
		}
		return v[0]
	}
	return 2*tree(400) - tree(200)
}

func TestAmericanAgreesWithATree(t *testing.T) {
	for name, row := range map[string]struct {
		p options.BSM
		k options.Kind
	}{
		"put":                      {options.BSM{Spot: 100, Strike: 105, Years: 0.5, Rate: 0.05, Vol: 0.3}, options.Put},
		"call with yield":          {options.BSM{Spot: 100, Strike: 95, Years: 1, Rate: 0.03, Yield: 0.06, Vol: 0.25}, options.Call},
		"put, yield above rate":    {options.BSM{Spot: 100, Strike: 110, Years: 1, Rate: 0.02, Yield: 0.07, Vol: 0.25}, options.Put},
		"put, yield below zero":    {options.BSM{Spot: 100, Strike: 100, Years: 1, Rate: 0.04, Yield: -0.02, Vol: 0.2}, options.Put},
		"put, no rate, borrow":     {options.BSM{Spot: 100, Strike: 105, Years: 1, Yield: -0.03, Vol: 0.2}, options.Put},
		"call, rate below zero":    {options.BSM{Spot: 100, Strike: 100, Years: 1, Rate: -0.02, Yield: 0.01, Vol: 0.2}, options.Call},
		"put, two boundaries":      {options.BSM{Spot: 100, Strike: 105, Years: 1, Rate: -0.005, Yield: -0.02, Vol: 0.15}, options.Put},
		"call, two boundaries":     {options.BSM{Spot: 105, Strike: 100, Years: 1, Rate: -0.02, Yield: -0.005, Vol: 0.15}, options.Call},
		"put, rate equal to yield": {options.BSM{Spot: 95, Strike: 100, Years: 0.25, Rate: 0.05, Yield: 0.05, Vol: 0.4}, options.Put},
	} {
		want := binomial(row.p, row.k)
		assert.InDelta(t, want, row.p.American(row.k, options.Accuracy1e8), 2e-3, name)
		require.GreaterOrEqual(t, row.p.American(row.k, options.Accuracy1e6), row.p.Price(row.k), name)
	}
}

func TestAmericanWhereExercisingNeverPays(t *testing.T) {
	for name, row := range map[string]struct {
		p options.BSM
		k options.Kind
	}{
		"call without yield":  {options.BSM{Spot: 100, Strike: 90, Years: 1, Rate: 0.05, Vol: 0.2}, options.Call},
		"put without rate":    {options.BSM{Spot: 100, Strike: 120, Years: 1, Yield: 0.05, Vol: 0.2}, options.Put},
		"put, rate below 0":   {options.BSM{Spot: 100, Strike: 120, Years: 1, Rate: -0.02, Vol: 0.2}, options.Put},
		"infinite volatility": {options.BSM{Spot: 100, Strike: 120, Years: 1, Rate: 0.02, Vol: inf}, options.Put},
	} {
		assert.Equal(t, row.p.Price(row.k), row.p.American(row.k, options.Accuracy1e6), name)
	}
	g := options.BSM{Spot: 100, Strike: 90, Years: 1, Rate: 0.05, Vol: 0.2}.AmericanGreeks(options.Call, 0)
	assert.Equal(t, inf, g.Boundary)
	assert.False(t, g.Exercise)
}

func TestAmericanEdges(t *testing.T) {
	deep := options.BSM{Spot: 40, Strike: 100, Years: 0.5, Rate: 0.05, Vol: 0.2}
	g := deep.AmericanGreeks(options.Put, options.Accuracy1e8)
	assert.Equal(t, []float64{60, -1, 0, 0, 0}, []float64{g.Price, g.Delta, g.Gamma, g.Theta, g.Vega}, "exercised now: exactly intrinsic")
	assert.True(t, g.Exercise)
	assert.Equal(t, 60.0, deep.American(options.Put, options.Accuracy1e4))

	// Without randomness a call on a share that falls is exercised at the best time.
	still := options.BSM{Spot: 100, Strike: 90, Years: 1, Rate: 0.01, Yield: 0.08}
	assert.Equal(t, 10.0, still.American(options.Call, 0))
	still.Vol = 1e-4
	assert.InDelta(t, 10, still.American(options.Call, 0), 1e-6)
	assert.Equal(t, 5.0, options.BSM{Spot: 100, Strike: 105, Rate: 0.05, Vol: 0.2}.American(options.Put, 0), "expired")

	for name, p := range map[string]options.BSM{
		"spot NaN":      {Spot: nan, Strike: 1, Years: 1, Rate: 0.05, Vol: 0.2},
		"strike below":  {Spot: 1, Strike: -1, Years: 1, Rate: 0.05, Vol: 0.2},
		"vol NaN":       {Spot: 1, Strike: 1, Years: 1, Rate: 0.05, Vol: nan},
		"years below 0": {Spot: 1, Strike: 1, Years: -1, Rate: 0.05, Vol: 0.2},
	} {
		assert.True(t, math.IsNaN(p.American(options.Put, 0)), name)
		assert.True(t, math.IsNaN(p.AmericanGreeks(options.Put, 0).Delta), name)
		assert.True(t, math.IsNaN(p.AmericanJuZhong(options.Put)), name)
	}
	assert.True(t, math.IsNaN(deep.American(options.Put, 7)), "no such accuracy")
	assert.True(t, math.IsNaN(deep.American(0, 0)), "neither call nor put")
}

func drawAmerican(t *rapid.T) options.BSM {
	p := drawBSM(t)
	p.Strike = p.Spot * rapid.Float64Range(0.5, 2).Draw(t, "moneyness")
	p.Vol = rapid.Float64Range(0.05, 1.5).Draw(t, "deviation")
	p.Rate, p.Yield = math.Abs(p.Rate), math.Abs(p.Yield)
	return p
}

func TestAmericanKeepsItsBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawAmerican(t)
		k := rapid.SampledFrom([]options.Kind{options.Call, options.Put}).Draw(t, "kind")
		v := p.American(k, options.Accuracy1e6)
		small := 2e-5 * (p.Spot + p.Strike)
		require.GreaterOrEqual(t, v, p.Price(k), "%+v", p)
		require.GreaterOrEqual(t, v, float64(k)*(p.Spot-p.Strike))
		require.LessOrEqual(t, v, max(p.Spot*float64(max(k, 0)), p.Strike*float64(max(-k, 0))))

		mirrored := options.BSM{Spot: p.Strike, Strike: p.Spot, Years: p.Years, Rate: p.Yield, Yield: p.Rate, Vol: p.Vol}
		require.Equal(t, v, mirrored.American(-k, options.Accuracy1e6), "call and put are symmetric")

		scaled := p
		scaled.Spot, scaled.Strike = 8*p.Spot, 8*p.Strike
		require.InDelta(t, 8*v, scaled.American(k, options.Accuracy1e6), 8*small/10, "homogeneous")

		longer, wilder := p, p
		longer.Years *= 1.3
		wilder.Vol *= 1.2
		require.GreaterOrEqual(t, longer.American(k, options.Accuracy1e6), v-small, "time is worth something")
		require.GreaterOrEqual(t, wilder.American(k, options.Accuracy1e6), v-small, "volatility is worth something")
	})
}

func TestAmericanImpliedVolFindsTheVolatilityAgain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawAmerican(t)
		k := rapid.SampledFrom([]options.Kind{options.Call, options.Put}).Draw(t, "kind")
		g := p.AmericanGreeks(k, options.Accuracy1e6)
		if g.Exercise || g.Vega < 1e-3*p.Spot || g.Price-max(float64(k)*(p.Spot-p.Strike), 0) < 1e-4*p.Spot {
			return
		}
		got, err := p.AmericanImpliedVol(k, g.Price, options.Accuracy1e6)
		require.NoError(t, err, "%+v", p)
		require.InDelta(t, p.Vol, got, 1e-4*p.Vol, "%+v", p)
	})
}

func TestAmericanImpliedVolSaysWhyThereIsNone(t *testing.T) {
	p := options.BSM{Spot: 90, Strike: 100, Years: 0.5, Rate: 0.05}
	for name, row := range map[string]struct {
		price float64
		want  error
	}{
		"below exercise":  {9.9, options.ErrBelowIntrinsic},
		"at exercise":     {10, options.ErrNoTimeValue},
		"at the strike":   {100, options.ErrAboveMaximum},
		"above the limit": {101, options.ErrAboveMaximum},
	} {
		vol, err := p.AmericanImpliedVol(options.Put, row.price, options.Accuracy1e6)
		assert.ErrorIs(t, err, row.want, name)
		assert.True(t, math.IsNaN(vol), name)
	}
	var refused *options.FieldError
	_, err := p.AmericanImpliedVol(options.Put, 12, 5)
	require.ErrorAs(t, err, &refused)
	require.Equal(t, "accuracy", refused.Field)
	_, err = p.AmericanImpliedVol(options.Put, nan, 0)
	require.ErrorAs(t, err, &refused)
	require.Equal(t, "price", refused.Field)
}

// chainOf is expiries × strikes × kinds with a smile.
func chainOf(expiries, strikes int) (p []options.BSM, kinds []options.Kind) {
	for e := range expiries {
		years := float64(3+e*e) / 365
		for i := range strikes {
			m := math.Exp((2*float64(i)/float64(strikes) - 1) * min(1, math.Sqrt(years)+0.05))
			vol := 0.2 + 0.25*math.Abs(math.Log(m))
			for _, k := range []options.Kind{options.Call, options.Put} {
				p = append(p, options.BSM{Spot: 100, Strike: 100 * m, Years: years, Rate: 0.04, Yield: 0.013, Vol: vol})
				kinds = append(kinds, k)
			}
		}
	}
	return p, kinds
}

func TestAmericanBatchesAgreeWithTheExactSolver(t *testing.T) {
	p, kinds := chainOf(8, 20)
	exact, prices, vols := make([]float64, len(p)), make([]float64, len(p)), make([]float64, len(p))
	greeks := make([]options.AmericanGreeks, len(p))
	for i := range p {
		exact[i] = p[i].American(kinds[i], options.Accuracy1e8)
	}
	require.NoError(t, options.AmericanPriceBatch(prices, p, kinds))
	require.NoError(t, options.AmericanGreeksBatch(greeks, p, kinds))
	require.NoError(t, options.AmericanImpliedVolBatch(vols, p, kinds, exact))
	compared := 0
	for i := range p {
		require.InDelta(t, exact[i], prices[i], 2e-4, "%+v %v", p[i], kinds[i])
		require.InDelta(t, prices[i], greeks[i].Price, 2e-4)
		one := p[i].AmericanGreeks(kinds[i], options.Accuracy1e6)
		require.InDelta(t, one.Delta, greeks[i].Delta, 2e-3)
		if one.Exercise || one.Vega < 0.01 {
			continue
		}
		compared++
		require.InDelta(t, p[i].Vol, vols[i], 1e-4, "a hundredth of a volatility point: %+v %v", p[i], kinds[i])
		require.InDelta(t, one.Vega, greeks[i].Vega, 0.02*one.Vega+0.02)
	}
	require.Greater(t, compared, len(p)/2)

	var refused *options.FieldError
	require.ErrorAs(t, options.AmericanPriceBatch(prices[:1], p, kinds), &refused)
	require.ErrorAs(t, options.AmericanGreeksBatch(greeks, p, kinds[:1]), &refused)
	require.ErrorAs(t, options.AmericanImpliedVolBatch(vols, p, kinds, nil), &refused)
}

// Whatever the arguments: no panic, no NaN for finite valid ones, and never
// below what exercising gives.
func FuzzAmerican(f *testing.F) {
	f.Add(100.0, 100.0, 1.0, 0.05, 0.02, 0.2)
	f.Add(100.0, 100.0, 30.0, 0.2, 0.0, 5.0)
	f.Add(100.0, 100.0, 1e-6, 1e-9, 0.3, 0.01)
	f.Add(100.0, 90.0, 1.0, -0.01, -0.03, 0.1)
	f.Add(1e-200, 1e200, 1.0, 0.05, 0.05, 0.2)
	f.Add(100.0, 100.0, 1.0, 0.05, 0.05, 1e-8)
	f.Add(100.0, 130.0, 2.0, 0.9, 0.0001, 0.02)
	f.Fuzz(func(t *testing.T, spot, strike, years, rate, yield, vol float64) {
		p := options.BSM{Spot: spot, Strike: strike, Years: years, Rate: rate, Yield: yield, Vol: vol}
		for _, k := range []options.Kind{options.Call, options.Put} {
			european := p.Price(k)
			v := p.American(k, options.Accuracy1e4)
			if math.IsNaN(european) {
				continue
			}
			if !(v >= european && v >= float64(k)*(spot-strike)) {
				t.Errorf("%+v %v: %v, European %v", p, k, v, european)
			}
		}
	})
}

// Draws of the table's kind, on other seeds: at 1e-8 none is off by more, next to the
// boundary, with a yield a little above the rate and where interest outweighs the
// randomness least of all.
func TestAccuracy1e8HoldsOnOtherDraws(t *testing.T) {
	r := rand.New(rand.NewSource(31))
	between := func(low, high float64) float64 { return low * math.Pow(high/low, r.Float64()) }
	rows := []options.BSM{ // of which each was off by 1e-8 to 6e-8 at some time
		{Spot: 86.58, Strike: 100, Years: 0.67, Rate: 0.0515, Yield: 0.0214, Vol: 0.268},
		{Spot: 93.75, Strike: 100, Years: 3.76, Rate: 0.0901, Yield: 0.0002, Vol: 0.098},
		{Spot: 97, Strike: 100, Years: 1.54, Rate: 0.0605, Vol: 0.063},
		{Spot: 158, Strike: 100, Years: 2.88, Rate: 0.0866, Yield: 0.0054, Vol: 0.159},
		{Spot: 130, Strike: 100, Years: 1.39, Rate: 0.0838, Yield: 0.0887, Vol: 0.137},
	}
	for range 300 {
		p := options.BSM{Strike: 100, Years: between(7.0/365, 4), Rate: 0.005 + 0.115*r.Float64(), Vol: between(0.06, 1.5)}
		p.Yield = []float64{0, p.Rate * (1 + 0.5*r.Float64()), 0.1 * r.Float64(), 0.02 * r.Float64()}[r.Intn(4)]
		p.Spot = 100 * math.Exp(p.Vol*math.Sqrt(p.Years)*(4*r.Float64()-2))
		rows = append(rows, p)
	}
	for i, p := range rows {
		if i%3 == 0 { // a thousandth to a fifth of a deviation from the boundary
			if edge := p.AmericanGreeks(options.Put, options.Accuracy1e8).Boundary; edge > 0 {
				p.Spot = edge * math.Exp(p.Vol*math.Sqrt(p.Years)*between(1e-3, 0.2))
			}
		}
		want := p.American(options.Put, options.Accuracy1e10)
		if want < 1e-3 {
			continue
		}
		require.InEpsilon(t, want, p.American(options.Put, options.Accuracy1e8), 1e-8, "%+v", p)
	}
}
