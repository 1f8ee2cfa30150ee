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

// all asks for everything ever seen, so that the lookback hides nothing.
var everything = &Options{Lookback: -1, Swing: SwingOptions{Left: 3, Right: 3}, PivotPeriods: []Period{PeriodDay, PeriodWeek, PeriodMonth}}

// identity is what must never change after confirmation.
type identity struct {
	Kind             Kind
	Price, Low, High float64
	Born, Confirmed  int64
}

func identify(l Level) identity {
	return identity{l.Kind, l.Price, l.Low, l.High, l.Born.Unix(), l.Confirmed.Unix()}
}

func TestLevelsAreKnownAtTheirConfirmationAndNotBefore(t *testing.T) {
	for seed := range uint64(2) {
		s := walk(seed, 300, 0.25)
		full, err := Find(s, everything)
		require.NoError(t, err)
		at := func(n int) map[identity]bool {
			found, err := Find(s.Slice(0, n), everything)
			require.NoError(t, err)
			known := map[identity]bool{}
			for _, l := range found {
				known[identify(l)] = true
			}
			return known
		}
		kinds := map[Kind]int{}
		for _, l := range full {
			i := slices.IndexFunc(s.Time, l.Confirmed.Equal)
			require.GreaterOrEqual(t, i, 0)
			assert.False(t, l.Confirmed.Before(l.Born), "%+v", l)
			assert.True(t, at(i + 1)[identify(l)], "unknown when confirmed: %+v", l)
			assert.False(t, at(i)[identify(l)], "known before it was confirmed: %+v", l)
			kinds[l.Kind]++
		}
		for _, k := range []Kind{KindSwingHigh, KindSwingLow, KindZone, KindFibonacci, KindPOC, KindPriorHigh, KindPivot} {
			assert.NotZero(t, kinds[k], k)
		}
	}
}

func TestSwingsAndZonesStayWhenBarsFollow(t *testing.T) {
	s := walk(9, 400, 0.25)
	opts := &Options{Lookback: -1, Kinds: []Kind{KindSwingHigh, KindSwingLow, KindZone}}
	full, err := Find(s, opts)
	require.NoError(t, err)
	later := map[identity]bool{}
	for _, l := range full {
		later[identify(l)] = true
	}
	for n := 0; n <= s.Len(); n += 7 {
		found, err := Find(s.Slice(0, n), opts)
		require.NoError(t, err)
		for _, l := range found {
			assert.True(t, later[identify(l)], "gone after bar %d: %+v", n, l)
		}
	}
}

// The rule as the comment says it, bar by bar.
func plainSwings(v []float64, o SwingOptions) []int {
	var found []int
	for i := o.Left; i+o.Right < len(v); i++ {
		swing := true
		for j := i - o.Left; j <= i+o.Right; j++ {
			tie := v[j] == v[i] && (o.Ties == TiesNone || o.Ties == TiesFirst && j < i)
			if j != i && (math.IsNaN(v[j]) || v[j] > v[i] || tie) {
				swing = false
			}
		}
		if swing && !math.IsNaN(v[i]) {
			found = append(found, i)
		}
	}
	return found
}

func TestSwingsEqualTheRuleBarByBar(t *testing.T) {
	for seed := range uint64(40) {
		s := walk(seed, 150, 2) // many ties
		if seed%2 == 1 {
			s.High[40], s.Low[90], s.Close[91] = math.NaN(), math.NaN(), math.Inf(1)
		}
		high, low := slices.Clone(s.High), slices.Clone(s.Low)
		for i := range low {
			low[i] = -low[i]
			if !known(s, i) {
				high[i], low[i] = math.NaN(), math.NaN()
			}
		}
		for _, o := range []SwingOptions{{1, 1, TiesFirst}, {5, 2, TiesNone}, {2, 5, TiesAll}, {3, 3, TiesFirst}, {60, 80, TiesAll}} {
			found, err := Swings(s, &o)
			require.NoError(t, err)
			var highs, lows []int
			for _, l := range found {
				i := slices.IndexFunc(s.Time, l.Born.Equal)
				assert.Equal(t, s.Time[i+o.Right], l.Confirmed)
				if l.Kind == KindSwingHigh {
					assert.Equal(t, s.High[i], l.Price)
					highs = append(highs, i)
				} else {
					assert.Equal(t, s.Low[i], l.Price)
					lows = append(lows, i)
				}
			}
			require.Equal(t, plainSwings(high, o), highs, "%+v", o)
			require.Equal(t, plainSwings(low, o), lows, "%+v", o)
		}
	}
}

