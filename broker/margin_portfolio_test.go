package broker_test

import (
	"errors"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/options"
)

func portfolio(t *testing.T, spot string, vols map[market.Symbol]float64, lines ...string) *broker.PortfolioMargin {
	t.Helper()
	m, err := broker.EstimatePortfolioMargin(broker.PortfolioInput{
		MarginInput: broker.MarginInput{Positions: held(t, lines...), Underlyings: map[market.Symbol]decimal.Decimal{"XYZ": num(spot), "SPX": num(spot)}},
		At:          time.Date(2026, time.March, 3, 10, 0, 0, 0, market.NYSE().Location()), Rate: 0.04, Vols: vols,
	})
	require.NoError(t, err)
	return m
}

func TestPortfolioMarginIsTheWorstOfTenMoves(t *testing.T) {
	shares := portfolio(t, "100", nil, "+100 XYZ @ 100")
	same(t, "1500", shares.Requirement)
	require.Len(t, shares.Classes[0].Points, 10)
	assert.Equal(t, -0.15, shares.Classes[0].Points[0].Move)
	same(t, "-300", shares.Classes[0].Points[4].Profit, "3 % down")

	// A short put's worst is 15 % down; its value comes from the option package.
	put := option(t, "XYZ", "95P")
	contract, _ := put.Contract()
	years := options.YearsToExpiry(time.Date(2026, time.March, 3, 10, 0, 0, 0, market.NYSE().Location()), options.ExpiryTime(contract.Expiration, market.SettledPM, nil))
	model := options.BSM{Spot: 100, Strike: 95, Years: years, Rate: 0.04, Vol: 0.3}
	low := model
	low.Spot = 85
	want := 100 * (low.Price(options.Put) - model.Price(options.Put))
	got := portfolio(t, "100", map[market.Symbol]float64{put: 0.3}, "-1 XYZ 95P @ 3")
	assert.InDelta(t, want, got.Requirement.InexactFloat64(), 0.01)
	implied := portfolio(t, "100", nil, "-1 XYZ 95P @ "+decimal.NewFromFloat(model.Price(options.Put)).Round(6).String())
	assert.InDelta(t, want, implied.Requirement.InexactFloat64(), 0.05)

	// A conversion is as good as flat: the minimum of two contracts is left.
	flat := portfolio(t, "100", map[market.Symbol]float64{put: 0.3, option(t, "XYZ", "95C"): 0.3}, "+100 XYZ @ 100", "+1 XYZ 95P @ 3", "-1 XYZ 95C @ 9")
	same(t, "75", flat.Requirement)

	index := portfolio(t, "4000", map[market.Symbol]float64{option(t, "SPX", "4000P"): 0.2}, "-1 SPX 4000P @ 80")
	assert.Equal(t, -0.08, index.Classes[0].Points[0].Move)
	assert.Equal(t, 0.06, index.Classes[0].Points[9].Move)
}

func TestPortfolioMarginRefusesWhatItCannotValue(t *testing.T) {
	now := time.Date(2026, time.March, 3, 10, 0, 0, 0, time.UTC)
	for field, in := range map[string]broker.PortfolioInput{
		"At":     {},
		"Rate":   {At: now, Rate: 4},
		"Symbol": {At: now, MarginInput: broker.MarginInput{Positions: []broker.MarginPosition{{Symbol: "/ESZ6", Quantity: num("1")}}}},
		"Vols[XYZ   260722C00100000]": {At: now, Vols: map[market.Symbol]float64{"XYZ   260722C00100000": -1}, MarginInput: broker.MarginInput{
			Positions:   []broker.MarginPosition{{Symbol: "XYZ   260722C00100000", Quantity: num("1"), Price: num("1")}},
			Underlyings: map[market.Symbol]decimal.Decimal{"XYZ": num("100")},
		}},
		"Underlyings[XYZ]": {At: now, MarginInput: broker.MarginInput{Positions: []broker.MarginPosition{{Symbol: "XYZ   260722C00100000", Quantity: num("1"), Price: num("1")}}}},
	} {
		_, err := broker.EstimatePortfolioMargin(in)
		fe, ok := errors.AsType[*broker.FieldError](err)
		require.True(t, ok, field)
		assert.Equal(t, field, fe.Field)
	}
}
