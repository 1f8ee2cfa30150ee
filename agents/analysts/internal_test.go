package analysts

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/levels"
	"github.com/ttai-go/ttai/market"
)

func TestTheCatalogNamesEverythingOnce(t *testing.T) {
	seen := map[string]bool{}
	for _, d := range catalog() {
		assert.False(t, seen[d.id], d.id)
		seen[d.id] = true
		assert.NotEmpty(t, d.name, d.id)
		assert.NotEmpty(t, d.unit, d.id)
		assert.NotEmpty(t, d.method, d.id)
		assert.LessOrEqual(t, len(d.method), 100, "%s: methods are sent with every analysis", d.id)
	}
}

func strikes(low, high, step float64) (list []float64) {
	for k := low; k <= high; k += step {
		list = append(list, k)
	}
	return list
}

func TestThePlanAsksForWhatCandidatesNeedAndNoMore(t *testing.T) {
	rules, err := (*Rules)(nil).normalized()
	require.NoError(t, err)
	today := market.Date{Year: 2025, Month: time.October, Day: 15}
	expirations := func(step float64, days ...int) (list []market.Expiration) {
		for _, n := range days {
			list = append(list, market.Expiration{Root: "X", Date: today.AddDays(n), Strikes: strikes(5000, 8000, step)})
		}
		return list
	}
	days := func(dates []market.Date) (list []int) {
		for _, d := range dates {
			list = append(list, today.DaysUntil(d))
		}
		return list
	}

	all := expirations(100, -3, 0, 1, 2, 9, 16, 23, 30, 37, 44, 51, 58, 65, 93, 184, 380)
	plan := planChain(all, today, 6500, 0.2, rules)
	assert.Equal(t, []int{23, 30, 37, 44, 51, 58}, days(plan.wide), "coarse strikes: every expiration in the window")
	assert.Equal(t, []int{0, 9, 93, 184}, days(plan.narrow))
	// Twice 20 % over 58 days: ±2 × 0.2 × √(58/365) = ±0.1594 in log price.
	assert.InDelta(t, 6500*math.Exp(-0.1594), plan.low, 2)
	assert.InDelta(t, 6500*math.Exp(0.1594), plan.high, 2)

	fine := planChain(expirations(5, 2, 9, 23, 30, 37, 44, 51), today, 6500, 0.2, rules)
	assert.Equal(t, []int{37}, days(fine.wide), "six hundred contracts are one expiration of these")
	assert.Contains(t, days(fine.narrow), 30, "the others still tell the volatility")

	short := planChain(expirations(50, 1, 5), today, 6500, 0.2, rules)
	assert.Equal(t, []int{5}, days(short.wide), "the one nearest 30 days, for skew and liquidity")

	blind := planChain(expirations(50, 30), today, math.NaN(), 0.2, rules)
	assert.True(t, math.IsInf(blind.high, 1), "without a price every strike is wanted")

	assert.Empty(t, planChain(expirations(50, -1), today, 6500, 0.2, rules))
	assert.Empty(t, planChain(nil, today, 6500, 0.2, rules))
}

func TestLevelsNearEachOtherAreOne(t *testing.T) {
	at := func(price float64, kind levels.Kind, touches int) levels.Level {
		return levels.Level{Price: price, Low: price, High: price, Kind: kind, Touches: touches}
	}
	merged := merge([]levels.Level{
		at(99.8, levels.KindPivot, 0), at(99.6, levels.KindZone, 4), at(99.4, levels.KindPriorLow, 0), at(99.2, levels.KindPivotSupport, 0), at(95, levels.KindSwingLow, 1),
	}, 0.5)
	require.Len(t, merged, 3)
	assert.Equal(t, []float64{95, 99.2, 99.6}, []float64{merged[0].Price, merged[1].Price, merged[2].Price}, "what the market made stands for the pivot beside it")
	assert.Equal(t, []levels.Kind{levels.KindPivot, levels.KindPriorLow}, merged[2].others)
	assert.Empty(t, merge(nil, 1))
}

func TestNumbersForPeople(t *testing.T) {
	for _, row := range [][2]string{
		{price(476.16), "476.16"}, {price(0.034), "0.0340"}, {price(0), "0.00"}, {price(-3), "-3.00"},
		{percent(0.052), "+5.2%"}, {percent(-0.0001), "0.0%"}, {percent(-0.31), "-31.0%"},
		{share(0.183), "18.3%"}, {away(-0.05, "below", "above"), "5.0% below"}, {away(0.05, "below", "above"), "5.0% above"},
		{thousands(0), "0"}, {thousands(999), "999"}, {thousands(1234567.4), "1,234,567"}, {thousands(-1000), "-1,000"}, {thousands(-0.2), "0"},
		{plural(1, "day", "days"), "1 day"}, {plural(0, "day", "days"), "0 days"}, {trimmed(50), "50"}, {trimmed(68.4), "68.4"},
	} {
		assert.Equal(t, row[1], row[0])
	}
}

func TestTheMiddleOfAnything(t *testing.T) {
	assert.True(t, math.IsNaN(median(nil)))
	assert.Equal(t, 2.0, median([]float64{3, 1, 2}))
	assert.Equal(t, 2.5, median([]float64{4, 1, 3, 2}))
}
