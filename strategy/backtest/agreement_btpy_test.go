package backtest_test

import (
	"encoding/json"
	"fmt"
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

// crossingOf makes the reference strategy with parameters over its defaults.
func crossingOf(t testing.TB, params string) strategy.Strategy {
	t.Helper()
	s, err := backtest.ReferenceStrategies()[0].New(json.RawMessage(params))
	require.NoError(t, err)
	return s
}

func barsOf(t testing.TB, elem ...string) []market.Bar {
	t.Helper()
	file, err := market.OpenBars(sharedtest.Path(t, append([]string{"data"}, elem...)...), nil)
	require.NoError(t, err)
	return file.Bars
}

func runOne(t testing.TB, s strategy.Strategy, symbol market.Symbol, bars []market.Bar, cash string, rules backtest.Rules) *backtest.Result {
	t.Helper()
	r, err := backtest.Run(t.Context(), backtest.Options{
		Market:   &backtest.Market{Bars: []backtest.BarFeed{{Symbol: symbol, Bars: bars}}},
		Accounts: []backtest.Account{{Strategy: s, Name: "test", Cash: decimal.RequireFromString(cash)}},
		Rules:    rules,
	})
	require.NoError(t, err)
	for _, n := range r.Record.Accounts[0].Notes {
		t.Log(n.Time, n.Text)
	}
	return r
}

// TestRunsOfBacktestingPyAreReproduced runs the recorded settings of backtesting.py
// and compares every trade and the statistics that it printed.
func TestRunsOfBacktestingPyAreReproduced(t *testing.T) {
	for _, run := range []struct {
		name, params string
		data         []string
		cash         string
		options      backtest.BacktestingPyOptions
	}{
		{"btpy_goog_sma_10_30_comm0", `"fast":10,"slow":30`, []string{"reference", "backtestingpy_GOOG.csv"}, "10000", backtest.BacktestingPyOptions{}},
		{"btpy_goog_sma_10_20_comm002_excl", `"fast":10,"slow":20`, []string{"reference", "backtestingpy_GOOG.csv"}, "10000", backtest.BacktestingPyOptions{Commission: 0.002, ExclusiveOrders: true}},
		{"btpy_goog_sma_20_50_toc_comm0005", `"fast":20,"slow":50`, []string{"reference", "backtestingpy_GOOG.csv"}, "10000", backtest.BacktestingPyOptions{Commission: 0.0005, TradeOnClose: true}},
		{"btpy_goog_longonly_50_200_comm001", `"fast":50,"slow":200,"direction":"long"`, []string{"reference", "backtestingpy_GOOG.csv"}, "100000", backtest.BacktestingPyOptions{Commission: 0.001}},
		{"btpy_goog_sma_10_30_sl5_tp10", `"fast":10,"slow":30,"stop_loss":0.05,"take_profit":0.1`, []string{"reference", "backtestingpy_GOOG.csv"}, "10000", backtest.BacktestingPyOptions{Commission: 0.001}},
		{"btpy_spy_yahoo_sma_20_80_comm001", `"fast":20,"slow":80`, []string{"daily", "yahoo_spy_2005_2021.csv.gz"}, "100000", backtest.BacktestingPyOptions{Commission: 0.001}},
	} {
		t.Run(run.name, func(t *testing.T) {
			bars := barsOf(t, run.data...)
			r := runOne(t, crossingOf(t, `{"symbol":"TEST",`+run.params+`}`), "TEST", bars, run.cash, backtest.BacktestingPy(run.options))
			a := &r.Record.Accounts[0]
			text, err := os.ReadFile(sharedtest.Path(t, "data", "reference", "btpy", run.name+"_trades.csv"))
			require.NoError(t, err)
			lines := strings.Split(strings.TrimSpace(string(text)), "\n")[1:]
			var got []backtest.Trade
			for _, tr := range a.Trades {
				if !tr.Open {
					got = append(got, tr)
				}
			}
			assert.Len(t, got, len(lines))
			for i, line := range lines {
				if i >= len(got) {
					break
				}
				c := strings.Split(line, ",")
				tr := got[i]
				want := fmt.Sprintf("%s %s %s", c[0], c[1], c[2])
				require.Equal(t, want, fmt.Sprintf("%s %d %d", tr.Quantity, tr.EntryBar, tr.ExitBar), "trade %d", i)
				near := func(column int, x float64) {
					y, err := strconv.ParseFloat(c[column], 64)
					require.NoError(t, err)
					assert.InDelta(t, y, x, 1e-8*max(1, abs(y)), "trade %d column %d", i, column)
				}
				near(3, tr.EntryPrice.InexactFloat64())
				near(4, tr.ExitPrice.InexactFloat64())
				near(7, tr.Profit.InexactFloat64())
				near(8, -tr.Fees.InexactFloat64())
			}
			var want struct {
				Stats map[string]any `json:"stats"`
			}
			data, err := os.ReadFile(sharedtest.Path(t, "data", "reference", "btpy", run.name+".json"))
			require.NoError(t, err)
			require.NoError(t, json.Unmarshal(data, &want))
			c := &a.Curve
			assert.InDelta(t, want.Stats["Equity Final [$]"], c.Value[c.Len()-1], 1e-6)
			peak := 0.0
			for _, v := range c.Value {
				peak = max(peak, v)
			}
			assert.InDelta(t, want.Stats["Equity Peak [$]"], peak, 1e-6)
			assert.Equal(t, len(bars), c.Len())
		})
	}
}

// Other settings, on other symbols and intervals: the expected values are those of a
// plain loop over backtesting.py's rules, written apart from the engine, which gives
// the values of the recorded runs as well.
func TestOtherSettingsOfBacktestingPyAgreeWithAPlainLoop(t *testing.T) {
	for i, c := range []struct {
		data     []string
		interval market.Interval
		params   string
		cash     string
		options  backtest.BacktestingPyOptions
		final    float64
		trades   int
	}{
		{[]string{"reference", "backtestingpy_GOOG.csv"}, "1d", `"fast":15,"slow":45,"direction":"long"`, "1000000", backtest.BacktestingPyOptions{Commission: 0.001, Margin: 0.2, ExclusiveOrders: true}, 9411546.677510004, 23},
		{[]string{"reference", "backtestingpy_GOOG.csv"}, "1d", `"fast":5,"slow":15,"direction":"long"`, "1000000", backtest.BacktestingPyOptions{Fixed: 5}, 5102092.51, 77},
		{[]string{"reference", "backtestingpy_GOOG.csv"}, "1d", `"fast":5,"slow":20,"direction":"long","stop_loss":0.05,"take_profit":0.1`, "1000000", backtest.BacktestingPyOptions{Commission: 0.002, TradeOnClose: true, KeepOpen: true}, 2765468.331298001, 56},
		{[]string{"reference", "backtestingpy_GOOG.csv"}, "1d", `"fast":8,"slow":24,"direction":"long"`, "10000", backtest.BacktestingPyOptions{Commission: 0.0005, Fixed: 1}, 48526.99861500004, 45},
		{[]string{"reference", "backtestingpy_EURUSD.csv"}, "1h", `"fast":20,"slow":60,"direction":"long","stop_loss":0.02,"take_profit":0.03`, "100000", backtest.BacktestingPyOptions{Commission: 0.001, Fixed: 1, Spread: 0.0002, Margin: 0.5}, 97059.66079470055, 45},
		{[]string{"reference", "backtestingpy_EURUSD.csv"}, "1h", `"fast":15,"slow":60,"stop_loss":0.1,"take_profit":0.3`, "1000000", backtest.BacktestingPyOptions{Commission: 0.001, Fixed: 1, Spread: 0.0002, Margin: 0.5, KeepOpen: true}, 776009.1709823532, 101},
		{[]string{"reference", "backtestingpy_EURUSD.csv"}, "1h", `"fast":10,"slow":30`, "100000", backtest.BacktestingPyOptions{Commission: 0.0005}, 82820.77123204006, 167},
		{[]string{"reference", "backtestingpy_EURUSD.csv"}, "1h", `"fast":5,"slow":20,"direction":"long","stop_loss":0.1,"take_profit":0.3`, "1000000", backtest.BacktestingPyOptions{Commission: 0.002, Fixed: 5, Spread: 0.0002, Margin: 0.5, ExclusiveOrders: true}, 825240.7849465485, 141},
		{[]string{"reference", "backtestingpy_BTCUSD.csv"}, "1mo", `"fast":5,"slow":12`, "100000", backtest.BacktestingPyOptions{TradeOnClose: true, KeepOpen: true}, 2545090.5900000003, 7},
		{[]string{"reference", "backtestingpy_BTCUSD.csv"}, "1mo", `"fast":2,"slow":5,"stop_loss":0.1,"take_profit":0.3`, "1000000", backtest.BacktestingPyOptions{Commission: 0.0005, Fixed: 5, Spread: 0.001, TradeOnClose: true, ExclusiveOrders: true}, 1166314.2191681499, 25},
		{[]string{"reference", "backtestingpy_BTCUSD.csv"}, "1mo", `"fast":5,"slow":12,"stop_loss":0.05,"take_profit":0.1`, "100000", backtest.BacktestingPyOptions{Commission: 0.0005, Fixed: 1, Margin: 0.2, TradeOnClose: true, KeepOpen: true}, 78476.39995849994, 8},
		{[]string{"reference", "backtestingpy_BTCUSD.csv"}, "1mo", `"fast":3,"slow":8,"stop_loss":0.05,"take_profit":0.1`, "10000", backtest.BacktestingPyOptions{Commission: 0.001, Fixed: 1, Margin: 0.5, TradeOnClose: true, ExclusiveOrders: true}, 11245.522694999992, 9},
		{[]string{"daily", "yahoo_spy_2005_2021.csv.gz"}, "1d", `"fast":8,"slow":16`, "1000000", backtest.BacktestingPyOptions{Fixed: 1, Spread: 0.001, Margin: 0.2, ExclusiveOrders: true}, 9268.298543921606, 259},
		{[]string{"daily", "yahoo_spy_2005_2021.csv.gz"}, "1d", `"fast":20,"slow":40,"stop_loss":0.02,"take_profit":0.03`, "10000", backtest.BacktestingPyOptions{Commission: 0.0005, Fixed: 1}, 10561.83011981266, 103},
		{[]string{"daily", "yahoo_spy_2005_2021.csv.gz"}, "1d", `"fast":8,"slow":16,"direction":"long","stop_loss":0.02,"take_profit":0.03`, "1000000", backtest.BacktestingPyOptions{Commission: 0.002, Fixed: 5, TradeOnClose: true, ExclusiveOrders: true}, 951866.7424435316, 130},
		{[]string{"daily", "yahoo_spy_2005_2021.csv.gz"}, "1d", `"fast":2,"slow":6`, "1000000", backtest.BacktestingPyOptions{Commission: 0.002, Fixed: 1, TradeOnClose: true, KeepOpen: true}, 8066.016839949568, 814},
		{[]string{"daily", "plotly_tsla_2015_2018.csv.gz"}, "1d", `"fast":10,"slow":40,"stop_loss":0.02,"take_profit":0.03`, "100000", backtest.BacktestingPyOptions{Commission: 0.0005, Fixed: 5, Spread: 0.001}, 96366.72186187666, 21},
		{[]string{"daily", "plotly_tsla_2015_2018.csv.gz"}, "1d", `"fast":20,"slow":40`, "10000", backtest.BacktestingPyOptions{}, 5009.997200000004, 21},
		{[]string{"daily", "plotly_tsla_2015_2018.csv.gz"}, "1d", `"fast":8,"slow":32`, "1000000", backtest.BacktestingPyOptions{Commission: 0.001, Margin: 0.5, ExclusiveOrders: true}, 122048.15077000004, 31},
		{[]string{"daily", "plotly_tsla_2015_2018.csv.gz"}, "1d", `"fast":5,"slow":10,"stop_loss":0.02,"take_profit":0.03`, "10000", backtest.BacktestingPyOptions{Commission: 0.002, Fixed: 1, Spread: 0.001, TradeOnClose: true, KeepOpen: true}, 6676.284969620032, 74},
	} {
		r, err := backtest.Run(t.Context(), backtest.Options{
			Market:   &backtest.Market{Bars: []backtest.BarFeed{{Symbol: "TEST", Interval: c.interval, Bars: barsOf(t, c.data...)}}},
			Accounts: []backtest.Account{{Strategy: crossingOf(t, fmt.Sprintf(`{"symbol":"TEST","interval":%q,%s}`, c.interval, c.params)), Cash: decimal.RequireFromString(c.cash)}},
			Rules:    backtest.BacktestingPy(c.options),
		})
		require.NoError(t, err)
		a := &r.Record.Accounts[0]
		ended := 0
		for _, tr := range a.Trades {
			if !tr.Open {
				ended++
			}
		}
		assert.Equal(t, c.trades, ended, "case %d: %s", i, r.Record.Settings.Rules)
		assert.InDelta(t, c.final, last(&a.Curve).Value, 1e-9*c.final, "case %d: %s", i, r.Record.Settings.Rules)
	}
}

func abs(x float64) float64 { return max(x, -x) }
