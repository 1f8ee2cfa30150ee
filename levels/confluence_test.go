package levels

import (
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/market"
)

func at(kind Kind, low, high float64) Level {
	return Level{Kind: kind, Price: (low + high) / 2, Low: low, High: high}
}

func TestAreasHoldEveryLevelOnceAndKeepTheirDistance(t *testing.T) {
	s := walk(6, 400, 0.25)
	found, err := Find(s, &Options{Lookback: -1})
	require.NoError(t, err)
	areas, err := Confluence(s, found, nil)
	require.NoError(t, err)
	c := conditions{span: spanDay, atr: plainTrueRanges(s, 14)[s.Len()-1]}
	members := 0
	for i, a := range areas {
		members += len(a.Members)
		assert.Equal(t, a.Low, slices.MinFunc(a.Members, func(x, y Level) int { return compareFloat(x.Low, y.Low) }).Low)
		assert.Equal(t, a.High, slices.MaxFunc(a.Members, func(x, y Level) int { return compareFloat(x.High, y.High) }).High)
		assert.True(t, a.Low <= a.Price && a.Price <= a.High)
		assert.True(t, a.Probability > 0 && a.Probability < 1)
		if len(a.Members) > 1 {
			assert.LessOrEqual(t, a.High-a.Low, c.atr*(1+1e-9))
		}
		for _, f := range a.Families {
			assert.True(t, slices.ContainsFunc(a.Members, func(l Level) bool { return l.Kind.Family() == f }))
		}
		assert.Equal(t, len(a.Families), len(slices.Compact(slices.Clone(a.Families))))
		if i > 0 {
			assert.LessOrEqual(t, areas[i-1].Low, a.Low)
		}
	}
	assert.Equal(t, len(found), members)
	e, err := NewEngine(&Options{Lookback: -1, Interval: market.Day})
	require.NoError(t, err)
	for i := range s.Time {
		require.NoError(t, e.Update(s.Bar(i)))
	}
	streamed, err := e.Confluence(nil)
	require.NoError(t, err)
	assert.Equal(t, areas, streamed)
}

func compareFloat(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func TestTwoLevelsOfOneFamilyAreOneReason(t *testing.T) {
	c := conditions{span: spanDay, atr: 1}
	o, err := ConfluenceOptions{}.resolve()
	require.NoError(t, err)
	one := confluence(nil, []Level{at(KindSwingHigh, 100, 100)}, c, o)
	again := confluence(nil, []Level{at(KindSwingHigh, 100, 100), at(KindPriorHigh, 100, 100), at(KindLiquidity, 100, 100)}, c, o)
	require.Len(t, again, 1)
	assert.Equal(t, []Family{FamilyExtremes}, again[0].Families)
	assert.Equal(t, one[0].Probability, confluence(nil, []Level{at(KindSwingHigh, 100, 100), at(KindSwingHigh, 100, 100)}, c, o)[0].Probability)

	two := confluence(nil, []Level{at(KindSwingHigh, 100, 100), at(KindSwingHigh, 100, 100), at(KindRound, 100.2, 100.2)}, c, o)
	require.Len(t, two, 1)
	assert.InDelta(t, 100.1, two[0].Price, 1e-12, "each family counts once")

	apart := confluence(nil, []Level{at(KindSwingHigh, 100, 100), at(KindRound, 100.3, 100.3)}, c, o)
	assert.Len(t, apart, 2, "further apart than a quarter of the average true range")
	chain := []Level{}
	for k := range 12 {
		chain = append(chain, at(KindRound, 100+0.2*float64(k), 100+0.2*float64(k)))
	}
	assert.Len(t, confluence(nil, chain, c, o), 2, "an area grows no wider than one average true range")
	wide := confluence(nil, []Level{at(KindGap, 99, 102), at(KindRound, 100, 100)}, c, o)
	assert.Len(t, wide, 2, "a wide band stands alone")
	o.Families = 2
	assert.Len(t, confluence(nil, []Level{at(KindGap, 99, 102), at(KindRound, 90, 90), at(KindSwingLow, 90.1, 90.1)}, c, o), 1)
}

func TestRankPutsTheLikeliestFirstAndThenTheNearest(t *testing.T) {
	areas := []Area{{Low: 90, High: 91, Probability: 0.5}, {Low: 99, High: 100, Probability: 0.5}, {Low: 110, High: 112, Probability: 0.6}}
	Rank(areas, 101)
	assert.Equal(t, []float64{110, 99, 90}, []float64{areas[0].Low, areas[1].Low, areas[2].Low})
}

func TestEveryKindHasAFamily(t *testing.T) {
	families := []Family{FamilyExtremes, FamilyLines, FamilyFibonacci, FamilyPivots, FamilyProfile, FamilyVWAP, FamilyGaps, FamilyRound, FamilyOptions}
	seen := map[Family]bool{}
	for _, k := range Kinds() {
		assert.Contains(t, families, k.Family(), k)
		seen[k.Family()] = true
	}
	assert.Len(t, seen, len(families))
	assert.Equal(t, Family("mine"), Kind("mine").Family())
}

func TestConfluenceRefusesImpossibleOptions(t *testing.T) {
	s := walk(1, 20, 1)
	for field, o := range map[string]ConfluenceOptions{"confluence.width": {Width: math.Inf(1)}, "confluence.most": {Most: -1}, "confluence.families": {Families: -1}} {
		_, err := Confluence(s, nil, &o)
		var bad *FieldError
		require.ErrorAs(t, err, &bad)
		assert.Equal(t, field, bad.Field)
	}
	areas, err := Confluence(market.NewSeries("X", market.Day, nil), nil, nil)
	require.NoError(t, err)
	assert.Empty(t, areas)
}

func TestStrengthIsAProbabilityOfTheBandInUnitsOfTheMarket(t *testing.T) {
	s := walk(9, 400, 0.25)
	found, err := Find(s, nil)
	require.NoError(t, err)
	scaled, err := Find(transform(s, func(x float64) float64 { return 8 * x }), &Options{Round: RoundOptions{Step: 80}})
	require.NoError(t, err)
	byKind := func(levels []Level) map[Kind][]float64 {
		m := map[Kind][]float64{}
		for _, l := range levels {
			if l.Kind != KindRound && !slices.Contains(profileKinds(), l.Kind) && l.Kind != KindNakedPOC {
				m[l.Kind] = append(m[l.Kind], l.Strength)
			}
		}
		return m
	}
	want, got := byKind(found), byKind(scaled)
	require.NotEmpty(t, want)
	for k := range want {
		require.InDeltaSlice(t, want[k], got[k], 1e-9, k)
	}
	for _, span := range []barSpan{spanMinute, spanHour, spanDay} {
		c := conditions{span: span, atr: 2}
		last := 0.0
		for w := 0.0; w <= 8; w += 0.25 {
			p := baseRate(c, w)
			assert.True(t, p > 0.2 && p < 0.95, "%v of width %v", p, w)
			assert.GreaterOrEqual(t, p, last-0.02, "wider bands are not easier to break")
			last = p
		}
		assert.Equal(t, baseRate(c, 6), baseRate(c, 60), "no wider bands were seen")
		for _, k := range Kinds() {
			l := at(k, 100, 101)
			p := strength(&l, c)
			assert.InDelta(t, baseRate(c, 1), p, 0.06, "%s", k)
		}
	}
	assert.Equal(t, baseRate(conditions{span: spanDay}, 0), baseRate(conditions{span: spanDay, atr: 3}, 0))
}
