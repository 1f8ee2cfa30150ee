package backtest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/internal/sharedtest"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/strategy/backtest"
)

// jollibee reads the prices of JFC up to the day on which the recorded runs ended.
func jollibee(t testing.TB, file string) []market.Bar {
	t.Helper()
	var bars []market.Bar
	for _, row := range rowsOf(t, "reference", file) {
		if row["dt"] > "2018-12-28" {
			break
		}
		day, err := time.ParseInLocation("2006-01-02", row["dt"], market.NYSE().Location())
		require.NoError(t, err)
		c := float(t, row["close"])
		bars = append(bars, market.Bar{Time: day, Open: c, High: c, Low: c, Close: c, Volume: math.NaN()})
	}
	return bars
}

// TestRunsOfFastquantAreReproduced runs its rules with today's code under its
// rules of filling, and compares orders and final values.
func TestRunsOfFastquantAreReproduced(t *testing.T) {
	for _, run := range []struct {
		tag, strategy, params string
		file                  string
		commission            float64
	}{
		{"jfc2018_smac_15_40", "smac", `"fast_period":15,"slow_period":40`, "fastquant_JFC_2018_DCV.csv", 0},
		{"jfc2018_smac_15_40_comm0075", "smac", `"fast_period":15,"slow_period":40,"commission":0.0075`, "fastquant_JFC_2018_DCV.csv", 0.0075},
		{"jfc2018_rsi", "rsi", `"rsi_period":14`, "fastquant_JFC_2018_DCV.csv", 0},
		{"jfc2018_macd", "macd", `"fast_period":12`, "fastquant_JFC_2018_DCV.csv", 0},
		{"jfc2018_emac_10_30", "emac", `"fast_period":10`, "fastquant_JFC_2018_DCV.csv", 0},
		{"jfc2018_bbands", "bbands", `"period":20`, "fastquant_JFC_2018_DCV.csv", 0},
		{"jfc2010_2018_buynhold", "buynhold", `"buy_prop":1`, "fastquant_JFC_2010_2018.csv", 0},
		{"jfc2010_2018_smac_20_60_comm002", "smac", `"fast_period":20,"slow_period":60,"commission":0.002`, "fastquant_JFC_2010_2018.csv", 0.002},
	} {
		t.Run(run.tag, func(t *testing.T) {
			var want struct {
				Rows    int
				Metrics struct {
					FinalValue float64 `json:"final_value"`
				}
			}
			text, err := os.ReadFile(sharedtest.Path(t, "data", "reference", "fastquant", "fq_"+run.tag+".json"))
			require.NoError(t, err)
			require.NoError(t, json.Unmarshal(bytes.ReplaceAll(text, []byte("NaN"), []byte("null")), &want))
			bars := jollibee(t, run.file)
			require.Len(t, bars, want.Rows)
			r := runOne(t, builtin(t, run.strategy, `{"symbol":"JFC",`+run.params+`}`), "JFC", bars, "100000", backtest.Fastquant(backtest.FastquantOptions{Commission: run.commission}))
			a := &r.Record.Accounts[0]
			assert.InDelta(t, want.Metrics.FinalValue, last(&a.Curve).Value, 1e-6)
			orders := rowsOf(t, "reference", "fastquant", "fq_"+run.tag+"_orders.csv")
			require.Len(t, a.Fills, len(orders))
			for i, o := range orders {
				f := a.Fills[i]
				assert.Equal(t, float(t, o["size"]), f.Quantity.InexactFloat64()*float64(f.Action.Sign()), "order %d", i)
				assert.Equal(t, float(t, o["price"]), f.Price.InexactFloat64(), "order %d", i)
				assert.Equal(t, o["dt"], bars[f.Bar+1].Time.Format("2006-01-02"), "order %d: fastquant notes it with the bar after", i)
			}
		})
	}
}

// TestTheGridOfFastquantIsReproduced runs all 25 settings. They were run on the
// file with opens and highs, of which 2018 was taken: its close of 2018-10-10 is
// 254 and not 246, which moves crossings of 24/40, 24/52 and 18/52.
func TestTheGridOfFastquantIsReproduced(t *testing.T) {
	bars := jollibee(t, "fastquant_JFC_2010_2018.csv")
	first := slices.IndexFunc(bars, func(b market.Bar) bool { return b.Time.Year() == 2018 })
	bars = bars[first:]
	require.Len(t, bars, 243)
	rows := rowsOf(t, "reference", "fastquant", "fq_jfc2018_smac_grid.csv")
	require.Len(t, rows, 25)
	for _, row := range rows {
		params := fmt.Sprintf(`{"symbol":"JFC","fast_period":%s,"slow_period":%s}`, row["fast_period"], row["slow_period"])
		r := runOne(t, builtin(t, "smac", params), "JFC", bars, "100000", backtest.Fastquant(backtest.FastquantOptions{}))
		assert.InDelta(t, float(t, row["final_value"]), last(&r.Record.Accounts[0].Curve).Value, 1e-6, params)
		metrics, err := r.Metrics(nil)
		require.NoError(t, err)
		assert.InDelta(t, float(t, row["maxdrawdown"]), metrics.Value("backtrader.max_drawdown_pct"), 1e-9, params)
		assert.InDelta(t, float(t, row["rnorm"]), metrics.Value("backtrader.rnorm"), 1e-9, params)
	}
}
