package backtest_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/strategy/backtest"
)

// TestAnalyzersOfBacktraderAreReproduced computes the analyzers of its recorded
// runs from their fills and the bars alone, without an engine.
func TestAnalyzersOfBacktraderAreReproduced(t *testing.T) {
	for _, run := range []struct {
		name string
		bars []string
	}{
		{"bt_2006day_sma_10_30", []string{"reference", "backtrader_2006_day_001.csv.gz"}},
		{"bt_yhoo_sma_20_50", []string{"daily", "backtrader_yhoo_1996_2015.csv.gz"}},
		{"bt_orcl_sma_20_50_both_slip", []string{"daily", "backtrader_orcl_1995_2014.csv.gz"}},
	} {
		t.Run(run.name, func(t *testing.T) {
			var want struct {
				Bars       int
				Cash       float64
				FinalValue float64  `json:"final_value"`
				Sharpe     *float64 `json:"sharpe_daily_ann"`
				Drawdown   float64  `json:"max_drawdown_pct"`
				Money      float64  `json:"max_drawdown_money"`
				Len        float64  `json:"max_dd_len"`
				SQN        float64
				Returns    map[string]float64
				Annual     map[string]float64
				Total      float64 `json:"trades_total"`
				Closed     float64 `json:"trades_closed"`
				Won, Lost  float64
				Net        float64 `json:"pnl_net"`
				Gross      float64 `json:"pnl_gross"`
			}
			jsonOf(t, &want, "backtrader", run.name+".json")
			bars := loose(t, run.bars...)
			require.Len(t, bars, want.Bars)
			type fill struct{ size, price, commission float64 }
			fills := map[string][]fill{}
			for _, row := range rowsOf(t, "reference", "backtrader", run.name+"_fills.csv") {
				day, _, _ := strings.Cut(row["time"], "T")
				fills[day] = append(fills[day], fill{float(t, row["size"]), float(t, row["price"]), float(t, row["commission"])})
			}
			series := backtest.Series{Start: want.Cash}
			var trades []backtest.Trade
			cash, held, entry := want.Cash, 0.0, 0.0
			var open backtest.Trade
			var fees float64
			for i, b := range bars {
				for _, f := range fills[b.Time.Format(time.DateOnly)] {
					if held != 0 && f.size == -2*held { // it turns: out and in again
						cash -= f.size/2*f.price + f.commission/2
						open.ExitTime, open.ExitBar, open.Fees = b.Time, int64(i), decimal.NewFromFloat(-fees-f.commission/2)
						open.Profit = decimal.NewFromFloat(held*(f.price-entry) - fees - f.commission/2)
						trades = append(trades, open)
						held, f = 0, fill{f.size / 2, f.price, f.commission / 2}
					}
					cash -= f.size*f.price + f.commission
					fees += f.commission
					switch {
					case held == 0:
						open = backtest.Trade{Quantity: decimal.NewFromFloat(f.size), Multiplier: decimal.NewFromInt(1), EntryPrice: decimal.NewFromFloat(f.price), EntryTime: b.Time, EntryBar: int64(i)}
						entry, fees = f.price, f.commission
					case held+f.size == 0:
						open.ExitTime, open.ExitBar, open.Fees = b.Time, int64(i), decimal.NewFromFloat(-fees)
						open.Profit = decimal.NewFromFloat(held*(f.price-entry) - fees)
						trades = append(trades, open)
					default:
						require.Fail(t, "a fill that neither opens nor closes", "%v", f)
					}
					held += f.size
				}
				series.Times = append(series.Times, b.Time)
				series.Equity = append(series.Equity, cash+held*b.Close)
			}
			if held != 0 {
				open.Open, open.ExitTime, open.ExitBar = true, bars[len(bars)-1].Time, int64(len(bars)-1)
				trades = append(trades, open)
			}
			metrics, err := backtest.Measure(series, trades, nil)
			require.NoError(t, err)
			near := func(want float64, name string) {
				t.Helper()
				assert.InDelta(t, want, metrics.Value(name), 1e-8*max(1, math.Abs(want)), name)
			}
			near(want.FinalValue, "equity_final")
			near(want.Drawdown, "backtrader.max_drawdown_pct")
			near(want.Money, "backtrader.max_moneydown")
			near(want.Len, "backtrader.max_drawdown_len")
			near(want.SQN, "backtrader.sqn")
			near(want.Returns["rtot"], "backtrader.rtot")
			near(want.Returns["ravg"], "backtrader.ravg")
			near(want.Returns["rnorm"], "backtrader.rnorm")
			near(want.Returns["rnorm100"], "backtrader.rnorm100")
			near(want.Total, "backtrader.trade.total")
			near(want.Closed, "backtrader.trade.closed")
			near(want.Won, "backtrader.trade.won")
			near(want.Lost, "backtrader.trade.lost")
			near(want.Net, "backtrader.trade.pnl.net.total")
			near(want.Gross, "backtrader.trade.pnl.gross.total")
			for year, change := range want.Annual {
				near(change, "backtrader.annual."+year)
			}
			if want.Sharpe != nil {
				near(*want.Sharpe, "backtrader.sharpe_ratio_days")
			}
		})
	}
}
