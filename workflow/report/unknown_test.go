package report_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/workflow/report"
)

// held is a reporter over a made-up account.
func held(t *testing.T, b *book) (*report.Reporter, *market.ManualClock, *source) {
	t.Helper()
	clock := market.NewManualClock(newYork(t, "2026-03-03 16:15"))
	s := &source{quotes: map[market.Symbol]market.Quote{}}
	r, err := report.New(newTenant(t), b, s, &report.Options{Clock: clock})
	require.NoError(t, err)
	return r, clock, s
}

func shares(symbol market.Symbol, quantity, mark, average string) broker.Position {
	p := broker.Position{
		Account: account, Symbol: symbol, Underlying: symbol, Kind: market.KindEquity, Quantity: *dec(quantity), Multiplier: decimal.NewFromInt(1),
	}
	if mark != "" {
		p.Mark = dec(mark)
	}
	if average != "" {
		p.AverageOpenPrice = dec(average)
	}
	return p
}

func TestWhatHasNoPriceIsNotKnownAndNeverZero(t *testing.T) {
	b := &book{positions: []broker.Position{shares("SPY", "10", "500", "490"), shares("XYZ", "5", "20", "19")}}
	r, clock, _ := held(t, b)
	_, err := r.Daily(t.Context(), account)
	require.NoError(t, err)
	clock.Set(newYork(t, "2026-03-04 16:15"))
	b.positions = []broker.Position{shares("SPY", "10", "501", "490"), shares("XYZ", "5", "", "19")}
	d, err := r.Daily(t.Context(), account)
	require.NoError(t, err)
	assert.Nil(t, d.NetLiquidating)
	assert.Nil(t, d.Change.Total)
	assert.Nil(t, d.Change.After)
	assert.Equal(t, "10", line(t, d.Change.ByUnderlying, "SPY").Total.String(), "the rest is known")
	assert.Nil(t, line(t, d.Change.ByUnderlying, "XYZ").Total)
	assert.Equal(t, []market.Symbol{"XYZ"}, d.Change.Unpriced)
	assert.Nil(t, line(t, d.Change.ByStrategy, "").Total)
	text := strings.Join(d.Notes, "\n")
	assert.Contains(t, text, "No price now: XYZ")
	data, err := report.Render(d, report.JSON)
	require.NoError(t, err)
	assert.Contains(t, string(data), `"net_liquidating": null`)
	page, err := report.Render(d, report.Markdown)
	require.NoError(t, err)
	assert.Contains(t, string(page), "- Profit: **–**")
}

func TestWhatHasNoOpeningPriceHasNoRealizedProfitButATotal(t *testing.T) {
	b := &book{positions: []broker.Position{shares("SPY", "10", "500", "")}}
	r, clock, _ := held(t, b)
	_, err := r.Daily(t.Context(), account)
	require.NoError(t, err)
	clock.Set(newYork(t, "2026-03-04 16:15"))
	b.positions[0].Mark = dec("503")
	d, err := r.Daily(t.Context(), account)
	require.NoError(t, err)
	assert.Equal(t, "30", d.Change.Total.String())
	assert.Nil(t, d.Change.Realized)
	assert.Nil(t, d.Change.Unrealized)
	assert.Equal(t, "30", d.Change.Explained.Delta.String())
}

func TestCashThatTheBrokerDoesNotSayIsNotKnown(t *testing.T) {
	b := &book{unknownCash: true, positions: []broker.Position{shares("SPY", "10", "500", "490")}}
	r, clock, _ := held(t, b)
	_, err := r.Daily(t.Context(), account)
	require.NoError(t, err)
	clock.Set(newYork(t, "2026-03-04 16:15"))
	d, err := r.Daily(t.Context(), account)
	require.NoError(t, err)
	assert.Nil(t, d.Change.Total)
	assert.Nil(t, d.NetLiquidating)
	assert.Contains(t, strings.Join(d.Notes, "\n"), "does not say the account's cash")
}

