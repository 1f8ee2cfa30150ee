package options

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/internal/sharedtest"
	"github.com/ttai-go/ttai/market"
)

// The exact solver is BSM.American; a table has to agree with it to a hundredth
// of a volatility point, over all a chain may hold.
func TestTablesOfPremiumsAgreeWithTheExactSolver(t *testing.T) {
	var vols, prices, deltas []float64
	for _, row := range []struct{ rate, yield, years float64 }{
		{0.04, 0, 0.04}, {0.04, 0, 0.2}, {0.04, 0.01, 0.5}, {0.04, 0.01, 2}, {0.04, 0.08, 1}, {0.1, 0, 1}, {0.001, 0.05, 0.7},
	} {
		for _, k := range []Kind{Put, Call} {
			model := BSM{Spot: 100, Years: row.years, Rate: row.rate, Yield: row.yield}
			table := newPremiumTable(model, k, 0.1, 0.7)
			for _, vol := range []float64{0.11, 0.2, 0.55, 1.7} {
				for _, strike := range []float64{70, 92, 100, 110, 140} {
					model.Strike, model.Vol = strike, vol
					want := model.AmericanGreeks(k, Accuracy1e8)
					prices = append(prices, math.Abs(table.price(model)-want.Price))
					if want.Exercise || want.Vega < 0.5 { // the price says little about the volatility
						continue
					}
					iv, err := table.impliedVol(model, want.Price)
					require.NoError(t, err, "%+v", model)
					vols = append(vols, math.Abs(iv-vol))
					var g Greeks
					table.greeks(&model, &g, true)
					deltas = append(deltas, math.Abs(g.Delta-want.Delta))
				}
			}
		}
	}
	report := func(name string, errs []float64, most float64) {
		slices.Sort(errs)
		n := len(errs)
		t.Logf("%s: %d cases, median %.1e, largest %.1e", name, n, errs[n/2], errs[n-1])
		assert.Less(t, errs[n-1], most, name)
	}
	report("volatility", vols, 1e-4)
	report("price of a spot of 100", prices, 2e-3)
	report("delta", deltas, 1e-3)
}

func TestPremiumsKnowTheirLimits(t *testing.T) {
	p := BSM{Spot: 100, Strike: 100, Years: 0.5, Rate: 0.04, Vol: 0.3}
	assert.Zero(t, newPremiumTable(p, Call, 0.1, 1).premium(p), "without a yield a call is never exercised early")
	none := p
	none.Rate = 0
	assert.Zero(t, newPremiumTable(none, Put, 0.1, 1).premium(none), "without a rate a put is never exercised early")
	table := newPremiumTable(p, Put, 0.1, 1)
	deep := p
	deep.Strike = 200
	assert.InDelta(t, 100, table.price(deep), 1e-9, "deep in the money a put is worth its exercise")
	var g Greeks
	table.greeks(&deep, &g, true)
	assert.Equal(t, -1.0, g.Delta)
	_, err := table.impliedVol(deep, 100)
	assert.ErrorIs(t, err, ErrNoTimeValue)
	_, err = table.impliedVol(deep, 99)
	assert.ErrorIs(t, err, ErrBelowIntrinsic)
	// Outside of the table's range the answer is still one.
	p.Vol = 2
	vol, err := table.impliedVol(p, p.American(Put, Accuracy1e6))
	require.NoError(t, err)
	assert.InDelta(t, 2, vol, 0.01)
}

// chainOfAmericans is one expiry of quotes that American options are worth.
func chainOfAmericans(t testing.TB, strikes int, years float64) []market.OptionQuote {
	at := market.Date{Year: 2026, Month: 9, Day: 16}.At(10, 30, market.NYSE().Location())
	d := market.DateOf(at.AddDate(0, 0, int(365*years)))
	var quotes []market.OptionQuote
	for i := range strikes {
		strike := 60 + 80*float64(i)/float64(strikes-1)
		for _, k := range []Kind{Call, Put} {
			p := BSM{Spot: 100, Strike: strike, Years: YearsToExpiry(at, ExpiryTime(d, market.SettledPM, nil)), Rate: 0.045, Yield: 0.02, Vol: 0.25 - 0.2*math.Log(strike/100)}
			v := p.American(k, Accuracy1e6)
			quotes = append(quotes, market.OptionQuote{Underlying: "XYZ", Root: "XYZ", Kind: k, Strike: strike, Expiration: d, Settlement: market.SettledPM,
				Style: market.American, Time: at, Bid: v * 0.995, Ask: v * 1.005, Spot: 100})
		}
	}
	return quotes
}

