package paper_test

import (
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/broker/paper"
	"github.com/ttai-go/ttai/internal/sharedtest"
	"github.com/ttai-go/ttai/market"
)

func withPath(p paper.Path) func(*paper.Options) {
	return func(o *paper.Options) { o.Path, o.FreePrices = p, true }
}

// In a bar of 100, 110, 95, 105 a position entered at the open has a target of 108
// and a stop of 97: the path says which comes first.
func TestThePathDecidesWhichExitFills(t *testing.T) {
	for _, c := range []struct {
		path   paper.Path
		target []string
		stop   []string
	}{
		{paper.NearerFirst, []string{}, []string{"10@97"}}, // the low is nearer to the open
		{paper.HighFirst, []string{"10@108"}, []string{}},
		{paper.LowFirst, []string{}, []string{"10@97"}},
		{paper.Pessimistic, []string{}, []string{"10@97"}},
		{paper.OpenOnly, []string{}, []string{}},
		{paper.CloseOnly, []string{}, []string{}},
	} {
		d := newDesk(t, "2026-03-02 20:00", withPath(c.path))
		g := d.group(broker.Bracket, d.order(broker.Market, "", leg("SPY", buyOpen, "10")),
			d.order(broker.Limit, "108", leg("SPY", sellClose, "10")), d.order(broker.Stop, "97", leg("SPY", sellClose, "10")))
		d.bars(d.daily("SPY", "2026-03-03", 100, 110, 95, 105))
		entry := "10@100"
		if c.path == paper.CloseOnly {
			entry = "10@105"
		}
		assert.Equal(t, []string{entry}, d.fills(g[0]), c.path)
		assert.Equal(t, c.target, d.fills(g[1]), c.path)
		assert.Equal(t, c.stop, d.fills(g[2]), c.path)
	}
}

func TestTheLowIsFirstWhenBothAreAsNear(t *testing.T) {
	d := newDesk(t, "2026-03-02 20:00", withPath(paper.NearerFirst))
	g := d.group(broker.Bracket, d.order(broker.Market, "", leg("SPY", buyOpen, "10")),
		d.order(broker.Limit, "104", leg("SPY", sellClose, "10")), d.order(broker.Stop, "96", leg("SPY", sellClose, "10")))
	d.bars(d.daily("SPY", "2026-03-03", 100, 105, 95, 100))
	assert.Equal(t, []string{"10@96"}, d.fills(g[2]))
}

func TestOnlyTheOpenCanBeAGap(t *testing.T) {
	d := newDesk(t, "2026-03-02 20:00", withPath(paper.NearerFirst))
	buy := d.place(d.order(broker.Limit, "100", leg("SPY", buyOpen, "10")))
	inside := d.place(d.order(broker.Limit, "93", leg("SPY", buyOpen, "10")))
	up := d.place(d.order(broker.Stop, "94", leg("QQQ", buyOpen, "10")))
	d.bars(d.daily("SPY", "2026-03-03", 95, 96, 92, 94), d.daily("QQQ", "2026-03-03", 95, 96, 92, 94))
	assert.Equal(t, []string{"10@95"}, d.fills(buy), "better than asked for")
	assert.Equal(t, []string{"10@93"}, d.fills(inside))
	assert.Equal(t, []string{"10@95"}, d.fills(up), "worse than its stop")
	assert.Equal(t, clockAt(t, "2026-03-03 09:30"), d.now(buy).Ended)
	assert.Equal(t, clockAt(t, "2026-03-03 16:00"), d.Now())
}

func TestATrailingStopWalksThroughABar(t *testing.T) {
	d := newDesk(t, "2026-03-02 20:00", withPath(paper.HighFirst))
	d.place(d.order(broker.Market, "", leg("SPY", buyOpen, "10")))
	d.bars(d.daily("SPY", "2026-03-03", 100, 101, 99, 100))
	o := d.order(broker.TrailingStop, "", leg("SPY", sellClose, "10"))
	o.Trail, o.TimeInForce = &broker.Trail{Amount: dec("4")}, broker.GTC
	s := d.place(o)
	d.bars(d.daily("SPY", "2026-03-04", 108, 110, 107, 108))
	assert.Empty(t, d.fills(s))
	d.bars(d.daily("SPY", "2026-03-05", 107, 111.5, 100, 101))
	assert.Equal(t, []string{"10@107.5"}, d.fills(s), "four below the high of this bar")
}

