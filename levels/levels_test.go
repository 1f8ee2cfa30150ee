package levels

import (
	"errors"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/indicators"
	"github.com/ttai-go/ttai/market"
)

func TestALevelWaitsForAFarMarket(t *testing.T) {
	// Ten thousand bars far above a level, one bar at it, and then below it.
	n := 12288
	times := make([]time.Time, n)
	bars := make([]market.Bar, n)
	for i := range bars {
		times[i] = time.Date(2020, 1, 1, 0, i, 0, 0, time.UTC)
		x := 200.0
		switch {
		case i < 20:
			x = 110 - math.Abs(float64(i-10)) // a swing high at bar 10
		case i == n-70:
			x = 110
		case i > n-70:
			x = 50
		}
		bars[i] = market.Bar{Time: times[i], Open: x, High: x, Low: x, Close: x, Volume: 1}
	}
	found, err := Swings(market.NewSeries("TEST", market.Minute, bars), nil)
	require.NoError(t, err)
	require.NotEmpty(t, found)
	l := found[0]
	assert.Equal(t, 110.0, l.Price)
	assert.True(t, l.Broken)
	assert.Equal(t, 2, l.Touches, "made once, visited once")
	assert.Equal(t, times[n-70], l.LastTouch)
	assert.Equal(t, 1, l.Visits)
	assert.Zero(t, l.Held, "price came from above and left below")
}

func TestFewOrFlatBars(t *testing.T) {
	empty := market.NewSeries("TEST", market.Day, nil)
	found, err := Find(empty, nil)
	require.NoError(t, err)
	assert.Empty(t, found)
	_, err = Profile(empty, nil)
	require.ErrorIs(t, err, ErrNoVolume)

	one := walk(1, 1, 1)
	found, err = Find(one, nil)
	require.NoError(t, err)
	for _, l := range found {
		assert.NotContains(t, []Kind{KindSwingHigh, KindSwingLow, KindZone, KindFibonacci}, l.Kind)
		assert.Equal(t, one.Time[0], l.Confirmed)
		assert.NotContains(t, []Kind{KindGap, KindFairValueGap, KindOrderBlock, KindLiquidity, KindTrendLine}, l.Kind)
	}
	assert.True(t, slices.ContainsFunc(found, func(l Level) bool { return l.Kind == KindPriorHigh && l.Price == one.High[0] }))

	flat := transform(walk(1, 100, 1), func(float64) float64 { return 42 })
	found, err = Find(flat, nil)
	require.NoError(t, err)
	require.NotEmpty(t, found)
	for _, l := range found {
		assert.Contains(t, append(profileKinds(), KindVWAP, KindVWAPBand, KindPivot, KindPivotResistance, KindPivotSupport, KindPriorHigh, KindPriorLow, KindPriorClose, KindRound), l.Kind, "a flat market does not turn")
		if l.Kind != KindRound {
			assert.InDelta(t, 42, l.Price, 0.5)
		}
		assert.False(t, l.Broken)
	}

	unknown := transform(walk(1, 50, 1), func(float64) float64 { return math.NaN() })
	found, err = Find(unknown, nil)
	require.NoError(t, err)
	assert.Empty(t, found)
}

