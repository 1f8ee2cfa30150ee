package tasty_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/internal/sharedtest"
	"github.com/ttai-go/ttai/market"
)

// sameBars compares what the adapter returns with the bars of a file that were
// complete at the clock's time.
func sameBars(t *testing.T, r *rig, symbol market.Symbol, file []market.Bar) {
	t.Helper()
	got, err := r.Bars(t.Context(), market.BarsRequest{Symbol: symbol, Interval: market.Day, From: file[0].Time})
	require.NoError(t, err)
	got = market.NYSE().Complete(got, market.Day, r.clock.Now())
	want := market.NYSE().Complete(file, market.Day, r.clock.Now())
	require.Greater(t, len(want), 300)
	require.Len(t, got, len(want))
	for i, b := range want {
		require.True(t, b.Time.Equal(got[i].Time), "bar %d: want %s, got %s", i, b.Time, got[i].Time)
		require.Equal(t, []float64{b.Open, b.High, b.Low, b.Close, b.Volume}, []float64{got[i].Open, got[i].High, got[i].Low, got[i].Close, got[i].Volume}, "bar %d", i)
	}
}

func TestReplayedBarsArriveUnchanged(t *testing.T) {
	loc := market.NYSE().Location()
	var bars []market.Bar
	for i, session := range market.NYSE().Sessions(market.Date{Year: 2019, Month: 1, Day: 2}, market.Date{Year: 2020, Month: 12, Day: 31}) {
		open := 100 + float64(i%37)
		bars = append(bars, market.Bar{Time: session.Date.In(loc), Open: open, High: open + 2.01, Low: open - 1.17, Close: open + 0.33, Volume: float64(1e6 + i)})
	}
	at := market.Date{Year: 2020, Month: time.June, Day: 10}.At(11, 0, loc)
	r := buildReplay(t, map[market.Symbol]*market.BarFile{"ACME": {Symbol: "ACME", Interval: market.Day, Bars: bars}}, at)
	sameBars(t, r, "ACME", bars)
	accounts, err := r.Accounts(t.Context())
	require.NoError(t, err)
	positions, err := r.Positions(t.Context(), accounts[0].ID)
	require.NoError(t, err)
	assert.NotEmpty(t, positions, "the demo account is there on any day")
}

func TestRealBarsReplayedArriveUnchanged(t *testing.T) {
	file, err := market.OpenBars(sharedtest.Path(t, "data", "daily", "yahoo_spy_2005_2021.csv.gz"), &market.CSVOptions{Symbol: "SPY", BadRows: market.SkipBadRows})
	require.NoError(t, err)
	at := market.Date{Year: 2020, Month: time.March, Day: 18}.At(14, 0, market.NYSE().Location())
	r := buildReplay(t, map[market.Symbol]*market.BarFile{"SPY": file}, at)
	sameBars(t, r, "SPY", file.Bars)
	quotes, err := r.Chain(t.Context(), market.ChainRequest{Underlying: "SPY", Strikes: 5})
	require.NoError(t, err)
	assert.NotEmpty(t, quotes, "options are made around the replayed bars")
}
