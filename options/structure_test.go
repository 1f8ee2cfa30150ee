package options_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/options"
)

// option is a leg of one contract.
func option(k options.Kind, quantity, strike, price float64) options.Leg {
	return options.Leg{Kind: k, Quantity: quantity, Strike: strike, Price: price, Years: 0.25, Vol: 0.3}
}

func structure(t testing.TB, legs ...options.Leg) options.Structure {
	t.Helper()
	s, err := options.NewStructure(legs...)
	require.NoError(t, err)
	return s
}

// Arithmetic of the payoffs, as every textbook on option strategies has it
// (Cohen, The Bible of Options Strategies; Natenberg, Option Volatility).
func TestPayoffsHaveTheTextbooksBreakevensAndExtremes(t *testing.T) {
	none := []float64(nil)
	for _, row := range []struct {
		name       string
		legs       []options.Leg
		premium    float64
		gain, loss float64
		breakevens []float64
	}{
		{"long call", []options.Leg{option(options.Call, 1, 100, 5)}, -500, inf, -500, []float64{105}},
		{"short put", []options.Leg{option(options.Put, -2, 100, 5)}, 1000, 1000, -19000, []float64{95}},
		{"covered call", []options.Leg{{Quantity: 100, Price: 100}, option(options.Call, -1, 110, 3)}, -9700, 1300, -9700, []float64{97}},
		{"bull call spread", []options.Leg{option(options.Call, 1, 100, 5), option(options.Call, -1, 110, 2)}, -300, 700, -300, []float64{103}},
		{"iron condor", []options.Leg{option(options.Put, 1, 85, 0.5), option(options.Put, -1, 90, 1.5), option(options.Call, -1, 110, 1.5), option(options.Call, 1, 115, 0.5)},
			200, 200, -300, []float64{88, 112}},
		{"short strangle", []options.Leg{option(options.Put, -1, 90, 1.5), option(options.Call, -1, 110, 1.5)}, 300, 300, -inf, []float64{87, 113}},
		{"long straddle", []options.Leg{option(options.Call, 1, 100, 4), option(options.Put, 1, 100, 4)}, -800, inf, -800, []float64{92, 108}},
		{"call ratio spread", []options.Leg{option(options.Call, 1, 100, 5), option(options.Call, -2, 110, 3)}, 100, 1100, -inf, []float64{121}},
		{"jade lizard", []options.Leg{option(options.Put, -1, 90, 3), option(options.Call, -1, 110, 3), option(options.Call, 1, 115, 1)}, 500, 500, -8500, []float64{85, 115}},
		{"long box", []options.Leg{option(options.Call, 1, 90, 12), option(options.Put, -1, 90, 1), option(options.Call, -1, 110, 1), option(options.Put, 1, 110, 10)},
			-2000, 0, 0, none},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := structure(t, row.legs...)
			assert.Equal(t, row.name, s.Name)
			assert.InDelta(t, row.premium, s.Premium(), 1e-9)
			p, err := s.Payoff()
			require.NoError(t, err)
			assert.Equal(t, row.gain, p.Max())
			assert.Equal(t, row.loss, p.Min())
			if assert.Len(t, p.Breakevens(), len(row.breakevens)) {
				assert.InDeltaSlice(t, row.breakevens, p.Breakevens(), 1e-9)
			}
		})
	}
}

