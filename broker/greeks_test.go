package broker_test

import (
	"math"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/options"
)

func TestGreeksOfAPositionAreThoseOfItsContractsTimesItsQuantity(t *testing.T) {
	now := time.Date(2026, 9, 16, 15, 0, 0, 0, time.UTC)
	put := broker.Position{Symbol: "SPY   261218P00440000", Underlying: "SPY", Quantity: decimal.NewFromInt(-3), Multiplier: decimal.NewFromInt(100)}
	years := options.YearsToExpiry(now, options.ExpiryTime(market.Date{Year: 2026, Month: 12, Day: 18}, market.SettledPM, market.CboeOptions()))
	model := options.BSM{Spot: 450, Strike: 440, Years: years, Rate: 0.04, Yield: 0.01, Vol: 0.2}
	price := model.Price(options.Put)
	want := model.Greeks(options.Put)

	got := put.Greeks(broker.Pricing{Time: now, Spot: 450, Price: price, Rate: 0.04, Yield: 0.01})
	assert.InEpsilon(t, -300*want.Delta, got.Delta, 1e-9)
	assert.InEpsilon(t, -300*want.Gamma, got.Gamma, 1e-9)
	assert.InEpsilon(t, -300*want.ThetaPerDay(), got.Theta, 1e-9)
	assert.InEpsilon(t, -300*want.VegaPerPoint(), got.Vega, 1e-9)

	mark := decimal.NewFromFloat(price)
	put.Mark = &mark
	assert.InEpsilon(t, got.Delta, put.Greeks(broker.Pricing{Time: now, Spot: 450, Rate: 0.04, Yield: 0.01}).Delta, 1e-6, "without a price the mark is used")

	last := decimal.NewFromInt(451)
	shares := broker.Position{Symbol: "SPY", Quantity: decimal.NewFromInt(300), Multiplier: decimal.NewFromInt(1), Mark: &last}
	sum := got.Plus(shares.Greeks(broker.Pricing{}))
	assert.InEpsilon(t, 300-300*want.Delta, sum.Delta, 1e-9)
	assert.Equal(t, got.Vega, sum.Vega)
}

func TestGreeksOfWhatCannotBeValuedAreUnknown(t *testing.T) {
	now := time.Date(2026, 9, 16, 15, 0, 0, 0, time.UTC)
	call := broker.Position{Symbol: "SPY   261218C00440000", Quantity: decimal.NewFromInt(1), Multiplier: decimal.NewFromInt(100)}
	for name, at := range map[string]broker.Pricing{
		"no price":         {Time: now, Spot: 450},
		"no spot":          {Time: now, Price: 20},
		"below intrinsic":  {Time: now, Spot: 450, Price: 1},
		"after its expiry": {Time: now.AddDate(1, 0, 0), Spot: 450, Price: 20},
		"NaN":              {Time: now, Spot: math.NaN(), Price: 20},
	} {
		g := call.Greeks(at)
		assert.False(t, g.Known(), name)
		assert.True(t, math.IsNaN(g.Gamma) && math.IsNaN(g.Theta) && math.IsNaN(g.Vega), name)
		assert.False(t, g.Plus(broker.Greeks{Delta: 1}).Known(), "%s: unknown and known is unknown", name)
	}
}
