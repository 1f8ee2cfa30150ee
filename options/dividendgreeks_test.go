package options_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/options"
)

func TestGreeksUnderCashDividendsAreTheDerivatives(t *testing.T) {
	dividends := []options.Dividend{{Years: 0.1, Cash: 1}, {Years: 0.35, Cash: 1}}
	for _, m := range []options.DividendModel{options.Escrowed, options.SpotModel} {
		for _, k := range []options.Kind{options.Call, options.Put} {
			p := options.BSM{Spot: 100, Strike: 102, Years: 0.5, Rate: 0.04, Vol: 0.25}
			g, err := p.AmericanGreeksDividends(k, dividends, m)
			require.NoError(t, err)
			at := func(spot float64) float64 {
				q := p
				q.Spot = spot
				v, err := q.AmericanDividends(k, dividends, m)
				require.NoError(t, err)
				return v
			}
			here, up, down := at(100), at(102), at(98)
			assert.Equal(t, here, g.Price)
			assert.InDelta(t, (up-down)/4, g.Delta, 2e-3)
			assert.InDelta(t, (up-2*here+down)/4, g.Gamma, 5e-4)
			assert.Positive(t, g.Vega)
			assert.Negative(t, g.Theta)
			assert.Positive(t, float64(k)*g.Rho)
			assert.True(t, math.IsNaN(g.Boundary))
			assert.False(t, g.Exercise)
		}
	}
	deep := options.BSM{Spot: 40, Strike: 100, Years: 0.5, Rate: 0.08, Vol: 0.2}
	g, err := deep.AmericanGreeksDividends(options.Put, []options.Dividend{{Years: 0.45, Cash: 0.1}}, options.Escrowed)
	require.NoError(t, err)
	assert.True(t, g.Exercise)
	assert.Equal(t, []float64{60, -1, 0}, []float64{g.Price, g.Delta, g.Gamma})
	_, err = deep.AmericanGreeksDividends(options.Put, []options.Dividend{{Years: 0.1, Cash: 60}}, options.Escrowed)
	var refused *options.FieldError
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, "dividends", refused.Field)
	without, err := deep.AmericanGreeksDividends(options.Put, nil, options.Escrowed)
	require.NoError(t, err)
	assert.Equal(t, deep.AmericanGreeks(options.Put, options.Accuracy1e6), without)
}