func TestEveryShapeIsRecognizedFromItsLegs(t *testing.T) {
	shapes := options.Shapes()
	assert.GreaterOrEqual(t, len(shapes), 60)
	names := map[string]bool{}
	strikes, years := []float64{90, 100, 110, 120}, []float64{0.1, 0.5}
	for _, shape := range shapes {
		require.False(t, names[shape.Name], "%s is there twice", shape.Name)
		names[shape.Name] = true
		k := strikes[:shape.Strikes]
		if strings.Contains(shape.Name, "broken wing") {
			k = []float64{90, 100, 115}
		}
		s, err := options.Build(shape.Name, 3, k, years[:shape.Expiries])
		require.NoError(t, err, shape.Name)
		require.Equal(t, shape.Name, s.Name)
		slices.Reverse(s.Legs)
		split := append(slices.Clone(s.Legs), s.Legs[0])
		split[0].Quantity, split[len(split)-1].Quantity = 0.5*split[0].Quantity, 0.5*split[0].Quantity
		name, ok := options.Recognize(split)
		require.True(t, ok, shape.Name)
		require.Equal(t, shape.Name, name, "order, multiples and split legs do not matter")
		got, ok := options.LookupShape(shape.Name)
		require.True(t, ok)
		require.Equal(t, shape.Legs, got.Legs)
	}
	for alias, name := range map[string]string{"Iron-Condor": "iron condor", "buy_write": "covered call", "straddle": "long straddle", "cash secured put": "short put", "butterfly": "long call butterfly"} {
		shape, ok := options.LookupShape(alias)
		require.True(t, ok, alias)
		assert.Equal(t, name, shape.Name)
	}
	for want, legs := range map[string][]options.Leg{
		"put ratio spread": {option(options.Put, 2, 110, 1), option(options.Put, -3, 100, 1)},
		"call backspread":  {option(options.Call, -2, 100, 1), option(options.Call, 5, 110, 1)},
		"":                 {option(options.Call, 1, 100, 1), option(options.Call, 1, 110, 1)},
	} {
		name, ok := options.Recognize(legs)
		assert.Equal(t, want, name)
		assert.Equal(t, want != "", ok)
	}
	short, err := options.Build("long straddle", -1, []float64{100}, []float64{0.1})
	require.NoError(t, err)
	assert.Equal(t, "short straddle", short.Name)
}

func TestProbabilityAndMeanOfAPayoffAreThoseOfTheDistribution(t *testing.T) {
	d := options.Lognormal{Forward: 102, Vol: 0.3, Years: 0.25}
	rapid.Check(t, func(t *rapid.T) {
		var legs []options.Leg
		for range rapid.IntRange(1, 6).Draw(t, "legs") {
			k := rapid.SampledFrom([]options.Kind{0, options.Call, options.Put}).Draw(t, "kind")
			q := float64(rapid.SampledFrom([]int{-3, -2, -1, 1, 2, 3}).Draw(t, "quantity"))
			legs = append(legs, option(k, q, float64(rapid.IntRange(60, 150).Draw(t, "strike")), float64(rapid.IntRange(0, 20).Draw(t, "price"))))
		}
		s, err := options.NewStructure(legs...)
		require.NoError(t, err)
		p, err := s.Payoff()
		require.NoError(t, err)
		// The same by brute force.
		prob, mean, cdf := 0.0, 0.0, 0.0
		const cells = 4000
		for i := range cells {
			low, high := 400*float64(i)/cells, 400*float64(i+1)/cells
			next := d.CDF(high)
			mid := 0.5 * (low + high)
			profit := s.Premium()
			for _, l := range legs {
				profit += l.Size() * l.Intrinsic(mid)
			}
			require.InDelta(t, profit, p.At(mid), 1e-8)
			require.True(t, profit <= p.Max()+1e-8 && profit >= p.Min()-1e-8)
			if profit > 0 {
				prob += next - cdf
			}
			mean += profit * (next - cdf)
			cdf = next
		}
		require.InDelta(t, prob, p.ProbProfit(d), 5e-3)
		require.InDelta(t, mean, p.Expected(d), 0.01*(1+math.Abs(mean)))
		for _, b := range p.Breakevens() {
			require.InDelta(t, 0, p.At(b), 1e-8)
		}
		for _, r := range p.Profitable() {
			inside := 0.5 * (r.Low + min(r.High, r.Low+1))
			require.Greater(t, p.At(inside), 0.0)
		}
	})
}