func TestBadArgumentsAreNamed(t *testing.T) {
	s := walk(1, 30, 1)
	short := s
	short.Volume = s.Volume[:29]
	back := walk(1, 30, 1)
	back.Time[7] = back.Time[6]
	nameless := s
	nameless.Interval = ""
	monthly := s
	monthly.Interval = market.Month
	for _, test := range []struct {
		field string
		s     market.Series
		opts  Options
	}{
		{"series.Volume", short, Options{}},
		{"series.Time", back, Options{}},
		{"series.Interval", nameless, Options{}},
		{"kinds", s, Options{Kinds: []Kind{"magic"}}},
		{"left", s, Options{Swing: SwingOptions{Left: -1}}},
		{"right", s, Options{Swing: SwingOptions{Right: 1 << 40}}},
		{"ties", s, Options{Swing: SwingOptions{Ties: "maybe"}}},
		{"zone.width", s, Options{Zone: ZoneOptions{Width: math.NaN()}}},
		{"zone.minSwings", s, Options{Zone: ZoneOptions{MinSwings: -2}}},
		{"zone.atr", s, Options{Zone: ZoneOptions{ATR: -2}}},
		{"zone.window", s, Options{Zone: ZoneOptions{Window: -2}}},
		{"touch.tolerance", s, Options{Touch: TouchOptions{Tolerance: math.NaN()}}},
		{"touch.atr", s, Options{Touch: TouchOptions{ATR: -1}}},
		{"fibonacci.ratio", s, Options{Fibonacci: FibonacciOptions{Retracements: []float64{-0.5}}}},
		{"profile.tick", s, Options{Profile: ProfileOptions{Tick: -0.01}}},
		{"profile.valueArea", s, Options{Profile: ProfileOptions{ValueArea: 1.5}}},
		{"profile.spread", s, Options{Profile: ProfileOptions{Spread: "thin"}}},
		{"profile.nodeWidth", s, Options{Profile: ProfileOptions{NodeWidth: -1}}},
		{"method", s, Options{Swing: SwingOptions{Method: "astrology"}}},
		{"reversal", s, Options{Swing: SwingOptions{Method: SwingPercent, Reversal: 100}}},
		{"reversal", s, Options{Structure: StructureOptions{Swing: SwingOptions{Method: SwingATR, Reversal: -1}}}},
		{"window", s, Options{Trend: TrendOptions{Swing: SwingOptions{Method: SwingSigma, Window: 1}}}},
		{"limit", s, Options{Limit: -1}},
		{"lookback", s, Options{Lookback: 1 << 40}},
		{"fibonacci.legs", s, Options{Fibonacci: FibonacciOptions{Legs: 101}}},
		{"fibonacci.width", s, Options{Fibonacci: FibonacciOptions{Width: -1}}},
		{"profile.scopes", s, Options{Profile: ProfileOptions{Scopes: []ProfileScope{"cosmic"}}}},
		{"profile.sessions", s, Options{Profile: ProfileOptions{Sessions: -1}}},
		{"tpo.tick", s, Options{TPO: TPOOptions{Tick: -1}}},
		{"tpo.bracket", s, Options{TPO: TPOOptions{Bracket: time.Millisecond}}},
		{"tpo.valueArea", s, Options{TPO: TPOOptions{ValueArea: 2}}},
		{"tpo.byVolume", s, Options{TPO: TPOOptions{ByVolume: true}}},
		{"vwap.bands", s, Options{VWAP: VWAPOptions{Bands: 11}}},
		{"vwap.periods", s, Options{VWAP: VWAPOptions{Periods: []Period{"age"}}}},
		{"opening.minutes", s, Options{Opening: OpeningOptions{Minutes: []int{0}}}},
		{"gap.measure", s, Options{Gap: GapOptions{Measure: "feeling"}}},
		{"gap.minATR", s, Options{Gap: GapOptions{MinATR: -1}}},
		{"imbalance.minATR", s, Options{Imbalance: FairValueGapOptions{MinATR: math.NaN()}}},
		{"structure.window", s, Options{Structure: StructureOptions{Window: -1}}},
		{"liquidity.width", s, Options{Liquidity: LiquidityOptions{Width: -1}}},
		{"liquidity.minSwings", s, Options{Liquidity: LiquidityOptions{MinSwings: -1}}},
		{"liquidity.window", s, Options{Liquidity: LiquidityOptions{Window: -1}}},
		{"round.step", s, Options{Round: RoundOptions{Step: -1}}},
		{"round.count", s, Options{Round: RoundOptions{Count: -1}}},
		{"trend.swings", s, Options{Trend: TrendOptions{Swings: -1}}},
		{"pivotMethod", s, Options{PivotMethod: "tarot"}},
		{"period", s, Options{PriorPeriods: []Period{"age"}}},
		{"period", monthly, Options{PivotPeriods: []Period{PeriodWeek}}},
	} {
		_, err := Find(test.s, &test.opts)
		var field *FieldError
		if assert.ErrorAs(t, err, &field, test.field) {
			assert.Equal(t, test.field, field.Field)
			assert.NotEmpty(t, field.Allowed)
		}
	}
}

