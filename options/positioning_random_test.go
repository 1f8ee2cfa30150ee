package options_test

import (
	"math"
	"math/big"
	"math/rand"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/options"
)

// randomChain is a chain of up to three expiries with open interest and volume of
// which some is unknown, some zero and much alike.
func randomChain(r *rand.Rand, expiries int, years float64, kinds ...options.Kind) *options.Chain {
	at := time.Date(2026, 9, 16, 14, 30, 0, 0, time.UTC)
	c := &options.Chain{Underlying: "XYZ", Spot: 100, At: at}
	some := func(most int) float64 {
		switch r.Intn(6) {
		case 0:
			return nan
		case 1:
			return 0
		}
		return float64(100 * r.Intn(most))
	}
	for i := range expiries {
		y := years * (1 + 2*float64(i))
		e := options.Expiry{Date: market.DateOf(at.AddDate(0, 0, int(365*y)+1)), Time: at.Add(time.Duration(y * 365 * 24 * float64(time.Hour))), Years: y, Spot: 100, Rate: 0.04, Yield: 0.01}
		e.Forward = 100 * math.Exp((e.Rate-e.Yield)*y)
		for strike := 90.0; strike <= 110; strike += 2.5 {
			for _, k := range kinds {
				q := options.Contract{OptionQuote: market.OptionQuote{Underlying: "XYZ", Kind: k, Strike: strike, Expiration: e.Date, OpenInterest: some(50), Volume: some(30)}}
				if r.Intn(3) == 0 {
					q.Multiplier = 10
				}
				q.IV, q.Gamma, q.Mid = nan, nan, nan
				if r.Intn(8) > 0 { // or the quote gives none
					q.IV = 0.15 + 0.1*r.Float64()
					p := options.BSM{Spot: 100, Strike: strike, Years: y, Rate: e.Rate, Yield: e.Yield, Vol: q.IV}
					q.Gamma, q.Mid = p.Greeks(k).Gamma, p.Price(k)
				}
				e.Contracts = append(e.Contracts, q)
			}
		}
		c.Expiries = append(c.Expiries, e)
	}
	return c
}

func lotOf(q options.Contract) float64 {
	if q.Multiplier > 0 {
		return q.Multiplier
	}
	return 100
}

func orNone(x float64) float64 {
	if math.IsNaN(x) {
		return 0
	}
	return x
}

// netGammaAt is what dealers hold when the share costs so much: long the customers'
// calls, short their puts.
func netGammaAt(c *options.Chain, price float64) float64 {
	sum := 0.0
	for _, e := range c.Expiries {
		for _, q := range e.Contracts {
			if count := orNone(q.OpenInterest); count > 0 && q.IV > 0 {
				p := options.BSM{Spot: price, Strike: q.Strike, Years: e.Years, Rate: e.Rate, Yield: e.Yield, Vol: q.IV}
				sum += float64(q.Kind) * count * lotOf(q) * p.Greeks(q.Kind).Gamma
			}
		}
	}
	return sum
}

func TestPositioningIsTheBruteForceSum(t *testing.T) {
	r := rand.New(rand.NewSource(21))
	both := []options.Kind{options.Call, options.Put}
	for i := range 60 {
		kinds := both
		if i%5 == 3 {
			kinds = both[:1]
		} else if i%5 == 4 {
			kinds = both[1:]
		}
		c := randomChain(r, 1+i%3, 0.02+0.3*r.Float64(), kinds...)
		p, err := c.Positioning(0)
		require.NoError(t, err)
		type row struct{ interest, volume, gamma [2]float64 }
		rows := map[float64]*row{}
		var all row
		for _, e := range c.Expiries {
			for _, q := range e.Contracts {
				if rows[q.Strike] == nil {
					rows[q.Strike] = &row{}
				}
				side := (1 - int(q.Kind)) / 2
				gamma := orNone(q.Gamma*orNone(q.OpenInterest)*lotOf(q)) * c.Spot * c.Spot / 100
				for _, x := range []*row{rows[q.Strike], &all} {
					x.interest[side] += orNone(q.OpenInterest)
					x.volume[side] += orNone(q.Volume)
					x.gamma[side] += gamma
				}
			}
		}
		require.Len(t, p.Strikes, len(rows))
		callWall, putWall, mostCall, mostPut := nan, nan, 0.0, 0.0
		for j, s := range p.Strikes {
			want := rows[s.Strike]
			require.True(t, j == 0 || s.Strike > p.Strikes[j-1].Strike)
			require.Equal(t, want.interest, [2]float64{s.CallInterest, s.PutInterest})
			require.Equal(t, want.volume, [2]float64{s.CallVolume, s.PutVolume})
			require.InDelta(t, want.gamma[0], s.CallGamma, 1e-12*want.gamma[0])
			require.InDelta(t, want.gamma[1], s.PutGamma, 1e-12*want.gamma[1])
			if want.gamma[0] > mostCall {
				mostCall, callWall = want.gamma[0], s.Strike
			}
			if want.gamma[1] > mostPut {
				mostPut, putWall = want.gamma[1], s.Strike
			}
		}
		same := func(want, got float64, what string) {
			require.True(t, want == got || math.IsNaN(want) && math.IsNaN(got) || math.Abs(want-got) <= 1e-12*math.Abs(want), "%s: %v, not %v", what, got, want)
		}
		same(callWall, p.CallWall, "call wall")
		same(putWall, p.PutWall, "put wall")
		same(all.gamma[0], p.CallGamma, "call gamma")
		same(all.gamma[1], p.PutGamma, "put gamma")
		same(all.gamma[0]-all.gamma[1], p.NetGamma, "net gamma")
		ratio := func(x [2]float64) float64 {
			if x[0] == 0 {
				return nan
			}
			return x[1] / x[0]
		}
		same(ratio(all.volume), p.PutCallVolume, "volume")
		same(ratio(all.interest), p.PutCallInterest, "interest")
	}
}