func TestAnOrderGivenAfterABarFillsInTheNext(t *testing.T) {
	for _, cheat := range []bool{false, true} {
		d := newDesk(t, "2026-03-02 20:00", func(o *paper.Options) { o.CheatOnClose, o.FreePrices = cheat, true })
		d.bars(d.daily("SPY", "2026-03-03", 100, 101, 99, 100.5))
		s := d.place(d.order(broker.Market, "", leg("SPY", buyOpen, "10")))
		if cheat {
			assert.Equal(t, []string{"10@100.5"}, d.fills(s))
			continue
		}
		assert.Empty(t, d.fills(s))
		d.bars(d.daily("SPY", "2026-03-04", 102, 103, 99, 100))
		assert.Equal(t, []string{"10@102"}, d.fills(s))
	}
}

func TestOnCloseFillsAtTheBarsClose(t *testing.T) {
	d := newDesk(t, "2026-03-02 20:00")
	o := d.order(broker.Market, "", leg("SPY", buyOpen, "10"))
	o.TimeInForce = broker.OnClose
	s := d.place(o)
	d.bars(d.daily("SPY", "2026-03-03", 100, 101, 99, 100.5))
	assert.Equal(t, []string{"10@100.5"}, d.fills(s))
	assert.Equal(t, clockAt(t, "2026-03-03 16:00"), d.now(s).Ended)
}

func TestVolumeLimitsWhatABarFills(t *testing.T) {
	d := newDesk(t, "2026-03-02 20:00", func(o *paper.Options) {
		o.Slippage, o.FreePrices = paper.VolumeShare{Limit: 0.1, Impact: 0.1}, true
	})
	bar := d.daily("SPY", "2026-03-03", 100, 101, 99, 100)
	bar.Volume = 1000
	s := d.place(d.order(broker.Market, "", leg("SPY", buyOpen, "150")))
	d.bars(bar)
	assert.Equal(t, []string{"100@100.1"}, d.fills(s), "a tenth of 1000, at 100 + 100·0.1·0.1²")
}

func TestSlippageModels(t *testing.T) {
	for _, c := range []struct {
		slip paper.Slippage
		buy  string
		sell string
	}{
		{nil, "1@500.1", "1@500"},
		{paper.FixedTicks{Ticks: 3}, "1@500.13", "1@499.97"},
		{paper.SpreadFraction{Fraction: 0.5}, "1@500.15", "1@499.95"},
		{paper.SpreadFraction{Fraction: -0.5}, "1@500.05", "1@500.05"},
		{paper.BasisPoints{Points: 1}, "1@500.16", "1@499.95"}, // 0.05001 and 0.05, to a cent against the order
	} {
		d := newDesk(t, tuesday, func(o *paper.Options) { o.Slippage = c.slip })
		d.quote("SPY", 500, 500.1)
		assert.Equal(t, []string{c.buy}, d.fills(d.place(d.order(broker.Market, "", leg("SPY", buyOpen, "1")))), "%v", c.slip)
		assert.Equal(t, []string{c.sell}, d.fills(d.place(d.order(broker.Market, "", leg("SPY", sellClose, "1")))), "%v", c.slip)
	}
}

func TestRefusedBarsChangeNothing(t *testing.T) {
	d := newDesk(t, "2026-03-02 20:00")
	before, err := d.Snapshot()
	require.NoError(t, err)
	good := d.daily("SPY", "2026-03-03", 100, 101, 99, 100)
	high, nan, sunday := good, good, d.daily("SPY", "2026-03-08", 100, 101, 99, 100)
	high.High, nan.Close = 99.5, math.NaN()
	unlike := d.daily("QQQ", "2026-03-04", 100, 101, 99, 100)
	for _, bars := range [][]paper.Bar{{high}, {nan}, {sunday}, {good, good}, {good, unlike}} {
		err := d.Bars(bars)
		require.Error(t, err)
		var fe *broker.FieldError
		require.ErrorAs(t, err, &fe)
	}
	assert.Equal(t, clockAt(t, "2026-03-02 20:00"), d.Now())
	_ = before
}

// goog are the daily bars of Google that backtesting.py ships.
func goog(t *testing.T) []paper.Bar {
	t.Helper()
	file, err := market.OpenBars(sharedtest.Path(t, "data", "reference", "backtestingpy_GOOG.csv"), nil)
	require.NoError(t, err)
	bars := make([]paper.Bar, len(file.Bars))
	for i, b := range file.Bars {
		bars[i] = paper.Bar{Symbol: "GOOG", Interval: market.Day, Bar: b}
	}
	return bars
}

func until(bars []paper.Bar, date string) (n int) {
	for i, b := range bars {
		if b.Time.Format("2006-01-02") == date {
			return i
		}
	}
	return -1
}

