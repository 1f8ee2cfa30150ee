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

// A chain quoted at what American options on a share with cash dividends are worth
// gives back its forward and its smile.
func TestAChainWithCashDividendsGivesBackForwardAndVolatility(t *testing.T) {
	at := market.Date{Year: 2026, Month: 9, Day: 16}.At(10, 30, market.NYSE().Location())
	expiry := market.Date{Year: 2027, Month: 3, Day: 19}
	years := options.YearsToExpiry(at, options.ExpiryTime(expiry, market.SettledPM, nil))
	dividends := []options.Dividend{{Years: 0.12, Cash: 1.5}, {Years: 0.37, Cash: 1.5}, {Years: 0.9, Cash: 1.5}}
	const rate = 0.045
	smile := func(strike float64) float64 { return 0.25 - 0.2*math.Log(strike/100) }
	var quotes []market.OptionQuote
	for _, strike := range []float64{85, 95, 100, 105, 120} {
		for _, k := range []options.Kind{options.Call, options.Put} {
			p := options.BSM{Spot: 100, Strike: strike, Years: years, Rate: rate, Vol: smile(strike)}
			v, err := p.AmericanDividends(k, dividends, options.Escrowed)
			require.NoError(t, err)
			quotes = append(quotes, market.OptionQuote{Underlying: "XYZ", Root: "XYZ", Kind: k, Strike: strike, Expiration: expiry, Settlement: market.SettledPM,
				Style: market.American, Time: at, Bid: v - 0.01, Ask: v + 0.01, Spot: 100})
		}
	}
	start := time.Now()
	c, err := options.NewChain(quotes, &options.ChainOptions{Rate: rate, Dividends: dividends, Workers: 2})
	require.NoError(t, err)
	t.Logf("%v a contract", time.Since(start)/time.Duration(len(quotes)))
	e := c.Expiries[0]
	present := 1.5*math.Exp(-rate*0.12) + 1.5*math.Exp(-rate*0.37)
	if underRace {
		return // what follows is slow, and runs on one goroutine
	}
	require.InEpsilon(t, (100-present)*math.Exp(rate*years), e.Forward, 1e-4)
	require.InDelta(t, 0, e.Yield, 2e-4, "nothing is left besides the dividends")
	for _, q := range e.Contracts {
		require.False(t, math.IsNaN(q.IV), "%v %v", q.Kind, q.Strike)
		assert.InDelta(t, smile(q.Strike), q.IV, 1e-3, "%v %v", q.Kind, q.Strike)
		assert.GreaterOrEqual(t, q.EarlyExercise, 0.0)
		p := options.BSM{Spot: 100, Strike: q.Strike, Years: years, Rate: rate, Yield: e.Yield}
		if q.Strike != 95 && q.Strike != 120 { // the exact solver is slow
			continue
		}
		exact, err := p.AmericanImpliedVolDividends(q.Kind, q.Mid, dividends, options.Escrowed)
		require.NoError(t, err)
		assert.InDelta(t, exact, q.IV, 1e-4, "a hundredth of a point: %v %v", q.Kind, q.Strike)
		if q.Strike == 95 {
			p.Vol = q.IV
			up, down := p, p
			up.Spot, down.Spot = 100.5, 99.5
			high, err := up.AmericanDividends(q.Kind, dividends, options.Escrowed)
			require.NoError(t, err)
			low, err := down.AmericanDividends(q.Kind, dividends, options.Escrowed)
			require.NoError(t, err)
			assert.InDelta(t, high-low, q.Delta, 2e-3)
		}
	}

	var refused *options.FieldError
	_, err = options.NewChain(quotes, &options.ChainOptions{Rate: rate, Dividends: []options.Dividend{{Years: 0.1, Cash: -1}}})
	require.ErrorAs(t, err, &refused)
	require.Equal(t, "dividend cash", refused.Field)
	_, err = options.NewChain(quotes, &options.ChainOptions{Rate: rate, Dividends: []options.Dividend{{Years: 0.1, Cash: 120}}})
	require.ErrorAs(t, err, &refused)
	require.Equal(t, "dividends", refused.Field)
}