func TestBarsWithoutVolumeHaveNoProfile(t *testing.T) {
	s := walk(1, 30, 1)
	for i := range s.Volume {
		s.Volume[i] = []float64{0, math.NaN(), -1}[i%3]
	}
	_, err := Profile(s, nil)
	require.ErrorIs(t, err, ErrNoVolume)
	_, err = Find(s, &Options{Kinds: []Kind{KindPOC}})
	require.ErrorIs(t, err, ErrNoVolume)
	found, err := Find(s, nil)
	require.NoError(t, err)
	require.NotEmpty(t, found)
	assert.False(t, slices.ContainsFunc(found, func(l Level) bool { return l.Kind == KindPOC }))
}

func TestLookbackKeepsWhatIsRecent(t *testing.T) {
	s := walk(5, 800, 0.5)
	all, err := Find(s, &Options{Lookback: -1, Kinds: []Kind{KindSwingHigh, KindSwingLow, KindZone}})
	require.NoError(t, err)
	some, err := Find(s, &Options{Lookback: 100, Kinds: []Kind{KindSwingHigh, KindSwingLow, KindZone}})
	require.NoError(t, err)
	var want []Level
	oldest := s.Time[700]
	for _, l := range all {
		if !l.Born.Before(oldest) || !l.Broken && !l.LastTouch.Before(oldest) {
			want = append(want, l)
		}
	}
	assert.Equal(t, want, some)
	assert.Less(t, len(some), len(all))

	unbroken, err := Find(s, &Options{Lookback: 100, Unbroken: true})
	require.NoError(t, err)
	require.NotEmpty(t, unbroken)
	for _, l := range unbroken {
		assert.False(t, l.Broken)
	}
}

func TestAroundSplitsByPrice(t *testing.T) {
	at := func(low, high float64) Level { return Level{Price: (low + high) / 2, Low: low, High: high} }
	below, above := Around([]Level{at(90, 90), at(95, 97), at(99, 101), at(102, 104), at(120, 120)}, 100, 0)
	assert.Equal(t, []Level{at(95, 97), at(90, 90)}, below)
	assert.Equal(t, []Level{at(102, 104), at(120, 120)}, above)
	_, above = Around([]Level{at(102, 104), at(120, 120)}, 100, 1)
	assert.Equal(t, []Level{at(102, 104)}, above)
	assert.Equal(t, -3.0, at(95, 97).Distance(100))
	assert.Equal(t, 2.0, at(102, 104).Distance(100))
	assert.Zero(t, at(99, 101).Distance(100))
	assert.True(t, at(99, 101).Contains(101))
}

func TestTrueRangesEqualTheATRIndicator(t *testing.T) {
	s := walk(2, 200, 0.5)
	atr := newTrueRange(14)
	for i := range s.Time {
		atr.update(s.High[i], s.Low[i], s.Close[i])
		if i == 0 {
			assert.Equal(t, s.High[0]-s.Low[0], atr.mean, "there is a value from the first bar on")
		}
	}
	want := indicators.ATR(nil, s.High, s.Low, s.Close, 14)
	// The seeds differ by one bar; Wilder's average forgets that by 13/14 a bar.
	assert.InEpsilon(t, want[199], atr.mean, 1e-5)
}

// The kinds whose rules have no unit of price and favour no direction.
func unitless() []Kind {
	return []Kind{
		KindSwingHigh, KindSwingLow, KindZone, KindPriorHigh, KindPriorLow, KindPriorClose, KindOvernightHigh, KindOvernightLow,
		KindOpeningRangeHigh, KindOpeningRangeLow, KindInitialBalanceHigh, KindInitialBalanceLow,
		KindGap, KindFairValueGap, KindBreakOfStructure, KindChangeOfCharacter, KindOrderBlock, KindLiquidity,
	}
}

