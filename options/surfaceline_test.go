package options_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/integrate/quad"

	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/options"
)

// No arbitrage on a grid finer than the one that was repaired on, far beyond the
// quotes as well, at the expiries and between them.
func TestRepairedSurfacesHaveNoArbitrageAtAnyPrice(t *testing.T) {
	skipUnderRace(t)
	for name, c := range map[string]*options.Chain{"SPX": spxChain(t), "AAPL": yahooChain(t, "aapl", "2025-12-04"), "TSM": yahooChain(t, "tsm", "2025-12-04"),
		"JPM": yahooChain(t, "jpm", "2025-11-26")} { // next to a holiday
		s, err := options.NewSurface(c, nil)
		require.NoError(t, err)
		as, err := options.NewSurface(c, &options.SurfaceOptions{AllowArbitrage: true})
		require.NoError(t, err)
		left := 0
		for i, slice := range s.Slices {
			assert.Less(t, slice.Fit.Median, 0.02, "%s %s: a repair does not give up the quotes", name, slice.Date)
			least, crossing := math.Inf(1), 0.0
			reach := 7.8 * s.ATMVol(slice.Years) * math.Sqrt(slice.Years)
			for k := -reach; k <= reach; k += reach / 5000 {
				least = min(least, slice.SVI.Butterfly(k))
				if as.Slices[i].SVI.Butterfly(k) < 0 {
					left++
				}
				if i > 0 {
					crossing = max(crossing, s.Slices[i-1].SVI.Variance(k)-slice.SVI.Variance(k))
				}
			}
			assert.GreaterOrEqual(t, least, 0.0, "%s %s: butterfly", name, slice.Date)
			assert.Zero(t, crossing, "%s %s: calendar", name, slice.Date)
			if i == 0 {
				continue
			}
			// Between two expiries the local volatility is a number above zero, and
			// the density is not negative.
			years := 0.5 * (s.Slices[i-1].Years + slice.Years)
			d := s.Density(years)
			for z := -7.5; z <= 7.5; z += 0.05 {
				k := z * s.ATMVol(s.Slices[i-1].Years) * math.Sqrt(s.Slices[i-1].Years)
				price := d.Forward * math.Exp(k)
				assert.GreaterOrEqual(t, d.PDF(price), 0.0, "%s %v %v", name, years, k)
				assert.GreaterOrEqual(t, s.LocalVol(price, years), 0.0, "%s %v %v", name, years, k)
			}
		}
		assert.Positive(t, left, "%s: the best fits have arbitrage to be removed", name)
	}
}

// The density has mass one, the forward as its mean, and prices every option as
// the smile does.
func TestTheDensityIntegratesToOneAndGivesBackEveryPrice(t *testing.T) {
	skipUnderRace(t)
	s, err := options.NewSurface(spxChain(t), nil)
	require.NoError(t, err)
	for _, years := range []float64{s.Slices[5].Years, 0.1, s.Slices[len(s.Slices)-3].Years} {
		d := s.Density(years)
		dev := s.ATMVol(years) * math.Sqrt(years)
		over := func(f func(x float64) float64, from, to float64) float64 { // in ln(price)
			sum := 0.0
			for i := range 40 {
				a, b := from+(to-from)*float64(i)/40, from+(to-from)*float64(i+1)/40
				sum += quad.Fixed(func(k float64) float64 {
					x := d.Forward * math.Exp(k)
					return f(x) * d.PDF(x) * x
				}, a, b, 40, nil, 0)
			}
			return sum
		}
		low, high := max(-60*dev, -4.0), min(30*dev, 4.0)
		assert.InDelta(t, 1, over(func(float64) float64 { return 1 }, low, high), 2e-5, "%v", years)
		assert.InEpsilon(t, d.Forward, over(func(x float64) float64 { return x }, low, high), 2e-5, "%v", years)
		for _, m := range []float64{-2, -1, 0, 0.5, 1} {
			k := m * dev
			strike := d.Forward * math.Exp(k)
			put := options.BSM{Spot: d.Forward, Strike: strike, Years: years, Vol: s.Vol(strike, years)}.Price(options.Put)
			assert.InDelta(t, put, over(func(x float64) float64 { return strike - x }, low, k), 3e-5*d.Forward, "put at %v after %v", strike, years)
			assert.InDelta(t, d.CDF(strike), over(func(float64) float64 { return 1 }, low, k), 2e-5)
			assert.InDelta(t, d.Below(strike), over(func(x float64) float64 { return x }, low, k), 3e-5*d.Forward)
		}
	}
}