// The three rules of backtesting.py's own tests.
func TestStopsAndTargetsInsideABarFollowBacktestingPy(t *testing.T) {
	bars := goog(t)
	run := func(from string, n int, kind broker.OrderType, entry, stop, target string) (*desk, []broker.OrderState) {
		first := until(bars, from)
		d := newDesk(t, bars[first].Time.Format("2006-01-02")+" 00:00", withPath(paper.Pessimistic))
		d.bars(bars[first])
		exits := []broker.Order{}
		if target != "" {
			exits = append(exits, d.order(broker.Limit, target, leg("GOOG", sellClose, "1")))
		}
		exits = append(exits, d.order(broker.Stop, stop, leg("GOOG", sellClose, "1")))
		for i := range exits {
			exits[i].TimeInForce = broker.GTC
		}
		enter := d.order(kind, entry, leg("GOOG", buyOpen, "1"))
		orders := append([]broker.Order{enter}, exits...)
		group := broker.OTO
		if target != "" {
			group = broker.Bracket
		}
		g := d.group(group, orders...)
		for i := range n {
			d.bars(bars[first+1+i])
		}
		return d, g
	}
	d, g := run("2012-10-17", 1, broker.Market, "", "720", "")
	assert.Equal(t, []string{"1@755.54"}, d.fills(g[0]))
	assert.Equal(t, []string{"1@720"}, d.fills(g[1]), "on the day of the entry")

	d, g = run("2012-10-17", 2, broker.Stop, "758", "720", "")
	assert.Equal(t, []string{"1@758"}, d.fills(g[0]))
	assert.Equal(t, []string{"1@705.58"}, d.fills(g[1]), "the bar after, at its open")

	d, g = run("2004-08-19", 1, broker.Stop, "104", "103", "110")
	assert.Equal(t, []string{"1@104"}, d.fills(g[0]))
}

// A strategy run by backtesting.py: on each cross of SMA 10 and 30 the position is
// closed and the opposite opened at the next open, with a stop 5 % and a target
// 10 % away. Sizes, stops and targets are taken from its trades; when and at what
// price they end is found here.
func TestGoogleWithStopsAndTargetsMatchesBacktestingPy(t *testing.T) {
	bars := goog(t)
	trades := readTrades(t, sharedtest.Path(t, "data", "reference", "btpy", "btpy_goog_sma_10_30_sl5_tp10_trades.csv"))
	byEntry := map[int]trade{}
	for _, tr := range trades {
		byEntry[tr.entryBar] = tr
	}
	d := newDesk(t, "2004-08-19 00:00", withPath(paper.Pessimistic), func(o *paper.Options) { o.Unchecked = true })
	var open []broker.OrderState // entry, target, stop
	closes := map[broker.OrderID]broker.OrderID{}
	entries := map[broker.OrderID]trade{}
	entryOf := map[broker.OrderID]broker.OrderID{}
	for i := range bars {
		d.bars(bars[i])
		if i < 30 || i == len(bars)-1 {
			continue
		}
		diff := func(i int) float64 { return mean(bars, i, 10) - mean(bars, i, 30) }
		if math.Signbit(diff(i)) == math.Signbit(diff(i-1)) {
			continue
		}
		if len(open) > 0 {
			for _, s := range open[1:] {
				if !d.now(s).Status.Terminal() {
					_, err := d.Cancel(t.Context(), account, s.ID)
					require.NoError(t, err)
				}
			}
			positions, err := d.Positions(t.Context(), account)
			require.NoError(t, err)
			if len(positions) > 0 {
				p := positions[0]
				action := sellClose
				if p.Quantity.IsNegative() {
					action = buyClose
				}
				c := d.place(d.order(broker.Market, "", leg("GOOG", action, p.Quantity.Abs().String())))
				closes[open[0].ID] = c.ID
				entryOf[c.ID] = open[0].ID
			}
		}
		tr, ok := byEntry[i+1]
		require.True(t, ok, "backtesting.py enters at bar %d too", i+1)
		enter, leave := buyOpen, sellClose
		if tr.size < 0 {
			enter, leave = sellOpen, buyClose
		}
		size := strconv.Itoa(int(math.Abs(float64(tr.size))))
		target := d.order(broker.Limit, tr.target, leg("GOOG", leave, size))
		stop := d.order(broker.Stop, tr.stop, leg("GOOG", leave, size))
		target.TimeInForce, stop.TimeInForce = broker.GTC, broker.GTC
		open = d.group(broker.Bracket, d.order(broker.Market, "", leg("GOOG", enter, size)), target, stop)
		entries[open[0].ID] = tr
		entryOf[open[1].ID], entryOf[open[2].ID] = open[0].ID, open[0].ID
	}
	all, err := d.Orders(t.Context(), account, broker.OrdersQuery{Since: bars[0].Time})
	require.NoError(t, err)
	checked := 0
	for _, o := range all {
		if tr, ok := entries[o.ID]; ok {
			require.Len(t, o.Fills, 1)
			assert.Equal(t, tr.entry, o.Fills[0].Price.InexactFloat64(), "entry at bar %d", tr.entryBar)
		}
		if id, ok := entryOf[o.ID]; ok && len(o.Fills) > 0 {
			tr := entries[id]
			assert.InDelta(t, tr.exit, o.Fills[0].Price.InexactFloat64(), 1e-9, "exit of the entry at bar %d", tr.entryBar)
			assert.Equal(t, bars[tr.exitBar].Time.Format("2006-01-02"), o.Fills[0].Time.Format("2006-01-02"), "exit of the entry at bar %d", tr.entryBar)
			checked++
		}
	}
	assert.GreaterOrEqual(t, checked, len(trades)-1, "the last trade may be closed by the end of the data")
	assert.Len(t, entries, len(trades))
}