func TestScalingPricesScalesLevels(t *testing.T) {
	for _, s := range []market.Series{walk(3, 300, 0.25), halfHours(7, 30)} {
		opts := *everyKind(-1)
		// A power of two does not round; round numbers are those of a price scale.
		opts.Kinds = slices.DeleteFunc(Kinds(), func(k Kind) bool { return k == KindRound })
		opts.Profile.Tick, opts.TPO.Tick = 0.5, 0.5
		want, err := Find(s, &opts)
		require.NoError(t, err)
		opts.Profile.Tick, opts.TPO.Tick = 2, 2
		got, err := Find(transform(s, func(x float64) float64 { return 4 * x }), &opts)
		require.NoError(t, err)
		require.Len(t, got, len(want))
		for i := range want {
			w, g := want[i], got[i]
			w.Price, w.Low, w.High, w.Slope = 4*w.Price, 4*w.Low, 4*w.High, 4*w.Slope
			w.Source, g.Source = "", ""
			require.Equal(t, w, g)
		}
	}
}

func TestShiftingPricesShiftsLevels(t *testing.T) {
	for _, s := range []market.Series{walk(4, 300, 0.25), halfHours(8, 30)} {
		opts := *everyKind(-1)
		opts.Kinds = append(unitless(), profileKinds()...)
		opts.Profile.Tick = 0.5
		want, err := Find(s, &opts)
		require.NoError(t, err)
		got, err := Find(transform(s, func(x float64) float64 { return x + 128 }), &opts)
		require.NoError(t, err)
		require.Len(t, got, len(want))
		for i := range want {
			w, g := want[i], got[i]
			require.InDelta(t, w.Price+128, g.Price, 1e-9)
			w.Price, w.Low, w.High = g.Price, w.Low+128, w.High+128
			w.Source, g.Source = "", ""
			require.Equal(t, w, g)
		}
	}
}

// Seen in a mirror, highs are lows and the rest stays. Prices are quarters and
// the mirror is a power of two, so that nothing rounds.
func TestMirroringPricesMirrorsLevels(t *testing.T) {
	swap := map[Kind]Kind{
		KindSwingHigh: KindSwingLow, KindPriorHigh: KindPriorLow, KindOvernightHigh: KindOvernightLow, KindOpeningRangeHigh: KindOpeningRangeLow,
		KindInitialBalanceHigh: KindInitialBalanceLow,
	}
	for k, v := range swap {
		swap[v] = k
	}
	seen := map[Kind]int{}
	for _, method := range []SwingMethod{SwingFractal, SwingATR, SwingSigma} {
		opts := &Options{Lookback: -1, Kinds: unitless(), Swing: SwingOptions{Method: method}}
		for seed := range uint64(6) {
			s := walk(seed, 300, 0.25)
			if seed%2 == 1 {
				s = halfHours(seed, 25)
			}
			want, err := Find(s, opts)
			require.NoError(t, err)
			got, err := Find(transform(s, func(x float64) float64 { return 512 - x }), opts)
			require.NoError(t, err)
			require.Len(t, got, len(want))
			for i := range got {
				g := &got[i]
				g.Price, g.Low, g.High, g.Side = 512-g.Price, 512-g.High, 512-g.Low, -g.Side
				if k, ok := swap[g.Kind]; ok {
					g.Kind = k
				}
			}
			key := func(l Level) Level {
				l.Source = ""
				l.Price = math.Round(l.Price*1e6) / 1e6
				return l
			}
			remaining := map[Level]int{}
			for _, w := range want {
				remaining[key(w)]++
				seen[w.Kind]++
			}
			for _, g := range got {
				remaining[key(g)]--
				require.GreaterOrEqual(t, remaining[key(g)], 0, "%s seed %d: %+v", method, seed, g)
			}
		}
	}
	for _, k := range unitless() {
		assert.NotZero(t, seen[k], k)
	}
}

