package levels

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/market"
)

func TestSwingsAndZonesEqualTheRulesBarByBar(t *testing.T) {
	compared, states := 0, map[State]int{}
	same := func(s market.Series, swing SwingOptions, zone ZoneOptions) {
		t.Helper()
		zone.Swing = swing
		swing, err := swing.resolve()
		require.NoError(t, err)
		resolved, err := zone.resolve()
		require.NoError(t, err)
		want := plainFind(s, swing, resolved, 0.1)
		got, err := Find(s, &Options{Lookback: -1, Kinds: []Kind{KindSwingHigh, KindSwingLow, KindZone}, Swing: swing, Zone: zone})
		require.NoError(t, err)
		require.Equal(t, len(want), len(got))
		for i := range want {
			want[i].Strength = got[i].Strength // has tests of its own
			require.Equal(t, want[i], got[i])
			states[got[i].State]++
		}
		compared += len(want)
	}
	for seed := range uint64(12) {
		s := walk(seed, 500, []float64{0.25, 0.5, 2}[seed%3]) // coarse steps make ties
		if seed%4 == 1 {
			s.High[40], s.Low[90], s.Close[91] = math.NaN(), math.NaN(), math.Inf(1)
			for i := 128; i < 200; i++ {
				s.Close[i] = math.NaN()
			}
		}
		if seed%4 == 2 {
			s.Close[77], s.Close[300] = s.High[77]+3, s.Low[300]-3 // faulty: outside their bars
		}
		for _, o := range []SwingOptions{{}, {Left: 1, Right: 1}, {Left: 5, Right: 2, Ties: TiesNone}, {Left: 2, Right: 5, Ties: TiesAll}, {Left: 60, Right: 80, Ties: TiesAll}} {
			same(s, o, ZoneOptions{})
		}
		same(s, SwingOptions{Left: 2, Right: 2}, ZoneOptions{Width: 2, MinSwings: 3, Window: 60})
	}
	same(spy502(t), SwingOptions{}, ZoneOptions{})
	assert.Greater(t, compared, 2000)
	for _, state := range []State{StateFresh, StateTested, StateBroken, StateFlipped, StateRetested} {
		assert.Greater(t, states[state], 20, state)
	}
}

// everyKind asks for all families with all their options in use.
func everyKind(lookback int) *Options {
	return &Options{
		Lookback: lookback, Swing: SwingOptions{Left: 3, Right: 3},
		Profile:      ProfileOptions{Scopes: []ProfileScope{ProfileRolling, ProfileSession, ProfileDeveloping, ProfileComposite}, Sessions: 3},
		VWAP:         VWAPOptions{Periods: []Period{PeriodWeek, PeriodMonth}, Anchors: []Anchor{{Name: "an event", At: time.Date(2020, 3, 2, 0, 0, 0, 0, newYork)}}},
		PivotPeriods: []Period{PeriodDay, PeriodWeek, PeriodMonth},
	}
}

// halfHours makes bars of half an hour, from 4:00 to 20:00, with holes, missing
// days, and unknown bars.
func halfHours(seed uint64, days int) market.Series {
	r := rand.New(rand.NewPCG(seed, 3))
	price := 100.0
	var bars []market.Bar
	for _, session := range market.NYSE().Sessions(market.Date{Year: 2020, Month: 2, Day: 3}, market.Date{Year: 2020, Month: 12, Day: 31})[:days] {
		if r.IntN(15) == 0 {
			continue
		}
		price += math.Round(8*r.NormFloat64()) / 4
		for at := session.PreOpen; at.Before(session.PostClose); at = at.Add(30 * time.Minute) {
			if r.IntN(12) == 0 {
				continue
			}
			b := market.Bar{Time: at, Open: price, High: price, Low: price, Volume: float64(1 + r.IntN(500))}
			for range 3 {
				price = max(20, price+math.Round(2*r.NormFloat64())/4)
				b.High, b.Low = max(b.High, price), min(b.Low, price)
			}
			b.Close = price
			if r.IntN(60) == 0 {
				b.Close = math.NaN()
			}
			bars = append(bars, b)
		}
	}
	return market.NewSeries("TEST", market.Minute30, bars)
}

// identity is what must never change after confirmation.
type identity struct {
	Kind             Kind
	Source           string
	Price, Low, High float64
	Born, Confirmed  int64
}

func identify(l Level) identity {
	return identity{l.Kind, l.Source, l.Price, l.Low, l.High, l.Born.Unix(), l.Confirmed.Unix()}
}