type trade struct {
	size, entryBar, exitBar int
	entry, exit             float64
	stop, target            string
}

func readTrades(t *testing.T, path string) []trade {
	t.Helper()
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	require.NoError(t, err)
	var out []trade
	for _, r := range rows[1:] {
		var tr trade
		_, err := fmt.Sscan(r[0]+" "+r[1]+" "+r[2]+" "+r[3]+" "+r[4], &tr.size, &tr.entryBar, &tr.exitBar, &tr.entry, &tr.exit)
		require.NoError(t, err)
		tr.stop, tr.target = r[5], r[6]
		out = append(out, tr)
	}
	return out
}

func mean(bars []paper.Bar, i, n int) float64 {
	sum := decimal.Zero
	for _, b := range bars[i-n+1 : i+1] {
		sum = sum.Add(decimal.NewFromFloat(b.Close))
	}
	return sum.Div(decimal.NewFromInt(int64(n))).InexactFloat64()
}

func TestABarThatJustTouchesAnOrderReachesIt(t *testing.T) {
	for _, path := range []paper.Path{paper.NearerFirst, paper.HighFirst, paper.Pessimistic} {
		d := newDesk(t, "2026-03-02 20:00", withPath(path))
		d.bars(d.daily("SPY", "2026-03-03", 100, 101, 99, 100))
		orders := []broker.OrderState{
			d.place(d.order(broker.Limit, "95", leg("SPY", buyOpen, "1"))),
			d.place(d.order(broker.Stop, "110", leg("QQQ", buyOpen, "1"))),
			d.place(d.order(broker.Limit, "110", leg("IWM", sellOpen, "1"))),
			d.place(d.order(broker.Stop, "95", leg("DIA", sellOpen, "1"))),
		}
		symbols := []market.Symbol{"SPY", "QQQ", "IWM", "DIA"}
		for i, s := range symbols { // a bar that reaches nothing comes first
			bar := d.daily(s, "2026-03-04", 100, 101, 99, 100)
			bar.Interval, bar.Time = market.Minute, clockAt(t, "2026-03-04 09:30").Add(time.Duration(i)*time.Minute)
			d.bars(bar)
			require.Empty(t, d.fills(orders[i]))
		}
		for i, s := range symbols { // each alone
			bar := d.daily(s, fmt.Sprintf("2026-03-%02d", 4), 100, 110, 95, 100)
			bar.Interval, bar.Time = market.Hour, clockAt(t, fmt.Sprintf("2026-03-04 %d:00", 10+i))
			d.bars(bar)
			assert.Len(t, d.fills(orders[i]), 1, "%s on path %d", s, path)
		}
	}
}

func TestAnOrderCanBecomeLiveInsideABar(t *testing.T) {
	d := newDesk(t, "2026-03-03 09:30", withPath(paper.LowFirst), func(o *paper.Options) { o.Latency.Live = 20 * time.Minute })
	d.bars(paper.Bar{Symbol: "SPY", Interval: market.Hour, Bar: market.Bar{Time: clockAt(t, "2026-03-03 09:30"), Open: 100, High: 101, Low: 99, Close: 100}})
	s := d.place(d.order(broker.Market, "", leg("SPY", buyOpen, "1")))
	d.bars(paper.Bar{Symbol: "SPY", Interval: market.Hour, Bar: market.Bar{Time: clockAt(t, "2026-03-03 10:30"), Open: 100, High: 104, Low: 98, Close: 103}})
	assert.Equal(t, []string{"1@98"}, d.fills(s), "after twenty minutes the path stands at its low")
}
