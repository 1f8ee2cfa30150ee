package options_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/options"
)

// interestChain is the model's chain with open interest and volume by strike.
func interestChain(t testing.TB, open func(k options.Kind, strike float64) (interest, volume float64)) *options.Chain {
	m, near, far := newModel(t)
	quotes := m.quotes(t, near, far)
	for i := range quotes {
		q := &quotes[i]
		q.OpenInterest, q.Volume = open(q.Kind, q.Strike)
	}
	c, err := options.NewChain(quotes, &options.ChainOptions{At: m.at, Rate: m.rate})
	require.NoError(t, err)
	return c
}

func TestGammaExposureIsTheSumOverContracts(t *testing.T) {
	c := interestChain(t, func(k options.Kind, strike float64) (float64, float64) {
		switch {
		case k == options.Call && strike == 110:
			return 5000, 300
		case k == options.Put && strike == 90:
			return 4000, 600
		}
		return math.NaN(), 0
	})
	p, err := c.Positioning(0)
	require.NoError(t, err)
	calls, puts := 0.0, 0.0
	for _, e := range c.Expiries {
		call, ok := e.Find(options.Call, 110)
		require.True(t, ok)
		put, ok := e.Find(options.Put, 90)
		require.True(t, ok)
		calls += call.Gamma * 5000 * 100 * c.Spot * c.Spot / 100
		puts += put.Gamma * 4000 * 100 * c.Spot * c.Spot / 100
	}
	assert.InEpsilon(t, calls, p.CallGamma, 1e-12)
	assert.InEpsilon(t, puts, p.PutGamma, 1e-12)
	assert.InDelta(t, calls-puts, p.NetGamma, 1e-6)
	assert.Equal(t, 110.0, p.CallWall)
	assert.Equal(t, 90.0, p.PutWall)
	assert.InDelta(t, 2, p.PutCallVolume, 1e-12)
	assert.InDelta(t, 0.8, p.PutCallInterest, 1e-12)
	// Dealers are short gamma near the puts and long it near the calls.
	require.True(t, p.ZeroGamma > 90 && p.ZeroGamma < 110, "%v", p.ZeroGamma)
	net := func(spot float64) float64 {
		sum := 0.0
		for _, e := range c.Expiries {
			for _, q := range e.Contracts {
				if q.OpenInterest > 0 {
					m := options.BSM{Spot: spot * e.Forward / c.Spot * math.Exp(-e.Rate*e.Years), Strike: q.Strike, Years: e.Years, Rate: e.Rate, Vol: q.IV}
					sum += float64(q.Kind) * q.OpenInterest * m.Greeks(q.Kind).Gamma * math.Pow(e.Forward/c.Spot*math.Exp(-e.Rate*e.Years), 2)
				}
			}
		}
		return sum
	}
	assert.True(t, net(p.ZeroGamma-0.5) < 0 && net(p.ZeroGamma+0.5) > 0)

	week, err := c.Positioning(40 * 24 * time.Hour)
	require.NoError(t, err)
	assert.Less(t, week.CallGamma, p.CallGamma, "the far expiry is left out")
	_, err = c.Positioning(time.Hour)
	var refused *options.FieldError
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, "within", refused.Field)

	empty, err := interestChain(t, func(options.Kind, float64) (float64, float64) { return nan, nan }).Positioning(0)
	require.NoError(t, err)
	for _, x := range []float64{empty.ZeroGamma, empty.CallWall, empty.PutWall, empty.PutCallVolume, empty.PutCallInterest} {
		assert.True(t, math.IsNaN(x), "unknown is not zero")
	}
}