func TestAModelPricedStructureIsFair(t *testing.T) {
	c := options.Conditions{Spot: 100, Rate: 0.04, Yield: 0.01, Vol: 0.25}
	s, err := options.Build("iron condor", 1, []float64{85, 90, 110, 115}, []float64{0.25})
	require.NoError(t, err)
	_, err = s.Analyze(c, nil)
	require.ErrorContains(t, err, "price")
	s, err = s.Priced(c)
	require.NoError(t, err)
	a, err := s.Analyze(c, nil)
	require.NoError(t, err)
	assert.True(t, a.Exact)
	assert.Equal(t, "iron condor", a.Name)
	assert.InDelta(t, 0, a.Premium+a.Value, 1e-9)
	// Under the model the mean payoff is the premium with its interest.
	assert.InDelta(t, a.Premium*(1-math.Exp(0.04*0.25)), a.Expected, 1e-9)
	assert.InDelta(t, 500-a.MaxGain, -a.MaxLoss, 1e-9)
	assert.True(t, a.Greeks.Theta > 0 && a.Greeks.Vega < 0 && a.Greeks.Gamma < 0)
	assert.True(t, math.IsNaN(a.Greeks.ProbITM))
	require.Len(t, a.Touches, 4)
	assert.InDelta(t, 2*a.Touches[1].Prob, 0.8, 0.3, "a strike is touched about twice as often as it ends beyond")
	most, _ := a.ReturnOn(500 - a.MaxGain)
	assert.InDelta(t, a.Reward, most, 1e-12)
}

func TestCalendarsAreJudgedAtTheFirstExpiry(t *testing.T) {
	c := options.Conditions{Spot: 100, Vol: 0.25}
	s, err := options.Build("call calendar", 1, []float64{100}, []float64{0.1, 0.3})
	require.NoError(t, err)
	s, err = s.Priced(c)
	require.NoError(t, err)
	_, err = s.Payoff()
	require.ErrorContains(t, err, "one expiry")
	a, err := s.Analyze(c, nil)
	require.NoError(t, err)
	assert.False(t, a.Exact)
	assert.Less(t, a.Premium, 0.0)
	assert.InDelta(t, a.Premium, a.MaxLoss, 1, "the debit is all there is to lose")
	require.Len(t, a.Breakevens, 2)
	for _, b := range a.Breakevens {
		at := c
		at.Spot = b
		assert.InDelta(t, 0, s.Profit(at, 0.1, 0), 1e-6)
	}
	at := c
	assert.InDelta(t, s.Profit(at, 0.1, 0), a.MaxGain, 0.5, "a calendar earns most at its strike")
	assert.InDelta(t, 0, a.Expected, 0.5, "at fair prices the mean is nothing")
	assert.True(t, a.ProbProfit > 0.3 && a.ProbProfit < 0.8)

	long, err := options.NewStructure(options.Leg{Kind: options.Call, Quantity: 2, Strike: 100, Years: 0.3, Price: 5}, options.Leg{Kind: options.Call, Quantity: -1, Strike: 100, Years: 0.1, Price: 3})
	require.NoError(t, err)
	b, err := long.Analyze(c, nil)
	require.NoError(t, err)
	assert.True(t, math.IsInf(b.MaxGain, 1))
}

func TestScenariosAgreeWithTheModelCellByCell(t *testing.T) {
	c := options.Conditions{Spot: 100, Rate: 0.03, Yield: 0.01}
	s := structure(t, option(options.Call, 2, 105, 3), option(options.Put, -1, 95, 2), options.Leg{Quantity: 50, Price: 99})
	table, err := s.Scenarios(c, options.Grid{Prices: []float64{80, 100, 120}, Elapsed: []float64{0, 0.1, 0.25, 1}, VolShifts: []float64{-0.05, 0.1}})
	require.NoError(t, err)
	require.Len(t, table, 24)
	for _, cell := range table {
		want := 50 * cell.Price
		for _, l := range s.Legs[:2] {
			p := options.BSM{Spot: cell.Price, Strike: l.Strike, Years: max(0.25-cell.Elapsed, 0), Rate: 0.03, Yield: 0.01, Vol: 0.3 + cell.VolShift}
			want += l.Size() * p.Price(l.Kind)
		}
		assert.InDelta(t, want, cell.Value, 1e-9)
		assert.InDelta(t, want+s.Premium(), cell.Profit, 1e-9)
		if cell.Elapsed >= 0.25 {
			p, err := s.Payoff()
			require.NoError(t, err)
			assert.InDelta(t, p.At(cell.Price), cell.Profit, 1e-9)
		}
	}
	now, err := s.Scenarios(c, options.Grid{})
	require.NoError(t, err)
	assert.InDelta(t, s.Greeks(c).Delta, now[0].Delta, 1e-9)
	for field, g := range map[string]options.Grid{"prices": {Prices: []float64{-1}}, "elapsed": {Elapsed: []float64{nan}}, "vol_shifts": {VolShifts: []float64{inf}}} {
		_, err := s.Scenarios(c, g)
		var refused *options.FieldError
		require.ErrorAs(t, err, &refused)
		assert.Equal(t, field, refused.Field)
	}
}

