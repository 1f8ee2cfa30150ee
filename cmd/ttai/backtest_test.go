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
	"github.com/ttai-go/ttai/strategy/backtest"
)

// The run of backtesting.py in its own test suite, by the command line alone.
func TestBacktestPrintsThePublishedRun(t *testing.T) {
	file := sharedtest.Path(t, "data", "reference", "backtestingpy_GOOG.csv")
	out, problems, code := ttai(t, "", nil, "backtest", "sma-crossing", "--bars", "GOOG="+file, "-p", "fast=10", "-p", "slow=30", "--rules", "backtesting.py", "--cash", "10000", "--json")
	require.Equal(t, app.ExitOK, code, problems)
	var got struct {
		Metrics map[string]float64 `json:"metrics"`
	}
	require.NoError(t, json.Unmarshal([]byte(out), &got))
	for name, want := range map[string]float64{
		"equity_final": 51422.99, "trades": 66, "return_ann_pct": 21.191099249053224, "volatility_ann_pct": 36.49716090702389, "cagr_pct": 21.160245705962623,
		"sharpe_ratio": 0.5806232244485349, "sortino_ratio": 1.085343435248866, "calmar_ratio": 0.44166409202994616, "alpha_pct": 394.3739114202746, "beta": 0.038033907091922045,
		"exposure_time_pct": 96.74115456238361, "buy_hold_return_pct": 522.0601851851852, "max_drawdown_days": 584, "avg_drawdown_days": 41, "sqn": 1.07661873566977, "kelly_criterion": 0.1518705127029717,
	} {
		assert.InDelta(t, want, got.Metrics[name], 1e-8*max(1, want), name)
	}
}

// Other runs of the same kinds need their data, slippage and history by flags.
func TestBacktestReadsTheFilesOfOtherEngines(t *testing.T) {
	path := func(elem ...string) string { return sharedtest.Path(t, append([]string{"data"}, elem...)...) }
	for name, c := range map[string]struct {
		want float64
		args []string
	}{
		"a column for date and time": {101359.86249999997, []string{"sma-crossing", "--bars", path("reference", "backtrader_2006_volume_min_001.csv.gz"), "-p", "fast=30", "-p", "slow=120",
			"-p", "direction=long", "-p", "stake=10", "--rules", "backtrader", "--commission", "0.00005"}},
		"slippage": {95467.57524102532, []string{"sma-crossing", "--bars", path("daily", "backtrader_orcl_1995_2014.csv.gz"), "-p", "fast=20", "-p", "slow=50", "-p", "direction=long-first",
			"-p", "stake=200", "--rules", "backtrader+slip=0.0005", "--commission", "0.001"}},
		"a year without the one before": {96158.4, []string{"smac", "--bars", path("reference", "fastquant_JFC_2010_2018.csv"), "--from", "2018-01-01", "--to", "2018-12-29", "--cold",
			"-p", "fast_period=18", "-p", "slow_period=52", "--rules", "fastquant"}},
	} {
		out, problems, code := ttai(t, "", nil, append(append([]string{"backtest"}, c.args...), "--json")...)
		require.Equal(t, app.ExitOK, code, "%s: %s", name, problems)
		var got struct{ Metrics map[string]float64 }
		require.NoError(t, json.Unmarshal([]byte(out), &got))
		assert.InDelta(t, c.want, got.Metrics["equity_final"], 1e-6, name)
	}
}

func TestBacktestTakesAColumnOfTheFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "scores.csv")
	require.NoError(t, os.WriteFile(file, []byte("date,open,high,low,close,volume,score\n2024-03-04,10,10,10,10,1,0.9\n2024-03-05,11,11,11,11,1,\n2024-03-06,12,12,12,12,1,-0.9\n2024-03-07,13,13,13,13,1,0\n"), 0o600))
	args := []string{"backtest", "sentiment", "--bars", "X=" + file, "--rules", "fastquant", "--cash", "101", "--json"}
	out, problems, code := ttai(t, "", nil, append(args, "-p", "column=score")...)
	require.Equal(t, app.ExitOK, code, problems)
	var got struct{ Metrics map[string]float64 }
	require.NoError(t, json.Unmarshal([]byte(out), &got))
	assert.InDelta(t, 121.0, got.Metrics["equity_final"], 1e-9, "ten shares bought at 10 and sold at 12")
	_, problems, code = ttai(t, "", nil, append(args, "-p", "column=mood")...)
	assert.Equal(t, app.ExitUsage, code)
	assert.Contains(t, problems, "mood")
}

func TestBacktestListsStrategiesWithTheirParameters(t *testing.T) {
	for _, args := range [][]string{{"backtest"}, {"backtest", "list"}, {"backtest", "--list"}} {
		out, problems, code := ttai(t, "", nil, args...)
		require.Equal(t, app.ExitOK, code, problems)
		for _, d := range backtest.Definitions() {
			assert.Contains(t, out, d.Name+": ")
		}
		assert.Contains(t, out, "fast=")
	}
	out, _, code := ttai(t, "", nil, "backtest", "ma-cross", "--list")
	assert.Equal(t, app.ExitOK, code)
	assert.Contains(t, out, "bars of the faster average")
	out, _, code = ttai(t, "", nil, "backtest", "list", "--json")
	assert.Equal(t, app.ExitOK, code)
	var rows []struct {
		Name   string
		Params []struct{ Name string }
	}
	require.NoError(t, json.Unmarshal([]byte(out), &rows))
	assert.Len(t, rows, len(backtest.Definitions()))
}