// The history of a level as its comment tells it, without skipping blocks.
func plainHistory(s market.Series, l Level, confirmed, home int, tolerance float64) (touches int, last time.Time, broken bool, strength float64) {
	type visit struct{ from, to int }
	place := func(i int) int {
		switch {
		case s.Low[i] > l.High+tolerance:
			return 1
		case s.High[i] < l.Low-tolerance:
			return -1
		}
		return 0
	}
	var visits []visit
	for i := confirmed; i < s.Len(); i++ {
		if !known(s, i) {
			continue
		}
		side := 0
		if s.Close[i] > l.High {
			side = 1
		} else if s.Close[i] < l.Low {
			side = -1
		}
		if home == 0 {
			home = side
		} else if side == -home {
			broken = true
		}
		if i > confirmed && place(i) == 0 {
			last = s.Time[i]
		}
	}
	// Runs of bars at the level, with the places before and after.
	before := 0
	for i := confirmed; i < s.Len(); i++ {
		if !known(s, i) {
			continue
		}
		if place(i) != 0 {
			before = place(i)
			continue
		}
		begin, after := i, 0
		for ; i < s.Len(); i++ {
			if known(s, i) && place(i) != 0 {
				after = place(i)
				break
			}
		}
		if begin > confirmed {
			visits = append(visits, visit{before, after})
		}
		before = after
	}
	held, done := 0, 0
	for _, v := range visits {
		if v.to != 0 {
			done++
			if v.to == v.from {
				held++
			}
		}
	}
	if done > 0 {
		strength = float64(held) / float64(done+1)
	}
	return len(visits), last, broken, strength
}

func TestHistoryEqualsTheRuleBarByBar(t *testing.T) {
	compared, touched, broke := 0, 0, 0
	for seed := range uint64(6) {
		s := walk(seed, 900, 0.5)
		if seed%2 == 1 {
			for i := 128; i < 200; i++ {
				s.Close[i] = math.NaN() // a whole block of unknown bars
			}
		}
		touch, err := TouchOptions{}.resolve()
		require.NoError(t, err)
		atr := trueRanges(s, touch.ATR)
		pool := swings(s, SwingOptions{5, 5, TiesFirst})
		zone, err := ZoneOptions{}.resolve()
		require.NoError(t, err)
		pool = append(pool, zones(s, zone)...)
		before := slices.Clone(pool)
		require.NoError(t, follow(s, pool, TouchOptions{}, 0))
		for i, c := range pool {
			touches, last, broken, strength := plainHistory(s, before[i].Level, c.confirmed, before[i].home, touch.Tolerance*atr[c.confirmed])
			if last.IsZero() {
				last = before[i].LastTouch
			}
			require.Equal(t, before[i].Touches+touches, c.Touches, "%+v", c)
			require.Equal(t, last, c.LastTouch)
			require.Equal(t, broken, c.Broken, "%+v", c)
			require.InDelta(t, strength, c.Strength, 1e-15)
			require.True(t, c.Strength >= 0 && c.Strength < 1)
			compared++
			touched += touches
			if broken {
				broke++
			}
		}
	}
	assert.Greater(t, compared, 300)
	assert.Greater(t, touched, 300)
	assert.Greater(t, broke, 30)
}

func TestBlocksOfTheLargestSizeAreSkippedRightly(t *testing.T) {
	// Ten thousand bars far above a level, one bar at it, and then below it.
	n := 3 * superblock
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
	assert.Zero(t, l.Strength, "price came from above and left below")
}

func TestScalingPricesScalesLevels(t *testing.T) {
	s := walk(3, 300, 0.25)
	opts := *everything
	opts.Profile.Tick = 0.5
	want, err := Find(s, &opts)
	require.NoError(t, err)
	opts.Profile.Tick = 2
	got, err := Find(transform(s, func(x float64) float64 { return 4 * x }), &opts)
	require.NoError(t, err)
	require.Len(t, got, len(want))
	for i := range want {
		w, g := want[i], got[i]
		w.Price, w.Low, w.High = 4*w.Price, 4*w.Low, 4*w.High
		w.Source, g.Source = "", ""
		assert.Equal(t, w, g)
	}
}