func TestAChainOfAmericanOptionsGivesBackForwardAndVolatility(t *testing.T) {
	quotes := chainOfAmericans(t, 33, 1)
	c, err := NewChain(quotes, &ChainOptions{Rate: 0.045})
	require.NoError(t, err)
	naive, err := NewChain(quotes, &ChainOptions{Rate: 0.045, European: true})
	require.NoError(t, err)
	e := c.Expiries[0]
	forward := 100 * math.Exp(0.025*e.Years)
	assert.InEpsilon(t, forward, e.Forward, 2e-5)
	assert.Greater(t, math.Abs(naive.Expiries[0].Forward/forward-1), 1e-3, "without that, parity is off")
	for _, q := range e.Contracts {
		if math.IsNaN(q.IV) { // quoted at what exercise gives
			assert.Greater(t, float64(q.Kind)*(100-q.Strike), 25.0)
			continue
		}
		want := 0.25 - 0.2*math.Log(q.Strike/100)
		if q.Vega > 5 {
			assert.InDelta(t, want, q.IV, 5e-4, "%s %v", q.Kind, q.Strike)
		}
		assert.GreaterOrEqual(t, q.EarlyExercise, 0.0)
	}
	atm, ok := e.Find(Put, 100)
	require.True(t, ok)
	p := BSM{Spot: 100, Strike: 100, Years: e.Years, Rate: 0.045, Yield: e.Yield, Vol: atm.IV}
	exact := p.AmericanGreeks(Put, Accuracy1e8)
	assert.InDelta(t, exact.Price-p.Price(Put), atm.EarlyExercise, 1e-3)
	assert.InDelta(t, exact.Delta, atm.Delta, 1e-4)
	assert.InDelta(t, exact.Vega, atm.Vega, 0.02)
	assert.InDelta(t, exact.Theta/365, atm.Theta, 1e-4)
}

func TestWorkersDoNotChangeTheChain(t *testing.T) {
	quotes := append(chainOfAmericans(t, 20, 0.5), chainOfAmericans(t, 20, 1)...)
	quotes[3].Ask = math.NaN()
	one, err := NewChain(quotes, &ChainOptions{Rate: 0.045})
	require.NoError(t, err)
	four, err := NewChain(quotes, &ChainOptions{Rate: 0.045, Workers: 4})
	require.NoError(t, err)
	require.Equal(t, len(one.Expiries), len(four.Expiries))
	for i, e := range one.Expiries {
		assert.Equal(t, e.Forward, four.Expiries[i].Forward)
		for j, q := range e.Contracts {
			other := four.Expiries[i].Contracts[j]
			assert.True(t, q.IV == other.IV && q.Delta == other.Delta || math.IsNaN(q.IV) && math.IsNaN(other.IV))
		}
	}
	assert.Equal(t, one.Skipped, four.Skipped)
}

// BenchmarkChainAmerican values 20,000 American contracts: 50 expiries of 200
// strikes, each with its forward found twice and its boundaries made.
func BenchmarkChainAmerican(b *testing.B) {
	var quotes []market.OptionQuote
	for i := range 50 {
		quotes = append(quotes, chainOfAmericans(b, 200, 0.1+0.04*float64(i))...)
	}
	for _, workers := range []int{1, 2} {
		b.Run(fmt.Sprintf("workers=%d", workers), func(b *testing.B) {
			opts := &ChainOptions{Rate: 0.045, Workers: workers}
			for b.Loop() {
				if _, err := NewChain(quotes, opts); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(quotes)), "ns/contract")
		})
	}
}

func BenchmarkPremiumTable(b *testing.B) {
	p := BSM{Spot: 100, Years: 0.3, Rate: 0.04, Yield: 0.01}
	for b.Loop() {
		newPremiumTable(p, Put, 0.1, 1.5)
	}
}

func BenchmarkPremiumImpliedVol(b *testing.B) {
	p := BSM{Spot: 100, Strike: 95, Years: 0.3, Rate: 0.04, Yield: 0.01, Vol: 0.3}
	table := newPremiumTable(p, Put, 0.1, 1.5)
	price := table.price(p)
	for b.Loop() {
		if _, err := table.impliedVol(p, price); err != nil {
			b.Fatal(err)
		}
	}
}

// On a real chain the shared tables and the exact solver, contract by contract,
// find the same volatility.
func TestARealAmericanChainAgreesWithTheExactSolver(t *testing.T) {
	file, err := market.OpenChain(sharedtest.Path(t, "data", "options", "yahoo_chain_jpm_20251124_20251205.csv.gz"), nil)
	require.NoError(t, err)
	var quotes []market.OptionQuote
	for _, q := range file.Quotes {
		if q.Time.Format(time.DateOnly) == "2025-12-04" {
			quotes = append(quotes, q)
		}
	}
	c, err := NewChain(quotes, &ChainOptions{Rate: 0.039})
	require.NoError(t, err)
	var errs []float64
	for _, e := range c.Expiries {
		for i := 0; i < len(e.Contracts); i += 7 {
			q := &e.Contracts[i]
			if math.IsNaN(q.IV) || !(q.Bid > 0) || q.Vega < 0.01*c.Spot*math.Sqrt(e.Years) {
				continue
			}
			model := e.model(c.Spot)
			model.Strike = q.Strike
			exact, err := model.AmericanImpliedVol(q.Kind, q.Mid, Accuracy1e6)
			require.NoError(t, err, q.Symbol)
			errs = append(errs, math.Abs(exact-q.IV))
		}
	}
	slices.Sort(errs)
	n := len(errs)
	t.Logf("%d contracts: median %.1e, 99th percentile %.1e, largest %.1e", n, errs[n/2], errs[n*99/100], errs[n-1])
	require.Greater(t, n, 100)
	assert.Less(t, errs[n-1], 1e-4, "a hundredth of a volatility point")
}
