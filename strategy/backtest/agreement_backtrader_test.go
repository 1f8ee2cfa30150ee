package backtest_test

import (
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/internal/sharedtest"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/strategy"
	"github.com/ttai-go/ttai/strategy/backtest"
)

// rowsOf reads a CSV file with a header.
func rowsOf(t testing.TB, elem ...string) []map[string]string {
	t.Helper()
	f, err := os.Open(sharedtest.Path(t, append([]string{"data"}, elem...)...))
	require.NoError(t, err)
	defer f.Close()
	all, err := csv.NewReader(f).ReadAll()
	require.NoError(t, err)
	var out []map[string]string
	for _, row := range all[1:] {
		m := map[string]string{}
		for i, name := range all[0] {
			m[name] = row[i]
		}
		out = append(out, m)
	}
	return out
}

func float(t testing.TB, text string) float64 {
	t.Helper()
	x, err := strconv.ParseFloat(text, 64)
	require.NoError(t, err, text)
	return x
}

func jsonOf(t testing.TB, into any, elem ...string) {
	t.Helper()
	data, err := os.ReadFile(sharedtest.Path(t, append([]string{"data", "reference"}, elem...)...))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, into))
}

func last(c *backtest.Curve) backtest.Point { return c.At(c.Len() - 1) }

// netted adds up the fills of each bar: other engines turn a position with one order.
func netted(fills []backtest.Fill) (bars []int64, sizes, prices, fees []float64) {
	for _, f := range fills {
		size := f.Quantity.InexactFloat64() * float64(f.Action.Sign())
		n := len(bars)
		if n == 0 || bars[n-1] != f.Bar {
			bars, sizes, prices, fees = append(bars, f.Bar), append(sizes, 0), append(prices, f.Price.InexactFloat64()), append(fees, 0)
			n++
		}
		sizes[n-1] += size
		if f.Fees != nil {
			fees[n-1] -= f.Fees.Total().InexactFloat64()
		}
	}
	return
}

// TestRunsOfBacktraderAreReproduced compares each fill and the final cash and value
// with recorded runs of backtrader.
func TestRunsOfBacktraderAreReproduced(t *testing.T) {
	for _, run := range []struct {
		name, params string
		data         []string
		interval     market.Interval
		options      backtest.BacktraderOptions
	}{
		{"bt_2006day_sma_10_30", `"fast":10,"slow":30,"direction":"long","stake":1`, []string{"reference", "backtrader_2006_day_001.csv.gz"}, "1d", backtest.BacktraderOptions{}},
		{"bt_yhoo_sma_20_50", `"fast":20,"slow":50,"direction":"long","stake":100`, []string{"daily", "backtrader_yhoo_1996_2015.csv.gz"}, "1d", backtest.BacktraderOptions{Commission: 0.001}},
		{"bt_orcl_sma_20_50_both_slip", `"fast":20,"slow":50,"direction":"long-first","stake":200`, []string{"daily", "backtrader_orcl_1995_2014.csv.gz"}, "1d", backtest.BacktraderOptions{Commission: 0.001, SlipPercent: 0.0005}},
		{"bt_min001_sma_30_120", `"fast":30,"slow":120,"direction":"long","stake":10,"interval":"1m"`, []string{"reference", "backtrader_2006_volume_min_001.csv.gz"}, "1m", backtest.BacktraderOptions{Commission: 0.00005}},
	} {
		t.Run(run.name, func(t *testing.T) {
			var want struct {
				Cash       float64 `json:"cash"`
				FinalValue float64 `json:"final_value"`
				FinalCash  float64 `json:"final_cash"`
				Bars       int     `json:"bars"`
			}
			jsonOf(t, &want, "backtrader", run.name+".json")
			r, err := backtest.Run(t.Context(), backtest.Options{
				Market:   &backtest.Market{Bars: []backtest.BarFeed{{Symbol: "TEST", Interval: run.interval, Bars: loose(t, run.data...)}}},
				Accounts: []backtest.Account{{Strategy: crossingOf(t, `{"symbol":"TEST",`+run.params+`}`), Cash: decimal.NewFromFloat(want.Cash)}},
				Rules:    backtest.Backtrader(run.options),
			})
			require.NoError(t, err)
			a := &r.Record.Accounts[0]
			assert.EqualValues(t, want.Bars, r.Record.Bars)
			bars, sizes, prices, fees := netted(a.Fills)
			fills := rowsOf(t, "reference", "backtrader", run.name+"_fills.csv")
			require.Len(t, bars, len(fills))
			for i, f := range fills {
				assert.Equal(t, float(t, f["size"]), sizes[i], "fill %d", i)
				assert.InDelta(t, float(t, f["price"]), prices[i], 1e-9, "fill %d", i)
				assert.InDelta(t, float(t, f["commission"]), fees[i], 1e-9, "fill %d", i)
				if run.interval == market.Day {
					assert.Equal(t, f["time"][:10], dayOf(a, bars[i]), "fill %d", i)
				}
			}
			assert.InDelta(t, want.FinalValue, last(&a.Curve).Value, 1e-6)
			assert.InDelta(t, want.FinalCash, last(&a.Curve).Cash, 1e-6)
		})
	}
}

