package backtest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/strategy/backtest"
)

// Six days of a share, a crossing of averages, and the rules of backtesting.py:
// what is decided at a close fills at the next open.
func ExampleRun() {
	var bars []market.Bar
	for i, price := range []float64{100, 98, 103, 106, 101, 97} {
		day := time.Date(2026, 3, 2+i, 0, 0, 0, 0, market.NYSE().Location())
		bars = append(bars, market.Bar{Time: day, Open: price, High: price + 2, Low: price - 2, Close: price + 1, Volume: 1e6})
	}
	cross, err := backtest.ReferenceStrategies()[0].New(json.RawMessage(`{"symbol":"SPY","fast":1,"slow":2,"direction":"long"}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	result, err := backtest.Run(context.Background(), backtest.Options{
		Market:   &backtest.Market{Bars: []backtest.BarFeed{{Symbol: "SPY", Bars: bars}}},
		Accounts: []backtest.Account{{Strategy: cross, Name: "cross", Cash: decimal.NewFromInt(10_000)}},
		Rules:    backtest.BacktestingPy(backtest.BacktestingPyOptions{Commission: 0.001}),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	account := result.Record.Accounts[0]
	for _, t := range account.Trades {
		fmt.Printf("%s at %s, out at %s: %s\n", t.Quantity, t.EntryPrice, t.ExitPrice, t.Profit.StringFixed(2))
	}
	fmt.Println("cash", account.Cash.StringFixed(2), "under", result.Record.Settings.Rules)
	// Output:
	// 94 at 106, out at 97: -865.08
	// cash 9134.92 under backtesting.py commission=0.001 margin=1 finalize_trades=true
}