func TestBacktestWritesWhatItIsAskedFor(t *testing.T) {
	file, dir := walkFile(t, 300), t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	out, problems, code := ttai(t, "", nil, "backtest", "ma-cross", "--bars", file, "-p", "fast=3", "-p", "slow=9", "--plot", "--html", at("a.html"), "--trades", at("t.csv"),
		"--curve", at("c.csv"), "--metrics", at("m.csv"), "--json-file", at("r.json"))
	require.Equal(t, app.ExitOK, code, problems)
	assert.Contains(t, out, "Drawdown %")
	assert.Contains(t, out, "Sharpe Ratio")
	assert.Contains(t, out, "not a promise")
	for name, has := range map[string]string{"a.html": "<svg", "t.csv": "entry_price", "c.csv": "drawdown", "m.csv": "lean.treynor_ratio", "r.json": `"fingerprint"`} {
		data, err := os.ReadFile(at(name))
		require.NoError(t, err)
		assert.Contains(t, string(data), has, name)
	}
	again, _, _ := ttai(t, "", nil, "backtest", "ma-cross", "--bars", file, "-p", "fast=3", "-p", "slow=9", "--plot")
	assert.Equal(t, out, again, "the same run prints the same")
}

func TestBacktestStreamsLinesOfJSON(t *testing.T) {
	out, problems, code := ttai(t, "", nil, "backtest", "ma-cross", "--bars", walkFile(t, 120), "-p", "fast=3", "-p", "slow=9", "--ndjson")
	require.Equal(t, app.ExitOK, code, problems)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	number := int64(0)
	var line backtest.Line
	for _, text := range lines {
		line = backtest.Line{}
		require.NoError(t, json.Unmarshal([]byte(text), &line))
		if line.N > 0 {
			number++
			assert.Equal(t, number, line.N)
		}
	}
	assert.Equal(t, "end", line.Kind)
	assert.Equal(t, backtest.StatusDone, line.End.Status)
	assert.Greater(t, number, int64(120))
}

func TestBacktestSearchesWalksForwardAndWarns(t *testing.T) {
	file := walkFile(t, 400)
	out, problems, code := ttai(t, "", nil, "backtest", "ma-cross", "--bars", file, "--search", "grid", "--range", "fast=2..8:2", "--range", "slow=10..30:5", "--folds", "4")
	require.Equal(t, app.ExitOK, code, problems)
	assert.Contains(t, out, "grid, 20 trials")
	assert.Contains(t, out, "deflated")
	assert.Contains(t, out, "warning:", "a random walk holds nothing")
	assert.Contains(t, out, "cross-validation, 4 splits")
	assert.Contains(t, out, "the best, fast=")
	out, problems, code = ttai(t, "", nil, "backtest", "ma-cross", "--bars", file, "--range", "fast=2..8:2", "--range", "slow=10..30:10", "--walk-forward", "200:50")
	require.Equal(t, app.ExitOK, code, problems)
	assert.Contains(t, out, "efficiency")
	out, problems, code = ttai(t, "", nil, "backtest", "ma-cross", "--bars", file, "--search", "tpe", "--trials", "20", "--range", "fast=2..20", "--range", "slow=21..60", "--ndjson")
	require.Equal(t, app.ExitOK, code, problems)
	assert.Equal(t, 21, strings.Count(out, "\n"), "twenty trials and the end")
}

func TestBacktestRunsOptionsOnTheSimulator(t *testing.T) {
	out, problems, code := ttai(t, "", nil, "backtest", "iron-condor", "--symbol", "SPY", "--from", "2026-08-10", "--json")
	require.Equal(t, app.ExitOK, code, problems)
	var got backtest.Summary
	require.NoError(t, json.Unmarshal([]byte(out), &got))
	assert.Greater(t, got.Quotes, int64(10_000))
	assert.Greater(t, got.Metrics.Value("exposure_time_pct"), 0.0)
}

func TestBacktestTakesAFileOfClosesAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "closes.csv")
	require.NoError(t, os.WriteFile(path, []byte("dt,close\n2024-01-02,10\n2024-01-03,11\n2024-01-04,12\n"), 0o600))
	out, problems, code := ttai(t, "", nil, "backtest", "buynhold", "--bars", "X="+path, "--rules", "fastquant", "--json")
	require.Equal(t, app.ExitOK, code, problems)
	assert.Contains(t, problems, "closes alone")
	assert.Contains(t, out, `"bars": 3`)
	require.NoError(t, os.WriteFile(path, []byte("dt,close\n2024-01-02,10\n2024-01-02,11\n"), 0o600))
	_, problems, code = ttai(t, "", nil, "backtest", "buynhold", "--bars", "X="+path)
	assert.NotEqual(t, app.ExitOK, code)
	assert.Contains(t, problems, "ascending")
}

func TestBacktestSaysWhatIsNotAllowed(t *testing.T) {
	file := walkFile(t, 50)
	for _, test := range []struct {
		args []string
		says string
	}{
		{[]string{"backtest", "ma-cros"}, "ma-cross"},
		{[]string{"backtest", "ma-cross", "--bars", file, "-p", "speed=1"}, "a parameter of ma-cross"},
		{[]string{"backtest", "ma-cross", "--bars", file, "-p", "fast=quick"}, "a number"},
		{[]string{"backtest", "ma-cross", "--bars", file, "--rules", "magic"}, "backtesting.py"},
		{[]string{"backtest", "ma-cross", "--bars", file, "--search", "grid"}, "--range"},
		{[]string{"backtest", "ma-cross", "--bars", file, "--from", "soon"}, "a date"},
		{[]string{"backtest", "ma-cross", "--bars", file, "--range", "fast=2..4:1", "--walk-forward", "many"}, "train:test"},
	} {
		_, problems, code := ttai(t, "", nil, test.args...)
		assert.NotEqual(t, app.ExitOK, code, test.args)
		assert.Contains(t, problems, test.says, "%v", test.args)
	}
}