func TestAmericanLegsAreValuedAsSuch(t *testing.T) {
	c := options.Conditions{Spot: 100, Rate: 0.06}
	put := option(options.Put, -2, 110, 12)
	put.Style = market.American
	model := options.BSM{Spot: 100, Strike: 110, Years: put.Years, Rate: 0.06, Vol: put.Vol}
	s := structure(t, put)
	assert.InDelta(t, -200*model.American(options.Put, options.Accuracy1e8), s.Value(c, 0, 0), 1e-3)
	exact, got := model.AmericanGreeks(options.Put, options.Accuracy1e8), s.Greeks(c)
	assert.InDelta(t, -200*exact.Delta, got.Delta, 1e-3)
	assert.InDelta(t, -200*exact.Theta, got.Theta, 0.05)
	assert.InDelta(t, -200*exact.Vega, got.Vega, 0.05)
	european := put
	european.Style = market.European
	assert.Less(t, s.Value(c, 0, 0), structure(t, european).Value(c, 0, 0), "who is short pays for the right to exercise")
}

func TestARollKeepsWhatWasEarned(t *testing.T) {
	c := options.Conditions{Spot: 100, Vol: 0.25}
	put := option(options.Put, -1, 95, 2)
	s := structure(t, put)
	back, out := put, put
	back.Quantity, back.Price = 1, 5 // bought back at a loss of 300
	out.Strike, out.Price, out.Years = 90, 4.5, 0.5
	change, err := s.Adjust(c, nil, back, out)
	require.NoError(t, err)
	assert.InDelta(t, -50, change.Cash, 1e-9)
	assert.Equal(t, "short put", change.After.Name)
	assert.InDelta(t, 200-500+450, change.After.Premium, 1e-9)
	assert.InDelta(t, 150, change.After.MaxGain, 1e-9)
	require.Len(t, change.After.Breakevens, 1)
	assert.InDelta(t, 88.5, change.After.Breakevens[0], 1e-9)

	closed, err := s.Adjust(c, nil, back)
	require.NoError(t, err)
	assert.InDelta(t, -300, closed.After.MaxGain, 1e-9)
	assert.Zero(t, closed.After.ProbProfit)
}

func TestTouchingEitherOfTwoBarriersHasItsLimits(t *testing.T) {
	p := options.BSM{Spot: 100, Years: 0.5, Rate: 0.03, Yield: 0.01, Vol: 0.3}
	assert.InDelta(t, p.ProbTouch(130), p.ProbTouchEither(1e-6, 130), 1e-9)
	assert.InDelta(t, p.ProbTouch(80), p.ProbTouchEither(80, 1e9), 1e-9)
	assert.Equal(t, 1.0, p.ProbTouchEither(100, 120))
	assert.Zero(t, p.ProbTouchEither(0, inf))
	assert.InDelta(t, 1, p.ProbTouchEither(99.9, 100.1), 1e-9)
	low, high, both := p.ProbTouch(85), p.ProbTouch(120), p.ProbTouchEither(85, 120)
	assert.True(t, both > max(low, high) && both < low+high, "%v %v %v", low, high, both)
	// Far apart, the two exclude one another.
	assert.InDelta(t, p.ProbTouch(50)+p.ProbTouch(200), p.ProbTouchEither(50, 200), 1e-4)
	assert.True(t, math.IsNaN(p.ProbTouchEither(120, 80)))
}

