package levels

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/internal/sharedtest"
	"github.com/ttai-go/ttai/market"
)

func TestTPOCountsBracketsAtPrices(t *testing.T) {
	at := func(minute int) time.Time { return time.Date(2024, 7, 1, 9, 30+minute, 0, 0, newYork) }
	bar := func(minute int, low, high float64) market.Bar {
		return market.Bar{Time: at(minute), Open: low, Low: low, High: high, Close: high, Volume: 1}
	}
	// Brackets of half an hour: two bars reach the same prices in the first.
	s := market.NewSeries("SPY", market.Minute15, []market.Bar{
		bar(0, 100, 102), bar(15, 100, 103), // A: 100 to 103
		bar(30, 102, 104),                    // B: 102 to 104
		bar(60, 104, 107), bar(75, 106, 107), // C: 104 to 107
		bar(90, 106, 108),  // D
		bar(120, 107, 108), // E
	})
	p, err := MarketProfile(s, &TPOOptions{Tick: 1})
	require.NoError(t, err)
	var counts []float64
	for _, r := range p.Rows {
		counts = append(counts, r.Count)
	}
	assert.Equal(t, []float64{1, 1, 2, 1, 1, 1, 2, 2}, counts, "rows from 100 to 107")
	assert.Equal(t, 5, p.Brackets)
	assert.Equal(t, 102.5, p.POC, "of equal rows the nearest to the middle of 103.5 and a half, then the lower")
	assert.Equal(t, []PriceRange{{103, 106}}, p.SinglePrints, "the rows at the low end are a tail")
	assert.True(t, p.PoorHigh, "two brackets reached the top")
	assert.False(t, p.PoorLow)
	assert.Equal(t, []float64{100, 104}, []float64{p.InitialLow, p.InitialHigh})
	assert.Equal(t, []float64{100, 102}, []float64{p.OpeningLow, p.OpeningHigh})
	assert.Equal(t, []float64{100, 108}, []float64{p.Low, p.High})
}

// minuteBars reads real minutes in New York time.
func minuteBars(t *testing.T, symbol market.Symbol, elem ...string) market.Series {
	t.Helper()
	f, err := market.OpenBars(sharedtest.Path(t, elem...), &market.CSVOptions{Interval: market.Minute})
	require.NoError(t, err)
	return market.NewSeries(symbol, market.Minute, f.Bars)
}

// On real minutes the engine's session levels are those of the functions on
// that session's bars.
func TestSessionProfilesEqualThoseOfTheSessionsBars(t *testing.T) {
	s := minuteBars(t, "SPY", "data", "intraday", "lean_spy_1min_20131004_20131011.csv.gz")
	var sessions []market.Series
	from := -1
	for i := range s.Time {
		open := market.NYSE().IsOpen(s.Time[i])
		if open && from < 0 {
			from = i
		}
		if from >= 0 && (!open || i+1 == s.Len() || market.DateOf(s.Time[i+1].In(newYork)) != market.DateOf(s.Time[i].In(newYork))) {
			to := i
			if open {
				to++
			}
			sessions = append(sessions, s.Slice(from, to))
			from = -1
		}
	}
	require.GreaterOrEqual(t, len(sessions), 5)
	kinds := append(append(profileKinds(), tpoKinds()...), KindNakedPOC)
	e, err := NewEngine(&Options{Interval: market.Minute, Kinds: kinds, Profile: ProfileOptions{Scopes: []ProfileScope{ProfileSession, ProfileComposite}, Sessions: 2}})
	require.NoError(t, err)
	i := 0
	for k, session := range sessions {
		for ; i < s.Len() && !s.Time[i].After(session.Time[session.Len()-1]); i++ {
			require.NoError(t, e.Update(s.Bar(i)))
		}
		got := map[Kind][]float64{}
		for _, l := range e.Levels(nil) {
			if l.Confirmed.Equal(session.Time[session.Len()-1]) && (l.Kind != KindPOC || len(got[KindPOC]) == 0) {
				got[l.Kind] = append(got[l.Kind], l.Price)
			}
		}
		volume, err := Profile(session, nil)
		require.NoError(t, err)
		prints, err := MarketProfile(session, nil)
		require.NoError(t, err)
		assert.Contains(t, got[KindValueAreaHigh], volume.ValueAreaHigh)
		assert.Contains(t, got[KindValueAreaLow], volume.ValueAreaLow)
		assert.Contains(t, got[KindNakedPOC], volume.POC)
		assert.Equal(t, []float64{prints.POC}, got[KindTPOPOC])
		assert.Equal(t, []float64{prints.ValueAreaHigh}, got[KindTPOValueAreaHigh])
		assert.Len(t, got[KindSinglePrint], len(prints.SinglePrints))
		if k > 0 {
			both := sessions[k-1]
			bars := make([]market.Bar, 0, both.Len()+session.Len())
			for _, part := range []market.Series{both, session} {
				for j := range part.Time {
					bars = append(bars, part.Bar(j))
				}
			}
			composite, err := Profile(market.NewSeries("SPY", market.Minute, bars), nil)
			require.NoError(t, err)
			assert.Contains(t, got[KindValueAreaHigh], composite.ValueAreaHigh)
			assert.Contains(t, got[KindValueAreaLow], composite.ValueAreaLow)
		}
	}
}