func TestMaxPainIsTheStrikeThatPaysLeast(t *testing.T) {
	c := interestChain(t, func(k options.Kind, strike float64) (float64, float64) {
		return map[float64]float64{90: 100, 100: 50, 110: 80}[strike] * (2 + float64(k)), 0
	})
	e := c.Expiries[0]
	best, least := 0.0, math.Inf(1)
	for strike := 80.0; strike <= 120; strike += 2.5 {
		paid := 0.0
		for _, q := range e.Contracts {
			paid += q.OpenInterest * 100 * max(float64(q.Kind)*(strike-q.Strike), 0)
		}
		if paid < least {
			best, least = strike, paid
		}
	}
	assert.Equal(t, best, e.MaxPain())
	assert.True(t, math.IsNaN(options.Expiry{}.MaxPain()))
}

func TestUnusualVolumeIsRankedByPremium(t *testing.T) {
	c := interestChain(t, func(k options.Kind, strike float64) (float64, float64) {
		switch strike {
		case 100:
			return 100, 900
		case 105:
			return 100, 190
		case 80:
			return 0, 1000
		}
		return 1000, 1500
	})
	found := c.Unusual(nil)
	require.Len(t, found, 8, "two strikes, two kinds, two expiries")
	for i, u := range found {
		assert.True(t, u.Strike == 100 || u.Strike == 80)
		assert.True(t, i == 0 || u.Premium <= found[i-1].Premium)
		assert.Equal(t, u.Strike == 80, math.IsInf(u.Ratio, 1))
	}
	assert.Len(t, c.Unusual(&options.UnusualOptions{Limit: 3}), 3)
}

func TestTermsFollowFromTheRoot(t *testing.T) {
	for symbol, want := range map[market.Symbol]options.Terms{
		"SPY   261218C00500000": {Underlying: "SPY", Style: market.American, Settlement: market.SettledPM, Deliverables: []options.Deliverable{{Symbol: "SPY", Amount: 100}}},
		"SPX   261218P05000000": {Underlying: "SPX", Style: market.European, Settlement: market.SettledAM, Cash: true},
		"SPXW261216P05000000":   {Underlying: "SPX", Style: market.European, Settlement: market.SettledPM, Cash: true},
		"AAPL1 261218C00100000": {Underlying: "AAPL", Style: market.American, Settlement: market.SettledPM},
		"BRKB  261218C00100000": {Underlying: "BRK/B", Style: market.American, Settlement: market.SettledPM, Deliverables: []options.Deliverable{{Symbol: "BRK/B", Amount: 100}}},
	} {
		got, err := options.TermsOf(symbol)
		require.NoError(t, err, symbol)
		assert.Equal(t, 100.0, got.Multiplier)
		assert.Equal(t, want.Underlying, got.Underlying)
		assert.Equal(t, want.Style, got.Style)
		assert.Equal(t, want.Settlement, got.Settlement)
		assert.Equal(t, want.Cash, got.Cash, symbol)
		assert.Equal(t, want.Deliverables, got.Deliverables, symbol)
	}
	call, err := options.TermsOf(".SPY261218C500")
	require.NoError(t, err)
	assert.Equal(t, market.Symbol("SPY   261218C00500000"), call.Symbol)
	assert.Equal(t, 12.5, call.Intrinsic(512.5))
	assert.Equal(t, "2026-12-18 16:00", call.ExpiryTime(nil).In(market.NYSE().Location()).Format("2006-01-02 15:04"))
	_, err = options.TermsOf("SPY")
	var refused *options.FieldError
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, "symbol", refused.Field)
}

