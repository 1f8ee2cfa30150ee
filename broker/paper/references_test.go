package paper_test

import (
	"encoding/csv"
	"encoding/json"
	"math"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/broker/paper"
	"github.com/ttai-go/ttai/internal/sharedtest"
	"github.com/ttai-go/ttai/market"
)

// table reads a CSV file with a header into rows by column name.
func table(t *testing.T, elem ...string) []map[string]string {
	t.Helper()
	f, err := os.Open(sharedtest.Path(t, append([]string{"data"}, elem...)...))
	require.NoError(t, err)
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	require.NoError(t, err)
	var out []map[string]string
	for _, r := range rows[1:] {
		m := map[string]string{}
		for i, name := range rows[0] {
			m[name] = r[i]
		}
		out = append(out, m)
	}
	return out
}

func number(t *testing.T, s string) float64 {
	t.Helper()
	x, err := strconv.ParseFloat(s, 64)
	require.NoError(t, err, s)
	return x
}

// trader turns a signed size into orders that close first and open the rest.
func (d *desk) trader(symbol market.Symbol, size int) (placed []broker.OrderState) {
	d.t.Helper()
	positions, err := d.Positions(d.t.Context(), account)
	require.NoError(d.t, err)
	held := 0
	for _, p := range positions {
		if p.Symbol == symbol {
			held = int(p.Quantity.IntPart())
		}
	}
	closing := 0
	if held*size < 0 {
		closing = min(abs(held), abs(size))
	}
	actions := [2]broker.Action{buyClose, buyOpen}
	if size < 0 {
		actions = [2]broker.Action{sellClose, sellOpen}
	}
	for i, n := range []int{closing, abs(size) - closing} {
		if n > 0 {
			placed = append(placed, d.place(d.order(broker.Market, "", leg(symbol, actions[i], strconv.Itoa(n)))))
		}
	}
	return placed
}

func abs(n int) int { return max(n, -n) }

func (d *desk) value() float64 {
	d.t.Helper()
	b, err := d.Balances(d.t.Context(), account)
	require.NoError(d.t, err)
	require.NotNil(d.t, b.NetLiquidatingValue)
	return b.NetLiquidatingValue.InexactFloat64()
}

func reference(t *testing.T, out any, elem ...string) {
	t.Helper()
	data, err := os.ReadFile(sharedtest.Path(t, append([]string{"data", "reference"}, elem...)...))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, out))
}

func dailyFile(t *testing.T, symbol market.Symbol, elem ...string) []paper.Bar {
	t.Helper()
	file, err := market.OpenBars(sharedtest.Path(t, append([]string{"data"}, elem...)...), nil)
	require.NoError(t, err)
	bars := make([]paper.Bar, len(file.Bars))
	for i, b := range file.Bars {
		bars[i] = paper.Bar{Symbol: symbol, Interval: market.Day, Bar: b}
	}
	return bars
}

func day(t time.Time) string { return t.Format("2006-01-02") }

// Backtrader's fills of a system that is always long or short 200 shares, with a
// slippage of five basis points within the bar and a commission of 0.1 %.
func TestNextOpenFillsWithSlippageMatchBacktrader(t *testing.T) {
	bars := dailyFile(t, "ORCL", "daily", "backtrader_orcl_1995_2014.csv.gz")
	fills := table(t, "reference", "backtrader", "bt_orcl_sma_20_50_both_slip_fills.csv")
	var want struct {
		Value float64 `json:"final_value"`
		Cash  float64 `json:"final_cash"`
	}
	reference(t, &want, "backtrader", "bt_orcl_sma_20_50_both_slip.json")
	d := newDesk(t, "1995-01-01 00:00", func(o *paper.Options) {
		o.FreePrices, o.Unchecked = true, true
		o.Slippage = paper.BasisPoints{Points: 5, Within: true}
		o.Fees = broker.ValueFees(*dec("0.001"))
	})
	next := 0
	for _, bar := range bars {
		var placed []broker.OrderState
		if next < len(fills) && fills[next]["time"][:10] == day(bar.Time) { // after the bar before
			placed = d.trader("ORCL", int(number(t, fills[next]["size"])))
		}
		d.bars(bar)
		for _, s := range placed {
			got := d.now(s).Fills
			require.Len(t, got, 1)
			assert.InDelta(t, number(t, fills[next]["price"]), got[0].Price.InexactFloat64(), 1e-9, fills[next]["time"])
		}
		next += min(len(placed), 1)
	}
	assert.Equal(t, len(fills), next)
	assert.InDelta(t, want.Value, d.value(), 1e-6)
	cash, err := strconv.ParseFloat(d.cash(), 64)
	require.NoError(t, err)
	assert.InDelta(t, want.Cash, cash, 1e-6)
}