// follows reports whether a level follows the last bar by nature.
func follows(l Level) bool {
	rolling := slices.Contains(profileKinds(), l.Kind) && l.LastTouch.IsZero() && l.State == ""
	return l.Kind.Moves() || rolling
}

func TestLevelsAreKnownAtTheirConfirmationAndNotBefore(t *testing.T) {
	kinds := map[Kind]int{}
	for _, s := range []market.Series{walk(1, 180, 0.25), walk(2, 180, 0.25), halfHours(1, 24)} {
		// What is known after each bar.
		opts := *everyKind(-1)
		opts.Symbol, opts.Interval = s.Symbol, s.Interval
		opts.Profile.Scopes = []ProfileScope{ProfileSession, ProfileComposite} // the others follow the last bar
		if !s.Interval.Intraday() {
			opts.Profile.Scopes = []ProfileScope{ProfileRolling}
		}
		e, err := NewEngine(&opts)
		require.NoError(t, err)
		previous := map[identity]bool{}
		var found []Level
		for i := range s.Time {
			require.NoError(t, e.Update(s.Bar(i)))
			found = e.Levels(found)
			known := map[identity]bool{}
			for _, l := range found {
				if l.Confirmed.Before(l.Born) || l.Confirmed.After(s.Time[i]) || !(l.Low <= l.Price && l.Price <= l.High) {
					t.Fatalf("after bar %d: %+v", i, l)
				}
				if follows(l) {
					continue
				}
				id := identify(l)
				known[id] = true
				if !previous[id] && !l.Confirmed.Equal(s.Time[i]) {
					t.Fatalf("bar %d: not known when confirmed, or changed since: %+v", i, l)
				}
				kinds[l.Kind]++
			}
			previous = known
		}
	}
	for _, k := range Kinds() {
		if !k.Moves() && !slices.Contains(optionKinds(), k) {
			assert.NotZero(t, kinds[k], k)
		}
	}
}

func optionKinds() []Kind {
	return []Kind{KindCallWall, KindPutWall, KindZeroGamma, KindMaxPain, KindExpectedMoveHigh, KindExpectedMoveLow}
}

// With only the bars so far, the engine says what it said then.
func TestCuttingTheTailNeverChangesThePast(t *testing.T) {
	for _, s := range []market.Series{walk(3, 260, 0.25), halfHours(2, 20)} {
		for _, lookback := range []int{0, 60, -1} {
			opts := *everyKind(lookback)
			opts.Symbol, opts.Interval = s.Symbol, s.Interval
			e, err := NewEngine(&opts)
			require.NoError(t, err)
			for i := range s.Time {
				require.NoError(t, e.Update(s.Bar(i)))
				if i%37 != 0 {
					continue
				}
				batch, err := Find(s.Slice(0, i+1), &opts)
				require.NoError(t, err)
				require.Equal(t, batch, slices.Clip(e.Levels(nil)), "after bar %d", i)
			}
		}
	}
}

func TestAskingForLevelsChangesNothing(t *testing.T) {
	s := halfHours(5, 30)
	opts := *everyKind(100)
	opts.Interval = s.Interval
	asked, err := NewEngine(&opts)
	require.NoError(t, err)
	silent, err := NewEngine(&opts)
	require.NoError(t, err)
	var dst []Level
	for i := range s.Time {
		require.NoError(t, asked.Update(s.Bar(i)))
		require.NoError(t, silent.Update(s.Bar(i)))
		dst = asked.Levels(dst)
	}
	require.NotEmpty(t, dst)
	assert.Equal(t, silent.Levels(nil), dst)
}

func TestTheEngineRefusesBarsOutOfOrderAndStaysAsItWas(t *testing.T) {
	s := walk(4, 50, 1)
	e, err := NewEngine(&Options{Interval: market.Day})
	require.NoError(t, err)
	assert.Empty(t, e.Levels(nil))
	for i := range s.Time {
		require.NoError(t, e.Update(s.Bar(i)))
	}
	before := e.Levels(nil)
	var field *FieldError
	require.ErrorAs(t, e.Update(s.Bar(49)), &field)
	assert.Equal(t, "bar.Time", field.Field)
	assert.Equal(t, before, e.Levels(nil))
	assert.Equal(t, 50, e.Bars())
	_, err = NewEngine(nil)
	require.ErrorAs(t, err, &field)
	assert.Equal(t, "series.Interval", field.Field)
}