func TestBadLegsAreNamed(t *testing.T) {
	good := option(options.Call, 1, 100, 1)
	for field, change := range map[string]func(*options.Leg){
		"kind": func(l *options.Leg) { l.Kind = 3 }, "quantity": func(l *options.Leg) { l.Quantity = 0 },
		"strike": func(l *options.Leg) { l.Strike = nan }, "years": func(l *options.Leg) { l.Years = -1 },
		"price": func(l *options.Leg) { l.Price = -1 }, "vol": func(l *options.Leg) { l.Vol = -1 },
		"multiplier": func(l *options.Leg) { l.Multiplier = -1 }, "yield": func(l *options.Leg) { l.Yield = inf },
	} {
		bad := good
		change(&bad)
		_, err := options.NewStructure(bad)
		var refused *options.FieldError
		require.ErrorAs(t, err, &refused, field)
		assert.Equal(t, field, refused.Field)
	}
	_, err := options.Build("iron candor", 1, nil, nil)
	require.ErrorContains(t, err, "perhaps iron condor")
	for field, build := range map[string]func() error{
		"name":     func() error { _, err := options.Build("iron duke", 1, nil, nil); return err },
		"strikes":  func() error { _, err := options.Build("iron condor", 1, []float64{1, 2, 3}, []float64{1}); return err },
		"years":    func() error { _, err := options.Build("call calendar", 1, []float64{1}, []float64{1, 1}); return err },
		"quantity": func() error { _, err := options.Build("long call", 0, []float64{1}, []float64{1}); return err },
	} {
		var refused *options.FieldError
		require.ErrorAs(t, build(), &refused, field)
		assert.Equal(t, field, refused.Field)
	}
}

// Whatever the legs: no panic, and figures that hang together.
func FuzzAnalyze(f *testing.F) {
	f.Add(int8(1), 1.0, 100.0, 0.1, 2.0, int8(-1), -2.0, 90.0, 0.1, 1.0, 100.0, 0.3)
	f.Add(int8(0), 100.0, 0.0, 0.0, 99.0, int8(1), -1.0, 110.0, 0.5, 3.0, 100.0, 0.2)
	f.Add(int8(1), -1.0, 100.0, 0.1, 2.0, int8(1), 1.0, 100.0, 0.4, 4.0, 120.0, 0.5)
	f.Add(int8(-1), 1e9, 1e-3, 30.0, 0.0, int8(1), 1e-9, 1e6, 0.0, 1e6, 1e-2, 4.0)
	f.Fuzz(func(t *testing.T, k1 int8, q1, s1, t1, p1 float64, k2 int8, q2, s2, t2, p2, spot, vol float64) {
		s, err := options.NewStructure(options.Leg{Kind: options.Kind(k1), Quantity: q1, Strike: s1, Years: t1, Price: p1},
			options.Leg{Kind: options.Kind(k2), Quantity: q2, Strike: s2, Years: t2, Price: p2})
		if err != nil {
			return
		}
		a, err := s.Analyze(options.Conditions{Spot: spot, Vol: vol}, nil)
		for _, x := range []float64{q1, s1, t1, p1, q2, s2, t2, p2, spot, vol} {
			if math.Abs(x) > 1e6 || x != 0 && math.Abs(x) < 1e-6 {
				return // sums of such legs may overflow or vanish; they must only not panic
			}
		}
		if err != nil || !(vol > 0) {
			return
		}
		require.False(t, a.MaxGain < a.MaxLoss, "%+v", a)
		require.True(t, math.IsNaN(a.ProbProfit) || a.ProbProfit >= -1e-9 && a.ProbProfit <= 1+1e-9, "%+v", a)
		require.False(t, math.IsNaN(a.MaxGain) || math.IsNaN(a.MaxLoss) || math.IsNaN(a.Premium))
		require.True(t, slices.IsSorted(a.Breakevens))
	})
}
