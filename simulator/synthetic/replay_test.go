package synthetic_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/internal/sharedtest"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/simulator/synthetic"
)

// replayed returns a market that replays file, and the clock that moves it.
func replayed(t testing.TB, file *market.BarFile, now time.Time) (*synthetic.Market, *market.ManualClock) {
	t.Helper()
	clock := market.NewManualClock(now)
	m, err := synthetic.New(7, &synthetic.Options{Clock: clock, Replay: map[market.Symbol]*market.BarFile{file.Symbol: file}})
	require.NoError(t, err)
	return m, clock
}

// written are n daily bars of a file: prices that no cent grid holds.
func written(symbol market.Symbol, n int) *market.BarFile {
	file := &market.BarFile{Symbol: symbol, Interval: market.Day}
	price := 121.559998
	for i, s := range market.NYSE().Sessions(date(2019, 1, 1), date(2021, 12, 31)) {
		if i == n {
			break
		}
		swing := 1 + 0.01*math.Sin(float64(i))
		shut := price * (1 + 0.008*math.Sin(float64(i)*1.7))
		file.Bars = append(file.Bars, market.Bar{Time: s.Date.In(s.Open.Location()), Open: price, Close: shut,
			High: max(price, shut) * max(1, swing), Low: min(price, shut) * min(1, swing), Volume: 1e6 + float64(i)})
		price = shut * 1.0007
	}
	return file
}

func TestReplayedBarsAreTheFilesAndNoOthers(t *testing.T) {
	file := written("QQQ", 300)
	m, clock := replayed(t, file, file.Bars[200].Time.Add(18*time.Hour))
	same(t, file.Bars[:201], daily(t, m, "QQQ"))
	clock.Set(file.Bars[299].Time.AddDate(1, 0, 0))
	same(t, file.Bars, daily(t, m, "QQQ"), "none after the last")
	clock.Set(file.Bars[0].Time.Add(-time.Hour))
	_, err := m.Bars(t.Context(), market.BarsRequest{Symbol: "QQQ", Interval: market.Day})
	assert.ErrorIs(t, err, market.ErrNoData, "none before the first")

	clock.Set(file.Bars[50].Time.Add(18 * time.Hour))
	minutes := bars(t, m, market.BarsRequest{Symbol: "QQQ", Interval: market.Minute, From: file.Bars[30].Time})
	days, err := market.Resample(minutes, market.Minute, market.Day, market.NYSE())
	require.NoError(t, err)
	same(t, file.Bars[30:51], days, "the way within a day leads through the file's prices")
	assert.Empty(t, bars(t, m, market.BarsRequest{Symbol: "QQQ", Interval: market.Minute, From: file.Bars[50].Time.Add(16 * time.Hour), Extended: true}), "the file says nothing about the evening")
}

func TestAReplayedDayUnfolds(t *testing.T) {
	file := written("ACME", 100)
	now := file.Bars[80].Time.Add(11 * time.Hour)
	m, clock := replayed(t, file, now)
	got := daily(t, m, "ACME")
	require.Len(t, got, 81)
	today, whole := got[80], file.Bars[80]
	assert.Equal(t, whole.Open, today.Open)
	assert.LessOrEqual(t, today.High, whole.High)
	assert.GreaterOrEqual(t, today.Low, whole.Low)
	assert.Less(t, today.Volume, whole.Volume)

	q, err := m.QuoteAt("ACME", now)
	require.NoError(t, err)
	assert.Equal(t, today.Close, q.Last)
	assert.Equal(t, file.Bars[79].Close, q.PrevClose)
	options, err := m.Chain(t.Context(), market.ChainRequest{Underlying: "ACME", Strikes: 3})
	require.NoError(t, err)
	assert.Equal(t, q.Last, options[0].Spot)
	metrics, err := m.Metrics(t.Context(), []market.Symbol{"ACME"})
	require.NoError(t, err)
	assert.False(t, math.IsNaN(metrics[0].HV30) || math.IsNaN(metrics[0].IVRank))
	assert.True(t, math.IsNaN(metrics[0].MarketCap) && math.IsNaN(metrics[0].DividendYield) && metrics[0].NextEarnings == nil, "a file of bars does not say")
	_, err = m.Events(t.Context(), "ACME", market.Date{}, market.Date{})
	assert.ErrorIs(t, err, market.ErrUnsupported)

	// What comes later in the file changes nothing of what is shown now.
	cut := &market.BarFile{Symbol: "ACME", Interval: market.Day, Bars: file.Bars[:81]}
	short, _ := replayed(t, cut, now)
	same(t, got, daily(t, short, "ACME"))
	again, err := short.Chain(t.Context(), market.ChainRequest{Underlying: "ACME", Strikes: 3})
	require.NoError(t, err)
	same(t, options, again)

	clock.Set(file.Bars[99].Time.AddDate(0, 1, 0))
	_, err = m.Chain(t.Context(), market.ChainRequest{Underlying: "ACME"})
	assert.ErrorIs(t, err, market.ErrNoData, "no options weeks after the last bar")
}