func TestTradingYearsStandStillWhenTheMarketIsClosed(t *testing.T) {
	ny := market.NYSE().Location()
	at := func(s string) time.Time {
		v, err := time.ParseInLocation("2006-01-02 15:04", s, ny)
		require.NoError(t, err)
		return v
	}
	const session = 1.0 / 252
	for _, row := range []struct {
		from, to string
		want     float64
	}{
		{"2026-09-16 09:30", "2026-09-16 16:00", session},
		{"2026-09-16 15:55", "2026-09-16 16:00", session * 5 / 390},
		{"2026-09-18 16:00", "2026-09-21 09:30", 0},                   // a weekend
		{"2026-09-04 16:00", "2026-09-08 16:00", session},             // Labor Day
		{"2025-11-28 09:30", "2025-11-28 16:00", session * 210 / 390}, // a half day
		{"2026-09-16 16:00", "2026-09-16 09:30", 0},
	} {
		assert.InDelta(t, row.want, options.TradingYears(at(row.from), at(row.to), nil), 1e-12, "%s to %s", row.from, row.to)
	}
	assert.True(t, math.IsNaN(options.TradingYears(time.Time{}, at("2026-09-16 16:00"), nil)))

	e := options.Expiry{Time: at("2026-09-16 16:00"), Years: options.YearsToExpiry(at("2026-09-16 12:45"), at("2026-09-16 16:00"))}
	vol := e.TradingVol(0.2, at("2026-09-16 12:45"), nil)
	assert.InDelta(t, 0.2*0.2*e.Years, vol*vol*0.5*session, 1e-12, "the total variance is the same")
}

func TestAStructureIsBuiltFromAChain(t *testing.T) {
	m, near, far := newModel(t)
	c, err := options.NewChain(m.quotes(t, near, far), &options.ChainOptions{At: m.at, Rate: m.rate})
	require.NoError(t, err)
	s, err := c.Build("iron condor", 2, []market.Date{near}, []float64{90, 95, 105, 110})
	require.NoError(t, err)
	assert.Equal(t, "iron condor", s.Name)
	e, ok := c.Expiry(near)
	require.True(t, ok)
	premium := 0.0
	for i, k := range []options.Kind{options.Put, options.Put, options.Call, options.Call} {
		q, ok := e.Find(k, []float64{90, 95, 105, 110}[i])
		require.True(t, ok)
		assert.Equal(t, q.Symbol, s.Legs[i].Symbol)
		premium -= []float64{200, -200, -200, 200}[i] * q.Mid
	}
	assert.InDelta(t, premium, s.Premium(), 1e-9)
	a, err := s.Analyze(c.Conditions(), nil)
	require.NoError(t, err)
	assert.InDelta(t, 0, a.Premium+a.Value, 1e-6, "at their own volatilities and forward the legs are worth their prices")
	surface, err := options.NewSurface(c, nil)
	require.NoError(t, err)
	b, err := s.Analyze(c.Conditions(), surface.Density(e.Years))
	require.NoError(t, err)
	assert.InDelta(t, a.Premium*(1-math.Exp(m.rate*e.Years)), b.Expected, 2, "under the implied density the mean is the premium with its interest")

	covered, err := c.Build("covered call", 1, []market.Date{far}, []float64{110})
	require.NoError(t, err)
	assert.Equal(t, c.Spot, covered.Legs[0].Price)
	diagonal, err := c.Build("call diagonal", 1, []market.Date{near, far}, []float64{95, 105})
	require.NoError(t, err)
	assert.Equal(t, far, diagonal.Legs[0].Expiration)
	for field, build := range map[string]func() error{
		"dates":   func() error { _, err := c.Build("long call", 1, nil, []float64{100}); return err },
		"strikes": func() error { _, err := c.Build("long call", 1, []market.Date{near}, []float64{101}); return err },
		"name":    func() error { _, err := c.Build("nothing", 1, nil, nil); return err },
	} {
		var refused *options.FieldError
		require.ErrorAs(t, build(), &refused, field)
		assert.Equal(t, field, refused.Field)
	}
	short, ok := e.NearestDelta(options.Put, -0.25)
	require.True(t, ok)
	assert.InDelta(t, -0.25, short.Delta, 0.08)
	assert.InDelta(t, m.spot-e.Forward*math.Exp(-m.rate*e.Years), e.ImpliedDividend(), 1e-9)
	assert.InDelta(t, m.yield, e.ImpliedYield(), 1e-6)
}
