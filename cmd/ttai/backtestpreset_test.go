package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/cmd/internal/app"
	"github.com/ttai-go/ttai/internal/sharedtest"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/strategy/backtest"
)

type printedRun struct {
	Metrics map[string]float64   `json:"metrics"`
	Trades  []backtest.TradeLine `json:"trades"`
}

// backtestJSON runs the command and reads what --json prints.
func backtestJSON(t *testing.T, args ...string) printedRun {
	t.Helper()
	out, problems, code := ttai(t, "", nil, append(append([]string{"backtest"}, args...), "--json")...)
	require.Equal(t, app.ExitOK, code, "%v: %s", args, problems)
	var got printedRun
	require.NoError(t, json.Unmarshal([]byte(out), &got))
	return got
}

// The final worth that zipline's and LEAN's runs had, and that short sides and other
// strikes have by the same arithmetic.
func TestPresetsRepeatTheRunsOfOtherEngines(t *testing.T) {
	path := func(elem ...string) string { return sharedtest.Path(t, append([]string{"data"}, elem...)...) }
	lean := func(legs string) []string {
		return []string{"--preset", "lean-option-expiry", "--symbol", "SPX", "--bars", "SPX=" + path("intraday", "lean_spx_1min_20210114.csv.gz"), "--bars-tz", "America/Chicago",
			"--chain", path("options", "lean_spx_opt_1min_quotes_20210114_0930.csv"), "--chain-interval", "1m", "-p", "legs=" + legs, "--settle", "2021-01-15"}
	}
	apple := "AAPL=" + path("daily", "lean_aapl_raw.csv.gz")
	for name, c := range map[string]struct {
		want, tolerance float64
		trades          int
		args            []string
	}{
		"buyapple": {10228181.07, 0.005, 210, []string{"--preset", "zipline-buyapple", "--bars", apple, "--closes", path("reference", "zipline", "zipline_buyapple_daily.csv") + ":AAPL",
			"--from", "2014-01-02", "--to", "2014-11-01", "--cold", "--split", "2014-06-09=7"}},
		"buyapple at the file's own closes": {10228181.07, 4, 210, []string{"--preset", "zipline-buyapple", "--bars", apple,
			"--from", "2014-01-02", "--to", "2014-11-01", "--cold", "--split", "aapl:2014-06-09=7"}},
		"dual moving average": {9996406.00, 0.005, 1, []string{"--preset", "zipline-dual-moving-average", "--bars", apple,
			"--closes", path("reference", "zipline", "zipline_dual_moving_average_daily.csv") + ":AAPL", "--from", "2011-01-03", "--to", "2013-01-01", "--cold"}},
		"long call 3200":      {97514, 1e-9, 1, lean("+1 call 3200 2021-01-15")},
		"long call 4250":      {99995, 1e-9, 1, lean("+1 call 4250 2021-01-15")},
		"long put 4200":       {101996, 1e-9, 1, lean("+1 P 4200")},
		"short call 3200":     {100000 + 61550 - 59554, 1e-9, 1, lean("-1 call 3200")},
		"settled elsewhere":   {100000 - 62040 + 60000, 1e-9, 1, append(lean("+1 call 3200"), "--settle", "2021-01-15=3800")},
		"the broker's fees":   {97514 - 1, 1e-9, 1, append(lean("+1 call 3200"), "--rules", "lean+ib_fees")},
		"a future's contract": {14525.8, 0.005, 1, []string{"--preset", "backtrader", "--bars", "/ES=" + path("reference", "backtrader_2006_day_001.csv.gz"), "--multiplier", "/ES=10", "-p", "slow=5", "-p", "once=true", "--rules", "backtrader+margin=1000", "--commission", "2"}},
		"hedging":             {55574.51294, 1e-5, 94, []string{"--preset", "backtesting.py", "--bars", path("reference", "backtestingpy_GOOG.csv"), "-p", "slow=20", "--rules", "backtesting.py+exclusive+hedging", "--commission", "0.002"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := backtestJSON(t, c.args...)
			assert.InDelta(t, c.want, got.Metrics["equity_final"], c.tolerance)
			assert.Len(t, got.Trades, c.trades)
		})
	}
}

// One kind of position on each ticker; the engine's own test has all thirty.
func TestPresetsRepeatTheArithmeticOfOptions(t *testing.T) {
	for _, c := range []struct{ ticker, kind, recorded string }{
		{"aapl", "short-put", "short_put"}, {"nvda", "covered-call", "covered_call"}, {"meta", "iron-condor", "iron_condor"}, {"jpm", "bull-put-vertical", "bull_put_vertical"},
		{"tsm", "long-straddle", "long_straddle"}, {"jpm", "gamma-scalp", "gamma_scalp_straddle_close"},
	} {
		var want struct {
			Results map[string]struct {
				Profit float64 `json:"pnl_at_expiry"`
			}
		}
		data, err := os.ReadFile(sharedtest.Path(t, "data", "reference", "options_py", "yahoo_"+c.ticker+"_20251205.json"))
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(data, &want))
		require.Contains(t, want.Results, c.recorded)
		got := backtestJSON(t, "--preset", "oracle-"+c.kind, "--chain", sharedtest.Path(t, "data", "options", "yahoo_chain_"+c.ticker+"_20251124_20251205.csv.gz"),
			"-p", "entry=2025-11-25", "-p", "expiry=2025-12-05")
		assert.InDelta(t, 100_000+want.Results[c.recorded].Profit, got.Metrics["equity_final"], 0.006, "%s of %s", c.kind, c.ticker)
	}
}