func TestReplayedIntradayBars(t *testing.T) {
	five := &market.BarFile{Symbol: "ACME", Interval: market.Minute5}
	made := at(t, synthetic.DefaultStart())
	five.Bars = bars(t, made, market.BarsRequest{Symbol: "GE", Interval: market.Minute5, Extended: true,
		From: newYork(date(2026, 9, 1), 0, 0), To: newYork(date(2026, 9, 12), 0, 0)})
	m, clock := replayed(t, five, newYork(date(2026, 9, 12), 0, 0))
	request := func(interval market.Interval, extended bool) []market.Bar {
		return bars(t, m, market.BarsRequest{Symbol: "ACME", Interval: interval, Extended: extended})
	}
	same(t, five.Bars, request(market.Minute5, true))
	for _, interval := range []market.Interval{market.Minute15, market.Day} {
		want, err := market.Resample(five.Bars, market.Minute5, interval, market.NYSE())
		require.NoError(t, err)
		same(t, want, request(interval, true), "%s", interval)
	}
	again, err := market.Resample(request(market.Minute, true), market.Minute, market.Minute5, market.NYSE())
	require.NoError(t, err)
	same(t, five.Bars, again, "minutes within five minutes, before and after the session too")

	clock.Set(newYork(date(2026, 9, 10), 11, 2))
	now := request(market.Minute5, false)
	last := now[len(now)-1]
	assert.Equal(t, newYork(date(2026, 9, 10), 11, 0).Unix(), last.Time.Unix())
	for _, b := range five.Bars {
		if b.Time.Equal(last.Time) {
			assert.Less(t, last.Volume, b.Volume, "the bar in progress is a part")
			assert.Equal(t, b.Open, last.Open)
		}
	}
	clock.Set(newYork(date(2026, 9, 10), 18, 0))
	q, err := m.QuoteAt("ACME", clock.Now())
	require.NoError(t, err)
	assert.True(t, q.Last > 0 && q.Volume > 0)
}

func TestReplayRefusesWhatItCannotUse(t *testing.T) {
	good := written("ACME", 3)
	change := func(f func(file *market.BarFile)) *market.BarFile {
		file := &market.BarFile{Symbol: good.Symbol, Interval: good.Interval, Bars: append([]market.Bar(nil), good.Bars...)}
		f(file)
		return file
	}
	for field, files := range map[string]map[market.Symbol]*market.BarFile{
		"replay":                {"spy": good},
		"replay[ACME]":          {"ACME": change(func(f *market.BarFile) { f.Bars = nil })},
		"replay[ABC]":           {"ABC": nil},
		"replay[ACME].interval": {"ACME": change(func(f *market.BarFile) { f.Interval = market.Week })},
		"replay[ACME].bars[1]":  {"ACME": change(func(f *market.BarFile) { f.Bars[1].High = f.Bars[1].Low / 2 })},
		"replay[ACME].bars[2]":  {"ACME": change(func(f *market.BarFile) { f.Bars[2].Time = f.Bars[1].Time })},
		"replay[ACME].bars[0]":  {"ACME": change(func(f *market.BarFile) { f.Bars[0].Close = math.NaN() })},
	} {
		_, err := synthetic.New(1, &synthetic.Options{Replay: files})
		var refused *synthetic.FieldError
		if assert.ErrorAs(t, err, &refused, field) {
			assert.Equal(t, field, refused.Field)
		}
	}
}

func TestRealBarsReplayAsTheyAre(t *testing.T) {
	path := sharedtest.Path(t, "data", "daily", "yahoo_spy_2005_2021.csv.gz")
	file, err := market.OpenBars(path, &market.CSVOptions{Symbol: "SPY"})
	require.NoError(t, err)
	m, clock := replayed(t, file, newYork(date(2021, 1, 20), 18, 0))
	got := daily(t, m, "SPY")
	same(t, file.Bars[:len(got)], got)
	assert.Equal(t, date(2021, 1, 20), market.DateOf(got[len(got)-1].Time))
	options, err := m.Chain(t.Context(), market.ChainRequest{Underlying: "SPY", Strikes: 5})
	require.NoError(t, err)
	assert.InDelta(t, got[len(got)-1].Close, options[0].Strike, 15)
	metrics, err := m.Metrics(t.Context(), []market.Symbol{"SPY", "AAPL"})
	require.NoError(t, err)
	assert.True(t, metrics[0].IVIndex > 0.08 && metrics[0].IVIndex < 0.6)
	clock.Set(newYork(date(2008, 10, 10), 18, 0))
	crisis, err := m.Metrics(t.Context(), []market.Symbol{"SPY"})
	require.NoError(t, err)
	assert.Greater(t, crisis[0].IVIndex, 0.35, "October 2008")
}
