package levels

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/market"
)

// More bars than the engine writes down before it reads them up, with unknown
// ones where it does so first.
func longSeries() market.Series {
	s := market.NewSeries("TEST", market.Minute, minutes(2*mostPages+900))
	for i := mostPages - 6; i < mostPages+7; i++ {
		s.Close[i] = math.NaN()
	}
	s.High[2*mostPages+1] = math.Inf(1)
	return s
}

func TestLevelsOfManyBarsEqualTheRulesBarByBar(t *testing.T) {
	s := longSeries()
	swing, err := SwingOptions{}.resolve()
	require.NoError(t, err)
	zone, err := ZoneOptions{Swing: swing}.resolve()
	require.NoError(t, err)
	for _, n := range []int{mostPages, mostPages + 1, mostPages + 2, mostPages + 300, s.Len()} {
		part := s.Slice(0, n)
		part.Symbol, part.Interval = s.Symbol, s.Interval
		want := plainFind(part, swing, zone, 0.1)
		got, err := Find(part, &Options{Lookback: -1, Kinds: []Kind{KindSwingHigh, KindSwingLow, KindZone}, Swing: swing, Zone: zone})
		require.NoError(t, err)
		require.Equal(t, len(want), len(got))
		for i := range want {
			want[i].Strength = got[i].Strength
			require.Equal(t, want[i], got[i], "%d bars", n)
		}
		assert.Greater(t, len(want), 500)
	}
}

// Whenever and however often someone asks, the answer is the same: also around
// the bars at which the engine reads up and forgets, for levels that bars
// confirmed that are not known, and for those added from outside.
func TestManyBarsReadUpAtAnyTimeTellTheSame(t *testing.T) {
	s := longSeries()
	for _, opts := range []Options{
		{Lookback: 250},
		{Lookback: -1, Kinds: []Kind{KindSwingHigh, KindZone, KindFairValueGap, KindOrderBlock, KindLiquidity, KindNakedPOC, KindTrendLine}},
		{Lookback: 90, Limit: 25, Touch: TouchOptions{Tolerance: 1}},
	} {
		opts.Interval = s.Interval
		silent, err := NewEngine(&opts)
		require.NoError(t, err)
		asked, err := NewEngine(&opts)
		require.NoError(t, err)
		var found []Level
		for i := range s.Time {
			for _, e := range []*Engine{silent, asked} {
				require.NoError(t, e.Update(s.Bar(i)))
				if i == mostPages-2 || i == 2*mostPages {
					x := s.Open[i]
					require.NoError(t, e.Add("outside", []Level{{Price: x, Low: x, High: x + 1, Kind: KindMaxPain, Source: "added"}, {Price: x - 1, Low: x - 1, High: x - 1, Kind: KindPutWall, Side: -1}}))
				}
			}
			if i%97 == 0 || i%mostPages < 4 && i > 4 || i%mostPages > mostPages-4 {
				found = asked.Levels(found)
			}
			if i%3001 == 3000 || i == mostPages+20 {
				require.Equal(t, silent.Levels(nil), asked.Levels(nil), "bar %d", i)
			}
		}
		require.NotEmpty(t, found)
		require.Equal(t, silent.Levels(nil), asked.Levels(nil))
	}
}

func TestBarsThatAreNotKnownTakeNoRoom(t *testing.T) {
	e, err := NewEngine(&Options{Interval: market.Minute, AllHours: true, Profile: ProfileOptions{Scopes: []ProfileScope{}}})
	require.NoError(t, err)
	at := time.Date(2024, 1, 2, 0, 0, 0, 0, time.UTC)
	for i := range 6 * mostPages {
		x := 100 + math.Sin(float64(i))
		if i > 50 {
			x = math.NaN()
		}
		require.NoError(t, e.Update(market.Bar{Time: at.Add(time.Duration(i) * time.Minute), Open: x, High: x, Low: x, Close: x}))
	}
	assert.LessOrEqual(t, len(e.bars.s.Time), 4*mostPages)
	assert.LessOrEqual(t, len(e.book.pages.all), 51)
}

// The look far ahead finds the bar that a look at every bar finds.
func TestLookingAheadSkipsNoBar(t *testing.T) {
	bars := minutes(3000)
	var p pages
	for i := range bars {
		p.add(i, bars[i].Low, bars[i].High, bars[i].Close)
		if i == 1500 {
			p.bind() // the rest follows later
		}
	}
	for round := range 2 {
		for _, from := range []int{0, 1, 7, 8, 63, 64, 500, 512, 1499, 2047, 2990, 2999} {
			for step := range 80 {
				price := bars[from].Close * (1 + 0.001*float64(step-40))
				down, up := from, from
				for down < len(bars) && !(bars[down].Low <= price) {
					down++
				}
				for up < len(bars) && !(bars[up].High >= price) {
					up++
				}
				require.Equal(t, down, p.reachesDown(from, price))
				require.Equal(t, up, p.reachesUp(from, price))
			}
			x := p.since(from)
			for _, b := range bars[from:] {
				require.True(t, x.low <= b.Low && x.high >= b.High)
			}
		}
		if round == 0 {
			p.bind()
		}
	}
}
