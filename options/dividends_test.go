package options_test

import (
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/options"
)

// QuantLib's values: European escrowed exact; the spot model by finite
// differences with an error of their own. Three times that is allowed, and a
// millionth of the spot for the rows whose error column says less. In the rows
// with a deviation above 90 % over the life that engine's grid ends above the
// dividends, which costs it more than it says.
func TestDividendsMatchTheTable(t *testing.T) {
	var european, american spread
	for i, row := range readTable(t, "discrete_div.csv") {
		if testing.Short() && i%6 != 0 {
			continue
		}
		p := options.BSM{Spot: number(t, row, "S"), Strike: number(t, row, "K"), Years: number(t, row, "days") / 365,
			Rate: number(t, row, "r"), Vol: number(t, row, "sigma")}
		k := sign(t, row)
		var dividends []options.Dividend
		cash := strings.Split(row["div_cash(;)"], ";")
		for j, day := range strings.Split(row["div_days(;)"], ";") {
			if day == "" { // no dividend
				continue
			}
			days, err := strconv.ParseFloat(day, 64)
			require.NoError(t, err)
			amount, err := strconv.ParseFloat(cash[j], 64)
			require.NoError(t, err)
			dividends = append(dividends, options.Dividend{Years: days / 365, Cash: amount})
		}
		escrowed, err := p.PriceDividends(k, dividends, options.Escrowed)
		require.NoError(t, err)
		require.InEpsilon(t, number(t, row, "euro_escrowed"), escrowed, 1e-10)
		if i%3 != 0 { // a third of the rows: each takes a tenth of a second
			continue
		}
		spot, err := p.PriceDividends(k, dividends, options.SpotModel)
		require.NoError(t, err)
		early, err := p.AmericanDividends(k, dividends, options.SpotModel)
		require.NoError(t, err)
		require.GreaterOrEqual(t, early, spot-1e-6)
		allowed := 1e-6 * p.Spot
		if p.Vol*math.Sqrt(p.Years) > 0.9 {
			allowed = 2e-5 * p.Spot
		}
		e := math.Abs(spot-number(t, row, "euro_spot_fd")) / (3*number(t, row, "euro_spot_err") + allowed)
		a := math.Abs(early-number(t, row, "amer_spot_fd")) / (3*number(t, row, "amer_spot_err") + allowed)
		assert.LessOrEqual(t, e, 1.0, "row %d European %v", i, row)
		assert.LessOrEqual(t, a, 1.0, "row %d American %v", i, row)
		european, american = append(european, e), append(american, a)
	}
	european.log(t, "european")
	american.log(t, "american")
}

func TestDividendsInTheLimit(t *testing.T) {
	p := options.BSM{Spot: 100, Strike: 100, Years: 0.5, Rate: 0.04, Vol: 0.3}
	after := []options.Dividend{{Years: 0.7, Cash: 5}, {Years: -0.1, Cash: 5}}
	for _, m := range []options.DividendModel{options.Escrowed, options.SpotModel} {
		v, err := p.PriceDividends(options.Put, after, m)
		require.NoError(t, err)
		require.Equal(t, p.Price(options.Put), v, "dividends outside of the life do not matter")
		v, err = p.AmericanDividends(options.Put, after, m)
		require.NoError(t, err)
		require.Equal(t, p.American(options.Put, options.Accuracy1e6), v)

		tiny := []options.Dividend{{Years: 0.2, Cash: 1e-9}}
		v, err = p.AmericanDividends(options.Put, tiny, m)
		require.NoError(t, err)
		require.InDelta(t, p.American(options.Put, options.Accuracy1e8), v, 1e-3, "the grid agrees with the integral equation")
	}
}

// A call on a share about to pay is worth exercising just before: at least what
// a call that expires then is worth.
func TestCallIsExercisedBeforeTheExDate(t *testing.T) {
	p := options.BSM{Spot: 110, Strike: 100, Years: 0.25, Rate: 0.03, Vol: 0.2}
	dividends := []options.Dividend{{Years: 0.2, Cash: 4}}
	before := p
	before.Years = 0.2
	american, err := p.AmericanDividends(options.Call, dividends, options.SpotModel)
	require.NoError(t, err)
	require.GreaterOrEqual(t, american, before.Price(options.Call))
	european, err := p.PriceDividends(options.Call, dividends, options.SpotModel)
	require.NoError(t, err)
	require.Greater(t, american, european+1)

	still := p
	still.Vol = 0
	v, err := still.AmericanDividends(options.Call, dividends, options.SpotModel)
	require.NoError(t, err)
	require.InDelta(t, 110-100*math.Exp(-0.03*0.2), v, 1e-9, "without randomness, just before the ex-date")

	vol, err := p.AmericanImpliedVolDividends(options.Call, american, dividends, options.SpotModel)
	require.NoError(t, err)
	require.InDelta(t, 0.2, vol, 1e-6)
	_, err = p.AmericanImpliedVolDividends(options.Call, 9, dividends, options.SpotModel)
	require.ErrorIs(t, err, options.ErrBelowIntrinsic)
}

func TestDividendsRefuseTheImpossible(t *testing.T) {
	p := options.BSM{Spot: 100, Strike: 100, Years: 0.5, Rate: 0.04, Vol: 0.3}
	one := func(years, cash float64) []options.Dividend { return []options.Dividend{{Years: years, Cash: cash}} }
	for field, try := range map[string]func() (float64, error){
		"model":          func() (float64, error) { return p.PriceDividends(options.Put, nil, 3) },
		"kind":           func() (float64, error) { return p.PriceDividends(0, nil, options.Escrowed) },
		"dividend years": func() (float64, error) { return p.PriceDividends(options.Put, one(nan, 1), options.Escrowed) },
		"dividend cash":  func() (float64, error) { return p.AmericanDividends(options.Put, one(0.1, -1), options.Escrowed) },
		"dividends":      func() (float64, error) { return p.AmericanDividends(options.Put, one(0.1, 200), options.Escrowed) },
		"vol":            func() (float64, error) { q := p; q.Vol = nan; return q.AmericanDividends(options.Put, nil, 0) },
		"spot":           func() (float64, error) { q := p; q.Spot = 0; return q.AmericanDividends(options.Put, nil, 0) },
		"price": func() (float64, error) {
			return p.AmericanImpliedVolDividends(options.Put, nan, one(0.1, 1), options.Escrowed)
		},
	} {
		v, err := try()
		var refused *options.FieldError
		require.ErrorAs(t, err, &refused, field)
		assert.Equal(t, field, refused.Field)
		assert.True(t, math.IsNaN(v))
	}
}