// A split of 2 for 1 in the middle leaves the levels of the adjusted bars as
// they are without it.
func TestSplitsAreHandledByAdjustment(t *testing.T) {
	s := walk(6, 300, 0.25)
	traded := make([]market.Bar, s.Len())
	for i := range traded {
		traded[i] = s.Bar(i)
		if i < 150 { // before the split prices were twice as high
			b := &traded[i]
			b.Open, b.High, b.Low, b.Close, b.Volume = 2*b.Open, 2*b.High, 2*b.Low, 2*b.Close, b.Volume/2
		}
	}
	split := market.Event{Symbol: "TEST", Kind: market.Split, Date: market.DateOf(s.Time[150]), Value: 2}
	adjusted, err := market.AdjustBars(traded, []market.Event{split}, market.ForSplits)
	require.NoError(t, err)
	want, err := Find(s, nil)
	require.NoError(t, err)
	got, err := Find(market.NewSeries("TEST", market.Day, adjusted), nil)
	require.NoError(t, err)
	assert.Equal(t, want, got)
	raw, err := Find(market.NewSeries("TEST", market.Day, traded), &Options{Kinds: []Kind{KindGap}})
	require.NoError(t, err)
	assert.True(t, slices.ContainsFunc(raw, func(l Level) bool { return l.High-l.Low > 30 }), "without adjustment a split is a gap")
}

func TestTheLimitDropsTheOldest(t *testing.T) {
	s := walk(5, 800, 0.5)
	kinds := []Kind{KindSwingHigh, KindSwingLow}
	all, err := Find(s, &Options{Lookback: -1, Kinds: kinds})
	require.NoError(t, err)
	few, err := Find(s, &Options{Lookback: -1, Kinds: kinds, Limit: 20})
	require.NoError(t, err)
	require.Len(t, few, 20)
	slices.SortStableFunc(all, func(a, b Level) int { return a.Confirmed.Compare(b.Confirmed) })
	newest := all[len(all)-20:]
	sortByPrice(newest)
	assert.Equal(t, newest, few)
}

// Memory does not grow with the bars.
func TestTheEngineForgets(t *testing.T) {
	e, err := NewEngine(&Options{Interval: market.Minute})
	require.NoError(t, err)
	bars := minutes(15_000)
	for i := range bars {
		require.NoError(t, e.Update(bars[i]))
	}
	assert.Less(t, len(e.bars.s.Time), 2*(mostPages+512))
	assert.Less(t, len(e.book.records), 2000)
	assert.LessOrEqual(t, len(e.book.pages.all), mostPages)
	for _, w := range []*lookout{&e.book.ends.below, &e.book.ends.above, &e.book.ends.touchBelow, &e.book.ends.touchAbove} {
		assert.Less(t, w.n, 2000)
	}
}

func FuzzFind(f *testing.F) {
	f.Add([]byte("a few bytes become bars"), uint8(3), uint8(2))
	f.Add([]byte{0, 255, 0, 255, 1, 254, 7, 7, 7, 7, 200, 1, 2, 3}, uint8(1), uint8(1))
	f.Fuzz(func(t *testing.T, data []byte, left, right uint8) {
		special := []float64{math.NaN(), math.Inf(1), math.Inf(-1), 0, -1, 1e300, 1e-300}
		value := func(b byte) float64 {
			if int(b) < len(special) {
				return special[b]
			}
			return float64(b)
		}
		var bars []market.Bar
		for i := 0; i+4 < len(data) && i < 500; i += 5 {
			bars = append(bars, market.Bar{
				Time: time.Date(2024, 1, 1, 0, 7*i, 0, 0, time.UTC), Open: value(data[i]), High: value(data[i+1]), Low: value(data[i+2]), Close: value(data[i+3]), Volume: value(data[i+4]),
			})
		}
		s := market.NewSeries("BTC/USD", market.Minute, bars)
		methods := []SwingMethod{SwingFractal, SwingPercent, SwingATR, SwingSigma}
		swing := SwingOptions{Left: int(left), Right: int(right), Method: methods[int(left+right)%4]}
		if right%3 == 0 {
			s.Symbol = "SPY" // with sessions
		}
		opts := *everyKind([]int{0, 10, -1}[int(left)%3])
		opts.Swing = swing
		found, err := Find(s, &opts)
		var field *FieldError
		if err != nil && !errors.As(err, &field) {
			t.Fatal(err)
		}
		for _, l := range found {
			if math.IsNaN(l.Price) || l.Low > l.Price || l.Price > l.High || l.Confirmed.Before(l.Born) || l.Confirmed.After(s.Time[s.Len()-1]) || !(l.Filled >= 0 && l.Filled <= 1) || !(l.Strength > 0 && l.Strength < 1) {
				t.Fatalf("%+v", l)
			}
		}
	})
}