// 61.218 by the white paper's data; it prints 61.22.
func TestTheIndexOfTheWhitePaperIsPrinted(t *testing.T) {
	file := sharedtest.Path(t, "data", "reference", "vix_whitepaper_options_20090101.csv")
	out, problems, code := ttai(t, "", nil, "backtest", "--preset", "vix", "--chain", file, "--rate", "0.0038")
	require.Equal(t, app.ExitOK, code, problems)
	assert.Contains(t, out, "61.218")
	_, problems, code = ttai(t, "", nil, "backtest", "--preset", "vix")
	assert.Equal(t, app.ExitUsage, code)
	assert.Contains(t, problems, "chain")
}

func TestPresetsAreListed(t *testing.T) {
	out, problems, code := ttai(t, "", nil, "backtest", "--preset", "list")
	require.Equal(t, app.ExitOK, code, problems)
	for _, p := range backtest.Presets() {
		assert.Contains(t, out, p.Name)
		_, err := (&backtest.Request{Strategy: p.Strategy}).Definition()
		assert.NoError(t, err, p.Name)
		_, err = backtest.RulesNamed(p.Rules, 0)
		assert.NoError(t, err, p.Name)
	}
	assert.Contains(t, out, "vix")
}

func TestSplitsAndDividendsComeFromFilesOfSeveralForms(t *testing.T) {
	events, err := eventsOf(sharedtest.Path(t, "data", "daily", "lean_aapl_factors.csv"), "AAPL")
	require.NoError(t, err)
	find := func(kind market.EventKind, date string) float64 {
		for _, e := range events {
			if e.Kind == kind && e.Date.String() == date {
				return e.Value
			}
		}
		return 0
	}
	// Apple split 7 for 1 on 2014-06-09 and 4 for 1 on 2020-08-31, and paid 0.205 on 2020-11-06.
	assert.InDelta(t, 7, find(market.Split, "2014-06-09"), 1e-4)
	assert.InDelta(t, 4, find(market.Split, "2020-08-31"), 1e-4)
	assert.InDelta(t, 0.205, find(market.Dividend, "2020-11-06"), 2e-3)

	events, err = eventsOf(sharedtest.Path(t, "data", "daily", "zipline_aapl_2012_2014.csv.gz"), "AAPL")
	require.NoError(t, err)
	assert.InDelta(t, 0.37857, find(market.Dividend, "2012-08-09"), 1e-9)

	file := filepath.Join(t.TempDir(), "events.csv")
	require.NoError(t, os.WriteFile(file, []byte("Date,Symbol,Stock Splits,Dividends\n2024-03-04,X,2,0\n2024-03-05,Y,3,1\n2024-03-06,X,,0.5\n"), 0o600))
	events, err = eventsOf(file, "X")
	require.NoError(t, err)
	assert.Len(t, events, 2)
	assert.Equal(t, 2.0, find(market.Split, "2024-03-04"))
	assert.Equal(t, 0.5, find(market.Dividend, "2024-03-06"))
}

func TestWrongFlagsOfTheWorldAreNamed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.csv")
	require.NoError(t, os.WriteFile(file, []byte("date,open,high,low,close,volume\n2024-03-04,10,10,10,10,1\n2024-03-05,11,11,11,11,1\n2024-03-06,12,12,12,12,1\n"), 0o600))
	for flag, values := range map[string][]string{
		"--preset":     {"zipline-buyaple"},
		"--split":      {"2024-03-05", "yesterday=2", "2024-03-05=-1", "2024-03-05=inf"},
		"--dividend":   {"2024-03-05=x"},
		"--events":     {file},
		"--closes":     {"file", file + ":mood"},
		"--multiplier": {"/ES", "/ES=0", "/ES=NaN"},
		"--settle":     {"2024-03-05", "2024-03-09", "soon", "2024-03-07=-5"},
		"--bars-tz":    {"Mars/Olympus"},
		"--rules":      {"lean+ib", "backtesting.py+hedging"},
	} {
		for _, value := range values {
			args := []string{"backtest", "every-bar", "--bars", "X=" + file, flag, value}
			_, problems, code := ttai(t, "", nil, args...)
			assert.Equal(t, app.ExitUsage, code, "%s %s: %s", flag, value, problems)
			assert.NotContains(t, problems, "panic")
		}
	}
	for _, legs := range []string{"", "1 call", "+0 call 5", "+1 cal 5", "+1 call x", "+1 call 0.97S", "+1.5 put 5", "+1 put 5 tomorrow", "+1 put -5"} {
		_, problems, code := ttai(t, "", nil, "backtest", "option-legs", "--bars", "X="+file, "-p", "legs="+legs)
		assert.Equal(t, app.ExitUsage, code, legs)
		assert.Contains(t, problems, "legs")
	}
}

func TestResultsAreWrittenToStandardOutput(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.csv")
	require.NoError(t, os.WriteFile(file, []byte("date,open,high,low,close,volume\n2024-03-04,10,10,10,10,1e6\n2024-03-05,11,11,11,11,1e6\n2024-03-06,12,12,12,12,1e6\n"), 0o600))
	out, problems, code := ttai(t, "", nil, "backtest", "every-bar", "--bars", "X="+file, "--json-file", "-")
	require.Equal(t, app.ExitOK, code, problems)
	var whole backtest.Document
	require.NoError(t, json.Unmarshal([]byte(out), &whole))
	assert.NotEmpty(t, whole.Fills[0])
	out, _, code = ttai(t, "", nil, "backtest", "every-bar", "--bars", "X="+file, "--trades", "-")
	require.Equal(t, app.ExitOK, code)
	assert.True(t, strings.HasPrefix(out, "account,") || strings.Contains(strings.SplitN(out, "\n", 2)[0], "entry_time"), out)
}
