package backtest_test

import (
	"encoding/csv"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/internal/sharedtest"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/strategy/backtest"
)

// pyRun is a run of backtesting.py: its statistics, and curve and trades rebuilt
// from its list of trades by plain arithmetic.
type pyRun struct {
	name   string
	stats  map[string]any
	series backtest.Series
	trades []backtest.Trade
}

func readCSV(t *testing.T, path string) (rows []map[string]string) {
	t.Helper()
	file, err := os.Open(path)
	require.NoError(t, err)
	defer file.Close()
	records, err := csv.NewReader(file).ReadAll()
	require.NoError(t, err)
	for _, record := range records[1:] {
		row := map[string]string{}
		for i, name := range records[0] {
			row[name] = record[i]
		}
		rows = append(rows, row)
	}
	return rows
}

func number(t *testing.T, text string) float64 {
	t.Helper()
	x, err := strconv.ParseFloat(text, 64)
	require.NoError(t, err)
	return x
}

// pyRuns are the runs of reference/btpy.
func pyRuns(t *testing.T) []pyRun {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(sharedtest.Path(t, "data", "reference", "btpy"), "*.json"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	var out []pyRun
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		var run struct {
			Name     string
			Settings struct {
				Cash, Commission float64
				TradeOnClose     bool `json:"trade_on_close"`
			}
			N1, N2 int
			Stats  map[string]any
		}
		require.NoError(t, json.Unmarshal(data, &run))
		var times []time.Time
		var closes []float64
		if strings.Contains(run.Name, "spy") {
			bars := sharedtest.Path(t, "data", "daily", "yahoo_spy_2005_2021.csv.gz")
			read, err := market.OpenBars(bars, nil)
			require.NoError(t, err)
			for _, b := range read.Bars {
				times, closes = append(times, b.Time), append(closes, b.Close)
			}
		} else {
			for _, row := range readCSV(t, sharedtest.Path(t, "data", "reference", "backtestingpy_GOOG.csv")) {
				day, err := time.Parse(time.DateOnly, row[""])
				require.NoError(t, err)
				times, closes = append(times, day), append(closes, number(t, row["Close"]))
			}
		}
		n := len(times)
		p := pyRun{name: run.Name, stats: run.Stats}
		p.series = backtest.Series{Times: times, Benchmark: closes, Warmup: max(run.N1, run.N2) - 1, Equity: make([]float64, n)}
		for i := range p.series.Equity {
			p.series.Equity[i] = run.Settings.Cash
		}
		for _, row := range readCSV(t, strings.TrimSuffix(file, ".json")+"_trades.csv") {
			size, entry := number(t, row["Size"]), number(t, row["EntryPrice"])
			profit, cost := number(t, row["PnL"]), number(t, row["Commission"])
			from, to := int(number(t, row["EntryBar"])), int(number(t, row["ExitBar"]))
			// An order of the last bar's close is carried out after its point was taken.
			late := 0
			if run.Settings.TradeOnClose {
				late = 1
			}
			for i := from + late; i < n; i++ {
				if i >= to+late {
					p.series.Equity[i] += profit
				} else {
					p.series.Equity[i] += size*(closes[i]-entry) - math.Abs(size)*entry*run.Settings.Commission
				}
			}
			begin, err := time.Parse(time.DateOnly, row["EntryTime"])
			require.NoError(t, err)
			end, err := time.Parse(time.DateOnly, row["ExitTime"])
			require.NoError(t, err)
			p.trades = append(p.trades, backtest.Trade{
				Quantity: decimal.NewFromFloat(size), Multiplier: decimal.NewFromInt(1), EntryPrice: decimal.NewFromFloat(entry), ExitPrice: decimal.RequireFromString(row["ExitPrice"]),
				Profit: decimal.NewFromFloat(profit), Fees: decimal.NewFromFloat(-cost), EntryBar: int64(from), ExitBar: int64(to), EntryTime: begin, ExitTime: end,
			})
		}
		out = append(out, p)
	}
	return out
}

func TestStatisticsOfBacktestingPyAreReproduced(t *testing.T) {
	for _, run := range pyRuns(t) {
		t.Run(run.name, func(t *testing.T) {
			metrics, err := backtest.Measure(run.series, run.trades, nil)
			require.NoError(t, err)
			titles := map[string]string{}
			for _, d := range backtest.MetricDefinitions() {
				if _, taken := titles[d.Title]; !taken && !strings.Contains(d.Name, ".") {
					titles[d.Title] = d.Name
				}
			}
			checked := 0
			for title, want := range run.stats {
				if title == "Start" || title == "End" {
					continue
				}
				name, ok := titles[title]
				if !assert.True(t, ok, "no metric is %q", title) {
					continue
				}
				got := metrics.Value(name)
				switch want := want.(type) {
				case float64:
					assert.InDelta(t, want, got, 1e-8*max(1, math.Abs(want)), title)
				case string:
					days, _, _ := strings.Cut(want, " ")
					assert.Equal(t, number(t, days), got, title)
				default:
					t.Errorf("%s is %v", title, want)
				}
				checked++
			}
			assert.GreaterOrEqual(t, checked, 27)
		})
	}
}