// loose reads bars of a file whose rows may have date and time apart.
func loose(t testing.TB, elem ...string) []market.Bar {
	f, err := os.Open(sharedtest.Path(t, append([]string{"data"}, elem...)...))
	require.NoError(t, err)
	defer f.Close()
	plain, err := gzip.NewReader(f)
	require.NoError(t, err)
	text, err := io.ReadAll(plain)
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if len(lines[1]) > 13 && lines[1][13] == ':' && lines[1][10] == ',' { // date and time apart, and one name for both
		for i, line := range lines[1:] {
			lines[i+1] = line[:10] + " " + line[11:]
		}
	}
	file, err := market.ReadBars(strings.NewReader(strings.Join(lines, "\n")), nil)
	require.NoError(t, err)
	return file.Bars
}

// dayOf is the day of the bar in which a fill happened.
func dayOf(a *backtest.AccountRecord, bar int64) string {
	for _, f := range a.Fills {
		if f.Bar == bar {
			return f.Time.Format("2006-01-02")
		}
	}
	return ""
}

// The fills and the final value that backtrader's own test of strategies expects.
func TestTheStrategyTestOfBacktraderIsReproduced(t *testing.T) {
	var want struct {
		Tests struct {
			SMA15 struct {
				FinalValue float64   `json:"final_value"`
				FinalCash  float64   `json:"final_cash"`
				Buys       []float64 `json:"buy_fills"`
				Sells      []float64 `json:"sell_fills"`
			} `json:"sma15_stocklike"`
		} `json:"backtrader_tests"`
	}
	jsonOf(t, &want, "expected_public.json")
	r := runOne(t, crossingOf(t, `{"symbol":"TEST","fast":1,"slow":15,"direction":"long","stake":1}`), "TEST",
		barsOf(t, "reference", "backtrader_2006_day_001.csv.gz"), "10000", backtest.Backtrader(backtest.BacktraderOptions{}))
	a := &r.Record.Accounts[0]
	var buys, sells []float64
	for _, f := range a.Fills {
		if f.Action.Sign() > 0 {
			buys = append(buys, f.Price.InexactFloat64())
		} else {
			sells = append(sells, f.Price.InexactFloat64())
		}
	}
	assert.InDeltaSlice(t, want.Tests.SMA15.Buys, buys, 0.005)
	assert.InDeltaSlice(t, want.Tests.SMA15.Sells, sells, 0.005)
	assert.InDelta(t, want.Tests.SMA15.FinalValue, last(&a.Curve).Value, 0.005)
	assert.InDelta(t, want.Tests.SMA15.FinalCash, last(&a.Curve).Cash, 0.005)
}

// The published values of backtrader's test of optimisation: a future with a
// multiplier of 10, that is bought at the first crossing and held.
func TestTheOptimisationTestOfBacktraderIsReproduced(t *testing.T) {
	var want struct {
		Tests struct {
			List struct {
				Values []float64 `json:"final_values"`
			} `json:"published_optimise_first_entry_hold"`
		} `json:"backtrader_tests"`
	}
	jsonOf(t, &want, "expected_public.json")
	require.Len(t, want.Tests.List.Values, 40)
	bars := barsOf(t, "reference", "backtrader_2006_day_001.csv.gz")
	for i, value := range want.Tests.List.Values {
		period := 5 + i
		r, err := backtest.Run(t.Context(), backtest.Options{
			Market: &backtest.Market{
				Bars:        []backtest.BarFeed{{Symbol: "/ES", Bars: bars}},
				Instruments: map[market.Symbol]market.Instrument{"/ES": {Symbol: "/ES", Kind: market.KindFuture, Multiplier: 10}},
			},
			Accounts: []backtest.Account{{Strategy: crossingOf(t, fmt.Sprintf(`{"symbol":"/ES","fast":1,"slow":%d,"direction":"long","stake":1,"once":true}`, period)), Cash: decimal.NewFromInt(10000)}},
			Rules:    backtest.Backtrader(backtest.BacktraderOptions{Commission: 2, Margin: 1000}),
		})
		require.NoError(t, err)
		assert.InDelta(t, value, last(&r.Record.Accounts[0].Curve).Value, 0.005, "period %d", period)
	}
}

// fastquantOf makes a built-in strategy by its name.
func builtin(t testing.TB, name, params string) strategy.Strategy {
	t.Helper()
	d, err := strategy.Lookup(name)
	require.NoError(t, err)
	s, err := d.New(json.RawMessage(params))
	require.NoError(t, err)
	return s
}