// Seen in a mirror, highs are lows and the rest stays. Prices are quarters and
// the mirror is a power of two, so that nothing rounds; pivots, which divide by
// three, are left out.
func TestMirroringPricesMirrorsLevels(t *testing.T) {
	swap := map[Kind]Kind{KindSwingHigh: KindSwingLow, KindSwingLow: KindSwingHigh, KindPriorHigh: KindPriorLow, KindPriorLow: KindPriorHigh}
	opts := &Options{Lookback: -1, Kinds: []Kind{KindSwingHigh, KindSwingLow, KindZone, KindPriorHigh, KindPriorLow, KindPriorClose}}
	for seed := range uint64(10) {
		s := walk(seed, 300, 0.25)
		want, err := Find(s, opts)
		require.NoError(t, err)
		got, err := Find(transform(s, func(x float64) float64 { return 512 - x }), opts)
		require.NoError(t, err)
		require.Len(t, got, len(want))
		for i := range got {
			g := &got[i]
			g.Price, g.Low, g.High = 512-g.Price, 512-g.High, 512-g.Low
			if k, ok := swap[g.Kind]; ok {
				g.Kind = k
			}
			g.Source = ""
			want[i].Source = ""
		}
		sortByPrice(got)
		for i := range got {
			assert.InDelta(t, want[i].Price, got[i].Price, 1e-9)
			got[i].Price = want[i].Price
		}
		assert.Equal(t, want, got)
	}
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
	}
	assert.True(t, slices.ContainsFunc(found, func(l Level) bool { return l.Kind == KindPriorHigh && l.Price == one.High[0] }))

	flat := transform(walk(1, 100, 1), func(float64) float64 { return 42 })
	found, err = Find(flat, nil)
	require.NoError(t, err)
	require.NotEmpty(t, found)
	for _, l := range found {
		assert.NotContains(t, []Kind{KindSwingHigh, KindSwingLow, KindZone, KindFibonacci}, l.Kind, "a flat market does not turn")
		assert.InDelta(t, 42, l.Price, 0.5)
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
		{"profile.tick", s, Options{Profile: ProfileOptions{Tick: 1e-9}}},
		{"profile.valueArea", s, Options{Profile: ProfileOptions{ValueArea: 1.5}}},
		{"profile.spread", s, Options{Profile: ProfileOptions{Spread: "thin"}}},
		{"profile.nodeWidth", s, Options{Profile: ProfileOptions{NodeWidth: -1}}},
		{"pivotMethod", s, Options{PivotMethod: "tarot"}},
		{"period", s, Options{PriorPeriods: []Period{"year"}}},
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

func TestTrueRangesEqualTheATRIndicator(t *testing.T) {
	s := walk(2, 200, 0.5)
	got := trueRanges(s, 14)
	want := indicators.ATR(nil, s.High, s.Low, s.Close, 14)
	// The seeds differ by one bar; Wilder's average forgets that by 13/14 a bar.
	assert.InEpsilon(t, want[199], got[199], 1e-5)
	assert.Equal(t, s.High[0]-s.Low[0], got[0], "there is a value from the first bar on")
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

func BenchmarkFind(b *testing.B) {
	s := walk(1, 2500, 0.25)
	for b.Loop() {
		if _, err := Find(s, nil); err != nil {
			b.Fatal(err)
		}
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
		found, err := Find(s, &Options{Swing: SwingOptions{Left: int(left), Right: int(right)}})
		var field *FieldError
		if err != nil && !errors.As(err, &field) {
			t.Fatal(err)
		}
		for _, l := range found {
			if math.IsNaN(l.Price) || l.Low > l.Price || l.Price > l.High || l.Confirmed.Before(l.Born) || l.Confirmed.After(s.Time[s.Len()-1]) || !(l.Strength >= 0 && l.Strength <= 1) {
				t.Fatalf("%+v", l)
			}
		}
	})
}