// The zero nearest to the spot, found step by step; none on a chain of one kind.
func TestZeroGammaIsTheNearestChangeOfSign(t *testing.T) {
	r := rand.New(rand.NewSource(22))
	both := []options.Kind{options.Call, options.Put}
	found := 0
	for i := range 40 {
		kinds, years := both, 0.01+0.2*r.Float64()
		if i%4 == 3 {
			kinds = both[i/4%2:][:1]
		}
		if i%4 >= 2 {
			years = 0.1 / 365 // the last hours: the gammas of neighbouring strikes hardly meet
		}
		c := randomChain(r, 1+i%2, years, kinds...)
		p, err := c.Positioning(0)
		require.NoError(t, err)
		want := nan
		const step = 2e-4
		up, down := netGammaAt(c, c.Spot), netGammaAt(c, c.Spot)
		for away := step; away <= 0.3 && math.IsNaN(want); away += step {
			high, low := netGammaAt(c, c.Spot*(1+away)), netGammaAt(c, c.Spot*(1-away))
			switch {
			case high*up < 0:
				want = c.Spot * (1 + away)
			case low*down < 0:
				want = c.Spot * (1 - away)
			}
			if high != 0 {
				up = high
			}
			if low != 0 {
				down = low
			}
		}
		if math.IsNaN(want) {
			assert.True(t, math.IsNaN(p.ZeroGamma), "%d: %v, but there is none", i, p.ZeroGamma)
			continue
		}
		found++
		assert.InDelta(t, want, p.ZeroGamma, 1.01*step*c.Spot, "%d", i)
	}
	assert.Greater(t, found, 15)
}

// As much is paid at two strikes: the lower counts, however the sums are rounded.
func TestMaxPainIsTheLowestOfTheBest(t *testing.T) {
	r := rand.New(rand.NewSource(23))
	both := []options.Kind{options.Call, options.Put}
	ties := 0
	for i := range 300 {
		kinds := both
		if i%7 == 5 {
			kinds = both[i%2:][:1]
		}
		c := randomChain(r, 1, 0.1, kinds...)
		e := c.Expiries[0]
		for j := range e.Contracts { // strikes that are no binary fractions, interest that ties
			e.Contracts[j].Strike = math.Round(e.Contracts[j].Strike*13) / 1000
			if !math.IsNaN(e.Contracts[j].OpenInterest) && i%2 == 0 {
				e.Contracts[j].OpenInterest = float64(r.Intn(3)) * 100
			}
		}
		cents := func(x float64) int64 { return int64(math.Round(1000 * x)) }
		best, tied := nan, false
		var least *big.Int
		open := false
		for j, at := range e.Contracts {
			if j > 0 && at.Strike == e.Contracts[j-1].Strike {
				continue
			}
			paid := new(big.Int)
			for _, q := range e.Contracts {
				open = open || orNone(q.OpenInterest) > 0
				if gain := int64(q.Kind) * (cents(at.Strike) - cents(q.Strike)); gain > 0 {
					paid.Add(paid, new(big.Int).Mul(big.NewInt(gain), big.NewInt(int64(orNone(q.OpenInterest)*lotOf(q)))))
				}
			}
			switch {
			case least == nil || paid.Cmp(least) < 0:
				best, least, tied = at.Strike, paid, false
			case paid.Cmp(least) == 0:
				tied = true
			}
		}
		if !open {
			best = nan
		}
		if tied && least.Sign() > 0 {
			ties++
		}
		if got := e.MaxPain(); !(math.IsNaN(best) && math.IsNaN(got)) {
			require.Equal(t, best, got, "%d", i)
		}
	}
	require.Greater(t, ties, 10)
}

func TestUnusualVolumeIsTheBruteForceList(t *testing.T) {
	r := rand.New(rand.NewSource(24))
	for range 40 {
		c := randomChain(r, 3, 0.1, options.Call, options.Put)
		least, times := float64(100*(1+r.Intn(10))), 0.5+3*r.Float64()
		got := c.Unusual(&options.UnusualOptions{MinVolume: least, MinRatio: times, Limit: 1000})
		want := 0
		for _, e := range c.Expiries {
			for _, q := range e.Contracts {
				// Of what is open nothing may be known: then nothing is unusual.
				if orNone(q.Volume) >= least && !math.IsNaN(q.OpenInterest) && q.Volume >= times*q.OpenInterest {
					want++
				}
			}
		}
		require.Len(t, got, want)
		unknown := false
		for i, u := range got {
			require.True(t, u.Volume >= least && u.Ratio >= times)
			require.True(t, u.Ratio == u.Volume/u.Interest)
			unknown = unknown || math.IsNaN(u.Premium)
			require.True(t, i == 0 || math.IsNaN(u.Premium) == unknown && (unknown || u.Premium <= got[i-1].Premium), "the largest premium first, unknown ones last")
		}
	}
}