// A point of control is naked until a bar trades in its bin.
func TestPointsOfControlAreNakedUntilTradedAt(t *testing.T) {
	s := halfHours(16, 40)
	for n := 200; n <= s.Len(); n += 53 {
		found, err := Find(s.Slice(0, n), &Options{Kinds: []Kind{KindNakedPOC}, Lookback: -1})
		require.NoError(t, err)
		got := map[string]bool{}
		for _, l := range found {
			got[l.Source] = true
		}
		want := map[string]bool{}
		for _, session := range market.NYSE().Sessions(market.DateOf(s.Time[0]), market.DateOf(s.Time[n-1])) {
			from, to := -1, -1
			for i := range n {
				if known(s, i) && !s.Time[i].Before(session.Open) && s.Time[i].Before(session.Close) {
					if from < 0 {
						from = i
					}
					to = i + 1
				}
			}
			// The bar that shows the end of the session.
			over := -1
			for i := max(from, 0); i < n && from >= 0; i++ {
				if !s.Time[i].Add(30 * time.Minute).Before(session.Close) {
					over = i
					break
				}
			}
			if over < 0 {
				continue
			}
			p, err := Profile(s.Slice(from, to), nil)
			require.NoError(t, err)
			naked := true
			for i := over + 1; i < n; i++ {
				if known(s, i) && s.High[i] >= p.Bins[p.poc].Low && s.Low[i] <= p.Bins[p.poc].High {
					naked = false
				}
			}
			if naked {
				want["point of control of the session of "+session.Date.String()] = true
			}
		}
		require.Equal(t, want, got, "after %d bars", n)
	}
}

func TestEverySpreadKeepsTheVolume(t *testing.T) {
	s := walk(4, 250, 0.07)
	for _, spread := range []Spread{SpreadRange, SpreadClose, SpreadTriangle, SpreadTypical} {
		p, err := Profile(s, &ProfileOptions{Tick: 0.05, Spread: spread})
		require.NoError(t, err)
		sum := 0.0
		for _, b := range p.Bins {
			sum += b.Volume
			assert.GreaterOrEqual(t, b.Volume, 0.0)
		}
		assert.InEpsilon(t, p.Total, sum, 1e-12, spread)
	}
	// Low 10, close 12, high 14: shares 1/8, 3/8, 3/8, 1/8.
	p, err := Profile(columns([4]float64{10, 14, 12, 800}), &ProfileOptions{Tick: 1, Spread: SpreadTriangle})
	require.NoError(t, err)
	var volumes []float64
	for _, b := range p.Bins {
		volumes = append(volumes, b.Volume)
	}
	assert.InDeltaSlice(t, []float64{100, 300, 300, 100}, volumes, 1e-9)
	p, err = Profile(columns([4]float64{10, 14, 13.2, 800}), &ProfileOptions{Tick: 1, Spread: SpreadTypical})
	require.NoError(t, err)
	assert.Equal(t, 12.5, p.POC, "(10 + 14 + 13.2) / 3 lies in the bin from 12 to 13")
}

func TestTradesMakeAProfile(t *testing.T) {
	trades := []Trade{{day(3, 4), 100.02, 5}, {day(3, 4).Add(time.Second), 100.26, 20}, {day(3, 4), 100.74, 3}, {day(3, 4), math.NaN(), 9}, {day(3, 4), 100, 0}}
	p, err := ProfileOfTrades(trades, &ProfileOptions{Tick: 0.25})
	require.NoError(t, err)
	assert.Equal(t, []float64{28, 2}, []float64{p.Total, float64(p.Skipped)})
	assert.Equal(t, 100.375, p.POC)
	assert.Equal(t, day(3, 4).Add(time.Second), p.To)
	_, err = ProfileOfTrades(nil, nil)
	require.ErrorIs(t, err, ErrNoVolume)
	// A real tape: its profile is that of bars of one trade each.
	f := rows(t, "data", "ticks", "lean_ibm_20131009_trades.csv.gz")
	var tape []Trade
	var bars []market.Bar
	for i, r := range f[:5000] {
		at := day(10, 9).Add(time.Duration(i) * time.Second)
		price, size := number(t, r[1])/10_000, number(t, r[2])
		tape = append(tape, Trade{at, price, size})
		bars = append(bars, market.Bar{Time: at, Open: price, High: price, Low: price, Close: price, Volume: size})
	}
	fromTape, err := ProfileOfTrades(tape, &ProfileOptions{Tick: 0.05})
	require.NoError(t, err)
	fromBars, err := Profile(market.NewSeries("IBM", "1s", bars), &ProfileOptions{Tick: 0.05})
	require.NoError(t, err)
	assert.Equal(t, fromBars, fromTape)
	assert.True(t, slices.IsSortedFunc(fromTape.Bins, func(a, b Bin) int { return int(math.Copysign(1, a.Low-b.Low)) }))
}