func TestAnOptionWithoutGreeksIsInTheRestAndNamed(t *testing.T) {
	option := broker.Position{
		Account: account, Symbol: "SPY   260417C00500000", Underlying: "SPY", Kind: market.KindOption, Quantity: *dec("2"), Multiplier: decimal.NewFromInt(100),
		Mark: dec("12"), AverageOpenPrice: dec("10"),
	}
	b := &book{positions: []broker.Position{option}}
	r, clock, s := held(t, b)
	first, err := r.Daily(t.Context(), account) // the source has no quote of SPY
	require.NoError(t, err)
	assert.False(t, first.Greeks.Theta.Known())
	clock.Set(newYork(t, "2026-03-04 16:15"))
	s.quotes["SPY"] = quoteAt("SPY", 502, math.NaN())
	b.positions[0].Mark = dec("13.5")
	d, err := r.Daily(t.Context(), account)
	require.NoError(t, err)
	adds(t, d.Change)
	assert.Equal(t, "300", d.Change.Explained.Unexplained.String())
	assert.Equal(t, []market.Symbol{"SPY   260417C00500000"}, d.Change.Unmeasured)
	assert.True(t, d.Greeks.Theta.Known())
	assert.Contains(t, strings.Join(d.Notes, "\n"), "No Greeks: SPY 2026-04-17 500 call")
}

func TestADeepOptionAtItsExerciseValueMovesLikeTheShares(t *testing.T) {
	b := &book{positions: []broker.Position{{
		Account: account, Symbol: "SPY   260417P00600000", Underlying: "SPY", Kind: market.KindOption, Quantity: *dec("-1"), Multiplier: decimal.NewFromInt(100),
		Mark: dec("100"), AverageOpenPrice: dec("99"),
	}}}
	r, _, s := held(t, b)
	s.quotes["SPY"] = quoteAt("SPY", 500, math.NaN())
	d, err := r.Daily(t.Context(), account)
	require.NoError(t, err)
	assert.InDelta(t, 100, float64(d.Positions[0].Delta), 0.01, "short a put")
	assert.InDelta(t, 0, float64(d.Positions[0].Vega), 0.01)
}

func TestTransactionsThatTheBrokerListsLateAreCountedOnce(t *testing.T) {
	b := &book{positions: []broker.Position{shares("SPY", "10", "500", "490")}, cash: dec("1000")}
	r, clock, _ := held(t, b)
	fee := broker.Transaction{ID: "1", Account: account, Time: clock.Now().Add(-10 * time.Minute), Kind: broker.FeeCharge, Amount: *dec("-1")}
	b.transactions = []broker.Transaction{fee}
	_, err := r.Daily(t.Context(), account)
	require.NoError(t, err)
	// One of before the snapshot is listed after it, and its money comes then.
	late := broker.Transaction{ID: "2", Account: account, Time: clock.Now().Add(-5 * time.Minute), Kind: broker.FeeCharge, Amount: *dec("-2")}
	b.transactions = append(b.transactions, late)
	b.cash = dec("998")
	clock.Set(newYork(t, "2026-03-04 16:15"))
	d, err := r.Daily(t.Context(), account)
	require.NoError(t, err)
	adds(t, d.Change)
	assert.Equal(t, "-2", d.Change.Fees.String())
	assert.True(t, d.Change.Unbooked.IsZero())
	// Money without a transaction is said.
	b.cash = dec("990")
	clock.Set(newYork(t, "2026-03-05 16:15"))
	d, err = r.Daily(t.Context(), account)
	require.NoError(t, err)
	adds(t, d.Change)
	assert.Equal(t, "-8", d.Change.Unbooked.String())
	assert.Contains(t, strings.Join(d.Notes, "\n"), "Cash changed by -8.00 more than")
}