// Interpolation in time: total variance is linear at equal log-moneyness, forwards
// grow evenly, and at an expiry its own smile comes back; in delta: the strike found
// has that delta.
func TestASurfaceInterpolatesInStrikeDeltaAndTime(t *testing.T) {
	s, err := options.NewSurface(spxChain(t), nil)
	require.NoError(t, err)
	near, far := s.Slices[14], s.Slices[15]
	for _, share := range []float64{0, 0.25, 0.5, 1} {
		years := near.Years + share*(far.Years-near.Years)
		forward := near.Forward * math.Pow(far.Forward/near.Forward, share)
		assert.InEpsilon(t, forward, s.Forward(years), 1e-12)
		for _, k := range []float64{-0.3, -0.1, 0, 0.05} {
			want := (1-share)*near.SVI.Variance(k) + share*far.SVI.Variance(k)
			assert.InEpsilon(t, want, s.Variance(k, years), 1e-12)
			assert.InEpsilon(t, math.Sqrt(want/years), s.Vol(forward*math.Exp(k), years), 1e-9)
		}
		for _, delta := range []float64{0.05, 0.25, 0.5, 0.75, 0.95} {
			call, put := s.StrikeAtDelta(options.Call, delta, years), s.StrikeAtDelta(options.Put, delta-1, years)
			assert.InEpsilon(t, call, put, 1e-12, "a put's delta is a call's less one")
			d1 := (math.Log(forward/call) + 0.5*s.Variance(math.Log(call/forward), years)) / math.Sqrt(s.Variance(math.Log(call/forward), years))
			assert.InDelta(t, delta, 0.5*math.Erfc(-d1/math.Sqrt2), 1e-10)
			assert.InEpsilon(t, s.Vol(call, years), s.VolAtDelta(options.Call, delta, years), 1e-12)
		}
	}
	// Before the first expiry and after the last the volatility stays.
	first, last := s.Slices[0], s.Slices[len(s.Slices)-1]
	assert.InEpsilon(t, s.ATMVol(first.Years), s.ATMVol(0.5*first.Years), 1e-12)
	assert.InEpsilon(t, s.ATMVol(last.Years), s.ATMVol(2*last.Years), 1e-12)
	// The term structure and the constant maturity are the same thing.
	for i, term := range s.Term() {
		assert.Equal(t, s.Slices[i].Date, term.Expiration)
		assert.InEpsilon(t, s.ATMVol(s.Slices[i].Years), term.IV, 1e-12)
	}
	month := 30.0 / 365
	var around [2]options.Slice
	for _, slice := range s.Slices {
		if slice.Years <= month {
			around[0] = slice
		} else if around[1].Years == 0 {
			around[1] = slice
		}
	}
	share := (month - around[0].Years) / (around[1].Years - around[0].Years)
	assert.InEpsilon(t, math.Sqrt(((1-share)*around[0].SVI.Variance(0)+share*around[1].SVI.Variance(0))/month), s.ATMVol(month), 1e-12)
}

// On a flat smile three expected moves are one figure seen in three ways: a straddle
// at the money costs √(2/π) of a deviation (Brenner and Subrahmanyam 1988), and the
// middle 68.27 % of a lognormal distribution are F·sinh(v) on either side.
func TestThreeExpectedMovesAreKnownOnAFlatSmile(t *testing.T) {
	at := date(t, "2026-09-16").At(10, 30, market.NYSE().Location())
	d := date(t, "2026-10-16")
	years := options.YearsToExpiry(at, options.ExpiryTime(d, market.SettledPM, nil))
	var quotes []market.OptionQuote
	for strike := 70.0; strike <= 140; strike += 2.5 {
		for _, k := range []options.Kind{options.Call, options.Put} {
			v := options.BSM{Spot: 100, Strike: strike, Years: years, Vol: 0.3}.Price(k)
			quotes = append(quotes, market.OptionQuote{Underlying: "XYZ", Root: "XYZ", Kind: k, Strike: strike, Expiration: d, Settlement: market.SettledPM,
				Style: market.European, Time: at, Bid: 0.995 * v, Ask: 1.005 * v, Spot: 100})
		}
	}
	c, err := options.NewChain(quotes, nil)
	require.NoError(t, err)
	e := c.Expiries[0]
	dev := 0.3 * math.Sqrt(years)
	assert.InEpsilon(t, 100*dev, e.ExpectedMove(), 1e-4)
	assert.InEpsilon(t, 100*dev*math.Sqrt(2/math.Pi), e.StraddleMove(), 1e-3)
	s, err := options.NewSurface(c, nil)
	require.NoError(t, err)
	assert.InEpsilon(t, 100*math.Exp(-0.5*dev*dev)*math.Sinh(dev), s.Density(years).ExpectedMove(), 2e-3)
	assert.InDelta(t, 0, s.Skew25(years), 1e-3)
}
