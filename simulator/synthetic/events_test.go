package synthetic_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/simulator/synthetic"
)

func events(t testing.TB, m *synthetic.Market, s market.Symbol, kind market.EventKind) []market.Event {
	t.Helper()
	all, err := m.Events(t.Context(), s, market.Date{}, market.Date{})
	require.NoError(t, err)
	var out []market.Event
	for i, e := range all {
		if i > 0 {
			require.False(t, e.Date.Before(all[i-1].Date), "ascending")
		}
		if e.Kind == kind {
			out = append(out, e)
		}
	}
	return out
}

func TestEventsAheadAreEstimatesAndPastOnesHaveValues(t *testing.T) {
	m := at(t, synthetic.DefaultStart())
	for _, in := range m.Symbols() {
		for _, kind := range []market.EventKind{market.Earnings, market.Dividend} {
			for _, e := range events(t, m, in.Symbol, kind) {
				past := e.Date.Before(date(2026, 9, 16))
				if past {
					require.False(t, math.IsNaN(e.Value) || e.Estimated, "%v", e)
				}
				if e.Date.After(date(2026, 10, 16)) {
					require.True(t, e.Estimated && math.IsNaN(e.Value), "%v", e)
				}
				require.False(t, e.Date.After(date(2027, 9, 21)), "a year ahead at most: %v", e)
				_, open := market.NYSE().Session(e.Date)
				require.True(t, open, "%v", e)
			}
		}
	}
	assert.Empty(t, events(t, m, "SPY", market.Earnings))
	assert.Empty(t, events(t, m, "SPX", market.Dividend))
	assert.Equal(t, []market.Event{
		{Symbol: "AAPL", Kind: market.Split, Date: date(2014, 6, 9), Value: 7},
		{Symbol: "AAPL", Kind: market.Split, Date: date(2020, 8, 31), Value: 4},
	}, events(t, m, "AAPL", market.Split))
	assert.Empty(t, events(t, m, "META", market.Split), "the one of 2027 is not announced yet")
	assert.GreaterOrEqual(t, len(events(t, m, "XOM", market.Dividend)), 66, "quarterly since 2010")
}

func TestAReportIsKnownWhenItIsOut(t *testing.T) {
	m, clock := clocked(t, synthetic.DefaultStart())
	for _, e := range events(t, m, "GE", market.Earnings) {
		if !e.Estimated {
			continue
		}
		hour := 7
		if e.Timing == "after close" {
			hour = 16
		}
		value := func(now time.Time) float64 {
			clock.Set(now)
			got, err := m.Events(t.Context(), "GE", e.Date, e.Date)
			require.NoError(t, err)
			require.Len(t, got, 1)
			assert.False(t, got[0].Estimated, "confirmed by now")
			return got[0].Value
		}
		assert.True(t, math.IsNaN(value(newYork(e.Date, hour, -1))))
		assert.False(t, math.IsNaN(value(newYork(e.Date, hour, 6))))
		return
	}
	t.Fatal("no report ahead")
}

// The open after a dividend is lower by it, the open after a report moves more
// than others: both on average over many.
func TestPricesGapOnDividendsAndEarnings(t *testing.T) {
	m := at(t, newYork(date(2030, 12, 1), 12, 0))
	var drop, paid, nights, reports []float64
	for _, symbol := range []market.Symbol{"T", "VZ", "PFE", "KO", "UPS", "XOM", "F", "NEE"} {
		days := daily(t, m, symbol)
		index := map[market.Date]int{}
		for i, b := range days {
			index[market.DateOf(b.Time)] = i
		}
		gap := func(i int) float64 { return math.Log(days[i].Open / days[i-1].Close) }
		for i := 1; i < len(days); i++ {
			nights = append(nights, math.Abs(gap(i)))
		}
		for _, e := range events(t, m, symbol, market.Dividend) {
			if i := index[e.Date]; i > 0 && !math.IsNaN(e.Value) {
				drop = append(drop, gap(i))
				paid = append(paid, math.Log1p(-e.Value/days[i-1].Close))
			}
		}
		for _, e := range events(t, m, symbol, market.Earnings) {
			i := index[e.Date]
			if e.Timing == "after close" {
				i++
			}
			if i > 0 && i < len(days) {
				reports = append(reports, math.Abs(gap(i)))
			}
		}
	}
	require.Greater(t, len(drop), 500)
	deviation := math.Sqrt(moment(drop, 2) / float64(len(drop)))
	assert.InDelta(t, mean(paid), mean(drop), 3*deviation, "three standard errors")
	assert.Less(t, mean(drop), -0.006, "these shares pay three to eight per cent a year in four parts")
	assert.Greater(t, mean(reports), 3*mean(nights))
}

func TestMetricsAgreeWithTheBars(t *testing.T) {
	m := at(t, newYork(date(2026, 9, 15), 18, 0))
	got, err := m.Metrics(t.Context(), []market.Symbol{"SPY", "JPM", "SPX"})
	require.NoError(t, err)
	r := returns(daily(t, m, "JPM"))
	last := r[len(r)-30:]
	sample := math.Sqrt(moment(last, 2) * 30 / 29 * 252)
	assert.InDelta(t, sample, got[1].HV30, 1e-12)
	assert.InDelta(t, 1, got[0].Beta, 1e-9, "SPY against itself")
	assert.InDelta(t, 1, got[0].Correlation, 1e-9)
	assert.InDelta(t, 1, got[2].Beta, 0.05)
	assert.Greater(t, got[1].Beta, 0.5)
	for _, x := range got {
		assert.True(t, x.IVRank >= 0 && x.IVRank <= 1 && x.IVPercentile >= 0 && x.IVPercentile <= 1)
		assert.True(t, x.IVIndex > 0.05 && x.IVIndex < 1)
		require.NotEmpty(t, x.Term)
	}
	jpm := got[1]
	price := daily(t, m, "JPM")
	assert.InDelta(t, price[len(price)-1].Close, jpm.PriceEarnings*jpm.EarningsPerShare, 1e-9)
	assert.InDelta(t, 2750e6*309, jpm.MarketCap, 1, "shares and price of the anchor day")
	dividends := events(t, m, "JPM", market.Dividend)
	sum, n := 0.0, 0
	for i := len(dividends) - 1; i >= 0 && n < 4; i-- {
		if !dividends[i].Date.After(date(2026, 9, 15)) {
			sum += dividends[i].Value
			n++
		}
	}
	assert.InDelta(t, sum/309, jpm.DividendYield, 1e-12)
	assert.True(t, jpm.NextDividend.Date.After(date(2026, 9, 15)))
	assert.True(t, math.IsNaN(got[0].EarningsPerShare), "a fund does not earn")
	assert.Nil(t, got[0].NextEarnings)
}