func TestTheBrokersOwnValueIsSaidWhenItDiffers(t *testing.T) {
	b := &book{positions: []broker.Position{shares("SPY", "10", "500", "490")}, cash: dec("1000"), net: dec("6100")}
	r, _, _ := held(t, b)
	d, err := r.Daily(t.Context(), account)
	require.NoError(t, err)
	assert.Equal(t, "6000", d.NetLiquidating.String())
	assert.Contains(t, strings.Join(d.Notes, "\n"), "The broker values the account at 6100.00")
}

func TestWithoutASnapshotOfTheCloseTheReportSaysSinceWhenItCounts(t *testing.T) {
	b := &book{positions: []broker.Position{shares("SPY", "10", "500", "490")}}
	r, clock, _ := held(t, b)
	clock.Set(newYork(t, "2026-03-02 11:00"))
	_, err := r.Snapshot(t.Context(), account)
	require.NoError(t, err)
	clock.Set(newYork(t, "2026-03-04 16:15"))
	b.positions[0].Mark = dec("510")
	d, err := r.Daily(t.Context(), account)
	require.NoError(t, err)
	assert.Equal(t, "100", d.Change.Total.String())
	assert.Contains(t, d.Notes[0], "since Mon 2026-03-02 11:00 EST")
}

func TestADayCountsFromTheFirstSnapshotAfterTheCloseBefore(t *testing.T) {
	b := &book{positions: []broker.Position{shares("SPY", "10", "500", "490")}}
	r, clock, _ := held(t, b)
	for _, x := range []struct{ at, mark string }{
		{"2026-03-03 15:00", "499"}, {"2026-03-03 16:10", "500"}, {"2026-03-03 19:00", "505"}, {"2026-03-04 12:00", "508"},
	} {
		clock.Set(newYork(t, x.at))
		b.positions[0].Mark = dec(x.mark)
		_, err := r.Snapshot(t.Context(), account)
		require.NoError(t, err)
	}
	clock.Set(newYork(t, "2026-03-04 16:10"))
	b.positions[0].Mark = dec("507")
	d, err := r.Daily(t.Context(), account)
	require.NoError(t, err)
	assert.Equal(t, "70", d.Change.Total.String())
	require.Len(t, d.History, 2)
	assert.Equal(t, "20", d.History[1].Profit.String(), "the last of each day: 505, 507")
	n, err := r.Prune(t.Context(), account, newYork(t, "2026-03-05 00:00"))
	require.NoError(t, err)
	assert.Equal(t, 3, n)
	left, err := r.Snapshots(t.Context(), account, time.Unix(0, 0), newYork(t, "2026-03-05 00:00"))
	require.NoError(t, err)
	assert.Len(t, left, 2)
}

// A summary at the close and the day's report an hour later: the next day begins
// where the last of them ended, and the days add up.
func TestTheNextReportBeginsWhereTheLastEnded(t *testing.T) {
	b := &book{positions: []broker.Position{shares("SPY", "10", "500", "490")}}
	r, clock, _ := held(t, b)
	report := func(at, mark string) *report.Daily {
		clock.Set(newYork(t, at))
		b.positions[0].Mark = dec(mark)
		d, err := r.Daily(t.Context(), account)
		require.NoError(t, err)
		return d
	}
	report("2026-03-02 17:00", "500")
	assert.Equal(t, "10", report("2026-03-03 16:15", "501").Change.Total.String())
	assert.Equal(t, "30", report("2026-03-03 17:00", "503").Change.Total.String(), "the same day, later")
	clock.Set(newYork(t, "2026-03-04 08:00"))
	b.positions[0].Mark = dec("520")
	_, err := r.Snapshot(t.Context(), account) // which is no report
	require.NoError(t, err)
	d := report("2026-03-04 17:00", "504")
	assert.Equal(t, "10", d.Change.Total.String(), "from 503")
	assert.Empty(t, d.Notes)
	// A report that is made up for the next morning ends the day before.
	late := report("2026-03-06 08:00", "506")
	assert.Equal(t, "2026-03-05", late.Date.String())
	assert.Equal(t, "20", late.Change.Total.String())
	assert.Equal(t, "10", report("2026-03-06 17:00", "507").Change.Total.String())
}