// fastquant fills at the close of the bar on which an order is made, on a calendar
// that is not New York's.
func TestCheatOnCloseMatchesFastquant(t *testing.T) {
	prices := table(t, "reference", "fastquant_JFC_2018_DCV.csv")
	orders := table(t, "reference", "fastquant", "fq_jfc2018_smac_15_40_orders.csv")
	at := map[string]map[string]string{}
	for _, o := range orders {
		at[o["dt"]] = o
	}
	d := newDesk(t, "2018-01-01 00:00", func(o *paper.Options) {
		o.FreePrices, o.CheatOnClose, o.Continuous = true, true, true
	})
	for i, row := range prices {
		if row["dt"] > "2018-12-28" { // where fastquant's run ended
			break
		}
		c := number(t, row["close"])
		d.bars(d.daily("JFC", row["dt"], c, c, c, c))
		if o, ok := at[prices[i+1]["dt"]]; ok { // it notes an order with the bar after
			for _, s := range d.trader("JFC", int(number(t, o["size"]))) {
				require.Equal(t, broker.Filled, s.Status, row["dt"])
				assert.Equal(t, number(t, o["price"]), s.Fills[0].Price.InexactFloat64())
			}
		}
	}
	assert.InDelta(t, 104976.20, d.value(), 0.005, "facts on fastquant: smac 15/40 in 2018")
}

// zipline fills at the next close with its impact of volume.
func TestVolumeShareMatchesZipline(t *testing.T) {
	bars := dailyFile(t, "AAPL", "daily", "zipline_aapl_2012_2014.csv.gz")
	fills := map[string]float64{}
	for _, f := range table(t, "reference", "zipline", "zipline_buyapple_fills.csv") {
		fills[f["date"]] = number(t, f["price"])
	}
	d := newDesk(t, "2012-01-01 00:00", func(o *paper.Options) {
		o.Path, o.FreePrices, o.Unchecked = paper.CloseOnly, true, true
		o.Slippage = paper.VolumeShare{Limit: 0.025, Impact: 0.1}
	})
	checked := 0
	var pending *broker.OrderState
	for _, bar := range bars {
		d.bars(bar)
		if pending != nil {
			got := d.now(*pending)
			price, ok := fills[day(bar.Time)]
			if ok && bar.Time.Before(clockAt(t, "2014-06-09 00:00")) { // before the split
				require.Len(t, got.Fills, 1, day(bar.Time))
				// The bars are adjusted for the split of 7 to 1, in millionths.
				assert.InDelta(t, price, 7*got.Fills[0].Price.InexactFloat64(), 0.002, day(bar.Time))
				checked++
			}
			pending = nil
		}
		if !bar.Time.Before(clockAt(t, "2014-01-02 00:00")) && bar.Time.Before(clockAt(t, "2014-06-06 00:00")) {
			s := d.place(d.order(broker.Market, "", leg("AAPL", buyOpen, "10")))
			pending = &s
		}
	}
	assert.Greater(t, checked, 90)
}

// The impact that zipline documents: a fill of 2.5 % of a bar's volume moves the
// price by 0.1 · 0.025² of it.
func TestVolumeShareIsTheSquareOfTheShare(t *testing.T) {
	v := paper.VolumeShare{Limit: 0.025, Impact: 0.1}
	assert.InDelta(t, 0.1*0.025*0.025*80, v.Slip(paper.SlipInput{Price: 80, Quantity: 25, Volume: 1000}), 1e-12)
	assert.Zero(t, v.Slip(paper.SlipInput{Price: 80, Quantity: 25, Volume: math.NaN()}))
}
